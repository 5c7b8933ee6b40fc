#pragma once
/// All read models of a node.
#include <memory>
#include <vector>

#include "projections/runner/runner.h"

namespace souk {

class ProjectionSet {
 public:
  /// `folder`: each model's folder is made in it.
  ProjectionSet(std::vector<ProjectionKind> kinds, const std::filesystem::path& folder,
                LogSource source);
  /// Opens the copies that answer. Errors: mismatch: a model knows what the log does not have.
  Status open();
  void start();
  void stop();

  const std::vector<std::unique_ptr<ProjectionRunner>>& all() const { return runners_; }
  /// How each of them stands. Thread: any.
  std::vector<ProjectionStatus> statuses() const;
  /// Null: there is none of that name.
  ProjectionRunner* find(std::string_view name) const;

 private:
  std::vector<std::unique_ptr<ProjectionRunner>> runners_;
};

}  // namespace souk
