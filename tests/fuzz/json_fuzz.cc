// Bodies of commands and lines of batches: the first byte says which, the rest is what the client
// sent. What is taken has a canonical form; what is refused says why.
#include <cstdint>
#include <string>
#include <string_view>

#include "events/result.h"
#include "gateway/api/commands/json.h"

namespace {

using namespace souk;

constexpr std::size_t padding_bytes = 64;

void check_refusal(const Problem& problem) {
  SOUK_ASSERT(problem.status >= 400 && problem.status < 500);
  SOUK_ASSERT(!problem.code.empty() && !problem.detail.empty());
}

std::string_view padded(const std::string& text) {
  return {text.data(), text.size() - padding_bytes};
}

void body(CommandReader& reader, Action action, const std::string& text) {
  CommandInput input;
  Problem problem;
  for (const Field& field : shape_of(action).fields)
    if (field.place == Place::path) input.fields.set(field.id, {"x", 0});
  if (!reader.read_body(shape_of(action), padded(text), input, problem))
    return check_refusal(problem);
  if (!check_complete(shape_of(action), input, problem)) return check_refusal(problem);
  const std::string first = canonical_bytes(shape_of(action), input);
  // The reader's buffers are used again: what it says must not depend on what it read before.
  CommandInput again;
  for (const Field& field : shape_of(action).fields)
    if (field.place == Place::path) again.fields.set(field.id, {"x", 0});
  SOUK_ASSERT(reader.read_body(shape_of(action), padded(text), again, problem));
  SOUK_ASSERT(canonical_bytes(shape_of(action), again) == first);
}

void line(CommandReader& reader, const std::string& text) {
  CommandInput input;
  Problem problem;
  const CommandShape* shape = nullptr;
  if (!reader.read_line(padded(text), shape, input, problem)) return check_refusal(problem);
  SOUK_ASSERT(shape != nullptr);
  if (!check_complete(*shape, input, problem)) return check_refusal(problem);
  canonical_bytes(*shape, input);
}

void object(CommandReader& reader, const std::string& text) {
  std::string shortest, again;
  Problem problem;
  if (!reader.read_object(padded(text), shortest, problem)) return check_refusal(problem);
  const std::string held = shortest + std::string(padding_bytes, '\0');
  SOUK_ASSERT(reader.read_object(padded(held), again, problem));
  SOUK_ASSERT(again == shortest);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static CommandReader reader;
  if (size == 0) return 0;
  std::string text(reinterpret_cast<const char*>(data) + 1, size - 1);
  text.append(padding_bytes, '\0');
  text.shrink_to_fit();
  const std::size_t what = data[0] % (command_count + 2);
  if (what < command_count) body(reader, static_cast<Action>(what), text);
  if (what == command_count) line(reader, text);
  if (what == command_count + 1) object(reader, text);
  return 0;
}
