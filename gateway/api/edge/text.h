#pragma once
/// Text as it goes over the wire: JSON out, percent signs and UTF-8 in.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "events/currencies.h"
#include "events/ids.h"
#include "events/json_text.h"
#include "events/time.h"

namespace souk {

void append_number(std::string& out, std::int64_t value);
void append_number(std::string& out, std::uint64_t value);
/// `{"amount":"12.50","currency":"GBP"}`, with the decimals of the currency.
void append_money(std::string& out, Micros amount, Currency currency);
void append_money(std::string& out, const MicrosSum& sum, Currency currency);
/// `[..]`: `append` puts each of `list` to the end of `out`, commas come by themselves.
template <class List, class Append>
void append_list(std::string& out, const List& list, Append&& append) {
  out += '[';
  bool first = true;
  for (const auto& one : list) {
    if (!first) out += ',';
    first = false;
    append(one);
  }
  out += ']';
}
/// A JSON string with the time in RFC 3339.
void append_time(std::string& out, UnixMs at);
/// `shard:seq`, what Souk-Position carries.
std::string position_text(ShardId shard, Seq seq);

/// U+0000 to U+001F or U+007F anywhere.
bool has_control(std::string_view text);
std::string lower_ascii(std::string_view text);
bool equals_ignoring_case(std::string_view a, std::string_view b);
std::string_view trim_blanks(std::string_view text);

/// Decodes %XX. Nothing where a percent sign is not followed by two hex digits.
std::optional<std::string> percent_decode(std::string_view text);

}  // namespace souk
