#include "actors/shard/peer_wire.h"

#include <capnp/serialize.h>
#include <kj/io.h>

#include <cstring>
#include <memory>

namespace souk::wire {
namespace {

// A command and most documents stay within it; what is larger gets more from the heap.
constexpr std::size_t scratch_words = 1024;

std::optional<Fault> decode_words(kj::ArrayPtr<const capnp::word> words, std::string_view what,
                                  const std::function<void(capnp::MessageReader&)>& read) {
  const auto fault = [&](Fault::Kind kind, const char* why) {
    return Fault{kind, std::string(what) + " " + why};
  };
  try {
    capnp::ReaderOptions options;
    // An honest message is read once. The slack is for lists that are asked for twice; what points
    // at the same bytes over and over runs into it.
    options.traversalLimitInWords = 4 * words.size() + 64;
    capnp::FlatArrayMessageReader message(words, options);
    if (message.getEnd() != words.end()) return fault(Fault::Kind::corrupt, "has bytes left over");
    read(message);
    return std::nullopt;
  } catch (const Refused& refused) {
    return fault(refused.kind, refused.why);
  } catch (const kj::Exception&) {
    return fault(Fault::Kind::corrupt, "is malformed");
  }
}

}  // namespace

std::string encoded(const std::function<void(capnp::MessageBuilder&)>& fill) {
  // All zeros, as the builder wants it; it leaves it so.
  thread_local const std::unique_ptr<capnp::word[]> scratch{new capnp::word[scratch_words]()};
  capnp::MallocMessageBuilder message(kj::arrayPtr(scratch.get(), scratch_words));
  fill(message);
  std::string out(capnp::computeSerializedSizeInWords(message) * sizeof(capnp::word), '\0');
  kj::ArrayOutputStream stream(kj::arrayPtr(reinterpret_cast<kj::byte*>(out.data()), out.size()));
  capnp::writeMessage(stream, message);
  return out;
}

std::optional<Fault> decode(std::string_view bytes, std::string_view what,
                            const std::function<void(capnp::MessageReader&)>& read) {
  constexpr std::size_t word_bytes = sizeof(capnp::word);
  if (bytes.empty() || bytes.size() % word_bytes != 0)
    return Fault{Fault::Kind::corrupt, std::string(what) + " is cut off"};
  const std::size_t count = bytes.size() / word_bytes;
  if (reinterpret_cast<std::uintptr_t>(bytes.data()) % alignof(capnp::word) == 0)
    return decode_words({reinterpret_cast<const capnp::word*>(bytes.data()), count}, what, read);
  auto aligned = kj::heapArray<capnp::word>(count);
  std::memcpy(aligned.asBytes().begin(), bytes.data(), bytes.size());
  return decode_words(aligned, what, read);
}

EntityKey entity(schema::PeerEntity::Reader from) {
  const auto kind =
      enumerator(static_cast<std::underlying_type_t<Kind>>(from.getKind()), Kind::key);
  switch (kind) {
    case Kind::none:
      check(from.getId().size() == 0);
      return {};
    case Kind::sku:
      return sku(view(from.getId()));
    case Kind::user:
    case Kind::cart:
    case Kind::order:
    case Kind::email:
    case Kind::key:
      break;
  }
  return {kind, id128(from.getId()).view()};
}

}  // namespace souk::wire
