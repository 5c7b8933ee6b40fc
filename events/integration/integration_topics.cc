#include "events/integration/integration_topics.h"

#include <fmt/format.h>

#include <type_traits>
#include <variant>

namespace souk {
namespace {

template <class E, class... Of>
constexpr bool one_of = (std::is_same_v<E, Of> || ...);

template <class E>
constexpr std::optional<IntegrationTopic> topic_for() {
  if (one_of<E, ProductDefined, ProductTakenOffSale>) return IntegrationTopic::products;
  if (one_of<E, StockReceived, StockAdjusted, StockReserved, StockClaimed, StockSold,
             ReservationReleased, ReservationExpired, StockReturned>)
    return IntegrationTopic::stock;
  if (one_of<E, OrderPlaced, OrderConfirmed, OrderRejected, OrderSettled, OrderCancelled,
             OrderShipped, OrderDelivered, OrderReturned, ReturnAccepted, ReturnRestocked,
             PaymentAuthorised, PaymentDeclined, PaymentCaptured, PaymentVoided, RefundRequested,
             PaymentRefunded, OrderErased>)
    return IntegrationTopic::orders;
  return std::nullopt;
}

}  // namespace

std::string_view name_of(IntegrationTopic topic) {
  switch (topic) {
    case IntegrationTopic::orders:
      return "orders";
    case IntegrationTopic::stock:
      return "stock";
    case IntegrationTopic::products:
      return "products";
  }
  return "";
}

std::string topic_name(IntegrationTopic topic, std::string_view cluster) {
  return fmt::format("{}.{}", cluster, name_of(topic));
}

std::optional<IntegrationTopic> topic_of(const Payload& payload) {
  return std::visit([]<class E>(const E&) { return topic_for<E>(); }, payload);
}

}  // namespace souk
