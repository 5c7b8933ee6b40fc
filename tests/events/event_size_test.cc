#include <doctest/doctest.h>

#include <utility>

#include "events/batch.h"
#include "events/event_codec.h"
#include "tests/support/samples.h"

using namespace souk;

namespace {

std::size_t encoded(const Transaction& t) {
  std::string payload;
  append_payload(payload, {t});
  return payload.size();
}

template <std::size_t... I>
std::vector<Payload> empty_payloads(std::index_sequence<I...>) {
  return {Payload(std::in_place_index<I>)...};
}

}  // namespace

TEST_CASE("size: no event takes more than was estimated") {
  for (const auto& sample : test::event_samples()) {
    CAPTURE(sample.name);
    CHECK(encoded(sample.transaction) <= estimated_bytes(sample.transaction));
  }
  for (auto& payload : empty_payloads(std::make_index_sequence<std::variant_size_v<Payload>>())) {
    Transaction t;
    t.events.push_back({*Sku::parse("A"), std::move(payload)});
    CAPTURE(t.events[0].payload.index());
    CHECK(encoded(t) <= estimated_bytes(t));
    t.events.resize(1'000, t.events[0]);
    CHECK(encoded(t) <= estimated_bytes(t));
  }
}

TEST_CASE("size: the largest command fits a record, and is near its estimate") {
  OrderPlaced placed;
  for (std::size_t i = 0; i < limits::cart_lines_max; ++i) {
    std::string sku = std::to_string(i);
    sku.resize(limits::sku_bytes_max, 'x');
    placed.lines.push_back({Item{*Sku::parse(sku), std::string(limits::name_bytes_max, 'n')}, 1,
                            Micros{1}, Pricing::catalogue});
  }
  Transaction t = test::event_samples()[1].transaction;
  t.events.assign(1, {OrderId{test::id_filled(1)}, placed});
  const std::size_t estimate = estimated_bytes(t);
  CHECK(encoded(t) <= estimate);
  CHECK(estimate < encoded(t) * 5 / 4);
  CHECK(estimate < limits::batch_bytes_max);
  BatchHeader header = test::sample_header();
  const auto read = decode_batch(encode_batch(header, {t}));
  REQUIRE(read);
  CHECK(read->transactions[0] == t);
}

TEST_CASE("size: a record of the most bytes is written and read") {
  Transaction t = test::event_samples()[1].transaction;
  t.events.assign(1, {*Sku::parse("A"), StockReceived{1, {}}});
  const auto with = [&](std::size_t text) {
    std::get<StockReceived>(t.events[0].payload).reference.assign(text, 'r');
    return encoded(t) + batch_header_bytes + batch_trailer_bytes;
  };
  const std::size_t rest = with(64) - 64;
  std::size_t text = limits::record_bytes_max - rest;
  while (with(text) > limits::record_bytes_max) --text;
  CHECK(with(text) == limits::record_bytes_max);
  BatchHeader header = test::sample_header();
  const std::string bytes = encode_batch(header, {t});
  CHECK(bytes.size() == limits::record_bytes_max);
  const auto read = decode_batch(bytes);
  REQUIRE(read);
  CHECK(read->transactions[0] == t);
  CHECK(with(text + 1) > limits::record_bytes_max);  // which encode_batch would abort at
}

TEST_CASE(
    "size: a record is ended by its events and by its bytes, one command before it is too much") {
  Transaction t = test::event_samples()[1].transaction;
  t.events.assign(1, {*Sku::parse("A"), StockReceived{1, {}}});
  CHECK(record_end(std::vector<Transaction>(limits::batch_events_max, t), 0) ==
        limits::batch_events_max);
  CHECK(record_end(std::vector<Transaction>(limits::batch_events_max + 1, t), 0) ==
        limits::batch_events_max);
  CHECK(record_end(std::vector<Transaction>(5, t), 3) == 5);
  CHECK(record_end(std::vector<Transaction>(5, t), 5) == 5);

  const std::size_t rest = estimated_bytes(t);
  const auto text = [&](std::size_t bytes) {
    std::get<StockReceived>(t.events[0].payload).reference.assign(bytes - rest, 'r');
    return t;
  };
  const std::size_t half = limits::batch_bytes_max / 2;
  CHECK(record_end({text(half), text(half), text(half)}, 0) == 2);
  CHECK(record_end({text(half), text(half + 1), text(half)}, 0) == 1);
  // One command is never split, however large.
  CHECK(record_end({text(limits::batch_bytes_max + 1), text(half)}, 0) == 1);
  CHECK(record_end({text(half), text(limits::batch_bytes_max + 1)}, 0) == 1);
}
