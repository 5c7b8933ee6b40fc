#pragma once
/// The cache of documents: reads by id, answered on the I/O thread from bytes that are there.
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "events/freshness.h"
#include "gateway/api/edge/compression.h"
#include "gateway/api/edge/tickets.h"
#include "gateway/cache/documents.h"
#include "gateway/http/server.h"

namespace souk {

/// Products, stock, carts, orders and lists of orders as they were last read, by the target of the
/// request. What a document shows is what its host would say now, or it is not used: see Freshness.
/// So a cached answer needs no position to wait for, and a client reads its own writes.
///
/// Documents with personal data are never kept: nothing needs to be found and removed when a person
/// is erased.
/// Limits: `bytes_max` for all documents with all their compressed forms; targets to 256 bytes.
/// Thread: any.
class Views {
 public:
  Views(const Freshness& freshness, std::size_t bytes_max)
      : freshness_(freshness), documents_(bytes_max) {}

  /// Answers, and says what was asked, where the document is in memory and current.
  std::optional<Action> answer(HttpServer& server, ExchangeId exchange, const HttpRequest& request);
  /// Answers with what the host has read, and keeps it where the ticket has a target.
  /// REQUIRES: is_document(ticket.action), ReplyCode::ok; the reply has no sealed members any more,
  ///           or is_not_modified().
  void answer(HttpServer& server, const Ticket& ticket, Reply&& reply);

  /// The target under which a document is kept; empty where it is too long.
  static std::string_view key_of(std::string_view target);

  struct Stats {
    std::uint64_t hits = 0;      // answered from memory
    std::uint64_t outdated = 0;  // there was one, but its entity has changed
    std::uint64_t made = 0;      // by hosts
    std::uint64_t bytes = 0;
  };
  Stats stats() const;

 private:
  void send(HttpServer& server, ExchangeId exchange, const Document& plain, std::string_view key,
            Encoding encoding);

  const Freshness& freshness_;
  DocumentCache documents_;
  std::atomic<std::uint64_t> hits_{0}, outdated_{0}, made_{0};
};

/// What Cache-Control says of an answer to this read; static storage.
std::string_view cache_control_of(Action action);

}  // namespace souk
