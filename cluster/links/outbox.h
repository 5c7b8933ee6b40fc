#pragma once
/// What is to be sent to one peer: filled by any thread, emptied by the links' own.
#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

#include "cluster/links/links.h"

namespace souk::cluster {

/// Invariant: the cost of what was taken and is not `written` yet is at most the maximum. A frame
/// that is taken was put while the connection that it leaves by was open.
/// Thread: any.
class Outbox {
 public:
  explicit Outbox(const LinkLimits& limits) : limits_(limits) {}

  enum class Wake : std::uint8_t { no, yes };
  struct Put {
    Sent sent;
    Wake wake = Wake::no;  // nobody has asked the links' thread yet to look
  };
  Put put(std::string frame);
  /// All that is there; the next put() wakes again. They still count until they are `written`.
  std::vector<std::string> take();
  void written(std::uint64_t frames, std::uint64_t bytes);
  /// Drops what is there. What was taken counts no more.
  void close();
  void open();
  std::uint64_t unsent_bytes() const;

  /// What it costs to hold a frame. Units: bytes.
  static std::uint64_t cost(std::uint64_t frames, std::uint64_t bytes) {
    return bytes + frames * frame_overhead;
  }

 private:
  static constexpr std::uint64_t frame_overhead = 64;
  const LinkLimits limits_;
  mutable std::mutex mutex_;  // what follows
  bool open_ = false;
  bool awake_ = false;
  std::uint64_t unsent_bytes_ = 0;
  std::vector<std::string> frames_;
};

}  // namespace souk::cluster
