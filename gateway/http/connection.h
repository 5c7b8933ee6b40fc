#pragma once
/// What the server knows of one connection.
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>

#include "gateway/http/request_reader.h"
#include "gateway/http/send.h"
#include "gateway/http/socket.h"

namespace souk {

inline constexpr std::int64_t no_deadline = std::numeric_limits<std::int64_t>::max();

/// Lifecycle: closed -> reading -> busy (handed over) -> sending -> reading ..., and at the end
/// lingering (nothing more is sent; what the client still sends is dropped, so that it reads our
/// answer and not a reset) -> closed. Slots are used again.
/// Invariant: at most one exchange at a time, and nothing is read while it lasts: a client that
/// pipelines is held back by TCP.
struct Connection {
  enum class State : std::uint8_t { closed, reading, busy, sending, lingering };

  std::int64_t deadline_ms = no_deadline;  // on the steady clock
  FileDescriptor socket;
  std::uint32_t slot = 0;
  std::uint32_t opened = 0;    // counts the slot's connections: a stale socket event is recognised
  std::uint32_t exchange = 0;  // counts the slot's exchanges: a stale ExchangeId is recognised
  State state = State::closed;
  RequestReader::Phase phase = RequestReader::Phase::idle;  // that deadline_ms belongs to
  bool readable = false;     // the socket may have bytes, or the end, for us
  bool half_closed = false;  // the client has sent its end
  bool resuming = false;     // is on the server's list of those to go on with
  bool head_only = false;    // the request in flight is a HEAD
  bool close_after = false;  // its answer is the last
  bool linger = false;       // then do not reset a client that still sends
  RequestReader reader;
  std::size_t counted_bytes = 0;  // of its body, in the server's sum
  std::string ahead;              // bytes behind the request in flight, from ahead_used on
  std::size_t ahead_used = 0;
  SendQueue output;
  std::size_t taken_bytes = 0;  // of output, since deadline_ms was set
  std::size_t linger_left_bytes = 0;

  bool has_ahead() const { return ahead_used < ahead.size(); }
  bool reads() const { return state == State::reading || state == State::lingering; }
  /// A request is in flight or its answer is, and another may follow.
  bool answering() const {
    return state == State::busy || (state == State::sending && !close_after);
  }
  /// Between requests, with nothing received of the next.
  bool idle() const {
    return state == State::reading && reader.phase() == RequestReader::Phase::idle && !has_ahead();
  }
};

}  // namespace souk
