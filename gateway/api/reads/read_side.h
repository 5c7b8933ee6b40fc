#pragma once
/// From a question to a job for the query workers: which copy of which read model, and when.
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "gateway/api/edge/headers.h"
#include "gateway/api/reads/query_worker.h"
#include "gateway/api/reads/questions.h"
#include "projections/runner/projection_set.h"
#include "projections/sql/sql_door.h"

namespace souk {

/// One request to the read side, as far as it was read.
struct Asked {
  const Question& question;
  const RouteMatch& match;
  QueryValues values = {};
  std::vector<MinPosition> wanted = {};
  AnswerForm form = AnswerForm::json;
};

/// Lifecycle: `stop` ends the SQL that runs; its jobs, and those prepared later, then answer 503.
/// Jobs do not outlive this.
class ReadSide {
 public:
  /// `set` and `log` outlive this. `log`: what `events` of the SQL door shows.
  /// `unfixed`: the currency of figures of a shop in which nothing was sold yet.
  ReadSide(ProjectionSet& set, LogSource log, Currency unfixed);
  /// Makes ready what the first query would wait for; nothing where there are no read models.
  void warm_up() {
    if (!set_.all().empty()) sql_.warm_up();
  }
  /// Thread: any.
  void stop() { sql_.stop(); }

  /// Errors: 404 for a read model or a verb that there is not; 422 for values that do not fit.
  bool prepare(Asked&& asked, QueryJob& job, Problem& problem);

  const ProjectionSet& set() const { return set_; }
  /// The end of the durable log. Thread: any.
  Seq last_seq(ShardId shard) const { return log_.recent.last_seq(shard); }

 private:
  /// Given a copy and its position, the response.
  using Answer = std::function<HttpResponse(const Projection& copy, const std::string& position)>;
  /// Asks the model when it has reached `wanted`.
  void ask(ProjectionRunner& runner, const std::vector<MinPosition>& wanted, Answer answer,
           QueryJob& job) const;
  bool mend(const Asked& asked, QueryJob& job, Problem& problem) const;
  bool of_model(Asked&& asked, QueryJob& job, Problem& problem);
  void ask_sql(ProjectionRunner& runner, Asked&& asked, QueryJob& job);

  ProjectionSet& set_;
  Currency unfixed_;
  LogSource log_;
  SqlDoor sql_;
};

}  // namespace souk
