// Bytes that are no batch record, and records of a newer version.
#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <cstring>

#include "events/batch.h"
#include "events/event_codec.h"
#include "tests/support/samples.h"

using namespace souk;
using souk::test::encode_samples;
using souk::test::event_samples;
using souk::test::sample_header;
using souk::test::seal;

namespace {

Fault::Kind kind_of_failure(const std::string& bytes) {
  const auto batch = decode_batch(bytes);
  REQUIRE_FALSE(batch);
  return batch.error().kind;
}

}  // namespace

TEST_CASE("batch: cut at any byte it is corrupt") {
  BatchHeader header = sample_header();
  const std::string bytes = encode_samples(header);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const auto batch = decode_batch(std::string_view(bytes).substr(0, size));
    REQUIRE_FALSE(batch);
    REQUIRE(batch.error().kind == Fault::Kind::corrupt);
  }
  CHECK(kind_of_failure(bytes + std::string(8, '\0')) == Fault::Kind::corrupt);
}

TEST_CASE("batch: with any bit flipped it is corrupt") {
  BatchHeader header = sample_header();
  std::string bytes = encode_samples(header);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      const char good = bytes[i];
      bytes[i] = static_cast<char>(bytes[i] ^ 1 << bit);
      const auto batch = decode_batch(bytes);
      REQUIRE_FALSE(batch);
      REQUIRE(batch.error().kind == Fault::Kind::corrupt);
      bytes[i] = good;
    }
  }
  CHECK(decode_batch(bytes));
}

TEST_CASE("batch: bad bytes under a good checksum give a fault or other events, never a crash") {
  BatchHeader header = sample_header();
  std::string bytes = encode_samples(header);
  std::size_t faults = 0;
  for (std::size_t i = batch_header_bytes; i < bytes.size(); ++i) {
    for (const int mask : {0x04, 0xFF}) {
      const char good = bytes[i];
      bytes[i] = static_cast<char>(bytes[i] ^ mask);
      seal(bytes);
      if (!decode_batch(bytes)) ++faults;
      bytes[i] = good;
    }
  }
  CHECK(faults > bytes.size() / 2);
}

TEST_CASE("batch: arbitrary words are never a crash") {
  CHECK(rc::check([](std::vector<std::uint32_t> words) {
    if (words.size() % 2 != 0) words.pop_back();
    if (!words.empty()) words[0] &= 3;  // a plausible count of segments
    const std::string_view bytes(reinterpret_cast<const char*>(words.data()), words.size() * 4);
    (void)decode_payload(bytes);
  }));
}

TEST_CASE("batch: a list that claims more than the message holds is corrupt, and costs nothing") {
  // Root: one pointer, to 2^29 - 1 transactions that take no bytes at all.
  const std::uint64_t words[] = {
      std::uint64_t{2} << 32,                              // one segment of two words
      std::uint64_t{1} << 48,                              // the root: no data, one pointer
      std::uint64_t{1} | std::uint64_t{0x1FFFFFFF} << 35,  // a list of elements of no size
  };
  const std::string_view bytes(reinterpret_cast<const char*>(words), sizeof words);
  const auto read = decode_payload(bytes);
  REQUIRE_FALSE(read);
  CHECK(read.error().kind == Fault::Kind::corrupt);
}

TEST_CASE("batch: a list anywhere that claims more than the message holds is corrupt") {
  BatchHeader header = sample_header();
  const Transaction placed = event_samples()[31].transaction;
  REQUIRE(std::holds_alternative<OrderPlaced>(placed.events[0].payload));
  const std::string good = encode_batch(header, {placed});
  std::size_t lists = 0;
  for (std::size_t at = batch_header_bytes; at < good.size(); at += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, good.data() + at, 8);
    if ((word & 3) != 1 || (word >> 32 & 7) != 7) continue;  // a pointer to a list of structs
    std::string bad = good;
    word = (word & 0xFFFFFFFF) | std::uint64_t{0x1FFFFFFF} << 35;
    std::memcpy(bad.data() + at, &word, 8);
    seal(bad);
    CHECK(kind_of_failure(bad) == Fault::Kind::corrupt);
    ++lists;
  }
  CHECK(lists >= 3);  // transactions, events, lines
}

TEST_CASE("batch: a payload with bytes left over or without events is corrupt") {
  Transaction transaction = event_samples()[1].transaction;
  std::string payload;
  append_payload(payload, {transaction});
  REQUIRE(decode_payload(payload));
  CHECK(decode_payload(payload + std::string(8, '\0')).error().kind == Fault::Kind::corrupt);
  CHECK(decode_payload(payload + "x").error().kind == Fault::Kind::corrupt);
  CHECK(decode_payload("").error().kind == Fault::Kind::corrupt);
  transaction.events.clear();
  payload.clear();
  append_payload(payload, {transaction});
  CHECK(decode_payload(payload).error().kind == Fault::Kind::corrupt);
}

