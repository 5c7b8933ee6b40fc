#include "tests/simulation/links.h"

namespace souk::simulation {
namespace {
constexpr std::int64_t late_ms_max = 3'000;
}  // namespace

bool SimLinks::take(Envelope& message) {
  if (world_.chance(faults_.lost)) return true;
  // Steps have no fence: one that comes after the last of its order would begin it anew.
  const bool step = std::holds_alternative<Request>(message.content);
  if (!step && world_.chance(faults_.twice)) later(Envelope(message));
  if (step || !world_.chance(faults_.late)) return false;
  later(std::move(message));
  return true;
}

void SimLinks::later(Envelope&& message) {
  world_.after(world_.between(1, late_ms_max),
               [this, alive = std::weak_ptr<bool>(alive_), late = std::move(message)]() mutable {
                 if (!alive.expired()) core_.input(std::move(late));
               });
}

}  // namespace souk::simulation
