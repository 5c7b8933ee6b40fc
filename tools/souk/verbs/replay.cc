// souk replay: reads a log from its beginning, from Kafka or from a directory.
#include "tools/souk/replay/replay.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <memory>
#include <optional>
#include <set>

#include "events/event_json.h"
#include "events/json_writer.h"
#include "events/limits.h"
#include "tools/souk/cli/progress.h"
#include "tools/souk/cli/table.h"
#include "tools/souk/verbs/kafka_arguments.h"
#include "tools/souk/verbs/verbs.h"

namespace souk::cli {
namespace {

constexpr std::size_t violations_shown_max = 20;

/// A bar of records, with the events a second.
class Bar final : public ReplayWatch {
 public:
  void begin(std::uint64_t records) override {
    bar_.emplace("records", records);
    bar_->phase("replay");
  }
  void read(std::uint64_t records, std::uint64_t events) override {
    constexpr std::uint64_t records_apart = 64;
    constexpr std::chrono::milliseconds apart{200};
    if (records % records_apart != 0) return;
    bar_->add(records_apart);
    const auto now = Steady::now();
    if (now < said_at_ + apart) return;
    said_at_ = now;
    const double seconds = std::chrono::duration<double>(now - begun_).count();
    bar_->phase(fmt::format("{} events/s", with_thousands(static_cast<std::uint64_t>(
                                               static_cast<double>(events) / seconds))));
  }

 private:
  using Steady = std::chrono::steady_clock;
  std::optional<Progress> bar_;
  const Steady::time_point begun_ = Steady::now();
  Steady::time_point said_at_ = begun_;
};

/// Where the lines go.
class Output {
 public:
  static Outcome<std::unique_ptr<Output>> open(const std::string& name) {
    std::FILE* file = name == "-" ? stdout : std::fopen(name.c_str(), "wb");
    if (!file) return Failure{ExitCode::refused, name + ": " + std::strerror(errno)};
    return std::unique_ptr<Output>(new Output(name, file));
  }
  ~Output() {
    if (file_ && file_ != stdout) std::fclose(file_);
  }
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;

  bool write(std::string_view lines) {
    if (std::fwrite(lines.data(), 1, lines.size(), file_) != lines.size()) error_ = errno;
    return error_ == 0;
  }
  Outcome<Done> finish() {
    if (std::fflush(file_) != 0 && error_ == 0) error_ = errno;
    if (file_ != stdout && std::fclose(std::exchange(file_, nullptr)) != 0 && error_ == 0)
      error_ = errno;
    if (error_ != 0) return Failure{ExitCode::refused, name_ + ": " + std::strerror(error_)};
    return Done{};
  }

