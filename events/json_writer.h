#pragma once
/// The one way to write a JSON object: straight into a string, commas by themselves.
#include <charconv>
#include <concepts>
#include <string>
#include <string_view>

#include "events/json_text.h"

namespace souk {

/// Lifecycle: begun by its constructor, ended by `end`; objects within it are begun on what `key`
///            returns, and ended before its next member.
class JsonObject {
 public:
  explicit JsonObject(std::string& out) : out_(out) { out_ += '{'; }
  JsonObject(const JsonObject&) = delete;
  JsonObject& operator=(const JsonObject&) = delete;

  /// Begins a member; its value is appended to what this returns. REQUIRES: no escapes in `name`.
  std::string& key(std::string_view name) {
    if (!first_) out_ += ',';
    first_ = false;
    out_ += '"';
    out_ += name;
    out_ += "\":";
    return out_;
  }
  void text(std::string_view name, std::string_view value) { append_json_string(key(name), value); }
  /// Text that needs no escapes: ids, times, words of ours.
  void plain(std::string_view name, std::string_view value) {
    key(name) += '"';
    out_ += value;
    out_ += '"';
  }
  template <std::integral Number>
  void number(std::string_view name, Number value) {
    char digits[24];
    key(name).append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
  }
  template <std::same_as<bool> Truth>
  void truth(std::string_view name, Truth value) {
    key(name) += value ? "true" : "false";
  }
  void null(std::string_view name) { key(name) += "null"; }
  void end() { out_ += '}'; }

 private:
  std::string& out_;
  bool first_ = true;
};

}  // namespace souk
