#include "gateway/http/send.h"

#include <doctest/doctest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <string>
#include <utility>

using souk::SendQueue;

namespace {

struct Pair {
  Pair() { REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends.data()) == 0); }
  ~Pair() {
    ::close(ends[0]);
    if (ends[1] >= 0) ::close(ends[1]);
  }
  std::string receive() {
    std::string all, some(65536, '\0');
    for (ssize_t got; (got = ::recv(ends[1], some.data(), some.size(), 0)) > 0;) {
      all.append(some, 0, static_cast<std::size_t>(got));
    }
    return all;
  }
  std::array<int, 2> ends{-1, -1};
};

}  // namespace

TEST_CASE("http send: what a full socket does not take follows in order") {
  for (const std::size_t head_bytes : {std::size_t{10}, std::size_t{2'000'000}}) {
    CAPTURE(head_bytes);
    Pair pair;
    SendQueue queue;
    const std::string head(head_bytes, 'h'), body(3'000'000, 'b');
    auto taken = queue.send(pair.ends[0], head, body);
    REQUIRE(taken);
    CHECK(*taken > 0);
    CHECK(*taken + queue.waiting_bytes() == head.size() + body.size());
    std::string received = pair.receive();  // there is room again, but not for what comes later
    taken = queue.send(pair.ends[0], "last", "");
    REQUIRE(taken);
    CHECK(*taken == 0);
    while (queue.waiting_bytes() > 0) {
      REQUIRE(queue.flush(pair.ends[0]));
      received += pair.receive();
    }
    CHECK((received == head + body + "last"));
  }
}

TEST_CASE("http send: a broken connection is reported") {
  Pair pair;
  ::close(std::exchange(pair.ends[1], -1));
  SendQueue queue;
  CHECK(!queue.send(pair.ends[0], "a", "b"));
  CHECK(!queue.send(pair.ends[0], "a", ""));
}
