#pragma once
/// Nodes with vaults on directories of their own, and links between them that are played by hand: a
/// frame leaves when the test says so, and a cut loses what is on its way.
#include <doctest/doctest.h>

#include <deque>
#include <filesystem>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "cluster/keys/replicated_vault.h"
#include "tests/support/temporary_directory.h"

namespace souk {
inline doctest::String toString(const Fault& fault) { return doctest::String(fault.what.c_str()); }
}  // namespace souk

namespace souk::cluster::test {

namespace fs = std::filesystem;
using souk::test::Medium;
using souk::test::TemporaryDirectory;
using Names = std::vector<std::string>;

inline PersonId person(Kind kind, std::uint64_t number, std::optional<std::uint8_t> bucket = {}) {
  Id128 id;
  const auto hash = stable_hash(std::to_string(number));
  id.bytes[1] = static_cast<std::uint8_t>(number % 5);
  for (std::size_t i = 0; i < 8; ++i) {
    id.bytes[2 + i] = static_cast<std::uint8_t>(hash >> (8 * i));
    if (i < 6) id.bytes[10 + i] = static_cast<std::uint8_t>(number >> (8 * i));
  }
  if (bucket) id.bytes[2] = *bucket;
  return {kind, id.view()};
}
inline PersonId user(std::uint64_t number) { return person(Kind::user, number); }
inline PersonId order(std::uint64_t number) { return person(Kind::order, number); }

/// Thread: `send` any, the rest the test's.
class Net {
 public:
  using Pair = std::pair<std::string, std::string>;  // from, to
  /// What becomes of a frame on its way; empty: it is lost.
  std::function<std::string(const Pair&, std::string)> on_the_way;
  std::size_t queue_max = 10'000;

  bool send(const std::string& from, const std::string& to, std::string frame) {
    const std::lock_guard lock(mutex_);
    const auto at = queues_.find({from, to});
    if (at == queues_.end() || at->second.size() >= queue_max) return false;
    CHECK(frame.size() <= key_frame_bytes_max);
    at->second.push_back(std::move(frame));
    return true;
  }
  bool linked(const std::string& a, const std::string& b) const {
    const std::lock_guard lock(mutex_);
    return queues_.contains({a, b});
  }
  void link(const std::string& a, const std::string& b) {
    const std::lock_guard lock(mutex_);
    queues_[{a, b}];
    queues_[{b, a}];
  }
  void cut(const std::string& a, const std::string& b) {
    const std::lock_guard lock(mutex_);
    queues_.erase({a, b});
    queues_.erase({b, a});
  }
  std::vector<Pair> waiting() const {
    const std::lock_guard lock(mutex_);
    std::vector<Pair> all;
    for (const auto& [pair, queue] : queues_)
      if (!queue.empty()) all.push_back(pair);
    return all;
  }
  std::string take(const Pair& pair) {
    const std::lock_guard lock(mutex_);
    auto& queue = queues_.at(pair);
    auto frame = std::move(queue.front());
    queue.pop_front();
    return frame;
  }

 private:
  mutable std::mutex mutex_;
  std::map<Pair, std::deque<std::string>> queues_;
};

struct World;

struct Node final : KeyPeers {
  World& world;
  std::string name;
  std::string secret = std::string(48, 's');
  std::unique_ptr<SodiumVault> local;
  std::unique_ptr<ReplicatedVault> vault;

  Node(World& of, std::string called) : world(of), name(std::move(called)) {}
  bool send(const std::string& to, std::string frame) override;
  std::vector<std::string> nodes() override;
  fs::path folder() const;
  void open();
  void close() {
    vault.reset();
    local.reset();
  }
};

struct World {
  TemporaryDirectory folder{Medium::memory};
  Net net;
  ReplicatedVault::Options options;
  Names members;
  std::map<std::string, std::unique_ptr<Node>> nodes;
  std::int64_t now_ms = 1'000'000;
  int folders = 0;
  std::map<std::string, fs::path> folder_of;

  explicit World(const Names& names, std::size_t copies_wanted = 1) : members(names) {
    options.copies_wanted = copies_wanted;
    options.drive = ReplicatedVault::Drive::by_hand;
    options.erased_timeout_ms = 0;  // nobody would answer meanwhile
    for (const auto& name : names) add(name);
  }
  Node& operator[](const std::string& name) { return *nodes.at(name); }
  Node& add(const std::string& name, std::string secret = std::string(48, 's')) {
    auto& node = *nodes.emplace(name, std::make_unique<Node>(*this, name)).first->second;
    node.secret = std::move(secret);
    folder_of[name] = folder / (name + std::to_string(folders++));
    node.open();
    return node;
  }

  // ---- links ----

