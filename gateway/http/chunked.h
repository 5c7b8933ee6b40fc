#pragma once
/// The chunked transfer coding (RFC 9112, section 7.1), taken off as bytes arrive.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace souk {

/// Strict: CRLF line ends only; extensions (`;name`, `;name=token`, `;name="text"`, blanks only
/// where the grammar has them) and trailers (`name:value`) are read and ignored.
///
/// Lifecycle: one per body; `reset` makes it as new.
class ChunkDecoder {
 public:
  enum class Outcome : std::uint8_t { more, done, malformed, too_large };
  struct Step {
    Outcome outcome = Outcome::more;
    std::size_t used = 0;  // of the bytes given; all of them with `more`
  };

  /// Extensions and trailers of one body together.
  static constexpr std::size_t overhead_bytes_max = 16 * 1024;

  /// Appends to `body` what `bytes` hold of it. `too_large` as soon as a chunk is announced with
  /// which the body would pass `body_bytes_max`. Nothing may follow an outcome other than `more`.
  Step decode(std::string_view bytes, std::size_t body_bytes_max, std::string& body);
  void reset() { *this = ChunkDecoder{}; }

 private:
  enum class State : std::uint8_t {
    size,
    size_blank,  // behind the size or a value: an extension must follow
    name_start,
    name,
    name_blank,  // an equals sign or the next extension must follow
    value_start,
    value,
    quoted,
    quoted_pair,
    quoted_end,
    size_line_feed,
    data,
    data_return,
    data_line_feed,
    trailer_start,
    trailer_name,
    trailer_value,
    trailer_line_feed,
    last_line_feed,
  };
  Outcome take_size(char c);
  Outcome take_framing(char c, std::size_t body_bytes_max);
  Outcome take_extension(char c);
  Outcome take_trailer(char c);
  Outcome end_of_extension(char c, State at_blank);
  Outcome ignore(State next);
  Outcome expect(char c, char wanted, State next);

  std::uint64_t chunk_left_ = 0;
  std::uint64_t body_bytes_ = 0;
  std::uint32_t overhead_bytes_ = 0;
  std::uint8_t digits_ = 0;
  State state_ = State::size;
};

}  // namespace souk
