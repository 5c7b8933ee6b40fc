#include "tools/souk/import/html_text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <utility>

namespace souk::cli {
namespace {

using Entity = std::pair<std::string_view, std::string_view>;
constexpr std::array entities = {
    Entity{"amp", "&"},         Entity{"lt", "<"},          Entity{"gt", ">"},
    Entity{"quot", "\""},       Entity{"apos", "'"},        Entity{"nbsp", " "},
    Entity{"ndash", "\u2013"},  Entity{"mdash", "\u2014"},  Entity{"hellip", "\u2026"},
    Entity{"lsquo", "\u2018"},  Entity{"rsquo", "\u2019"},  Entity{"ldquo", "\u201C"},
    Entity{"rdquo", "\u201D"},  Entity{"bull", "\u2022"},   Entity{"middot", "\u00B7"},
    Entity{"copy", "\u00A9"},   Entity{"reg", "\u00AE"},    Entity{"trade", "\u2122"},
    Entity{"deg", "\u00B0"},    Entity{"euro", "\u20AC"},   Entity{"pound", "\u00A3"},
    Entity{"times", "\u00D7"},  Entity{"frac12", "\u00BD"}, Entity{"frac14", "\u00BC"},
    Entity{"eacute", "\u00E9"}, Entity{"egrave", "\u00E8"}, Entity{"agrave", "\u00E0"},
    Entity{"ccedil", "\u00E7"}, Entity{"auml", "\u00E4"},   Entity{"ouml", "\u00F6"},
    Entity{"uuml", "\u00FC"},   Entity{"Auml", "\u00C4"},   Entity{"Ouml", "\u00D6"},
    Entity{"Uuml", "\u00DC"},   Entity{"szlig", "\u00DF"},  Entity{"ntilde", "\u00F1"},
    Entity{"shy", ""},          Entity{"zwnj", ""},         Entity{"ensp", " "},
    Entity{"emsp", " "},        Entity{"thinsp", " "}};

constexpr std::array<std::string_view, 10> paragraphs = {"p",  "h1", "h2", "h3", "h4",
                                                         "h5", "h6", "ul", "ol", "table"};
constexpr std::array<std::string_view, 12> lines = {"br",         "div",     "li",     "tr",
                                                    "section",    "article", "header", "footer",
                                                    "blockquote", "dt",      "dd",     "hr"};
constexpr std::array<std::string_view, 12> inlines = {"b", "i",   "u",  "em", "strong", "span",
                                                      "a", "img", "td", "th", "font",   "small"};

template <std::size_t size>
bool is_one_of(const std::array<std::string_view, size>& names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

void append_utf8(std::string& out, std::uint32_t point) {
  if (point == 0xA0) point = ' ';
  if (point < 0x20 || point > 0x10FFFF || (point >= 0xD800 && point < 0xE000)) return;
  const auto add = [&](std::uint32_t byte) { out += static_cast<char>(byte); };
  if (point < 0x80) return add(point);
  if (point < 0x800) {
    add(0xC0 | point >> 6);
  } else if (point < 0x10000) {
    add(0xE0 | point >> 12);
    add(0x80 | (point >> 6 & 0x3F));
  } else {
    add(0xF0 | point >> 18);
    add(0x80 | (point >> 12 & 0x3F));
    add(0x80 | (point >> 6 & 0x3F));
  }
  add(0x80 | (point & 0x3F));
}

struct Tag {
  std::string name;  // lower case
  bool closing = false;
  std::size_t size = 0;  // of all of it; 0: this is no tag
};

Tag tag_at(std::string_view text) {
  Tag tag;
  std::size_t i = 1;
  if (i < text.size() && text[i] == '/') tag.closing = true, ++i;
  for (; i < text.size(); ++i) {
    const char lower = static_cast<char>(text[i] | 0x20);
    const bool digit = text[i] >= '0' && text[i] <= '9';
    if ((lower < 'a' || lower > 'z') && !(digit && !tag.name.empty())) break;
    tag.name += digit ? text[i] : lower;
  }
  if (tag.name.empty() || i >= text.size()) return tag;
  if (!is_blank(text[i]) && text[i] != '>' && text[i] != '/') return tag;
  for (char quote = 0; i < text.size(); ++i) {
    if (quote != 0 ? text[i] == quote : text[i] == '"' || text[i] == '\'') {
      quote = quote != 0 ? '\0' : text[i];
    } else if (quote == 0 && text[i] == '>') {
      tag.size = i + 1;
      break;
    }
  }
  return tag;
}

class Reader {
 public:
  explicit Reader(std::string_view html) : html_(html) {}

  std::string read() {
    while (at_ < html_.size()) {
      const char c = html_[at_];
      if (c == '<' && markup()) continue;
      if (c == '&' && entity()) continue;
      ++at_;
      if (is_blank(c)) {
        blank_ = true;
      } else {
        text(std::string_view(&c, 1));
      }
    }
    return std::move(out_);
  }

 private:
  /// Whether something at `<` was passed over.
  bool markup() {
    const std::string_view rest = html_.substr(at_);
    if (rest.starts_with("<!--")) {
      const std::size_t end = rest.find("-->", 4);
      at_ = end == std::string_view::npos ? html_.size() : at_ + end + 3;
      return true;
    }
    const Tag tag = tag_at(rest);
    if (tag.size == 0) return false;
    at_ += tag.size;
    if (!tag.closing && (tag.name == "script" || tag.name == "style")) {
      const std::size_t end = html_.find("</" + tag.name, at_);
      at_ = std::min(end, html_.size());
    }
    if (is_one_of(paragraphs, tag.name)) line_ends_ = std::max(line_ends_, 2);
    if (is_one_of(lines, tag.name))
      line_ends_ = tag.name == "br" ? std::min(line_ends_ + 1, 2) : std::max(line_ends_, 1);
    if (tag.name == "td" || tag.name == "th") blank_ = true;
    if (tag.name == "li" && !tag.closing) item_ = true;
    return true;
  }

  bool entity() {
    constexpr std::size_t longest = 10;
    const std::size_t end = html_.substr(at_, longest).find(';');
    if (end == std::string_view::npos || end < 2) return false;
    const std::string_view name = html_.substr(at_ + 1, end - 1);
    std::string value;
    if (name[0] == '#') {
      const bool hex = name.size() > 2 && (name[1] | 0x20) == 'x';
      const std::string_view digits = name.substr(hex ? 2 : 1);
      std::uint32_t point = 0;
      const auto [stop, error] =
          std::from_chars(digits.data(), digits.data() + digits.size(), point, hex ? 16 : 10);
      if (error != std::errc{} || stop != digits.data() + digits.size()) return false;
      append_utf8(value, point);
    } else {
      const auto* known = std::ranges::find(entities, name, &Entity::first);
      if (known == entities.end()) return false;
      value = known->second;
    }
    at_ += end + 1;
    if (value == " ") {
      blank_ = true;
    } else {
      text(value);
    }
    return true;
  }

  /// Something that is seen; what had to stand between it and the text before comes first.
  void text(std::string_view what) {
    if (what.empty()) return;
    if (!out_.empty()) out_.append(static_cast<std::size_t>(line_ends_), '\n');
    if (item_) {
      out_ += "- ";
    } else if (blank_ && !out_.empty() && line_ends_ == 0) {
      out_ += ' ';
    }
    line_ends_ = 0;
    blank_ = item_ = false;
    out_ += what;
  }

  std::string_view html_;
  std::size_t at_ = 0;
  std::string out_;
  int line_ends_ = 0;
  bool blank_ = false, item_ = false;
};

}  // namespace

bool looks_like_html(std::string_view text) {
  for (std::size_t at = text.find('<'); at != std::string_view::npos; at = text.find('<', at + 1)) {
    const Tag tag = tag_at(text.substr(at));
    if (tag.size > 0 && (is_one_of(paragraphs, tag.name) || is_one_of(lines, tag.name) ||
                         is_one_of(inlines, tag.name)))
      return true;
  }
  return false;
}

std::string html_to_text(std::string_view html) { return Reader(html).read(); }

}  // namespace souk::cli
