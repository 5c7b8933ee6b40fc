#pragma once
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace souk::cli {

enum class Align { left, right };

/// Lines up columns: a heading, then rows; two blanks between columns, none at the end of a line.
class Table {
 public:
  struct Column {
    std::string title;
    Align align = Align::left;
  };
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}
  /// REQUIRES: as many cells as there are columns.
  void add(std::vector<std::string> cells);
  bool empty() const { return rows_.empty(); }
  std::string text() const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

/// `name: value` lines with the values lined up; empty values are left out.
std::string facts_text(const std::vector<std::pair<std::string, std::string>>& facts);

/// How many columns of a terminal `text` takes: code points, wide ones counted twice.
std::size_t display_width(std::string_view text);

/// 1234567 as 1,234,567.
std::string with_thousands(std::uint64_t number);

}  // namespace souk::cli
