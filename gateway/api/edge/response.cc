#include "gateway/api/edge/response.h"

#include "events/json_writer.h"
#include "gateway/api/edge/text.h"

namespace souk {
namespace {

std::string location_of(const EntityKey& entity) {
  const auto raw = Id128::from_bytes(entity.id());
  if (!raw) return {};
  switch (entity.kind()) {
    case Kind::user:
      return "/v1/users/" + UserId{*raw}.text();
    case Kind::cart:
      return "/v1/carts/" + CartId{*raw}.text();
    case Kind::order:
      return "/v1/orders/" + OrderId{*raw}.text();
    default:
      return {};
  }
}

Problem problem_of(const Ticket& ticket, const Reply& reply) {
  if (ticket.creates_nothing && reply.code == ReplyCode::version_mismatch)
    return invalid_request("sku", "must not begin or end with a blank, in a new product");
  return problem_of(reply);
}

/// A version or a position of nothing is not shown.
void add_position(std::string& position, const Reply& reply) {
  if (reply.seq != 0) position = position_text(reply.shard, reply.seq);
}

}  // namespace

HttpResponse response_of(const Problem& problem) {
  HttpResponse response;
  response.status = problem.status;
  response.content_type = problem_content_type;
  response.body = problem_json(problem);
  response.retry_after_s = retry_after_s(problem.status);
  return response;
}

bool is_not_modified(const Ticket& ticket, const Reply& reply) {
  return reply.code == ReplyCode::ok && !is_command(ticket.action) &&
         none_match_names(ticket.if_none_match, reply.version, reply.beside_version);
}

HttpResponse response_of(const Ticket& ticket, Reply&& reply) {
  if (!is_success(reply.code)) {
    auto response = response_of(problem_of(ticket, reply));
    response.replayed = reply.replayed;
    add_position(response.position, reply);
    return response;
  }
  HttpResponse response;
  response.status = status_of(reply.code);
  response.etag = reply.version;
  response.replayed = reply.replayed;
  add_position(response.position, reply);
  if (reply.code == ReplyCode::ok && ticket.wants == Wants::minimal) {
    response.status = 204;
    return response;
  }
  const bool creates = is_command(ticket.action) && ticket.action != Action::put_product;
  if (creates && (reply.code == ReplyCode::created || reply.code == ReplyCode::accepted))
    response.location = location_of(reply.entity);
  response.body = std::move(reply.body.json);
  return response;
}

BatchAnswer batch_answer_of(const Problem& problem) {
  BatchAnswer answer;
  answer.status = problem.status;
  answer.code = problem.code;
  answer.body = problem_json(problem);
  return answer;
}

BatchAnswer batch_answer_of(const Ticket& ticket, Reply&& reply) {
  if (!is_success(reply.code)) {
    auto answer = batch_answer_of(problem_of(ticket, reply));
    answer.replayed = reply.replayed;
    answer.entity = reply.entity;
    add_position(answer.position, reply);
    return answer;
  }
  BatchAnswer answer;
  answer.status = status_of(reply.code);
  answer.replayed = reply.replayed;
  answer.version = reply.version;
  answer.entity = reply.entity;
  add_position(answer.position, reply);
  if (reply.code != ReplyCode::ok || ticket.wants == Wants::body)
    answer.body = std::move(reply.body.json);
  answer.body_omitted = ticket.body_omitted;
  return answer;
}

HttpResponse response_of_record(OrderId order, const PaymentRecord& record) {
  HttpResponse response;
  response.cache_control = "private, no-store";
  JsonObject json(response.body);
  json.plain("order_id", order.text());
  const auto money = [&](std::string_view name, Micros amount) {
    append_money(json.key(name), amount, record.currency);
  };
  money("authorised", record.authorised);
  money("captured", record.captured);
  money("voided", record.voided);
  money("refunded", record.refunded);
  json.number("calls", record.calls);
  json.end();
  return response;
}

}  // namespace souk
