#include "tests/simulation/trace.h"

#include <cstdio>
#include <cstdlib>

namespace souk::simulation {
namespace {

constexpr const char* event_names[] = {"CommandRefused",
                                       "CommandNoted",
                                       "UserRegistered",
                                       "UserProfileChanged",
                                       "EmailChangeRequested",
                                       "EmailAssigned",
                                       "EmailRefused",
                                       "FormerEmailFreed",
                                       "UserErased",
                                       "PersonalKeyDestroyed",
                                       "UserOrdered",
                                       "EmailTaken",
                                       "EmailFreed",
                                       "KeyBound",
                                       "ProductDefined",
                                       "ProductTakenOffSale",
                                       "StockReceived",
                                       "StockAdjusted",
                                       "StockReserved",
                                       "StockClaimed",
                                       "StockSold",
                                       "ReservationReleased",
                                       "ReservationExpired",
                                       "StockReturned",
                                       "CartOpened",
                                       "ItemAdded",
                                       "ItemQuantitySet",
                                       "ItemRemoved",
                                       "CheckOutStarted",
                                       "CartReopened",
                                       "CartOrdered",
                                       "OrderPlaced",
                                       "OrderConfirmed",
                                       "OrderRejected",
                                       "OrderSettled",
                                       "OrderCancelled",
                                       "OrderShipped",
                                       "OrderDelivered",
                                       "OrderReturned",
                                       "ReturnAccepted",
                                       "ReturnRestocked",
                                       "PaymentAuthorised",
                                       "PaymentDeclined",
                                       "PaymentCaptured",
                                       "PaymentVoided",
                                       "RefundRequested",
                                       "PaymentRefunded",
                                       "OrderErased"};
static_assert(std::size(event_names) == std::variant_size_v<Payload>);

}  // namespace

bool tracing() {
  static const bool on = std::getenv("SOUK_SIMULATION_TRACE") != nullptr;
  return on;
}

void trace(const World& world, const std::string& line) {
  if (tracing())
    std::fprintf(stderr, "%8lld ms  %s\n", static_cast<long long>(world.time_ms()), line.c_str());
}

void trace_records(const SimJournal::Records& records) {
  if (!tracing()) return;
  for (const auto& [key, bytes] : records) {
    const auto header = decode_batch_header(bytes);
    if (header.ok() && header->type == BatchType::claim)
      std::fprintf(stderr, "shard %u offset %llu: claimed, epoch %llu\n", key.first,
                   static_cast<unsigned long long>(key.second),
                   static_cast<unsigned long long>(header->epoch));
    const auto batch = decode_batch(bytes);
    if (!batch.ok() || header->type == BatchType::claim) continue;
    Seq seq = batch->header.first_seq;
    for (const auto& transaction : batch->transactions)
      for (const auto& event : transaction.events)
        std::fprintf(stderr, "shard %u event %llu epoch %llu at %lld: %s %s key=%llu\n", key.first,
                     static_cast<unsigned long long>(seq++),
                     static_cast<unsigned long long>(batch->header.epoch),
                     static_cast<long long>(transaction.at.value), event.entity.text().c_str(),
                     event_names[event.payload.index()],
                     static_cast<unsigned long long>(transaction.key_hash));
  }
}

}  // namespace souk::simulation
