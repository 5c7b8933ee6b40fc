#pragma once
#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

namespace souk {

/// A queue in one piece of memory, which an empty one does not have (as std::deque does). What left
/// at the front is given up when it is more than half, so that to take one costs the same however
/// many there are.
template <class T>
class Fifo {
 public:
  using const_iterator = typename std::vector<T>::const_iterator;

  bool empty() const { return front_ == all_.size(); }
  std::size_t size() const { return all_.size() - front_; }
  /// REQUIRES: not empty, as of back().
  const T& front() const { return all_[front_]; }
  T& front() { return all_[front_]; }
  const T& back() const { return all_.back(); }
  T& operator[](std::size_t at) { return all_[front_ + at]; }
  const_iterator begin() const { return all_.begin() + static_cast<std::ptrdiff_t>(front_); }
  const_iterator end() const { return all_.end(); }
  std::size_t heap_bytes() const { return all_.capacity() * sizeof(T); }

  void push_back(T&& one) { all_.push_back(std::move(one)); }
  void push_back(const T& one) { all_.push_back(one); }
  template <class... Parts>
  void emplace_back(Parts&&... parts) {
    all_.emplace_back(std::forward<Parts>(parts)...);
  }
  void insert(const_iterator before, T one) { all_.insert(before, std::move(one)); }
  void pop_front(std::size_t count = 1) {
    front_ += count;
    if (2 * front_ <= all_.size()) return;
    all_.erase(all_.begin(), begin());
    front_ = 0;
  }
  /// Keeps the memory.
  void clear() {
    all_.clear();
    front_ = 0;
  }
  template <class Which>
  void erase_if(const Which& which) {
    all_.erase(all_.begin(), begin());
    front_ = 0;
    std::erase_if(all_, which);
  }
  void reserve(std::size_t count) { all_.reserve(front_ + count); }
  bool operator==(const Fifo& o) const { return std::equal(begin(), end(), o.begin(), o.end()); }

 private:
  std::vector<T> all_;
  std::size_t front_ = 0;  // those before it have left
};

}  // namespace souk
