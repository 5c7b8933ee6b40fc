#include "tests/simulation/reader.h"

#include "projections/runner/compare.h"
#include "tests/simulation/trace.h"

namespace souk::simulation {
namespace {

constexpr int compare_percent = 10;
const std::atomic<bool> never{false};

std::string name_of_copy(int generation) { return std::to_string(generation); }

std::string place(ShardId shard, Seq seq) {
  return std::to_string(shard.value) + ":" + std::to_string(seq);
}

}  // namespace

ReaderCounts& ReaderCounts::operator+=(const ReaderCounts& other) {
  steps += other.steps;
  opened += other.opened;
  rebuilt += other.rebuilt;
  stale += other.stale;
  mended += other.mended;
  compared += other.compared;
  return *this;
}

SimReader::SimReader(World& world, Facts& facts, std::uint32_t shards,
                     SimModelDisk::Commits commits)
    : world_(world),
      facts_(facts),
      shards_(shards),
      disk_(world, commits),
      eagerness_(static_cast<int>(world.chance(50) ? world.between(1, 5) : world.between(5, 60))) {
  poisons_.salt = world_.number();
  if (world_.chance(50)) poisons_.per_mille = static_cast<std::uint64_t>(world_.between(1, 20));
  kind_ = {.name = "pages", .version = 1, .open = [this](const std::filesystem::path& folder) {
             return Result<std::shared_ptr<Projection>, Fault>(std::shared_ptr<Projection>(
                 std::make_shared<SimModel>(disk_, poisons_, folder.string())));
           }};
  pace_.journal_events_a_step = static_cast<std::size_t>(world_.between(1, 40));
  pace_.recent_batches_a_step = static_cast<std::size_t>(world_.between(1, 10));
  pace_.commit_events = static_cast<std::size_t>(world_.between(1, 60));
  pace_.now = [this] {
    return std::chrono::steady_clock::time_point(std::chrono::milliseconds(world_.time_ms()));
  };
  live_.generation = ++generations_;
}

void SimReader::begin(LogSource source) { source_.emplace(source); }

void SimReader::crash() {
  live_.follower.reset();
  live_.condemned = std::make_shared<Condemned>();
  fresh_ = {};  // a left-over on the disk
  source_.reset();
  disk_.crash();
}

bool SimReader::open(Copy& copy) {
  ++counts_.opened;
  auto opened =
      Follower::open(kind_, name_of_copy(copy.generation), *source_, copy.condemned, pace_);
  if (!opened) {
    wrong("cannot be opened: " + opened.error().what);
    return false;
  }
  copy.follower = std::move(*opened);
  compare(copy);
  return true;
}

bool SimReader::step(Copy& copy) {
  if (!copy.follower && !open(copy)) return false;
  ++counts_.steps;
  Follower& follower = *copy.follower;
  const auto place_now = follower.step();
  for (std::uint16_t s = 0; s < shards_; ++s)
    if (follower.visible({s}) > facts_.of({s}).size())
      wrong("shows event " + place({s}, follower.visible({s})) + ", which is not durable");
  if (world_.chance(compare_percent)) compare(copy);
  if (!place_now) {
    trace(world_, "a read model fails: " + place_now.error().what);
    copy.follower.reset();
    return false;
  }
  return *place_now == Follower::Place::at_the_end;
}

void SimReader::turn() {
  if (!calm_ && !world_.chance(eagerness_)) return;
  if (fresh_.generation != 0 && (calm_ || world_.chance(50))) build();
  const bool end = step(live_);
  if (calm_) {
    if (end && poisons_.cured) mend();
    return;
  }
  if (world_.chance(1)) live_.follower.reset();
  if (fresh_.generation == 0 && world_.chance(2)) fresh_.generation = ++generations_;
  if (fresh_.generation != 0 && world_.chance(1)) {
    fresh_.follower.reset();
    disk_.drop(name_of_copy(fresh_.generation));
    fresh_ = {};
  }
  if (world_.chance(1)) mend();
}

void SimReader::build() {
  if (step(fresh_)) finish_rebuild();
}

void SimReader::finish_rebuild() {
  if (!live_.follower && !open(live_)) return;
  const auto compared = compare_at_one_place(*live_.follower, *fresh_.follower, never);
  if (!compared) {  // it is opened again, and gets there again
    fresh_.follower.reset();
    return;
  }
  if (*compared == Comparison::differs) wrong("a rebuilt copy differs from the one before");
  ++counts_.rebuilt;
  trace(world_, "a read model was rebuilt");
  live_.follower.reset();
  disk_.drop(name_of_copy(live_.generation));
  live_ = std::exchange(fresh_, {});
  compare(live_);
}

void SimReader::mend() {
  if (!live_.follower || live_.follower->ledger().stale.empty()) return;
  const auto mended = live_.follower->mend(Follower::Mend::retry, std::nullopt);
  if (!mended) {
    live_.follower.reset();
    return;
  }
  counts_.mended += *mended;
  if (!poisons_.cured && *mended > 0) wrong("an entity was mended whose poison is there still");
  compare(live_);
}

void SimReader::calm_down() {
  calm_ = true;
  if (!world_.chance(50)) return;
  poisons_.cured = true;
  live_.condemned->clear();
  fresh_.condemned->clear();
}

bool SimReader::at_the_end() {
  if (!live_.follower || fresh_.generation != 0) return false;
  for (std::uint16_t s = 0; s < shards_; ++s)
    if (live_.follower->visible({s}) < source_->recent.last_seq({s})) return false;
  return !poisons_.cured || live_.follower->ledger().stale.empty();
}

// ---- judging ----

void SimReader::compare(const Copy& copy) {
  ++counts_.compared;
  const auto content = disk_.newest(name_of_copy(copy.generation));
  Ledger ledger(kind_.version, shards_);
  if (!content.checkpoint.empty()) {
    auto decoded = decode_ledger(content.checkpoint);
    if (!decoded) return wrong(decoded.error().what);
    ledger = std::move(*decoded);
  }
  Pages expected;
  std::map<EntityKey, std::uint64_t> held;
  for (std::uint16_t s = 0; s < shards_; ++s) {
    const auto& facts = facts_.of({s});
    const Seq to = ledger.shards[s].seq;
    if (to > facts.size()) return wrong("is at " + place({s}, to) + ", ahead of the journal");
    if (copy.follower && copy.follower->visible({s}) > to)
      return wrong("promises event " + place({s}, copy.follower->visible({s})) +
                   " to readers, and has not committed it");
    for (Seq seq = 1; seq <= to; ++seq) {
      const auto& [entity, fact] = facts[seq - 1];
      const auto stale = ledger.stale.find(entity);
      if (stale == ledger.stale.end() || seq < stale->second.seq)
        expected[entity].add(fact);
      else if (seq > stale->second.seq)
        ++held[entity];
    }
  }
  for (const auto& [entity, stale] : ledger.stale)
    if (held[entity] != stale.held)
      wrong(entity.text() + " has " + std::to_string(stale.held) + " events held back, not " +
            std::to_string(held[entity]));
  compare_stale(ledger);
  if (content.pages == expected) return;
  for (const auto& [entity, page] : expected) {
    const auto found = content.pages.find(entity);
    const std::uint64_t events = found == content.pages.end() ? 0 : found->second.events;
    if (found == content.pages.end() || found->second != page)
      return wrong(entity.text() + " has " + std::to_string(events) +
                   " events or others, not the " + std::to_string(page.events) + " of the journal");
  }
  wrong("has entities that the journal does not have");
}

/// Exactly the entities with an event that the model cannot take are stale, from the first one on.
void SimReader::compare_stale(const Ledger& ledger) {
  if (poisons_.cured) return;  // what was stale stays so until it is mended
  std::size_t count = 0;
  std::map<EntityKey, Seq> first;
  for (std::uint16_t s = 0; s < shards_; ++s)
    for (Seq seq = 1; seq <= ledger.shards[s].seq; ++seq) {
      const auto& [entity, fact] = facts_.of({s})[seq - 1];
      if (poisons_.of(fact) == Poisons::Kind::none || !first.emplace(entity, seq).second) continue;
      ++count;
      const auto found = ledger.stale.find(entity);
      if (found == ledger.stale.end() || found->second.seq != seq)
        return wrong(entity.text() + " is not stale from its poison at " + place({s}, seq) + " on");
    }
  if (count != ledger.stale.size()) wrong("has stale entities that have no poison");
}

void SimReader::judge(const std::map<std::uint16_t, Seq>& told) {
  if (!live_.follower) return wrong("is not there at the end");
  compare(live_);
  for (const auto& [shard, seq] : told)
    if (live_.follower->visible({shard}) < seq)
      wrong("never shows event " + place({shard}, seq) + ", which a client was told of");
  for (std::uint16_t s = 0; s < shards_; ++s)
    if (live_.follower->visible({s}) != facts_.of({s}).size())
      wrong("ends at " + place({s}, live_.follower->visible({s})) + ", the journal at " +
            std::to_string(facts_.of({s}).size()));
  counts_.stale += live_.follower->ledger().stale.size();
}

}  // namespace souk::simulation
