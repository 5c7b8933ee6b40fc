#pragma once
/// What `souk cart checkout` and `souk order buy` share.
#include <optional>

#include "tools/souk/client/api_client.h"

namespace souk::cli {

/// --method, --token, --address and --no-wait.
void add_payment_options(Verb& verb);
/// Writes `payment` and `shipping_address`. Something where an option is wrong.
std::optional<Failure> add_payment(const Invocation& invocation, JsonObject& body);
/// Sends the purchase and shows the order's status. A rejected order is ExitCode::refused.
Outcome<ExitCode> purchase(const Invocation& invocation, const std::string& target,
                           const std::string& body);

extern const char* const purchase_details;

/// `SKU=QUANTITY`, with `@PRICE` behind it where `priced`; split at the last `=` and `@`.
struct LineArgument {
  std::string sku;
  std::int64_t quantity = 0;
  std::string price;
};
enum class Pricing { unpriced, priced };
Outcome<LineArgument> line_argument(const std::string& text, Pricing pricing);

}  // namespace souk::cli
