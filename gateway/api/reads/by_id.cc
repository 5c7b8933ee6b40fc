/// What is asked without changing anything: documents by id, and the provider's records.
#include <algorithm>
#include <charconv>

#include "events/utf8.h"
#include "gateway/api/edge/limits.h"
#include "gateway/api/edge/service.h"

namespace souk {
namespace {

/// A path's parameter is UTF-8 once decoded, or names nothing.
bool take_parameter(const Field& field, std::string_view value, FieldSet& out, Problem& problem) {
  if (utf8_valid(value)) return take_text(field, value, out, problem);
  problem = invalid_request(std::string(field.name), "is not UTF-8");
  return false;
}

/// The fields that stand in the paths of reads, from the commands that have them too.
std::span<const Field> path_fields_of(Action action) {
  switch (action) {
    case Action::get_product:
    case Action::get_stock:
      return shape_of(Action::delist_product).fields;
    case Action::get_user:
    case Action::get_user_orders:
      return shape_of(Action::erase_user).fields;
    case Action::get_cart:
      return shape_of(Action::remove_item).fields;
    default:
      return shape_of(Action::cancel_order).fields;
  }
}

}  // namespace

bool Api::read_path(Visit& visit, std::span<const Field> fields) {
  input_.clear();
  for (std::size_t i = 0; i < visit.match.in_path_count; ++i) {
    const auto& parameter = visit.match.in_path[i];
    const auto* field = find_field(fields, parameter.name);
    SOUK_ASSERT(field != nullptr);
    if (!take_parameter(*field, parameter.value, input_.fields, visit.problem)) return false;
  }
  return true;
}

bool Api::page_of(Visit& visit, GetUserOrders& query) {
  auto& problem = visit.problem;
  std::vector<QueryParameter> parameters;
  if (!parse_query(visit.match.query, parameters, problem)) return false;
  query.limit = limits::user_orders_page_default;
  for (const auto& [name, value] : parameters) {
    if (name == "limit") {
      const auto [end, error] =
          std::from_chars(value.data(), value.data() + value.size(), query.limit);
      if (error != std::errc{} || end != value.data() + value.size() || query.limit < 1 ||
          query.limit > limits::user_orders_page_max) {
        problem =
            invalid_request(name, "must be 1 to " + std::to_string(limits::user_orders_page_max));
        return false;
      }
    } else if (name == "cursor") {
      query.before = OrderId::parse(value);
      if (!query.before) {
        problem = invalid_request(name, "must be `next` of the page before");
        return false;
      }
    } else {
      problem = invalid_request(name, "is not a parameter of this request");
      return false;
    }
  }
  return true;
}

bool Api::make_query(Visit& visit, Op& op) {
  const auto& fields = input_.fields;
  const auto sku = [&] { return Sku::trusted(fields.at(FieldId::sku).text); };
  const auto on_a_shard = [&](ShardId shard) {
    if (shard.value < builder_.shards()) return true;
    visit.problem = not_found("there is nothing with this id");
    return false;
  };
  switch (visit.match.action) {
    case Action::get_product:
      op = GetProduct{sku()};
      return no_query(visit.match, visit.problem);
    case Action::get_stock:
      op = GetStock{sku()};
      return no_query(visit.match, visit.problem);
    case Action::get_user:
      op = GetUser{fields.user};
      return on_a_shard(fields.user.shard()) && no_query(visit.match, visit.problem);
    case Action::get_cart:
      op = GetCart{fields.cart};
      return on_a_shard(fields.cart.shard()) && no_query(visit.match, visit.problem);
    case Action::get_user_orders: {
      GetUserOrders query{fields.user, std::nullopt};
      if (!on_a_shard(fields.user.shard()) || !page_of(visit, query)) return false;
      op = query;
      return true;
    }
    default:
      op = GetOrder{fields.order};
      return on_a_shard(fields.order.shard()) && no_query(visit.match, visit.problem);
  }
}

bool Api::positions_of(Visit& visit, std::vector<MinPosition>& wanted) {
  if (!visit.request.has_min_position ||
      read_min_position(visit.request.souk_min_position, builder_.shards(), wanted))
    return true;
  visit.problem =
      invalid_request("Souk-Min-Position", "must be one or more of shard:seq with commas");
  return false;
}

/// Souk-Read-Level. `local` is what happens without it: a document that its owner keeps is as good.
bool Api::read_level(Visit& visit, Request& request) {
  if (!visit.request.has_read_level) return true;
  const std::string_view level = visit.request.souk_read_level;
  if (level == "standby") request.level = ReadLevel::standby;
  if (level == "standby" || level == "barrier" || level == "local") return true;
  visit.problem = invalid_request("Souk-Read-Level", "must be local, barrier or standby");
  return false;
}

bool Api::wait_for_position(Visit& visit, Request& request) {
  std::vector<MinPosition> wanted;
  if (!positions_of(visit, wanted)) return false;
  const auto shard = shard_of(target_of(request.op), builder_.shards());
  for (const auto& position : wanted)
    if (position.shard == shard) request.min_seq = std::max(request.min_seq, position.seq);
  return true;
}

bool Api::read(Visit& visit) {
  PreparedCommand prepared;
  auto& request = prepared.request;
  if (!read_path(visit, path_fields_of(visit.match.action)) || !make_query(visit, request.op))
    return false;
  if (!wait_for_position(visit, request) || !read_level(visit, request)) return false;
  Ticket ticket;
  ticket.action = visit.match.action;
  ticket.started_ns = visit.started_ns;
  ticket.exchange = visit.exchange;
  ticket.if_none_match = visit.request.if_none_match;
  ticket.document_key = Views::key_of(visit.request.target);
  ticket.encoding = wanted_encoding(visit.request.accept_encoding);
  std::uint64_t number = 0;
  if (!take_ticket(std::move(ticket), number, visit.problem)) return false;
  hand_over(number, std::move(prepared));
  return true;
}

bool Api::question(Visit& visit, const Question& question) {
  Asked asked{.question = question, .match = visit.match};
  asked.form = answer_form_of(visit.request.accept);
  QueryJob job;
  if (!read_question(question, visit.match, asked.values, visit.problem) ||
      !positions_of(visit, asked.wanted))
    return false;
  if (common_.options().elsewhere && !question.model.empty()) return ask_elsewhere(visit, asked);
  if (!common_.read_side().prepare(std::move(asked), job, visit.problem)) return false;
  job.cache_control = cache_control_of(question);
  Ticket ticket;
  ticket.action = visit.match.action;
  ticket.started_ns = visit.started_ns;
  ticket.exchange = visit.exchange;
  if (!take_ticket(std::move(ticket), job.ticket, visit.problem)) return false;
  if (!common_.queries(job.lane).admit()) {
    tickets_.give_back(job.ticket);
    common_.metrics().ticket_freed();
    visit.problem = too_many_queries();
    return false;
  }
  questions_[static_cast<std::size_t>(job.lane)].push_back(std::move(job));
  return true;
}

/// The other node reads it anew; what a client gets wrong was answered here, though.
bool Api::ask_elsewhere(Visit& visit, const Asked& asked) {
  Ticket ticket;
  ticket.action = visit.match.action;
  ticket.started_ns = visit.started_ns;
  ticket.exchange = visit.exchange;
  std::uint64_t number = 0;
  if (!take_ticket(std::move(ticket), number, visit.problem)) return false;
  const auto [path, query] = split_target(visit.request.target);
  PeerQuestion question{.target = std::string(path), .wanted = asked.wanted, .form = asked.form};
  if (!query.empty()) question.target += "?" + std::string(query);
  common_.options().elsewhere->ask(*this, number, question, cache_control_of(asked.question));
  return true;
}

bool Api::payment(Visit& visit) {
  if (!read_path(visit, path_fields_of(visit.match.action)) ||
      !no_query(visit.match, visit.problem))
    return false;
  if (input_.fields.order.shard().value >= builder_.shards()) {
    visit.problem = not_found("there is nothing with this id");
    return false;
  }
  PreparedCommand order;
  order.request.op = GetOrder{input_.fields.order};
  order.request.wants = Wants::minimal;
  if (!wait_for_position(visit, order.request)) return false;
  Ticket ticket;
  ticket.action = visit.match.action;
  ticket.started_ns = visit.started_ns;
  ticket.exchange = visit.exchange;
  const bool waits = order.request.min_seq > 0;
  if (waits) ticket.record_next = input_.fields.order;
  std::uint64_t number = 0;
  if (!take_ticket(std::move(ticket), number, visit.problem)) return false;
  if (waits)
    hand_over(number, std::move(order));
  else
    jobs_.emplace_back(RecordJob{number, input_.fields.order});
  return true;
}

}  // namespace souk
