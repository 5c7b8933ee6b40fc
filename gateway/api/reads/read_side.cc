#include "gateway/api/reads/read_side.h"

#include "gateway/api/edge/response.h"
#include "gateway/api/edge/text.h"

namespace souk {
namespace {

constexpr std::chrono::milliseconds position_patience{2'000};

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
  response.body = "{\"outcome\":";
  append_json_string(response.body, *answer);
  response.body += "}";
  return response;
}

}  // namespace

std::string position_text(const std::vector<Seq>& positions) {
  std::string text;
  for (std::uint16_t s = 0; s < positions.size(); ++s) {
    if (positions[s] == 0) continue;
    if (!text.empty()) text += ',';
    text += position_text(ShardId{s}, positions[s]);
  }
  return text;
}

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
    const auto positions = runner.status().positions;
    const auto model = runner.model();
    if (!model) return not_yet(runner);
    if (!ready)
      return response_of(
          Problem{504, "position_not_reached", "the read model did not get there within 2 s", {}});
    auto response = answer(model);
    if (response.status != 200) return response;
    response.position = position_text(positions);
    if (response.content_type != HttpResponse{}.content_type) return response;
    response.body.pop_back();  // the closing brace
    response.body += ",\"position\":";
    append_json_string(response.body, response.position);
    response.body += '}';
    return response;
  };
}

bool ReadSide::mend(const Asked& asked, QueryJob& job, Problem& problem) const {
  ProjectionRunner* runner = set_.find(asked.match.in_path[0].value);
  if (!runner) {
    problem = not_found("there is no read model of this name");
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

bool ReadSide::of_model(Asked&& asked, QueryJob& job, Problem& problem) const {
  const auto& question = asked.question;
  ProjectionRunner* runner = set_.find(question.model);
  if (!runner) {
    problem = not_found(std::string(question.model) + " is switched off in this daemon");
    return false;
  }
  const auto wanted = std::move(asked.wanted);
  if (question.action == Action::sql) {
    job.lane = QueryLane::sql;
    ask(
        *runner, wanted,
        [values = std::move(asked.values), log = log_,
         form = asked.form](const std::shared_ptr<Projection>& model) {
          return answer_sql(*model, values, log, form);
        },
        job);
    return true;
  }
  const auto answer = question.model == "search" ? answer_search : answer_analytics;
  ask(
      *runner, wanted,
      [answer, action = question.action, values = std::move(asked.values)](
          const std::shared_ptr<Projection>& model) { return answer(action, *model, values); },
      job);
  return true;
}

bool ReadSide::prepare(Asked&& asked, QueryJob& job, Problem& problem) const {
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
