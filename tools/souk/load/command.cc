#include "tools/souk/load/command.h"

#include "tools/souk/client/batch_sender.h"
#include "tools/souk/load/capnp.h"

namespace souk::cli {
namespace {

constexpr std::string_view payment = "{\"method\":\"simulated\"}";

std::string lines_json(const LoadNames& names, const LoadCommand& command) {
  std::string out = "[";
  for (std::size_t i = 0; i < command.lines; ++i) {
    out.append(i == 0 ? "{\"sku\":\"" : ",{\"sku\":\"").append(names.skus[command.skus[i]]);
    out.append("\",\"quantity\":1}");
  }
  return out + "]";
}

std::string render_single(const Url& url, const LoadNames& names, const LoadCommand& command) {
  HttpCall call;
  std::string body;
  if (command.kind == LoadCommand::Kind::get_cart) {
    call.target = "/v1/carts/" + *command.cart;
  } else if (command.kind == LoadCommand::Kind::get_product) {
    call.target = "/v1/products/" + names.skus[command.skus[0]];
  } else {
    call.method = "POST";
    call.content_type = "application/json";
    call.headers = {{"Idempotency-Key", load_key(names, command)}};
    if (command.kind == LoadCommand::Kind::add_item) {
      call.target = "/v1/carts/" + *command.cart + "/items";
      call.headers.emplace_back("Prefer", "return=minimal");
      body.append("{\"sku\":\"").append(names.skus[command.skus[0]]).append("\",\"quantity\":1}");
    } else {
      call.target = "/v1/orders?wait=final";
      body =
          "{\"lines\":" + lines_json(names, command) + ",\"payment\":" + std::string(payment) + "}";
    }
  }
  call.body = body;
  return render_request(url, call);
}

void append_ndjson(CommandBatch& batch, const LoadNames& names, const LoadCommand& command) {
  if (command.kind == LoadCommand::Kind::add_item) {
    batch.begin("add_item").text("cart_id", *command.cart).text("sku", names.skus[command.skus[0]]);
    batch.number("quantity", 1);
  } else {
    batch.begin("place_order").raw("lines", lines_json(names, command)).raw("payment", payment);
    batch.text("wait", "final");
  }
  batch.key(load_key(names, command)).minimal().end();
}

LoadAnswer read_document(int status, std::string_view body) {
  LoadAnswer out{.status = status, .order_id = {}};
  out.confirmed = body.find("\"status\":\"confirmed\"") != std::string_view::npos;
  out.pending = !out.confirmed && body.find("\"status\":\"pending\"") != std::string_view::npos;
  if (!out.pending) return out;
  if (const auto document = Json::parse(body)) out.order_id = (*document)["order_id"].text();
  return out;
}

}  // namespace

std::string load_key(const LoadNames& names, const LoadCommand& command) {
  return names.run + "-" + std::to_string(command.number);
}

std::string render(const Url& url, const LoadNames& names, Wire wire,
                   std::span<const LoadCommand> commands) {
  if (wire == Wire::http) return render_single(url, names, commands.front());
  HttpCall call{.method = "POST", .target = "/v1/commands", .content_type = "application/x-ndjson"};
  std::string binary;
  CommandBatch batch;
  if (wire == Wire::capnp) {
    binary = capnp_batch(names, commands);
    call.body = binary;
    call.content_type = "application/x-capnp";
  } else {
    for (const LoadCommand& command : commands) append_ndjson(batch, names, command);
    call.body = batch.text_of(0, batch.size());
  }
  return render_request(url, call);
}

std::optional<std::vector<LoadAnswer>> read_answers(Wire wire, const HttpAnswer& answer,
                                                    std::size_t count) {
  if (wire == Wire::http) return std::vector<LoadAnswer>{read_document(answer.status, answer.body)};
  if (answer.status != 200) {
    const LoadAnswer same{.status = answer.status, .order_id = {}};
    return std::vector<LoadAnswer>(count, same);
  }
  if (wire == Wire::capnp) {
    auto read = read_capnp_answers(answer.body);
    return read && read->size() == count ? std::move(read) : std::nullopt;
  }
  static thread_local BatchAnswerReader reader;
  auto read = reader.read(answer.body, "order_id");
  if (!read || read->size() != count) return std::nullopt;
  std::vector<LoadAnswer> out;
  for (BatchAnswer& one : *read)
    out.push_back({.status = one.status,
                   .confirmed = one.order_status == "confirmed",
                   .pending = one.order_status == "pending",
                   .order_id = std::move(one.id)});
  return out;
}

}  // namespace souk::cli
