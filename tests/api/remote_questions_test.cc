// A node without read models: what it is asked leaves by its port, and another node answers it.
#include "gateway/api/reads/remote_questions.h"

#include <doctest/doctest.h>

#include <thread>

#include "tests/api/read_edge.h"
#include "tests/support/worker.h"

using namespace souk;
using namespace souk::test;
using cluster::NoAnswer;
using cluster::QuestionRelay;
using cluster::Sent;

namespace {

/// Notes what it is asked; answers when told to.
struct FakePort final : QuestionPort {
  struct Asked {
    QueryClient* client;
    std::uint64_t ticket;
    PeerQuestion question;
    std::string_view cache_control;
  };
  std::vector<Asked> asked;
  void ask(QueryClient& client, std::uint64_t ticket, const PeerQuestion& question,
           std::string_view cache_control) override {
    asked.push_back({&client, ticket, question, cache_control});
  }
  void answer(std::size_t index, HttpResponse response) const {
    std::vector<QueryDone> done;
    done.push_back({asked.at(index).ticket, std::move(response)});
    asked.at(index).client->query_done(std::move(done));
  }
};

struct Bare {
  FakePort port;
  Edge edge{ApiOptions{.version = "test", .recovery = {}, .elsewhere = &port}};
};

/// Frames between two nodes: they come when the test lets them.
class Mail {
 public:
  QuestionRelay::Ports::Send to(std::function<void(std::uint64_t, std::string_view)> deliver) {
    return [this, deliver = std::move(deliver)](const std::string&, std::uint64_t id,
                                                std::string_view bytes) {
      const std::lock_guard lock(mutex_);
      if (down) return Sent::no_link;
      frames_.emplace_back([deliver, id, copy = std::string(bytes)] { deliver(id, copy); });
      return Sent::yes;
    };
  }
  bool deliver() {
    std::vector<std::function<void()>> frames;
    {
      const std::lock_guard lock(mutex_);
      frames.swap(frames_);
    }
    for (const auto& frame : frames) frame();
    return !frames.empty();
  }
  std::atomic<bool> down{false};

 private:
  std::mutex mutex_;
  std::vector<std::function<void()>> frames_;
};

/// Node `bare`, which has none, and node `shop`, which has them.
struct TwoNodes {
  Mail mail;
  QuestionRelay at_bare{
      {.question = mail.to([this](auto id, auto bytes) { at_shop.asked("bare", id, bytes); }),
       .answer = mail.to([](auto, auto) {}),
       .taken = mail.to([this](auto id, auto bytes) { at_shop.taken("bare", id, bytes); })},
      &cluster::steady_now};
  QuestionRelay at_shop{
      {.question = mail.to([](auto, auto) {}),
       .answer = mail.to([this](auto id, auto bytes) { at_bare.answered("shop", id, bytes); }),
       .taken = mail.to([](auto, auto) {})},
      &cluster::steady_now};
  RemoteQuestions port{at_bare};
  ReadEdge shop;
  QuestionsOfPeers peers{shop.edge.common};
  Edge bare{ApiOptions{.version = "test", .recovery = {}, .elsewhere = &port, .questions = [this] {
                         return at_bare.figures();
                       }}};

