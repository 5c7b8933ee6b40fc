#include "tests/support/golden_log.h"

#include "events/log_records.h"
#include "tests/support/samples.h"

namespace souk::test {
namespace {

constexpr std::uint64_t genesis_number = 0x0123456789ABCDEF;
constexpr std::uint64_t ann = 0x1122334455667788, bob = 0x8877665544332211;  // incarnations
constexpr UnixMs cut_at{1'314'789'900'456};

/// What an owner writes, going on from what counts.
class Writer {
 public:
  Writer(std::vector<std::string>& log, std::uint64_t epoch, std::uint64_t incarnation)
      : log_(log) {
    header_.epoch = epoch;
    header_.incarnation = incarnation;
    header_.first_seq = 1;
    header_.at = cut_at;
  }
  void owner(std::uint64_t epoch, std::uint64_t incarnation) {
    header_.epoch = epoch;
    header_.incarnation = incarnation;
  }
  /// A record that goes on from what counts, and is not taken to count.
  std::string beside(const std::vector<Transaction>& transactions) const {
    BatchHeader header = header_;
    return encode_batch(header, transactions);
  }
  std::string next(const std::vector<Transaction>& transactions) {
    std::string bytes = encode_batch(header_, transactions);
    header_.first_seq += header_.count;
    return bytes;
  }
  void write(const std::vector<Transaction>& transactions) { log_.push_back(next(transactions)); }
  void write_in_parts(const std::vector<Transaction>& transactions) {
    for (auto& part : encode_chunks(next(transactions), 100)) log_.push_back(std::move(part));
  }
  void write_noop() {
    log_.push_back(
        encode(Noop{header_.epoch, header_.incarnation, header_.first_seq, header_.chain}, cut_at));
  }

 private:
  std::vector<std::string>& log_;
  BatchHeader header_;
};

std::vector<Transaction> samples(std::size_t from, std::size_t to) {
  std::vector<Transaction> some;
  const auto all = event_samples();
  for (std::size_t i = from; i < to && i < all.size(); ++i) some.push_back(all[i].transaction);
  return some;
}

std::vector<std::string> with_everything() {
  std::vector<std::string> log = {encode(Claim{1, genesis_number, 0}, {}),
                                  encode(Claim{2, ann, 1}, cut_at)};
  Writer writer(log, 2, ann);
  writer.write(samples(0, 10));
  const std::string written = log.back();
  writer.write_noop();
  writer.owner(2, bob);
  log.push_back(writer.beside(samples(0, 1)));  // foreign
  writer.owner(2, ann);
  writer.write_in_parts(samples(10, 16));
  log.push_back(written);                           // out of sequence: a repeat
  log.push_back(encode(Claim{2, bob, 2}, cut_at));  // a claim that raises nothing
  // A record whose first part was lost, and one whose end is.
  const auto parts = encode_chunks(writer.beside(samples(16, 22)), 300);
  log.push_back(parts[1]);
  log.push_back(parts[0]);
  log.push_back(encode(Transfer{2, ann, 3, bob, 2}, cut_at));
  log.push_back(writer.beside(samples(16, 17)));  // of the owner that was
  writer.owner(3, bob);
  writer.write(samples(16, 40));
  writer.write(samples(40, 1'000));
  return log;
}

/// Several events of one command, no key, an older format; then an owner that claims.
std::vector<std::string> with_old_records() {
  std::vector<std::string> log = {encode(Claim{1, genesis_number, 0}, {}),
                                  encode(Claim{5, bob, 9}, cut_at)};
  Writer writer(log, 5, bob);
  Transaction both = event_samples()[14].transaction;  // a product
  both.events.push_back(event_samples()[16].transaction.events.front());
  both.key_hash = both.request_hash = 0;
  both.correlation = both.cause;
  both.outcome = Outcome::ok;
  both.at = {1'764'583'200'007};
  log.push_back(as_version_1(writer.next({both})));
  log.push_back(encode(Claim{6, ann, 1}, cut_at));
  writer.owner(6, ann);
  both.outcome = Outcome::refused;
  both.events.resize(1);
  writer.write({both, both});
  return log;
}

}  // namespace

std::vector<std::vector<std::string>> golden_log() {
  return {with_everything(), with_old_records()};
}

}  // namespace souk::test
