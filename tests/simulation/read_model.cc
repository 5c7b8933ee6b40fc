#include "tests/simulation/read_model.h"

#include <stdexcept>

namespace souk::simulation {
namespace {

/// A crash takes back fewer commits than this.
constexpr std::size_t unsynced_commits_max = 4;

std::uint64_t mix(std::uint64_t a, std::uint64_t b) {
  std::uint64_t x = a ^ (b + 0x9E3779B97F4A7C15ull + (a << 6) + (a >> 2));
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ull;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBull;
  return x ^ (x >> 31);
}

}  // namespace

void Page::add(std::uint64_t fact) {
  ++events;
  digest = mix(digest, fact);
}

std::uint64_t fact_of(ShardId shard, Seq seq, const Event& event) {
  return mix(mix(shard.value, seq), mix(event.payload.index(), stable_hash(event.entity.text())));
}

const std::vector<Facts::Fact>& Facts::of(ShardId shard) {
  Read& read = shards_[shard.value];
  const auto& records = journal_.records();
  for (auto at = records.lower_bound({shard.value, read.next});
       at != records.end() && at->first.first == shard.value; ++at) {
    read.next = at->first.second + 1;
    if (!read.counting.counts(at->second)) continue;
    const auto batch = decode_batch(at->second);
    if (!batch.ok()) continue;
    for (const Transaction& t : batch->transactions)
      for (const Event& event : t.events)
        read.facts.push_back({event.entity, fact_of(shard, read.facts.size() + 1, event)});
  }
  return read.facts;
}

Poisons::Kind Poisons::of(std::uint64_t fact) const {
  const std::uint64_t drawn = mix(salt, fact);
  if (cured || drawn % 1'000 >= per_mille) return Kind::none;
  return (drawn >> 32) % 2 == 0 ? Kind::poison : Kind::throws;
}

SimModelDisk::Content SimModelDisk::newest(const std::string& folder) const {
  const auto found = copies_.find(folder);
  return found == copies_.end() ? Content{} : found->second.back();
}

Status SimModelDisk::commit(const std::string& folder, Content&& content) {
  const bool fails = world_.chance(world_.faults.commit_fails);
  if (fails && world_.chance(50)) return Fault{Fault::Kind::full, "no room for the read model"};
  auto& commits = copies_.try_emplace(folder, 1).first->second;
  commits.push_back(std::move(content));
  if (commits.size() > unsynced_commits_max) commits.pop_front();
  if (fails) return Fault{Fault::Kind::unavailable, "the read model's disk failed"};
  return Done{};
}

void SimModelDisk::crash() {
  for (auto& [folder, commits] : copies_) {
    const std::string checkpoint = commits.back().checkpoint;
    commits.resize(1 + world_.below(commits.size()));
    if (commits_ == Commits::torn) commits.back().checkpoint = checkpoint;
    commits.erase(commits.begin(), std::prev(commits.end()));
  }
}

std::string SimModelDisk::fingerprint() const {
  std::string all;
  for (const auto& [folder, commits] : copies_) {
    all += folder + commits.back().checkpoint;
    for (const auto& [entity, page] : commits.back().pages) all += std::to_string(page.digest);
  }
  return all;
}

SimModel::SimModel(SimModelDisk& disk, const Poisons& poisons, std::string folder)
    : disk_(disk), poisons_(poisons), folder_(std::move(folder)), content_(disk.newest(folder_)) {}

Result<Done, Poison> SimModel::apply(const EventAt& at) {
  const std::uint64_t fact = fact_of(at.shard, at.seq, at.event());
  const auto kind = poisons_.of(fact);
  if (kind == Poisons::Kind::poison) return Poison{"poison"};
  content_.pages[at.event().entity].add(fact);
  if (kind == Poisons::Kind::throws) throw std::runtime_error("it throws");
  return Done{};
}

Status SimModel::commit(std::string_view checkpoint) {
  content_.checkpoint = checkpoint;
  return disk_.commit(folder_, SimModelDisk::Content(content_));
}

Result<std::uint64_t, Fault> SimModel::digest() {
  std::uint64_t all = 0;
  for (const auto& [entity, page] : content_.pages)
    all += mix(stable_hash(entity.text()), page.digest);
  return all;
}

}  // namespace souk::simulation
