#include "cluster/links/asio_connection.h"

#include <fmt/format.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/connect.hpp>
#include <utility>

#include "cluster/links/asio_tls.h"
#include "events/fault_log.h"

namespace souk::cluster {

namespace {

using std::chrono::milliseconds;

/// Up to here a copy is cheaper than a write of its own.
constexpr std::size_t small_frame_bytes_max = 16u << 10;
constexpr std::size_t segment_bytes_max = 128u << 10;
constexpr std::size_t refusal_bytes_max = 1'000;

std::string words(const AsioError& error) {
  if (error == asio::error::eof || error == asio::ssl::error::stream_truncated)
    return "the peer has closed the connection";
  return one_line(error.message());
}

}  // namespace

AsioConnection::AsioConnection(const Common& common, tcp::socket socket)
    : common_(common),
      stream_(std::move(socket), common.tls),
      deadline_(LinkClock::now() + milliseconds(common.limits.hello_ms)) {}

void AsioConnection::dial(std::string node, const std::vector<tcp::endpoint>& where) {
  side_ = AsioStream::Side::dialer;
  dialed_ = std::move(node);
  asio::async_connect(stream_.socket(), where,
                      [self = shared_from_this()](AsioError error, const tcp::endpoint&) {
                        if (self->closed()) return;
                        if (error) return self->close(words(error));
                        keep_from_children(self->stream_.socket());
                        if (self->reached_itself()) return self->close("nobody listens there");
                        self->secure();
                      });
}

bool AsioConnection::reached_itself() {
  tcp::socket& socket = stream_.socket();
  AsioError ignored;
  if (socket.local_endpoint(ignored) != socket.remote_endpoint(ignored)) return false;
  socket.set_option(asio::socket_base::linger(true, 0), ignored);
  return true;
}

void AsioConnection::accepted() { secure(); }

void AsioConnection::secure() {
  phase_ = Phase::securing;
  AsioError ignored;
  stream_.socket().set_option(tcp::no_delay(true), ignored);
  if (!stream_.tls()) return greet();
  stream_.handshake(side_, [self = shared_from_this()](AsioError error) {
    if (self->closed()) return;
    if (error) return self->close("TLS: " + words(error));
    self->greet();
  });
}

void AsioConnection::greet() {
  phase_ = Phase::greeting;
  if (side_ == AsioStream::Side::dialer) {
    // Before a word is said: who answers at the address may be another node.
    if (stream_.tls()) {
      const Status named = check_peer_name(stream_.tls()->native_handle(),
                                           certificate_name(dialed_, common_.hello.cluster));
      if (!named) return close(named.error().what);
    }
    send_control(FrameKind::hello, encode_hello(common_.hello));
  }
  read();
}

void AsioConnection::read() {
  const std::span<char> space = reader_.space();
  stream_.read_some(asio::buffer(space.data(), space.size()),
                    [self = shared_from_this()](AsioError error, std::size_t bytes) {
                      if (self->closed()) return;
                      if (error) return self->close(words(error));
                      self->heard_ = LinkClock::now();
                      self->reader_.filled(bytes);
                      self->read_frames();
                    });
}

void AsioConnection::read_frames() {
  while (true) {
    const auto frame = reader_.next();
    if (!frame) return close(frame.error().what);
    if (!*frame) break;
    take(**frame);
    // A refusal is on its way: what the peer says now is of no interest.
    if (closed() || phase_ == Phase::refusing) return;
  }
  read();
}

void AsioConnection::take(const Frame& frame) {
  if (phase_ == Phase::up) {
    if (frame.kind == FrameKind::message) return common_.owner.received(*this, frame.content);
    if (frame.kind == FrameKind::heartbeat) return;
  } else if (phase_ == Phase::greeting && frame.kind == FrameKind::hello) {
    return take_hello(frame.content);
  } else if (phase_ == Phase::agreed && frame.kind == FrameKind::ready) {
    return go_up();
  } else if (frame.kind == FrameKind::refused) {
    return close(fmt::format("refused by the peer: {}",
                             one_line(frame.content.substr(0, refusal_bytes_max))));
  }
  close(fmt::format("a frame of kind {} out of its turn", static_cast<int>(frame.kind)));
}

void AsioConnection::take_hello(std::string_view content) {
  auto theirs = decode_hello(content);
  if (!theirs) return close(theirs.error().what);
  const auto version = agree(common_.hello, *theirs);
  if (!version) return refuse(version.error().what);
  peer_ = {theirs->node, theirs->incarnation, *version, one_line(theirs->build)};
  if (side_ == AsioStream::Side::dialer) {
    if (theirs->node != dialed_)
      return refuse(
          fmt::format("node {} was meant, and node {} has answered", dialed_, theirs->node));
    send_control(FrameKind::ready, {});
    return go_up();
  }
  if (stream_.tls()) {
    const Status named = check_peer_name(stream_.tls()->native_handle(),
                                         certificate_name(theirs->node, theirs->cluster));
    if (!named) return refuse(named.error().what);
  }
  if (const Status welcome = common_.owner.welcome(*theirs); !welcome)
    return refuse(welcome.error().what);
  phase_ = Phase::agreed;
  send_control(FrameKind::hello, encode_hello(common_.hello));
}

void AsioConnection::go_up() {
  phase_ = Phase::up;
  since_ = heard_ = LinkClock::now();
  reader_.set_length_max(common_.limits.frame_bytes_max);
  outbox_ = common_.owner.up(*this);
  if (!outbox_) return close("no peer any more");
  flush();
}

void AsioConnection::refuse(const std::string& why) {
  refusal_ = why;
  phase_ = Phase::refusing;
  send_control(FrameKind::refused, std::string_view(why).substr(0, refusal_bytes_max));
}

AsioConnection::Segment& AsioConnection::open_segment() {
  const bool last_is_fixed = segments_.size() == (writing_ ? 1 : 0);
  if (last_is_fixed || segments_.back().bytes.size() >= segment_bytes_max) segments_.emplace_back();
  return segments_.back();
}

void AsioConnection::send_control(FrameKind kind, std::string_view content) {
  append_frame(open_segment().bytes, kind, content);
  write();
}

void AsioConnection::fill_segments() {
  if (next_taken_ == taken_.size()) {
    taken_ = outbox_->take();
    next_taken_ = 0;
  }
  for (std::size_t bytes = 0; next_taken_ < taken_.size() && bytes < segment_bytes_max;) {
    std::string frame = std::move(taken_[next_taken_++]);
    bytes += frame.size() + frame_header_bytes;
    const std::size_t size = frame.size();
    Segment* segment = &open_segment();
    append_frame_header(segment->bytes, FrameKind::message, size);
    if (size <= small_frame_bytes_max)
      segment->bytes += frame;
    else
      segment = &segments_.emplace_back(Segment{.bytes = std::move(frame)});
    segment->frames += 1;
    segment->content_bytes += size;
  }
}

void AsioConnection::flush() {
  // The end of the write will look: until then the outbox gathers, and nobody wakes this thread.
  if (closed() || writing_) return;
  fill_segments();
  write();
}

void AsioConnection::write() {
  if (writing_ || segments_.empty()) return;
  writing_ = true;
  progressed_ = LinkClock::now();
  const std::string& bytes = segments_.front().bytes;
  stream_.write_some(asio::buffer(bytes.data() + offset_, bytes.size() - offset_),
                     [self = shared_from_this()](AsioError error, std::size_t written) {
                       if (self->closed()) return;
                       if (error) return self->close(words(error));
                       self->wrote(written);
                     });
}

void AsioConnection::wrote(std::size_t bytes) {
  writing_ = false;
  progressed_ = LinkClock::now();
  offset_ += bytes;
  const Segment& first = segments_.front();
  if (offset_ == first.bytes.size()) {
    if (first.frames > 0) {
      outbox_->written(first.frames, first.content_bytes);
      common_.owner.written(*this, first.frames, first.content_bytes);
    }
    segments_.pop_front();
    offset_ = 0;
  }
  if (segments_.empty()) {
    if (phase_ == Phase::refusing) return close(refusal_);
    if (outbox_) fill_segments();
  }
  write();
}

void AsioConnection::tick(LinkClock::time_point now) {
  if (closed()) return;
  const LinkLimits& limits = common_.limits;
  if (phase_ != Phase::up) {
    if (now >= deadline_) close(fmt::format("no link after {} ms", limits.hello_ms));
    return;
  }
  const milliseconds silent(limits.silent_ms);
  if (now - heard_ >= silent) return close(fmt::format("silent for {} ms", limits.silent_ms));
  if (writing_ && now - progressed_ >= silent)
    return close(fmt::format("takes nothing for {} ms", limits.silent_ms));
  if (!writing_ && now - progressed_ >= milliseconds(limits.heartbeat_ms))
    send_control(FrameKind::heartbeat, {});
}

void AsioConnection::excuse(LinkClock::duration late) {
  deadline_ += late;
  heard_ += late;
  progressed_ += late;
}

void AsioConnection::close(const std::string& why) {
  if (closed()) return;
  const auto self = shared_from_this();
  phase_ = Phase::closed;
  stream_.close();
  common_.owner.closed(*this, why);
}

}  // namespace souk::cluster
