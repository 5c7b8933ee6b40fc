#include "gateway/api/edge/compression.h"

#include <zlib.h>
#include <zstd.h>

#include <array>

#include "gateway/api/edge/text.h"
#include "gateway/api/edge/weights.h"

namespace souk {
namespace {

constexpr int gzip_level = 5;
constexpr int zstd_level = 3;
constexpr int gzip_window_bits = 15 + 16;  // + 16: with gzip's head and check sum
constexpr int gzip_memory_level = 8;

std::optional<std::string> gzip(std::string_view plain) {
  z_stream stream{};
  if (deflateInit2(&stream, gzip_level, Z_DEFLATED, gzip_window_bits, gzip_memory_level,
                   Z_DEFAULT_STRATEGY) != Z_OK)
    return std::nullopt;
  std::string out(deflateBound(&stream, plain.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(plain.data()));
  stream.avail_in = static_cast<uInt>(plain.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const bool whole = deflate(&stream, Z_FINISH) == Z_STREAM_END;
  out.resize(stream.total_out);
  deflateEnd(&stream);
  if (!whole) return std::nullopt;
  return out;
}

std::optional<std::string> zstd(std::string_view plain) {
  std::string out(ZSTD_compressBound(plain.size()), '\0');
  const std::size_t size =
      ZSTD_compress(out.data(), out.size(), plain.data(), plain.size(), zstd_level);
  if (ZSTD_isError(size)) return std::nullopt;
  out.resize(size);
  return out;
}

}  // namespace

Encoding wanted_encoding(std::string_view header) {
  constexpr std::array preferred = {Encoding::zstd, Encoding::gzip, Encoding::identity};
  constexpr int not_named = -1;
  std::array<int, 3> weights{not_named, not_named, not_named};  // by Encoding
  int others = not_named;
  bool malformed = false;
  while (const auto member = next_weighted(header, malformed)) {
    const auto& [name, weight, parameters] = *member;
    malformed = malformed || parameters;  // no coding has any
    if (equals_ignoring_case(name, "zstd")) weights[2] = weight;
    if (equals_ignoring_case(name, "gzip") || equals_ignoring_case(name, "x-gzip"))
      weights[1] = weight;
    if (equals_ignoring_case(name, "identity")) weights[0] = weight;
    if (name == "*") others = weight;
  }
  if (malformed) return Encoding::identity;
  Encoding best = Encoding::identity;
  int best_weight = 0;
  for (const auto encoding : preferred) {
    int weight = weights[static_cast<std::size_t>(encoding)];
    if (weight == not_named) weight = others;
    if (weight > best_weight) {
      best = encoding;
      best_weight = weight;
    }
  }
  return best;
}

std::string_view encoding_name(Encoding encoding) {
  switch (encoding) {
    case Encoding::identity:
      return {};
    case Encoding::gzip:
      return "gzip";
    case Encoding::zstd:
      return "zstd";
  }
  return {};
}

std::optional<std::string> compress(Encoding encoding, std::string_view plain) {
  auto out = encoding == Encoding::gzip ? gzip(plain) : zstd(plain);
  if (!out || out->size() >= plain.size()) return std::nullopt;
  out->shrink_to_fit();
  return out;
}

}  // namespace souk
