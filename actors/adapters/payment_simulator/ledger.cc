#include "actors/adapters/payment_simulator/ledger.h"

#include <capnp/message.h>
#include <capnp/serialize.h>
#include <fmt/format.h>
#include <rocksdb/db.h>
#include <rocksdb/options.h>
#include <rocksdb/write_batch.h>
#include <xxhash.h>

#include <array>
#include <cstring>

#include "schema/ledger.capnp.h"

namespace souk {
namespace {

constexpr std::string_view if_corrupt =
    "it is the provider's only record: restore this folder from a backup";
constexpr std::size_t check_bytes = 4;
constexpr std::size_t scratch_words = 64;

std::uint32_t check_of(std::string_view bytes) {
  return static_cast<std::uint32_t>(XXH3_64bits(bytes.data(), bytes.size()));
}

}  // namespace

std::string encode_account(const ProviderAccount& account) {
  std::array<capnp::word, scratch_words> scratch{};
  capnp::MallocMessageBuilder message(kj::arrayPtr(scratch.data(), scratch.size()));
  auto root = message.initRoot<schema::ProviderAccount>();
  const auto& record = account.record;
  const auto currency = record.currency.text();
  currency.copy(root.initCurrency(static_cast<unsigned>(currency.size())).begin(), currency.size());
  root.setAuthorised(record.authorised.value);
  root.setCaptured(record.captured.value);
  root.setVoided(record.voided.value);
  root.setRefunded(record.refunded.value);
  root.setCalls(record.calls);
  root.setCancelled(account.cancelled);
  root.setFailures(account.failures);
  root.setAnswerDue(account.answer_due.value);
  auto outcomes = root.initOutcomes(static_cast<unsigned>(account.outcomes.size()));
  for (unsigned i = 0; i < outcomes.size(); ++i) {
    outcomes[i].setOp(static_cast<std::uint8_t>(account.outcomes[i].op));
    outcomes[i].setNumber(account.outcomes[i].number);
    outcomes[i].setKind(static_cast<std::uint8_t>(account.outcomes[i].kind));
  }
  // As messageToFlatArray has it, without its allocation: counts of segments, then their words.
  std::string value(check_bytes, '\0');
  const auto segments = message.getSegmentsForOutput();
  value.reserve(check_bytes + 8 * (segments.size() / 2 + 1) + 8 * message.sizeInWords());
  append_le<std::uint32_t>(value, static_cast<std::uint32_t>(segments.size() - 1));
  for (const auto& segment : segments) {
    append_le<std::uint32_t>(value, static_cast<std::uint32_t>(segment.size()));
  }
  if (segments.size() % 2 == 0) append_le<std::uint32_t>(value, 0);
  for (const auto& segment : segments) {
    const auto bytes = segment.asChars();
    value.append(bytes.begin(), bytes.size());
  }
  std::string check;
  append_le<std::uint32_t>(check, check_of(std::string_view(value).substr(check_bytes)));
  value.replace(0, check_bytes, check);
  return value;
}

std::optional<ProviderAccount> decode_account(std::string_view bytes) {
  if (bytes.size() <= check_bytes) return std::nullopt;
  const auto body = bytes.substr(check_bytes);
  if (read_le<std::uint32_t>(bytes) != check_of(body) || body.size() % sizeof(capnp::word) != 0) {
    return std::nullopt;
  }
  auto words = kj::heapArray<capnp::word>(body.size() / sizeof(capnp::word));
  std::memcpy(words.begin(), body.data(), body.size());  // aligned
  ProviderAccount account;
  try {
    capnp::FlatArrayMessageReader message(words);
    const auto root = message.getRoot<schema::ProviderAccount>();
    const auto text = root.getCurrency();
    if (text.size() != 0) {
      const auto currency = Currency::parse({text.begin(), text.size()});
      if (!currency) return std::nullopt;
      account.record.currency = *currency;
    }
    account.record.authorised = {root.getAuthorised()};
    account.record.captured = {root.getCaptured()};
    account.record.voided = {root.getVoided()};
    account.record.refunded = {root.getRefunded()};
    account.record.calls = root.getCalls();
    account.cancelled = root.getCancelled();
    account.failures = root.getFailures();
    account.answer_due = {root.getAnswerDue()};
    for (const auto outcome : root.getOutcomes()) {
      account.outcomes.push_back({static_cast<PaymentCall::Op>(outcome.getOp()),
                                  outcome.getNumber(),
                                  static_cast<PaymentAnswer::Kind>(outcome.getKind())});
    }
  } catch (const kj::Exception&) {
    return std::nullopt;
  }
  return account;
}

namespace {
Result<std::unique_ptr<RocksdbHandle>, Fault> open_ledger(
    const std::filesystem::path& path, RocksdbHandle::Access access,
    const std::optional<StoreBinding>& binding) {
  auto options = rocksdb_base_options(path, 32 << 20);
  options.write_buffer_size = 32 << 20;
  // Most calls are the first of their order: a filter spares the search of the memtable.
  options.memtable_whole_key_filtering = true;
  options.memtable_prefix_bloom_size_ratio = 0.05;
  auto handle =
      RocksdbHandle::open(options, path, if_corrupt, access, RocksdbHandle::LogEnd::judged);
  if (!handle || !binding) return handle;
  if (auto status = (*handle)->bind(*binding); !status) return status.error();
  return handle;
}
}  // namespace

Result<std::unique_ptr<SimulatorLedger>, Fault> SimulatorLedger::open(
    const std::filesystem::path& path, const std::optional<StoreBinding>& binding) {
  auto database = open_ledger(path, RocksdbHandle::Access::read_write, binding);
  if (!database) return database.error();
  return std::unique_ptr<SimulatorLedger>(new SimulatorLedger(std::move(*database)));
}

Result<std::unique_ptr<SimulatorLedger>, Fault> SimulatorLedger::open_read_only(
    const std::filesystem::path& path, const std::optional<StoreBinding>& binding) {
  auto database = open_ledger(path, RocksdbHandle::Access::read_only, binding);
  if (!database) return database.error();
  return std::unique_ptr<SimulatorLedger>(new SimulatorLedger(std::move(*database)));
}

Status SimulatorLedger::each(
    const std::function<bool(OrderId, std::optional<ProviderAccount>)>& visit) {
  const auto reader = database_->read();
  if (!reader.db) return database_->away();
  rocksdb::ReadOptions options;
  options.fill_cache = false;
  const std::unique_ptr<rocksdb::Iterator> at(reader.db->NewIterator(options));
  for (at->SeekToFirst(); at->Valid(); at->Next()) {
    const auto id = Id128::from_bytes(at->key().ToStringView());
    if (!id) continue;  // whose it is
    if (!visit(OrderId{*id}, decode_account(at->value().ToStringView()))) return Done{};
  }
  if (!at->status().ok()) return database_->fault(at->status(), "read the accounts");
  return Done{};
}

Result<std::optional<ProviderAccount>, Fault> SimulatorLedger::load(OrderId order) {
  const auto reader = database_->read();
  if (!reader.db) return database_->away();
  const auto id = order.raw.view();
  rocksdb::PinnableSlice value;
  const auto status = reader.db->Get({}, reader.db->DefaultColumnFamily(),
                                     rocksdb::Slice(id.data(), id.size()), &value);
  if (status.IsNotFound()) return std::optional<ProviderAccount>();
  if (!status.ok()) return database_->fault(status, "read an account");
  auto account = decode_account(value.ToStringView());
  if (!account) {
    return Fault{Fault::Kind::corrupt, fmt::format("provider: the account of {} is damaged; {}",
                                                   order.text(), if_corrupt)};
  }
  return account;
}

Status SimulatorLedger::save(
    const std::vector<std::pair<OrderId, const ProviderAccount*>>& accounts) {
  rocksdb::WriteBatch batch;
  for (const auto& [order, account] : accounts) {
    const auto id = order.raw.view();
    batch.Put(rocksdb::Slice(id.data(), id.size()), encode_account(*account));
  }
  return database_->write(batch, RocksdbHandle::Durability::synced);
}

}  // namespace souk
