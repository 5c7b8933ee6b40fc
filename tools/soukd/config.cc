#include "tools/soukd/config.h"

#include <fmt/format.h>

#define TOML_HEADER_ONLY 0  // the library has it compiled: half a minute less here
#include <toml++/toml.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <functional>
#include <variant>

#include "actors/adapters/remote_provider.h"
#include "actors/adapters/secret_file.h"
#include "cluster/links/links.h"
#include "events/currencies.h"
#include "events/shared_log/kafka_options.h"
#include "gateway/http/loopback.h"
#include "projections/search/synonyms.h"

namespace souk {
namespace {

struct Option {
  std::string_view name;  // as in the file
  std::variant<std::string Config::*, bool Config::*, std::int64_t Config::*> member;
  std::int64_t min = 0, max = 0;
  std::string_view help;
};

const Option options[] = {
    {"data_dir", &Config::data_dir, 0, 0, "where everything is kept; made if it is not there"},
    {"http", &Config::http, 0, 0, "ADDRESS:PORT to serve on; port 0 picks a free one"},
    {"allow_unauthenticated", &Config::allow_unauthenticated, 0, 0,
     "listen on other addresses than loopback although nobody has to log in"},
    {"shards", &Config::shards, 1, 4'096, "fixed when the data directory is made"},
    {"hosts", &Config::hosts, 0, 64,
     "worker threads that drive shards; 0: one for each two cores, on two or fewer the I/O thread"},
    {"memory_mb", &Config::memory_mb, 16, 1'048'576,
     "MiB for carts, orders, stock in memory; the rest is on disk"},
    {"view_cache_mb", &Config::view_cache_mb, 1, 1'048'576,
     "MiB for ready-to-send documents of what is read often"},
    {"hold_ms", &Config::hold_ms, 100, 86'400'000,
     "how long a reservation lasts without its payment"},
    {"payment_retry_ms", &Config::payment_retry_ms, 10, 60'000,
     "an unanswered payment call is repeated after this"},
    {"payment_deadline_ms", &Config::payment_deadline_ms, 100, 3'600'000,
     "an order whose payment is not answered by then is rejected"},
    {"checkpoint_events", &Config::checkpoint_events, 16, 1'000'000,
     "events of a shard after which states are written; bounds the restart"},
    {"checkpoint_ms", &Config::checkpoint_ms, 100, 3'600'000,
     "states are written at least this often"},
    {"connections_max", &Config::connections_max, 1, 1'000'000, "HTTP connections at once"},
    {"in_flight_max", &Config::in_flight_max, 16, 1'000'000,
     "requests at once; beyond: 503 overloaded"},
    {"drain_ms", &Config::drain_ms, 0, 600'000, "how long SIGTERM waits for requests under way"},
    {"clock_jump_days_max", &Config::clock_jump_days_max, 0, 100'000,
     "a start whose clock is further than this from the newest event is refused; 0: any"},
    {"default_currency", &Config::default_currency, 0, 0, "of an empty cart, ISO 4217"},
    {"search_synonyms", &Config::search_synonyms, 0, 0,
     "a file of words that mean the same to a shopper, one group a line: sofa, couch; none: a few "
     "built in"},
    {"secret_file", &Config::secret_file, 0, 0,
     "a file with the secret of idempotency keys that the nodes of a cluster share; none: the data "
     "directory's own"},
    {"kafka", &Config::kafka, 0, 0,
     "HOST:PORT,... of the brokers that keep the log; none: the data directory keeps it. Its "
     "topics "
     "are made by souk cluster init"},
    {"cluster", &Config::cluster, 0, 0, "the cluster's name, after which its topics are named"},
    {"kafka_config", &Config::kafka_config, 0, 0,
     "a file of lines name=value that say how the brokers are reached: security.protocol, ssl.*, "
     "sasl.*"},
    {"kafka_single", &Config::kafka_single, 0, 0,
     "one broker will do: what it loses is lost. For trials"},
    {"integration_topics", &Config::integration_topics, 0, 0,
     "publish orders, stock and products as CloudEvents to the topics that souk cluster init "
     "--integration makes"},
    {"node", &Config::node, 0, 0,
     "this node's name in the cluster, by which the others know it again after a restart; none: it "
     "is alone, and owns all shards"},
    {"peer", &Config::peer, 0, 0,
     "ADDRESS:PORT to listen on for the other nodes; port 0: a free one"},
    {"peer_address", &Config::peer_address, 0, 0,
     "HOST:PORT at which the other nodes reach it; none: where it listens"},
    {"peer_ca", &Config::peer_ca, 0, 0,
     "a PEM file with who signs the certificates of all nodes; souk cluster certificates makes a "
     "set "
     "for a trial"},
    {"peer_certificate", &Config::peer_certificate, 0, 0,
     "a PEM file with this node's certificate, of NODE.CLUSTER.souk"},
    {"peer_key", &Config::peer_key, 0, 0, "a PEM file with its key"},
    {"insecure_peers", &Config::insecure_peers, 0, 0,
     "no certificates between nodes; on loopback addresses only. For trials"},
    {"zone", &Config::zone, 0, 0,
     "what fails together: a shard's owner and its standby are in different ones"},
    {"weight", &Config::weight, 1, 1'000, "its share of the shards, beside those of others"},
    {"no_read_models", &Config::no_read_models, 0, 0,
     "keep no search, analytics and SQL here: nodes of the cluster that do are asked. It then "
     "copies "
     "only the shards that it owns or stands by for"},
    {"payment_provider", &Config::payment_provider, 0, 0,
     "http://HOST:PORT of a souk provider that the nodes of a cluster share; none: the built-in "
     "one, "
     "with its ledger in the data directory"},
    {"log_level", &Config::log_level, 0, 0, "debug, info, warn or error"},
};

constexpr std::string_view log_levels[] = {"debug", "info", "warn", "error"};

std::string dashed(std::string_view name) {
  std::string out(name);
  std::replace(out.begin(), out.end(), '_', '-');
  return out;
}

std::string env_name(std::string_view name) {
  std::string out = "SOUK_";
  for (char c : name) out += static_cast<char>(c >= 'a' && c <= 'z' ? c - 32 : c);
  return out;
}

const Option* find_option(std::string_view name) {
  for (const auto& o : options)
    if (o.name == name) return &o;
  return nullptr;
}

std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t above = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)});
      diagonal = above;
    }
  }
  return row[b.size()];
}

