// The parts of a link that need no socket.
#include <doctest/doctest.h>

#include "cluster/links/frames.h"
#include "cluster/links/hello.h"
#include "cluster/links/options.h"
#include "cluster/links/outbox.h"

using namespace souk;
using namespace souk::cluster;

namespace {

Hello tent() { return {{1, 3}, 0x0102030405060708, "bazaar", "tent-1", "0.1"}; }

void feed(FrameReader& reader, std::string_view bytes) {
  while (!bytes.empty()) {
    const std::span<char> space = reader.space();
    const std::size_t part = std::min(space.size(), bytes.size());
    bytes.copy(space.data(), part);
    reader.filled(part);
    bytes.remove_prefix(part);
  }
}

LinkOptions good_options() {
  LinkOptions options;
  options.cluster = "bazaar";
  options.node = "tent";
  return options;
}

}  // namespace

TEST_CASE("hello: what was encoded is decoded, and its bytes stay as they are") {
  const std::string bytes = encode_hello(tent());
  CHECK(*decode_hello(bytes) == tent());
  CHECK(bytes == std::string("SoukLnk1\x01\0\x03\0\x08\x07\x06\x05\x04\x03\x02\x01\x06\0bazaar"
                             "\x06\0tent-1\x03\0"
                             "0.1",
                             41));
}

TEST_CASE("hello: one that is cut anywhere is none, what a later version appends is skipped") {
  const std::string bytes = encode_hello(tent());
  for (std::size_t size = 0; size < bytes.size(); ++size)
    CHECK(decode_hello(bytes.substr(0, size)).error().kind == Fault::Kind::corrupt);
  CHECK(*decode_hello(bytes + "more") == tent());
}

TEST_CASE("hello: another protocol's bytes and names that are none are refused") {
  CHECK(!decode_hello("GET / HTTP/1.1\r\n\r\n"));
  Hello hello = tent();
  hello.node = "a.bazaar.souk";
  CHECK(!decode_hello(encode_hello(hello)));
  hello = tent();
  hello.cluster = "line\nbreak";
  CHECK(!decode_hello(encode_hello(hello)));
  hello = tent();
  hello.build.assign(build_bytes_max, 'b');
  CHECK(decode_hello(encode_hello(hello)).ok());
  hello.build += 'b';
  CHECK(!decode_hello(encode_hello(hello)));
  hello = tent();
  hello.versions = {2, 1};
  CHECK(!decode_hello(encode_hello(hello)));
}

TEST_CASE("hello: two nodes agree on the newest version that both speak") {
  Hello mine = tent(), theirs = tent();
  theirs.node = "tent-2";
  mine.versions = {1, 3};
  theirs.versions = {2, 5};
  CHECK(*agree(mine, theirs) == 3);
  CHECK(*agree(theirs, mine) == 3);
  theirs.versions = {3, 5};
  CHECK(*agree(mine, theirs) == 3);
  theirs.versions = {4, 5};
  CHECK(agree(mine, theirs).error().what ==
        "node tent-1 speaks versions 1 to 3, node tent-2 versions 4 to 5: none in common");
}

TEST_CASE("hello: another cluster and the own name are refused in words") {
  Hello mine = tent(), theirs = tent();
  CHECK(agree(mine, theirs).error().what ==
        "both are named tent-1: each node needs a name of its own");
  theirs.node = "tent-2";
  theirs.cluster = "fair";
  CHECK(agree(mine, theirs).error().what ==
        "node tent-1 is of the cluster bazaar, node tent-2 of the cluster fair");
}

TEST_CASE("frames: any cut of the stream gives the same frames") {
  std::string bytes;
  append_frame(bytes, FrameKind::hello, "who");
  append_frame(bytes, FrameKind::message, "");
  append_frame(bytes, FrameKind::message, std::string("\0\xff", 2));
  for (std::size_t step = 1; step <= bytes.size(); ++step) {
    FrameReader reader(3);
    std::vector<std::string> seen;
    for (std::size_t at = 0; at < bytes.size(); at += step) {
      feed(reader, std::string_view(bytes).substr(at, step));
      while (const auto frame = *reader.next()) seen.emplace_back(frame->content);
    }
    CHECK(seen == std::vector<std::string>{"who", "", std::string("\0\xff", 2)});
  }
}

TEST_CASE("frames: the longest is read, one past it is not, nor is a kind that is none") {
  std::string bytes;
  append_frame(bytes, FrameKind::message, "1234");
  FrameReader enough(4), too_small(3);
  feed(enough, bytes);
  CHECK((*enough.next())->content == "1234");
  feed(too_small, std::string_view(bytes).substr(0, frame_header_bytes));
  CHECK(too_small.next().error().what == "a frame of 4 bytes; at most 3");
  for (const char kind : {'\0', '\x06', '\xff'}) {
    FrameReader reader(4);
    feed(reader, std::string("\0\0\0\0", 4) + kind);
    CHECK(!reader.next());
  }
}

