#pragma once
/// From a question to a job for the query workers, and from a read model's answer to JSON.
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "gateway/api_headers.h"
#include "gateway/api_query_worker.h"
#include "gateway/api_questions.h"
#include "projections/runner/projection_set.h"

namespace souk {

class ReadSide {
 public:
  /// `set` outlives this.
  explicit ReadSide(ProjectionSet& set) : set_(set) {}

  /// Errors: 404 for a read model or a verb that there is not; 422 for values that do not fit.
  bool prepare(const Question& question, const RouteMatch& match, QueryValues&& values,
               const std::vector<MinPosition>& wanted, QueryJob& job, Problem& problem) const;

  const ProjectionSet& set() const { return set_; }

 private:
  using Answer = std::function<HttpResponse(const std::shared_ptr<Projection>&)>;
  /// Asks the model of that name when it has reached `wanted`.
  void ask(ProjectionRunner& runner, const std::vector<MinPosition>& wanted, Answer answer,
           QueryJob& job) const;
  bool mend(const RouteMatch& match, const QueryValues& values, QueryJob& job,
            Problem& problem) const;

  ProjectionSet& set_;
};

// One for each read model: api_search.cc, api_analytics.cc, api_projections.cc.
HttpResponse answer_search(Action action, const Projection& model, const QueryValues& values);
HttpResponse answer_analytics(Action action, const Projection& model, const QueryValues& values);
std::string projections_json(const ProjectionSet& set);

/// `0:17,5:3`: all shards that have events.
std::string position_text(const std::vector<Seq>& positions);

}  // namespace souk
