#pragma once
/// The server's documents as a person reads them.
#include <string>

#include "tools/souk/client/json.h"

namespace souk::cli {

std::string product_text(const Json& product);
std::string stock_text(const Json& stock);
std::string user_text(const Json& user);
std::string user_orders_text(const Json& page);
std::string cart_text(const Json& cart);
std::string order_text(const Json& order);
std::string payment_text(const Json& payment);
/// What a check-out or a purchase answers: the order and its status.
std::string check_out_text(const Json& answer);

}  // namespace souk::cli
