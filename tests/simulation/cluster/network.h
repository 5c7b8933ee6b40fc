#pragma once
/// The links between simulated nodes (cluster/links/links.h, K1 to K5): frames come late and in
/// order, or are lost with their connection; a way may be cut in one direction; who is silent for
/// `silent_ms` is down.
#include <array>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "cluster/links/links.h"
#include "tests/simulation/world.h"

namespace souk::simulation {

class SimNetwork {
 public:
  explicit SimNetwork(World& world);
  ~SimNetwork();

  int slow = 0;  // percent of the frames
  /// Frames from `from` to `to` arrive, or not any more.
  void cut(const std::string& from, const std::string& to) { cuts_.insert({from, to}); }
  void mend(const std::string& from, const std::string& to) { cuts_.erase({from, to}); }
  void calm_down() {
    slow = 0;
    cuts_.clear();
  }
  /// A connection ends, as by the hand of a router between them.
  void reset(const std::string& a, const std::string& b);
  /// A node handles nothing; it wakes up where it was.
  void sleep(const std::string& node) { asleep_.insert(node); }
  void wake(const std::string& node) { asleep_.erase(node); }

  Result<std::unique_ptr<cluster::Links>, Fault> open(const cluster::LinkOptions& options);
  std::uint64_t frames() const { return frames_; }

 private:
  class End;
  struct Connection;
  using ConnectionPtr = std::shared_ptr<Connection>;

  void tick();
  void meet(End& a, End& b);
  bool open(const std::string& from, const std::string& to) const {
    return !cuts_.contains({from, to});
  }
  bool awake(const std::string& node) const { return !asleep_.contains(node); }
  void close(const ConnectionPtr& connection, int side, const std::string& why);
  void pump(const ConnectionPtr& connection, int to);

  World& world_;
  std::map<std::string, End*> ends_;  // of nodes that live
  std::map<std::pair<std::string, std::string>, ConnectionPtr> connections_;
  std::set<std::pair<std::string, std::string>> cuts_;
  std::set<std::string> asleep_;
  std::uint64_t frames_ = 0;
  std::shared_ptr<bool> ended_ = std::make_shared<bool>(false);
};

}  // namespace souk::simulation
