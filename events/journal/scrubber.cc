#include "events/journal/scrubber.h"

#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

#include <utility>

namespace souk {

constexpr int scrubber_niceness = 15;

Scrubber::Scrubber(Step step, const ScrubPace& pace)
    : step_(std::move(step)), pace_(pace), thread_([this] {
        ::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), scrubber_niceness);
        ::pthread_setname_np(::pthread_self(), "scrub");
        run();
      }) {}

Scrubber::~Scrubber() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  ended_.notify_all();
  thread_.join();
}

void Scrubber::run() {
  auto rest = pace_.before_first;
  while (true) {
    {
      std::unique_lock lock(mutex_);
      if (ended_.wait_for(lock, rest, [&] { return ending_; })) return;
    }
    const auto through = step_(pace_.step_bytes);
    rest = through.ok() && !*through ? pace_.between_steps : pace_.between_passes;
  }
}

}  // namespace souk
