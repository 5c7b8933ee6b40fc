#include "tools/souk/cli/verb.h"

#include <charconv>

namespace souk::cli {

Argument required(std::string name, std::string help) {
  return {.name = std::move(name), .help = std::move(help)};
}

Argument any_words(std::string name, std::string help) {
  return {.name = std::move(name), .help = std::move(help), .kind = Argument::Kind::words};
}

Argument option(std::string name, std::string help, std::string fallback) {
  return {.name = std::move(name),
          .help = std::move(help),
          .kind = Argument::Kind::option,
          .fallback = std::move(fallback)};
}

Argument flag(std::string name, std::string help) {
  return {.name = std::move(name), .help = std::move(help), .kind = Argument::Kind::flag};
}

const std::string& Invocation::get(std::string_view name) const {
  static const std::string none;
  const auto found = values.find(name);
  return found == values.end() || found->second.empty() ? none : found->second.front();
}

std::vector<std::string> Invocation::all(std::string_view name) const {
  const auto found = values.find(name);
  return found == values.end() ? std::vector<std::string>{} : found->second;
}

std::string Invocation::joined(std::string_view name) const {
  std::string text;
  for (const std::string& word : all(name)) text += (text.empty() ? "" : " ") + word;
  return text;
}

Outcome<std::int64_t> integer_argument(const Invocation& invocation, std::string_view name,
                                       std::int64_t least, std::int64_t most) {
  const std::string& text = invocation.get(name);
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < least || value > most)
    return Failure{ExitCode::usage, std::string(name) + ": wanted a whole number from " +
                                        std::to_string(least) + " to " + std::to_string(most) +
                                        ", got \"" + text + "\""};
  return value;
}

}  // namespace souk::cli
