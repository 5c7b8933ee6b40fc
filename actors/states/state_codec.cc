#include "actors/states/state_codec.h"

#include <capnp/serialize-packed.h>
#include <kj/io.h>

#include <array>
#include <memory>

#include "actors/states/stored_form.h"

namespace souk::stored {
namespace {

constexpr char format_version = 1;
constexpr std::size_t scratch_words = 32 * 1024;          // 256 KiB: a cart of 2,000 lines
constexpr std::uint64_t unpacked_words_max = 1ull << 27;  // 1 GiB

class StringStream final : public kj::OutputStream {
 public:
  explicit StringStream(std::string& out) : out_(out) {}
  void write(const void* bytes, size_t size) override {
    out_.append(static_cast<const char*>(bytes), size);
  }

 private:
  std::string& out_;
};

/// False where the message does not fit `space`. REQUIRES: `space` is all zeros; it is so again.
bool pack_in(kj::ArrayPtr<capnp::word> space,
             const std::function<void(schema::State::Builder)>& fill, std::string& out) {
  capnp::MallocMessageBuilder message(space);
  fill(message.initRoot<schema::State>());
  // One segment only: where others begin would depend on the space, and with it the bytes.
  if (message.getSegmentsForOutput().size() > 1) return false;
  StringStream stream(out);
  capnp::writePackedMessage(stream, message);
  return true;
}

}  // namespace

std::string pack(const std::function<void(schema::State::Builder)>& fill) {
  thread_local const std::unique_ptr<capnp::word[]> scratch{new capnp::word[scratch_words]()};
  std::string out(1, format_version);
  if (pack_in(kj::arrayPtr(scratch.get(), scratch_words), fill, out)) return out;
  for (std::size_t words = scratch_words * 4;; words *= 4) {
    const std::unique_ptr<capnp::word[]> space{new capnp::word[words]()};
    if (pack_in(kj::arrayPtr(space.get(), words), fill, out)) return out;
  }
}

std::optional<Fault> unpack(std::string_view bytes, schema::State::Which which,
                            const std::function<void(schema::State::Reader)>& read) {
  if (bytes.empty()) return Fault{Fault::Kind::corrupt, "a stored state is empty"};
  if (bytes[0] != format_version) {
    const auto kind = bytes[0] > format_version ? Fault::Kind::unsupported : Fault::Kind::corrupt;
    return Fault{kind, "a stored state has the format version " + std::to_string(bytes[0])};
  }
  try {
    const auto* begin = reinterpret_cast<const kj::byte*>(bytes.data());
    const auto packed = kj::arrayPtr(begin + 1, bytes.size() - 1);
    const std::uint64_t words = capnp::computeUnpackedSizeInWords(packed);
    check(words <= unpacked_words_max);
    capnp::ReaderOptions options;
    options.traversalLimitInWords = words * 4 + 64;
    kj::ArrayInputStream stream(packed);
    capnp::PackedMessageReader message(stream, options);
    const auto root = message.getRoot<schema::State>();
    check(root.which() == which);
    read(root);
    check(stream.tryGetReadBuffer().size() == 0);
    return std::nullopt;
  } catch (const kj::Exception&) {
    return Fault{Fault::Kind::corrupt, "a stored state is malformed"};
  }
}

}  // namespace souk::stored
