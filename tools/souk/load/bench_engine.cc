// `souk bench engine`: the engine alone, in this process, against what the disk can do at all.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <fstream>

#include "tools/souk/load/inprocess.h"
#include "tools/souk/verbs/verbs.h"

namespace souk::cli {
namespace {

using SteadyClock = std::chrono::steady_clock;

double seconds_since(SteadyClock::time_point began) {
  return std::chrono::duration<double>(SteadyClock::now() - began).count();
}

std::uint64_t resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  std::uint64_t total = 0, resident = 0;
  statm >> total >> resident;
  return resident * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

struct ScratchDirectory {
  std::filesystem::path path;
  explicit ScratchDirectory(const std::string& under)
      : path(std::filesystem::path(under) / fmt::format("souk-bench-{}", getpid())) {
    std::filesystem::create_directories(path);
  }
  ~ScratchDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
};

struct Rate {
  double per_second = 0, p50_ms = 0, p99_ms = 0;
  std::uint64_t done = 0, failed = 0;
};

/// A closed loop: `outstanding` requests in flight until `count` are answered.
enum class Keys { none, each };  // idempotency keys: every command its own, or none

template <class Make>
Rate closed_loop(InProcess& engine, std::size_t outstanding, std::uint64_t count, const Make& make,
                 Keys keys = Keys::none) {
  std::uint64_t key = 0;
  const auto request = [&](std::uint64_t number, std::size_t slot) {
    Request r = engine.request(make(number), slot);
    if (keys == Keys::each) r.key_hash = r.request_hash = stable_hash(std::to_string(++key));
    return r;
  };
  std::vector<SteadyClock::time_point> sent(outstanding);
  std::vector<float> latencies;
  latencies.reserve(count);
  std::vector<Request> batch;
  Rate rate;
  std::uint64_t started = 0;
  const auto began = SteadyClock::now();
  for (std::size_t slot = 0; slot < outstanding && started < count; ++slot, ++started) {
    sent[slot] = began;
    batch.push_back(request(started, slot));
  }
  engine.submit(std::move(batch));
  while (rate.done < std::min(count, started)) {
    const std::vector<Reply> replies = engine.take();
    const auto now = SteadyClock::now();
    batch = {};
    for (const auto& reply : replies) {
      const auto slot = static_cast<std::size_t>(reply.ticket);
      latencies.push_back(std::chrono::duration<float, std::milli>(now - sent[slot]).count());
      ++rate.done;
      if (reply.code != ReplyCode::ok && reply.code != ReplyCode::created) ++rate.failed;
      if (started == count) continue;
      sent[slot] = now;
      batch.push_back(request(started++, slot));
    }
    if (!batch.empty()) engine.submit(std::move(batch));
  }
  rate.per_second = static_cast<double>(rate.done) / seconds_since(began);
  std::sort(latencies.begin(), latencies.end());
  if (!latencies.empty()) {
    rate.p50_ms = static_cast<double>(latencies[latencies.size() / 2]);
    rate.p99_ms = static_cast<double>(latencies[latencies.size() * 99 / 100]);
  }
  return rate;
}

/// What the disk can do: one packed record of `events` add-to-cart events a commit, synced, nothing
/// else. Units: events a second.
Result<double, Fault> disk_floor(const std::filesystem::path& path, std::size_t events,
                                 double seconds) {
  auto journal = RocksDbJournal::open(path);
  if (!journal.ok()) return journal.error();
  std::vector<Transaction> transactions(events);
  for (std::size_t i = 0; i < events; ++i) {
    transactions[i].events.push_back(
        {EntityKey(CartId{}),
         ItemAdded{
             Item(*Sku::parse("p1"), "p1"), 1, {Micros{1'250'000}, *Currency::parse("GBP")}}});
    transactions[i].key_hash = i + 1;
  }
  BatchHeader header{.epoch = 1, .first_seq = 1};
  std::vector<Batch> batches(1);
  std::uint64_t done = 0;
  const std::string bytes = encode_batch(header, transactions);
  const auto began = SteadyClock::now();
  while (seconds_since(began) < seconds) {
    batches[0] = {.shard = {},
                  .offset = done + 1,
                  .first_seq = done + 1,
                  .last_seq = done + events,
                  .epoch = 1,
                  .chain = 0,
                  .bytes = bytes};
    const Status status = (*journal)->put(batches);
    if (!status.ok()) return status.error();
    done += events;
  }
  return static_cast<double>(done) / seconds_since(began);
}

class EngineBench {
 public:
  EngineBench(const Invocation& call, std::filesystem::path scratch)
      : call_(call), scratch_(std::move(scratch)) {}

