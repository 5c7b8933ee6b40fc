#pragma once
/// Nodes with links on loopback, what their listeners heard, and a peer that is played by hand.
#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cluster/links/frames.h"
#include "cluster/links/hello.h"
#include "cluster/links/links.h"

namespace souk::cluster::test {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;
inline constexpr std::chrono::seconds patience{20};

/// What a listener heard, as words: `up a 7`, `a: TEXT`, `down a`. Thread: any.
class Heard final : public LinkListener {
 public:
  void up(const PeerHello& peer) override {
    add("up " + peer.node + " " + std::to_string(peer.incarnation), peer.version, {});
  }
  void down(const std::string& node, const std::string& why) override {
    add("down " + node, 0, why);
  }
  void received(const std::string& node, std::string_view frame) override {
    add(node + ": " + std::string(frame), 0, {});
  }

  /// Waits until `what` was heard for the nth time; false after `patience`.
  bool hears(const std::string& what, std::size_t times = 1) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, patience, [&] { return count(what) >= times; });
  }
  bool has(std::size_t words) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, patience, [&] { return words_.size() >= words; });
  }
  std::vector<std::string> words() const {
    const std::lock_guard lock(mutex_);
    return words_;
  }
  std::string why() const {  // of the last that is down
    const std::lock_guard lock(mutex_);
    return why_;
  }
  std::uint16_t version() const {
    const std::lock_guard lock(mutex_);
    return version_;
  }

 private:
  std::size_t count(const std::string& what) const {
    std::size_t found = 0;
    for (const std::string& word : words_) found += word == what;
    return found;
  }
  void add(std::string word, std::uint16_t version, std::string why) {
    const std::lock_guard lock(mutex_);
    words_.push_back(std::move(word));
    if (version > 0) version_ = version;
    if (!why.empty()) why_ = std::move(why);
    changed_.notify_all();
  }

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> words_;
  std::string why_;
  std::uint16_t version_ = 0;
};

inline LinkOptions options_of(const std::string& node, std::uint64_t incarnation = 1) {
  LinkOptions options;
  options.cluster = "bazaar";
  options.node = node;
  options.incarnation = incarnation;
  options.build = "test";
  return options;
}

/// A node; `heard` outlives its links.
struct TestNode {
  Heard heard;
  std::unique_ptr<Links> links;

  explicit TestNode(LinkOptions options) {
    auto opened = Links::open(std::move(options));
    REQUIRE_MESSAGE(opened.ok(), opened.error().what);
    links = std::move(*opened);
    links->start(heard);
  }
  explicit TestNode(const std::string& node, std::uint64_t incarnation = 1)
      : TestNode(options_of(node, incarnation)) {}

  PeerAddress at(const std::string& node) const { return {node, "127.0.0.1", links->port()}; }
  LinkCounters counters(const std::string& node) const {
    for (LinkCounters& one : links->counters())
      if (one.node == node) return one;
    return {};
  }
};

inline void link(TestNode& a, TestNode& b) {
  REQUIRE(a.links->set_peers({b.at("b")}).ok());
  REQUIRE(b.links->set_peers({a.at("a")}).ok());
  REQUIRE(a.heard.hears("up b 1"));
  REQUIRE(b.heard.hears("up a 1"));
}

inline Hello hello_of(const std::string& node, std::uint64_t incarnation = 1) {
  return {{1, 1}, incarnation, "bazaar", node, "by hand"};
}

/// A plain socket to a node's port: says what it likes. Thread: one.
class Hand {
 public:
  explicit Hand(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(::connect(socket_, reinterpret_cast<sockaddr*>(&to), sizeof to) == 0);
  }
  ~Hand() { hang_up(); }
  Hand(const Hand&) = delete;
  Hand& operator=(const Hand&) = delete;

  void hang_up() {
    if (socket_ >= 0) ::close(socket_);
    socket_ = -1;
  }
  int socket() const { return socket_; }
  /// All until the other side closes.
  std::string hear_bytes() {
    std::string bytes;
    char space[4'096];
    while (true) {
      pollfd waits{socket_, POLLIN, 0};
      REQUIRE(::poll(&waits, 1, 20'000) == 1);
      const ssize_t got = ::recv(socket_, space, sizeof space, 0);
      if (got <= 0) return bytes;
      bytes.append(space, static_cast<std::size_t>(got));
    }
  }
  /// False where the other side has closed.
  bool say(std::string_view bytes) {
    return ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
           static_cast<ssize_t>(bytes.size());
  }
  bool say(FrameKind kind, std::string_view content = {}) {
    std::string bytes;
    append_frame(bytes, kind, content);
    return say(bytes);
  }
  /// The next frame as its kind and content; nothing when the other side closes.
  std::optional<std::pair<FrameKind, std::string>> hear() {
    while (true) {
      const auto frame = reader_.next();
      REQUIRE(frame.ok());
      if (*frame) return std::pair((*frame)->kind, std::string((*frame)->content));
      pollfd waits{socket_, POLLIN, 0};
      REQUIRE(::poll(&waits, 1, 20'000) == 1);
      const std::span<char> space = reader_.space();
      const ssize_t got = ::recv(socket_, space.data(), space.size(), 0);
      if (got <= 0) return std::nullopt;
      reader_.filled(static_cast<std::size_t>(got));
    }
  }
  /// The words with which a hello is refused; empty where it is not.
  std::string refusal(const Hello& hello) {
    say(FrameKind::hello, encode_hello(hello));
    const auto answer = hear();
    return answer && answer->first == FrameKind::refused ? answer->second : "";
  }
  void link(const Hello& hello) {
    REQUIRE(say(FrameKind::hello, encode_hello(hello)));
    const auto answer = hear();
    REQUIRE(answer.has_value());
    REQUIRE(answer->first == FrameKind::hello);
    REQUIRE(say(FrameKind::ready));
  }

 private:
  int socket_;
  FrameReader reader_{64u << 20};
};

}  // namespace souk::cluster::test
