// souk order ..., souk payment ..., souk return ...
#include "events/money.h"
#include "tools/souk/client/documents.h"
#include "tools/souk/shop/purchase.h"
#include "tools/souk/verbs/verbs.h"

namespace souk::cli {
namespace {

std::string order_path(const Invocation& invocation, std::string_view step = {}) {
  return "/v1/orders/" + path_segment(invocation.get("order")) + std::string(step);
}

Outcome<ExitCode> get_order(const Invocation& invocation) {
  return read_and_show(invocation, order_path(invocation), order_text);
}

Outcome<ExitCode> get_payment(const Invocation& invocation) {
  return read_and_show(invocation, "/v1/payments/" + path_segment(invocation.get("order")),
                       payment_text);
}

/// The lines named by `arguments` as a JSON array.
Outcome<std::string> lines_json(const std::vector<std::string>& arguments, Pricing pricing,
                                const std::string& currency) {
  std::string out;
  for (const std::string& argument : arguments) {
    auto line = line_argument(argument, pricing);
    if (!line) return line.error();
    JsonObject object;
    object.text("sku", line->sku).raw("quantity", std::to_string(line->quantity));
    if (pricing == Pricing::priced) {
      if (!parse_decimal(line->price))
        return Failure{ExitCode::usage,
                       "wanted a price such as 12.50, got \"" + line->price + "\""};
      object.raw("unit_price",
                 JsonObject{}.text("amount", line->price).text("currency", currency).done());
    }
    out += (out.empty() ? "" : ",") + object.done();
  }
  return "[" + out + "]";
}

Outcome<ExitCode> buy(const Invocation& invocation) {
  auto lines = lines_json(invocation.all("line"), Pricing::unpriced, "");
  if (!lines) return lines.error();
  JsonObject body;
  body.optional_text("user_id", invocation.get("user")).raw("lines", *lines);
  if (const auto failed = add_payment(invocation, body)) return *failed;
  return purchase(invocation, "/v1/orders", body.done());
}

Outcome<ExitCode> cancel(const Invocation& invocation) {
  return command_and_show(invocation, "POST", order_path(invocation, "/cancel"), "{}", order_text);
}

Outcome<ExitCode> ship(const Invocation& invocation) {
  return command_and_show(invocation, "POST", order_path(invocation, "/ship"), "{}", order_text);
}

Outcome<ExitCode> deliver(const Invocation& invocation) {
  return command_and_show(invocation, "POST", order_path(invocation, "/deliver"), "{}", order_text);
}

Outcome<ExitCode> take_back(const Invocation& invocation) {
  JsonObject body;
  if (const auto given = invocation.all("line"); !given.empty()) {
    auto lines = lines_json(given, Pricing::unpriced, "");
    if (!lines) return lines.error();
    body.raw("lines", *lines);
  }
  return command_and_show(invocation, "POST", order_path(invocation, "/return"), body.done(),
                          order_text);
}

Outcome<ExitCode> refund(const Invocation& invocation) {
  JsonObject body;
  if (invocation.has("amount")) {
    auto amount = money_argument(invocation, "amount");
    if (!amount) return amount.error();
    body.raw("amount", *amount);
  }
  return command_and_show(invocation, "POST", order_path(invocation, "/refund"), body.done(),
                          order_text);
}

Outcome<ExitCode> accept_return(const Invocation& invocation) {
  auto lines = lines_json(invocation.all("line"), Pricing::priced, invocation.get("currency"));
  if (!lines) return lines.error();
  const std::string body = JsonObject{}
                               .optional_text("user_id", invocation.get("user"))
                               .raw("lines", *lines)
                               .optional_text("reference", invocation.get("reference"))
                               .done();
  return command_and_show(invocation, "POST", "/v1/returns", body, order_text);
}

Argument line(std::string help) {
  return {.name = "line", .help = std::move(help), .kind = Argument::Kind::repeated};
}

const Argument order_argument = required("order", "The order's id");

Verb step(std::string word, std::string summary, Outcome<ExitCode> (*run)(const Invocation&)) {
  return {.path = "order " + word,
          .summary = std::move(summary),
          .examples = {"souk order " + word + " ORDER"},
          .arguments = {order_argument},
          .run = run};
}

}  // namespace

Verbs order_verbs() {
  Verb buy_now{.path = "order buy",
               .summary = "Buy now, without a cart",
               .examples = {"souk order buy --line MUG-1=2 --line TEA-1=1",
                            "souk order buy --user USER --line MUG-1=1 --token slow:200"},
               .arguments = {line("SKU=QUANTITY; repeat for more"),
                             option("user", "Who buys; a guest where none is given")},
               .run = buy,
               .details = purchase_details};
  add_payment_options(buy_now);
  Verb give_back = step("return", "Take back pieces of a shipped or delivered order", take_back);
  give_back.arguments.push_back(
      line("SKU=QUANTITY; repeat for more (default: all that is still out)"));
  give_back.examples.push_back("souk order return ORDER --line MUG-1=1");
  Verb pay_back = step("refund", "Pay money back", refund);
  pay_back.arguments.push_back(
      option("amount", "Such as 5.00 (default: all that was not paid back)"));
  pay_back.arguments.push_back(option("currency", "Of an amount given as a bare number", "GBP"));
  pay_back.examples.push_back("souk order refund ORDER --amount 5.00");
  Verb accept{
      .path = "return accept",
      .summary = "Take back goods that no order of ours names",
      .examples = {"souk return accept --line MUG-1=1@7.50 --reference \"receipt 815\""},
      .arguments = {line("SKU=QUANTITY@PRICE; repeat for more"),
                    option("currency", "Of the prices", "GBP"), option("user", "Who brings them"),
                    option("reference", "What they go by")},
      .run = accept_return};
  Verb cancel_verb = step("cancel", "Cancel a confirmed order and pay it back", cancel);
  Verb ship_verb = step("ship", "Say that an order is on its way", ship);
  Verb deliver_verb = step("deliver", "Say that an order has arrived", deliver);
  for (Verb* verb :
       {&buy_now, &give_back, &pay_back, &accept, &cancel_verb, &ship_verb, &deliver_verb})
    add_command_options(*verb);
  return {step("get", "Show an order, its payment and its history", get_order),
          buy_now,
          cancel_verb,
          ship_verb,
          deliver_verb,
          give_back,
          pay_back,
          {.path = "payment get",
           .summary = "Show what the provider has on record for an order",
           .examples = {"souk payment get ORDER"},
           .arguments = {order_argument},
           .run = get_payment},
          accept};
}

}  // namespace souk::cli
