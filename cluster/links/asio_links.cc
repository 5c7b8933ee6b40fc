#include "cluster/links/asio_links.h"

#include <fmt/format.h>
#include <pthread.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <mutex>

#include "cluster/links/asio_tls.h"
#include "cluster/links/options.h"
#include "events/thread_slice.h"

namespace souk::cluster {

namespace {

using std::chrono::milliseconds;

}  // namespace

AsioLinks::AsioLinks(LinkOptions options) : options_(std::move(options)) {}

AsioLinks::~AsioLinks() { stop(); }

Status AsioLinks::listen() {
  AsioError error;
  const auto address = asio::ip::make_address(options_.listen_host, error);
  if (error)
    return Fault{Fault::Kind::mismatch,
                 fmt::format("{}: not an address to listen on", one_line(options_.listen_host))};
  if (options_.tls) {
    auto tls = make_tls(*options_.tls, certificate_name(options_.node, options_.cluster));
    if (!tls) return tls.error();
    tls_ = std::move(*tls);
  } else if (!address.is_loopback()) {
    return Fault{Fault::Kind::mismatch,
                 fmt::format("{}: without certificates a node listens on a loopback address only, "
                             "since whoever reaches it could act as a node",
                             options_.listen_host)};
  }
  const tcp::endpoint where(address, options_.listen_port);
  acceptor_.open(where.protocol(), error);
  if (!error) keep_from_children(acceptor_);
  if (!error) acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor_.bind(where, error);
  if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
  if (!error) port_ = acceptor_.local_endpoint(error).port();
  if (!error) acceptor_.non_blocking(true, error);
  if (!error) return Done{};
  return Fault{Fault::Kind::unavailable,
               fmt::format("{}:{}: {}", options_.listen_host, options_.listen_port,
                           one_line(error.message()))};
}

void AsioLinks::start(LinkListener& listener) {
  SOUK_ASSERT(!listener_);
  listener_ = &listener;
  common_ = std::make_unique<AsioConnection::Common>(
      AsioConnection::Common{*this, options_.limits,
                             Hello{options_.versions, options_.incarnation, options_.cluster,
                                   options_.node, options_.build},
                             tls_.get()});
  thread_ = std::thread([this] {
    ::pthread_setname_np(::pthread_self(), "links");
    short_time_slice();
    next_tick_ = LinkClock::now();
    accept();
    tick();
    io_.run();
  });
}

void AsioLinks::stop() {
  if (!thread_.joinable()) return;
  SOUK_ASSERT(thread_.get_id() != std::this_thread::get_id());
  asio::post(io_, [this] { end(); });
  thread_.join();
}

void AsioLinks::end() {
  ended_ = true;
  AsioError ignored;
  acceptor_.close(ignored);
  timer_.cancel();
  resolver_.cancel();
  for (const auto& stranger : std::set(strangers_)) stranger->close("this node stops");
  adopt({});
  work_.reset();
}

Status AsioLinks::set_peers(const std::vector<PeerAddress>& peers) {
  if (Status fits = check_peers(peers); !fits) return fits;
  for (const PeerAddress& peer : peers) {
    AsioError not_an_address;
    const auto address = asio::ip::make_address(peer.host, not_an_address);
    if (tls_ || not_an_address || address.is_loopback()) continue;
    return Fault{Fault::Kind::mismatch,
                 fmt::format("node {} at {}: without certificates nodes are reached at loopback "
                             "addresses only",
                             peer.node, peer.host)};
  }
  asio::post(io_, [this, peers] {
    if (ended_) return;
    adopt(peers);
    dial_who_is_due(LinkClock::now());
  });
  return Done{};
}

AsioLinks::PeerPtr AsioLinks::find(const std::string& node) const {
  const std::shared_lock lock(peers_mutex_);
  const auto found = peers_.find(node);
  return found == peers_.end() ? nullptr : found->second;
}

void AsioLinks::adopt(const std::vector<PeerAddress>& peers) {
  std::map<std::string, PeerPtr> next;
  std::vector<std::pair<PeerPtr, std::string>> dropped;
  for (const auto& [node, peer] : peers_) {
    const auto still = std::ranges::find(peers, node, &PeerAddress::node);
    const bool dials = options_.node < node;
    if (still == peers.end())
      dropped.emplace_back(peer, ended_ ? "this node stops" : "no peer any more");
    else if (dials && (still->host != peer->address.host || still->port != peer->address.port))
      dropped.emplace_back(peer, fmt::format("it has moved to {}:{}", still->host, still->port));
    else
      next.emplace(node, peer);
  }
  for (const PeerAddress& peer : peers)
    if (peer.node != options_.node && !next.contains(peer.node))
      next.emplace(peer.node, std::make_shared<AsioPeer>(peer, options_.limits));
  // Before the listener hears of it: nobody shall find one that is told to be down.
  for (const auto& [peer, why] : dropped) peer->outbox.close();
  {
    const std::unique_lock lock(peers_mutex_);
    peers_.swap(next);
  }
  for (const auto& [peer, why] : dropped) drop(*peer, why);
}

/// Of one that is not in `peers_` any more.
void AsioLinks::drop(AsioPeer& peer, const std::string& why) {
  if (const auto dialed = std::exchange(peer.dialed, nullptr)) dialed->close(why);
  if (peer.connection) {
    const auto connection = std::exchange(peer.connection, nullptr);
    lost(peer, why);
    connection->close(why);
  }
}

Sent AsioLinks::send(const std::string& node, std::string frame) {
  const PeerPtr peer = find(node);
  if (!peer) return Sent::no_link;
  const auto [sent, wake] = peer->outbox.put(std::move(frame));
  if (wake == Outbox::Wake::yes)
    asio::post(io_, [peer] {
      if (peer->connection) peer->connection->flush();
    });
  return sent;
}

std::vector<LinkCounters> AsioLinks::counters() const {
  std::vector<LinkCounters> result;
  const std::shared_lock lock(peers_mutex_);
  for (const auto& [node, peer] : peers_)
    result.push_back({.node = node,
                      .up = peer->is_up,
                      .frames_sent = peer->frames_sent,
                      .bytes_sent = peer->bytes_sent,
                      .frames_received = peer->frames_received,
                      .bytes_received = peer->bytes_received,
                      .unsent_bytes = peer->outbox.unsent_bytes(),
                      .connections = peer->connections});
  return result;
}

Status AsioLinks::welcome(const Hello& theirs) {
  const auto no = [](std::string what) { return Fault{Fault::Kind::mismatch, std::move(what)}; };
  if (options_.node < theirs.node)
    return no(
        fmt::format("node {} dials node {}, not the other way round", options_.node, theirs.node));
  const PeerPtr peer = find(theirs.node);
  if (!peer) return no(fmt::format("node {} is no peer of node {}", theirs.node, options_.node));
  if (peer->connection && theirs.incarnation < peer->connection->peer().incarnation)
    return no(fmt::format("a later incarnation of node {} is linked", theirs.node));
  return Done{};
}

std::shared_ptr<Outbox> AsioLinks::up(AsioConnection& connection) {
  strangers_.erase(connection.shared_from_this());
  const PeerPtr peer = find(connection.peer().node);
  if (!peer || ended_) return nullptr;
  if (peer->connection &&  // between the hello and now
      connection.peer().incarnation < peer->connection->peer().incarnation)
    return nullptr;
  // Of the dialer none can be there. The accepter may not have noticed yet that the last one ended.
  if (peer->connection) {
    const auto last = std::exchange(peer->connection, nullptr);
    lost(*peer, "the node has made another connection");
    last->close("the node has made another connection");
  }
  peer->dialed = nullptr;
  peer->connection = connection.shared_from_this();
  peer->faults.passed();
  ++peer->connections;
  peer->is_up = true;
  peer->outbox.open();
  spdlog::info("a peer is up node={} incarnation={} version={} build=\"{}\"", peer->address.node,
               connection.peer().incarnation, connection.peer().version, connection.peer().build);
  listener_->up(connection.peer());
  return {peer, &peer->outbox};
}

void AsioLinks::received(AsioConnection& connection, std::string_view frame) {
  const std::string& node = connection.peer().node;
  if (const PeerPtr peer = find(node)) {
    peer->frames_received.fetch_add(1, std::memory_order_relaxed);
    peer->bytes_received.fetch_add(frame.size(), std::memory_order_relaxed);
  }
  listener_->received(node, frame);
}

void AsioLinks::written(AsioConnection& connection, std::uint64_t frames, std::uint64_t bytes) {
  const PeerPtr peer = find(connection.peer().node);
  if (!peer) return;
  peer->frames_sent.fetch_add(frames, std::memory_order_relaxed);
  peer->bytes_sent.fetch_add(bytes, std::memory_order_relaxed);
}

void AsioLinks::closed(AsioConnection& connection, const std::string& why) {
  if (strangers_.erase(connection.shared_from_this()) > 0) {
    if (!ended_) stranger_faults_.failed(fmt::format("why=\"{}\"", one_line(why)));
    return;
  }
  for (const auto& [node, peer] : peers_) {
    if (peer->dialed.get() == &connection) {
      peer->dialed = nullptr;
      return not_reached(*peer, why);
    }
    if (peer->connection.get() != &connection) continue;
    const auto lasted = LinkClock::now() - connection.since();
    if (lasted >= milliseconds(options_.limits.silent_ms))
      peer->redial_ms = options_.limits.redial_ms_min;
    peer->next_dial = LinkClock::now() + milliseconds(peer->redial_ms);
    peer->redial_ms = std::min(peer->redial_ms * 2, options_.limits.redial_ms_max);
    peer->connection = nullptr;
    return lost(*peer, why);
  }
}

/// Requires: its connection is not in `peer` any more.
void AsioLinks::lost(AsioPeer& peer, const std::string& why) {
  peer.outbox.close();
  peer.is_up = false;
  const std::string words = one_line(why);
  spdlog::log(ended_ ? spdlog::level::info : spdlog::level::warn,
              "a peer is down node={} why=\"{}\"", peer.address.node, words);
  listener_->down(peer.address.node, words);
}

void AsioLinks::not_reached(AsioPeer& peer, const std::string& why) {
  peer.next_dial = LinkClock::now() + milliseconds(peer.redial_ms);
  peer.redial_ms = std::min(peer.redial_ms * 2, options_.limits.redial_ms_max);
  peer.faults.failed(fmt::format("node={} address={}:{} why=\"{}\"", peer.address.node,
                                 one_line(peer.address.host), peer.address.port, one_line(why)));
}

Result<std::unique_ptr<Links>, Fault> Links::open(LinkOptions options) {
  if (const Status fits = check_options(options); !fits) return fits.error();
  auto links = std::make_unique<AsioLinks>(std::move(options));
  if (const Status listens = links->listen(); !listens) return listens.error();
  return std::unique_ptr<Links>(std::move(links));
}

}  // namespace souk::cluster
