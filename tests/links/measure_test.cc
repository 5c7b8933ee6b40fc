// What a link takes, measured on request in the release build:
//   build/release/links_test --no-skip --test-case="*measured*"
#include <doctest/doctest.h>
#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <algorithm>
#include <csignal>
#include <cstring>
#include <fstream>
#include <thread>

#include "cluster/links/certificates.h"
#include "tests/links/world.h"
#include "tests/support/temporary_directory.h"

using namespace souk;
using namespace souk::cluster;
using namespace souk::cluster::test;

namespace {

constexpr std::int64_t rate_per_s = 20'000;
constexpr std::size_t frame_bytes = 300;

std::int64_t now_us() {
  return std::chrono::duration_cast<std::chrono::microseconds>(Clock::now().time_since_epoch())
      .count();
}

double cpu_s(int who) {
  rusage used{};
  ::getrusage(who, &used);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

double resident_mb() {
  std::ifstream file("/proc/self/statm");
  double all = 0, resident = 0;
  file >> all >> resident;
  return resident * 4'096 / 1e6;
}

/// Sends back what it gets.
struct Echo final : LinkListener {
  Links* links = nullptr;
  void up(const PeerHello&) override {}
  void down(const std::string&, const std::string&) override {}
  void received(const std::string& node, std::string_view frame) override {
    links->send(node, std::string(frame));
  }
};

/// A frame begins with the time at which it was due.
struct Timer final : LinkListener {
  std::vector<std::int64_t> latencies_us;
  std::atomic<std::uint64_t> replies{0};
  std::atomic<bool> is_up{false};
  std::atomic<std::int64_t> down_at_us{0};
  void up(const PeerHello&) override { is_up = true; }
  void down(const std::string&, const std::string&) override {
    is_up = false;
    down_at_us = now_us();
  }
  void received(const std::string&, std::string_view frame) override {
    std::int64_t due_us = 0;
    std::memcpy(&due_us, frame.data(), sizeof due_us);
    latencies_us.push_back(now_us() - due_us);
    ++replies;
  }
};

struct Sending {
  std::uint64_t sent = 0, refused = 0, unsent_max = 0;
};

/// At the rate whatever comes back, each millisecond what is due.
Sending send_for(Links& links, std::chrono::seconds time) {
  Sending sending;
  const std::int64_t start_us = now_us();
  const std::int64_t all = rate_per_s * time.count();
  for (std::int64_t i = 0; i < all; std::this_thread::sleep_for(milliseconds(1))) {
    for (const std::int64_t due = (now_us() - start_us) * rate_per_s / 1'000'000;
         i < std::min(due, all); ++i) {
      const std::int64_t due_us = start_us + i * 1'000'000 / rate_per_s;
      std::string frame(frame_bytes, 'x');
      std::memcpy(frame.data(), &due_us, sizeof due_us);
      links.send("b", std::move(frame)) == Sent::yes ? ++sending.sent : ++sending.refused;
    }
    for (const LinkCounters& one : links.counters())
      sending.unsent_max = std::max(sending.unsent_max, one.unsent_bytes);
  }
  return sending;
}

std::int64_t quantile(std::vector<std::int64_t>& values, std::size_t percent) {
  if (values.empty()) return 0;
  std::ranges::sort(values);
  return values[values.size() * percent / 100];
}

void measure(const std::string& name, const LinkOptions& options_a, LinkOptions options_b) {
  auto a = std::move(*Links::open(options_a));
  int pipe[2];
  REQUIRE(::pipe(pipe) == 0);
  const pid_t child = ::fork();  // no threads yet
  REQUIRE(child >= 0);
  if (child == 0) {
    Echo echo;
    auto b = std::move(*Links::open(std::move(options_b)));
    echo.links = b.get();
    b->start(echo);
    if (!b->set_peers({{"a", "127.0.0.1", a->port()}})) ::_exit(1);
    const std::uint16_t port = b->port();
    if (::write(pipe[1], &port, sizeof port) != sizeof port) ::_exit(1);
    while (true) ::pause();
  }
  std::uint16_t port = 0;
  REQUIRE(::read(pipe[0], &port, sizeof port) == sizeof port);
  Timer timer;
  timer.latencies_us.reserve(1'000'000);
  a->start(timer);
  REQUIRE(a->set_peers({{"b", "127.0.0.1", port}}).ok());
  while (!timer.is_up) std::this_thread::sleep_for(milliseconds(1));
  const double cpu_before_s = cpu_s(RUSAGE_SELF);
  const Sending steady = send_for(*a, std::chrono::seconds(8));
  const double cpu = cpu_s(RUSAGE_SELF) - cpu_before_s;
  std::this_thread::sleep_for(milliseconds(200));
  CHECK(timer.replies == steady.sent);
  const std::int64_t p50 = quantile(timer.latencies_us, 50), p99 = quantile(timer.latencies_us, 99);
  const double before_mb = resident_mb();
  ::kill(child, SIGSTOP);
  const std::int64_t stopped_us = now_us();
  const Sending stopped = send_for(*a, std::chrono::seconds(10));
  const double after_mb = resident_mb();
  ::kill(child, SIGKILL);
  int status = 0;
  ::waitpid(child, &status, 0);
  fmt::print(
      "{}: {} sent, {} refused, p50 {} us, p99 {} us, {:.2f} s of 8 s of one core here; "
      "stopped: down after {} ms, unsent at most {} bytes, memory {:.0f} -> {:.0f} MB\n",
      name, steady.sent, steady.refused, p50, p99, cpu, (timer.down_at_us - stopped_us) / 1'000,
      stopped.unsent_max, before_mb, after_mb);
  a->stop();
}

}  // namespace

TEST_CASE("(measured) links: 20,000 frames of 300 B a second, and replies" * doctest::skip()) {
  souk::test::TemporaryDirectory directory;
  const std::string place = directory.path().string();
  REQUIRE(make_trial_certificates(place, "bazaar", {"a", "b"}).ok());
  LinkOptions a = options_of("a"), b = options_of("b");
  measure("plain", a, b);
  for (LinkOptions* options : {&a, &b})
    options->tls = {place + "/authority.pem", place + "/" + options->node + ".pem",
                    place + "/" + options->node + ".key"};
  measure("TLS 1.3", a, b);
}
