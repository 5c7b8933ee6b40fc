#include "projections/integration/publisher.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "events/cloud_event.h"
#include "events/event_json.h"
#include "projections/runner/reader_thread.h"

namespace souk {
namespace {

std::size_t index(IntegrationTopic topic) { return static_cast<std::size_t>(topic); }

}  // namespace

Publisher::Publisher(LogSource source, TopicWriter& writer, PublisherOptions options)
    : source_(source),
      writer_(writer),
      options_(std::move(options)),
      shards_(source_.recent.shards()),
      shards_shown_(shards_.size()) {
  for (const auto topic : integration_topics) {
    topics_[index(topic)].faults =
        std::make_unique<FaultLog>("an integration topic is not written");
    shown_.topics[index(topic)].topic = topic;
  }
}

Publisher::~Publisher() { stop(); }

void Publisher::start() {
  thread_ = std::thread([this] {
    begin_thread("read", "integration");
    run();
  });
}

void Publisher::stop() {
  stopping_ = true;
  if (thread_.joinable()) thread_.join();
}

void Publisher::run() {
  using std::chrono::milliseconds;
  for (bool got_on = true; !stopping_;) got_on = step(got_on ? milliseconds(0) : options_.idle);
  // What is on its way is waited for, so that the next owner finds it there.
  const auto until = options_.now() + options_.end_patience;
  while (records_under_way_ > 0 && options_.now() < until) writer_.poll(options_.idle, *this);
  noted_at_ = {};
  note(options_.now());
}

bool Publisher::step(std::chrono::milliseconds patience) {
  const Time now = options_.now();
  got_on_ = full_ = false;
  if (now - owned_at_ >= options_.owned_every) look_who_owns(now);
  bool read_some = locate(now);
  for (std::size_t i = 0; i < shards_.size() && now >= journal_retry_at_ && !full_; ++i) {
    const auto number = static_cast<std::uint16_t>((first_shard_ + i) % shards_.size());
    if (shards_[number].owned) read_some = read(number, now) || read_some;
    if (full_) first_shard_ = number;
  }
  // Where it is full there is nothing to do before a report.
  const auto busy = std::chrono::milliseconds(0);
  writer_.poll(full_ ? options_.idle : read_some ? busy : patience, *this);
  for (const auto topic : integration_topics)
    if (topics_[index(topic)].failing) begin_anew(topic, now);
  note(now);
  show(now);
  return read_some || got_on_;
}

// ---- who owns, and where it goes on ----

void Publisher::look_who_owns(Time now) {
  owned_at_ = now;
  const std::vector<bool> owned = options_.owned();
  for (std::size_t s = 0; s < shards_.size(); ++s) {
    Shard& shard = shards_[s];
    if (shard.owned == owned[s]) continue;
    shard.owned = owned[s];
    // Others may have published since: it is asked for again.
    for (Part& part : shard.parts) part.located = false;
  }
}

bool Publisher::locate(Time now) {
  bool any = false;
  for (const auto topic : integration_topics)
    if (!stopping_ && now >= topics_[index(topic)].retry_at) any = locate(topic, now) || any;
  return any;
}

bool Publisher::locate(IntegrationTopic topic, Time now) {
  std::vector<ShardId> wanted;
  for (std::uint16_t s = 0; s < shards_.size(); ++s)
    if (shards_[s].owned && !shards_[s].parts[index(topic)].located) wanted.push_back({s});
  if (wanted.empty()) return false;
  const auto places = writer_.places(topic, wanted);
  if (!places.ok()) {
    rest(topic, places.error(), now);
    return false;
  }
  Topic& state = topics_[index(topic)];
  std::optional<Fault> beyond;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const Seq end = source_.recent.last_seq(wanted[i]);
    if ((*places)[i] > end)
      beyond =
          Fault{Fault::Kind::mismatch,
                fmt::format("shard {}: the topic {} is at position {}, and the log ends at {}: "
                            "it belongs to another log of this name. Delete the topic, and make "
                            "it with: souk cluster init --integration",
                            wanted[i].value, name_of(topic), (*places)[i], end)};
    else
      go_on_from(shards_[wanted[i].value], topic, (*places)[i]);
  }
  if (!beyond) {
    state.beyond_since = {};
  } else if (state.beyond_since == Time{} || now - state.beyond_since < options_.beyond_patience) {
    if (state.beyond_since == Time{}) state.beyond_since = now;
    state.retry_at = now + options_.owned_every;
  } else {
    rest(topic, *beyond, now);
  }
  return true;
}

