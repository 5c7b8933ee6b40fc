#include "cluster/links/hello.h"

#include <fmt/format.h>

#include <algorithm>

#include "events/shared_log/kafka_options.h"

namespace souk::cluster {

namespace {

template <class T>
void put(std::string& to, T value) {
  for (std::size_t i = 0; i < sizeof value; ++i) to.push_back(static_cast<char>(value >> (8 * i)));
}

void put_text(std::string& to, std::string_view text) {
  put(to, static_cast<std::uint16_t>(text.size()));
  to.append(text);
}

/// Takes from the front of `rest`; false where there is too little.
template <class T>
bool take(std::string_view& rest, T& value) {
  if (rest.size() < sizeof value) return false;
  value = 0;
  for (std::size_t i = sizeof value; i-- > 0;)
    value = static_cast<T>(value << 8 | static_cast<unsigned char>(rest[i]));
  rest.remove_prefix(sizeof value);
  return true;
}

bool take_text(std::string_view& rest, std::string& text) {
  std::uint16_t length = 0;
  if (!take(rest, length) || rest.size() < length) return false;
  text = rest.substr(0, length);
  rest.remove_prefix(length);
  return true;
}

std::string words(const ProtocolVersions& versions) {
  return fmt::format("{} to {}", versions.oldest, versions.newest);
}

}  // namespace

std::string encode_hello(const Hello& hello) {
  std::string bytes(hello_magic);
  put(bytes, hello.versions.oldest);
  put(bytes, hello.versions.newest);
  put(bytes, hello.incarnation);
  put_text(bytes, hello.cluster);
  put_text(bytes, hello.node);
  put_text(bytes, hello.build);
  return bytes;
}

Result<Hello, Fault> decode_hello(std::string_view content) {
  const auto corrupt = [](const char* what) { return Fault{Fault::Kind::corrupt, what}; };
  if (!content.starts_with(hello_magic)) return corrupt("not a hello of a node");
  content.remove_prefix(hello_magic.size());
  Hello hello;
  if (!take(content, hello.versions.oldest) || !take(content, hello.versions.newest) ||
      !take(content, hello.incarnation) || !take_text(content, hello.cluster) ||
      !take_text(content, hello.node) || !take_text(content, hello.build))
    return corrupt("a hello that is cut short");
  if (hello.versions.oldest > hello.versions.newest)
    return corrupt("a hello with a range of versions that is none");
  // Names go into logs and are compared with those of certificates.
  if (!check_node_name(hello.node) || !check_cluster_name(hello.cluster) ||
      hello.build.size() > build_bytes_max)
    return corrupt("a hello with names that are none");
  return hello;
}

Result<std::uint16_t, Fault> agree(const Hello& mine, const Hello& theirs) {
  const auto mismatch = [](std::string what) {
    return Fault{Fault::Kind::mismatch, std::move(what)};
  };
  if (mine.cluster != theirs.cluster)
    return mismatch(fmt::format("node {} is of the cluster {}, node {} of the cluster {}",
                                mine.node, mine.cluster, theirs.node, theirs.cluster));
  if (mine.node == theirs.node)
    return mismatch(fmt::format("both are named {}: each node needs a name of its own", mine.node));
  const std::uint16_t newest = std::min(mine.versions.newest, theirs.versions.newest);
  if (newest < std::max(mine.versions.oldest, theirs.versions.oldest))
    return mismatch(fmt::format("node {} speaks versions {}, node {} versions {}: none in common",
                                mine.node, words(mine.versions), theirs.node,
                                words(theirs.versions)));
  return newest;
}

}  // namespace souk::cluster