std::string nearest(std::string_view name) {
  const Option* best = &options[0];
  for (const auto& o : options)
    if (distance(o.name, name) < distance(best->name, name)) best = &o;
  return std::string(best->name);
}

class Loader {
 public:
  explicit Loader(Loaded& out) : out_(out) {}

  void mistake(std::string where, std::string what, std::string remedy) {
    out_.mistakes.push_back({std::move(where), std::move(what), std::move(remedy)});
  }

  void set(const Option& option, std::string_view value, const std::string& where) {
    out_.origin[std::string(option.name)] = where;
    if (auto* text = std::get_if<std::string Config::*>(&option.member)) {
      out_.config.*(*text) = std::string(value);
    } else if (auto* flag = std::get_if<bool Config::*>(&option.member)) {
      if (value != "true" && value != "false")
        return mistake(where, fmt::format("{} is \"{}\"", option.name, value),
                       "write true or false");
      out_.config.*(*flag) = value == "true";
    } else {
      std::int64_t number = 0;
      const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
      if (error != std::errc{} || end != value.data() + value.size() || number < option.min ||
          number > option.max)
        return mistake(where, fmt::format("{} is \"{}\"", option.name, value),
                       fmt::format("write a whole number from {} to {}", option.min, option.max));
      out_.config.*std::get<std::int64_t Config::*>(option.member) = number;
    }
  }

