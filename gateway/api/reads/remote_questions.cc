#include "gateway/api/reads/remote_questions.h"

#include <fmt/format.h>

#include "events/fault_log.h"
#include "gateway/api/edge/response.h"
#include "gateway/api/edge/service.h"

namespace souk {
namespace {

using cluster::NoAnswer;

/// What SQL may give, and around it the rest of the JSON and the head, each with a position of all
/// shards.
static_assert(sql_result_bytes_max + (3u << 20) <= cluster::answer_bytes_max);
constexpr std::size_t encoded_head_bytes_max = 1u << 20;

FaultLog unreadable("what a peer sent of a question cannot be read: is it of another build?");

Problem unavailable(std::string detail) { return {503, "unavailable", std::move(detail), {}}; }

Problem problem_of(NoAnswer why) {
  switch (why) {
    case NoAnswer::none_there:
      return unavailable(
          "this node has no read models, and no node with read models can be reached");
    case NoAnswer::none_can:
      return unavailable(
          "no node with read models can answer now: they start or end, or build their copies");
    case NoAnswer::lost:
      return unavailable(
          "the link to the node with read models was lost, and no other node with read models can "
          "be reached");
    case NoAnswer::overloaded:
      return overloaded();
    case NoAnswer::late:
      return unavailable("it takes too long");
    case NoAnswer::unreadable:
      return unavailable("the answer of another node cannot be read: is it of another build?");
    case NoAnswer::ending:
      return unavailable("this node is about to end");
  }
  return unavailable("no answer came");
}

HttpResponse response_of(Result<std::string, NoAnswer>&& outcome) {
  if (!outcome.ok()) return souk::response_of(problem_of(outcome.error()));
  auto response = decode_answer(std::move(*outcome));
  if (response.ok()) return std::move(*response);
  unreadable.failed(fmt::format("what=\"{}\"", one_line(response.error().what)));
  return souk::response_of(problem_of(NoAnswer::unreadable));
}

std::string bytes_of(const HttpResponse& response) {
  if (response.body.size() + encoded_head_bytes_max <= cluster::answer_bytes_max)
    return encode(response);
  return encode(souk::response_of(
      Problem{422, "query_too_large", "the answer is too large to go from node to node", "limit"}));
}

/// Not of the read models, which stay on their node.
const Question* travels(const Router& router, const PeerQuestion& asked, RouteMatch& match) {
  Problem problem;
  std::string_view allow;
  if (!router.find(HttpMethod::get, asked.target, match, problem, allow)) return nullptr;
  const Question* question = question_of(match.action);
  return question && !question->model.empty() ? question : nullptr;
}

}  // namespace

void RemoteQuestions::ask(QueryClient& client, std::uint64_t ticket, const PeerQuestion& question,
                          std::string_view cache_control) {
  relay_.ask(encode(question),
             [&client, ticket, cache_control](Result<std::string, NoAnswer> outcome) {
               std::vector<QueryDone> done;
               done.push_back({ticket, response_of(std::move(outcome))});
               done.back().response.cache_control = cache_control;
               client.query_done(std::move(done));
             });
}

void QuestionsOfPeers::ask(std::string_view bytes, cluster::AnswerDone done) {
  if (common_.draining() || common_.read_side().set().all().empty()) return done(std::nullopt);
  auto asked = decode_question(bytes);
  RouteMatch match;
  const Question* question = asked.ok() ? travels(common_.router(), *asked, match) : nullptr;
  if (!question) {
    unreadable.failed(fmt::format(
        "what=\"{}\"", asked.ok() ? "no question of this version" : one_line(asked.error().what)));
    return done(std::nullopt);
  }
  Problem problem;
  Asked here{.question = *question, .match = match, .wanted = asked->wanted, .form = asked->form};
  QueryJob job;
  for (const MinPosition& one : here.wanted)
    if (one.shard.value >= common_.engine().shards())
      problem = invalid_request("Souk-Min-Position", "names a shard that there is not");
  if (problem.status == 0 && read_question(*question, match, here.values, problem) &&
      common_.read_side().prepare(std::move(here), job, problem) &&
      !common_.queries(job.lane).admit())
    problem = too_many_queries();
  if (problem.status != 0) return done(bytes_of(souk::response_of(problem)));
  {
    const std::lock_guard lock(mutex_);
    job.ticket = ++tickets_;
    waiting_[job.ticket] = std::move(done);
  }
  const QueryLane lane = job.lane;
  std::vector<QueryJob> jobs;
  jobs.push_back(std::move(job));
  common_.queries(lane).enqueue(*this, std::move(jobs));
}

void QuestionsOfPeers::query_done(std::vector<QueryDone>&& done) {
  for (QueryDone& one : done) {
    cluster::AnswerDone tell;
    {
      const std::lock_guard lock(mutex_);
      const auto found = waiting_.find(one.ticket);
      tell = std::move(found->second);
      waiting_.erase(found);
    }
    // A copy that is not built yet, or SQL that the end of this node cuts off: another may answer.
    const bool cannot = one.response.status == 503;
    tell(cannot ? std::nullopt : std::optional(bytes_of(one.response)));
  }
}

}  // namespace souk
