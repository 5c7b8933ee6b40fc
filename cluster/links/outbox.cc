#include "cluster/links/outbox.h"

#include <utility>

namespace souk::cluster {

Outbox::Put Outbox::put(std::string frame) {
  if (frame.size() > limits_.frame_bytes_max) return {Sent::too_large};
  const std::uint64_t bytes = cost(1, frame.size());
  const std::lock_guard lock(mutex_);
  if (!open_) return {Sent::no_link};
  if (unsent_bytes_ + bytes > limits_.unsent_bytes_max) return {Sent::full};
  unsent_bytes_ += bytes;
  frames_.push_back(std::move(frame));
  return {Sent::yes, std::exchange(awake_, true) ? Wake::no : Wake::yes};
}

std::vector<std::string> Outbox::take() {
  const std::lock_guard lock(mutex_);
  awake_ = false;
  return std::exchange(frames_, {});
}

void Outbox::written(std::uint64_t frames, std::uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  SOUK_ASSERT(unsent_bytes_ >= cost(frames, bytes));
  unsent_bytes_ -= cost(frames, bytes);
}

void Outbox::close() {
  std::vector<std::string> dropped;  // freed without the lock
  const std::lock_guard lock(mutex_);
  open_ = false;
  awake_ = false;
  unsent_bytes_ = 0;
  dropped.swap(frames_);
}

void Outbox::open() {
  const std::lock_guard lock(mutex_);
  open_ = true;
}

std::uint64_t Outbox::unsent_bytes() const {
  const std::lock_guard lock(mutex_);
  return unsent_bytes_;
}

}  // namespace souk::cluster
