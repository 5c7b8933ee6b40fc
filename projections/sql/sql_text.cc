// What is refused by looking at the text alone.
#include <algorithm>
#include <cctype>

#include "projections/sql/sql_guard.h"
#include "projections/sql/tables.h"

namespace souk::analytics {
namespace {

// SQLite copies a common table expression wherever it is named, before anything can stop it: one
// that names another twice, and so on for 30 levels, is a thousand million copies.
constexpr std::size_t copies_max = 1'024;

char small(char c) { return static_cast<char>(std::tolower(static_cast<unsigned char>(c))); }
bool in_word(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '$' ||
         static_cast<unsigned char>(c) >= 0x80;
}

/// Words in small letters, quoted names without their quotes, and single marks. Texts and comments
/// are left out.
class Tokens {
 public:
  explicit Tokens(std::string_view sql) : rest_(sql) {
    while (!rest_.empty()) next();
  }
  std::vector<std::string> all;

 private:
  void skip_to(std::string_view end) {
    const auto at = rest_.find(end);
    rest_.remove_prefix(at == std::string_view::npos ? rest_.size() : at + end.size());
  }
  void quoted(char close) {
    std::string name;
    std::size_t i = 1;
    for (; i < rest_.size(); ++i) {
      if (rest_[i] == close) {
        if (i + 1 >= rest_.size() || rest_[i + 1] != close || close == ']') break;
        ++i;
      }
      name += small(rest_[i]);
    }
    rest_.remove_prefix(std::min(rest_.size(), i + 1));
    // A name in single quotes is one, too, where SQLite expects a name.
    all.push_back(std::move(name));
  }
  void next() {
    const char c = rest_.front();
    if (rest_.starts_with("\xEF\xBB\xBF")) return rest_.remove_prefix(3);  // SQLite's blank
    if (rest_.starts_with("--")) return skip_to("\n");
    if (rest_.starts_with("/*")) {
      rest_.remove_prefix(2);
      return skip_to("*/");
    }
    if (c == '"' || c == '`' || c == '\'') return quoted(c);
    if (c == '[') return quoted(']');
    if (in_word(c)) {
      std::string word;
      while (!rest_.empty() && in_word(rest_.front())) {
        word += small(rest_.front());
        rest_.remove_prefix(1);
      }
      all.push_back(std::move(word));
      return;
    }
    if (std::isspace(static_cast<unsigned char>(c)) == 0) all.emplace_back(1, c);
    rest_.remove_prefix(1);
  }
  std::string_view rest_;
};

/// Of ours: the guard tells the text of a view by its name.
bool is_table(std::string_view name) {
  return std::ranges::any_of(sql_tables(), [&](const auto& doc) { return doc.name == name; });
}

/// Where the name before `AS (` at `as` stands, with a list of columns between them or not.
std::size_t name_before(const std::vector<std::string>& tokens, std::size_t as) {
  std::size_t i = as;
  if (i > 0 && tokens[i - 1] == ")") {
    int depth = 0;
    while (i > 0) {
      --i;
      if (tokens[i] == ")") ++depth;
      if (tokens[i] == "(" && --depth == 0) break;
    }
  }
  return i > 0 ? i - 1 : 0;
}

/// SQLite before 3.46 refused what its parser's stack of 100 did not hold; since then it grows.
constexpr int nesting_max = 64;

int deepest(const std::vector<std::string>& tokens) {
  int open = 0, most = 0;
  for (const std::string& token : tokens) {
    if (token == "(") most = std::max(most, ++open);
    if (token == ")") --open;
  }
  return most;
}

}  // namespace

std::string refuse_text(std::string_view sql, SqlWatch& watch) {
  auto& expressions = watch.expressions;
  if (sql.size() > sql_text_bytes_max)
    return "the statement is longer than " + std::to_string(sql_text_bytes_max) + " bytes";
  if (sql.find('\0') != std::string_view::npos) return "the statement holds a NUL byte";
  const std::vector<std::string> tokens = Tokens(sql).all;
  watch.words.insert(tokens.begin(), tokens.end());
  if (deepest(tokens) > nesting_max)
    return "parentheses are nested more than " + std::to_string(nesting_max) + " deep";
  std::vector<std::size_t> definitions;
  for (std::size_t i = 0; i + 1 < tokens.size(); ++i) {
    if (tokens[i] != "as") continue;
    const std::string& after = tokens[i + 1];
    if (after != "(" && after != "not" && after != "materialized") continue;
    const std::size_t at = name_before(tokens, i);
    if (std::ranges::find(expressions, tokens[at]) != expressions.end())
      return "the name " + tokens[at] + " stands for two common table expressions";
    if (is_table(tokens[at]))
      return "the name " + tokens[at] + " is that of a table: call the expression otherwise";
    expressions.push_back(tokens[at]);
    definitions.push_back(at);
  }
  std::size_t copies = 1;
  for (const std::string& name : expressions) {
    std::size_t named = 0;
    for (std::size_t i = 1; i < tokens.size(); ++i) {
      const std::string& before = tokens[i - 1];
      if (tokens[i] == name && std::ranges::find(definitions, i) == definitions.end() &&
          (before == "from" || before == "join" || before == "," || before == "("))
        ++named;
    }
    copies *= std::max<std::size_t>(1, named);
    if (copies > copies_max)
      return "the common table expressions name each other more often than can be planned";
  }
  return {};
}

}  // namespace souk::analytics