  void file(const std::string& path) {
    toml::table parsed;
    try {
      parsed = toml::parse_file(path);
    } catch (const toml::parse_error& e) {
      return mistake(fmt::format("{} line {}", path, e.source().begin.line),
                     std::string(e.description()),
                     "mend the line; the format is TOML: name = value");
    }
    for (const auto& [key, node] : parsed) {
      const std::string where = fmt::format("{} line {}", path, node.source().begin.line);
      const Option* option = find_option(key.str());
      if (!option) {
        mistake(where, fmt::format("there is no option \"{}\"", key.str()),
                fmt::format("did you mean {}? soukd --help lists all", nearest(key.str())));
        continue;
      }
      if (auto text = node.value_exact<std::string>())
        set_typed<std::string>(*option, *text, where);
      else if (auto flag = node.value_exact<bool>())
        set_typed<bool>(*option, *flag ? "true" : "false", where);
      else if (auto number = node.value_exact<std::int64_t>())
        set_typed<std::int64_t>(*option, std::to_string(*number), where);
      else
        mistake(where, fmt::format("{} has a value of a type that no option has", option->name),
                "write a text in quotes, a whole number, true or false");
    }
  }

 private:
  template <class T>
  void set_typed(const Option& option, std::string_view value, const std::string& where) {
    if (!std::holds_alternative<T Config::*>(option.member)) {
      const char* wanted =
          std::holds_alternative<std::string Config::*>(option.member) ? "a text in quotes"
          : std::holds_alternative<bool Config::*>(option.member)      ? "true or false"
                                                                       : "a whole number";
      return mistake(where, fmt::format("{} has a value of the wrong type", option.name),
                     fmt::format("write {}", wanted));
    }
    set(option, value, where);
  }

  Loaded& out_;
};

struct CommandLine {
  std::optional<std::string> config;
  std::vector<std::pair<const Option*, std::string>> values;
};

CommandLine read_arguments(const std::vector<std::string>& arguments, Loaded& out, Loader& loader) {
  CommandLine line;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& a = arguments[i];
    if (a == "--help" || a == "-h")
      out.mode = Mode::help;
    else if (a == "--version")
      out.mode = Mode::version;
    else if (a == "--check-config")
      out.mode = Mode::check_config;
    else if (a == "--print-config")
      out.mode = Mode::print_config;
    else if (a.starts_with("--")) {
      const std::size_t equals = a.find('=');
      std::string name = a.substr(2, equals == std::string::npos ? equals : equals - 2);
      std::replace(name.begin(), name.end(), '-', '_');
      const Option* option = find_option(name);
      if (!option && name != "config") {
        loader.mistake(
            a, "there is no such option",
            fmt::format("did you mean --{}? soukd --help lists all", dashed(nearest(name))));
        continue;
      }
      std::string value;
      const bool flag = option && std::holds_alternative<bool Config::*>(option->member);
      if (equals != std::string::npos)
        value = a.substr(equals + 1);
      else if (flag)
        value = "true";
      else if (i + 1 < arguments.size())
        value = arguments[++i];
      else {
        loader.mistake(a, "its value is missing", fmt::format("write {} VALUE", a));
        continue;
      }
      if (option)
        line.values.emplace_back(option, value);
      else
        line.config = value;
    } else {
      loader.mistake(a, "soukd takes options only", "soukd --help lists them");
    }
  }
  return line;
}

