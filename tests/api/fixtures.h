#pragma once
/// What the tests of the API share: an engine that only notes what it is asked, a vault without a
/// disk, a server without sockets, and a reader of JSON.
#include <simdjson.h>

#include <condition_variable>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "actors/shard/envelope.h"
#include "gateway/api/commands/presenter.h"
#include "gateway/api/edge/service.h"
#include "gateway/api/edge/text.h"

namespace souk::test {

/// Notes requests; answers when told to.
class FakeEngine final : public Engine {
 public:
  std::uint16_t add_sink(ReplySink& sink) override {
    sinks_.push_back(&sink);
    return static_cast<std::uint16_t>(sinks_.size() - 1);
  }
  void submit(std::vector<Request>&& requests) override {
    ++submits;
    for (auto& r : requests) asked.push_back(std::move(r));
  }
  void payment_answered(const PaymentAnswer&) override {}
  void deliver(std::uint16_t sink, std::vector<Reply>&& replies) override {
    sinks_.at(sink)->deliver(std::move(replies));
  }
  void assign(std::vector<Assignment>&&) override {}
  void input(std::vector<Envelope>&&) override {}
  void be_driven(std::function<void()>) override {}
  void take_turns() override {}
  void run() override {}
  void stop() override {}
  const EngineCounters& counters() const override { return counters_; }
  std::string trouble() const override { return in_trouble; }
  std::uint32_t shards() const override { return 64; }

  /// Answers request `index` with `reply`; its ticket is filled in.
  void answer(std::size_t index, Reply reply) {
    reply.ticket = asked[index].reply_to.ticket;
    std::vector<Reply> replies;
    replies.push_back(std::move(reply));
    sinks_[asked[index].reply_to.sink]->deliver(std::move(replies));
  }
  template <class Command>
  const Command& command(std::size_t index) const {
    return std::get<Command>(asked.at(index).op);
  }

  std::vector<Request> asked;
  std::size_t submits = 0;
  std::string in_trouble;
  EngineCounters counters_;

 private:
  std::vector<ReplySink*> sinks_;
};

/// Keeps its keys in memory; "seals" by naming the person in front. Not secret, but each promise of
/// the port that the edge relies on holds: no key no seal, another person's bytes are corrupt, a
/// destroyed key opens to nothing.
class MemoryVault final : public Vault {
 public:
  Status ensure(const std::vector<PersonId>& persons) override {
    const std::lock_guard lock(mutex_);
    ++ensures;
    if (fail) return Fault{Fault::Kind::full, "no room"};
    for (const auto& p : persons)
      if (!destroyed_.contains(p)) keys_.insert(p);
    return Done{};
  }
  Result<Sealed, Fault> seal(const PersonId& person, std::string_view plain) override {
    const std::lock_guard lock(mutex_);
    if (!keys_.contains(person)) return Fault{Fault::Kind::unavailable, "no key"};
    return Sealed{"{" + person.text() + "}" + std::string(plain)};
  }
  Result<std::optional<std::string>, Fault> open(const PersonId& person,
                                                 const Sealed& sealed) override {
    const std::lock_guard lock(mutex_);
    if (destroyed_.contains(person)) return std::optional<std::string>{};
    const auto prefix = "{" + person.text() + "}";
    if (!sealed.bytes.starts_with(prefix))
      return Fault{Fault::Kind::corrupt, "not sealed for them"};
    return std::optional<std::string>{sealed.bytes.substr(prefix.size())};
  }
  Status settle(const PersonId& person, KeyVerdict verdict) override {
    const std::lock_guard lock(mutex_);
    settled.emplace_back(person, verdict);
    return Done{};
  }
  std::vector<PersonId> unsettled() override { return left_over; }
  bool has_key(const PersonId& person) {
    const std::lock_guard lock(mutex_);
    return keys_.contains(person);
  }
  Status destroy(const std::vector<PersonId>& persons) override {
    const std::lock_guard lock(mutex_);
    for (const auto& person : persons) {
      keys_.erase(person);
      destroyed_.insert(person);
    }
    return Done{};
  }
  std::uint64_t keyed_hash(std::string_view bytes) const override {
    return stable_hash("secret" + std::string(bytes)) | 1;
  }
  Id128 keyed_hash128(std::string_view purpose, std::string_view bytes) const override {
    const auto text = std::to_string(purpose.size()) + std::string(purpose) + std::string(bytes);
    const std::uint64_t halves[2] = {stable_hash("a" + text), stable_hash("b" + text)};
    Id128 id;
    std::memcpy(id.bytes.data(), halves, 16);
    return id;
  }

  bool fail = false;
  std::size_t ensures = 0;
  std::vector<std::pair<PersonId, KeyVerdict>> settled;
  std::vector<PersonId> left_over;

