#pragma once
/// A file of rows and named columns, in memory.
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "tools/souk/client/failure.h"

namespace souk::cli {

struct SheetRow {
  std::uint32_t line = 0;  // where it begins in the file, from 1
  std::vector<std::string> cells;
  std::string wrong = {};  // empty: as many cells as there are columns
};

struct Sheet {
  std::vector<std::string> columns;  // as the file has them, without blanks around
  std::vector<SheetRow> rows;
  char delimiter = ',';
};

/// The one of comma, semicolon, tab and bar that stands most often in the first line outside of
/// quotes; a first line `sep=;` says it itself.
char guess_delimiter(std::string_view text);

/// Reads delimited text; the first record names the columns. `delimiter` 0: guessed.
/// Errors: refused, where there is no header or it cannot be read.
Outcome<Sheet> read_sheet(std::string_view text, char delimiter);

/// Finds the columns of a sheet by name, whatever the case.
/// Lifecycle: the sheet outlives it.
class Columns {
 public:
  static constexpr std::size_t none = static_cast<std::size_t>(-1);
  explicit Columns(const Sheet& sheet) : sheet_(sheet), used_(sheet.columns.size(), false) {}

  /// The first of `names` that there is, and marks it as used.
  std::size_t find(std::initializer_list<std::string_view> names);
  std::size_t find(std::string_view name) { return find({name}); }
  bool has(std::string_view name) const { return at(name) != none; }
  /// Empty, or which used column stands twice.
  const std::string& wrong() const { return wrong_; }
  /// What nobody asked for.
  std::vector<std::string> unused() const;

 private:
  std::size_t at(std::string_view name) const;

  const Sheet& sheet_;
  std::vector<bool> used_;
  std::string wrong_;
};

/// The cell without blanks around it; empty where there is no such column.
std::string_view cell(const SheetRow& row, std::size_t column);

std::string_view trimmed(std::string_view text);
/// ASCII letters in lower case.
std::string lower(std::string_view text);
/// The parts between `mark`, without blanks around them; empty ones are left out.
std::vector<std::string> parts_of(std::string_view text, std::string_view mark);

}  // namespace souk::cli