TEST_CASE("frames: a promise of bytes takes no memory, and a large frame's is given back") {
  constexpr std::size_t large = 8u << 20;
  std::string bytes;
  append_frame(bytes, FrameKind::message, std::string(large, 'x'));
  FrameReader reader(large);
  feed(reader, std::string_view(bytes).substr(0, 1'000));
  CHECK(!*reader.next());
  CHECK(reader.space().size() < 128u << 10);
  feed(reader, std::string_view(bytes).substr(1'000));
  feed(reader, "abc");  // of the next one
  CHECK((*reader.next())->content.size() == large);
  CHECK(reader.space().size() < 128u << 10);
  feed(reader, std::string_view("\0\x05", 2));  // 0x00636261 bytes: "abc" was kept
  CHECK(!*reader.next());
}

TEST_CASE("outbox: takes what fits, and one byte more is full until it was written") {
  LinkLimits limits;
  limits.frame_bytes_max = 100;
  limits.unsent_bytes_max = 200;
  Outbox outbox(limits);
  CHECK(outbox.put("early").sent == Sent::no_link);
  outbox.open();
  CHECK(outbox.put(std::string(101, 'x')).sent == Sent::too_large);
  CHECK(outbox.put(std::string(100, 'x')).sent == Sent::yes);
  CHECK(outbox.put("").sent == Sent::full);  // 164 are taken, and an empty one costs 64
  CHECK(outbox.take().size() == 1);
  CHECK(outbox.put("").sent == Sent::full);
  outbox.written(1, 100);
  CHECK(outbox.put(std::string(72, 'x')).sent == Sent::yes);
  CHECK(outbox.put("x").sent == Sent::full);  // 201
  CHECK(outbox.put("").sent == Sent::yes);
  CHECK(outbox.unsent_bytes() == 200);
}

TEST_CASE("outbox: wakes once until it is looked into, and drops what is there when it closes") {
  Outbox outbox(LinkLimits{});
  outbox.open();
  CHECK(outbox.put("a").wake == Outbox::Wake::yes);
  CHECK(outbox.put("b").wake == Outbox::Wake::no);
  CHECK(outbox.take() == std::vector<std::string>{"a", "b"});
  CHECK(outbox.put("c").wake == Outbox::Wake::yes);
  outbox.close();
  CHECK(outbox.put("d").sent == Sent::no_link);
  outbox.open();
  CHECK(outbox.unsent_bytes() == 0);
  CHECK(outbox.take().empty());
  CHECK(outbox.put("e").wake == Outbox::Wake::yes);
}

TEST_CASE("options: names, ranges and limits that do not fit are refused") {
  CHECK(check_options(good_options()).ok());
  const auto refused = [](auto change) {
    LinkOptions options = good_options();
    change(options);
    return !check_options(options).ok();
  };
  CHECK(refused([](LinkOptions& o) { o.cluster = ""; }));
  CHECK(refused([](LinkOptions& o) { o.node = "a.b"; }));
  CHECK(!refused([](LinkOptions& o) { o.node.assign(63, 'n'); }));
  CHECK(refused([](LinkOptions& o) { o.node.assign(64, 'n'); }));
  CHECK(refused([](LinkOptions& o) { o.build.assign(build_bytes_max + 1, 'b'); }));
  CHECK(refused([](LinkOptions& o) { o.versions = {2, 1}; }));
  CHECK(!refused([](LinkOptions& o) { o.limits.unsent_bytes_max = (20u << 20) + 64; }));
  CHECK(refused([](LinkOptions& o) { o.limits.unsent_bytes_max = (20u << 20) + 63; }));
  CHECK(refused([](LinkOptions& o) { o.limits.heartbeat_ms = 0; }));
  CHECK(refused([](LinkOptions& o) { o.limits.heartbeat_ms = 751; }));
  CHECK(refused([](LinkOptions& o) { o.limits.redial_ms_min = 501; }));
}

TEST_CASE("options: a peer has a name of its own and an address") {
  CHECK(check_peers({{"a", "localhost", 1}, {"b", "127.0.0.1", 65'535}}).ok());
  CHECK(check_peers({{"a", "h", 1}, {"a", "h", 2}}).error().what == "node a stands twice");
  CHECK(!check_peers({{"a", "h", 0}}));
  CHECK(!check_peers({{"a", "", 1}}));
  CHECK(!check_peers({{"a b", "h", 1}}));
}