/// The journal is read from there again, where it was read beyond it.
void Publisher::go_on_from(Shard& shard, IntegrationTopic topic, Seq place) {
  const bool none = std::ranges::none_of(shard.parts, &Part::located);
  Part& part = shard.parts[index(topic)];
  part.located = true;
  part.sent = part.noted = place;
  if (!none && place >= shard.at.seq) return;
  shard.at = joined_before(place + 1);
}

void Publisher::rest(IntegrationTopic topic, const Fault& why, Time now) {
  Topic& state = topics_[index(topic)];
  state.rest = std::clamp(2 * state.rest, options_.retry_after, options_.retry_after_max);
  state.retry_at = now + state.rest;
  say(topic, why);
}

void Publisher::say(IntegrationTopic topic, const Fault& why) {
  Topic& state = topics_[index(topic)];
  state.faults->failed(fmt::format("topic={} what=\"{}\"", name_of(topic), one_line(why.what)));
  state.well = false;
  const std::lock_guard lock(mutex_);
  shown_.topics[index(topic)].trouble = why.what;
}

void Publisher::is_well(IntegrationTopic topic) {
  Topic& state = topics_[index(topic)];
  if (std::exchange(state.well, true)) return;
  state.rest = {};
  state.faults->passed();
  const std::lock_guard lock(mutex_);
  shown_.topics[index(topic)].trouble.clear();
}

// ---- the journal ----

bool Publisher::read(std::uint16_t number, Time now) {
  Shard& shard = shards_[number];
  if (std::ranges::none_of(shard.parts, &Part::located)) return false;
  const Seq end = source_.recent.last_seq({number});
  if (shard.at.seq >= end) return false;
  const Seq before = shard.at.seq;
  const auto status =
      fold_log(source_.journal, {number}, shard.at,
               [&](const BatchHeader& header,
                   const std::vector<Transaction>& transactions) -> Result<Visited, Fault> {
                 if (header.last_seq() > end) return Visited::stop_before;
                 auto visited = visit(number, header, transactions);
                 if (!visited.ok() || *visited != Visited::go_on) return visited;
                 const bool on = !stopping_ && header.last_seq() < end &&
                                 header.last_seq() < before + options_.events_a_step;
                 return on ? Visited::go_on : Visited::stop;
               });
  if (!status.ok()) {
    journal_fails_.failed(fmt::format("what=\"{}\"", one_line(status.error().what)));
    journal_retry_at_ = now + options_.retry_after;
    return false;
  }
  journal_fails_.passed();
  return shard.at.seq > before;
}

Result<Visited, Fault> Publisher::visit(std::uint16_t number, const BatchHeader& header,
                                        const std::vector<Transaction>& transactions) {
  Shard& shard = shards_[number];
  Seq seq = header.first_seq;
  for (const Transaction& transaction : transactions)
    for (const Event& event : transaction.events) {
      const Seq at = seq++;
      const auto topic = topic_of(event.payload);
      if (!topic) continue;
      Part& part = shard.parts[index(*topic)];
      if (!part.located || at <= part.sent) continue;
      if (!send(number, at, transaction.at, event, *topic)) return Visited::stop_before;
      part.sent = at;
    }
  for (Part& part : shard.parts)
    if (part.located) part.sent = std::max(part.sent, header.last_seq());
  return Visited::go_on;
}

bool Publisher::has_room(std::size_t bytes) const {
  if (records_under_way_ == 0) return true;
  return records_under_way_ < options_.records_under_way_max &&
         bytes_under_way_ + bytes <= options_.bytes_under_way_max;
}

bool Publisher::send(std::uint16_t number, Seq seq, UnixMs at, const Event& event,
                     IntegrationTopic topic) {
  value_.clear();
  append_cloud_event(
      value_, {.source = options_.source, .shard = {number}, .position = seq, .at = at}, event);
  full_ = !has_room(value_.size()) || writer_.send({.topic = topic,
                                                    .shard = {number},
                                                    .position = seq,
                                                    .key = entity_id_text(event.entity),
                                                    .value = value_}) == TopicWriter::Sent::full;
  if (full_) return false;
  shards_[number].parts[index(topic)].under_way.push_back({seq, value_.size()});
  Topic& state = topics_[index(topic)];
  if (state.under_way++ == 0) state.heard_at = options_.now();
  ++records_under_way_;
  bytes_under_way_ += value_.size();
  return true;
}

