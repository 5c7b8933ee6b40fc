#pragma once
/// The simulated provider's ledger: one account an order, on a RocksDB of its own.
///
///   key: the 16 bytes of the order id; value: schema/ledger.capnp's ProviderAccount, flat,
///   preceded by u32 LE, the low 32 bits of XXH3-64 of it. Embedded on disk: do not change.
///   key "directory": whose it is, events/journal/anchor.h.
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "actors/adapters/payment_simulator/rules.h"
#include "actors/adapters/rocksdb_support.h"

namespace souk {

std::string encode_account(const ProviderAccount& account);
/// Nothing where the bytes are damaged.
std::optional<ProviderAccount> decode_account(std::string_view bytes);

class SimulatorLedger {
 public:
  /// `binding`: none where it is of no directory (tests).
  /// Errors: mismatch (another directory's, or older than the journal); locked, corrupt, full,
  ///         unsupported, unavailable.
  static Result<std::unique_ptr<SimulatorLedger>, Fault> open(
      const std::filesystem::path& path, const std::optional<StoreBinding>& binding = std::nullopt);
  /// For `souk verify`: writes nothing.
  static Result<std::unique_ptr<SimulatorLedger>, Fault> open_read_only(
      const std::filesystem::path& path, const std::optional<StoreBinding>& binding = std::nullopt);
  /// Every account, for `souk verify`; `account` is none where its bytes are damaged. Return false
  /// to stop.
  Status each(const std::function<bool(OrderId, std::optional<ProviderAccount> account)>& visit);
  /// Thread: any.
  Result<std::optional<ProviderAccount>, Fault> load(OrderId order);
  /// All in one synced write. After an error it is unknown whether they are there; the next save
  /// tries to bring the disk back first.
  /// Thread: one caller at a time.
  Status save(const std::vector<std::pair<OrderId, const ProviderAccount*>>& accounts);
  bool failing() const { return database_->failing(); }
  bool damaged() const { return database_->damaged(); }
  /// RocksdbHandle::scrub.
  Result<bool, Fault> scrub(std::size_t bytes) { return database_->scrub(bytes); }

 private:
  explicit SimulatorLedger(std::unique_ptr<RocksdbHandle> database)
      : database_(std::move(database)) {}
  std::unique_ptr<RocksdbHandle> database_;
};

}  // namespace souk
