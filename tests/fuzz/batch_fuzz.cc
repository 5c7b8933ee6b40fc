// Uploads of commands as one Cap'n Proto message.
#include <cstdint>
#include <string>

#include "events/result.h"
#include "gateway/api/batch/batch.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace souk;
  static CommandReader reader;
  Problem problem;
  const std::string body(reinterpret_cast<const char*>(data), size);
  const BatchForm form = capnp_batch(body, reader, problem);
  if (problem.status != 0) {
    SOUK_ASSERT(problem.status >= 400 && problem.status < 500 && !problem.detail.empty());
    return 0;
  }
  BatchCommand command;
  for (;;) {
    problem = {};
    const auto next = form.source->next(command, problem);
    if (next == CommandSource::Next::end) break;
    if (next == CommandSource::Next::problem) {
      SOUK_ASSERT(problem.status >= 400 && problem.status < 500 && !problem.detail.empty());
      continue;
    }
    SOUK_ASSERT(command.shape != nullptr);
    canonical_bytes(*command.shape, command.input);
  }
  return 0;
}
