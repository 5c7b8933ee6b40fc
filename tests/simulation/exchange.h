#pragma once
/// The network between the clients and a node: requests and answers come late or get lost.
#include <map>

#include "tests/simulation/referee.h"

namespace souk::simulation {

/// Where clients ask.
class Door {
 public:
  using Answered = std::function<void(const Reply&)>;
  virtual ~Door() = default;
  /// Sends `command`; `answered` may run once, later.
  virtual void ask(Command& command, Answered answered) = 0;
};

class Exchange final : public Door, public ReplySink {
 public:
  /// Gives a request to the node; false where there is none.
  using Submit = std::function<bool(Request&&)>;
  Exchange(World& world, Referee& referee, Submit submit)
      : world_(world), referee_(referee), submit_(std::move(submit)) {}

  void ask(Command& command, Answered answered) override;
  void deliver(std::vector<Reply>&& replies) override;
  /// Nobody will answer what is open.
  void node_died() { open_.clear(); }
  /// What the node has taken and not answered; empty where it owes nothing.
  std::string unanswered() const;

 private:
  void submit(std::uint64_t ticket, Request&& request);
  void create(std::uint64_t ticket);
  struct Open {
    Command* command = nullptr;
    Answered answered;
    CommandId cause;
  };
  World& world_;
  Referee& referee_;
  const Submit submit_;
  std::uint64_t tickets_ = 0;
  std::map<std::uint64_t, Open> open_;
};

}  // namespace souk::simulation
