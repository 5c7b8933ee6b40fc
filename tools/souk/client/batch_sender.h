#pragma once
/// Many commands in one request, and the patience that this takes.
#include <string>
#include <vector>

#include "tools/souk/client/api_client.h"

namespace souk::cli {

/// Commands for one request, a line of JSON each.
class CommandBatch {
 public:
  /// Begins a command: `{"command":"name"`; members follow, then `end`.
  CommandBatch& begin(std::string_view command);
  CommandBatch& text(std::string_view name, std::string_view value);
  CommandBatch& raw(std::string_view name, std::string_view value);
  CommandBatch& number(std::string_view name, std::int64_t value);
  /// Members that are JSON already: `,"name":"value"`, as many as there are.
  CommandBatch& members(std::string_view json);
  CommandBatch& key(std::string_view key) { return text("idempotency_key", key); }
  /// No body in the answer.
  CommandBatch& minimal() { return raw("prefer", "\"minimal\""); }
  void end();

  std::size_t size() const { return ends_.size(); }
  bool empty() const { return ends_.empty(); }
  /// With its line end.
  std::string_view command(std::size_t index) const;
  std::string_view text_of(std::size_t first, std::size_t last) const;

 private:
  std::string text_;
  std::vector<std::size_t> ends_;
};

/// Sends batches over one connection, one at a time, until every command has an answer.
/// Thread: one at a time.
class BatchSender {
 public:
  /// Requests are cut at these.
  static constexpr std::size_t commands_per_request_max = 4'000;
  static constexpr std::size_t bytes_per_request_max = 4 * 1024 * 1024;
  /// Without any progress for so long it gives up.
  static constexpr int patience_ms = 10'000;

  explicit BatchSender(const Url& url) : client_(url) { client_.http().set_timeout_ms(60'000); }

  /// The answers in the order of the commands. What was lost on the way or answered with 429 or 503
  /// is sent again, the same bytes: so each command needs a key, or to be harmless twice.
  /// `replayed` is true only where the first sending already met a replay. `id_member` as in
  /// BatchAnswerReader. Errors: unreachable; refused where the batch as a whole is.
  Outcome<std::vector<BatchAnswer>> send(const CommandBatch& batch,
                                         std::string_view id_member = {});
  /// The document at `target`, with the same patience; null where there is none (404).
  Outcome<Json> read(const std::string& target);

 private:
  Outcome<Done> send_some(const CommandBatch& batch, const std::vector<std::size_t>& which,
                          std::string_view id_member, std::vector<BatchAnswer>& answers);

  ApiClient client_;
  BatchAnswerReader reader_;
};

}  // namespace souk::cli
