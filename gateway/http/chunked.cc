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

/// Of a token (RFC 9110, 5.6.2).
bool token(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         (c != 0 && std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos);
}

bool blank(char c) { return c == ' ' || c == '\t'; }

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
    case State::size_blank:
    case State::name_start:
    case State::name:
    case State::name_blank:
    case State::value_start:
    case State::value:
    case State::quoted:
    case State::quoted_pair:
    case State::quoted_end:
      return take_extension(c);
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
    case State::trailer_name:
    case State::trailer_value:
      return take_trailer(c);
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
  if (c == ';') return expect(c, ';', State::name_start);
  return end_of_extension(c, State::size_blank);
}

/// What may stand behind a size, a name or a value: the line's end, blanks, another extension.
ChunkDecoder::Outcome ChunkDecoder::end_of_extension(char c, State at_blank) {
  if (c == '\r') return expect(c, '\r', State::size_line_feed);
  if (c == ';') return ignore(State::name_start);
  return blank(c) ? ignore(at_blank) : Outcome::malformed;
}

ChunkDecoder::Outcome ChunkDecoder::take_extension(char c) {
  switch (state_) {
    case State::size_blank:
      if (blank(c)) return ignore(State::size_blank);
      return c == ';' ? ignore(State::name_start) : Outcome::malformed;
    case State::name_start:
      if (blank(c)) return ignore(State::name_start);
      return token(c) ? ignore(State::name) : Outcome::malformed;
    case State::name:
      if (token(c)) return ignore(State::name);
      if (c == '=') return ignore(State::value_start);
      return end_of_extension(c, State::name_blank);
    case State::name_blank:
      if (c == '=') return ignore(State::value_start);
      if (blank(c)) return ignore(State::name_blank);
      return c == ';' ? ignore(State::name_start) : Outcome::malformed;
    case State::value_start:
      if (blank(c)) return ignore(State::value_start);
      if (c == '"') return ignore(State::quoted);
      return token(c) ? ignore(State::value) : Outcome::malformed;
    case State::value:
      return token(c) ? ignore(State::value) : end_of_extension(c, State::size_blank);
    case State::quoted:
      if (c == '"') return ignore(State::quoted_end);
      if (control(c)) return Outcome::malformed;
      return ignore(c == '\\' ? State::quoted_pair : State::quoted);
    case State::quoted_pair:
      return control(c) ? Outcome::malformed : ignore(State::quoted);
    default:
      return end_of_extension(c, State::size_blank);
  }
}

ChunkDecoder::Outcome ChunkDecoder::take_trailer(char c) {
  if (state_ == State::trailer_value) {
    if (c == '\r') return expect(c, '\r', State::trailer_line_feed);
    return control(c) ? Outcome::malformed : ignore(State::trailer_value);
  }
  if (state_ == State::trailer_start && c == '\r') return expect(c, '\r', State::last_line_feed);
  if (state_ == State::trailer_name && c == ':') return ignore(State::trailer_value);
  return token(c) ? ignore(State::trailer_name) : Outcome::malformed;
}

/// A byte that says nothing to us.
ChunkDecoder::Outcome ChunkDecoder::ignore(State next) {
  if (++overhead_bytes_ > overhead_bytes_max) return Outcome::malformed;
  state_ = next;
  return Outcome::more;
}

ChunkDecoder::Outcome ChunkDecoder::expect(char c, char wanted, State next) {
  if (c != wanted) return Outcome::malformed;
  state_ = next;
  return Outcome::more;
}

}  // namespace souk