TEST_CASE("batch: what a newer version wrote is unsupported, not corrupt") {
  BatchHeader header = sample_header();
  const std::string good = encode_batch(header, {event_samples()[1].transaction});
  std::string bytes = good;
  bytes[0] = 3;
  seal(bytes);
  CHECK(kind_of_failure(bytes) == Fault::Kind::unsupported);
  bytes = good;
  bytes[1] = 6;
  seal(bytes);
  CHECK(kind_of_failure(bytes) == Fault::Kind::unsupported);
  bytes = good;
  bytes[2] = 1;
  seal(bytes);
  CHECK(kind_of_failure(bytes) == Fault::Kind::unsupported);
}

TEST_CASE("batch: a value that only a newer version knows is unsupported, not corrupt") {
  Transaction transaction = event_samples()[1].transaction;
  transaction.events[0].payload = OrderRejected{static_cast<Refusal>(28)};
  BatchHeader header = sample_header();
  CHECK(kind_of_failure(encode_batch(header, {transaction})) == Fault::Kind::unsupported);
  transaction.events[0].payload = OrderRejected{Refusal::of_a_user};
  header = sample_header();
  CHECK(decode_batch(encode_batch(header, {transaction})));
  transaction.events[0].payload = OrderReturned{1, {}, {}, {}, static_cast<Goods>(2)};
  header = sample_header();
  CHECK(kind_of_failure(encode_batch(header, {transaction})) == Fault::Kind::unsupported);
  OrderPlaced adjusted;
  adjusted.adjustments = {{static_cast<Adjustment::Kind>(2), {1}}};
  transaction.events[0].payload = adjusted;
  header = sample_header();
  CHECK(kind_of_failure(encode_batch(header, {transaction})) == Fault::Kind::unsupported);
  transaction.events[0].payload = OrderConfirmed{};
  transaction.outcome = static_cast<Outcome>(3);
  header = sample_header();
  CHECK(kind_of_failure(encode_batch(header, {transaction})) == Fault::Kind::unsupported);
  transaction = event_samples()[1].transaction;
  transaction.events[0].entity = EntityKey(static_cast<Kind>(7), "x");
  header = sample_header();
  CHECK(kind_of_failure(encode_batch(header, {transaction})) == Fault::Kind::unsupported);
}

TEST_CASE("batch: an event that only a newer version knows is unsupported, not corrupt") {
  // The member of the union is the 16 bits after the kind, wherever the event stands.
  BatchHeader header = sample_header();
  std::string bytes = encode_batch(header, {event_samples()[1].transaction});
  std::size_t unsupported = 0;
  for (std::size_t i = batch_header_bytes; i + 1 < bytes.size(); i += 2) {
    std::string newer = bytes;
    const std::uint16_t member = 48;  // the first that is free
    std::memcpy(newer.data() + i, &member, 2);
    seal(newer);
    const auto batch = decode_batch(newer);
    if (!batch && batch.error().what.find("a kind of event") != std::string::npos) {
      CHECK(batch.error().kind == Fault::Kind::unsupported);
      ++unsupported;
    }
  }
  CHECK(unsupported == 1);
}

TEST_CASE("batch: an entity that has no kind or no proper id is corrupt") {
  Transaction transaction = event_samples()[1].transaction;
  for (const EntityKey& entity :
       {EntityKey(), EntityKey(Kind::user, "short"), EntityKey(Kind::sku, ""),
        EntityKey(Kind::sku, "a/b"), EntityKey(Kind::sku, "\xFF")}) {
    transaction.events[0].entity = entity;
    BatchHeader header = sample_header();
    CHECK(kind_of_failure(encode_batch(header, {transaction})) == Fault::Kind::corrupt);
  }
}

TEST_CASE("batch: a sequence number that cannot be is corrupt") {
  BatchHeader header = sample_header();
  const std::string good = encode_batch(header, {event_samples()[1].transaction});
  const auto with = [&](std::size_t at, auto value) {
    std::string bytes = good;
    std::memcpy(bytes.data() + at, &value, sizeof value);
    seal(bytes);
    return bytes;
  };
  CHECK(decode_batch(with(24, std::uint64_t{1})));
  CHECK(kind_of_failure(with(24, std::uint64_t{0})) == Fault::Kind::corrupt);
  CHECK(kind_of_failure(with(48, std::uint32_t{0})) == Fault::Kind::corrupt);
  CHECK(kind_of_failure(with(48, std::uint32_t{2})) == Fault::Kind::corrupt);
  std::string last = with(24, ~std::uint64_t{0});
  const std::uint32_t two = 2;
  std::memcpy(last.data() + 48, &two, sizeof two);
  seal(last);
  CHECK(decode_batch_header(last).error().kind == Fault::Kind::corrupt);
}

TEST_CASE("batch: a record that is not of events carries none") {
  BatchHeader header = sample_header();
  std::string bytes = encode_batch(header, {event_samples()[1].transaction});
  bytes[1] = static_cast<char>(BatchType::claim);
  seal(bytes);
  const auto batch = decode_batch(bytes);
  REQUIRE(batch);
  CHECK(batch->header.type == BatchType::claim);
  CHECK(batch->transactions.empty());
}
