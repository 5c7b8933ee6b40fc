#pragma once
/// The links' thread: who is a peer, who is dialed, and who is up. Included by asio_*.cc only.
#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <map>
#include <set>
#include <shared_mutex>
#include <thread>

#include "cluster/links/asio_connection.h"
#include "events/fault_log.h"

namespace souk::cluster {

/// A node that set_peers() named. Thread: the links' own, but for `outbox` and the counters.
struct AsioPeer {
  AsioPeer(PeerAddress where, const LinkLimits& limits)
      : address(std::move(where)), outbox(limits), redial_ms(limits.redial_ms_min) {}

  PeerAddress address;
  Outbox outbox;
  std::shared_ptr<AsioConnection> connection;  // that is up
  std::shared_ptr<AsioConnection> dialed;      // that is not up yet
  bool looking_up = false;
  LinkClock::time_point next_dial{};
  std::uint32_t redial_ms;
  FaultLog faults{"a peer cannot be reached"};

  std::atomic<bool> is_up{false};
  std::atomic<std::uint64_t> frames_sent{0}, bytes_sent{0}, frames_received{0}, bytes_received{0},
      connections{0};
};

/// Invariant: a peer of a smaller name than ours has no `dialed`; one with a `connection` has none
/// either. Only the links' thread changes `peers_`.
struct AsioLinks final : Links, ConnectionOwner {
  explicit AsioLinks(LinkOptions options);
  ~AsioLinks() override;

  Status listen();

  // Links
  void start(LinkListener& listener) override;
  void stop() override;
  Status set_peers(const std::vector<PeerAddress>& peers) override;
  Sent send(const std::string& node, std::string frame) override;
  std::vector<LinkCounters> counters() const override;
  std::uint16_t port() const override { return port_; }

 private:
  using PeerPtr = std::shared_ptr<AsioPeer>;

  // ConnectionOwner
  Status welcome(const Hello& theirs) override;
  std::shared_ptr<Outbox> up(AsioConnection& connection) override;
  void received(AsioConnection& connection, std::string_view frame) override;
  void written(AsioConnection& connection, std::uint64_t frames, std::uint64_t bytes) override;
  void closed(AsioConnection& connection, const std::string& why) override;

  /// None where there is no such peer (any more).
  PeerPtr find(const std::string& node) const;
  void adopt(const std::vector<PeerAddress>& peers);
  void drop(AsioPeer& peer, const std::string& why);
  void lost(AsioPeer& peer, const std::string& why);
  void accept();
  void tick();
  void dial_who_is_due(LinkClock::time_point now);
  void dial(const PeerPtr& peer);
  void connect(const PeerPtr& peer, std::vector<tcp::endpoint> where);
  void not_reached(AsioPeer& peer, const std::string& why);
  void end();

  const LinkOptions options_;
  std::unique_ptr<asio::ssl::context> tls_;  // none: plain
  LinkListener* listener_ = nullptr;
  std::unique_ptr<AsioConnection::Common> common_;
  asio::io_context io_{1};
  asio::executor_work_guard<asio::io_context::executor_type> work_{io_.get_executor()};
  tcp::acceptor acceptor_{io_};
  tcp::resolver resolver_{io_};
  asio::steady_timer timer_{io_};
  LinkClock::time_point next_tick_{};
  std::uint16_t port_ = 0;
  bool accepts_ = true;  // false: after a fault, until the next tick
  bool ended_ = false;
  std::set<std::shared_ptr<AsioConnection>> strangers_;  // accepted, and not up
  FaultLog stranger_faults_{"a connection to this node was refused"};
  FaultLog accept_faults_{"connections of peers cannot be accepted"};
  mutable std::shared_mutex peers_mutex_;  // what follows, where others than the thread look
  std::map<std::string, PeerPtr> peers_;
  std::thread thread_;
};

}  // namespace souk::cluster
