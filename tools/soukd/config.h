#pragma once
/// The configuration of soukd: one table of options; each has the same name on the command line
/// (`--data-dir`), in souk.toml (`data_dir`) and in the environment (`SOUK_DATA_DIR`). The command
/// line wins over the environment, that over the file, that over the default.
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace souk {

struct Config {
  std::string data_dir = "data";
  std::string http = "127.0.0.1:8080";
  std::string default_currency = "GBP";
  std::string log_level = "info";
  std::string search_synonyms;  // a file; empty: a few built in
  std::string secret_file;      // what a cluster shares; empty: the directory's own secret
  std::string kafka;            // brokers; empty: the log is in the data directory
  std::string cluster = "souk";
  std::string kafka_config;  // a file of settings of how the brokers are reached
  bool kafka_single = false;
  bool integration_topics = false;
  std::string node;  // its name in the cluster; empty: it is alone
  std::string peer = "127.0.0.1:0";
  std::string peer_address;  // as others reach it; empty: as it listens
  std::string peer_ca, peer_certificate, peer_key;
  bool insecure_peers = false;
  std::string zone;
  std::int64_t weight = 1;
  bool no_read_models = false;
  std::string payment_provider;  // http://HOST:PORT; empty: the built-in one
  bool allow_unauthenticated = false;
  std::int64_t shards = 64;
  std::int64_t hosts = 0;  // 0: one for each two cores
  std::int64_t memory_mb = 1'024;
  std::int64_t view_cache_mb = 64;
  std::int64_t hold_ms = 15 * 60 * 1'000;
  std::int64_t payment_retry_ms = 1'000;
  std::int64_t payment_deadline_ms = 10'000;
  std::int64_t checkpoint_events = 4'096;
  std::int64_t checkpoint_ms = 10'000;
  std::int64_t connections_max = 12'000;
  std::int64_t in_flight_max = 16'384;
  std::int64_t drain_ms = 10'000;
  std::int64_t clock_jump_days_max = 1'096;  // 0: any
};

struct Mistake {
  std::string where;  // "souk.toml line 3", "environment SOUK_SHARDS", "--shards"
  std::string what;
  std::string remedy;
};

enum class Mode { serve, check_config, print_config, help, version };

struct Loaded {
  Config config;
  Mode mode = Mode::serve;
  std::vector<Mistake> mistakes;
  std::map<std::string, std::string> origin;  // option -> where its value came from
};

/// `arguments` without the program's name; `environment` as NAME=VALUE. Reads the file that
/// --config or SOUK_CONFIG names, else ./souk.toml where there is one.
Loaded load_config(const std::vector<std::string>& arguments,
                   const std::vector<std::string>& environment);

std::string help_text();
/// Every option, its value and where it came from, as a souk.toml that would give the same.
std::string print_config(const Loaded& loaded);
/// One paragraph a mistake.
std::string explain(const std::vector<Mistake>& mistakes);

}  // namespace souk
