#pragma once
/// What several clients saw of one SKU's stock, whichever node they asked: is there one order of it
/// all (tests/support/linear.h)?
#include <map>

#include "tests/simulation/client.h"
#include "tests/support/linear.h"

namespace souk::simulation {

/// The SKU that is counted and never sold.
inline const char* const scale_sku = "scale";

class Histories {
 public:
  explicit Histories(World& world) : world_(world) {}
  /// `command` is sent. Returns its number; 0: it is none of these.
  std::size_t asked(const Command& command);
  void answered(std::size_t number, const Reply& reply);
  void judge();
  std::size_t operations() const { return operations_.size(); }

 private:
  World& world_;
  std::vector<test::Operation> operations_;
};

/// Counts, and looks.
class Teller final : public Client {
 public:
  Teller(std::string name, const Street& street, std::int64_t steps)
      : Client(std::move(name), street), steps_left_(steps) {}

 protected:
  std::optional<Request> next() override;
  void answered(const Request& request, const Reply& reply) override;

 private:
  std::int64_t steps_left_;
  bool defined_ = false;
};

}  // namespace souk::simulation
