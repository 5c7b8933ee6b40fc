#pragma once
/// Writes a log as it was up to format 2 of a directory: of one writer, without claims, each record
/// under its first event.
#include <vector>

#include "events/journal/log_store.h"

namespace souk::test {

inline Status write(LogStore& store, std::vector<Batch> records) {
  for (Batch& record : records) record.offset = record.first_seq;
  return store.put(records);
}

}  // namespace souk::test
