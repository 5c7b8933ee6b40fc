#include "cluster/keys/key_exchange.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <random>

#include "events/fault_log.h"

namespace souk::cluster {

namespace {

FaultLog frames_bad("keys: a frame of a peer cannot be read", FaultLog::Severity::error);
FaultLog exchange_fails("keys: cannot exchange with a peer");
FaultLog secrets_differ("keys: a peer has another secret", FaultLog::Severity::error);

void failed(const std::string& node, const Fault& fault) {
  exchange_fails.failed(fmt::format("node={} fault=\"{}\"", node, one_line(fault.what)));
}

std::uint64_t anywhere() {
  std::random_device random;
  return static_cast<std::uint64_t>(random()) << 32 | random();
}

}  // namespace

KeyExchange::KeyExchange(SharedKeys& keys, KeyPeers& peers, KeyNews& news,
                         const KeyExchangeLimits& limits, SharedKeys::Copies copies)
    : keys_(keys),
      peers_(peers),
      news_(news),
      limits_(limits),
      copies_(copies),
      next_number_(anywhere()) {}

void KeyExchange::up(const std::string& node) {
  down(node);
  auto& entry = *up_.try_emplace(node).first;
  if (introduce(entry)) send_summary(entry);
}

void KeyExchange::down(const std::string& node) {
  if (up_.erase(node) > 0) news_.ready(node, false);
}

/// Before anything is said to a node it stands among those who must confirm what is erased.
bool KeyExchange::introduce(Entry& to) {
  auto& [node, peer] = to;
  if (peer.known) return true;
  const auto added = keys_.add_node(node);
  if (!added) failed(node, added.error());
  peer.known = added.ok();
  return peer.known;
}

void KeyExchange::tick(std::int64_t now_ms) {
  now_ms_ = now_ms;
  for (auto& entry : up_) {
    auto& [node, peer] = entry;
    if (!introduce(entry)) continue;
    const auto since = peer.summary_ms ? now_ms - *peer.summary_ms : limits_.summary_ms;
    if (since >= limits_.summary_ms || (peer.owed && since >= limits_.summary_pause_ms))
      send_summary(entry);
    if (peer.refused) continue;
    peer.pull_bytes = 0;
    pull(entry);
    std::vector<PersonId> again;
    for (auto at = peer.unacked.begin(); at != peer.unacked.end();) {
      if (now_ms - at->second.sent_ms < limits_.resend_ms) {
        ++at;
        continue;
      }
      again.insert(again.end(), at->second.persons.begin(), at->second.persons.end());
      peer.unacked_persons -= at->second.persons.size();
      at = peer.unacked.erase(at);
    }
    if (!again.empty()) push_to(entry, again);
    // Those that there was no room for.
    if (peer.is_ready && peer.unacked.empty() && now_ms - peer.repushed_ms >= limits_.resend_ms) {
      peer.repushed_ms = now_ms;
      push_to(entry, keys_.uncopied());
    }
  }
}

void KeyExchange::received(const std::string& node, std::string_view bytes) {
  const auto at = up_.find(node);
  if (at == up_.end() || !introduce(*at)) return;
  const auto frame = bytes.size() > key_frame_bytes_max
                         ? Result<KeyFrame, Fault>(Fault{Fault::Kind::corrupt, "too large"})
                         : decode_key_frame(bytes);
  if (!frame) {
    frames_bad.failed(fmt::format("node={} fault=\"{}\"", node, one_line(frame.error().what)));
    return;
  }
  if (at->second.refused && !std::holds_alternative<KeySummary>(*frame)) return;
  at->second.pull_bytes += bytes.size();
  std::visit([&](const auto& f) { on(*at, f); }, *frame);
}

// ---- pulling ----

void KeyExchange::send_summary(Entry& to) {
  auto& [node, peer] = to;
  if (!peers_.send(node, encode(KeySummary{keys_.secret_check(), keys_.digests()}))) return;
  peer.summary_ms = now_ms_;
  peer.owed = false;
}

void KeyExchange::on(Entry& from, const KeySummary& summary) {
  auto& [node, peer] = from;
  peer.refused = summary.secret_check != keys_.secret_check();
  if (peer.refused) {
    secrets_differ.failed(fmt::format("node={} advice=\"give both the same secret_file\"", node));
    return;
  }
  const auto equal = keys_.confirm_equal(node, summary.digests);
  if (!equal) {
    failed(node, equal.error());
    peer.owed = true;
    return;
  }
  equal_once_ |= *equal;
  if (copies_ == SharedKeys::Copies::wanted && equal_once_.all() && !keys_.all_copied()) {
    if (const auto set = keys_.set_all_copied(); !set) failed(node, set.error());
  }
  const auto mine = keys_.digests();
  peer.todo.clear();
  peer.after.clear();
  peer.wanted.reset();
  for (const auto what : {KeyClass::destroyed, KeyClass::present}) {
    const auto which = static_cast<std::size_t>(what);
    for (std::size_t i = 0; i < key_buckets; ++i)
      if (mine.sums[which][i] != summary.digests.sums[which][i])
        peer.todo.emplace_back(what, static_cast<std::uint8_t>(i));
  }
  peer.heard = true;
  pull(from);
}

bool KeyExchange::has_tombstones(const Peer& peer) const {
  return peer.heard && (peer.todo.empty() || peer.todo.front().first == KeyClass::present);
}

void KeyExchange::say_ready(Entry& to) {
  auto& [node, peer] = to;
  if (!peer.said_ready && has_tombstones(peer))
    peer.said_ready = peers_.send(node, encode(KeyReady{}));
}

/// Asks for the next part, where none is on its way.
void KeyExchange::pull(Entry& from) {
  auto& [node, peer] = from;
  say_ready(from);
  if (peer.wanted && now_ms_ - peer.wanted_ms < limits_.resend_ms) return;
  peer.wanted.reset();
  if (peer.todo.empty()) {
    // So that the peer knows what has arrived.
    peer.owed = peer.owed || peer.pulled;
    peer.pulled = false;
    return;
  }
  if (peer.pull_bytes >= limits_.pull_bytes_per_tick) return;
  KeyRange range{peer.todo.front().first, peer.todo.front().second, peer.after, {}};
  auto prints = keys_.prints(range, prints_per_frame_max);
  if (!prints) {
    failed(node, prints.error());
    return;
  }
  range.to = prints->to;
  auto bytes = encode(KeyWant{range, std::move(prints->prints)});
  peer.pull_bytes += bytes.size();
  if (!peers_.send(node, std::move(bytes))) return;
  peer.wanted = std::move(range);
  peer.wanted_ms = now_ms_;
}

void KeyExchange::on(Entry& from, const KeyWant& want) {
  auto& [node, peer] = from;
  auto page = keys_.page(want.range, want.without, record_bytes_per_frame);
  if (!page) {
    failed(node, page.error());
    return;
  }
  KeyHave have{want.range, std::move(page->records)};
  have.range.to = std::move(page->to);
  (void)peers_.send(node, encode(have));  // else it asks again
}

void KeyExchange::on(Entry& from, const KeyHave& have) {
  auto& peer = from.second;
  const auto merged = merge(from, have.records);
  if (!merged) return;
  peer.pulled = peer.pulled || merged->news > 0;
  if (!peer.wanted || peer.wanted->what != have.range.what ||
      peer.wanted->bucket != have.range.bucket || peer.wanted->after != have.range.after)
    return;  // of a question before the last summary
  const auto end = have.range.to.empty() ? peer.wanted->to : have.range.to;
  peer.wanted.reset();
  peer.after = end;
  if (end.empty()) peer.todo.pop_front();
  pull(from);
}

/// Nothing where it failed: the peer is asked, or sends it, again.
std::optional<SharedKeys::Merged> KeyExchange::merge(Entry& from,
                                                     const std::vector<KeyRecord>& records) {
  auto& [node, peer] = from;
  if (records.empty()) return SharedKeys::Merged{};
  auto waits_for = news_.others();
  std::erase(waits_for, node);
  auto merged = keys_.merge(records, now_ms_, waits_for);
  if (!merged) {
    failed(node, merged.error());
    return std::nullopt;
  }
  exchange_fails.passed();
  if (!merged->tombstones.empty()) {
    if (const auto done = keys_.confirm(node, merged->tombstones); !done)
      failed(node, done.error());  // its next summary confirms them
    news_.erased(node, merged->tombstones);
  }
  if (!merged->dead.empty()) push_to(from, merged->dead);
  return std::move(*merged);
}

// ---- pushing ----

void KeyExchange::push(const std::vector<PersonId>& persons) {
  for (auto& entry : up_) push_to(entry, persons);
}

void KeyExchange::push_to(Entry& to, const std::vector<PersonId>& persons) {
  auto& [node, peer] = to;
  if (persons.empty() || peer.refused || !peer.known) return;
  const auto room = limits_.unacked_persons_max - peer.unacked_persons;
  const auto count = std::min(room, persons.size());
  peer.owed = peer.owed || count < persons.size();
  auto records =
      keys_.records({persons.begin(), persons.begin() + static_cast<std::ptrdiff_t>(count)});
  if (!records) {
    failed(node, records.error());
    peer.owed = true;
    return;
  }
  std::vector<KeyRecord> group;
  std::size_t bytes = 0;
  for (auto& record : *records) {
    if (!record.wrapped.empty() && !peer.is_ready) {
      peer.owed = true;
      continue;
    }
    bytes += 24 + record.wrapped.size();
    group.push_back(std::move(record));
    if (bytes < record_bytes_per_frame) continue;
    send_put(to, std::move(group));
    group.clear();
    bytes = 0;
  }
  send_put(to, std::move(group));
}

void KeyExchange::send_put(Entry& to, std::vector<KeyRecord>&& records) {
  auto& [node, peer] = to;
  if (records.empty()) return;
  Unacked unacked{{}, {}, now_ms_};
  for (const auto& record : records) {
    unacked.persons.push_back(record.person);
    if (record.wrapped.empty()) unacked.erased.push_back(record.person);
  }
  const auto number = next_number_++;
  (void)peers_.send(node, encode(KeyPut{number, std::move(records)}));  // else it is sent again
  peer.unacked_persons += unacked.persons.size();
  peer.unacked.emplace(number, std::move(unacked));
}

void KeyExchange::on(Entry& from, const KeyPut& put) {
  const auto merged = merge(from, put.records);
  if (!merged) return;
  (void)peers_.send(from.first, encode(KeyAck{put.number}));
  if (merged->tombstones.empty()) return;
  // Who else has them is known by the others' summaries, and by ours to them.
  for (auto& [node, peer] : up_) peer.owed = true;
}

void KeyExchange::on(Entry& from, const KeyAck& ack) {
  auto& [node, peer] = from;
  const auto at = peer.unacked.find(ack.number);
  if (at == peer.unacked.end()) return;
  const auto [persons, erased, sent_ms] = std::move(at->second);
  peer.unacked_persons -= persons.size();
  peer.unacked.erase(at);
  if (const auto done = keys_.confirm(node, erased); !done) failed(node, done.error());
  news_.acked(node, persons);
  if (!erased.empty()) news_.erased(node, erased);
}

void KeyExchange::on(Entry& from, const KeyReady&) {
  auto& [node, peer] = from;
  peer.is_ready = true;
  peer.owed = true;  // of keys that were made since the first one
  news_.ready(node, true);
  push_to(from, keys_.uncopied());
}

// ---- asking ----

void KeyExchange::ask(const std::vector<PersonId>& persons) {
  for (const auto& [node, peer] : up_) {
    if (!peer.said_ready) continue;
    for (std::size_t at = 0; at < persons.size(); at += asks_per_frame_max) {
      const auto end = std::min(at + asks_per_frame_max, persons.size());
      (void)peers_.send(node, encode(KeyAsk{{persons.begin() + static_cast<std::ptrdiff_t>(at),
                                             persons.begin() + static_cast<std::ptrdiff_t>(end)}}));
    }
  }
}

void KeyExchange::on(Entry& from, const KeyAsk& ask) {
  auto persons = ask.persons;
  if (persons.size() > asks_per_frame_max) persons.resize(asks_per_frame_max);
  auto records = keys_.records(persons);
  if (!records) return;  // it asks again
  KeyTold told;
  for (const auto& person : persons) {
    const auto known = [&](const KeyRecord& record) { return record.person == person; };
    if (std::none_of(records->begin(), records->end(), known)) told.absent.push_back(person);
  }
  told.records = std::move(*records);
  (void)peers_.send(from.first, encode(told));
}

void KeyExchange::on(Entry& from, const KeyTold& told) {
  if (!merge(from, told.records)) return;
  std::vector<PersonId> found;
  for (const auto& record : told.records) found.push_back(record.person);
  news_.told(from.first, told.absent, found);
}

}  // namespace souk::cluster
