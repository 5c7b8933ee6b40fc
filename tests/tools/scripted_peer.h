#pragma once
/// A server that answers what the script says, also what no good server would.
#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "tools/souk/client/url.h"

namespace souk::cli {

class ScriptedPeer {
 public:
  struct Step {
    std::string answer;
    enum class Then { keep, close } then = Then::keep;
    std::size_t piece = 1'000'000;  // bytes sent at a time
    bool hear = true;               // read a whole request first
  };

  explicit ScriptedPeer(std::vector<Step> script) : script_(std::move(script)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    REQUIRE(::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) == 0);
    REQUIRE(::listen(listener_, 8) == 0);
    REQUIRE(::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) == 0);
    url_ = {"127.0.0.1", std::to_string(ntohs(address.sin_port))};
    thread_ = std::thread([this] { serve(); });
  }
  ~ScriptedPeer() {
    ::shutdown(listener_, SHUT_RDWR);
    thread_.join();
    ::close(listener_);
  }
  ScriptedPeer(const ScriptedPeer&) = delete;
  ScriptedPeer& operator=(const ScriptedPeer&) = delete;

  const Url& url() const { return url_; }
  int connections() const {
    const std::lock_guard lock(mutex_);
    return connections_;
  }
  /// The requests heard so far, whole.
  std::vector<std::string> requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
  }

  static std::string answer(const std::string& status, const std::string& body,
                            const std::string& headers = {}) {
    return "HTTP/1.1 " + status + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
           headers + "\r\n" + body;
  }

 private:
  void serve() {
    std::size_t next = 0;
    while (next < script_.size()) {
      const int peer = ::accept(listener_, nullptr, nullptr);
      if (peer < 0) return;
      {
        const std::lock_guard lock(mutex_);
        ++connections_;
      }
      while (next < script_.size()) {
        const Step& step = script_[next];
        if (step.hear && !hear(peer)) break;
        ++next;
        for (std::size_t at = 0; at < step.answer.size(); at += step.piece) {
          const std::string piece = step.answer.substr(at, step.piece);
          if (::send(peer, piece.data(), piece.size(), MSG_NOSIGNAL) < 0) break;
          if (step.piece < 1'000) std::this_thread::sleep_for(std::chrono::microseconds(200));
        }
        if (step.then == Step::Then::close) break;
      }
      if (next == script_.size()) hear(peer);  // stays until the client goes
      ::close(peer);
    }
  }
  /// Reads one request; false where the client has gone.
  bool hear(int peer) {
    std::string text;
    char buffer[65'536];
    while (true) {
      const std::size_t end = text.find("\r\n\r\n");
      if (end != std::string::npos) {
        const std::size_t at = text.find("Content-Length: ");
        const std::size_t length = at < end ? std::stoul(text.substr(at + 16)) : 0;
        if (text.size() >= end + 4 + length) {
          const std::lock_guard lock(mutex_);
          requests_.push_back(text);
          return true;
        }
      }
      const ssize_t got = ::recv(peer, buffer, sizeof(buffer), 0);
      if (got <= 0) return false;
      text.append(buffer, static_cast<std::size_t>(got));
    }
  }

  std::vector<Step> script_;
  int listener_ = -1;
  Url url_;
  std::thread thread_;
  mutable std::mutex mutex_;
  int connections_ = 0;
  std::vector<std::string> requests_;
};

}  // namespace souk::cli
