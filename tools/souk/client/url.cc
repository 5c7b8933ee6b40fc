#include "tools/souk/client/url.h"

#include <charconv>

namespace souk::cli {

std::string Url::authority() const {
  const bool address_6 = host.find(':') != std::string::npos;
  return (address_6 ? "[" + host + "]" : host) + ":" + port;
}

namespace {
bool is_port(std::string_view text) {
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && end == text.data() + text.size() && value >= 1 && value <= 65'535;
}

bool is_host(std::string_view text) {
  return !text.empty() && text.find_first_of(" /?#@:[]%\t\r\n") == std::string_view::npos;
}
std::string percent_encoded(std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (letter || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~') {
      out += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out += '%';
      out += digits[byte >> 4];
      out += digits[byte & 15];
    }
  }
  return out;
}

}  // namespace

std::optional<Url> parse_url(std::string_view text) {
  constexpr std::string_view scheme = "http://";
  bool schemed = false;
  if (text.starts_with(scheme)) {
    text.remove_prefix(scheme.size());
    schemed = true;
  }
  if (text.ends_with('/')) text.remove_suffix(1);
  std::string_view host = text, port;
  if (text.starts_with('[')) {
    const std::size_t close = text.find(']');
    if (close == std::string_view::npos) return std::nullopt;
    host = text.substr(1, close - 1);
    text.remove_prefix(close + 1);
    if (host.empty() ||
        host.find_first_not_of("0123456789abcdefABCDEF:.") != std::string_view::npos)
      return std::nullopt;
    if (!text.empty()) {
      if (text.front() != ':') return std::nullopt;
      port = text.substr(1);
      if (!is_port(port)) return std::nullopt;
    }
  } else {
    const std::size_t colon = text.find(':');
    host = text.substr(0, colon);
    if (!is_host(host)) return std::nullopt;
    if (colon != std::string_view::npos) {
      port = text.substr(colon + 1);
      if (!is_port(port)) return std::nullopt;
    }
  }
  if (port.empty() && !schemed) return std::nullopt;
  return Url{.host = std::string(host), .port = port.empty() ? "80" : std::string(port)};
}

std::string path_segment(std::string_view text) {
  // "." and ".." would be taken for steps in the path.
  if (text == "." || text == "..") return text == "." ? "%2E" : "%2E%2E";
  return percent_encoded(text);
}

QueryString& QueryString::add(std::string_view name, std::string_view value) {
  if (value.empty()) return *this;
  text_ += text_.empty() ? '?' : '&';
  text_ += percent_encoded(name);
  text_ += '=';
  text_ += percent_encoded(value);
  return *this;
}

}  // namespace souk::cli
