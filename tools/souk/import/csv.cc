#include "tools/souk/import/csv.h"

namespace souk::cli {
namespace {
constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
}

void CsvReader::feed(std::string_view bytes) {
  for (const char c : bytes) {
    if (at_start_) {
      if (c == byte_order_mark[mark_matched_]) {
        if (++mark_matched_ == byte_order_mark.size()) at_start_ = false;
        continue;
      }
      at_start_ = false;
      for (std::size_t i = 0; i < mark_matched_; ++i) step(byte_order_mark[i]);
    }
    step(c);
  }
}

void CsvReader::finish() {
  if (at_start_) {
    at_start_ = false;
    for (std::size_t i = 0; i < mark_matched_; ++i) step(byte_order_mark[i]);
  }
  if (state_ == State::quoted) fail("a quote is never closed");
  if (carriage_) fail("a carriage return without a line feed");
  if (begun_) end_record();
}

void CsvReader::append(char c) {
  if (++record_bytes_ > record_bytes_max) return fail("longer than 1 MiB");
  if (fields_used_ == record_.fields.size()) record_.fields.emplace_back();
  record_.fields[fields_used_] += c;
}

void CsvReader::fail(const char* what) {
  if (record_.wrong.empty()) record_.wrong = what;
  begun_ = true;
  carriage_ = false;
  state_ = State::skipping;
}

void CsvReader::end_field() {
  if (fields_used_ == record_.fields.size()) record_.fields.emplace_back();
  ++fields_used_;
}

void CsvReader::end_record() {
  if (begun_) {
    if (record_.wrong.empty()) end_field();
    record_.fields.resize(fields_used_);
    take_(record_);
  }
  // The strings keep their memory for the next record.
  for (std::string& field : record_.fields) field.clear();
  record_.wrong.clear();
  fields_used_ = 0;
  record_bytes_ = 0;
  begun_ = carriage_ = false;
  state_ = State::field_start;
}

void CsvReader::step(char c) {
  if (!begun_) record_.line = line_;
  if (c == '\n') ++line_;
  if (state_ == State::quoted) {
    if (c == '"') {
      state_ = State::quote_seen;
    } else {
      append(c);
    }
    return;
  }
  if (c == '\n') return end_record();
  if (carriage_) return fail("a carriage return without a line feed");
  if (state_ == State::skipping) return;
  if (c == '\r') {
    carriage_ = true;
    return;
  }
  begun_ = true;
  if (c == delimiter_) {
    end_field();
    state_ = State::field_start;
  } else if (c == '"') {
    if (state_ == State::unquoted && delimiter_ == '\t') return append(c);
    if (state_ == State::unquoted) return fail("a quote inside a field without quotes");
    if (state_ == State::quote_seen) append('"');
    state_ = State::quoted;
  } else if (state_ == State::quote_seen) {
    fail("text behind a closing quote");
  } else {
    state_ = State::unquoted;
    append(c);
  }
}

}  // namespace souk::cli
