#pragma once
/// What the tests of the journal share.
#include <doctest/doctest.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "events/journal/rocksdb_journal.h"
#include "tests/support/one_writer.h"
#include "tests/support/samples.h"
#include "tests/support/temporary_directory.h"

namespace souk::test {

inline constexpr ShardId shard{5};

/// Everything that the journal logs while this lives.
class CapturedLog {
 public:
  CapturedLog() {
    auto sink = std::make_shared<spdlog::sinks::ostream_sink_mt>(text_);
    spdlog::drop("journal");
    spdlog::register_logger(std::make_shared<spdlog::logger>("journal", sink));
  }
  ~CapturedLog() { spdlog::drop("journal"); }
  std::string text() const { return text_.str(); }

 private:
  std::ostringstream text_;
};

/// Writes the records of one shard as its owner would: the sequence and the chain run on.
class Writer {
 public:
  explicit Writer(ShardId of, std::string reference = "r") : shard_(of), reference_(reference) {}

  Batch next(std::size_t events) {
    Transaction transaction = test::event_samples()[1].transaction;
    transaction.events.clear();
    for (std::size_t i = 0; i < events; ++i) {
      transaction.events.push_back({*Sku::parse("A"), StockReceived{1, reference_}});
    }
    BatchHeader header;
    header.epoch = 1;
    header.first_seq = next_seq_;
    header.chain = chain_;
    std::string bytes = encode_batch(header, {transaction});
    next_seq_ = header.last_seq() + 1;
    chain_ = header.chain;
    return {.shard = shard_,
            .first_seq = header.first_seq,
            .last_seq = header.last_seq(),
            .epoch = header.epoch,
            .chain = header.chain,
            .bytes = std::move(bytes)};
  }

 private:
  ShardId shard_;
  std::string reference_;
  Seq next_seq_ = 1;
  std::uint64_t chain_ = 0;
};

inline std::unique_ptr<RocksDbJournal> open_journal(const fs::path& directory,
                                                    const RocksDbJournalOptions& options = {}) {
  auto opened = RocksDbJournal::open(directory, options);
  if (!opened) FAIL(opened.error().what);
  return std::move(*opened);
}

struct Seen {
  Status status = Done{};
  std::vector<Seq> firsts;
  std::vector<std::string> bytes;
};
inline Seen scan(Journal& journal, ShardId of = shard, Seq from = 0) {
  Seen seen;
  seen.status = journal.scan(of, from, [&](Offset first, std::string_view bytes) {
    seen.firsts.push_back(first);
    seen.bytes.emplace_back(bytes);
    return true;
  });
  return seen;
}

inline std::string read_file(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}
inline void write_file(const fs::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}
/// The newest file with this ending that is not empty.
inline fs::path newest(const fs::path& directory, const char* ending) {
  fs::path found;
  for (const auto& entry : fs::directory_iterator(directory)) {
    if (entry.path().extension() != ending || entry.file_size() == 0) continue;
    found = std::max(found, entry.path());
  }
  REQUIRE_FALSE(found.empty());
  return found;
}

/// A closed journal of `count` records of one event, all of them still in its log.
inline std::vector<Batch> make_journal(const fs::path& directory, int count) {
  Writer writer(shard);
  auto journal = open_journal(directory);
  std::vector<Batch> batches;
  for (int i = 0; i < count; ++i) {
    batches.push_back(writer.next(1));
    REQUIRE(write(*journal, {batches.back()}));
  }
  return batches;
}

}  // namespace souk::test
