#include "events/batch.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <cstring>

#include "events/crc32c.h"
#include "events/event_codec.h"
#include "tests/support/samples.h"

using namespace souk;
using souk::test::encode_samples;
using souk::test::event_samples;
using souk::test::id_filled;
using souk::test::sample_header;

namespace {

std::string any_text() { return *rc::gen::arbitrary<std::string>(); }
Item any_item() {
  const auto letters =
      *rc::gen::nonEmpty(rc::gen::container<std::string>(rc::gen::inRange('a', 'z')));
  return {*Sku::parse(std::string_view(letters).substr(0, 64)), any_text()};
}
std::int64_t any_int64() { return *rc::gen::arbitrary<std::int64_t>(); }

Payload any_payload() {
  const Currency usd = *Currency::parse("USD");
  switch (*rc::gen::inRange(0, 5)) {
    case 0:
      return ItemAdded{any_item(), any_int64(), {{any_int64()}, usd}, Pricing::fixed};
    case 1:
      return StockReceived{any_int64(), any_text()};
    case 2:
      return UserRegistered{EmailHash{id_filled(9)}, {any_text()}, {any_text()}, any_text()};
    case 3: {
      ProductDefined product;
      product.description = any_text();
      product.category = *rc::gen::arbitrary<std::vector<std::string>>();
      product.attributes = {{any_text(), any_text()}};
      return product;
    }
    default: {
      OrderPlaced order;
      order.currency = usd;
      const auto lines = *rc::gen::inRange(0, 50);
      for (int i = 0; i < lines; ++i) {
        order.lines.push_back({any_item(), any_int64(), {any_int64()}, Pricing::catalogue});
      }
      order.total = {any_int64()};
      return order;
    }
  }
}

Transaction any_transaction() {
  Transaction transaction;
  transaction.at = {any_int64()};
  transaction.cause = id_filled(*rc::gen::arbitrary<std::uint8_t>());
  transaction.correlation = id_filled(*rc::gen::arbitrary<std::uint8_t>());
  transaction.key_hash = *rc::gen::arbitrary<std::uint64_t>();
  transaction.outcome = *rc::gen::element(Outcome::ok, Outcome::created, Outcome::refused);
  const auto events = *rc::gen::inRange(1, 5);
  for (int i = 0; i < events; ++i) {
    transaction.events.push_back({CartId{id_filled(static_cast<std::uint8_t>(i))}, any_payload()});
  }
  return transaction;
}

}  // namespace

TEST_CASE("crc32c: the known check value, with the instruction and without") {
  CHECK(crc32c("123456789") == 0xE3069283U);
  CHECK(crc32c("1234", "56789") == 0xE3069283U);
  CHECK(crc32c_portable("1234", "56789") == 0xE3069283U);
  CHECK(rc::check([](const std::string& head, const std::string& body) {
    RC_ASSERT(crc32c(head, body) == crc32c_portable(head + body));
  }));
}

TEST_CASE("batch: every type of event comes back as it was") {
  const auto samples = event_samples();
  std::vector<bool> seen(std::variant_size_v<Payload>);
  for (const auto& sample : samples) {
    CAPTURE(sample.name);
    BatchHeader header = sample_header();
    const auto batch = decode_batch(encode_batch(header, {sample.transaction}));
    REQUIRE(batch);
    REQUIRE(batch->transactions.size() == 1);
    CHECK(batch->transactions[0] == sample.transaction);
    seen[sample.transaction.events[0].payload.index()] = true;
  }
  for (std::size_t i = 0; i < seen.size(); ++i) {
    CAPTURE(i);
    CHECK(seen[i]);
  }
}

TEST_CASE("batch: the header comes back with the count and the chain filled in") {
  BatchHeader header = sample_header();
  const auto samples = event_samples();
  const std::string bytes = encode_samples(header);
  const auto read = decode_batch_header(bytes);
  REQUIRE(read);
  CHECK(read->type == BatchType::events);
  CHECK(read->epoch == 3);
  CHECK(read->incarnation == 0x1122334455667788);
  CHECK(read->first_seq == 1'000'001);
  CHECK(read->last_seq() == 1'000'000 + samples.size());
  CHECK(read->at == UnixMs{1'314'789'900'456});
  CHECK(read->count == samples.size());
  CHECK(read->count == header.count);
  CHECK(read->chain == header.chain);
  CHECK(read->chain != sample_header().chain);
}

TEST_CASE("batch: the header's bytes stand where the format says") {
  BatchHeader header = sample_header();
  const std::string bytes = encode_batch(header, {event_samples()[0].transaction});
  const auto at = [&](std::size_t offset, std::size_t size) {
    std::uint64_t value = 0;
    std::memcpy(&value, bytes.data() + offset, size);
    return value;
  };
  CHECK(at(0, 1) == 2);
  CHECK(at(1, 1) == 1);
  CHECK(at(2, 2) == 0);
  CHECK(at(8, 8) == 3);
  CHECK(at(16, 8) == 0x1122334455667788);
  CHECK(at(24, 8) == 1'000'001);
  CHECK(at(32, 8) == 1'314'789'900'456);
  CHECK(at(40, 8) == header.chain);
  CHECK(at(48, 4) == 1);
  CHECK(at(52, 4) == bytes.size() - batch_header_bytes - batch_trailer_bytes);
  CHECK(at(bytes.size() - 8, 4) == bytes.size());
  CHECK(at(bytes.size() - 4, 4) == 0xD7B45AE9);
}