/// Of a node among others.
template <class Where>
void check_cluster(const Config& c, const Where& where, Loader& loader) {
  if (c.node.empty()) {
    if (c.no_read_models)
      loader.mistake(where("no_read_models"), "no_read_models is true, and node is not given",
                     "leave it out: a node that is alone answers everything itself");
    return;
  }
  if (const auto fits = cluster::check_node_name(c.node); !fits.ok())
    loader.mistake(where("node"), fmt::format("node is {}", fits.error().what),
                   "write a name as in: a");
  if (c.kafka.empty())
    loader.mistake(where("node"), "node is given, and kafka is not",
                   "name the brokers of the cluster's log: --kafka HOST:PORT,...");
  if (c.secret_file.empty())
    loader.mistake(where("node"), "node is given, and secret_file is not",
                   "name the secret that all nodes share, which souk cluster init made");
  if (c.payment_provider.empty())
    loader.mistake(where("node"), "node is given, and payment_provider is not",
                   "name the one that all nodes share: souk provider serves one for a trial");
  const bool some = !c.peer_ca.empty() || !c.peer_certificate.empty() || !c.peer_key.empty();
  const bool all = !c.peer_ca.empty() && !c.peer_certificate.empty() && !c.peer_key.empty();
  if (some && !all)
    loader.mistake(where("peer_ca"), "not all of peer_ca, peer_certificate and peer_key are given",
                   "give all three; souk cluster certificates makes a set for a trial");
  if (!some && !c.insecure_peers)
    loader.mistake(
        where("node"), "the links to other nodes have no certificates",
        "give peer_ca, peer_certificate and peer_key (souk cluster certificates makes a set "
        "for a trial), or --insecure-peers on loopback");
}

void check_texts(Loaded& out, Loader& loader) {
  const Config& c = out.config;
  const auto where = [&](const char* name) {
    auto at = out.origin.find(name);
    return at == out.origin.end() ? std::string("default") : at->second;
  };
  if (std::find(std::begin(log_levels), std::end(log_levels), c.log_level) == std::end(log_levels))
    loader.mistake(where("log_level"), fmt::format("log_level is \"{}\"", c.log_level),
                   "write debug, info, warn or error");
  if (const auto why = why_not_payable(c.default_currency); !why.empty())
    loader.mistake(where("default_currency"),
                   fmt::format("default_currency is \"{}\"", c.default_currency), why);
  if (!c.search_synonyms.empty())
    if (const auto read = search::Synonyms::load(c.search_synonyms); !read.ok())
      loader.mistake(
          where("search_synonyms"),
          fmt::format("search_synonyms is \"{}\": {}", c.search_synonyms, read.error().what),
          "name a text file with one group a line, as in: sofa, couch, settee");
  if (!c.secret_file.empty())
    if (const auto read = read_secret_file(c.secret_file); !read.ok())
      loader.mistake(where("secret_file"), read.error().what,
                     "name a file with 96 hexadecimal digits that soukd may read");
  if (const auto fits = check_cluster_name(c.cluster); !fits.ok())
    loader.mistake(where("cluster"), fmt::format("cluster is {}", fits.error().what),
                   "write a name as in: souk");
  if (!c.kafka_config.empty())
    if (const auto read = read_kafka_properties(c.kafka_config); !read.ok())
      loader.mistake(where("kafka_config"), read.error().what,
                     "name a file of lines NAME=VALUE, as in security.protocol=SSL");
  if (c.integration_topics && c.kafka.empty())
    loader.mistake(where("integration_topics"), "integration_topics is given, and kafka is not",
                   "name the brokers of the cluster's log: --kafka HOST:PORT,...");
  check_cluster(c, where, loader);
  if (!c.payment_provider.empty() && !parse_provider_url(c.payment_provider))
    loader.mistake(where("payment_provider"),
                   fmt::format("payment_provider is \"{}\"", c.payment_provider),
                   "write http://HOST:PORT, as in http://127.0.0.1:8090");
  if (c.data_dir.empty())
    loader.mistake(where("data_dir"), "data_dir is empty", "name a directory");
  const std::size_t colon = c.http.rfind(':');
  std::int64_t port = -1;
  if (colon != std::string::npos) {
    const char* end = c.http.data() + c.http.size();
    if (std::from_chars(c.http.data() + colon + 1, end, port).ptr != end) port = -1;
  }
  if (colon == std::string::npos || colon == 0 || port < 0 || port > 65'535)
    return loader.mistake(where("http"), fmt::format("http is \"{}\"", c.http),
                          "write ADDRESS:PORT, as in 127.0.0.1:8080");
  if (!is_loopback(c.http) && !c.allow_unauthenticated)
    loader.mistake(
        where("http"),
        fmt::format("{} is not a loopback address, and nobody has to log in yet",
                    c.http.substr(0, colon)),
        "serve on 127.0.0.1 behind a proxy that knows who is who, or give --allow-unauthenticated");
}

std::string shown(const Config& config, const Option& option) {
  if (auto* text = std::get_if<std::string Config::*>(&option.member))
    return fmt::format("\"{}\"", config.*(*text));
  if (auto* flag = std::get_if<bool Config::*>(&option.member))
    return config.*(*flag) ? "true" : "false";
  return std::to_string(config.*std::get<std::int64_t Config::*>(option.member));
}

}  // namespace

