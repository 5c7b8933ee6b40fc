#include "tests/support/linear.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_set>

namespace souk::test {
namespace {

struct Answer {
  std::uint64_t version;
  Amounts amounts;
  bool operator==(const Answer&) const = default;
};

struct Entity {
  std::uint64_t version = 0;
  Amounts amounts;
  std::map<std::string, Answer> answers;  // by key
};

bool is_told(const Operation& operation, const Answer& answer) {
  return operation.told == Told::done && operation.version == answer.version &&
         (!operation.amounts || *operation.amounts == answer.amounts);
}

/// Applies `operation` where its answer is what the entity would have said.
bool apply(const Operation& operation, Entity& entity) {
  const bool unknown = operation.told == Told::nothing;
  if (operation.deed == Deed::get)
    return unknown || is_told(operation, {entity.version, entity.amounts});
  if (const auto kept = entity.answers.find(operation.key);
      !operation.key.empty() && kept != entity.answers.end())
    return unknown || is_told(operation, kept->second);
  if (operation.if_match && *operation.if_match != entity.version)
    return unknown || operation.told == Told::mismatch;
  Entity after = entity;
  ++after.version;
  std::int64_t& amount = after.amounts[operation.name];
  amount = operation.deed == Deed::add ? amount + operation.amount : operation.amount;
  if (amount == 0 && operation.deed == Deed::set) after.amounts.erase(operation.name);
  const Answer answer{after.version, after.amounts};
  if (!unknown && !is_told(operation, answer)) return false;
  if (!operation.key.empty()) after.answers.emplace(operation.key, answer);
  entity = std::move(after);
  return true;
}

/// Two independent hashes: a false "seen before" would make a good history look bad.
struct Fingerprint {
  std::uint64_t a = 0xcbf29ce484222325, b = 0x9e3779b97f4a7c15;
  void add(std::uint64_t word) {
    a = (a ^ word) * 0x100000001b3;
    b = (b + word) * 0xff51afd7ed558ccd;
    b ^= b >> 33;
  }
  void add(const std::string& text) {
    for (const char c : text) add(static_cast<std::uint64_t>(static_cast<unsigned char>(c)));
    add(text.size() + 256);
  }
  bool operator==(const Fingerprint&) const = default;
};
struct HashOfFingerprint {
  std::size_t operator()(const Fingerprint& f) const { return static_cast<std::size_t>(f.a ^ f.b); }
};

class Search {
 public:
  Search(const Beginning& beginning, const std::vector<Operation>& operations)
      : operations_(operations), placed_(operations.size(), false) {
    entity_.version = beginning.version;
    entity_.amounts = beginning.amounts;
    for (std::size_t i = 0; i < operations.size(); ++i) {
      if (!told(i) && operations[i].deed == Deed::get) continue;  // says nothing, does nothing
      by_call_.push_back(i);
      if (told(i)) ++answered_;
      if (operations[i].told == Told::done && operations[i].deed != Deed::get)
        work_of_.emplace(operations[i].version, operations[i].key);
    }
    std::ranges::stable_sort(by_call_, {}, [&](std::size_t i) { return operations[i].called; });
    // Those in doubt are tried last: most of them are needed to explain nothing.
    std::ranges::stable_partition(by_call_, [&](std::size_t i) { return told(i); });
    remember_how_far(0);
  }

  LinearVerdict run(std::size_t steps_max) {
    struct Tried {
      std::size_t operation;
      Entity before;
    };
    std::vector<Tried> path;
    std::size_t from = 0;  // where in by_call_ to go on looking
    for (std::size_t steps = 0; answered_ > 0; ++steps) {
      if (steps == steps_max) return {Linear::undecided, fmt::format("{} tries", steps_max)};
      const auto next = candidate(from);
      if (next == by_call_.size()) {
        if (path.empty()) return {Linear::no, why_};
        const Tried last = std::move(path.back());
        path.pop_back();
        place(last.operation, false);
        entity_ = last.before;
        from = position(last.operation) + 1;
        continue;
      }
      const std::size_t operation = by_call_[next];
      Entity before = entity_;
      from = next + 1;
      if (!apply(operations_[operation], entity_)) continue;
      place(operation, true);
      if (!seen_.insert(fingerprint()).second) {
        place(operation, false);
        entity_ = std::move(before);
        continue;
      }
      path.push_back({operation, std::move(before)});
      remember_how_far(path.size());
      from = 0;
    }
    return {};
  }

