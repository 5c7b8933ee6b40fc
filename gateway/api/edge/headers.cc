#include "gateway/api/edge/headers.h"

#include <algorithm>
#include <charconv>

#include "events/limits.h"
#include "gateway/api/edge/text.h"
#include "gateway/api/edge/weights.h"

namespace souk {
namespace {

/// Digits only, and within 64 bits.
template <class Integer>
std::optional<Integer> parse_unsigned(std::string_view text) {
  Integer value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// The first comma that does not stand in quotes.
std::size_t comma_of_list(std::string_view header) {
  bool quoted = false;
  for (std::size_t i = 0; i < header.size(); ++i) {
    if (header[i] == '"') quoted = !quoted;
    if (header[i] == ',' && !quoted) return i;
  }
  return std::string_view::npos;
}

/// Calls `take` with each part between commas, blanks trimmed; stops where it says false.
template <class F>
bool for_each_part(std::string_view header, F take) {
  for (;;) {
    const auto comma = comma_of_list(header);
    if (!take(trim_blanks(header.substr(0, comma)))) return false;
    if (comma == std::string_view::npos) return true;
    header.remove_prefix(comma + 1);
  }
}

bool prefers_minimal(std::string_view prefer) {
  constexpr std::string_view minimal = "return=minimal";
  if (prefer == minimal) return true;
  bool found = false;
  for_each_part(prefer, [&](std::string_view part) {
    const auto first = trim_blanks(part.substr(0, part.find(';')));
    found = found || equals_ignoring_case(first, minimal) ||
            equals_ignoring_case(first, R"(return="minimal")");
    return true;
  });
  return found;
}

/// An entity tag of ours, `"3"` or `"3-7"`.
struct Tag {
  Version version = 0;
  Version beside = 0;
};

/// Digits alone, without leading zeros.
std::optional<Version> canonical_number(std::string_view digits) {
  if (digits.size() > 1 && digits.front() == '0') return std::nullopt;
  return parse_unsigned<Version>(digits);
}

bool is_quoted(std::string_view text) {
  return text.size() >= 2 && text.front() == '"' && text.back() == '"' &&
         text.substr(1, text.size() - 2).find('"') == std::string_view::npos;
}

/// Nothing for one that we never gave. REQUIRES: is_quoted(text).
std::optional<Tag> parse_tag(std::string_view text) {
  const auto inner = text.substr(1, text.size() - 2);
  const auto dash = inner.find('-');
  const auto version = canonical_number(inner.substr(0, dash));
  if (!version) return std::nullopt;
  if (dash == std::string_view::npos) return Tag{*version, 0};
  const auto beside = canonical_number(inner.substr(dash + 1));
  if (!beside) return std::nullopt;
  return Tag{*version, *beside};
}

/// How gladly a client takes one media type: what its closest range says.
struct Wish {
  int weight = 0;
  int closeness = 0;      // 1: */*, 2: all of the kind, 3: the type itself
  std::size_t place = 0;  // in the list

  void hear(const Weighted& range, std::string_view type, std::string_view kind,
            std::size_t at_place) {
    const int close = equals_ignoring_case(range.name, type)   ? 3
                      : equals_ignoring_case(range.name, kind) ? 2
                      : range.name == "*/*"                    ? 1
                                                               : 0;
    if (close <= closeness) return;
    *this = {range.weight, close, at_place};
  }
};

}  // namespace

bool is_idempotency_key(std::string_view key) {
  return !key.empty() && key.size() <= limits::idempotency_key_bytes_max &&
         std::all_of(key.begin(), key.end(), [](char c) { return c >= 0x20 && c <= 0x7e; });
}

bool read_entity_tags(std::string_view header, Weak weak, Preconditions::Of& of,
                      std::vector<Version>& versions) {
  of = header == "*" ? Preconditions::Of::any : Preconditions::Of::listed;
  versions.clear();
  if (header == "*") return true;
  bool some = false;
  const bool whole = for_each_part(header, [&](std::string_view part) {
    if (part.empty()) return true;  // a list may hold empty elements
    const bool is_weak = part.substr(0, 2) == "W/";
    if (is_weak) part.remove_prefix(2);
    if (!is_quoted(part)) return false;
    some = true;
    // A product's names its stock's version too; what is changed is the product.
    const auto parsed = parse_tag(part);
    if (parsed && (!is_weak || weak == Weak::counts)) versions.push_back(parsed->version);
    return true;
  });
  return whole && some;
}

bool none_match_names(std::string_view header, Version version, Version beside) {
  if (header == "*") return true;
  if (header.empty() || version == 0) return false;
  bool named = false;
  for_each_part(header, [&](std::string_view part) {
    if (part.substr(0, 2) == "W/") part.remove_prefix(2);
    const auto tag = is_quoted(part) ? parse_tag(part) : std::nullopt;
    named = named || (tag && tag->version == version && tag->beside == beside);
    return true;
  });
  return named;
}

bool read_conditions(const HttpRequest& request, Conditions& out, Problem& problem) {
  if (request.has_idempotency_key) {
    if (!is_idempotency_key(request.idempotency_key)) {
      problem = invalid_request(
          "Idempotency-Key", "must be 1 to " + std::to_string(limits::idempotency_key_bytes_max) +
                                 " printable ASCII characters");
      return false;
    }
    out.key = request.idempotency_key;
  }
  if (request.has_if_match || request.has_if_none_match) {
    constexpr const char* wanted = R"(must be versions in quotes, as "3" or "3", "4", or *)";
    Preconditions asked;
    if (request.has_if_match &&
        !read_entity_tags(request.if_match, Weak::never, asked.match, asked.matches)) {
      problem = invalid_request("If-Match", wanted);
      return false;
    }
    if (request.has_if_none_match && !read_entity_tags(request.if_none_match, Weak::counts,
                                                       asked.none_match, asked.none_matches)) {
      problem = invalid_request("If-None-Match", wanted);
      return false;
    }
    out.preconditions = std::make_shared<const Preconditions>(std::move(asked));
  }
  if (!request.prefer.empty() && prefers_minimal(request.prefer)) out.wants = Wants::minimal;
  return true;
}

bool read_min_position(std::string_view header, std::uint32_t shards,
                       std::vector<MinPosition>& out) {
  return for_each_part(header, [&](std::string_view part) {
    const auto colon = part.find(':');
    if (colon == std::string_view::npos) return false;
    const auto shard = parse_unsigned<std::uint16_t>(part.substr(0, colon));
    const auto seq = parse_unsigned<Seq>(part.substr(colon + 1));
    if (!shard || !seq || *shard >= shards) return false;
    out.push_back({ShardId{*shard}, *seq});
    return true;
  });
}

AnswerForm answer_form_of(std::string_view accept) {
  Wish csv, json;
  bool malformed = false;
  for (std::size_t place = 1; const auto range = next_weighted(accept, malformed); ++place) {
    csv.hear(*range, "text/csv", "text/*", place);
    json.hear(*range, "application/json", "application/*", place);
  }
  // `*/*` alone is JSON. Where both are wanted alike, the one that is named more closely, or first.
  if (malformed || csv.weight == 0 || csv.weight < json.weight) return AnswerForm::json;
  if (csv.closeness < 2 && json.weight > 0) return AnswerForm::json;
  if (csv.weight > json.weight || csv.closeness > json.closeness) return AnswerForm::csv;
  return csv.closeness == json.closeness && csv.place < json.place ? AnswerForm::csv
                                                                   : AnswerForm::json;
}

MediaType media_type_of(const HttpRequest& request) {
  if (!request.has_content_type) return MediaType::none;
  const auto type = trim_blanks(request.content_type.substr(0, request.content_type.find(';')));
  if (equals_ignoring_case(type, "application/json")) return MediaType::json;
  if (equals_ignoring_case(type, "application/x-ndjson")) return MediaType::ndjson;
  if (equals_ignoring_case(type, "application/x-capnp")) return MediaType::capnp;
  return MediaType::other;
}

Problem unsupported_media_type(std::string_view wanted) {
  return {415, "unsupported_media_type", "the body must be " + std::string(wanted), {}};
}

}  // namespace souk
