#pragma once
/// The listening socket and the process's file descriptors.
#include <cstdint>
#include <string>
#include <utility>

#include "events/result.h"

namespace souk {

/// Owns one file descriptor; -1 is none.
class FileDescriptor {
 public:
  FileDescriptor() = default;
  explicit FileDescriptor(int number) : number_(number) {}
  FileDescriptor(FileDescriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  ~FileDescriptor() { close(); }

  int number() const { return number_; }
  bool open() const { return number_ >= 0; }
  void close();

 private:
  int number_ = -1;
};

enum class AddressUse : std::uint8_t { alone, shared };  // shared: SO_REUSEPORT

/// A non-blocking TCP socket that listens.
class Listener {
 public:
  /// `address`: "127.0.0.1:8080", "[::1]:0" or "localhost:8080"; other names are not looked up.
  /// Errors: unavailable, with words for the operator.
  static Result<Listener, Fault> open(const std::string& address, AddressUse use);

  enum class Outcome : std::uint8_t {
    accepted,
    none,         // nobody waits
    gone,         // the client gave up: try again
    turned_away,  // as there are no descriptors left: try again
    exhausted,    // no descriptors or no memory: try again later
  };
  /// Takes the next client. When the process has no descriptors left, one kept in reserve is given
  /// up for a moment, so that clients are sent away instead of waiting for ever.
  Outcome accept(FileDescriptor& client);

  int number() const { return socket_.number(); }
  /// With the real port.
  const std::string& address() const { return address_; }
  void close() { socket_.close(); }

 private:
  Outcome turn_away();

  FileDescriptor socket_, reserve_;
  std::string address_;
};

/// Raises the soft limit of open files to the hard one.
void raise_file_limit();
/// How many of `wanted` connections there may be, so that the stores always have the descriptors
/// that they need: the journal takes no command without its next file. `open_now` descriptors of
/// `limit` are in use; `others` more connections are open for a moment.
/// Limits: at least 8, however few descriptors there are.
std::size_t connections_within(std::size_t wanted, std::size_t open_now, std::size_t limit,
                               std::size_t others);
struct DescriptorUse {
  std::size_t open = 0;
  std::size_t limit = 0;  // SIZE_MAX: none
};
/// Of this process, now.
DescriptorUse descriptor_use();

}  // namespace souk