 private:
  std::mutex mutex_;
  std::set<PersonId> keys_, destroyed_;
};

class FakePayments final : public PaymentProvider {
 public:
  void start(Answer) override {}
  void stop() override {}
  void call(std::vector<PaymentCall>) override {}
  Result<std::optional<PaymentRecord>, Fault> record(OrderId order) override {
    if (fail) return Fault{Fault::Kind::unavailable, "gone"};
    const auto found = records.find(order);
    if (found == records.end()) return std::optional<PaymentRecord>{};
    return std::optional<PaymentRecord>{found->second};
  }
  std::map<OrderId, PaymentRecord> records;
  bool fail = false;
};

/// Counts up: every id is another one.
class CountingRandomness final : public Randomness {
 public:
  void fill(void* bytes, std::size_t count) override {
    auto* out = static_cast<unsigned char*>(bytes);
    for (std::size_t i = 0; i < count; ++i)
      out[i] = static_cast<unsigned char>(stable_hash(std::to_string(++n_)));
  }

 private:
  std::uint64_t n_ = 0;
};

/// Remembers the answers; wake-ups are counted and waited for.
class FakeServer final : public HttpServer {
 public:
  std::string address() const override { return "127.0.0.1:0"; }
  void run() override {}
  void drain(int) override {}
  void wake() override {
    {
      const std::lock_guard lock(mutex_);
      ++wakes_;
    }
    woken_.notify_all();
  }
  void respond(ExchangeId exchange, HttpResponse&& response) override {
    answers[exchange.slot] = std::move(response);
  }
  /// As the other kind of answer, and its header lines beside it.
  void respond(ExchangeId exchange, const ReadyResponse& response) override {
    HttpResponse& answer = answers[exchange.slot] = {};
    answer.status = response.status;
    answer.body = response.body;
    fields[exchange.slot] = response.fields;
    const auto etag = response.fields.find("ETag: \"");
    if (etag != std::string_view::npos)
      answer.etag = std::strtoull(response.fields.data() + etag + 7, nullptr, 10);
    const auto position = response.fields.find("Souk-Position: ");
    const auto rest = response.fields.substr(position + 15);
    answer.position = rest.substr(0, rest.find("\r\n"));
  }
  bool waiting(ExchangeId exchange) const override { return !gone.contains(exchange.slot); }
  HttpStats stats() const override { return counted; }

  /// Waits for a wake-up that was not taken yet.
  bool take_wake() {
    std::unique_lock lock(mutex_);
    return woken_.wait_for(lock, std::chrono::seconds(10), [this] {
      if (wakes_ == taken_) return false;
      taken_ = wakes_;
      return true;
    });
  }
  bool has_wake() {
    const std::lock_guard lock(mutex_);
    return wakes_ != taken_;
  }
  std::map<std::uint32_t, HttpResponse> answers;
  std::map<std::uint32_t, std::string> fields;  // of ready answers
  std::set<std::uint32_t> gone;
  HttpStats counted;

 private:
  std::mutex mutex_;
  std::condition_variable woken_;
  std::size_t wakes_ = 0, taken_ = 0;
};

struct Headers {
  std::optional<std::string> key = {}, if_match = {}, content_type = {}, min_position = {};
  std::string prefer = {}, if_none_match = {}, accept = {}, accept_encoding = {};
};

/// A log in memory, empty until a test writes.
class MemoryLog final : public Journal {
 public:
  explicit MemoryLog(RecentLog& recent) : recent_(recent) {}
  /// One transaction. Returns the position of its last event.
  std::string append(ShardId shard, std::vector<Event> events, UnixMs at = {1'700'000'000'000}) {
    Transaction t;
    t.at = at;
    t.events = std::move(events);
    const std::lock_guard lock(mutex_);
    auto& records = shards_[shard];
    BatchHeader header;
    header.epoch = 1;
    header.first_seq = records.empty() ? 1 : records.back().last_seq + 1;
    header.chain = records.empty() ? 0 : records.back().chain;
    header.at = at;
    std::string bytes = encode_batch(header, {t});
    const Batch batch{.shard = shard,
                      .first_seq = header.first_seq,
                      .last_seq = header.last_seq(),
                      .epoch = 1,
                      .chain = header.chain,
                      .bytes = std::move(bytes)};
    records.push_back(batch);
    recent_.committed({batch});
    return position_text(shard, header.last_seq());
  }
  Status read(ShardId shard, Offset from, const Visit& visit) override {
    const std::lock_guard lock(mutex_);
    for (const auto& batch : shards_[shard])  // each stands under its first event
      if (batch.first_seq >= from && !visit(batch.first_seq, batch.bytes)) break;
    return Done{};
  }
  Status scan(ShardId shard, Seq from, const Visit& visit) override {
    const std::lock_guard lock(mutex_);
    for (const auto& batch : shards_[shard])
      if (batch.last_seq >= from && !visit(batch.first_seq, batch.bytes)) break;
    return Done{};
  }