 private:
  Output(std::string name, std::FILE* file) : name_(std::move(name)), file_(file) {}
  const std::string name_;
  std::FILE* file_;
  int error_ = 0;
};

Outcome<std::vector<std::size_t>> types_of(const Invocation& call) {
  std::vector<std::size_t> types;
  for (const std::string& name : call.all("type")) {
    const auto type = parse_event_type(name);
    if (!type)
      return Failure{ExitCode::usage, fmt::format("--type {}: no event is called so; there are: {}",
                                                  name, fmt::join(event_type_names, " "))};
    types.push_back(*type);
  }
  return types;
}

Outcome<std::set<std::uint32_t>> shards_of(const Invocation& call) {
  std::set<std::uint32_t> shards;
  for (const std::string& text : call.all("shard")) {
    Invocation one;
    one.values["shard"] = {text};
    const auto shard = integer_argument(one, "shard", 0, limits::shards_max - 1);
    if (!shard) return shard.error();
    shards.insert(static_cast<std::uint32_t>(*shard));
  }
  return shards;
}

OpenedSource open_source(const Invocation& call, const KafkaOptions& options) {
  return call.has("kafka") ? open_topic(options) : open_directory(call.get("directory"));
}

// ---- as JSON ----

/// `lower epoch` as lower_epoch.
std::string member_of(Skip skip) {
  std::string name(name_of(skip));
  std::ranges::replace(name, ' ', '_');
  return name;
}

void put_counts(JsonObject& object, const ReplayCounts& counts) {
  object.number("records", counts.records());
  object.number("event_records", counts.counted_as(BatchType::events));
  object.number("part_records", counts.counted_as(BatchType::chunk));
  object.number("claims", counts.counted_as(BatchType::claim));
  object.number("transfers", counts.counted_as(BatchType::transfer));
  object.number("noops", counts.counted_as(BatchType::noop));
  object.number("skipped", counts.all_skipped());
  {
    JsonObject by(object.key("skipped_by"));
    for (std::size_t i = 1; i < counts.skipped.size(); ++i)
      if (counts.skipped[i] > 0) by.number(member_of(static_cast<Skip>(i)), counts.skipped[i]);
    by.end();
  }
  object.number("transactions", counts.transactions);
  object.number("events", counts.events);
  {
    JsonObject by(object.key("by_type"));
    for (std::size_t i = 0; i < counts.by_type.size(); ++i)
      if (counts.by_type[i] > 0) by.number(event_type_names[i], counts.by_type[i]);
    by.end();
  }
  if (counts.first) object.plain("first_at", to_rfc3339(*counts.first));
  if (counts.last) object.plain("last_at", to_rfc3339(*counts.last));
}

std::string json_of(const Replayed& done, const std::string& source) {
  std::string out;
  JsonObject object(out);
  object.text("source", source);
  object.truth("sound", done.sound());
  put_counts(object, done.all);
  object.key("shards") += '[';
  for (const ReplayShard& shard : done.shards) {
    if (out.back() != '[') out += ',';
    JsonObject one(out);
    one.number("shard", shard.shard.value);
    one.number("last_seq", shard.last_seq);
    put_counts(one, shard.counts);
    if (shard.broken) one.text("broken", shard.broken->what);
    one.end();
  }
  out += ']';
  if (done.audit) {
    object.number("entities", done.audit->entities);
    object.number("violations_found", done.audit->violations_found);
    object.key("violations") += '[';
    for (const Violation& violation : done.audit->violations) {
      if (out.back() != '[') out += ',';
      JsonObject one(out);
      one.text("promise", violation.promise);
      one.text("entity", violation.entity);
      one.text("position", violation.position);
      one.text("what", violation.what);
      one.end();
    }
    out += ']';
  }
  object.end();
  return out;
}

// ---- as a person reads it ----

std::vector<std::string> row_of(std::string name, const ReplayCounts& counts) {
  const auto time = [](const std::optional<UnixMs>& at) { return at ? to_rfc3339(*at) : "-"; };
  return {
      std::move(name),
      with_thousands(counts.records()),
      with_thousands(counts.counted_as(BatchType::claim) + counts.counted_as(BatchType::transfer)),
      with_thousands(counts.all_skipped()),
      with_thousands(counts.transactions),
      with_thousands(counts.events),
      time(counts.first),
      time(counts.last)};
}

void print_table(const Replayed& done) {
  Table shards({{"SHARD", Align::right},
                {"RECORDS", Align::right},
                {"CLAIMS", Align::right},
                {"SKIPPED", Align::right},
                {"TRANSACTIONS", Align::right},
                {"EVENTS", Align::right},
                {"FIRST"},
                {"LAST"}});
  for (const ReplayShard& shard : done.shards)
    shards.add(row_of(std::to_string(shard.shard.value), shard.counts));
  shards.add(row_of("all", done.all));
  fmt::print("{}", shards.text());
  Table types({{"TYPE"}, {"EVENTS", Align::right}});
  for (std::size_t i = 0; i < done.all.by_type.size(); ++i)
    if (done.all.by_type[i] > 0)
      types.add({std::string(event_type_names[i]), with_thousands(done.all.by_type[i])});
  if (!types.empty()) fmt::print("\n{}", types.text());
  const auto& skipped = done.all.skipped;
  std::string why;
  for (std::size_t i = 1; i < skipped.size(); ++i)
    if (skipped[i] > 0)
      why += fmt::format("{}{} {}", why.empty() ? "" : ", ", with_thousands(skipped[i]),
                         name_of(static_cast<Skip>(i)));
  if (!why.empty()) fmt::print("\nrecords that do not count: {}\n", why);
  if (done.audit && done.sound())
    fmt::print("\n{} entities: every promise that the log alone can show holds\n",
               with_thousands(done.audit->entities));
}

/// On standard error: what is wrong.
void print_wrong(const Replayed& done) {
  for (const ReplayShard& shard : done.shards)
    if (shard.broken) fmt::print(stderr, "souk: {}\n", shard.broken->what);
  if (!done.audit) return;
  for (std::size_t i = 0; i < std::min(done.audit->violations.size(), violations_shown_max); ++i) {
    const Violation& v = done.audit->violations[i];
    fmt::print(stderr, "souk: {} violated by {} at {}: {}\n", v.promise, v.entity, v.position,
               v.what);
  }
  if (done.audit->violations_found > violations_shown_max)
    fmt::print(stderr, "souk: ... and {} more\n",
               done.audit->violations_found - violations_shown_max);
}

Outcome<ReplayOrder> order_of(const Invocation& call, const LogSource& source) {
  auto types = types_of(call);
  if (!types) return types.error();
  const auto wanted = shards_of(call);
  if (!wanted) return wanted.error();
  ReplayOrder order{.shards = {}, .types = std::move(*types), .verifies = call.has("verify")};
  if (!wanted->empty() && *wanted->rbegin() >= source.shards())
    return Failure{ExitCode::usage,
                   fmt::format("--shard {}: {} has shards 0 to {}", *wanted->rbegin(),
                               source.name(), source.shards() - 1)};
  for (std::uint32_t s = 0; s < source.shards(); ++s)
    if (wanted->empty() || wanted->contains(s))
      order.shards.push_back(ShardId{static_cast<std::uint16_t>(s)});
  return order;
}

Outcome<ExitCode> run_replay(const Invocation& call) {
  if (call.has("kafka") == call.has("directory"))
    return Failure{ExitCode::usage, "name one log: a data directory, or --kafka HOST:PORT,..."};
  KafkaOptions options;
  if (call.has("kafka")) {
    auto given = kafka_options(call);
    if (!given) return given.error();
    options = std::move(*given);
  }
  if (const auto types = types_of(call); !types) return types.error();
  if (const auto shards = shards_of(call); !shards) return shards.error();
  const auto source = open_source(call, options);
  if (!source.ok()) return refused_by(source.error());
  auto order = order_of(call, **source);
  if (!order) return order.error();
  std::unique_ptr<Output> output;
  if (call.has("export")) {
    auto opened = Output::open(call.get("export"));
    if (!opened) return opened.error();
    output = std::move(*opened);
    order->lines = [&output](std::string_view lines) { return output->write(lines); };
  }
  const auto done = [&] {
    Bar bar;
    return replay(**source, *order, bar);
  }();
  if (output)
    if (const auto finished = output->finish(); !finished) return finished.error();
  if (!done.ok()) return refused_by(done.error());
  if (call.get("export") == "-")
    fmt::print(stderr, "souk: {} events of {} shards\n", with_thousands(done->all.events),
               done->shards.size());
  else
    call.json() ? fmt::print("{}\n", json_of(*done, (*source)->name())) : print_table(*done);
  std::fflush(stdout);
  print_wrong(*done);
  return done->sound() ? ExitCode::ok : ExitCode::refused;
}

}  // namespace

Verbs replay_verbs() {
  Argument directory = {.name = "directory",
                        .help = "the data directory of a stopped soukd",
                        .kind = Argument::Kind::optional_positional};
  Argument shard = option("shard", "only this shard; may be repeated");
  shard.kind = Argument::Kind::repeated;
  Argument type = option("type", "only events of this type, as order_placed; may be repeated");
  type.kind = Argument::Kind::repeated;
  return {
      {.path = "replay",
       .summary = "Read a log from its beginning: count, verify, write out its events",
       .examples =
           {"souk replay --kafka kafka1:9092 --cluster shop",
            "souk replay --kafka kafka1:9092 --cluster shop --verify",
            "souk replay --kafka kafka1:9092 --type order_placed --export - | jq .data.total",
            "souk replay data --export events.jsonl"},
       .arguments = {directory, kafka_option(), kafka_cluster_option(), kafka_config_option(),
                     shard, type,
                     flag("verify",
                          "hold it against what Souk promises; ends with 1 if it does not"),
                     option("export",
                            "write the events to this file, or to standard output (-), as "
                            "lines of JSON")},
       .run = run_replay,
       .details =
           "Reads every record up to where the logs ended when it began, one shard after the "
           "other, "
           "and applies the\nsame fold as the engine: records of deposed owners, repeats and parts "
           "of no whole do not count. It joins no\ngroup, writes nothing, and needs no right but "
           "to "
           "read the topic CLUSTER.events. --json prints the counts\nas one document.\n"
           "Where a log is broken (a damaged record, a hole, a digest that does not follow from "
           "the "
           "record before) it\nsays so with the place, reads on with the next shard, and ends with "
           "1. --verify finds more: keys that took\neffect twice (P2), stock that does not add up "
           "or was oversold (P3); it reads the log twice and holds the\nentities of one shard in "
           "memory. What a log alone cannot show (money, keys, stored states) is for souk verify.\n"
           "A line of --export: shard, seq, at, type, entity_type, entity, cause, correlation, "
           "idempotency, outcome and\ndata, the names of the table events of souk sql. What is "
           "sealed stands there sealed, in base64; tokens of\npayments do not. The same log gives "
           "the same lines. With - they are all that goes to standard output."}};
}

}  // namespace souk::cli
