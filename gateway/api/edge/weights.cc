#include "gateway/api/edge/weights.h"

#include "gateway/api/edge/text.h"

namespace souk {
namespace {

/// In thousandths, as `0.5` or `1.000`; nothing where it is malformed.
std::optional<int> read_weight(std::string_view text) {
  if (text.empty() || text.size() > 5 || (text[0] != '0' && text[0] != '1')) return std::nullopt;
  int weight = (text[0] - '0') * 1000;
  if (text.size() == 1) return weight;
  if (text[1] != '.') return std::nullopt;
  int unit = 100;
  for (const char digit : text.substr(2)) {
    if (digit < '0' || digit > '9') return std::nullopt;
    weight += (digit - '0') * unit;
    unit /= 10;
  }
  if (weight > 1000) return std::nullopt;
  return weight;
}

/// Takes what stands in front of `mark` off `text`.
std::string_view take_until(std::string_view& text, char mark) {
  const auto end = text.find(mark);
  const auto part = text.substr(0, end);
  text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  return trim_blanks(part);
}

}  // namespace

std::optional<Weighted> next_weighted(std::string_view& list, bool& malformed) {
  while (!list.empty()) {
    auto member = take_until(list, ',');
    if (member.empty()) continue;
    Weighted out;
    out.name = take_until(member, ';');
    while (!member.empty()) {
      const auto parameter = take_until(member, ';');
      if (parameter.size() < 2 || (parameter[0] | 0x20) != 'q' || parameter[1] != '=') {
        out.parameters = out.parameters || !parameter.empty();
        continue;
      }
      const auto weight = read_weight(parameter.substr(2));
      malformed = malformed || !weight;
      out.weight = weight.value_or(0);
    }
    return out;
  }
  return std::nullopt;
}

}  // namespace souk
