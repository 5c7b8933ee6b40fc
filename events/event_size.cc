#include "events/batch.h"
#include "events/event_codec.h"

namespace souk {
namespace {

// Cap'n Proto: structs of whole words, texts padded to words behind a pointer and a final zero.
constexpr std::size_t transaction_bytes = 128;
constexpr std::size_t event_bytes = 160;   // with the largest fixed part of a payload
constexpr std::size_t element_bytes = 64;  // of a list of structs, at most
constexpr std::size_t text_bytes = 16;

std::size_t of(const std::string& text) { return text.size() + text_bytes; }
std::size_t of(const Sealed& sealed) { return of(sealed.bytes); }
std::size_t of(const Item& item) {
  return item.sku().text().size() + item.name().size() + 2 * text_bytes;
}
template <class Part>
std::size_t of(const std::optional<Part>& part) {
  return part ? of(*part) : 0;
}
std::size_t of(const Attribute& a) { return element_bytes + of(a.name) + of(a.value); }
std::size_t of(const OrderLine& line) { return element_bytes + of(line.item); }
std::size_t of(const PriceChange& change) { return element_bytes + of(change.item); }
std::size_t of(const Adjustment&) { return element_bytes; }
std::size_t of(const ReturnedLine&) { return element_bytes; }
template <class Part>
std::size_t of(const std::vector<Part>& parts) {
  std::size_t bytes = 0;
  for (const Part& part : parts) bytes += of(part);
  return bytes;
}

struct Extra {
  std::size_t operator()(const UserRegistered& e) const {
    return of(e.sealed_email) + of(e.sealed_name) + of(e.country);
  }
  std::size_t operator()(const UserProfileChanged& e) const {
    return of(e.sealed_name) + of(e.country);
  }
  std::size_t operator()(const EmailChangeRequested& e) const { return of(e.sealed_email); }
  std::size_t operator()(const ProductDefined& e) const {
    return of(e.name) + of(e.description) + of(e.brand) + of(e.category) + of(e.attributes) +
           of(e.images) + of(e.barcode) + of(e.group) + of(e.options);
  }
  std::size_t operator()(const StockReceived& e) const { return of(e.reference); }
  std::size_t operator()(const StockAdjusted& e) const { return of(e.reason); }
  std::size_t operator()(const ItemAdded& e) const { return of(e.item); }
  std::size_t operator()(const ItemQuantitySet& e) const { return of(e.item); }
  std::size_t operator()(const ItemRemoved& e) const { return e.sku.text().size() + text_bytes; }
  std::size_t operator()(const CartReopened& e) const { return of(e.price_changes); }
  std::size_t operator()(const OrderPlaced& e) const {
    return of(e.lines) + of(e.payment_method) + of(e.payment_token) + of(e.sealed_address) +
           of(e.country) + of(e.adjustments);
  }
  std::size_t operator()(const OrderReturned& e) const { return of(e.lines); }
  std::size_t operator()(const ReturnAccepted& e) const {
    return of(e.lines) + of(e.reference) + of(e.country);
  }
  template <class Other>
  std::size_t operator()(const Other&) const {
    return 0;
  }
};

constexpr std::size_t largest_line =
    limits::sku_bytes_max + limits::name_bytes_max + element_bytes + 2 * text_bytes;
static_assert(limits::cart_lines_max * largest_line + 64 * 1024 < limits::batch_bytes_max,
              "the largest command fits a record");
static_assert(limits::batch_bytes_max < limits::record_bytes_max);

}  // namespace

std::size_t estimated_bytes(const Transaction& transaction) {
  std::size_t bytes = transaction_bytes;
  for (const Event& event : transaction.events)
    bytes += event_bytes + event.entity.id().size() + std::visit(Extra{}, event.payload);
  return bytes;
}

std::size_t record_end(const std::vector<Transaction>& transactions, std::size_t from) {
  std::size_t events = 0, bytes = 0, to = from;
  for (; to < transactions.size(); ++to) {
    events += transactions[to].events.size();
    bytes += estimated_bytes(transactions[to]);
    const bool fits = events <= limits::batch_events_max && bytes <= limits::batch_bytes_max;
    if (to > from && !fits) break;
  }
  return to;
}

}  // namespace souk
