#pragma once
/// A log of two shards as Kafka has it, with one of everything that counts and of everything that
/// does not: tests/golden/log. Its files are for ever; readers in other languages are held against
/// them too (clients/python).
#include <string>
#include <vector>

namespace souk::test {

/// The records of each shard, from offset 1 on. Never change one, only add.
std::vector<std::vector<std::string>> golden_log();

}  // namespace souk::test
