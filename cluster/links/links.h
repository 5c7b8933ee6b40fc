#pragma once
/// The links between the nodes of a cluster: frames of bytes to a node by its name, over one
/// connection for each pair of nodes. It knows nothing of what is in a frame.
///
///   K1  Frames arrive in the order in which they were sent, each at most once. One for which send()
///       said yes is lost if the connection ends first: after `down` the callers try again.
///   K2  up, received..., down: the listener hears of a connection in this order, and of one of a
///       node at a time. After `down` nothing of it is delivered any more.
///   K3  What a peer costs is bounded, whatever it does: LinkLimits names each bound. One that is
///       silent, or takes nothing, for `silent_ms` is down.
///   K4  The node with the smaller name (byte by byte) dials, the other one accepts: no two
///       connections race. A node accepts those of set_peers() only.
///   K5  With certificates, both sides prove who they are (TLS 1.3): a chain to the cluster's
///       authority, and NODE.CLUSTER.souk among the certificate's DNS names, compared byte by byte.
///       Without, all addresses are of the loopback interface.
///
/// Not BASP of CAF 0.17.6: its write buffer has no bound (300 B at 20,000/s to a stopped peer: 8
/// MB/s, for as long as it lasts), and of a certificate it looks at the chain alone.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "events/result.h"

namespace souk::cluster {

/// Where a node is reached.
struct PeerAddress {
  std::string node;  // its name
  std::string host;  // an address, or a name, which is looked up again for each attempt
  std::uint16_t port = 0;
};

/// PEM files.
struct LinkTls {
  std::string authority;    // who signs the certificates of all nodes
  std::string certificate;  // of this node; certificates between it and the authority may follow
  std::string key;
};

struct ProtocolVersions {
  std::uint16_t oldest = 1;
  std::uint16_t newest = 1;
  bool operator==(const ProtocolVersions&) const = default;
};

struct LinkLimits {
  std::size_t frame_bytes_max = 20u << 20;
  /// Of a peer: what it has not taken yet, with 64 bytes for each frame. What the kernel holds of
  /// the connection (some MB) comes on top.
  std::size_t unsent_bytes_max = 32u << 20;
  std::uint32_t heartbeat_ms = 200;
  std::uint32_t silent_ms = 1'500;
  std::uint32_t hello_ms = 3'000;  // from the connection to the end of the hellos
  std::uint32_t redial_ms_min = 20;
  std::uint32_t redial_ms_max = 500;
  std::size_t strangers_max = 64;  // accepted, and not known yet; more are closed at once
};

struct LinkOptions {
  std::string cluster;            // its name: a node of another one is refused
  std::string node;               // the name of this one: 1 to 63 letters, digits, '_' and '-'
  std::uint64_t incarnation = 0;  // grows with each start of the node
  std::string build;              // for people, at most 100 bytes
  std::string listen_host = "127.0.0.1";  // an address
  std::uint16_t listen_port = 0;          // 0: one that is free
  std::optional<LinkTls> tls = std::nullopt;
  ProtocolVersions versions = {};  // of what is in the frames: a pair agrees on its newest
  LinkLimits limits = {};
};

struct PeerHello {
  std::string node;
  std::uint64_t incarnation = 0;
  std::uint16_t version = 0;  // the one that was agreed on
  std::string build;
};

/// Thread: the links' own, which serves all peers: nothing here may block. It may call send() and
/// set_peers(), but not stop().
class LinkListener {
 public:
  virtual ~LinkListener() = default;
  virtual void up(const PeerHello& peer) = 0;
  /// `why`: words for an operator, on one line.
  virtual void down(const std::string& node, const std::string& why) = 0;
  /// `frame`: until this returns.
  virtual void received(const std::string& node, std::string_view frame) = 0;
};

/// Of a peer since set_peers() first named it. Frames and bytes are those of callers.
struct LinkCounters {
  std::string node;
  bool up = false;
  std::uint64_t frames_sent = 0;  // written to the connection
  std::uint64_t bytes_sent = 0;
  std::uint64_t frames_received = 0;
  std::uint64_t bytes_received = 0;
  std::uint64_t unsent_bytes = 0;  // now, as LinkLimits::unsent_bytes_max counts them
  std::uint64_t connections = 0;   // how often it was up
};

enum class Sent : std::uint8_t {
  yes,        // taken: K1
  no_link,    // the peer is down
  full,       // it would be beyond unsent_bytes_max; nothing was taken
  too_large,  // beyond frame_bytes_max
};

/// Lifecycle: open, start once, stop; the destructor stops as well.
/// Thread: any, where nothing else is said.
class Links {
 public:
  /// Listens; a connection waits until start().
  /// Errors: mismatch     options that do not fit, an address that is not of the loopback interface
  ///                      although there are no certificates, files that are none or are of
  ///                      another node
  ///         unavailable  the address is taken, or not of this machine
  static Result<std::unique_ptr<Links>, Fault> open(LinkOptions options);
  Links() = default;
  virtual ~Links() = default;
  Links(const Links&) = delete;
  Links& operator=(const Links&) = delete;

  /// Where it listens.
  virtual std::uint16_t port() const = 0;
  /// `listener`: outlives stop().
  virtual void start(LinkListener& listener) = 0;
  /// From now on these are the peers: those that are new, or have moved, are dialed, those that are
  /// missing are down. This node itself may be among them. Takes effect on the links' thread.
  /// Errors: mismatch, in words, and nothing has changed: a name that is none or stands twice, a
  ///         port 0, without certificates an address that is not of the loopback interface.
  virtual Status set_peers(const std::vector<PeerAddress>& peers) = 0;
  /// Cheap: a queue, and one wake-up for all that is sent until the links' thread looks; what is
  /// there then leaves in one write.
  virtual Sent send(const std::string& node, std::string frame) = 0;
  /// All who are up are told to be down; then the listener hears no more. Waits for a look-up of a
  /// name that is under way. Thread: not the links' own.
  virtual void stop() = 0;
  virtual std::vector<LinkCounters> counters() const = 0;
};

/// 1 to 63 letters, digits, '_' and '-': also a label of a certificate's DNS name. Errors: mismatch.
Status check_node_name(const std::string& name);
/// What the certificate of `node` names: NODE.CLUSTER.souk.
std::string certificate_name(const std::string& node, const std::string& cluster);

}  // namespace souk::cluster
