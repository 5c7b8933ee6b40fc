#pragma once
/// A closed loop: one command at a time, repeated with its key until it is answered.
#include <memory>

#include "tests/simulation/exchange.h"
#include "tests/simulation/shop.h"

namespace souk::simulation {

/// What every client uses.
struct Street {
  World& world;
  Shop& shop;
  Referee& referee;
  Door& door;
  Vault& vault;
};

class Client {
 public:
  Client(std::string name, const Street& street) : street_(street), name_(std::move(name)) {}
  virtual ~Client() = default;
  Client(const Client&) = delete;

  void start();
  bool finished() const { return finished_; }
  std::string waits_for() const {
    return name_ + ": " + (current_ ? describe(current_->request) : "nothing");
  }

 protected:
  /// What to ask next; nothing: this client has done its part.
  virtual std::optional<Request> next() = 0;
  /// `reply` is the answer to what next() asked.
  virtual void answered(const Request& request, const Reply& reply) = 0;

  enum class Key { none, fresh };
  Request ask(Op&& op, Key key = Key::fresh);
  /// The id that the next fresh key gives a creation; `user`: on the user's shard, and then `bind`
  /// is the key's own name.
  struct Creation {
    Id128 id;
    std::optional<KeyHash> bind;
  };
  Creation next_creation(std::string_view purpose, const std::optional<UserId>& user) const;
  std::string next_key() const { return name_ + "-" + std::to_string(keys_ + 1); }

  const Street street_;
  World& world() const { return street_.world; }
  Shop& shop() const { return street_.shop; }

 private:
  void step();
  void attempt();
  void heard(std::uint64_t command, std::uint64_t attempt, const Reply& reply);
  std::int64_t patience_ms();

  const std::string name_;
  std::uint64_t keys_ = 0;
  bool finished_ = false;
  Command* current_ = nullptr;
  enum class Purpose { first, repeat } purpose_ = Purpose::first;
  std::uint64_t command_ = 0, attempt_ = 0;
  std::vector<Command*> remembered_;
};

std::string word_of(const std::string& json, std::string_view member);

}  // namespace souk::simulation
