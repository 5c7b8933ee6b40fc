#include "projections/sql/sql_wire.h"

#include <bit>

#include "events/result.h"

namespace souk::analytics {
namespace {

enum CellKind : std::uint64_t { cell_null, cell_integer, cell_real, cell_text };

}  // namespace

void FrameWriter::number(std::uint64_t value) {
  for (int shift = 0; shift < 64; shift += 8) bytes_ += static_cast<char>(value >> shift & 0xFF);
}

void FrameWriter::text(std::string_view value) {
  number(value.size());
  bytes_ += value;
}

void FrameWriter::cell(const SqlCell& cell) {
  if (const auto* integer = std::get_if<std::int64_t>(&cell)) {
    number(cell_integer);
    number(static_cast<std::uint64_t>(*integer));
  } else if (const auto* real = std::get_if<double>(&cell)) {
    number(cell_real);
    number(std::bit_cast<std::uint64_t>(*real));
  } else if (const auto* words = std::get_if<std::string>(&cell)) {
    number(cell_text);
    text(*words);
  } else {
    number(cell_null);
  }
}

std::string FrameWriter::finish() && {
  const std::size_t size = bytes_.size() - frame_head_bytes;
  SOUK_ASSERT(size <= frame_bytes_max);
  for (std::size_t i = 0; i < 4; ++i) bytes_[i] = static_cast<char>(size >> (8 * i) & 0xFF);
  return std::move(bytes_);
}

std::uint64_t FrameReader::number() {
  if (rest_.size() < 8) {
    good_ = false;
    rest_ = {};
    return 0;
  }
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < 8; ++i)
    value |= std::uint64_t{static_cast<unsigned char>(rest_[i])} << (8 * i);
  rest_.remove_prefix(8);
  return value;
}

std::string_view FrameReader::text() {
  const std::uint64_t size = number();
  if (size > rest_.size()) {
    good_ = false;
    rest_ = {};
    return {};
  }
  const auto value = rest_.substr(0, size);
  rest_.remove_prefix(size);
  return value;
}

SqlCell FrameReader::cell() {
  switch (number()) {
    case cell_null:
      return std::monostate{};
    case cell_integer:
      return static_cast<std::int64_t>(number());
    case cell_real:
      return std::bit_cast<double>(number());
    case cell_text:
      return std::string(text());
    default:
      good_ = false;
      rest_ = {};
      return std::monostate{};
  }
}

std::string frame_of(const SqlAsk& ask) {
  FrameWriter out(FrameKind::ask);
  out.text(ask.database.native());
  out.text(ask.sql);
  out.number(ask.limits.rows_max);
  out.number(static_cast<std::uint64_t>(ask.limits.time_ms_max));
  out.number(ask.limits.memory_bytes_max);
  out.number(ask.shards);
  out.number(ask.ends.size());
  for (const Seq end : ask.ends) out.number(end);
  return std::move(out).finish();
}

std::optional<SqlAsk> ask_of(std::string_view parts) {
  FrameReader in(parts);
  SqlAsk ask;
  ask.database = in.text();
  ask.sql = in.text();
  ask.limits.rows_max = in.number();
  ask.limits.time_ms_max = static_cast<std::int64_t>(in.number());
  ask.limits.memory_bytes_max = in.number();
  ask.shards = static_cast<std::uint32_t>(in.number());
  for (std::uint64_t count = in.number(); count > 0 && in.good(); --count)
    ask.ends.push_back(in.number());
  if (!in.good()) return std::nullopt;
  return ask;
}

}  // namespace souk::analytics
