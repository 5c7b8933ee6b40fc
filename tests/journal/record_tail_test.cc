// Every kind of event as the last record of a real journal's log: damage is never taken for a torn
// end, and a torn end is always taken for one.
#include <utility>

#include "events/journal/wal_tail.h"
#include "tests/journal/journal_support.h"

using namespace souk;
using namespace souk::test;

namespace {

template <std::size_t... I>
std::vector<Payload> empty_payloads(std::index_sequence<I...>) {
  return {Payload(std::in_place_index<I>)...};
}

/// All samples, and each kind of event with nothing set that can be left out.
std::vector<Transaction> transactions() {
  std::vector<Transaction> all;
  for (const auto& sample : event_samples()) all.push_back(sample.transaction);
  const EntityKey entity = *Sku::parse("A");
  for (auto& payload : empty_payloads(std::make_index_sequence<std::variant_size_v<Payload>>())) {
    Transaction t;
    t.events.push_back({entity, std::move(payload)});
    all.push_back(std::move(t));
  }
  return all;
}

enum class Format { one, two };

/// What RocksDB writes for each transaction in a commit of its own: one piece of a log each.
std::vector<std::string> pieces(const std::vector<Transaction>& all, Format format) {
  const TemporaryDirectory directory;
  std::vector<std::string> found;
  std::size_t before = 0;
  auto journal = open_journal(directory.path());
  BatchHeader header = sample_header();
  for (const auto& t : all) {
    std::string bytes = encode_batch(header, {t});
    if (format == Format::one) bytes = as_version_1(bytes);
    REQUIRE(write(*journal, {{.shard = shard,
                              .first_seq = header.first_seq,
                              .last_seq = header.last_seq(),
                              .epoch = header.epoch,
                              .chain = header.chain,
                              .bytes = bytes}}));
    header.first_seq = header.last_seq() + 1;
    const std::string log = read_file(newest(directory.path(), ".log"));
    const std::size_t end = log.find_last_not_of('\0') + 1;
    // Of version 1 the last bytes may be zeros: the piece ends where the record does.
    const std::size_t at = log.find(bytes, before);
    REQUIRE(at != std::string::npos);
    REQUIRE(at + bytes.size() >= end);
    found.push_back(log.substr(before, at + bytes.size() - before));
    before = at + bytes.size();
    REQUIRE(before < 32 * 1024);  // one block: a piece is then a log of its own
  }
  return found;
}

std::string flipped(std::string bytes, std::size_t at) {
  bytes[at] = static_cast<char>(bytes[at] ^ 1 << at % 8);
  return bytes;
}

}  // namespace

TEST_CASE("tail: a bit of a whole last record is damage, of any event and either version") {
  const std::string room(100, '\0');
  for (const Format format : {Format::one, Format::two}) {
    for (const std::string& piece : pieces(transactions(), format)) {
      REQUIRE(wal_end(piece).end == WalEnd::clean);
      for (std::size_t at = 0; at < piece.size(); ++at) {
        if (wal_end(flipped(piece, at) + room).end == WalEnd::damaged) continue;
        CAPTURE(at);
        CAPTURE(piece.size());
        FAIL_CHECK("taken for a torn end");
      }
    }
  }
}

TEST_CASE("tail: a last record that was not written to its end is torn, of any event") {
  for (const std::string& piece : pieces(transactions(), Format::two)) {
    for (std::size_t size = 1; size < piece.size(); ++size) {
      const std::string cut = piece.substr(0, size);
      if (wal_end(cut).end == WalEnd::torn &&
          wal_end(cut + std::string(piece.size() - size + 600, '\0')).end == WalEnd::torn)
        continue;
      CAPTURE(size);
      CAPTURE(piece.size());
      FAIL_CHECK("not taken for a torn end");
    }
  }
}

TEST_CASE("tail: a record over several blocks with whole sectors of zeros is judged by its mark") {
  Transaction t = event_samples()[1].transaction;
  t.events.clear();
  t.events.push_back({*Sku::parse("A"), StockReceived{1, std::string(80'000, '\0')}});
  BatchHeader header = sample_header();
  const std::string bytes = encode_batch(header, {t});
  const TemporaryDirectory directory;
  auto journal = open_journal(directory.path());
  REQUIRE(write(*journal, {{.shard = shard,
                            .first_seq = header.first_seq,
                            .last_seq = header.last_seq(),
                            .epoch = header.epoch,
                            .chain = header.chain,
                            .bytes = bytes}}));
  std::string log = read_file(newest(directory.path(), ".log"));
  log.resize(log.find_last_not_of('\0') + 1);
  REQUIRE(log.size() > bytes.size());
  REQUIRE(wal_end(log).end == WalEnd::clean);
  const std::string room(40'000, '\0');
  for (std::size_t at = 0; at < log.size(); at += at < 200 || at + 200 > log.size() ? 1 : 997) {
    CAPTURE(at);
    CHECK(wal_end(flipped(log, at) + room).end == WalEnd::damaged);
  }
  for (std::size_t size = 1; size < log.size(); size += 997) {
    CAPTURE(size);
    CHECK(wal_end(log.substr(0, size) + room).end == WalEnd::torn);
    CHECK(wal_end(log.substr(0, size)).end == WalEnd::torn);
  }
  for (std::size_t size = log.size() - 8; size < log.size(); ++size) {
    CAPTURE(size);
    CHECK(wal_end(log.substr(0, size) + room).end == WalEnd::torn);
  }
}
