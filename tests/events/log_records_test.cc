#include "events/log_records.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "tests/support/samples.h"

using namespace souk;
namespace fs = std::filesystem;

namespace {

const fs::path golden = fs::path(SOUK_SOURCE_DIR) / "tests/golden/records";
constexpr UnixMs at{1'314'789'900'456};

std::string read_file(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// One of each, every member set to something. Never change one: the files are for ever.
std::vector<std::pair<std::string, std::string>> records() {
  BatchHeader header = test::sample_header();
  const std::string whole = encode_batch(header, {test::event_samples()[0].transaction});
  std::vector<std::pair<std::string, std::string>> all = {
      {"events", whole},
      {"noop", encode(Noop{3, 0x1122334455667788, 1'000'001, 0x99AABBCCDDEEFF00}, at)},
      {"claim", encode(Claim{4, 0x2233445566778899, 7}, at)},
      {"transfer", encode(Transfer{4, 0x2233445566778899, 5, 0x33445566778899AA, 8}, at)}};
  const auto parts = encode_chunks(whole, 100);
  for (std::size_t i = 0; i < parts.size(); ++i)
    all.emplace_back("chunk_" + std::to_string(i), parts[i]);
  return all;
}

}  // namespace

TEST_CASE("records: their bytes stay what they are") {
  if (std::getenv("SOUK_WRITE_GOLDEN") != nullptr) {
    fs::create_directories(golden);
    for (const auto& [name, bytes] : records())
      if (!fs::exists(golden / (name + ".bin")))
        std::ofstream(golden / (name + ".bin"), std::ios::binary) << bytes;
  }
  for (const auto& [name, bytes] : records()) {
    CAPTURE(name);
    CHECK(read_file(golden / (name + ".bin")) == bytes);
    CHECK(decode_batch_header(bytes).ok());
  }
}

TEST_CASE("records: what a claim, a transfer and a no-op say comes back") {
  const std::string claim = encode(Claim{4, 5, 7}, at);
  const auto claim_header = decode_batch_header(claim);
  REQUIRE(claim_header);
  CHECK(claim_header->type == BatchType::claim);
  CHECK(claim_header->at == at);
  CHECK(claim_header->last_seq() == 0);
  const auto claimed = decode_claim(*claim_header, record_payload(claim));
  REQUIRE(claimed);
  CHECK(claimed->epoch == 4);
  CHECK(claimed->incarnation == 5);
  CHECK(claimed->node == 7);

  const std::string transfer = encode(Transfer{4, 5, 6, 7, 8}, at);
  const auto given = decode_transfer(*decode_batch_header(transfer), record_payload(transfer));
  REQUIRE(given);
  CHECK(given->epoch == 4);
  CHECK(given->incarnation == 5);
  CHECK(given->to_epoch == 6);
  CHECK(given->to_incarnation == 7);
  CHECK(given->to_node == 8);

  const auto noop = decode_batch_header(encode(Noop{4, 5, 9, 10}, at));
  REQUIRE(noop);
  CHECK(noop->type == BatchType::noop);
  CHECK(noop->first_seq == 9);
  CHECK(noop->last_seq() == 8);
  CHECK(noop->chain == 10);
}

TEST_CASE("records: a payload that is too short is corrupt") {
  const BatchHeader header;
  CHECK(decode_claim(header, "1234567").error().kind == Fault::Kind::corrupt);
  CHECK(decode_transfer(header, std::string(23, 'x')).error().kind == Fault::Kind::corrupt);
  CHECK(decode_chunk("1234567").error().kind == Fault::Kind::corrupt);
  const std::string one_of_one("\0\0\0\0\1\0\0\0", 8), two_of_two("\2\0\0\0\2\0\0\0", 8);
  CHECK(decode_chunk(one_of_one).error().kind == Fault::Kind::corrupt);
  CHECK(decode_chunk(two_of_two).error().kind == Fault::Kind::corrupt);
}

TEST_CASE("records: the parts of a record are its payload, whatever their size") {
  BatchHeader header = test::sample_header();
  const std::string whole = test::encode_samples(header);
  const std::string_view payload = record_payload(whole);
  for (const std::size_t size :
       {std::size_t{1}, std::size_t{7}, payload.size() / 2, payload.size() - 1}) {
    CAPTURE(size);
    const auto parts = encode_chunks(whole, size);
    CHECK(parts.size() == (payload.size() + size - 1) / size);
    std::string together;
    for (const auto& part : parts) {
      const auto part_header = decode_batch_header(part);
      REQUIRE(part_header);
      CHECK(part_header->type == BatchType::chunk);
      CHECK(part_header->count == header.count);
      CHECK(part_header->chain == header.chain);
      together += decode_chunk(record_payload(part))->bytes;
    }
    CHECK(together == payload);
  }
}
