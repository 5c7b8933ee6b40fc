#include "events/shared_log/kafka_options.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <fstream>
#include <string_view>

namespace souk {

Status check_kafka_property(const std::string& name) {
  static constexpr std::string_view whole[] = {"security.protocol",
                                               "socket.keepalive.enable",
                                               "broker.address.family",
                                               "client.dns.lookup",
                                               "broker.address.ttl",
                                               "enable.ssl.certificate.verification",
                                               "debug"};
  static constexpr std::string_view begins[] = {"ssl.", "sasl.", "https."};
  const bool known =
      std::ranges::find(whole, name) != std::end(whole) ||
      std::ranges::any_of(begins, [&](std::string_view b) { return name.starts_with(b); });
  if (known) return Done{};
  return Fault{
      Fault::Kind::mismatch,
      fmt::format("{}: not a setting of how brokers are reached (security.protocol, ssl.*, "
                  "sasl.*, socket.keepalive.enable, broker.address.family, "
                  "client.dns.lookup, debug); the others are Souk's own, its promises rest "
                  "on them",
                  name)};
}

Result<std::map<std::string, std::string>, Fault> read_kafka_properties(const std::string& path) {
  std::ifstream file(path);
  if (!file) return Fault{Fault::Kind::mismatch, fmt::format("{}: the file cannot be read", path)};
  const auto trimmed = [](std::string_view text) {
    const auto first = text.find_first_not_of(" \t\r");
    if (first == std::string_view::npos) return std::string();
    return std::string(text.substr(first, text.find_last_not_of(" \t\r") - first + 1));
  };
  std::map<std::string, std::string> found;
  std::string text;
  for (int line = 1; std::getline(file, text); ++line) {
    const std::string content = trimmed(text);
    if (content.empty() || content.starts_with('#')) continue;
    const auto equals = content.find('=');
    if (equals == std::string::npos)
      return Fault{Fault::Kind::mismatch,
                   fmt::format("{} line {}: a line is NAME=VALUE", path, line)};
    std::string name = trimmed(content.substr(0, equals));
    if (auto fits = check_kafka_property(name); !fits.ok())
      return Fault{Fault::Kind::mismatch,
                   fmt::format("{} line {}: {}", path, line, fits.error().what)};
    found[std::move(name)] = trimmed(content.substr(equals + 1));
  }
  return found;
}

Status check_cluster_name(const std::string& name) {
  const bool fits = !name.empty() && name.size() <= 100 && std::ranges::all_of(name, [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '-';
  });
  if (fits) return Done{};
  return Fault{
      Fault::Kind::mismatch,
      fmt::format("\"{}\": the name of a cluster has 1 to 100 letters, digits, '_' and '-'; "
                  "its topics are named after it",
                  name)};
}

}  // namespace souk
