#include "gateway/cache/views.h"

#include "gateway/api/edge/headers.h"
#include "gateway/api/edge/response.h"
#include "gateway/api/edge/text.h"

namespace souk {
namespace {

constexpr std::size_t key_bytes_max = 256;
// Below one packet there is nothing to win; larger ones would hold up the I/O thread for more than
// the 2 ms that 256 KiB take with gzip.
constexpr std::size_t compressed_bytes_min = 1'024;
constexpr std::size_t compressed_bytes_max = 256 * 1'024;

bool worth_compressing(const Document& document) {
  return document.body.size() >= compressed_bytes_min &&
         document.body.size() <= compressed_bytes_max;
}

/// Surrogate keys stand side by side with blanks between them.
void append_percent_encoded(std::string& out, std::string_view text) {
  constexpr std::string_view hex = "0123456789ABCDEF";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte > ' ' && byte < 0x7f && c != '%') {
      out += c;
      continue;
    }
    out += '%';
    out += hex[byte >> 4];
    out += hex[byte & 15];
  }
}

/// The lines that an answer with the document and a 304 have in common.
std::string common_fields(const Document& document, const Reply& reply) {
  std::string out;
  if (document.version != 0) {
    out += "ETag: \"";
    append_number(out, std::uint64_t{document.version});
    if (document.beside_version != 0) {
      out += '-';
      append_number(out, std::uint64_t{document.beside_version});
    }
    out += "\"\r\n";
  }
  out += "Cache-Control: ";
  out += cache_control_of(static_cast<Action>(document.action));
  out += "\r\n";
  if (document.shared) {
    out += "Surrogate-Key: product-";
    append_percent_encoded(out, reply.entity.id());
    out += " products\r\n";
  }
  out += "Vary: Accept-Encoding\r\nSouk-Position: ";
  out += position_text(reply.shard, reply.seq);
  out += "\r\n";
  return out;
}

std::string fields_of(const Document& document, Encoding encoding) {
  std::string out = "Content-Type: application/json\r\nContent-Length: ";
  append_number(out, std::uint64_t{document.body.size()});
  out += "\r\n";
  if (encoding != Encoding::identity) {
    out += "Content-Encoding: ";
    out += encoding_name(encoding);
    out += "\r\n";
  }
  return out + document.not_modified;
}

std::string key_with(std::string_view key, Encoding encoding) {
  std::string out(key);
  out += '\n';  // stands in no target
  out += encoding_name(encoding);
  return out;
}

Document compressed(const Document& plain, Encoding encoding, std::string&& body) {
  Document out = {.fields = {},
                  .not_modified = plain.not_modified,
                  .body = std::move(body),
                  .version = plain.version,
                  .beside_version = plain.beside_version,
                  .shared = plain.shared,
                  .action = plain.action,
                  .seq = plain.seq,
                  .mark = plain.mark};
  out.fields = fields_of(out, encoding);
  return out;
}

SharedUse shared_use(const Document& document) {
  return document.shared ? SharedUse::to_the_end_of_the_second : SharedUse::as_its_fields_say;
}

void send_whole(HttpServer& server, ExchangeId exchange, const Document& document) {
  server.respond(exchange,
                 ReadyResponse{200, document.fields, document.body, shared_use(document)});
}

void send_not_modified(HttpServer& server, ExchangeId exchange, const Document& document) {
  server.respond(exchange, ReadyResponse{304, document.not_modified, {}, shared_use(document)});
}

}  // namespace

std::string_view cache_control_of(Action action) {
  switch (action) {
    case Action::get_product:
      return "public, max-age=1, stale-while-revalidate=5";
    case Action::get_stock:
      return "public, max-age=1";
    case Action::get_cart:
      return "private, no-cache";
    default:  // people and what they bought
      return "private, no-store";
  }
}

std::string_view Views::key_of(std::string_view target) {
  return target.size() <= key_bytes_max ? target : std::string_view();
}

std::optional<Action> Views::answer(HttpServer& server, ExchangeId exchange,
                                    const HttpRequest& request) {
  if ((request.method != HttpMethod::get && request.method != HttpMethod::head) ||
      request.has_min_position || request.has_read_level)
    return std::nullopt;
  const auto document = documents_.find(request.target);
  if (!document) return std::nullopt;
  if (!document->current()) {
    outdated_.fetch_add(1, std::memory_order_relaxed);
    return std::nullopt;
  }
  hits_.fetch_add(1, std::memory_order_relaxed);
  if (none_match_names(request.if_none_match, document->version, document->beside_version)) {
    send_not_modified(server, exchange, *document);
  } else if (!request.accept_encoding.empty() && worth_compressing(*document)) {
    send(server, exchange, *document, request.target, wanted_encoding(request.accept_encoding));
  } else {
    send_whole(server, exchange, *document);
  }
  return static_cast<Action>(document->action);
}

void Views::answer(HttpServer& server, const Ticket& ticket, Reply&& reply) {
  Document made = {.fields = {},
                   .not_modified = {},
                   .body = std::move(reply.body.json),
                   .version = reply.version,
                   .beside_version = reply.beside_version,
                   .shared = ticket.action == Action::get_product,
                   .action = static_cast<std::uint8_t>(ticket.action),
                   .seq = reply.seq,
                   .mark = &freshness_.mark_of(reply.shard, reply.entity)};
  made_.fetch_add(1, std::memory_order_relaxed);
  made.not_modified = common_fields(made, reply);
  made.fields = fields_of(made, Encoding::identity);
  made.body.shrink_to_fit();
  const auto key = std::string_view(ticket.document_key);
  const bool not_modified = is_not_modified(ticket, reply);
  const auto deliver = [&](const Document& document, std::string_view kept_as) {
    if (not_modified) return send_not_modified(server, ticket.exchange, document);
    send(server, ticket.exchange, document, kept_as, ticket.encoding);
  };
  if (key.empty() || !made.current()) return deliver(made, {});
  const auto pin = documents_.put(key, std::move(made));
  deliver(*pin, key);
}

/// An empty `key`: nothing is kept.
void Views::send(HttpServer& server, ExchangeId exchange, const Document& plain,
                 std::string_view key, Encoding encoding) {
  if (encoding == Encoding::identity || !worth_compressing(plain))
    return send_whole(server, exchange, plain);
  const auto form_key = key.empty() ? std::string() : key_with(key, encoding);
  if (!key.empty()) {
    if (const auto form = documents_.find(form_key); form && form->current())
      return send_whole(server, exchange, *form);
  }
  auto body = compress(encoding, plain.body);
  if (!body) return send_whole(server, exchange, plain);
  Document form = compressed(plain, encoding, std::move(*body));
  if (key.empty()) return send_whole(server, exchange, form);
  send_whole(server, exchange, *documents_.put(form_key, std::move(form)));
}

Views::Stats Views::stats() const {
  return {.hits = hits_.load(std::memory_order_relaxed),
          .outdated = outdated_.load(std::memory_order_relaxed),
          .made = made_.load(std::memory_order_relaxed),
          .bytes = documents_.bytes()};
}

}  // namespace souk
