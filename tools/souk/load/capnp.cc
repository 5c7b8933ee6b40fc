#include "tools/souk/load/capnp.h"

#include <capnp/message.h>
#include <capnp/serialize.h>
#include <kj/exception.h>

#include <cstring>

#include "schema/api.capnp.h"
#include "tools/souk/client/json.h"

namespace souk::cli {
namespace {

capnp::Text::Reader text(const std::string& value) { return {value.c_str(), value.size()}; }

void write(const LoadNames& names, const LoadCommand& command, schema::Command::Builder out) {
  const std::string key = load_key(names, command);
  out.setIdempotencyKey(text(key));
  out.setMinimal(true);
  if (command.kind == LoadCommand::Kind::add_item) {
    auto add = out.initAddItem();
    add.setCartId(text(*command.cart));
    add.setSku(text(names.skus[command.skus[0]]));
    add.setQuantity(1);
    return;
  }
  out.setWaitFinal(true);
  auto order = out.initPlaceOrder();
  order.initPayment().setMethod("simulated");
  auto lines = order.initLines(static_cast<unsigned>(command.lines));
  for (unsigned i = 0; i < lines.size(); ++i) {
    lines[i].setSku(text(names.skus[command.skus[i]]));
    lines[i].setQuantity(1);
  }
}

}  // namespace

std::string capnp_batch(const LoadNames& names, std::span<const LoadCommand> commands) {
  capnp::MallocMessageBuilder message(static_cast<unsigned>(commands.size()) * 24 + 64);
  auto list =
      message.initRoot<schema::Commands>().initCommands(static_cast<unsigned>(commands.size()));
  for (unsigned i = 0; i < list.size(); ++i) write(names, commands[i], list[i]);
  const auto words = capnp::messageToFlatArray(message);
  const auto bytes = words.asBytes();
  return {reinterpret_cast<const char*>(bytes.begin()), bytes.size()};
}

std::optional<std::vector<LoadAnswer>> read_capnp_answers(std::string_view body) {
  if (body.empty() || body.size() % sizeof(capnp::word) != 0) return std::nullopt;
  std::vector<capnp::word> words(body.size() / sizeof(capnp::word));
  std::memcpy(words.data(), body.data(), body.size());
  try {
    capnp::ReaderOptions options;
    options.traversalLimitInWords = words.size() * 4 + 1'024;
    capnp::FlatArrayMessageReader message(kj::arrayPtr(words.data(), words.size()), options);
    std::vector<LoadAnswer> out;
    for (const auto answer : message.getRoot<schema::Answers>().getAnswers()) {
      LoadAnswer read{.status = answer.getStatus(), .order_id = {}};
      const auto document = answer.getBody();
      const std::string_view json(document.begin(), document.size());
      read.confirmed = json.find("\"status\":\"confirmed\"") != std::string_view::npos;
      read.pending = json.find("\"status\":\"pending\"") != std::string_view::npos;
      if (read.pending) read.order_id = std::string(answer.getEntityId().cStr());
      out.push_back(std::move(read));
    }
    return out;
  } catch (const kj::Exception&) {
    return std::nullopt;
  }
}

}  // namespace souk::cli
