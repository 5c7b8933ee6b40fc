#include "gateway/api/batch/batch.h"

#include <vector>

#include "events/json_writer.h"
#include "gateway/api/edge/limits.h"
#include "gateway/api/edge/text.h"

namespace souk {
namespace {

constexpr std::size_t padding = 64;  // readable bytes behind the last line

class JsonLines final : public CommandSource {
 public:
  JsonLines(std::string_view body, CommandReader& reader) : reader_(reader), size_(body.size()) {
    bytes_.reserve(body.size() + padding);
    bytes_ = body;
    bytes_.append(padding, '\0');
  }

  Next next(BatchCommand& out, Problem& problem) override {
    const auto line = next_line();
    if (line.empty()) return Next::end;
    out.shape = nullptr;
    out.input.clear();
    out.conditions = {};
    if (++count_ > limits::batch_commands_max) {
      at_ = size_;
      problem = {413,
                 "too_large",
                 "a batch may hold 100000 commands; this one and all behind it were "
                 "not looked at",
                 {}};
      return Next::problem;
    }
    if (line.size() > limits::command_body_bytes_max) {
      problem = {413, "too_large", "a command may have 1 MiB", {}};
      return Next::problem;
    }
    if (!reader_.read_line(line, out.shape, out.input, problem)) return Next::problem;
    return conditions(out, problem) ? Next::command : Next::problem;
  }

 private:
  /// The next line that is not blank; empty at the end.
  std::string_view next_line() {
    while (at_ < size_) {
      const auto all = std::string_view(bytes_).substr(0, size_);
      const auto end = all.find('\n', at_);
      auto line = all.substr(at_, end == std::string_view::npos ? end : end - at_);
      at_ = end == std::string_view::npos ? size_ : end + 1;
      if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
      if (!trim_blanks(line).empty()) return line;
    }
    return {};
  }

  static bool conditions(BatchCommand& out, Problem& problem) {
    const auto& fields = out.input.fields;
    if (fields.has(FieldId::idempotency_key))
      out.conditions.key = fields.at(FieldId::idempotency_key).text;
    if (fields.has(FieldId::if_match))
      out.conditions.preconditions =
          if_version(static_cast<Version>(fields.at(FieldId::if_match).number));
    if (fields.has(FieldId::if_none_match))
      out.conditions.preconditions = if_absent(out.conditions.preconditions.get());
    if (fields.has(FieldId::prefer)) out.conditions.wants = Wants::minimal;
    if (!fields.has(FieldId::wait)) return true;
    if (out.shape->waits == Waits::no) {
      problem = invalid_request("wait", "this command has nothing to wait for");
      return false;
    }
    out.conditions.wait_final = true;
    return true;
  }

  CommandReader& reader_;
  std::string bytes_;
  std::size_t size_;
  std::size_t at_ = 0;
  std::size_t count_ = 0;
};

class JsonAnswers final : public AnswerWriter {
 public:
  void answer(std::size_t index, BatchAnswer&& answer) override {
    if (lines_.size() <= index) lines_.resize(index + 1);
    auto& line = lines_[index];
    line.reserve(64 + answer.body.size());
    JsonObject object(line);
    object.number("status", answer.status);
    if (answer.replayed) object.truth("replayed", true);
    if (answer.version != 0) object.number("version", answer.version);
    if (!answer.position.empty()) object.plain("position", answer.position);
    if (answer.body_omitted) object.truth("body_omitted", true);
    if (!answer.body.empty()) object.key("body") += answer.body;
    object.end();
    line += '\n';
  }

  std::string finish(std::size_t count) override {
    SOUK_ASSERT(count == lines_.size());
    std::size_t size = 0;
    for (const auto& line : lines_) size += line.size();
    std::string all;
    all.reserve(size);
    for (auto& line : lines_) {
      all += line;
      std::string().swap(line);
    }
    return all;
  }

  std::string_view content_type() const override { return "application/x-ndjson"; }

 private:
  std::vector<std::string> lines_;
};

}  // namespace

std::shared_ptr<const Preconditions> if_absent(const Preconditions* others) {
  Preconditions preconditions = others != nullptr ? *others : Preconditions{};
  preconditions.none_match = Preconditions::Of::any;
  return std::make_shared<const Preconditions>(std::move(preconditions));
}

BatchForm ndjson_batch(std::string_view body, CommandReader& reader) {
  return {std::make_unique<JsonLines>(body, reader), std::make_unique<JsonAnswers>()};
}

}  // namespace souk
