// What operators ask and want of the cluster. Commands are answered by the cluster's thread.
#include <charconv>

#include "events/json_writer.h"
#include "gateway/api/cluster/cluster_documents.h"
#include "gateway/api/cluster/operator_commands.h"
#include "gateway/api/edge/headers.h"
#include "gateway/api/edge/response.h"
#include "gateway/api/edge/service.h"

namespace souk {
namespace {

using cluster::ClusterView;
using View = std::shared_ptr<const ClusterView>;

constexpr std::string_view nobody_keeps = "private, no-store";

HttpResponse json_response(std::string body) {
  HttpResponse response;
  response.body = std::move(body);
  return response;
}

HttpResponse outcome_response(const cluster::OperatorCommand& command,
                              const Result<Done, cluster::Refused>& outcome) {
  if (!outcome.ok()) return response_of(problem_of(outcome.error()));
  HttpResponse response;
  JsonObject out(response.body);
  out.text("outcome", "done");
  out.text("command", words_of(command));
  out.text("who", command.who);
  out.end();
  return response;
}

HttpResponse plan_response(const ClusterView& view, const cluster::OperatorCommand& command) {
  // Every node follows the log of every shard: a copy has nothing to carry.
  const cluster::MoveFigures figures{.bytes_of = [](ShardId) { return std::uint64_t{0}; },
                                     .hand_over_pause_ms = view.hand_over_ms};
  const auto moves = cluster::preview(view.state, command, view.heard, figures, view.cluster.now);
  if (!moves.ok()) return response_of(problem_of(moves.error()));
  return json_response(plan_json(view, command, *moves));
}

}  // namespace

bool Api::cluster_command(Visit& visit, const ClusterView& view,
                          cluster::OperatorCommand& command) {
  if (visit.match.action == Action::cluster_cancel) {
    std::vector<QueryParameter> parameters;
    if (!parse_query(visit.match.query, parameters, visit.problem)) return false;
    input_.clear();
    const Field* who = find_field(operator_shape().fields, "who");
    for (const auto& [name, value] : parameters) {
      if (name != who->name) {
        visit.problem = invalid_request(name, "is not a parameter of this request");
        return false;
      }
      if (!take_text(*who, value, input_.fields, visit.problem)) return false;
    }
    if (!input_.fields.has(FieldId::who)) {
      visit.problem = invalid_request("who", "must be given");
      return false;
    }
    const std::string_view text = visit.match.in_path[0].value;
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size() || number < 1) {
      visit.problem = not_found("a move has a number, as /v1/cluster/moves shows it");
      return false;
    }
    input_.fields.set(FieldId::command, {"cancel", 0});
    input_.fields.set(FieldId::number, {{}, number});
    return read_operator_command(input_.fields, view, command, visit.problem);
  }
  if (!no_query(visit.match, visit.problem)) return false;
  const auto type = media_type_of(visit.request);
  if (type != MediaType::json && type != MediaType::none) {
    visit.problem = unsupported_media_type("application/json");
    return false;
  }
  input_.clear();
  return reader_.read_body(operator_shape(), visit.request.body, input_, visit.problem) &&
         read_operator_command(input_.fields, view, command, visit.problem);
}

/// The documents: written by the workers of queries, since those of many shards take a while.
bool Api::cluster_question(Visit& visit, View view, QueryJob& job) {
  QueryValues values;
  if (!read_question(*question_of(visit.match.action), visit.match, values, visit.problem))
    return false;
  const std::string node = values.text("node");
  if (values.has("node") && !node_exists(node, *view, visit.problem)) return false;
  const std::int64_t shard = values.count("shard", -1);
  if (shard >= 0 && !shard_exists(shard, *view, visit.problem)) return false;
  const auto history = static_cast<std::size_t>(values.count("history", 0));
  const auto& erasures = common_.options().erasures;
  job.answer = [action = visit.match.action, view = std::move(view), node, shard, history,
                &erasures, &common = common_](bool) {
    switch (action) {
      case Action::cluster_nodes:
        return json_response(nodes_json(*view));
      case Action::cluster_shards:
        return json_response(shard >= 0 ? shard_json(*view, {static_cast<std::uint16_t>(shard)})
                                        : shards_json(*view, node));
      case Action::cluster_moves:
        return json_response(moves_json(*view, history));
      case Action::cluster_erasures:
        return json_response(erasures_json(erasures ? erasures() : std::vector<ErasureUnderWay>{}));
      default:
        return json_response(cluster_json(*view, common.integration()));
    }
  };
  return true;
}

bool Api::of_cluster(Visit& visit) {
  auto* port = common_.options().operators;
  if (port == nullptr) {
    visit.problem = not_found(
        "this node is alone: there is no cluster. One is made with souk cluster init, and nodes "
        "join it with soukd --kafka BROKERS --node NAME");
    return false;
  }
  View view = port->view();
  QueryJob job;
  cluster::OperatorCommand command;
  const Action action = visit.match.action;
  const bool asks = question_of(action) != nullptr;
  if (asks ? !cluster_question(visit, view, job) : !cluster_command(visit, *view, command))
    return false;
  Ticket ticket;
  ticket.action = action;
  ticket.started_ns = visit.started_ns;
  ticket.exchange = visit.exchange;
  std::uint64_t number = 0;
  if (!take_ticket(std::move(ticket), number, visit.problem)) return false;
  if (asks || action == Action::cluster_plan) {
    if (!asks) job.answer = [view, command](bool) { return plan_response(*view, command); };
    job.ticket = number;
    job.cache_control = nobody_keeps;
    // Bounded by the tickets: this lane has no other limit.
    SOUK_ASSERT(common_.queries(QueryLane::quick).admit());
    questions_[static_cast<std::size_t>(QueryLane::quick)].push_back(std::move(job));
    return true;
  }
  port->command(command, [this, number, command](Result<Done, cluster::Refused> outcome) {
    std::vector<QueryDone> done;
    done.push_back({number, outcome_response(command, outcome)});
    done.back().response.cache_control = nobody_keeps;
    query_done(std::move(done));
  });
  return true;
}

}  // namespace souk