  Outcome<ExitCode> run() {
    if (auto failure = open()) return *failure;
    put_products(100);
    const auto carts = static_cast<std::size_t>(*integer_argument(call_, "carts", 1, 10'000'000));
    open_carts(carts);
    const auto count =
        static_cast<std::uint64_t>(*integer_argument(call_, "count", 1'000, 100'000'000));
    fmt::print("{:<34} {:>12} {:>9} {:>9} {:>12} {:>7}\n", "add-to-cart, in process", "commands/s",
               "p50 ms", "p99 ms", "floor/s", "ratio");
    for (const std::size_t outstanding : {std::size_t{64}, std::size_t{1024}}) {
      // Half of them are on the disk while the other half is decided.
      const std::size_t a_commit = outstanding / 2;
      auto before = disk_floor(scratch_ / fmt::format("floor-a{}", outstanding), a_commit, 2);
      if (!before.ok()) return Failure{ExitCode::refused, before.error().what};
      const Rate r = add_items(outstanding, count);
      auto after = disk_floor(scratch_ / fmt::format("floor-b{}", outstanding), a_commit, 2);
      if (!after.ok()) return Failure{ExitCode::refused, after.error().what};
      const double floor = (*before + *after) / 2;
      fmt::print("{:<34} {:>12.0f} {:>9.2f} {:>9.2f} {:>12.0f} {:>7.2f}\n",
                 fmt::format("{} outstanding, {} carts", outstanding, carts), r.per_second,
                 r.p50_ms, r.p99_ms, floor, r.per_second / floor);
      if (r.failed > 0)
        return Failure{ExitCode::refused, fmt::format("{} commands failed", r.failed)};
    }
    lines();
    return ExitCode::ok;
  }

  Outcome<ExitCode> memory() {
    if (auto failure = open()) return *failure;
    put_products(100);
    const auto carts = static_cast<std::size_t>(*integer_argument(call_, "carts", 1, 10'000'000));
    open_carts(1'000);  // warm: buffers and caches are there
    const std::uint64_t before = resident_bytes();
    const std::uint64_t counted_before = engine_->counters().memory_bytes.load();
    const std::size_t first = carts_.size();
    open_carts(carts);
    closed_loop(
        *engine_, 1024, carts * 3,
        [&](std::uint64_t i) {
          return AddItem{carts_[first + i / 3], sku((i * 7) % 100), 1, std::nullopt};
        },
        Keys::each);  // as clients do: the answers are part of a cart
    ::sleep(12);      // a checkpoint: they rest
    const std::uint64_t after = resident_bytes();
    fmt::print(
        "{} idle carts of 3 lines, 3 answers kept: {:.0f} B each by the engine's count, {:.0f} B "
        "each of the process "
        "(with RocksDB's buffers)\n",
        carts,
        static_cast<double>(engine_->counters().memory_bytes.load() - counted_before) /
            static_cast<double>(carts),
        static_cast<double>(after - before) / static_cast<double>(carts));
    return ExitCode::ok;
  }

  Outcome<ExitCode> restart() {
    if (auto failure = open()) return *failure;
    put_products(100);
    const auto carts = static_cast<std::size_t>(*integer_argument(call_, "carts", 1, 10'000'000));
    const auto count =
        static_cast<std::uint64_t>(*integer_argument(call_, "count", 1'000, 100'000'000));
    open_carts(carts);
    add_items(1024, count);
    const std::uint64_t events = engine_->counters().committed_events.load();
    engine_.reset();
    const auto began = SteadyClock::now();
    if (auto failure = open()) return *failure;
    fmt::print("{} events, {} carts: ready after {:.2f} s, {} events replayed\n", events, carts,
               seconds_since(began), engine_->recovery().events);
    return ExitCode::ok;
  }

 private:
  std::optional<Failure> open() {
    EngineOptions options;
    options.memory_bytes =
        static_cast<std::size_t>(*integer_argument(call_, "memory-mb", 16, 1'000'000)) << 20;
    auto engine = InProcess::open(scratch_ / "data", options);
    if (!engine.ok()) return Failure{ExitCode::refused, engine.error().what};
    engine_ = std::move(*engine);
    return std::nullopt;
  }

  static Sku sku(std::uint64_t i) { return *Sku::parse(fmt::format("p{}", i)); }

  void put_products(std::uint64_t count) {
    closed_loop(*engine_, 64, count, [&](std::uint64_t i) {
      ProductDefined d{.name = fmt::format("product {}", i)};
      d.price = {Micros{1'250'000}, *Currency::parse("GBP")};
      return PutProduct{sku(i), std::move(d)};
    });
  }

  void open_carts(std::size_t count) {
    const std::size_t first = carts_.size();
    for (std::size_t i = 0; i < count; ++i) {
      Id128 id = engine_->randomness().id128();
      const auto shard =
          static_cast<std::uint16_t>((id.bytes[0] << 8 | id.bytes[1]) % engine_->shards());
      id.bytes[0] = static_cast<std::uint8_t>(shard >> 8);
      id.bytes[1] = static_cast<std::uint8_t>(shard);
      carts_.push_back(CartId{id});
    }
    closed_loop(*engine_, 1024, count, [&](std::uint64_t i) {
      return OpenCart{carts_[first + i], {}, {}};
    });
  }

  Rate add_items(std::size_t outstanding, std::uint64_t count) {
    return closed_loop(*engine_, outstanding, count, [&](std::uint64_t i) {
      return AddItem{carts_[(i * 7919) % carts_.size()], sku(i % 100), 1, std::nullopt};
    });
  }

  /// The cost of a command in a cart of 1 line against one of 2,000.
  void lines() {
    put_products(2'000);
    open_carts(2);
    const CartId one = carts_[carts_.size() - 2], many = carts_[carts_.size() - 1];
    closed_loop(*engine_, 64, 2'000, [&](std::uint64_t i) {
      return AddItem{many, sku(i), 1, std::nullopt};
    });
    closed_loop(*engine_, 1, 1, [&](std::uint64_t) {
      return AddItem{one, sku(0), 1, std::nullopt};
    });
    fmt::print("\n{:<34} {:>12}\n", "set the quantity of a line", "commands/s");
    const Rate few = closed_loop(*engine_, 64, 100'000, [&](std::uint64_t i) {
      return SetItem{one, sku(0), static_cast<std::int64_t>(i % 9 + 1)};
    });
    const Rate lot = closed_loop(*engine_, 64, 100'000, [&](std::uint64_t i) {
      return SetItem{many, sku(i * 37 % 2'000), static_cast<std::int64_t>(i % 9 + 1)};
    });
    fmt::print("{:<34} {:>12.0f}\n{:<34} {:>12.0f}  ({:.2f} times the cost)\n",
               "in a cart of 1 line", few.per_second, "in a cart of 2,000 lines", lot.per_second,
               few.per_second / lot.per_second);
  }

  const Invocation& call_;
  const std::filesystem::path scratch_;
  std::unique_ptr<InProcess> engine_;
  std::vector<CartId> carts_;
};

Outcome<ExitCode> bench_engine(const Invocation& call) {
  const ScratchDirectory scratch(call.get("under"));
  return EngineBench(call, scratch.path).run();
}
Outcome<ExitCode> bench_memory(const Invocation& call) {
  const ScratchDirectory scratch(call.get("under"));
  return EngineBench(call, scratch.path).memory();
}
Outcome<ExitCode> bench_restart(const Invocation& call) {
  const ScratchDirectory scratch(call.get("under"));
  return EngineBench(call, scratch.path).restart();
}

}  // namespace

Verbs engine_bench_verbs() {
  const auto arguments = [](const char* carts, const char* count) {
    return std::vector<Argument>{
        option("carts", "how many carts", carts), option("count", "how many commands", count),
        option("memory-mb", "the engine's memory budget", "4096"),
        option("under", "where the scratch directory is made (a real disk)", "/var/tmp")};
  };
  return {{.path = "bench engine",
           .summary = "Durable add-to-cart in this process against what the disk can do",
           .examples = {"souk bench engine", "souk bench engine --carts 1000000"},
           .arguments = arguments("2000", "500000"),
           .run = bench_engine},
          {.path = "bench memory",
           .summary = "Memory of an idle cart of three lines",
           .examples = {"souk bench memory --carts 1000000"},
           .arguments = arguments("1000000", "1000"),
           .run = bench_memory},
          {.path = "bench restart",
           .summary = "Time to recover a directory of many carts and events",
           .examples = {"souk bench restart --carts 1000000 --count 9000000"},
           .arguments = arguments("1000000", "9000000"),
           .run = bench_restart}};
}

}  // namespace souk::cli
