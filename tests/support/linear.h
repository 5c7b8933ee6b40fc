#pragma once
/// Judges what several clients saw of one entity: is there one order of their operations, each
/// somewhere between its call and its answer, in which a shop without any concurrency would have
/// given the same answers?
///
/// The entity: a version and amounts by name. A cart has a name for each SKU, stock only `on_hand`,
/// a product its price. Each change raises the version by one; a key that was answered is answered
/// the same again and changes nothing. Source: Wing and Gong, "Testing and verifying concurrent
/// objects"; Lowe's memory of what was tried.
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace souk::test {

using Amounts = std::map<std::string, std::int64_t>;

enum class Deed : std::uint8_t {
  add,  // `amount` to what is under `name`
  set,  // 0 takes the name away
  get,
};
enum class Told : std::uint8_t {
  done,      // with the version and the amounts after it
  mismatch,  // If-Match named another version
  nothing,   // a lost connection, 503, a time-out: it may have happened, and may still
};

struct Operation {
  std::string client;
  std::int64_t called = 0;  // any clock that all clients share
  std::int64_t answered = std::numeric_limits<std::int64_t>::max();
  Deed deed = Deed::get;
  std::string key;  // idempotency key; empty: none
  std::optional<std::uint64_t> if_match;
  std::string name;
  std::int64_t amount = 0;
  Told told = Told::nothing;
  std::uint64_t version = 0;       // as told
  std::optional<Amounts> amounts;  // as told; none: the answer had no body
};

struct Beginning {
  std::uint64_t version = 0;
  Amounts amounts;
};

enum class Linear : std::uint8_t { yes, no, undecided };
struct LinearVerdict {
  Linear linear = Linear::yes;
  std::string why;  // of `no`: the operation that fits nowhere, and what stood there
};

/// Limits: `steps_max` tries, then undecided. Histories of hundreds of operations take a few tries
/// each, since versions tell most of the order.
LinearVerdict judge_linear(const Beginning& beginning, const std::vector<Operation>& operations,
                           std::size_t steps_max = 500'000);

/// One line for people.
std::string linear_text(const Operation& operation);

}  // namespace souk::test
