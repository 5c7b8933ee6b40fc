#pragma once
/// One connection to another node, from its first byte to its last. Included by asio_*.cc only.
///
///   dialer:    connecting -> securing -> greeting (its hello is sent)      -> up -> closed
///   accepter:                securing -> greeting -> agreed (its hello is) -> up -> closed
#include <chrono>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "cluster/links/asio_stream.h"
#include "cluster/links/frames.h"
#include "cluster/links/hello.h"
#include "cluster/links/outbox.h"

namespace souk::cluster {

using LinkClock = std::chrono::steady_clock;

class AsioConnection;

/// Who has the connections. Called from within the connection; none is called after `closed`.
class ConnectionOwner {
 public:
  virtual ~ConnectionOwner() = default;
  /// Of the accepter: whether the node may be linked. The words of a no reach the peer.
  virtual Status welcome(const Hello& theirs) = 0;
  /// Where its frames will come from; none: close it.
  virtual std::shared_ptr<Outbox> up(AsioConnection& connection) = 0;
  virtual void received(AsioConnection& connection, std::string_view frame) = 0;
  virtual void written(AsioConnection& connection, std::uint64_t frames, std::uint64_t bytes) = 0;
  /// Once. The connection lives until this returns.
  virtual void closed(AsioConnection& connection, const std::string& why) = 0;
};

/// Lifecycle: made, then dial() or accepted(); kept alive by what it waits for until it is closed.
/// Thread: the links' own.
class AsioConnection : public std::enable_shared_from_this<AsioConnection> {
 public:
  /// What all connections of a node have in common. Outlives them.
  struct Common {
    ConnectionOwner& owner;
    const LinkLimits limits;
    const Hello hello;
    asio::ssl::context* const tls;  // none: plain
  };

  AsioConnection(const Common& common, tcp::socket socket);

  /// The first of `where` that takes the connection.
  void dial(std::string node, const std::vector<tcp::endpoint>& where);
  void accepted();
  /// Looks into the outbox. Requires: up.
  void flush();
  /// What is due: a heartbeat, or the end.
  void tick(LinkClock::time_point now);
  /// This process did not run for a while: what did not happen meanwhile is not the peer's fault.
  void excuse(LinkClock::duration late);
  void close(const std::string& why);

  const PeerHello& peer() const { return peer_; }         // known once the hello was read
  LinkClock::time_point since() const { return since_; }  // that it is up

 private:
  enum class Phase : std::uint8_t { connecting, securing, greeting, agreed, up, refusing, closed };
  /// Small frames are copied together, a large one is a segment of its own.
  struct Segment {
    std::string bytes = {};
    std::uint64_t frames = 0;  // of callers, with their bytes
    std::uint64_t content_bytes = 0;
  };

  bool closed() const { return phase_ == Phase::closed; }
  /// The kernel gave this socket the very port that it dials, and nobody listened: the socket is
  /// its own peer. It is ended without TIME_WAIT, which would keep the port from the peer.
  bool reached_itself();
  void secure();
  void greet();
  void read();
  void read_frames();
  void take(const Frame& frame);
  void take_hello(std::string_view content);
  void go_up();
  void refuse(const std::string& why);
  Segment& open_segment();
  void send_control(FrameKind kind, std::string_view content);
  void fill_segments();
  void write();
  void wrote(std::size_t bytes);

  const Common& common_;
  AsioStream stream_;
  AsioStream::Side side_ = AsioStream::Side::accepter;
  Phase phase_ = Phase::connecting;
  std::string dialed_;  // the node that is meant
  PeerHello peer_;
  LinkClock::time_point since_{};
  LinkClock::time_point deadline_;  // of all before up
  LinkClock::time_point heard_{};
  FrameReader reader_{hello_bytes_max};
  std::shared_ptr<Outbox> outbox_;
  std::vector<std::string> taken_;  // from it, and not in a segment yet: from next_taken_ on
  std::size_t next_taken_ = 0;
  std::deque<Segment> segments_;
  std::size_t offset_ = 0;              // what of the first was written
  bool writing_ = false;                // the first must stay where it is
  LinkClock::time_point progressed_{};  // the last write began or ended
  std::string refusal_;
};

}  // namespace souk::cluster