// ---- reports ----

void Publisher::written(IntegrationTopic topic, ShardId shard, Seq position) {
  got_on_ = true;
  auto& under_way = shards_[shard.value].parts[index(topic)].under_way;
  SOUK_ASSERT(!under_way.empty() && under_way.front().position == position);
  bytes_under_way_ -= under_way.front().bytes;
  --records_under_way_;
  under_way.pop_front();
  Topic& state = topics_[index(topic)];
  --state.under_way;
  state.heard_at = options_.now();
  ++state.published;
  is_well(topic);
}

void Publisher::failed(IntegrationTopic topic, const Fault& why) {
  topics_[index(topic)].failing = why;
}

/// What of it is there is for the topic to say.
void Publisher::begin_anew(IntegrationTopic topic, Time now) {
  rest(topic, *std::exchange(topics_[index(topic)].failing, std::nullopt), now);
  for (Shard& shard : shards_) {
    Part& part = shard.parts[index(topic)];
    part.located = false;
    part.sent = part.through();
    for (const UnderWay& one : part.under_way) bytes_under_way_ -= one.bytes;
    records_under_way_ -= part.under_way.size();
    part.under_way.clear();
  }
  topics_[index(topic)].under_way = 0;
  writer_.start_anew(topic);
}

void Publisher::note(Time now) {
  if (now - noted_at_ < options_.note_every) return;
  noted_at_ = now;
  const bool all = now - noted_again_at_ >= options_.note_again_every;
  if (all) noted_again_at_ = now;
  std::vector<TopicWriter::Note> notes;
  for (const auto topic : integration_topics)
    for (std::uint16_t s = 0; s < shards_.size(); ++s) {
      Part& part = shards_[s].parts[index(topic)];
      if (!shards_[s].owned || !part.located) continue;
      const Seq through = part.through();
      if (through == 0 || (through <= part.noted && !all)) continue;
      part.noted = std::max(part.noted, through);
      notes.push_back({topic, {s}, through});
    }
  writer_.note(notes);
}

void Publisher::judge(IntegrationTopic topic, Time now) {
  const Topic& state = topics_[index(topic)];
  if (state.under_way > 0 && now - state.heard_at >= options_.silent_after) {
    const auto silent = std::chrono::duration_cast<std::chrono::seconds>(now - state.heard_at);
    return say(topic, {Fault::Kind::unavailable,
                       fmt::format("the brokers have acknowledged nothing for {} s: they are away, "
                                   "or too few replicas are in sync (min.insync.replicas)",
                                   silent.count())});
  }
  for (std::uint16_t s = 0; s < shards_.size(); ++s) {
    const Part& part = shards_[s].parts[index(topic)];
    if (shards_[s].owned && (!part.located || part.through() < source_.recent.last_seq({s})))
      return;
  }
  is_well(topic);
}

void Publisher::show(Time now) {
  for (const auto topic : integration_topics) judge(topic, now);
  const std::lock_guard lock(mutex_);
  shown_.shards = 0;
  for (std::size_t s = 0; s < shards_.size(); ++s) {
    Shown& shown = shards_shown_[s];
    shown.owned = shards_[s].owned;
    shown_.shards += shown.owned ? 1 : 0;
    for (std::size_t t = 0; t < integration_topic_count; ++t) {
      shown.through[t] = shards_[s].parts[t].through();
      shown.located[t] = shards_[s].parts[t].located;
    }
  }
  for (std::size_t t = 0; t < integration_topic_count; ++t)
    shown_.topics[t].published = topics_[t].published;
}

PublisherStatus Publisher::status() const {
  const std::lock_guard lock(mutex_);
  PublisherStatus status = shown_;
  for (std::uint16_t s = 0; s < shards_shown_.size(); ++s) {
    const Shown& shown = shards_shown_[s];
    if (!shown.owned) continue;
    const Seq end = source_.recent.last_seq({s});
    for (std::size_t t = 0; t < integration_topic_count; ++t) {
      auto& topic = status.topics[t];
      // Of one that was just taken over nothing is known yet.
      if (shown.located[t] || !topic.trouble.empty())
        topic.lag_events += end > shown.through[t] ? end - shown.through[t] : 0;
    }
  }
  return status;
}

}  // namespace souk
