#include "projections/search/query_text.h"

#include <algorithm>

#include "projections/search/words.h"

namespace souk::search {
namespace {

constexpr std::size_t denied_words_max = 3;

/// Curly quotes become straight ones; quotes that nothing closes are dropped.
std::string straight(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto three = text.substr(i, 3);
    if (three == "\xE2\x80\x9C" || three == "\xE2\x80\x9D") {
      out.push_back('"');
      i += 2;
    } else {
      out.push_back(text[i]);
    }
  }
  if (std::count(out.begin(), out.end(), '"') % 2 == 1) out[out.rfind('"')] = ' ';
  return out;
}

/// Splits a run of words without quotes into what is wanted and what is not.
void parse_plain(const std::string& text, QueryText& query) {
  const auto words = words_of(text);
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (!negation_asked(words[i].text)) {
      query.words.push_back(words[i].text);
      continue;
    }
    std::vector<std::string> denied;
    std::size_t next = i + 1;
    while (next < words.size() && (stop_word(words[next].text) || words[next].text == "any"))
      ++next;
    for (; next < words.size() && denied.size() < denied_words_max &&
           !stop_word(words[next].text) && !negation_asked(words[next].text);
         ++next) {
      denied.push_back(words[next].text);
    }
    if (denied.empty()) {
      query.words.push_back(words[i].text);  // nothing is named
    } else {
      query.denied.push_back(std::move(denied));
      i = next - 1;
    }
  }
}

/// Takes the words of ` -word` out of `text`.
std::string without_excluded(const std::string& text, QueryText& query) {
  std::string rest;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool begins = text[i] == '-' && (i == 0 || text[i - 1] == ' ') && i + 1 < text.size() &&
                        text[i + 1] != ' ' && text[i + 1] != '-';
    if (!begins) {
      rest.push_back(text[i]);
      continue;
    }
    const auto end = std::min(text.find(' ', i), text.size());
    for (const auto& word : words_of(std::string_view(text).substr(i + 1, end - i - 1))) {
      query.excluded.push_back(word.text);
    }
    rest.push_back(' ');
    i = end == text.size() ? end - 1 : end;
  }
  return rest;
}

}  // namespace

QueryText parse_query(std::string_view text) {
  const std::string whole = straight(text.substr(0, query_bytes_max));
  QueryText query;
  query.open_end = !whole.empty() && whole.back() != ' ' && whole.back() != '"';
  std::size_t at = 0;
  for (bool quoted = false; at <= whole.size(); quoted = !quoted) {
    const auto end = std::min(whole.find('"', at), whole.size());
    const std::string part = whole.substr(at, end - at);
    at = end + 1;
    if (!quoted) {
      parse_plain(without_excluded(part, query), query);
      continue;
    }
    std::vector<std::string> phrase;
    for (const auto& word : words_of(part)) phrase.push_back(word.text);
    query.words.insert(query.words.end(), phrase.begin(), phrase.end());
    if (phrase.size() > query_words_max) phrase.resize(query_words_max);
    if (phrase.size() > 1) query.phrases.push_back(std::move(phrase));
  }
  const bool only_stops = std::all_of(query.words.begin(), query.words.end(),
                                      [](const auto& word) { return stop_word(word); });
  if (!only_stops) std::erase_if(query.words, [](const auto& word) { return stop_word(word); });
  if (query.words.size() > query_words_max) query.words.resize(query_words_max);
  if (query.excluded.size() > query_words_max) query.excluded.resize(query_words_max);
  if (query.denied.size() > query_words_max) query.denied.resize(query_words_max);
  if (query.phrases.size() > query_words_max) query.phrases.resize(query_words_max);
  return query;
}

}  // namespace souk::search
