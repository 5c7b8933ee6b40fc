#include "tools/souk/client/batch_sender.h"

#include <algorithm>
#include <chrono>
#include <thread>

namespace souk::cli {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr auto pause_first = milliseconds(20);
constexpr auto pause_longest = milliseconds(500);

bool try_again(int status) { return status == 429 || status == 503; }

}  // namespace

CommandBatch& CommandBatch::begin(std::string_view command) {
  text_.append("{\"command\":\"").append(command).append("\"");
  return *this;
}

CommandBatch& CommandBatch::raw(std::string_view name, std::string_view value) {
  text_.append(",\"").append(name).append("\":").append(value);
  return *this;
}

CommandBatch& CommandBatch::text(std::string_view name, std::string_view value) {
  text_.append(",\"").append(name).append("\":");
  append_json_string(text_, value);
  return *this;
}

CommandBatch& CommandBatch::members(std::string_view json) {
  text_.append(json);
  return *this;
}

CommandBatch& CommandBatch::number(std::string_view name, std::int64_t value) {
  return raw(name, std::to_string(value));
}

void CommandBatch::end() {
  text_ += "}\n";
  ends_.push_back(text_.size());
}

std::string_view CommandBatch::command(std::size_t index) const {
  return text_of(index, index + 1);
}

std::string_view CommandBatch::text_of(std::size_t first, std::size_t last) const {
  const std::size_t begin = first == 0 ? 0 : ends_[first - 1];
  return std::string_view(text_).substr(begin, ends_[last - 1] - begin);
}

Outcome<std::vector<BatchAnswer>> BatchSender::send(const CommandBatch& batch,
                                                    std::string_view id_member) {
  std::vector<BatchAnswer> answers(batch.size());
  std::vector<std::size_t> which;
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    which.push_back(i);
    bytes += batch.command(i).size();
    if (which.size() < commands_per_request_max && bytes < bytes_per_request_max &&
        i + 1 < batch.size())
      continue;
    if (auto sent = send_some(batch, which, id_member, answers); !sent) return sent.error();
    which.clear();
    bytes = 0;
  }
  return answers;
}

Outcome<Done> BatchSender::send_some(const CommandBatch& batch,
                                     const std::vector<std::size_t>& which,
                                     std::string_view id_member,
                                     std::vector<BatchAnswer>& answers) {
  std::vector<std::size_t> left = which;
  auto deadline = steady_clock::now() + milliseconds(patience_ms);
  auto pause = pause_first;
  for (bool first = true; !left.empty(); first = false) {
    std::string gathered;
    std::string_view text;
    if (left.size() == which.size()) {
      text = batch.text_of(which.front(), which.back() + 1);
    } else {
      for (const std::size_t index : left) gathered += batch.command(index);
      text = gathered;
    }
    HttpCall call{.method = "POST",
                  .target = "/v1/commands",
                  .body = text,
                  .content_type = "application/x-ndjson"};
    auto answer = client_.http().call(call);
    std::vector<std::size_t> again;
    if (answer && answer->status == 200) {
      auto read = reader_.read(answer->body, id_member);
      if (!read || read->size() != left.size())
        return Failure{ExitCode::refused, "the server's answer to a batch cannot be read"};
      for (std::size_t i = 0; i < left.size(); ++i) {
        if (try_again((*read)[i].status)) again.push_back(left[i]);
        answers[left[i]] = std::move((*read)[i]);
        answers[left[i]].replayed &= first;
      }
    } else if (answer && !try_again(answer->status)) {
      return refused(*answer);
    } else {
      again = left;
    }
    if (again.size() < left.size()) deadline = steady_clock::now() + milliseconds(patience_ms);
    left = std::move(again);
    if (left.empty()) break;
    if (steady_clock::now() > deadline)
      return answer ? Failure{ExitCode::refused, "the server stayed overloaded or unavailable"}
                    : unreachable(client_.http().url(), answer.error());
    std::this_thread::sleep_for(pause);
    pause = std::min(pause * 2, pause_longest);
  }
  return Done{};
}

Outcome<Json> BatchSender::read(const std::string& target) {
  const auto deadline = steady_clock::now() + milliseconds(patience_ms);
  for (auto pause = pause_first;; pause = std::min(pause * 2, pause_longest)) {
    auto answer = client_.http().call({.method = "GET", .target = target});
    if (answer && answer->status == 404) return Json{};
    if (answer && answer->status == 200) {
      auto document = Json::parse(answer->body);
      if (!document) return Failure{ExitCode::refused, target + ": the answer is not JSON"};
      return std::move(*document);
    }
    if (answer && !try_again(answer->status)) return refused(*answer);
    if (steady_clock::now() > deadline)
      return answer ? refused(*answer) : unreachable(client_.http().url(), answer.error());
    std::this_thread::sleep_for(pause);
  }
}

}  // namespace souk::cli
