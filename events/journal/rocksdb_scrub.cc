#include "events/journal/rocksdb_scrub.h"

#include <rocksdb/db.h>
#include <rocksdb/options.h>

#include <algorithm>
#include <memory>

#include "events/fault_log.h"

namespace souk {

namespace fs = std::filesystem;

std::vector<fs::path> stores_under(const fs::path& root) {
  std::vector<fs::path> found;
  std::error_code error;
  for (fs::recursive_directory_iterator at(root, error), end; !error && at != end;
       at.increment(error)) {
    std::error_code gone;
    const fs::path folder = at->path().parent_path();
    if (at->path().filename() == "CURRENT" && at->is_regular_file(gone) &&
        fs::exists(folder / "IDENTITY", gone))
      found.push_back(folder);
  }
  std::ranges::sort(found);
  return found;
}

Status check_tables(const fs::path& store) {
  const auto fault = [](const rocksdb::Status& status) {
    return Fault{status.IsCorruption() ? Fault::Kind::corrupt : Fault::Kind::unavailable,
                 one_line(status.ToString())};
  };
  rocksdb::DBOptions options;
  options.max_open_files = 64;
  std::vector<std::string> names;
  if (auto s = rocksdb::DB::ListColumnFamilies(options, store.string(), &names); !s.ok())
    return fault(s);
  std::vector<rocksdb::ColumnFamilyDescriptor> families;
  for (const auto& name : names) families.emplace_back(name, rocksdb::ColumnFamilyOptions());
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::DB* raw = nullptr;
  if (auto s = rocksdb::DB::OpenForReadOnly(options, store.string(), families, &handles, &raw);
      !s.ok())
    return fault(s);
  const std::unique_ptr<rocksdb::DB> database(raw);
  const auto checked = database->VerifyChecksum();
  for (auto* handle : handles) database->DestroyColumnFamilyHandle(handle);
  return checked.ok() ? Status(Done{}) : Status(fault(checked));
}

}  // namespace souk
