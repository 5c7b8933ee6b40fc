#pragma once
/// The stores of one data directory, opened together: each is checked against the others before
/// anything runs (events/journal/anchor.h). Whoever serves a directory, or audits one, opens it
/// here.
///
/// What is refused, always with the folder, what it misses, and what to do:
///   the manifest    damaged; of another count of shards or another id than the journal says
///   journal/        gone, of another directory, or older than what keys/ and provider/ know of it
///   keys/           gone, of another directory, older than what the journal knows of it, or
///   without
///                   its secret while the journal has events
///   provider/       gone, of another directory, or older than what the journal knows of it; there,
///                   where the payments are to be with a provider outside
///   states/         of another directory. Gone, damaged or made by other rules: they are folded
///   from
///                   the journal again.
/// That states/ is no newer than the journal is seen by the recovery of each shard.
#include <filesystem>
#include <memory>
#include <optional>

#include "actors/adapters/data_directory.h"
#include "actors/adapters/payment_simulator/ledger.h"
#include "actors/adapters/rocksdb_state_store.h"
#include "actors/adapters/sodium_vault.h"
#include "events/journal/rocksdb_journal.h"

namespace souk {

/// Lifecycle: open; members are taken or used in place; the marks and the directory outlive all
/// others.
struct Stores {
  std::unique_ptr<DataDirectory> directory;
  std::unique_ptr<StoreMarks> marks;
  std::unique_ptr<RocksDbJournal> journal;
  std::unique_ptr<RocksdbStateStore> states;
  std::unique_ptr<SodiumVault> vault;
  std::unique_ptr<SimulatorLedger> provider;  // none: LedgerPlace::elsewhere

  /// Makes the directory where it is missing or empty. The stores of one of format 1 are bound; it
  /// is raised by DataDirectory::raise_format, once it was found sound.
  /// `secret`: SodiumVault::Options::given_secret. `shared`: DataDirectory::open; journal/ is a copy
  /// then: gone or older than the others it is read from the log again. `ledger`: elsewhere once,
  /// elsewhere for good.
  /// Errors: those of DataDirectory and of each store; mismatch as above.
  static Result<Stores, Fault> open(const std::filesystem::path& path,
                                    std::optional<std::uint32_t> shards = std::nullopt,
                                    std::optional<std::string> secret = std::nullopt,
                                    const std::optional<SharedLogName>& shared = std::nullopt,
                                    LedgerPlace ledger = LedgerPlace::here);
  /// For `souk verify`: writes nothing. No `states` where they were made by other rules: the next
  /// start folds them anew.
  static Result<Stores, Fault> open_read_only(const std::filesystem::path& path);
};

}  // namespace souk
