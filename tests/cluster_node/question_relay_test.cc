// Questions to read models between nodes whose links are lists: who is asked, what comes back, what it
// costs.
#include "cluster/node/question_relay.h"

#include <doctest/doctest.h>

#include <random>

namespace souk::cluster_node_test {
namespace {

using namespace cluster;
using Outcome = Result<std::string, NoAnswer>;

/// A relay at a node whose links are lists.
struct Desk {
  struct Frame {
    std::string to;
    std::uint64_t id;
    std::string bytes;
  };
  std::int64_t now_ms = 0;
  std::vector<Frame> questions, answers, taken;
  std::map<std::string, Sent> links;  // none: yes
  std::vector<std::pair<std::string, AnswerDone>> to_answer;
  std::vector<Outcome> heard;
  QuestionRelay relay{{.question = into(questions), .answer = into(answers), .taken = into(taken)},
                      [this] { return SteadyMs{now_ms}; }};

  explicit Desk(std::vector<std::string> nodes = {"b", "c"}) {
    relay.answer_by([this](std::string_view question, AnswerDone done) {
      to_answer.emplace_back(question, std::move(done));
    });
    relay.tick(std::move(nodes));
  }
  QuestionRelay::Ports::Send into(std::vector<Frame>& frames) {
    return [this, &frames](const std::string& to, std::uint64_t id, std::string_view bytes) {
      const auto link = links.find(to);
      if (link != links.end() && link->second != Sent::yes) return link->second;
      frames.push_back({to, id, std::string(bytes)});
      return Sent::yes;
    };
  }
  void ask(const std::string& question = "what?") {
    relay.ask(question, [this](Outcome outcome) { heard.push_back(std::move(outcome)); });
  }
  /// Why the last one has no answer.
  std::optional<NoAnswer> why() const {
    if (heard.empty() || heard.back().ok()) return std::nullopt;
    return heard.back().error();
  }
};

/// What `from` has sent comes to `to`, and back, until there is nothing more.
void talk(Desk& asker, const std::string& asker_name, Desk& other, const std::string& other_name) {
  for (bool more = true; more;) {
    more = false;
    const auto pass = [&](std::vector<Desk::Frame>& frames, const std::string& to, auto&& deliver) {
      std::vector<Desk::Frame> left;
      for (auto& frame : std::exchange(frames, {})) {
        if (frame.to != to) {
          left.push_back(std::move(frame));
          continue;
        }
        more = true;
        deliver(frame);
      }
      frames.insert(frames.end(), left.begin(), left.end());
    };
    pass(asker.questions, other_name,
         [&](const auto& f) { other.relay.asked(asker_name, f.id, f.bytes); });
    pass(other.answers, asker_name,
         [&](const auto& f) { asker.relay.answered(other_name, f.id, f.bytes); });
    pass(asker.taken, other_name,
         [&](const auto& f) { other.relay.taken(asker_name, f.id, f.bytes); });
  }
}

std::string text_of(std::size_t bytes) {
  std::string text(bytes, '\0');
  for (std::size_t i = 0; i < bytes; ++i) text[i] = static_cast<char>('a' + i * 7 % 26);
  return text;
}

constexpr std::pair<std::size_t, std::size_t> nothing{0, 0};

}  // namespace

TEST_CASE("question relay: a question goes to a node with read models, and its answer comes back") {
  Desk a, b;
  a.ask("what?");
  REQUIRE(a.questions.size() == 1);
  CHECK(a.questions[0].to == "b");
  talk(a, "a", b, "b");
  REQUIRE(b.to_answer.size() == 1);
  CHECK(b.to_answer[0].first == "what?");
  CHECK(a.heard.empty());
  b.to_answer[0].second("that");
  talk(a, "a", b, "b");
  REQUIRE(a.heard.size() == 1);
  CHECK(*a.heard[0] == "that");
  CHECK(a.relay.answer_bytes() == nothing);
  CHECK(b.relay.answer_bytes() == nothing);
  CHECK(a.relay.figures().asked == 1);
  CHECK(a.relay.figures().answered == 1);
  CHECK(a.relay.figures().waiting == 0);
  CHECK(b.relay.figures().taken == 1);
  CHECK(b.relay.figures().given == 1);
}

TEST_CASE("question relay: those with read models are asked in turn") {
  Desk a({"b", "c", "d"});
  std::map<std::string, int> asked;
  for (int i = 0; i < 30; ++i) a.ask();
  for (const auto& frame : a.questions) ++asked[frame.to];
  CHECK(asked == std::map<std::string, int>{{"b", 10}, {"c", 10}, {"d", 10}});
}

TEST_CASE("question relay: a node whose link is down is passed over") {
  Desk a;
  a.links["b"] = Sent::no_link;
  for (int i = 0; i < 4; ++i) a.ask();
  CHECK(a.questions.size() == 4);
  for (const auto& frame : a.questions) CHECK(frame.to == "c");
}

TEST_CASE("question relay: without a node with read models that is said at once") {
  Desk none(std::vector<std::string>{});
  none.ask();
  CHECK(none.why() == NoAnswer::none_there);
  Desk down;
  down.links["b"] = down.links["c"] = Sent::no_link;
  down.ask();
  CHECK(down.why() == NoAnswer::none_there);
  CHECK(down.relay.figures().waiting == 0);
}

TEST_CASE("question relay: where the outboxes are full there is too much under way") {
  Desk a;
  a.links["b"] = Sent::full;
  a.links["c"] = Sent::no_link;
  a.ask();
  CHECK(a.why() == NoAnswer::overloaded);
}

TEST_CASE("question relay: a lost link asks another node, once") {
  Desk a({"b", "c", "d"});
  a.ask("what?");
  a.relay.lost("x");
  CHECK(a.questions.size() == 1);
  a.relay.lost("b");
  REQUIRE(a.questions.size() == 2);
  CHECK(a.questions[1].to != "b");
  CHECK(a.questions[1].bytes == "what?");
  CHECK(a.relay.figures().asked_again == 1);
  CHECK(a.heard.empty());
  a.relay.lost(a.questions[1].to);
  CHECK(a.questions.size() == 2);
  CHECK(a.why() == NoAnswer::lost);
}

TEST_CASE("question relay: where no other node is there the loss is the answer") {
  Desk a({"b"});
  a.ask();
  a.relay.lost("b");
  CHECK(a.questions.size() == 1);
  CHECK(a.why() == NoAnswer::lost);
}

TEST_CASE(
    "question relay: the half of an answer that came before its link was lost counts for nothing") {
  Desk a, b, c;
  a.ask();
  talk(a, "a", b, "b");
  b.to_answer.at(0).second(text_of(3 * answer_part_bytes_max));
  REQUIRE(b.answers.size() > 1);
  a.relay.answered("b", b.answers[0].id, b.answers[0].bytes);
  a.relay.lost("b");
  // What that one sent is too late.
  a.relay.answered("b", b.answers[1].id, b.answers[1].bytes);
  talk(a, "a", c, "c");
  c.to_answer.at(0).second("that");
  talk(a, "a", c, "c");
  REQUIRE(a.heard.size() == 1);
  CHECK(*a.heard[0] == "that");
  CHECK(a.relay.answer_bytes() == nothing);
}

TEST_CASE("question relay: a node that has no read models after all leaves it to the next") {
  Desk a, b;
  a.ask();
  talk(a, "a", b, "b");
  b.to_answer.at(0).second(std::nullopt);
  talk(a, "a", b, "b");
  REQUIRE(a.questions.size() == 1);
  CHECK(a.questions[0].to == "c");
  CHECK(b.relay.answer_bytes() == nothing);
  Desk bare;
  bare.relay.answer_by({});
  talk(a, "a", bare, "c");
  CHECK(a.why() == NoAnswer::none_can);
}

TEST_CASE("question relay: a large answer comes whole, and is never far ahead of its asker") {
  Desk a, b;
  const std::string large = text_of(answer_bytes_max);
  a.ask();
  talk(a, "a", b, "b");
  b.to_answer.at(0).second(std::string(large));
  std::size_t most = 0;
  while (!b.answers.empty()) {
    std::size_t ahead = 0;
    for (const auto& frame : b.answers) ahead += frame.bytes.size();
    most = std::max(most, ahead);
    const Desk::Frame frame = b.answers.front();
    b.answers.erase(b.answers.begin());
    a.relay.answered("b", frame.id, frame.bytes);
    for (const auto& taken : std::exchange(a.taken, {})) b.relay.taken("a", taken.id, taken.bytes);
  }
  CHECK(most > answer_part_bytes_max);
  CHECK(most < answer_ahead_bytes_max + 1'024);
  REQUIRE(a.heard.size() == 1);
  REQUIRE(a.heard[0].ok());
  CHECK(*a.heard[0] == large);
  CHECK(a.relay.answer_bytes() == nothing);
  CHECK(b.relay.answer_bytes() == nothing);
}

TEST_CASE("question relay: an answer beyond the limit is none, and the asker hears it") {
  Desk a, b;
  a.ask();
  talk(a, "a", b, "b");
  b.to_answer.at(0).second(std::string(answer_bytes_max + 1, 'x'));
  CHECK(b.relay.answer_bytes() == nothing);
  talk(a, "a", b, "b");
  CHECK(a.why() == NoAnswer::overloaded);
}

TEST_CASE(
    "question relay: answers of one node leave room in its outbox, whatever there is of them") {
  Desk a({"b"}), b;
  constexpr std::size_t each = 2 * answer_ahead_bytes_max;
  for (int i = 0; i < 12; ++i) a.ask();
  for (const auto& frame : a.questions) b.relay.asked("a", frame.id, frame.bytes);
  for (auto& [question, done] : b.to_answer) done(text_of(each));
  std::size_t ahead = 0;
  for (const auto& frame : b.answers) ahead += frame.bytes.size();
  CHECK(ahead > peer_ahead_bytes_max - answer_part_bytes_max);
  CHECK(ahead < peer_ahead_bytes_max + answer_part_bytes_max + 1'024);
  talk(a, "a", b, "b");
  CHECK(a.heard.size() == 12);
  for (const auto& outcome : a.heard) CHECK(outcome.ok());
}

TEST_CASE("question relay: what finds no room in the outbox goes later") {
  Desk a, b;
  a.ask();
  talk(a, "a", b, "b");
  b.links["a"] = Sent::full;
  b.to_answer.at(0).second("that");
  CHECK(b.answers.empty());
  b.links.clear();
  b.relay.tick({});
  talk(a, "a", b, "b");
  REQUIRE(a.heard.size() == 1);
  CHECK(*a.heard[0] == "that");
}

TEST_CASE("question relay: answers that nobody takes are bounded, in all") {
  Desk b;
  const std::size_t fit = answers_held_bytes_max / answer_bytes_max;
  for (std::size_t i = 0; i <= fit; ++i) {
    b.relay.asked("peer-" + std::to_string(i), i, "what?");
    b.to_answer.back().second(std::string(answer_bytes_max, 'x'));
  }
  CHECK(b.relay.answer_bytes().first == fit * answer_bytes_max);
  REQUIRE(b.answers.back().to == "peer-" + std::to_string(fit));
  CHECK(b.answers.back().bytes.size() == 1);
  b.relay.lost("peer-0");
  CHECK(b.relay.answer_bytes().first == (fit - 1) * answer_bytes_max);
}

TEST_CASE("question relay: what comes is bounded in all, by what peers say that it will be") {
  Desk a({"b"}), b;
  const std::size_t fit = answers_coming_bytes_max / answer_bytes_max;
  const std::string large(answer_bytes_max, 'x');
  for (std::size_t i = 0; i <= fit; ++i) {
    a.ask();
    Desk fresh;
    fresh.relay.asked("a", a.questions.back().id, "what?");
    fresh.to_answer.at(0).second(std::string(large));
    a.relay.answered("b", fresh.answers.at(0).id, fresh.answers.at(0).bytes);
  }
  CHECK(a.why() == NoAnswer::overloaded);
  CHECK(a.heard.size() == 1);
  CHECK(a.relay.answer_bytes().second == fit * answer_bytes_max);
  a.relay.lost("b");
  CHECK(a.relay.answer_bytes() == nothing);
}

TEST_CASE("question relay: one that is late is given up on both sides") {
  Desk a, b;
  a.ask();
  talk(a, "a", b, "b");
  a.now_ms = question_wait_ms - 1;
  a.relay.tick({"b"});
  CHECK(a.heard.empty());
  a.now_ms = question_wait_ms;
  a.relay.tick({"b"});
  CHECK(a.why() == NoAnswer::late);
  REQUIRE(a.taken.size() == 1);
  talk(a, "a", b, "b");
  b.to_answer.at(0).second("late");
  CHECK(b.answers.empty());
  CHECK(b.relay.answer_bytes() == nothing);
  // An answer that was under way finds nobody.
  a.relay.answered("b", 1, std::string("\x01\x04\0\0\0\0\0\0\0late", 13));
  CHECK(a.heard.size() == 1);
  // Whoever answers gives it up by himself, too.
  b.relay.asked("a", 99, "what?");
  b.links["a"] = Sent::full;
  b.to_answer.back().second("that");
  CHECK(b.relay.answer_bytes().first == 4);
  b.now_ms = question_wait_ms;
  b.relay.tick({});
  CHECK(b.relay.answer_bytes() == nothing);
}

TEST_CASE("question relay: an answer for a peer that was started anew meanwhile is nobody's") {
  Desk b;
  b.relay.asked("a", 1, "before");
  b.relay.lost("a");
  b.relay.asked("a", 1, "after");
  REQUIRE(b.to_answer.size() == 2);
  b.to_answer[0].second("old");
  CHECK(b.answers.empty());
  b.to_answer[1].second("new");
  REQUIRE(b.answers.size() == 1);
  CHECK(b.answers[0].bytes.ends_with("new"));
}

TEST_CASE("question relay: as many as may wait do, one more is told so") {
  Desk a;
  for (std::size_t i = 0; i < questions_max; ++i) a.ask();
  CHECK(a.heard.empty());
  a.ask();
  CHECK(a.why() == NoAnswer::overloaded);
  Desk bytes;
  const std::size_t fit = questions_bytes_max / question_bytes_max;
  for (std::size_t i = 0; i < fit; ++i) bytes.ask(std::string(question_bytes_max, 'q'));
  CHECK(bytes.heard.empty());
  bytes.ask("q");
  CHECK(bytes.why() == NoAnswer::overloaded);
  Desk again({"b"});
  for (std::size_t i = 0; i <= fit; ++i) {
    again.ask(std::string(question_bytes_max, 'q'));
    again.relay.lost("b");
  }
  CHECK(again.why() == NoAnswer::lost);  // those that ended count no more
  Desk one;
  one.ask(std::string(question_bytes_max + 1, 'q'));
  CHECK(one.why() == NoAnswer::overloaded);
}

TEST_CASE("question relay: as many of a peer as may be are answered, one more is refused") {
  Desk b;
  for (std::size_t i = 0; i < questions_per_peer_max; ++i) b.relay.asked("a", i, "what?");
  CHECK(b.answers.empty());
  b.relay.asked("a", questions_per_peer_max, "what?");
  CHECK(b.answers.size() == 1);
  CHECK(b.to_answer.size() == questions_per_peer_max);
  b.relay.asked("x", 1, "what?");
  CHECK(b.to_answer.size() == questions_per_peer_max + 1);
  b.relay.asked("x", 2, std::string(question_bytes_max + 1, 'q'));
  CHECK(b.to_answer.size() == questions_per_peer_max + 1);
  CHECK(b.answers.size() == 2);
}

TEST_CASE("question relay: the end answers all, and what comes later") {
  Desk a;
  a.ask();
  a.relay.asked("c", 1, "what?");
  a.relay.stop();
  CHECK(a.why() == NoAnswer::ending);
  a.ask();
  CHECK(a.heard.size() == 2);
  CHECK(a.why() == NoAnswer::ending);
  a.to_answer.at(0).second("that");
  CHECK(a.answers.empty());
  a.relay.asked("c", 2, "what?");
  CHECK(a.to_answer.size() == 1);
}

TEST_CASE(
    "question relay: whatever bytes a peer sends, a question is answered once, and costs little") {
  const auto seed = std::random_device{}();
  CAPTURE(seed);
  std::mt19937 chance(seed);
  const std::string answer = text_of(answer_ahead_bytes_max + 5);
  for (int round = 0; round < 2'000; ++round) {
    Desk a({"b"});
    a.ask();
    a.relay.asked("b", 7, "what?");
    a.to_answer.at(0).second(std::string(answer));
    for (int i = 0; i < 8; ++i) {
      std::string bytes(chance() % 14, '\0');
      for (char& c : bytes) c = static_cast<char>(chance() % 4 == 0 ? chance() : chance() % 3);
      a.relay.answered("b", 1, bytes);
      a.relay.taken("b", 7, std::string_view(bytes).substr(0, chance() % 5));
    }
    CHECK(a.heard.size() <= 1);
    a.relay.lost("b");
    CHECK(a.heard.size() == 1);
    CHECK(a.relay.answer_bytes() == nothing);
  }
}

TEST_CASE("question relay: a part that does not follow the one before is no answer") {
  using namespace std::string_literals;
  const auto part = [](char total, char before, const std::string& bytes) {
    return std::string{1, total, 0, 0, 0, before, 0, 0, 0} + bytes;
  };
  const std::vector<std::vector<std::string>> wrong = {
      {part(4, 1, "abc")},                    // not from the beginning
      {part(4, 0, "ab"), part(4, 0, "ab")},   // twice
      {part(4, 0, "ab"), part(5, 2, "abc")},  // another length
      {part(2, 0, "abc")},                    // longer than it
      {part(0, 0, "")},                       // none
      {part(4, 0, "")},
      {"\x01\xff\xff\xff\xff\0\0\0\0a"s},  // beyond the limit
      {"\x01\x04"s},
      {""s},
      {"\x09"s}};
  for (const auto& frames : wrong) {
    Desk a;
    a.ask();
    for (const auto& frame : frames) a.relay.answered("b", 1, frame);
    CHECK(a.why() == NoAnswer::unreadable);
    CHECK(a.relay.answer_bytes() == nothing);
    // Whoever sent it sends no more.
    CHECK(a.taken.back().bytes == "\xff\xff\xff\xff");
  }
  Desk a;
  a.ask();
  a.relay.answered("b", 1, part(4, 0, "ab"));
  a.relay.answered("c", 1, part(4, 2, "xx"));  // whom nobody asked
  a.relay.answered("b", 1, part(4, 2, "cd"));
  REQUIRE(a.heard.size() == 1);
  CHECK(*a.heard[0] == "abcd");
}

}  // namespace souk::cluster_node_test
