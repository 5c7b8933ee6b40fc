#pragma once
#include <memory>
#include <string>

namespace rocksdb {
class Logger;
}
namespace spdlog {
class logger;
}

namespace souk {

/// Passes on what RocksDB warns of, each kind once a pause and on one line, in particular the bytes
/// of a torn tail that it drops. Every store has one: RocksDB's own log is a file that cannot be
/// written on a full disk, and the line after that ends the process (an assertion in Debian's
/// build). `store` names it in each line.
std::shared_ptr<rocksdb::Logger> rocksdb_log(std::shared_ptr<spdlog::logger> log,
                                             std::string store);

}  // namespace souk