 private:
  RecentLog& recent_;
  std::mutex mutex_;
  std::map<ShardId, std::vector<Batch>> shards_;
};

inline Reply reply_of(ReplyCode code, EntityKey entity = {}, Version version = 1,
                      std::string body = "{}") {
  Reply reply;
  reply.code = code;
  reply.entity = entity;
  reply.version = version;
  reply.shard = ShardId{7};
  reply.seq = 42;
  reply.body.json = std::move(body);
  return reply;
}

/// An Api with everything around it; no read models unless they are asked for.
struct Edge {
  FakeEngine engine;
  MemoryVault vault;
  FakePayments payments;
  CountingRandomness randomness;
  FakeServer server;
  RecentLog recent{64, 1'000'000};
  MemoryLog log{recent};
  ProjectionSet projections;
  ReadSide read_side{projections, {log, recent}, *Currency::parse("GBP")};
  Freshness freshness{64};
  ApiCommon common;
  Api api;
  std::uint32_t next_exchange = 0;

  explicit Edge(ApiOptions options = {.version = "test", .recovery = {}},
                std::vector<ProjectionKind> kinds = {},
                const std::filesystem::path& folder = "nowhere")
      : projections(std::move(kinds), folder, {log, recent}),
        common(engine, vault, payments, randomness, read_side, freshness, std::move(options)),
        api(common) {}
  ~Edge() { common.stop(); }

  /// Sends one request and ends the poll. Returns its exchange.
  std::uint32_t send(HttpMethod method, const std::string& target, const std::string& body = {},
                     const Headers& headers = {}) {
    HttpRequest request;
    std::string padded = body;
    padded.append(64, '\0');
    request.method = method;
    request.target = target;
    request.body = std::string_view(padded).substr(0, body.size());
    request.prefer = headers.prefer;
    request.if_none_match = headers.if_none_match;
    request.has_if_none_match = !headers.if_none_match.empty();
    request.accept = headers.accept;
    request.accept_encoding = headers.accept_encoding;
    const auto set = [](const std::optional<std::string>& value, std::string_view& view,
                        bool& has) {
      has = value.has_value();
      if (value) view = *value;
    };
    set(headers.key, request.idempotency_key, request.has_idempotency_key);
    set(headers.if_match, request.if_match, request.has_if_match);
    set(headers.content_type, request.content_type, request.has_content_type);
    set(headers.min_position, request.souk_min_position, request.has_min_position);
    const ExchangeId exchange{next_exchange++, 1};
    api.on_request(server, exchange, request);
    api.on_poll_end(server);
    return exchange.slot;
  }
  /// As the server does it when somebody woke it.
  void wake() {
    if (server.take_wake()) api.on_wake(server);
  }
  /// The shards admit these requests; what was sealed for them is asked next.
  void admit(std::initializer_list<std::size_t> asked) {
    for (const auto index : asked) engine.answer(index, reply_of(ReplyCode::admitted));
    wake();
    wake();
  }
  bool answered(std::uint32_t exchange) const { return server.answers.contains(exchange); }
  const HttpResponse& answer(std::uint32_t exchange) { return server.answers.at(exchange); }
};

/// One JSON document, for looking into.
class Json {
 public:
  explicit Json(const std::string& text) : text_(text) {
    good_ = parser_->parse(text_).get(root_) == simdjson::SUCCESS;
  }
  bool good() const { return good_; }
  simdjson::dom::element at(std::string_view pointer) const {
    return root_.at_pointer(pointer).value();
  }
  std::string text(std::string_view pointer) const {
    return std::string(std::string_view(at(pointer).get_string().value()));
  }
  std::int64_t number(std::string_view pointer) const { return at(pointer).get_int64().value(); }
  bool has(std::string_view pointer) const {
    return root_.at_pointer(pointer).error() == simdjson::SUCCESS;
  }

 private:
  std::string text_;
  std::unique_ptr<simdjson::dom::parser> parser_ = std::make_unique<simdjson::dom::parser>();
  simdjson::dom::element root_;
  bool good_ = false;
};

inline CartId some_cart() {
  Id128 id;
  id.bytes[1] = 5;
  id.bytes[15] = 9;
  return {id};
}
inline OrderId some_order() { return {some_cart().raw}; }
inline UserId some_user() {
  Id128 id;
  id.bytes[1] = 33;
  id.bytes[15] = 1;
  return {id};
}

}  // namespace souk::test
