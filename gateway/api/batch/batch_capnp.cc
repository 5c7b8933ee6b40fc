#include <capnp/message.h>
#include <capnp/serialize.h>
#include <kj/exception.h>

#include <cstring>
#include <vector>

#include "gateway/api/batch/batch.h"
#include "gateway/api/batch/capnp_command.h"
#include "gateway/api/edge/limits.h"
#include "schema/api.capnp.h"

namespace souk {
namespace {

Problem invalid_capnp(std::string detail) { return {400, "invalid_capnp", std::move(detail), {}}; }

class CapnpCommands final : public CommandSource {
 public:
  CapnpCommands(kj::Array<capnp::word>&& words, CommandReader& reader)
      : words_(kj::mv(words)),
        message_(words_, options(words_.size())),
        reader_(reader),
        commands_(message_.getRoot<schema::Commands>().getCommands()) {}

  ~CapnpCommands() noexcept override {}  // that of the message may throw, says its type

  std::size_t count() const { return commands_.size(); }
  /// Bytes behind the message: a client that thinks one message a command.
  bool has_more() const { return message_.getEnd() != words_.end(); }

  Next next(BatchCommand& out, Problem& problem) override {
    if (at_ >= commands_.size()) return Next::end;
    out.shape = nullptr;
    out.input.clear();
    out.conditions = {};
    try {
      return read_capnp_command(commands_[at_++], reader_, out, problem) ? Next::command
                                                                         : Next::problem;
    } catch (const kj::Exception& e) {
      problem = invalid_capnp("the command cannot be read");
      return Next::problem;
    }
  }

 private:
  /// Texts that several pointers share must not make a small body a large work.
  static capnp::ReaderOptions options(std::size_t words) {
    capnp::ReaderOptions options;
    options.traversalLimitInWords = words * 4 + 1024;
    options.nestingLimit = limits::json_depth_max;
    return options;
  }

  kj::Array<capnp::word> words_;
  capnp::FlatArrayMessageReader message_;
  CommandReader& reader_;
  capnp::List<schema::Command>::Reader commands_;
  unsigned at_ = 0;
};

class CapnpAnswers final : public AnswerWriter {
 public:
  void answer(std::size_t index, BatchAnswer&& answer) override {
    if (answers_.size() <= index) answers_.resize(index + 1);
    answers_[index] = std::move(answer);
  }

  std::string finish(std::size_t count) override {
    SOUK_ASSERT(count == answers_.size());
    capnp::MallocMessageBuilder message;
    auto list = message.initRoot<schema::Answers>().initAnswers(static_cast<unsigned>(count));
    for (unsigned i = 0; i < count; ++i) {
      const auto& from = answers_[i];
      auto to = list[i];
      to.setStatus(static_cast<std::uint16_t>(from.status));
      if (!from.code.empty()) copy(to.initCode(length(from.code)), from.code);
      to.setReplayed(from.replayed);
      to.setVersion(from.version);
      if (!from.position.empty()) copy(to.initPosition(length(from.position)), from.position);
      if (const auto id = id_text_of(from.entity); !id.empty())
        copy(to.initEntityId(length(id)), id);
      if (!from.body.empty()) copy(to.initBody(length(from.body)), from.body);
      to.setBodyOmitted(from.body_omitted);
    }
    const auto words = capnp::messageToFlatArray(message);
    const auto bytes = words.asBytes();
    return {reinterpret_cast<const char*>(bytes.begin()), bytes.size()};
  }

  std::string_view content_type() const override { return "application/x-capnp"; }

 private:
  static unsigned length(std::string_view text) { return static_cast<unsigned>(text.size()); }
  static void copy(capnp::Text::Builder to, std::string_view text) {
    text.copy(to.begin(), text.size());
  }
  static std::string id_text_of(const EntityKey& entity) {
    const auto raw = Id128::from_bytes(entity.id());
    switch (entity.kind()) {
      case Kind::user:
        return raw ? UserId{*raw}.text() : std::string{};
      case Kind::cart:
        return raw ? CartId{*raw}.text() : std::string{};
      case Kind::order:
        return raw ? OrderId{*raw}.text() : std::string{};
      case Kind::sku:
        return std::string(entity.id());
      default:
        return {};
    }
  }

  std::vector<BatchAnswer> answers_;
};

}  // namespace

BatchForm capnp_batch(std::string_view body, CommandReader& reader, Problem& problem) {
  if (body.empty() || body.size() % sizeof(capnp::word) != 0) {
    problem = invalid_capnp("the body is not a whole number of 8-byte words");
    return {};
  }
  auto words = kj::heapArray<capnp::word>(body.size() / sizeof(capnp::word));
  std::memcpy(words.begin(), body.data(), body.size());
  try {
    auto source = std::make_unique<CapnpCommands>(kj::mv(words), reader);
    if (source->has_more()) {
      problem = invalid_capnp("the body must be one message with the root Commands");
      return {};
    }
    if (source->count() > limits::batch_commands_max) {
      problem = {413, "too_large", "a batch may hold 100000 commands", {}};
      return {};
    }
    return {std::move(source), std::make_unique<CapnpAnswers>()};
  } catch (const kj::Exception&) {
    problem = invalid_capnp("the body is not a message with the root Commands");
    return {};
  }
}

}  // namespace souk
