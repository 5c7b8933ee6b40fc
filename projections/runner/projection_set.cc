#include "projections/runner/projection_set.h"

namespace souk {

ProjectionSet::ProjectionSet(std::vector<ProjectionKind> kinds, const std::filesystem::path& folder,
                             LogSource source) {
  for (auto& kind : kinds) {
    const auto own = folder / kind.name;
    runners_.push_back(std::make_unique<ProjectionRunner>(std::move(kind), own, source));
  }
}

Status ProjectionSet::open() {
  for (const auto& runner : runners_)
    if (auto opened = runner->open(); !opened.ok()) return opened;
  return Done{};
}

void ProjectionSet::start() {
  for (const auto& runner : runners_) runner->start();
}

void ProjectionSet::stop() {
  for (const auto& runner : runners_) runner->stop();
}

std::vector<ProjectionStatus> ProjectionSet::statuses() const {
  std::vector<ProjectionStatus> all;
  for (const auto& runner : runners_) all.push_back(runner->status());
  return all;
}

ProjectionRunner* ProjectionSet::find(std::string_view name) const {
  for (const auto& runner : runners_)
    if (runner->name() == name) return runner.get();
  return nullptr;
}

}  // namespace souk
