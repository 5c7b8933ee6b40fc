#include "actors/host/fail_stop.h"

#include <spdlog/spdlog.h>

#include <caf/all.hpp>
#include <cstdlib>
#include <exception>

namespace souk {
namespace {

[[noreturn]] void end_process(const char* name, const char* why) {
  spdlog::error(
      "an actor failed, so the process ends: start it again, it replays what is durable "
      "actor={} what=\"{}\"",
      name, why);
  spdlog::default_logger()->flush();
  std::abort();
}

bool was_asked_for(const caf::error& reason) {
  return !reason || reason == caf::exit_reason::normal ||
         reason == caf::exit_reason::user_shutdown || reason == caf::exit_reason::kill;
}

}  // namespace

void fail_stop(caf::scheduled_actor* self, const char* name) {
  self->set_exception_handler([name](std::exception_ptr& thrown) -> caf::error {
    try {
      std::rethrow_exception(thrown);
    } catch (const std::exception& e) {
      end_process(name, e.what());
    } catch (...) {
      end_process(name, "something that is no std::exception");
    }
  });
  self->attach_functor([name](const caf::error& reason) {
    if (!was_asked_for(reason)) end_process(name, caf::to_string(reason).c_str());
  });
}

}  // namespace souk
