#include <fmt/format.h>
#include <pthread.h>

#include "actors/host/actors.h"
#include "actors/host/fail_stop.h"
#include "events/fault_log.h"

namespace souk {
namespace {
FaultLog destroys_fail("personal keys cannot be destroyed yet");
}  // namespace

caf::behavior keys_actor(caf::event_based_actor* self, Vault* vault, EngineCounters* counters) {
  fail_stop(self, "keys");
  return {
      [=](const StartMsg&) { ::pthread_setname_np(::pthread_self(), "keys"); },
      [=](const DestroyKeysMsg& m) {
        const Busy busy(counters->keys_pulse);
        const caf::actor host = caf::actor_cast<caf::actor>(self->current_sender());
        std::vector<PersonId> persons;
        for (const auto& [user, theirs] : *m.keys)
          persons.insert(persons.end(), theirs.begin(), theirs.end());
        const Status status = vault->destroy(persons);
        if (status.ok())
          destroys_fail.passed();
        else
          destroys_fail.failed(fmt::format("what=\"{}\"", one_line(status.error().what)));
        auto answers = std::make_shared<std::vector<Envelope>>();
        for (const auto& [user, theirs] : *m.keys)
          answers->push_back({{}, ProcessAnswer{user, KeysDestroyed{status}}});
        caf::anon_send(host, InputsMsg{std::move(answers)});
      },
  };
}

}  // namespace souk
