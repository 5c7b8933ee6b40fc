// How connections come about: accepted, or dialed when they are due.
#include <fmt/format.h>

#include <algorithm>

#include "cluster/links/asio_links.h"

namespace souk::cluster {

namespace {

using std::chrono::milliseconds;

/// How exact all times are.
constexpr milliseconds tick_every{20};
/// A tick that comes this late says that the thread did not run.
constexpr milliseconds late_from{100};

}  // namespace

void AsioLinks::accept() {
  acceptor_.async_accept([this](AsioError error, tcp::socket socket) {
    if (ended_) return;
    if (error) {
      // Out of descriptors, most likely: at once again would turn in a circle.
      accept_faults_.failed(fmt::format("why=\"{}\"", one_line(error.message())));
      accepts_ = false;
      return;
    }
    accept_faults_.passed();
    keep_from_children(socket);
    if (strangers_.size() < options_.limits.strangers_max) {
      const auto stranger = std::make_shared<AsioConnection>(*common_, std::move(socket));
      strangers_.insert(stranger);
      stranger->accepted();
    } else {
      stranger_faults_.failed("why=\"too many that have not said who they are\"");
    }
    accept();
  });
}

void AsioLinks::tick() {
  const auto now = LinkClock::now();
  const auto late = now - next_tick_;
  next_tick_ = now + tick_every;
  std::vector<std::shared_ptr<AsioConnection>> all(strangers_.begin(), strangers_.end());
  for (const auto& [node, peer] : peers_) {
    if (peer->dialed) all.push_back(peer->dialed);
    if (peer->connection) all.push_back(peer->connection);
  }
  for (const auto& connection : all) {
    if (late >= late_from) connection->excuse(late);
    connection->tick(now);
  }
  dial_who_is_due(now);
  if (!std::exchange(accepts_, true)) accept();
  timer_.expires_at(next_tick_);
  timer_.async_wait([this](AsioError error) {
    if (!error && !ended_) tick();
  });
}

void AsioLinks::dial_who_is_due(LinkClock::time_point now) {
  if (!common_) return;
  // An attempt that fails at once changes nothing of peers_.
  for (const auto& [node, peer] : peers_)
    if (options_.node < node && !peer->connection && !peer->dialed && !peer->looking_up &&
        now >= peer->next_dial)
      dial(peer);
}

void AsioLinks::dial(const PeerPtr& peer) {
  AsioError not_an_address;
  const auto address = asio::ip::make_address(peer->address.host, not_an_address);
  if (!not_an_address) return connect(peer, {tcp::endpoint(address, peer->address.port)});
  peer->looking_up = true;
  // On a thread of Asio's own, one name after the other.
  resolver_.async_resolve(peer->address.host, std::to_string(peer->address.port),
                          [this, peer](AsioError error, const tcp::resolver::results_type& found) {
                            peer->looking_up = false;
                            if (ended_ || find(peer->address.node) != peer) return;
                            if (error) return not_reached(*peer, error.message());
                            std::vector<tcp::endpoint> where;
                            for (const auto& entry : found)
                              if (tls_ || entry.endpoint().address().is_loopback())
                                where.push_back(entry.endpoint());
                            if (where.empty())
                              return not_reached(
                                  *peer, "without certificates only loopback addresses are dialed");
                            connect(peer, std::move(where));
                          });
}

void AsioLinks::connect(const PeerPtr& peer, std::vector<tcp::endpoint> where) {
  peer->dialed = std::make_shared<AsioConnection>(*common_, tcp::socket(io_));
  peer->dialed->dial(peer->address.node, where);
}

}  // namespace souk::cluster
