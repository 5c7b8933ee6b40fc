#pragma once
/// A batch of commands in one request: where its commands come from, where its answers go. Two
/// forms, JSON lines and Cap'n Proto, behind the same two interfaces.
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "actors/ports/request.h"
#include "gateway/api/commands/input.h"
#include "gateway/api/commands/json.h"
#include "gateway/api/edge/headers.h"

namespace souk {

/// One command as it stands in a batch. Its texts live until the next one is read.
struct BatchCommand {
  const CommandShape* shape = nullptr;
  CommandInput input;
  Conditions conditions;
};

/// Only where there is nothing yet, as `If-None-Match: *`; and what `others` ask, null: nothing.
std::shared_ptr<const Preconditions> if_absent(const Preconditions* others);

/// Hands out the commands of a batch, one after another. Owns the bytes.
class CommandSource {
 public:
  virtual ~CommandSource() = default;
  enum class Next { command, problem, end };
  /// `problem`: this command is refused; the next one may be good.
  virtual Next next(BatchCommand& out, Problem& problem) = 0;
};

struct BatchAnswer {
  int status = 0;
  std::string_view code;  // of a problem
  bool replayed = false;
  bool body_omitted = false;
  Version version = 0;
  std::string position;
  EntityKey entity;
  std::string body;  // JSON; empty: minimal
};

/// Gathers the answers, which come in any order, into one body.
class AnswerWriter {
 public:
  virtual ~AnswerWriter() = default;
  /// REQUIRES: each index once, 0 to one less than the number of commands.
  virtual void answer(std::size_t index, BatchAnswer&& answer) = 0;
  /// REQUIRES: every index below `count` was answered.
  virtual std::string finish(std::size_t count) = 0;
  virtual std::string_view content_type() const = 0;
};

struct BatchForm {
  std::unique_ptr<CommandSource> source;
  std::unique_ptr<AnswerWriter> writer;
};

/// One JSON object a line; empty lines are skipped. `reader` outlives the batch's reading.
BatchForm ndjson_batch(std::string_view body, CommandReader& reader);
/// One message with the root schema::Commands. Errors: 400 invalid_capnp; 422 too many commands.
/// Nothing with `problem` set.
BatchForm capnp_batch(std::string_view body, CommandReader& reader, Problem& problem);

}  // namespace souk