 private:
  /// The next operation at or behind `from` that may come now: nothing that is not placed was
  /// answered before it was called.
  std::size_t candidate(std::size_t from) const {
    std::int64_t first_answer = std::numeric_limits<std::int64_t>::max();
    for (const std::size_t i : by_call_) {
      if (placed_[i]) continue;
      if (!told(i) || operations_[i].called > first_answer) break;
      first_answer = std::min(first_answer, operations_[i].answered);
    }
    for (std::size_t at = from; at < by_call_.size(); ++at) {
      const std::size_t i = by_call_[at];
      if (!placed_[i] && operations_[i].called <= first_answer && may_explain(i)) return at;
    }
    return by_call_.size();
  }
  /// Of those in doubt: not where the next version is known to be another's work.
  bool may_explain(std::size_t operation) const {
    if (told(operation)) return true;
    const auto next = work_of_.find(entity_.version + 1);
    const std::string& key = operations_[operation].key;
    return next == work_of_.end() || (!key.empty() && next->second == key);
  }
  bool told(std::size_t operation) const { return operations_[operation].told != Told::nothing; }
  std::size_t position(std::size_t operation) const {
    return static_cast<std::size_t>(std::ranges::find(by_call_, operation) - by_call_.begin());
  }
  void place(std::size_t operation, bool now) {
    placed_[operation] = now;
    if (!told(operation)) return;
    answered_ = now ? answered_ - 1 : answered_ + 1;
  }
  Fingerprint fingerprint() const {
    Fingerprint print;
    for (std::size_t i = 0; i < placed_.size(); ++i)
      if (placed_[i]) print.add(i);
    print.add(entity_.version);
    for (const auto& [name, amount] : entity_.amounts) {
      print.add(name);
      print.add(static_cast<std::uint64_t>(amount));
    }
    for (const auto& [key, answer] : entity_.answers) {
      print.add(key);
      print.add(answer.version);
    }
    return print;
  }
  void remember_how_far(std::size_t length) {
    if (length < farthest_ || (length == farthest_ && !why_.empty())) return;
    farthest_ = length;
    std::size_t blocks =
        operations_.size();  // of those that are not placed the first that was answered
    for (std::size_t i = 0; i < operations_.size(); ++i)
      if (!placed_[i] && told(i) &&
          (blocks == operations_.size() || operations_[i].answered < operations_[blocks].answered))
        blocks = i;
    if (blocks == operations_.size()) return;
    Operation here;
    here.told = Told::done;
    here.version = entity_.version;
    here.amounts = entity_.amounts;
    why_ = fmt::format("after {} of {} operations the entity was {}, and then: {}", length,
                       operations_.size(), linear_text(here), linear_text(operations_[blocks]));
  }

  const std::vector<Operation>& operations_;
  std::vector<std::size_t> by_call_;
  std::vector<bool> placed_;
  std::map<std::uint64_t, std::string> work_of_;  // versions that an answer names, and its key
  std::size_t answered_ = 0;                      // operations with an answer that are not placed
  Entity entity_;
  std::unordered_set<Fingerprint, HashOfFingerprint> seen_;
  std::size_t farthest_ = 0;
  std::string why_;
};

}  // namespace

LinearVerdict judge_linear(const Beginning& beginning, const std::vector<Operation>& operations,
                           std::size_t steps_max) {
  return Search(beginning, operations).run(steps_max);
}

std::string linear_text(const Operation& operation) {
  std::string text = operation.client;
  if (operation.deed == Deed::add)
    text += fmt::format(" adds {} {}", operation.amount, operation.name);
  if (operation.deed == Deed::set)
    text += fmt::format(" sets {} {}", operation.name, operation.amount);
  if (operation.deed == Deed::get && !operation.client.empty()) text += " reads";
  if (!operation.key.empty()) text += fmt::format(" by key {}", operation.key);
  if (operation.if_match) text += fmt::format(" if version {}", *operation.if_match);
  if (operation.told == Told::mismatch) return text + ": mismatch";
  if (operation.told == Told::nothing) return text + ": no answer";
  text += fmt::format(": version {}", operation.version);
  if (!operation.amounts) return text;
  for (const auto& [name, amount] : *operation.amounts) text += fmt::format(" {}={}", name, amount);
  return text;
}

}  // namespace souk::test
