#pragma once
/// One of each event with every member set to something, and a batch for each. The golden files in
/// tests/golden/events hold their encoded bytes: never change a sample, only add.
#include <string>
#include <vector>

#include "events/batch.h"
#include "events/event.h"

namespace souk::test {

struct Sample {
  std::string name;  // of the golden file
  Transaction transaction;
};

/// In the order of souk::Payload; after them further samples of events that have optional parts.
std::vector<Sample> event_samples();

/// 16 bytes: shard 5, then `fill`.
Id128 id_filled(std::uint8_t fill);

/// The header that every golden batch starts from; its chain is that of the record before.
BatchHeader sample_header();

/// All samples in one batch record.
std::string encode_samples(BatchHeader& header);

/// The bytes that a build before the trailer would have written.
std::string as_version_1(std::string_view bytes);
/// Puts the right checksum into changed bytes.
void seal(std::string& bytes);

}  // namespace souk::test
