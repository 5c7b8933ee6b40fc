#pragma once
/// Cap'n Proto's packed form to bytes and back, for the codecs of this folder alone.
#include <capnp/message.h>
#include <capnp/serialize-packed.h>
#include <kj/exception.h>
#include <kj/io.h>

#include <string>
#include <string_view>

#include "events/result.h"

namespace souk::cluster {

/// Thrown by a codec on a value that cannot be, and caught in `unpack`.
struct Unreadable {
  Fault fault;
};

inline std::string_view view(capnp::Text::Reader text) { return {text.begin(), text.size()}; }
inline capnp::Text::Reader as_text(const std::string& text) { return {text.c_str(), text.size()}; }

/// Errors: corrupt. Limits: at most `bytes_max`.
inline std::string text_of(capnp::Text::Reader text, std::size_t bytes_max) {
  if (text.size() > bytes_max)
    throw Unreadable{{Fault::Kind::corrupt, "control: a text is too long"}};
  return std::string(view(text));
}
/// A newer build's enumerator is unsupported.
template <class Enum>
Enum enum_of(std::uint8_t raw, Enum last) {
  if (raw > static_cast<std::uint8_t>(last))
    throw Unreadable{{Fault::Kind::unsupported, "control: a value that this version lacks"}};
  return static_cast<Enum>(raw);
}

template <class Root, class Write>
std::string pack(Write write) {
  capnp::MallocMessageBuilder builder;
  write(builder.initRoot<Root>());
  kj::VectorOutputStream out;
  capnp::writePackedMessage(out, builder);
  const auto bytes = out.getArray();
  return {reinterpret_cast<const char*>(bytes.begin()), bytes.size()};
}

/// Limits: `words_max` unpacked; a small message that claims to be a large one costs nothing.
/// Errors: corrupt; and what `read` throws as Unreadable.
template <class Root, class Value, class Read>
Result<Value, Fault> unpack(std::string_view bytes, std::size_t words_max, Read read) {
  try {
    kj::ArrayInputStream in({reinterpret_cast<const kj::byte*>(bytes.data()), bytes.size()});
    capnp::ReaderOptions options;
    options.traversalLimitInWords = words_max;
    capnp::PackedMessageReader reader(in, options);
    return Value(read(reader.getRoot<Root>()));
  } catch (const Unreadable& unreadable) {
    return Fault(unreadable.fault);
  } catch (const kj::Exception&) {
    return Fault{Fault::Kind::corrupt, "control: the message is malformed"};
  }
}

}  // namespace souk::cluster
