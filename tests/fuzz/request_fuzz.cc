// Clients' requests and their answers between nodes. What was taken can be sent on, and is then the
// same.
#include <cstdint>
#include <string>
#include <string_view>

#include "actors/shard/request_codec.h"

namespace {

using namespace souk;

template <class Message>
void use(const Result<Message, Fault>& decoded,
         Result<Message, Fault> (*decode)(std::string_view bytes)) {
  if (!decoded.ok()) {
    SOUK_ASSERT(!decoded.error().what.empty());
    return;
  }
  const std::string once = encode(*decoded);
  const auto again = decode(once);
  SOUK_ASSERT(again.ok());
  SOUK_ASSERT(encode(*again) == once);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto request = decode_request(bytes);
  if (request.ok()) {
    SOUK_ASSERT(request->reply_to.who == ReplyTo::Who::nobody);
    target_of(request->op);
  }
  use(request, decode_request);
  use(decode_reply(bytes), decode_reply);
  return 0;
}
