#pragma once
#include <cstdio>
#include <cstdlib>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>

/// A defect of ours: says where and aborts. Restart replays the log.
#define SOUK_ASSERT(condition)                                                            \
  do {                                                                                    \
    if (!(condition)) {                                                                   \
      std::fprintf(stderr, "souk: assertion failed: %s at %s:%d\n", #condition, __FILE__, \
                   __LINE__);                                                             \
      std::abort();                                                                       \
    }                                                                                     \
  } while (false)

namespace souk {

/// A value or the reason there is none. Constructors take exactly T or E, so that `{{}}` does not
/// pick one by accident.
template <class T, class E>
class [[nodiscard]] Result {
  static_assert(!std::is_same_v<T, E>);

 public:
  template <class U>
  requires std::is_same_v<std::remove_cvref_t<U>, T> Result(U&& value)
      : content_(std::in_place_index<0>, std::forward<U>(value)) {}
  template <class U>
  requires std::is_same_v<std::remove_cvref_t<U>, E> Result(U&& error, int = 0)
      : content_(std::in_place_index<1>, std::forward<U>(error)) {}

  bool ok() const { return content_.index() == 0; }
  explicit operator bool() const { return ok(); }
  T& value() {
    SOUK_ASSERT(ok());
    return std::get<0>(content_);
  }
  const T& value() const {
    SOUK_ASSERT(ok());
    return std::get<0>(content_);
  }
  T& operator*() { return value(); }
  const T& operator*() const { return value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }
  const E& error() const {
    SOUK_ASSERT(!ok());
    return std::get<1>(content_);
  }

 private:
  std::variant<T, E> content_;
};

/// What the world did to us: disk, network, a stored byte that is wrong.
struct Fault {
  enum class Kind { unavailable, corrupt, full, locked, mismatch, unsupported };
  Kind kind = Kind::unavailable;
  std::string what;  // for an operator; never a customer's data
  bool operator==(const Fault&) const = default;
};

struct Done {
  bool operator==(const Done&) const = default;
};
using Status = Result<Done, Fault>;

/// For std::visit with a lambda per alternative.
template <class... F>
struct Overloaded : F... {
  using F::operator()...;
};
template <class... F>
Overloaded(F...) -> Overloaded<F...>;

}  // namespace souk
