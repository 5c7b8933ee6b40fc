#include "tools/souk/shop/purchase.h"

#include <charconv>

#include "tools/souk/client/documents.h"

namespace souk::cli {

const char* const purchase_details =
    "Waits up to 5 s for the final status; `pending` means that it took longer: look again with\n"
    "`souk order get`. A rejected order exits with 1 and leaves its cart open.\n"
    "Tokens of the simulated provider: ok, decline, slow:MS, lost:MS, twice, error:N.";

void add_payment_options(Verb& verb) {
  verb.arguments.push_back(option("method", "How it is paid", "simulated"));
  verb.arguments.push_back(option("token", "What the payment provider is told"));
  verb.arguments.push_back(option("address", "The shipping address, a JSON object"));
  verb.arguments.push_back(flag("no-wait", "Do not wait for the final status"));
}

std::optional<Failure> add_payment(const Invocation& invocation, JsonObject& body) {
  body.raw("payment", JsonObject{}
                          .text("method", invocation.get("method"))
                          .optional_text("token", invocation.get("token"))
                          .done());
  if (!invocation.has("address")) return std::nullopt;
  const std::string& address = invocation.get("address");
  const auto parsed = Json::parse(address);
  if (!parsed || parsed->type() != Json::Type::object)
    return Failure{ExitCode::usage, "--address: wanted a JSON object, got \"" + address + "\""};
  body.raw("shipping_address", address);
  return std::nullopt;
}

Outcome<ExitCode> purchase(const Invocation& invocation, const std::string& target,
                           const std::string& body) {
  const std::string waiting = invocation.has("no-wait") ? "" : "?wait=final";
  ExitCode code = ExitCode::ok;
  const Outcome<ExitCode> shown =
      command_and_show(invocation, "POST", target + waiting, body, [&](const Json& answer) {
        if (answer["status"].text() == "rejected") code = ExitCode::refused;
        return check_out_text(answer);
      });
  return shown && *shown == ExitCode::ok ? Outcome<ExitCode>(code) : shown;
}

Outcome<LineArgument> line_argument(const std::string& text, Pricing pricing) {
  const bool priced = pricing == Pricing::priced;
  const Failure wrong{ExitCode::usage, std::string("wanted SKU=QUANTITY") +
                                           (priced ? "@PRICE" : "") + ", got \"" + text + "\""};
  LineArgument line;
  std::string_view rest = text;
  if (priced) {
    const std::size_t at = rest.rfind('@');
    if (at == std::string_view::npos) return wrong;
    line.price = rest.substr(at + 1);
    rest = rest.substr(0, at);
  }
  const std::size_t equals = rest.rfind('=');
  if (equals == std::string_view::npos || equals == 0) return wrong;
  line.sku = rest.substr(0, equals);
  const std::string_view digits = rest.substr(equals + 1);
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), line.quantity);
  if (error != std::errc{} || end != digits.data() + digits.size() || line.quantity < 1)
    return wrong;
  return line;
}

}  // namespace souk::cli