Loaded load_config(const std::vector<std::string>& arguments,
                   const std::vector<std::string>& environment) {
  Loaded out;
  Loader loader(out);
  CommandLine line = read_arguments(arguments, out, loader);
  std::map<std::string, std::string, std::less<>> env;
  for (const auto& e : environment)
    if (auto equals = e.find('='); equals != std::string::npos)
      env[e.substr(0, equals)] = e.substr(equals + 1);

  if (!line.config && env.contains("SOUK_CONFIG")) line.config = env["SOUK_CONFIG"];
  std::error_code ignored;
  if (line.config) {
    if (std::filesystem::is_regular_file(*line.config, ignored))
      loader.file(*line.config);
    else
      loader.mistake("--config", fmt::format("there is no file {}", *line.config),
                     "name a file that can be read");
  } else if (std::filesystem::is_regular_file("souk.toml", ignored)) {
    loader.file("souk.toml");
  }
  for (const auto& option : options)
    if (auto at = env.find(env_name(option.name)); at != env.end())
      loader.set(option, at->second, "environment " + at->first);
  for (const auto& [option, value] : line.values)
    loader.set(*option, value, "--" + dashed(option->name));
  check_texts(out, loader);
  return out;
}

std::string help_text() {
  const Config defaults;
  std::string out =
      "soukd - the Souk daemon: carts, stock, orders and payments over HTTP, durable on this "
      "disk\n\n"
      "usage: soukd [--config souk.toml] [OPTIONS]\n\n"
      "  --config FILE                 options from a TOML file; without it ./souk.toml where "
      "there is one\n"
      "  --check-config                explain each mistake in the configuration, then end (0: "
      "none)\n"
      "  --print-config                show every option, its value and where that came from\n"
      "  --version, --help\n\n";
  for (const auto& o : options) {
    const bool flag = std::holds_alternative<bool Config::*>(o.member);
    out += fmt::format("  {:<29} {} (default {})\n", "--" + dashed(o.name) + (flag ? "" : " VALUE"),
                       o.help, shown(defaults, o));
  }
  out +=
      "\nEvery option is also a line of the file (data_dir = \"data\") and a variable "
      "(SOUK_DATA_DIR).\n";
  return out;
}

std::string print_config(const Loaded& loaded) {
  std::string out;
  for (const auto& o : options) {
    auto at = loaded.origin.find(std::string(o.name));
    out += fmt::format("{} = {}  # {}\n", o.name, shown(loaded.config, o),
                       at == loaded.origin.end() ? "default" : at->second);
  }
  return out;
}

std::string explain(const std::vector<Mistake>& mistakes) {
  std::string out;
  for (const auto& m : mistakes)
    out += fmt::format("{}: {}\n  remedy: {}\n", m.where, m.what, m.remedy);
  return out;
}

}  // namespace souk
