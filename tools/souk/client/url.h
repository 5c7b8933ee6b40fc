#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace souk::cli {

/// Where a daemon listens.
struct Url {
  std::string host;  // without the brackets of an IPv6 address
  std::string port;
  bool operator==(const Url&) const = default;
  /// `host:port`, as the Host header has it.
  std::string authority() const;
  std::string text() const { return "http://" + authority(); }
};

/// Takes `http://host[:port][/]` and `host:port`; the port is 80 where none is given. Nothing for
/// all else: https, a path, a user, a port out of range.
std::optional<Url> parse_url(std::string_view text);

/// `text` as one segment of a path: all but unreserved characters percent-encoded.
std::string path_segment(std::string_view text);

/// Builds `?name=value&...`.
class QueryString {
 public:
  /// Left out where `value` is empty.
  QueryString& add(std::string_view name, std::string_view value);
  /// Empty where nothing was added.
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

}  // namespace souk::cli
