#pragma once
#include <cstddef>

#include "events/ids.h"

namespace souk {

/// Unpredictable bytes for ids. Thread: any.
class Randomness {
 public:
  virtual ~Randomness() = default;
  virtual void fill(void* bytes, std::size_t count) = 0;
  Id128 id128() {
    Id128 id;
    fill(id.bytes.data(), id.bytes.size());
    return id;
  }
};

}  // namespace souk