TEST_CASE("batch: one that version 1 wrote is read, and a version 2 without its trailer is not") {
  for (const auto& sample : event_samples()) {
    CAPTURE(sample.name);
    BatchHeader header = sample_header();
    const std::string bytes = encode_batch(header, {sample.transaction});
    const std::string old = test::as_version_1(bytes);
    CHECK(old.size() == bytes.size() - batch_trailer_bytes);
    const auto read = decode_batch(old);
    REQUIRE(read);
    CHECK(read->transactions[0] == sample.transaction);
    CHECK(read->header.chain == header.chain);
    CHECK(record_payload(old) == record_payload(bytes));
    std::string bare = old;
    bare[0] = 2;
    test::seal(bare);
    CHECK(decode_batch_header(bare).error().kind == Fault::Kind::corrupt);
  }
}

TEST_CASE("batch: a record without events has no last sequence number of its own") {
  BatchHeader header;
  CHECK(header.last_seq() == 0);
  header.first_seq = 7;
  CHECK(header.last_seq() == 6);
  header.count = 1;
  CHECK(header.last_seq() == 7);
}

TEST_CASE("batch: the same events give the same bytes, also after a large batch") {
  BatchHeader first = sample_header();
  const std::string before = encode_samples(first);
  std::vector<Transaction> many(200, event_samples()[14].transaction);  // beyond the first scratch
  BatchHeader large = sample_header();
  const auto read = decode_batch(encode_batch(large, many));
  REQUIRE(read);
  CHECK(read->transactions == many);
  BatchHeader second = sample_header();
  CHECK(encode_samples(second) == before);
}

TEST_CASE("batch: a correlation that is the cause takes no room") {
  Transaction transaction = event_samples()[0].transaction;
  BatchHeader header = sample_header();
  const std::size_t apart = encode_batch(header, {transaction}).size();
  transaction.correlation = transaction.cause;
  header = sample_header();
  const std::string bytes = encode_batch(header, {transaction});
  CHECK(bytes.size() == apart - 16);
  CHECK(decode_batch(bytes)->transactions[0] == transaction);
}

TEST_CASE("batch: any transactions come back, at any alignment") {
  CHECK(rc::check([] {
    std::vector<Transaction> transactions;
    const auto count = *rc::gen::inRange(1, 20);
    for (int i = 0; i < count; ++i) transactions.push_back(any_transaction());
    BatchHeader header = sample_header();
    const std::string bytes = encode_batch(header, transactions);
    const auto shift = *rc::gen::inRange<std::size_t>(0, 8);
    const std::string moved = std::string(shift, '?') + bytes;
    const auto batch = decode_batch(std::string_view(moved).substr(shift));
    RC_ASSERT(batch.ok());
    RC_ASSERT(batch->transactions == transactions);
  }));
}

TEST_CASE("batch: a payload of several segments is read all the same") {
  // The first message of a thread that does not fit the scratch has more than one segment.
  std::string big(200'000, 'x');
  Transaction transaction = event_samples()[0].transaction;
  transaction.events.clear();
  for (int i = 0; i < 8; ++i) {
    transaction.events.push_back({*Sku::parse("A"), StockReceived{i, big}});
  }
  std::string payload;
  append_payload(payload, {transaction});
  std::uint32_t segments_less_one = 0;
  std::memcpy(&segments_less_one, payload.data(), 4);
  CHECK(segments_less_one > 0);
  const auto read = decode_payload(payload);
  REQUIRE(read);
  CHECK(read->front() == transaction);
}

TEST_CASE("batch: the most events that a batch may have") {
  Transaction transaction = event_samples()[1].transaction;
  transaction.events.resize(limits::batch_events_max, transaction.events[0]);
  BatchHeader header = sample_header();
  const auto batch = decode_batch(encode_batch(header, {transaction}));
  REQUIRE(batch);
  CHECK(batch->header.count == limits::batch_events_max);

  transaction.events.push_back(transaction.events[0]);
  std::string payload;
  append_payload(payload, {transaction});
  CHECK(decode_payload(payload).error().kind == Fault::Kind::corrupt);
}

TEST_CASE("batch: the chain binds the record before, the sequence and the payload") {
  BatchHeader header = sample_header();
  const std::uint64_t before = header.chain;
  const std::string bytes = encode_batch(header, {event_samples()[0].transaction});
  const auto payload = record_payload(bytes);
  CHECK(header.chain == chain_after(before, header.first_seq, payload));
  CHECK(header.chain != chain_after(before + 1, header.first_seq, payload));
  CHECK(header.chain != chain_after(before, header.first_seq + 1, payload));
  CHECK(header.chain != chain_after(before, header.first_seq, payload.substr(8)));
  // Stored records depend on this: XXH3-64 over 8 + 8 bytes, little endian, and the payload.
  std::string plain(16, '\0');
  plain[0] = 1;
  plain[8] = 2;
  CHECK(chain_after(1, 2, "abc") == stable_hash(plain + "abc"));
}