  void link(const std::string& a, const std::string& b) {
    if (net.linked(a, b) || !(*this)[a].vault || !(*this)[b].vault) return;
    net.link(a, b);
    (*this)[a].vault->up(b);
    (*this)[b].vault->up(a);
  }
  void cut(const std::string& a, const std::string& b) {
    if (!net.linked(a, b)) return;
    net.cut(a, b);
    if ((*this)[a].vault) (*this)[a].vault->down(b);
    if ((*this)[b].vault) (*this)[b].vault->down(a);
  }
  void each_pair(const std::function<void(const std::string&, const std::string&)>& visit) {
    for (const auto& [a, first] : nodes)
      for (const auto& [b, second] : nodes)
        if (a < b) visit(a, b);
  }
  void link_all() {
    each_pair([&](const auto& a, const auto& b) { link(a, b); });
  }
  void isolate(const std::string& name) {
    for (const auto& [other, node] : nodes)
      if (other != name) cut(name, other);
  }
  void deliver(const Net::Pair& pair) {
    auto frame = net.take(pair);
    if (net.on_the_way) frame = net.on_the_way(pair, std::move(frame));
    if (frame.empty()) return;
    auto& to = (*this)[pair.second];
    to.vault->received(pair.first, frame);
  }
  void work() {
    for (const auto& [name, node] : nodes)
      while (node->vault && node->vault->step()) {
      }
  }
  void tick(std::int64_t ms) {
    now_ms += ms;
    for (const auto& [name, node] : nodes)
      if (node->vault) node->vault->tick(now_ms);
    work();
  }
  /// One frame, from the first who has one; false: nobody has.
  bool pump() {
    work();
    const auto waiting = net.waiting();
    if (waiting.empty()) return false;
    deliver(waiting.front());
    work();
    return true;
  }
  void pump_all() {
    while (pump()) {
    }
  }
  /// Until all has been said that there is to say.
  void quiet() {
    for (int i = 0; i < 3; ++i) {
      tick(options.limits.summary_ms);
      for (int n = 0; n < 40; ++n) {
        pump_all();
        tick(100);
      }
      pump_all();
    }
  }

  // ---- what users of a vault do ----

  /// While it waits for other nodes their frames go on, and the time with them.
  Status ensure(const std::string& name, const std::vector<PersonId>& persons,
                const std::function<void()>& meanwhile = {}) {
    auto& vault = *(*this)[name].vault;
    auto done = std::async(std::launch::async, [&] { return vault.ensure(persons); });
    while (done.wait_for(std::chrono::microseconds(500)) != std::future_status::ready) {
      if (meanwhile)
        meanwhile();
      else if (!pump())
        tick(20);
    }
    return done.get();
  }
  Sealed sealed(const std::string& name, const PersonId& whose, const std::string& text) {
    const auto status = ensure(name, {whose});
    REQUIRE_MESSAGE(status.ok(), (status.ok() ? "" : status.error().what));
    return (*this)[name].vault->seal(whose, text).value();
  }
  /// The text; `gone` where the key was destroyed, else the kind of the fault.
  std::string read(const std::string& name, const PersonId& whose, const Sealed& sealed) {
    const auto opened = (*this)[name].vault->open(whose, sealed);
    if (opened.ok()) return opened->has_value() ? **opened : "gone";
    return opened.error().kind == Fault::Kind::corrupt ? "corrupt" : "unavailable";
  }

  // ---- what happens to nodes ----

  fs::path copy_of(const std::string& name) {
    auto& node = (*this)[name];
    if (node.local) REQUIRE(node.local->wait_until_purged(std::chrono::seconds(60)));
    const auto copy = folder / (name + std::to_string(folders++));
    fs::copy(folder_of[name], copy, fs::copy_options::recursive);
    return copy;
  }
  /// It ends without closing anything, and starts again from what was on its disk.
  void crash(const std::string& name) { restore(name, copy_of(name)); }
  /// It starts again from `from`, which it may have left long ago.
  void restore(const std::string& name, const fs::path& from) {
    isolate(name);
    (*this)[name].close();
    fs::remove_all(folder_of[name]);
    folder_of[name] = from;
    fs::remove(from / "LOCK");
    (*this)[name].open();
  }
};

inline bool Node::send(const std::string& to, std::string frame) {
  return world.net.send(name, to, std::move(frame));
}
inline std::vector<std::string> Node::nodes() { return world.members; }
inline fs::path Node::folder() const { return world.folder_of.at(name); }
inline void Node::open() {
  auto opened = SodiumVault::open({.path = folder(), .given_secret = secret});
  REQUIRE_MESSAGE(opened.ok(), (opened.ok() ? "" : opened.error().what));
  local = std::move(*opened);
  auto options = world.options;
  options.node = name;
  options.now_ms = world.now_ms;
  auto replicated = ReplicatedVault::open(*local, *this, options);
  REQUIRE_MESSAGE(replicated.ok(), (replicated.ok() ? "" : replicated.error().what));
  vault = std::move(*replicated);
}

}  // namespace souk::cluster::test
