// Records of the log: as they stand, and with a checksum made right, so that what lies behind it is
// reached. The corpus is tests/golden/events.
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "events/batch.h"
#include "events/crc32c.h"
#include "events/event_codec.h"
#include "events/event_json.h"

namespace {

using namespace souk;

/// A record that was taken can be shown and written again, and is then the same.
void use(const std::vector<Transaction>& transactions) {
  for (const Transaction& transaction : transactions)
    for (const Event& event : transaction.events) {
      SOUK_ASSERT(!event_json(event.payload).empty());
      entity_id_text(event.entity);
    }
  std::string once, twice;
  append_payload(once, transactions);
  const auto again = decode_payload(once);
  SOUK_ASSERT(again);
  append_payload(twice, *again);
  SOUK_ASSERT(once == twice);
}

void read(std::string_view bytes) {
  const auto header = decode_batch_header(bytes);
  const auto batch = decode_batch(bytes);
  SOUK_ASSERT(header.ok() || !batch.ok());
  if (batch) use(batch->transactions);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string bytes(reinterpret_cast<const char*>(data), size);
  read(bytes);
  if (size <= batch_header_bytes) return 0;
  if (const auto transactions = decode_payload(std::string_view(bytes).substr(batch_header_bytes)))
    use(*transactions);
  constexpr std::size_t crc_at = 4, checked_from = 8;
  const std::uint32_t right = crc32c(std::string_view(bytes).substr(0, crc_at),
                                     std::string_view(bytes).substr(checked_from));
  std::memcpy(bytes.data() + crc_at, &right, sizeof right);
  read(bytes);
  return 0;
}
