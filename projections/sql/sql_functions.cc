// Functions for those of SQLite that take time by the product of two lengths, or worse, within one
// call, where nothing can interrupt them; and a few of our own.
#include <fmt/format.h>
#include <sqlite3.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "events/money.h"
#include "events/refusal.h"
#include "events/time.h"
#include "projections/sql/sql_guard.h"

namespace souk::analytics {
namespace {

constexpr std::size_t pattern_bytes_max = 1'000;
constexpr std::size_t steps_between_looks = 16 * 1024;  // of a match: some 0.1 ms

std::string_view text_of(sqlite3_value* value) {
  const auto* text = reinterpret_cast<const char*>(sqlite3_value_text(value));
  const int size = sqlite3_value_bytes(value);
  return text ? std::string_view(text, static_cast<std::size_t>(size)) : std::string_view{};
}

bool any_null(int count, sqlite3_value** values) {
  return std::any_of(values, values + count,
                     [](sqlite3_value* v) { return sqlite3_value_type(v) == SQLITE_NULL; });
}

void give(sqlite3_context* context, std::string_view text) {
  sqlite3_result_text64(context, text.data(), text.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
}

char small(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

/// The bytes of the character that begins at `at`.
std::size_t character(std::string_view text, std::size_t at) {
  std::size_t end = at + 1;
  while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) ++end;
  return end - at;
}

/// One step of a pattern: how many bytes of the pattern, and whether it takes any character.
struct LikePattern {
  std::string_view pattern;
  std::string_view escape;
  bool star(std::size_t at) const { return pattern[at] == '%'; }
  /// Matches one character of `text`; the bytes of the pattern that were used, 0: no match.
  std::size_t match(std::size_t at, std::string_view text, std::size_t from,
                    std::size_t& used) const {
    used = character(text, from);
    if (pattern[at] == '_') return 1;
    std::size_t skip = 0;
    if (!escape.empty() && pattern.substr(at).starts_with(escape)) skip = escape.size();
    if (at + skip >= pattern.size()) return 0;
    used = 1;
    return small(pattern[at + skip]) == small(text[from]) ? skip + 1 : 0;
  }
};

struct GlobPattern {
  std::string_view pattern;
  bool star(std::size_t at) const { return pattern[at] == '*'; }
  std::size_t match(std::size_t at, std::string_view text, std::size_t from,
                    std::size_t& used) const {
    used = character(text, from);
    if (pattern[at] == '?') return 1;
    if (pattern[at] == '[') return set(at, text[from]);
    used = 1;
    return pattern[at] == text[from] ? 1 : 0;
  }
  /// `[a-z]`, `[^a-z]`, by bytes.
  std::size_t set(std::size_t at, char c) const {
    std::size_t i = at + 1;
    const bool inverted = i < pattern.size() && pattern[i] == '^';
    if (inverted) ++i;
    bool found = false;
    for (bool first = true; i < pattern.size() && (first || pattern[i] != ']'); first = false) {
      if (i + 2 < pattern.size() && pattern[i + 1] == '-' && pattern[i + 2] != ']') {
        found = found || (pattern[i] <= c && c <= pattern[i + 2]);
        i += 3;
      } else {
        found = found || pattern[i] == c;
        ++i;
      }
    }
    if (i >= pattern.size()) return 0;
    return found != inverted ? i - at + 1 : 0;
  }
};

/// Only the last star is ever gone back to: length of the text times length of the pattern. None:
/// the query's time was up.
template <class Pattern>
std::optional<bool> matches(const Pattern& p, std::string_view text, SqlWatch& watch) {
  std::size_t at = 0, from = 0, steps = 0;
  std::size_t star = std::string_view::npos, star_from = 0;
  while (from < text.size()) {
    std::size_t used = 0;
    if (++steps % steps_between_looks == 0 && watch.expired()) return std::nullopt;
    if (at < p.pattern.size() && p.star(at)) {
      star = ++at;
      star_from = from;
      continue;
    }
    const std::size_t step = at < p.pattern.size() ? p.match(at, text, from, used) : 0;
    if (step > 0) {
      at += step;
      from += used;
      continue;
    }
    if (star == std::string_view::npos) return false;
    at = star;
    star_from += character(text, star_from);
    from = star_from;
  }
  while (at < p.pattern.size() && p.star(at)) ++at;
  return at == p.pattern.size();
}

bool pattern_too_long(sqlite3_context* context, std::string_view pattern) {
  if (pattern.size() <= pattern_bytes_max) return false;
  sqlite3_result_error(context, "LIKE or GLOB pattern too complex", -1);
  return true;
}

SqlWatch& watch_of(sqlite3_context* context) {
  return *static_cast<SqlWatch*>(sqlite3_user_data(context));
}

void give_match(sqlite3_context* context, std::optional<bool> match) {
  if (match) return sqlite3_result_int(context, *match ? 1 : 0);
  sqlite3_result_error(context, "interrupted", -1);
}

void like(sqlite3_context* context, int count, sqlite3_value** values) {
  if (any_null(count, values)) return;
  LikePattern p{text_of(values[0]), count == 3 ? text_of(values[2]) : std::string_view{}};
  if (pattern_too_long(context, p.pattern)) return;
  if (count == 3 && (p.escape.empty() || character(p.escape, 0) != p.escape.size()))
    return sqlite3_result_error(context, "ESCAPE expression must be a single character", -1);
  give_match(context, matches(p, text_of(values[1]), watch_of(context)));
}

void glob(sqlite3_context* context, int count, sqlite3_value** values) {
  if (any_null(count, values)) return;
  const GlobPattern p{text_of(values[0])};
  if (pattern_too_long(context, p.pattern)) return;
  give_match(context, matches(p, text_of(values[1]), watch_of(context)));
}

/// memmem is linear.
std::size_t find_in(std::string_view text, std::string_view what, std::size_t from) {
  const void* at = memmem(text.data() + from, text.size() - from, what.data(), what.size());
  return at ? static_cast<std::size_t>(static_cast<const char*>(at) - text.data())
            : std::string_view::npos;
}

void instr(sqlite3_context* context, int count, sqlite3_value** values) {
  if (any_null(count, values)) return;
  const std::string_view text = text_of(values[0]);
  const std::string_view what = text_of(values[1]);
  if (what.empty()) return sqlite3_result_int(context, 1);
  const std::size_t at = text.empty() ? std::string_view::npos : find_in(text, what, 0);
  if (at == std::string_view::npos) return sqlite3_result_int(context, 0);
  const auto before = std::count_if(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(at),
                                    [](char c) { return (c & 0xC0) != 0x80; });
  sqlite3_result_int64(context, before + 1);
}

void replace(sqlite3_context* context, int count, sqlite3_value** values) {
  if (any_null(count, values)) return;
  const std::string_view text = text_of(values[0]);
  const std::string_view what = text_of(values[1]);
  const std::string_view with = text_of(values[2]);
  if (what.empty() || text.empty()) return give(context, text);
  const auto longest = static_cast<std::size_t>(
      sqlite3_limit(sqlite3_context_db_handle(context), SQLITE_LIMIT_LENGTH, -1));
  std::string out;
  std::size_t from = 0;
  for (std::size_t at; (at = find_in(text, what, from)) != std::string_view::npos;
       from = at + what.size()) {
    out.append(text, from, at - from).append(with);
    if (out.size() > longest) return sqlite3_result_error_toobig(context);
    if (at + what.size() == text.size()) {
      from = text.size();
      break;
    }
  }
  out.append(text, from);
  give(context, out);
}

void refuse_set(sqlite3_context* context, int, sqlite3_value**) {
  sqlite3_result_error(context, "trim with a set of characters is not available here", -1);
}

/// SQLite's own printf, kept from formats that it would be busy with for seconds: `%.2000000000c`
/// is that many steps, and all are gone through even where the text is too long long before.
class Printf {
 public:
  static void call(sqlite3_context* context, int count, sqlite3_value** values) {
    if (count == 0 || sqlite3_value_type(values[0]) == SQLITE_NULL) return;
    if (const char* wrong = refused(text_of(values[0])))
      return sqlite3_result_error(context, wrong, -1);
    auto& self = *static_cast<Printf*>(sqlite3_user_data(context));
    sqlite3_stmt* query = self.query(sqlite3_context_db_handle(context), count);
    if (!query) return sqlite3_result_error_nomem(context);
    for (int i = 0; i < count; ++i) sqlite3_bind_value(query, i + 1, values[i]);
    if (sqlite3_step(query) == SQLITE_ROW)
      sqlite3_result_value(context, sqlite3_column_value(query, 0));
    else
      sqlite3_result_error_code(context, sqlite3_errcode(self.database_));
    sqlite3_reset(query);
    sqlite3_clear_bindings(query);
  }
  static void drop(void* self) { delete static_cast<Printf*>(self); }

  Printf() = default;
  Printf(const Printf&) = delete;
  Printf& operator=(const Printf&) = delete;
  ~Printf() {
    for (const auto& [count, query] : queries_) sqlite3_finalize(query);
    sqlite3_close_v2(database_);
  }

 private:
  /// Of all widths and precisions of a format together.
  static constexpr std::size_t widths_max = 2'000'000;

  static const char* refused(std::string_view format) {
    std::size_t all = 0;
    for (std::size_t at = format.find('%'); at < format.size(); at = format.find('%', at + 1)) {
      std::size_t number = 0;
      constexpr std::string_view before_the_letter = "-+ #!,.0123456789*";
      for (++at; at < format.size() && before_the_letter.find(format[at]) != before_the_letter.npos;
           ++at) {
        if (format[at] == '*') return "printf: a width must stand in the format, not beside it";
        const bool digit = format[at] >= '0' && format[at] <= '9';
        if (!digit) all += std::exchange(number, 0);
        if (digit) number = number * 10 + static_cast<std::size_t>(format[at] - '0');
        if (all + number > widths_max) return "printf: widths of more than 2,000,000";
      }
      all += number;
    }
    return nullptr;
  }

  sqlite3_stmt* query(sqlite3* asks, int count) {
    if (!database_ && sqlite3_open(":memory:", &database_) != SQLITE_OK) return nullptr;
    sqlite3_limit(database_, SQLITE_LIMIT_LENGTH, sqlite3_limit(asks, SQLITE_LIMIT_LENGTH, -1));
    sqlite3_stmt*& query = queries_[count];
    if (query) return query;
    std::string sql = "SELECT printf(?";
    for (int i = 1; i < count; ++i) sql += ",?";
    sql += ')';
    sqlite3_prepare_v2(database_, sql.c_str(), -1, &query, nullptr);
    return query;
  }

  sqlite3* database_ = nullptr;
  std::map<int, sqlite3_stmt*> queries_;  // by how many arguments
};

void money(sqlite3_context* context, int, sqlite3_value** values) {
  // A sum beyond 64 bits is a number of fifteen digits in SQLite.
  if (sqlite3_value_type(values[0]) == SQLITE_FLOAT)
    return give(context, fmt::format("{:.2f}", sqlite3_value_double(values[0]) / 1e6));
  if (sqlite3_value_type(values[0]) != SQLITE_INTEGER) return;
  give(context, to_decimal({sqlite3_value_int64(values[0])}));
}

void iso_time(sqlite3_context* context, int, sqlite3_value** values) {
  if (sqlite3_value_type(values[0]) != SQLITE_INTEGER) return;
  give(context, to_rfc3339({sqlite3_value_int64(values[0])}));
}

void refusal(sqlite3_context* context, int, sqlite3_value** values) {
  if (sqlite3_value_type(values[0]) != SQLITE_INTEGER) return;
  give(context, refusal_code(static_cast<Refusal>(sqlite3_value_int64(values[0]))));
}

}  // namespace

void add_functions(sqlite3* database, SqlWatch& watch) {
  constexpr int flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS;
  const auto add = [&](const char* name, int arguments,
                       void (*function)(sqlite3_context*, int, sqlite3_value**)) {
    sqlite3_create_function_v2(database, name, arguments, flags, &watch, function, nullptr, nullptr,
                               nullptr);
  };
  add("like", 2, like);
  add("like", 3, like);
  add("glob", 2, glob);
  add("instr", 2, instr);
  add("replace", 3, replace);
  add("trim", 2, refuse_set);
  add("ltrim", 2, refuse_set);
  add("rtrim", 2, refuse_set);
  for (const char* name : {"printf", "format"})  // two names of one function
    sqlite3_create_function_v2(database, name, -1, flags, new Printf, Printf::call, nullptr,
                               nullptr, Printf::drop);
  add("money", 1, money);
  add("iso_time", 1, iso_time);
  add("refusal_code", 1, refusal);
}

}  // namespace souk::analytics
