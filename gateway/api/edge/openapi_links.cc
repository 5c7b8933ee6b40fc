#include "gateway/api/edge/openapi_links.h"

#include <array>
#include <span>

namespace souk {
namespace {

/// Links to `targets`, each with one parameter.
std::string to_all(std::span<const Action> targets, std::string_view parameter,
                   std::string_view value) {
  std::string out;
  for (const auto target : targets) {
    const std::string name(action_name(target));
    out += (out.empty() ? "\"" : ",\"") + name + R"(":{"operationId":")" + name +
           R"(","parameters":{")" + std::string(parameter) + "\":\"" + std::string(value) + "\"}}";
  }
  return out;
}

constexpr std::array of_products = {Action::get_product, Action::get_stock, Action::receive_stock,
                                    Action::adjust_stock, Action::delist_product};
constexpr std::array of_users = {Action::get_user, Action::update_user, Action::get_user_orders,
                                 Action::erase_user};
constexpr std::array of_carts = {Action::get_cart, Action::add_item, Action::check_out};
constexpr std::array of_orders = {Action::get_order,    Action::get_payment,   Action::cancel_order,
                                  Action::ship_order,   Action::deliver_order, Action::return_order,
                                  Action::refund_order, Action::erase_order};

std::string links_of(Action action) {
  constexpr std::string_view sku = "$request.path.sku";
  switch (action) {
    case Action::put_product:
      return to_all(of_products, "sku", sku);
    case Action::receive_stock:
      return to_all(std::array{Action::get_stock, Action::adjust_stock}, "sku", sku);
    case Action::register_user:
      return to_all(of_users, "user_id", "$response.body#/user_id");
    case Action::open_cart:
      return to_all(of_carts, "cart_id", "$response.body#/cart_id");
    case Action::add_item:
      return to_all(std::array{Action::get_cart, Action::check_out}, "cart_id",
                    "$request.path.cart_id");
    case Action::check_out:
    case Action::place_order:
      return to_all(of_orders, "order_id", "$response.body#/order_id");
    case Action::accept_return:
      return to_all(std::array{Action::get_order}, "order_id", "$response.body#/order_id");
    case Action::ship_order:
      return to_all(std::array{Action::deliver_order}, "order_id", "$request.path.order_id");
    case Action::deliver_order:
      return to_all(std::array{Action::return_order}, "order_id", "$request.path.order_id");
    default:
      return {};
  }
}

}  // namespace

std::string openapi_links(Action action, int status) {
  if (status == 204) return {};
  const auto links = links_of(action);
  return links.empty() ? links : ",\"links\":{" + links + "}";
}

std::string_view body_example(Action action) {
  switch (action) {
    case Action::put_product:
      return R"({"name":"Green tea","price":{"amount":"4.50","currency":"GBP"},"brand":"Ember",)"
             R"("category":["Kitchen","Tea"],"attributes":{"leaf":"whole"}})";
    case Action::receive_stock:
      return R"({"quantity":10,"reference":"delivery 17"})";
    case Action::adjust_stock:
      return R"({"delta":-1,"reason":"broken"})";
    case Action::register_user:
      return R"({"email":"zoe@example.org","name":"Zoe","country":"GB"})";
    case Action::open_cart:
      return R"({"currency":"GBP"})";
    case Action::place_order:
      return R"({"lines":[{"sku":"CE-00005","quantity":1}],"payment":{"method":"simulated"},)"
             R"("shipping_address":{"street":"1 Quay Street","country":"GB"}})";
    case Action::accept_return:
      return R"({"lines":[{"sku":"CE-00005","quantity":1,)"
             R"("unit_price":{"amount":"4.50","currency":"GBP"}}],"reference":"credit note 3"})";
    case Action::cluster_plan:
    case Action::cluster_command:
      return R"({"command":"drain","node":"b","who":"ann@desk"})";
    case Action::commands:
      return R"({"command":"receive_stock","sku":"CE-00005","quantity":5})"
             "\n"
             R"({"command":"open_cart","currency":"GBP"})"
             "\n";
    default:
      return {};
  }
}

std::string_view query_example(Action action, std::string_view parameter) {
  if (parameter == "q" && action == Action::sql)
    return "SELECT country, count(*) AS orders FROM orders GROUP BY country ORDER BY 2 DESC";
  if (parameter == "q" && action == Action::search) return "ceramic";
  if (parameter == "q" && action == Action::suggest) return "cera";
  if (parameter == "group_by") return "product";
  if (parameter == "facets") return "brand,category";
  return {};
}

}  // namespace souk
