#pragma once
/// What the daemon and a worker of the SQL door say to each other, over a socket between them.
///
/// A frame: its size after the first five bytes (4 bytes, least first), its kind (1 byte), and the
/// parts. Numbers are 8 bytes, least first; texts are their size and their bytes.
/// Both sides are of one binary, so there is no version.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "projections/sql/sql_query.h"

namespace souk::analytics {

enum class FrameKind : std::uint8_t {
  // to the worker
  ask = 'a',
  records = 'r',  // the answer to `scan`: whether there are more; offset and bytes of each
  fault = 'f',    // the answer to `scan` where the journal cannot be read: why
  // from the worker
  scan = 's',     // shard, from, to
  columns = 'c',  // names
  rows = 'w',     // cells of some rows
  done = 'd',     // the summary, SQLite's most memory, and what the process has used
  refused = 'n'   // kind, why, and as `done` says
};

/// Rows are sent together up to about this size.
inline constexpr std::size_t frame_bytes_usual = 64 * 1024;
/// A row of sql_result_bytes_max, or one record of the journal's largest behind a full piece.
inline constexpr std::size_t frame_bytes_max = 64 * 1024 * 1024;
inline constexpr std::size_t frame_head_bytes = 5;

class FrameWriter {
 public:
  explicit FrameWriter(FrameKind kind) : bytes_(4, '\0') { bytes_ += static_cast<char>(kind); }
  void number(std::uint64_t value);
  void text(std::string_view value);
  void cell(const SqlCell& cell);
  std::size_t size() const { return bytes_.size(); }
  bool empty() const { return bytes_.size() == frame_head_bytes; }
  /// With the size at its place. REQUIRES: at most frame_bytes_max.
  std::string finish() &&;

 private:
  std::string bytes_;
};

/// Takes the parts of a frame in their order. Nothing that the bytes say is trusted: what does not
/// fit gives empty parts, and `good` is false from then on.
class FrameReader {
 public:
  explicit FrameReader(std::string_view parts) : rest_(parts) {}
  std::uint64_t number();
  std::string_view text();  // into the frame
  SqlCell cell();
  bool good() const { return good_; }
  bool at_end() const { return rest_.empty(); }

 private:
  std::string_view rest_;
  bool good_ = true;
};

std::string frame_of(const SqlAsk& ask);
/// None: not one.
std::optional<SqlAsk> ask_of(std::string_view parts);

}  // namespace souk::analytics
