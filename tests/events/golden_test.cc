// Bytes that were written once must be read for ever. SOUK_WRITE_GOLDEN=1 writes the files that are
// missing; nothing overwrites one.
#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

#include "events/batch.h"
#include "tests/support/samples.h"

using namespace souk;
namespace fs = std::filesystem;

namespace {
const fs::path golden = fs::path(SOUK_SOURCE_DIR) / "tests/golden/events";

std::string read_file(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void write_missing() {
  fs::create_directories(golden);
  for (const auto& sample : test::event_samples()) {
    const fs::path path = golden / (sample.name + ".bin");
    if (fs::exists(path)) continue;
    BatchHeader header = test::sample_header();
    std::ofstream(path, std::ios::binary) << encode_batch(header, {sample.transaction});
  }
}
}  // namespace

TEST_CASE("golden: every event ever released is read as it was meant") {
  if (std::getenv("SOUK_WRITE_GOLDEN") != nullptr) write_missing();
  for (const auto& sample : test::event_samples()) {
    CAPTURE(sample.name);
    const std::string bytes = read_file(golden / (sample.name + ".bin"));
    REQUIRE_FALSE(bytes.empty());
    const auto batch = decode_batch(bytes);
    REQUIRE(batch);
    CHECK(batch->header.epoch == test::sample_header().epoch);
    CHECK(batch->header.first_seq == test::sample_header().first_seq);
    CHECK(batch->header.at == test::sample_header().at);
    CHECK(batch->header.chain ==
          chain_after(test::sample_header().chain, batch->header.first_seq, record_payload(bytes)));
    REQUIRE(batch->transactions.size() == 1);
    CHECK(batch->transactions[0] == sample.transaction);
  }
}

TEST_CASE("golden: every file has a sample that says what it means") {
  std::set<std::string> names;
  for (const auto& sample : test::event_samples()) CHECK(names.insert(sample.name).second);
  for (const auto& entry : fs::directory_iterator(golden)) {
    CAPTURE(entry.path().filename().string());
    CHECK(names.count(entry.path().stem().string()) == 1);
  }
}
