#pragma once
/// From a question to a job for the query workers, and from a read model's answer to JSON.
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "gateway/api/edge/headers.h"
#include "gateway/api/reads/query_worker.h"
#include "gateway/api/reads/questions.h"
#include "projections/runner/projection_set.h"

namespace souk {

/// One request to the read side, as far as it was read.
struct Asked {
  const Question& question;
  const RouteMatch& match;
  QueryValues values = {};
  std::vector<MinPosition> wanted = {};
  AnswerForm form = AnswerForm::json;
};

class ReadSide {
 public:
  /// `set` and `log` outlive this. `log`: what `events` of the SQL door shows.
  ReadSide(ProjectionSet& set, LogSource log) : set_(set), log_(log) {}

  /// Errors: 404 for a read model or a verb that there is not; 422 for values that do not fit.
  bool prepare(Asked&& asked, QueryJob& job, Problem& problem) const;

  const ProjectionSet& set() const { return set_; }
  /// The end of the durable log. Thread: any.
  Seq last_seq(ShardId shard) const { return log_.recent.last_seq(shard); }

 private:
  using Answer = std::function<HttpResponse(const std::shared_ptr<Projection>&)>;
  /// Asks the model of that name when it has reached `wanted`.
  void ask(ProjectionRunner& runner, const std::vector<MinPosition>& wanted, Answer answer,
           QueryJob& job) const;
  bool mend(const Asked& asked, QueryJob& job, Problem& problem) const;
  bool of_model(Asked&& asked, QueryJob& job, Problem& problem) const;

  ProjectionSet& set_;
  LogSource log_;
};

// api_search.cc, api_analytics.cc, api_sql.cc, api_projections.cc.
HttpResponse answer_search(Action action, const Projection& model, const QueryValues& values);
HttpResponse answer_analytics(Action action, const Projection& model, const QueryValues& values);
/// Errors: 422 invalid_sql, forbidden_sql, query_too_long, query_too_large; 429; 503.
HttpResponse answer_sql(const Projection& model, const QueryValues& values, LogSource log,
                        AnswerForm form);
/// The tables of the SQL door, their columns, and what these mean.
std::string sql_tables_json();
std::string projections_json(const ProjectionSet& set);

/// `0:17,5:3`: all shards that have events.
std::string position_text(const std::vector<Seq>& positions);

}  // namespace souk
