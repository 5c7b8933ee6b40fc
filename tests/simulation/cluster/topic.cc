#include "tests/simulation/cluster/topic.h"

#include <algorithm>
#include <utility>

#include "events/shared_log/shared_logs.h"

namespace souk::simulation {
namespace {

constexpr std::int64_t slow_ms_max = 1'500;
constexpr std::int64_t late_ms_max = 6'000;     // a record lands when nobody thinks of it any more
constexpr std::int64_t silent_ms_max = 30'000;  // message.timeout.ms
constexpr std::int64_t try_again_ms = 40;
constexpr std::size_t arrivals_max = 50;  // of a poll

}  // namespace

struct SimTopic::Session {
  struct Sent {
    std::uint64_t tag = 0;
    std::string bytes;
    std::int64_t at_ms = 0;
  };
  struct Line {
    std::deque<Sent> sent;
    bool pumping = false;
    std::int64_t reported_ms = 0;  // when the last report comes
    // Of lie().
    std::uint64_t reign = 0;
    Offset told = 0;
  };
  std::shared_ptr<const Road> road;
  bool dead = false;
  bool starting = false;
  bool woken = false;
  bool lies = false;
  std::map<std::uint16_t, Line> lines;
  std::deque<LogBroker::Report> reports;
  std::map<std::uint16_t, Offset> readings;
  std::map<std::uint16_t, Offset> visible;  // behind the last record that it can see
  std::set<std::uint16_t> looking;
};

SimTopic::SimTopic(World& world, std::uint32_t shards, std::uint64_t genesis)
    : world_(world), logs_(shards), standing_(shards), paused_until_ms_(shards) {
  for (std::uint16_t s = 0; s < shards; ++s) append(s, genesis::record({genesis}));
}

void SimTopic::calm_down() {
  faults = {};
  std::ranges::fill(paused_until_ms_, 0);
}

SimJournal::Records SimTopic::records() const {
  SimJournal::Records records;
  for (std::size_t s = 0; s < logs_.size(); ++s)
    for (std::size_t i = 0; i < logs_[s].size(); ++i)
      records[{static_cast<std::uint16_t>(s), i + 1}] = logs_[s][i];
  return records;
}

std::unique_ptr<SimTopic::Client> SimTopic::connect(std::shared_ptr<const Road> road) {
  auto session = std::make_shared<Session>();
  session->road = std::move(road);
  std::erase_if(sessions_, [](const auto& one) { return one.expired(); });
  sessions_.push_back(session);
  return std::make_unique<Client>(*this, std::move(session));
}

Offset SimTopic::append(std::uint16_t shard, std::string_view bytes) {
  logs_[shard].emplace_back(bytes);
  (void)standing_[shard].counts(bytes);
  for (const auto& weak : sessions_)
    if (const auto session = weak.lock(); session && session->readings.contains(shard))
      look_later(session, shard);
  return logs_[shard].size();
}

// ---- to produce ----

/// The records of one producer and shard land one behind the other.
void SimTopic::pump(const std::shared_ptr<Session>& session, std::uint16_t shard) {
  auto& line = session->lines[shard];
  if (line.pumping || line.sent.empty()) return;
  line.pumping = true;
  const std::int64_t delay_ms =
      world_.chance(faults.slow) ? world_.between(10, slow_ms_max) : world_.between(0, 3);
  world_.after(delay_ms, [this, session, shard] {
    session->lines[shard].pumping = false;
    land(session, shard);
    pump(session, shard);
  });
}

void SimTopic::land(const std::shared_ptr<Session>& session, std::uint16_t shard) {
  auto& line = session->lines[shard];
  if (line.sent.empty()) return;
  if (paused(shard) || !session->road->there) {
    line.pumping = true;
    world_.after(try_again_ms, [this, session, shard] {
      session->lines[shard].pumping = false;
      land(session, shard);
      pump(session, shard);
    });
    return;
  }
  const Session::Sent one = std::move(line.sent.front());
  line.sent.pop_front();
  const std::int64_t report_ms =
      world_.chance(faults.report_slow) ? world_.between(5, 2 * slow_ms_max) : world_.between(0, 3);
  const auto append_later = [this, shard, bytes = one.bytes](std::int64_t most_ms) {
    world_.after(world_.between(1, most_ms), [this, shard, bytes] { append(shard, bytes); });
  };
  if (world_.chance(faults.lost)) return report(session, shard, one.tag, 0, report_ms);
  if (world_.chance(faults.late)) {
    append_later(late_ms_max);
    return report(session, shard, one.tag, 0, report_ms);
  }
  const bool silent = world_.chance(faults.silent);
  if (silent && world_.chance(50))
    return report(session, shard, one.tag, 0, world_.between(1'000, silent_ms_max));
  const Offset offset = append(shard, one.bytes);
  if (world_.chance(faults.twice)) append_later(world_.chance(50) ? 5 : late_ms_max);
  if (silent) return report(session, shard, one.tag, 0, world_.between(1'000, silent_ms_max));
  if (world_.chance(faults.unknown)) return report(session, shard, one.tag, 0, report_ms);
  report(session, shard, one.tag, offset, report_ms);
}

void SimTopic::report(const std::shared_ptr<Session>& session, std::uint16_t shard,
                      std::uint64_t tag, Offset offset, std::int64_t delay_ms) {
  if (session->dead) return;
  auto& line = session->lines[shard];
  std::int64_t at_ms = world_.time_ms() + delay_ms;
  if (!world_.chance(faults.swapped)) at_ms = std::max(at_ms, line.reported_ms);
  if (offset != 0) line.reported_ms = std::max(at_ms, line.reported_ms);
  world_.after(at_ms - world_.time_ms(), [this, session, shard, tag, offset] {
    if (session->dead) return;
    if (!session->road->back || paused(shard))
      return report(session, shard, tag, offset, try_again_ms);
    session->reports.push_back({{shard}, tag, offset, offset == 0 ? "timed out" : ""});
  });
}

// ---- to consume ----

void SimTopic::look_later(const std::shared_ptr<Session>& session, std::uint16_t shard) {
  if (session->dead || !session->looking.insert(shard).second) return;
  const std::int64_t delay_ms =
      world_.chance(faults.seen_late) ? world_.between(5, slow_ms_max) : world_.between(0, 3);
  world_.after(delay_ms, [this, session, shard] {
    session->looking.erase(shard);
    look(session, shard);
  });
}

void SimTopic::look(const std::shared_ptr<Session>& session, std::uint16_t shard) {
  if (session->dead) return;
  if (session->road->back && session->road->there && !paused(shard)) {
    session->visible[shard] = logs_[shard].size() + 1;
    return;
  }
  session->looking.insert(shard);
  world_.after(try_again_ms, [this, session, shard] {
    session->looking.erase(shard);
    look(session, shard);
  });
}

// ---- a client ----

SimTopic::Client::Client(SimTopic& topic, std::shared_ptr<Session> session)
    : topic_(topic), session_(std::move(session)) {}

SimTopic::Client::~Client() {
  session_->dead = true;
  session_->readings.clear();
  for (auto& [shard, line] : session_->lines) {
    const std::size_t kept = topic_.world_.below(line.sent.size() + 1);
    line.sent.resize(kept);  // the socket has them
  }
}

bool SimTopic::Client::has_news() const {
  if (session_->woken || !session_->reports.empty()) return true;
  for (const auto& [shard, from] : session_->readings) {
    const auto visible = session_->visible.find(shard);
    if (visible != session_->visible.end() && from < visible->second) return true;
  }
  return false;
}

void SimTopic::Client::start(bool starting) { session_->starting = starting; }
void SimTopic::Client::lie() { session_->lies = true; }
void SimTopic::Client::wake() { session_->woken = true; }

void SimTopic::Client::produce(ShardId shard, std::uint64_t tag, std::string_view bytes) {
  session_->lines[shard.value].sent.push_back({tag, std::string(bytes), topic_.world_.time_ms()});
  topic_.pump(session_, shard.value);
}

void SimTopic::Client::read(ShardId shard, Offset from) {
  session_->readings[shard.value] = from;
  session_->visible.erase(shard.value);
  topic_.look_later(session_, shard.value);
}

void SimTopic::Client::stop_reading(ShardId shard) { session_->readings.erase(shard.value); }

void SimTopic::Client::poll(std::chrono::milliseconds, Listener& listener) {
  Session& session = *session_;
  session.woken = false;
  while (!session.reports.empty()) {
    LogBroker::Report one = session.reports.front();
    session.reports.pop_front();
    if (session.lies && one.offset != 0) {
      auto& line = session.lines[one.shard.value];
      constexpr int tag_record_bits = 40;  // events/shared_log/shared_log.cc
      const std::uint64_t reign = one.tag >> tag_record_bits;
      const std::uint64_t record = one.tag & ((std::uint64_t{1} << tag_record_bits) - 1);
      if (record == 0 || reign != line.reign)
        line.reign = reign;
      else
        one.offset = line.told + 1;
      line.told = one.offset;
    }
    listener.reported(one);
  }
  std::size_t left = arrivals_max;
  for (const auto& [shard, wanted] : std::map(session.readings)) {
    const auto& log = topic_.logs_[shard];
    if (session.starting && session.road->back && session.road->there && !topic_.paused(shard))
      session.visible[shard] = log.size() + 1;
    if (wanted > log.size() + 1) {
      session.readings.erase(shard);
      listener.reading_failed({shard}, {Fault::Kind::corrupt, "offset out of range"});
      continue;
    }
    while (left > 0) {
      const auto reading = session.readings.find(shard);
      const auto visible = session.visible.find(shard);
      if (reading == session.readings.end() || visible == session.visible.end() ||
          reading->second >= visible->second)
        break;
      --left;
      const Offset offset = reading->second++;
      listener.arrived({shard}, offset, log[offset - 1]);
    }
  }
}

Result<std::vector<Offset>, Fault> SimTopic::Client::ends() {
  std::vector<Offset> ends;
  for (std::uint16_t s = 0; s < topic_.shards(); ++s) {
    if (topic_.paused(s) || !session_->road->back || !session_->road->there)
      return Fault{Fault::Kind::unavailable, "no broker answers"};
    ends.push_back(topic_.logs_[s].size() + 1);
  }
  return ends;
}

}  // namespace souk::simulation