  TwoNodes() {
    at_shop.answer_by([this](std::string_view question, cluster::AnswerDone done) {
      peers.ask(question, std::move(done));
    });
    at_bare.tick({"shop"});
  }
  ~TwoNodes() {
    at_shop.stop();
    at_bare.stop();
    shop.edge.common.stop();
  }
  HttpResponse ask(const std::string& target, const Headers& headers = {}) {
    const auto exchange = bare.send(HttpMethod::get, target, {}, headers);
    for (int i = 0; i < 10'000 && !bare.answered(exchange); ++i) {
      if (!mail.deliver()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
      if (bare.server.has_wake()) bare.wake();
    }
    REQUIRE(bare.answered(exchange));
    return bare.answer(exchange);
  }
  Headers all(std::string accept = {}) {
    return {.min_position = "3:1," + shop.end, .accept = std::move(accept)};
  }
};

std::string detail_of(const HttpResponse& response) { return Json(response.body).text("/detail"); }

}  // namespace

TEST_CASE(
    "remote questions: what read models answer leaves by the port, and comes back to the client") {
  Bare bare;
  const auto exchange =
      bare.edge.send(HttpMethod::get, "http://shop.example/v1/sql?q=SELECT+1&limit=7", {},
                     {.min_position = "3:1,5:9", .accept = "text/csv"});
  REQUIRE(bare.port.asked.size() == 1);
  const auto& asked = bare.port.asked[0];
  CHECK(asked.question.target == "/v1/sql?q=SELECT+1&limit=7");
  CHECK(asked.question.form == AnswerForm::csv);
  REQUIRE(asked.question.wanted.size() == 2);
  CHECK(asked.question.wanted[1].shard == ShardId{5});
  CHECK(asked.question.wanted[1].seq == 9);
  CHECK(asked.cache_control == "private, no-store");
  CHECK_FALSE(bare.edge.answered(exchange));
  HttpResponse response;
  response.body = "1\r\n1\r\n";
  response.content_type = "text/csv; charset=utf-8";
  response.position = "3:1,5:9";
  response.truncated = true;
  bare.port.answer(0, response);
  bare.edge.wake();
  REQUIRE(bare.edge.answered(exchange));
  const auto& answer = bare.edge.answer(exchange);
  CHECK(answer.body == response.body);
  CHECK(answer.content_type == response.content_type);
  CHECK(answer.position == "3:1,5:9");
  CHECK(answer.truncated);
  // A second one finds nobody.
  bare.port.answer(0, response);
  bare.edge.wake();
  CHECK(bare.edge.common.metrics().counted(Action::sql, static_cast<std::size_t>(ReplyCode::ok)) ==
        1);
}

TEST_CASE("remote questions: each question that a read model answers travels, the others do not") {
  Bare bare;
  std::size_t travelled = 0;
  for (const Question& question : all_questions()) {
    if (is_of_cluster(question.action) || question.action == Action::mend_projection) continue;
    CAPTURE(question.path);
    const bool sql = question.action == Action::sql;
    const auto target = std::string(question.path) + (sql ? "?q=SELECT%201" : "");
    const auto exchange = bare.edge.send(HttpMethod::get, target);
    if (!question.model.empty()) {
      CHECK(bare.port.asked.size() == ++travelled);
      CHECK_FALSE(bare.edge.answered(exchange));
    } else {
      if (!bare.edge.answered(exchange)) bare.edge.wake();
      REQUIRE(bare.edge.answered(exchange));
      CHECK(bare.edge.answer(exchange).status == 200);
    }
  }
  CHECK(travelled > 10);
  CHECK(bare.port.asked.size() == travelled);
}

TEST_CASE("remote questions: what does not fit is answered at once, and goes nowhere") {
  Bare bare;
  const auto refused = [&](const std::string& target, int status, const Headers& headers = {}) {
    const auto exchange = bare.edge.send(HttpMethod::get, target, {}, headers);
    REQUIRE(bare.edge.answered(exchange));
    CHECK(bare.edge.answer(exchange).status == status);
  };
  refused("/v1/search?limit=0", 422);
  refused("/v1/search?colour=red", 422);
  refused("/v1/search?q=%zz", 400);
  refused("/v1/sql", 422);
  refused("/v1/search", 422, {.min_position = "64:1"});
  refused("/v1/search", 422, {.min_position = "rubbish"});
  CHECK(bare.port.asked.empty());
}

TEST_CASE("remote questions: a node without read models has none to show or to mend") {
  Bare bare;
  const auto list = bare.edge.send(HttpMethod::get, "/v1/projections");
  bare.edge.wake();
  CHECK(bare.edge.answer(list).status == 200);
  CHECK(bare.edge.answer(list).body == R"({"projections":[]})");
  const auto rebuild = bare.edge.send(HttpMethod::post, "/v1/projections/search/rebuild");
  CHECK(bare.edge.answer(rebuild).status == 404);
  CHECK(detail_of(bare.edge.answer(rebuild)).find("this node has no read models") !=
        std::string::npos);
  bare.edge.read_side.warm_up();  // starts nothing
  const auto ready = bare.edge.send(HttpMethod::get, "/readyz");
  CHECK(bare.edge.answer(ready).status == 200);
}

TEST_CASE("remote questions: one that takes too long is given up, and its answer finds nobody") {
  Bare bare;
  const auto exchange = bare.edge.send(HttpMethod::get, "/v1/search");
  for (std::int64_t ms = 0; ms < limits::question_ms_max + 1'000; ms += 50)
    bare.edge.api.on_tick(bare.edge.server);
  REQUIRE(bare.edge.answered(exchange));
  CHECK(bare.edge.answer(exchange).status == 503);
  bare.port.answer(0, {});
  bare.edge.wake();
  CHECK(bare.edge.answer(exchange).status == 503);
  CHECK(cluster::question_wait_ms < limits::question_ms_max);
}

TEST_CASE("remote questions: another node's answer is the one that its own clients get") {
  TwoNodes t;
  for (const std::string target :
       {"/v1/search?q=tea", "/v1/suggest?q=te", "/v1/analytics/sales?group_by=product",
        "/v1/analytics/customers", "/v1/analytics/lost-sales",
        "/v1/sql?q=SELECT%20sku%20FROM%20products", "/v1/sql?q=SELECT%20id%20FROM%20orders&limit=1",
        "/v1/analytics/funnel?from=2012-01-01&to=2011-01-01", "/v1/sql?q=DROP%20TABLE%20orders",
        "/v1/search?q=tea&cursor=abcd"}) {
    CAPTURE(target);
    const auto here = t.shop.ask(target);
    const auto there = t.ask(target, t.all());
    CHECK(there.status == here.status);
    CHECK(there.body == here.body);
    CHECK(there.content_type == here.content_type);
    CHECK(there.position == here.position);
    CHECK(there.truncated == here.truncated);
    CHECK(there.retry_after_s == here.retry_after_s);
    CHECK(there.cache_control == here.cache_control);
    CHECK_FALSE(there.cache_control.empty());
  }
  const auto csv = t.ask("/v1/sql?q=SELECT%20sku%20FROM%20products", t.all("text/csv"));
  CHECK(csv.content_type == "text/csv; charset=utf-8");
  CHECK(csv.body == "sku\r\ntea\r\n");
  CHECK(t.at_shop.figures().given == 11);
  const auto metrics = t.bare.send(HttpMethod::get, "/metrics");
  CHECK(t.bare.answer(metrics).body.find("souk_questions_forwarded_answered_total 11\n") !=
        std::string::npos);
}

TEST_CASE("remote questions: a position is waited for where the read models are") {
  TwoNodes t;
  t.ask("/v1/search", t.all());
  const auto late = t.ask("/v1/search", {.min_position = "5:1000"});
  CHECK(late.status == 504);
  CHECK(Json(late.body).text("/code") == "position_not_reached");
}

TEST_CASE("remote questions: an answer of many megabytes comes whole") {
  TwoNodes t;
  const std::string rows = t.shop.sql(
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n LIMIT 60) "
      "SELECT printf('%500000d', i) FROM n");
  const auto here = t.shop.ask(rows);
  REQUIRE(here.status == 200);
  CHECK(here.body.size() > (20u << 20));
  const auto there = t.ask(rows, t.all());
  CHECK(there.status == 200);
  CHECK(there.truncated == here.truncated);
  CHECK((there.body == here.body));
}

TEST_CASE("remote questions: SQL of peers has the places that there are, and not one more") {
  TwoNodes t;
  t.ask("/v1/sql?q=SELECT%201", t.all());
  const std::string endless = t.shop.sql(
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n) SELECT count(*) FROM n");
  for (std::size_t i = 0; i < limits::sql_in_flight_max; ++i)
    t.shop.edge.send(HttpMethod::get, endless);
  const auto refused = t.ask("/v1/sql?q=SELECT%201");
  CHECK(refused.status == 429);
  CHECK(detail_of(refused) == "too many such queries wait already");
  CHECK(refused.retry_after_s > 0);
  CHECK(t.ask("/v1/search?q=tea").status == 200);
}

TEST_CASE(
    "remote questions: without a node with read models the client hears so, and when to come "
    "back") {
  TwoNodes t;
  t.mail.down = true;
  const auto none = t.ask("/v1/search");
  CHECK(none.status == 503);
  CHECK(Json(none.body).text("/code") == "unavailable");
  CHECK(detail_of(none).find("no node with read models can be reached") != std::string::npos);
  CHECK(none.retry_after_s == 1);
  t.mail.down = false;
  CHECK(t.ask("/v1/search").status == 200);
}

TEST_CASE("remote questions: a node that ends leaves its questions to others") {
  TwoNodes t;
  t.ask("/v1/search", t.all());
  t.shop.edge.common.drain();
  const auto none = t.ask("/v1/search");
  CHECK(none.status == 503);
  CHECK(t.at_shop.figures().given == 1);
}

TEST_CASE("remote questions: what a node cannot answer now is left to others, and then said") {
  TwoNodes t;
  t.ask("/v1/search", t.all());
  t.shop.edge.read_side.stop();  // its SQL alone
  const auto none = t.ask("/v1/sql?q=SELECT%201", t.all());
  CHECK(none.status == 503);
  CHECK(detail_of(none).find("no node with read models can answer now") != std::string::npos);
  CHECK(none.retry_after_s == 1);
  CHECK(t.ask("/v1/search", t.all()).status == 200);
}

TEST_CASE("remote questions: each reason for no answer has its words") {
  struct Case {
    NoAnswer why;
    std::string_view code, words;
  };
  for (const Case& one : {Case{NoAnswer::none_there, "unavailable", "no node with read models"},
                          Case{NoAnswer::none_can, "unavailable", "can answer now"},
                          Case{NoAnswer::lost, "unavailable", "was lost"},
                          Case{NoAnswer::overloaded, "overloaded", "too much"},
                          Case{NoAnswer::late, "unavailable", "too long"},
                          Case{NoAnswer::unreadable, "unavailable", "another build"},
                          Case{NoAnswer::ending, "unavailable", "about to end"}}) {
    Sent link = one.why == NoAnswer::overloaded ? Sent::full : Sent::yes;
    std::int64_t now_ms = 0;
    std::uint64_t id = 0;
    QuestionRelay relay{{.question =
                             [&](const auto&, auto number, auto) {
                               id = number;
                               return link;
                             },
                         .answer = [](const auto&, auto, auto) { return Sent::yes; },
                         .taken = [](const auto&, auto, auto) { return Sent::yes; }},
                        [&] { return cluster::SteadyMs{now_ms}; }};
    RemoteQuestions port{relay};
    Edge edge{ApiOptions{.version = "test", .recovery = {}, .elsewhere = &port}};
    if (one.why != NoAnswer::none_there) relay.tick({"b"});
    const auto exchange = edge.send(HttpMethod::get, "/v1/search");
    now_ms = one.why == NoAnswer::late ? cluster::question_wait_ms : 0;
    relay.tick({"b"});
    // A whole answer, of which nothing can be made.
    using namespace std::string_literals;
    if (one.why == NoAnswer::unreadable) relay.answered("b", id, "\x01\x03\0\0\0\0\0\0\0abc"s);
    if (one.why == NoAnswer::ending) relay.stop();
    if (one.why == NoAnswer::none_can) relay.answered("b", id, "\x02");
    if (one.why == NoAnswer::lost) relay.lost("b");
    edge.wake();
    REQUIRE(edge.answered(exchange));
    const auto& answer = edge.answer(exchange);
    CHECK(answer.status == 503);
    CHECK(answer.retry_after_s == 1);
    CHECK(Json(answer.body).text("/code") == one.code);
    CHECK(detail_of(answer).find(one.words) != std::string::npos);
  }
}

TEST_CASE("remote questions: rubbish of a peer, and what is no question, is left to others") {
  ReadEdge shop;
  QuestionsOfPeers peers{shop.edge.common};
  int none = 0;
  const auto ask = [&](const std::string& bytes) {
    peers.ask(bytes, [&](std::optional<std::string> answer) { none += answer ? 0 : 1; });
  };
  ask("rubbish");
  ask(encode(PeerQuestion{.target = "/v1/nowhere"}));
  ask(encode(PeerQuestion{.target = "/v1/carts"}));
  ask(encode(PeerQuestion{.target = "/v1/projections"}));
  ask(encode(PeerQuestion{.target = "/metrics"}));
  CHECK(none == 5);
  std::optional<std::string> answer;
  const auto keep = [&](std::optional<std::string> bytes) { answer = std::move(bytes); };
  peers.ask(encode(PeerQuestion{.target = "/v1/search?limit=0"}), keep);
  REQUIRE(answer);
  CHECK(decode_answer(std::move(*answer))->status == 422);
  peers.ask(encode(PeerQuestion{.target = "/v1/search", .wanted = {{ShardId{64}, 1}}}), keep);
  REQUIRE(answer);
  CHECK(decode_answer(std::move(*answer))->status == 422);
  shop.edge.common.stop();
}
