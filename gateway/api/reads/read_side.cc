#include "gateway/api/reads/read_side.h"

#include "gateway/api/edge/response.h"
#include "gateway/api/edge/text.h"
#include "gateway/api/reads/answers.h"

namespace souk {
namespace {

constexpr std::chrono::milliseconds position_patience{2'000};
/// For a turn at the SQL door.
constexpr std::chrono::milliseconds turn_patience{1'000};

std::optional<EntityKey> parse_entity(std::string_view text) {
  const auto space = text.find(' ');
  if (space == std::string_view::npos) return std::nullopt;
  const auto kind = text.substr(0, space);
  const auto id = text.substr(space + 1);
  if (kind == "sku")
    if (const auto sku = Sku::parse(id)) return EntityKey(*sku);
  if (kind == "cart")
    if (const auto cart = CartId::parse(id)) return EntityKey(*cart);
  if (kind == "order")
    if (const auto order = OrderId::parse(id)) return EntityKey(*order);
  if (kind == "user")
    if (const auto user = UserId::parse(id)) return EntityKey(*user);
  return std::nullopt;
}

HttpResponse not_yet(const ProjectionRunner& runner) {
  const char* why = runner.status().fault.empty() ? ": its first copy is still being built"
                                                  : ": it cannot be opened; the operators see why";
  auto response = response_of(Problem{503, "unavailable", runner.name() + why, {}});
  response.retry_after_s = 1;
  return response;
}

HttpResponse answer_of(const ProjectionRunner::Answer& answer) {
  if (!answer.ok()) return response_of(Problem{409, "illegal_state", answer.error().what, {}});
  HttpResponse response;
  JsonObject out(response.body);
  out.text("outcome", *answer);
  out.end();
  return response;
}

}  // namespace

ReadSide::ReadSide(ProjectionSet& set, LogSource log, Currency unfixed)
    : set_(set),
      unfixed_(unfixed),
      log_(log),
      sql_(log.journal, log.recent.shards(),
           [recent = &log.recent](ShardId s) { return recent->last_seq(s); }) {}

void ReadSide::ask(ProjectionRunner& runner, const std::vector<MinPosition>& wanted, Answer answer,
                   QueryJob& job) const {
  // A daemon that has just begun opens its copies, or builds them from a short log.
  if (!wanted.empty() || !runner.model()) {
    std::vector<std::pair<ShardId, Seq>> positions;
    for (const auto& one : wanted) positions.emplace_back(one.shard, one.seq);
    job.ready = [&runner, positions] { return runner.reached(positions); };
    job.give_up = std::chrono::steady_clock::now() + position_patience;
  }
  job.answer = [&runner, answer = std::move(answer)](bool ready) {
    // Taken before the model: it then shows at least this.
    const auto position = position_text(runner.status().positions);
    const auto model = runner.model();
    if (!model) return not_yet(runner);
    if (!ready)
      return response_of(
          Problem{504, "position_not_reached", "the read model did not get there within 2 s", {}});
    auto response = answer(*model, position);
    if (response.status == 200) response.position = position;
    return response;
  };
}

bool ReadSide::mend(const Asked& asked, QueryJob& job, Problem& problem) const {
  ProjectionRunner* runner = set_.find(asked.match.in_path[0].value);
  if (!runner) {
    problem = not_found(set_.all().empty() ? "this node has no read models: ask one that has, as "
                                             "/v1/cluster/nodes shows"
                                           : "there is no read model of this name");
    return false;
  }
  std::optional<EntityKey> entity;
  if (asked.values.has("entity")) {
    entity = parse_entity(asked.values.text("entity"));
    if (!entity) {
      problem = invalid_request("entity", "must be sku, cart, order or user, a space, and its id");
      return false;
    }
  }
  const auto verb = asked.match.in_path[1].value;
  std::function<ProjectionRunner::Answer()> act;
  if (verb == "pause") act = [runner] { return runner->pause(); };
  if (verb == "resume") act = [runner] { return runner->resume(); };
  if (verb == "rebuild") act = [runner] { return runner->rebuild(); };
  if (verb == "cancel") act = [runner] { return runner->cancel_rebuild(); };
  if (verb == "retry")
    act = [runner, entity] { return runner->mend(Follower::Mend::retry, entity); };
  if (verb == "skip") act = [runner, entity] { return runner->mend(Follower::Mend::skip, entity); };
  if (!act) {
    problem = not_found("the verbs are pause, resume, rebuild, cancel, retry and skip");
    return false;
  }
  job.lane = QueryLane::mend;
  job.answer = [act = std::move(act)](bool) { return answer_of(act()); };
  return true;
}

/// Waits for the position, and then for a turn at the door.
void ReadSide::ask_sql(ProjectionRunner& runner, Asked&& asked, QueryJob& job) {
  job.lane = QueryLane::sql;
  const auto turn = std::make_shared<std::optional<SqlDoor::Turn>>();
  ask(
      runner, asked.wanted,
      [this, turn, values = std::move(asked.values), form = asked.form](
          const Projection& copy, const std::string& position) {
        if (!turn->has_value())
          return response_of(Problem{
              429, "too_many_requests", "other queries are running; try again in a moment", {}});
        auto response = answer_sql(copy, values, sql_, **turn, form, position);
        turn->reset();
        return response;
      },
      job);
  const auto position =
      std::make_shared<std::function<bool()>>(std::move(job.ready));  // none: there
  if (!*position) job.give_up = std::chrono::steady_clock::now() + turn_patience;
  job.ready = [this, &runner, turn, position] {
    if (*position && !(*position)()) return false;
    *position = nullptr;
    const auto model = runner.model();
    if (!model) return true;  // gone again: the answer says so
    if (auto free = sql_.enter(sql_database(*model))) turn->emplace(std::move(*free));
    return turn->has_value();
  };
  job.answer = [position, answer = std::move(job.answer)](bool) { return answer(!*position); };
}

bool ReadSide::of_model(Asked&& asked, QueryJob& job, Problem& problem) {
  const auto& question = asked.question;
  ProjectionRunner* runner = set_.find(question.model);
  if (!runner) {
    problem = not_found("this node has no read model " + std::string(question.model));
    return false;
  }
  if (question.action == Action::sql) {
    ask_sql(*runner, std::move(asked), job);
    return true;
  }
  const auto wanted = std::move(asked.wanted);
  ask(
      *runner, wanted,
      [&question, unfixed = unfixed_, values = std::move(asked.values)](
          const Projection& copy, const std::string& position) {
        HttpResponse response;
        JsonObject out(response.body);
        if (auto no = souk::answer(question, copy, values, unfixed, out)) return std::move(*no);
        out.text("position", position);
        out.end();
        return response;
      },
      job);
  return true;
}

bool ReadSide::prepare(Asked&& asked, QueryJob& job, Problem& problem) {
  const auto action = asked.question.action;
  if (action == Action::mend_projection) return mend(asked, job, problem);
  if (!asked.question.model.empty()) return of_model(std::move(asked), job, problem);
  job.answer = [this, action](bool) {
    HttpResponse response;
    response.body = action == Action::sql_tables ? sql_tables_json() : projections_json(set_);
    return response;
  };
  return true;
}

}  // namespace souk
