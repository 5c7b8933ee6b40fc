#pragma once
/// RFC 4180, read strictly and in pieces; other delimiters too.
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace souk::cli {

struct CsvRecord {
  std::uint64_t line = 0;  // where it begins in the file, from 1
  std::vector<std::string> fields;
  std::string wrong;  // empty: well formed; otherwise what is not, and `fields` is of no use
};

/// Takes the bytes of a file in pieces of any size and hands over its records one by one.
///
/// Accepts LF and CRLF, a missing line end at the very end, a byte order mark at the very
/// beginning. A record that is wrong (a quote inside an unquoted field, text behind a closing
/// quote, an open quote at the end of the file, longer than record_bytes_max) is handed over with
/// `wrong` set and reading goes on with the next line. Blank lines are skipped. Between tabs a quote
/// inside a field is a letter like any other: that is how such files are written.
class CsvReader {
 public:
  static constexpr std::size_t record_bytes_max = 1024 * 1024;
  using Take = std::function<void(const CsvRecord&)>;

  explicit CsvReader(Take take, char delimiter = ',')
      : take_(std::move(take)), delimiter_(delimiter) {}
  void feed(std::string_view bytes);
  /// The file has ended.
  void finish();

 private:
  enum class State { field_start, unquoted, quoted, quote_seen, skipping };
  void step(char c);
  void end_field();
  void end_record();
  void fail(const char* what);
  void append(char c);

  Take take_;
  const char delimiter_;
  State state_ = State::field_start;
  CsvRecord record_;
  std::size_t fields_used_ = 0;
  std::size_t record_bytes_ = 0;
  std::uint64_t line_ = 1;
  std::size_t mark_matched_ = 0;
  bool begun_ = false;     // the record has a field or a byte
  bool carriage_ = false;  // a CR outside quotes, perhaps half of a line end
  bool at_start_ = true;
};

}  // namespace souk::cli
