#include "gateway/http/chunked.h"

#include <algorithm>

namespace souk {
namespace {

constexpr std::uint8_t size_digits_max = 15;  // 60 bits: no overflow to think of

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte < 0x20 && c != '\t') || byte == 0x7f;
}

}  // namespace

ChunkDecoder::Step ChunkDecoder::decode(std::string_view bytes, std::size_t body_bytes_max,
                                        std::string& body) {
  std::size_t at = 0;
  while (at < bytes.size()) {
    if (state_ == State::data) {
      const auto take =
          static_cast<std::size_t>(std::min<std::uint64_t>(chunk_left_, bytes.size() - at));
      body.append(bytes.substr(at, take));
      at += take;
      chunk_left_ -= take;
      body_bytes_ += take;
      if (chunk_left_ == 0) state_ = State::data_return;
      continue;
    }
    const Outcome outcome = take_framing(bytes[at], body_bytes_max);
    ++at;
    if (outcome != Outcome::more) return {outcome, at};
  }
  return {Outcome::more, at};
}

ChunkDecoder::Outcome ChunkDecoder::take_framing(char c, std::size_t body_bytes_max) {
  switch (state_) {
    case State::size:
      return take_size(c);
    case State::extension:
      return take_ignored(c, State::size_line_feed);
    case State::size_line_feed:
      if (c != '\n') return Outcome::malformed;
      digits_ = 0;
      if (chunk_left_ > body_bytes_max - body_bytes_) return Outcome::too_large;
      state_ = chunk_left_ > 0 ? State::data : State::trailer_start;
      return Outcome::more;
    case State::data:
      break;  // taken by decode
    case State::data_return:
      return expect(c, '\r', State::data_line_feed);
    case State::data_line_feed:
      return expect(c, '\n', State::size);
    case State::trailer_start:
      if (c == '\r') return expect(c, '\r', State::last_line_feed);
      if (c == ' ' || c == '\t' || c == ':') return Outcome::malformed;  // folding, no name
      [[fallthrough]];
    case State::trailer:
      state_ = State::trailer;
      return take_ignored(c, State::trailer_line_feed);
    case State::trailer_line_feed:
      return expect(c, '\n', State::trailer_start);
    case State::last_line_feed:
      return c == '\n' ? Outcome::done : Outcome::malformed;
  }
  return Outcome::malformed;
}

ChunkDecoder::Outcome ChunkDecoder::take_size(char c) {
  if (const int digit = hex_digit(c); digit >= 0) {
    if (++digits_ > size_digits_max) return Outcome::malformed;
    chunk_left_ = chunk_left_ * 16 + static_cast<std::uint64_t>(digit);
    return Outcome::more;
  }
  if (digits_ == 0) return Outcome::malformed;
  if (c == '\r') return expect(c, '\r', State::size_line_feed);
  if (c != ';' && c != ' ' && c != '\t') return Outcome::malformed;
  state_ = State::extension;
  return Outcome::more;
}

ChunkDecoder::Outcome ChunkDecoder::take_ignored(char c, State at_line_end) {
  if (c == '\r') return expect(c, '\r', at_line_end);
  if (control(c) || ++overhead_bytes_ > overhead_bytes_max) return Outcome::malformed;
  return Outcome::more;
}

ChunkDecoder::Outcome ChunkDecoder::expect(char c, char wanted, State next) {
  if (c != wanted) return Outcome::malformed;
  state_ = next;
  return Outcome::more;
}

}  // namespace souk
