#include "actors/adapters/stores.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>

namespace souk {
namespace {

namespace fs = std::filesystem;
enum class Access { serve, look };

/// What RocksDB leaves in a folder that it only looked at.
bool says_nothing(const fs::path& file) {
  const auto name = file.filename().string();
  return name == "LOCK" || name.starts_with("LOG");
}

bool has_files(const fs::path& folder) {
  std::error_code error;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    if (!says_nothing(at->path())) return true;
  }
  return false;
}

/// Where CURRENT is missing RocksDB would begin anew and delete what it does not know.
Status check_whole(const fs::path& folder, std::string_view advice) {
  if (!has_files(folder) || fs::exists(folder / "CURRENT")) return Done{};
  return Fault{Fault::Kind::corrupt,
               fmt::format("{}: the file CURRENT is missing; {}", folder.string(), advice)};
}

Fault journal_misfit(const DataDirectory& directory, std::string_view why,
                     std::string_view remedy) {
  return {Fault::Kind::mismatch,
          fmt::format("{}: {}: {}", directory.journal().string(), why, remedy)};
}

constexpr std::string_view put_back = "put it back, or restore the whole directory from one backup";

/// Before RocksDB makes an empty journal beside stores that were written with one.
Status check_present(const DataDirectory& directory) {
  if (auto status = check_whole(directory.journal(), put_back); !status) return status;
  if (has_files(directory.journal())) return Done{};
  for (const auto& other : {directory.keys(), directory.provider(), directory.states()}) {
    if (!has_files(other)) continue;
    return journal_misfit(
        directory,
        fmt::format("the journal is gone, and {} was written with it", other.filename().string()),
        put_back);
  }
  return Done{};
}

/// Whose journal it is, by its own word. `has_records`: it is not a new one.
Status check_journal(const DataDirectory& directory, const std::optional<JournalAnchor>& anchor,
                     bool has_records) {
  const auto& manifest = directory.manifest();
  if (!anchor) {
    const bool made_anew = manifest.shared && !has_records;  // a copy that was lost
    if (made_anew || manifest.format < 2 || (!has_records && !has_files(directory.keys())))
      return Done{};
    return journal_misfit(
        directory, "it is from before this directory was upgraded, or of another one", put_back);
  }
  if (anchor->directory != manifest.id) {
    return journal_misfit(directory,
                          fmt::format("it belongs to the data directory {}, the manifest says {}",
                                      id_text('d', anchor->directory), id_text('d', manifest.id)),
                          "put this directory's own journal and souk-data together again");
  }
  if (anchor->shards != manifest.shards) {
    return journal_misfit(directory,
                          fmt::format("it was made for {} shards, the manifest says {}",
                                      anchor->shards, manifest.shards),
                          "put this directory's own souk-data back");
  }
  return Done{};
}

template <class T>
Status take(Result<std::unique_ptr<T>, Fault>&& opened, std::unique_ptr<T>& into) {
  if (!opened) return opened.error();
  into = std::move(*opened);
  return Done{};
}

Status open_journal(Stores& stores, Access access, StoreBinding& binding, bool& has_records) {
  const DataDirectory& directory = *stores.directory;
  const bool copy = directory.manifest().shared.has_value();
  if (auto status = copy ? check_whole(directory.journal(), put_back) : check_present(directory);
      !status)
    return status;
  // A copy may lose its end, so the others do not count on what it had.
  const RocksDbJournalOptions options{.marks = copy ? nullptr : stores.marks.get()};
  auto opened = access == Access::serve
                    ? RocksDbJournal::open(directory.journal(), options)
                    : RocksDbJournal::open_read_only(directory.journal(), options);
  if (auto status = take(std::move(opened), stores.journal); !status) return status;
  const auto anchor = stores.journal->anchor();
  if (!anchor) return anchor.error();
  const auto records = stores.journal->has_records();
  if (!records) return records.error();
  has_records = *records;
  if (auto status = check_journal(directory, *anchor, has_records); !status) return status;
  binding.directory = directory.manifest().id;
  binding.shards = directory.manifest().shards;
  binding.journal = stores.journal->marks().writes;
  // A journal that counts was written with stores that are bound: each must be there.
  binding.unbound =
      binding.journal > 0 ? StoreBinding::Unbound::refuse : StoreBinding::Unbound::adopt;
  if (*anchor || access == Access::look) return Done{};
  return stores.journal->write_anchor({binding.directory, binding.shards});
}

/// States that are damaged, or made by other rules, are folded anew from the journal.
Status open_states(Stores& stores, Access access, const StoreBinding& binding) {
  const auto path = stores.directory->states();
  const RocksdbStateStore::Options options{.path = path, .binding = binding};
  if (access == Access::look) {
    auto opened = RocksdbStateStore::open_read_only(options);
    if (opened && (*opened)->rules() != rules_version) return Done{};
    return take(std::move(opened), stores.states);
  }
  auto opened = RocksdbStateStore::open(options);
  std::string why;
  if (fs::exists(path / RocksdbStateStore::damage_note)) why = "damage was found while they served";
  if (!opened && opened.error().kind == Fault::Kind::corrupt) why = opened.error().what;
  if (opened && (*opened)->rules() != rules_version) {
    why = fmt::format("they were made by version {} of the rules, this is {}", (*opened)->rules(),
                      rules_version);
  }
  if (why.empty()) return take(std::move(opened), stores.states);
  spdlog::warn("states are folded anew from the journal why=\"{}\"", why);
  if (opened) opened->reset();
  std::error_code error;
  fs::remove_all(path, error);
  return take(RocksdbStateStore::open(options), stores.states);
}

/// Before anything is opened: payments on record in two ledgers would be known to none as a whole.
Status place_ledger(DataDirectory& directory, LedgerPlace place) {
  const auto misfit = [&](std::string_view what) {
    return Fault{Fault::Kind::mismatch, fmt::format("{}: {}", directory.provider().string(), what)};
  };
  if (place == LedgerPlace::here) {
    if (directory.manifest().ledger == place) return Done{};
    return misfit(
        "the payments of this data directory are on record with a provider outside: start with "
        "--payment-provider http://HOST:PORT, or use another directory");
  }
  if (has_files(directory.provider())) {
    return misfit(
        "the payments of this data directory are on record here, and a provider outside would not "
        "know of them: move this folder to where souk provider --data-dir serves it, or start "
        "without --payment-provider");
  }
  return directory.move_ledger_out();
}

Status open_others(Stores& stores, Access access, const StoreBinding& binding, bool has_records,
                   std::optional<std::string> secret) {
  const DataDirectory& directory = *stores.directory;
  const JournalMarks& known = stores.journal->marks();
  const bool serve = access == Access::serve;
  StoreBinding states = binding;
  states.unbound = std::min(states.unbound, StoreBinding::Unbound::adopt_if_empty);
  if (auto status = open_states(stores, access, states); !status) return status;
  StoreBinding keys = binding;
  keys.writes_min = known.keys;
  keys.marks = stores.marks.get();
  keys.own = &StoreMarks::keys;
  using Secret = SodiumVault::Options::Secret;
  const SodiumVault::Options vault_options{
      .path = directory.keys(),
      .binding = keys,
      .secret = has_records || !serve ? Secret::required : Secret::made,
      .given_secret = std::move(secret)};
  if (auto status = take(
          serve ? SodiumVault::open(vault_options) : SodiumVault::open_read_only(vault_options),
          stores.vault);
      !status) {
    return status;
  }
  if (directory.manifest().ledger == LedgerPlace::elsewhere) return Done{};
  StoreBinding provider = binding;
  provider.writes_min = known.provider;
  provider.marks = stores.marks.get();
  provider.own = &StoreMarks::provider;
  return take(serve ? SimulatorLedger::open(directory.provider(), provider)
                    : SimulatorLedger::open_read_only(directory.provider(), provider),
              stores.provider);
}

Result<Stores, Fault> open_as(Access access, Result<std::unique_ptr<DataDirectory>, Fault> opened,
                              std::optional<std::string> secret = std::nullopt) {
  if (!opened) return opened.error();
  Stores stores;
  stores.directory = std::move(*opened);
  stores.marks = std::make_unique<StoreMarks>();
  StoreBinding binding;
  bool has_records = false;
  if (auto status = open_journal(stores, access, binding, has_records); !status) {
    return status.error();
  }
  if (auto status = open_others(stores, access, binding, has_records, std::move(secret)); !status) {
    return status.error();
  }
  return stores;
}

}  // namespace

Result<Stores, Fault> Stores::open(const fs::path& path, std::optional<std::uint32_t> shards,
                                   std::optional<std::string> secret,
                                   const std::optional<SharedLogName>& shared, LedgerPlace ledger) {
  auto directory = DataDirectory::open(path, shards, shared);
  if (!directory) return directory.error();
  if (auto status = place_ledger(**directory, ledger); !status) return status.error();
  return open_as(Access::serve, std::move(directory), std::move(secret));
}

Result<Stores, Fault> Stores::open_read_only(const fs::path& path) {
  return open_as(Access::look, DataDirectory::open_read_only(path));
}

}  // namespace souk
