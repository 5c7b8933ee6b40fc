#include "gateway/api/edge/service.h"

#include <chrono>

#include "gateway/api/edge/openapi.h"
#include "gateway/api/edge/response.h"
#include "gateway/api/edge/text.h"

namespace souk {
namespace {

constexpr std::int64_t tick_ms = 50;  // HttpHandler::on_tick

std::string console_page(std::string_view version) {
  return R"(<!doctype html><html lang="en"><meta charset="utf-8"><title>Souk</title>)"
         R"(<body><h1>Souk )" +
         std::string(version) +
         R"(</h1><p>A commerce engine is running here.</p><ul><li><a href="/openapi.json">What you can )"
         R"(ask it</a> (OpenAPI)</li><li><a href="/metrics">Metrics</a></li><li><a href="/readyz">Is )"
         R"(it ready?</a></li></ul></body></html>)";
}

bool read_wait(const CommandShape& shape, const RouteMatch& match, Conditions& conditions,
               Problem& problem) {
  if (shape.waits == Waits::no) return no_query(match, problem);
  std::vector<QueryParameter> parameters;
  if (!parse_query(match.query, parameters, problem)) return false;
  for (const auto& parameter : parameters) {
    const bool known = parameter.name == "wait";
    if (!known || parameter.value != "final") {
      problem = invalid_request(parameter.name,
                                known ? "must be \"final\"" : "is not a parameter of this request");
      return false;
    }
    conditions.wait_final = true;
  }
  return true;
}

}  // namespace

std::int64_t Api::now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

ApiCommon::ApiCommon(Engine& engine, Vault& vault, PaymentProvider& payments,
                     Randomness& randomness, ReadSide& read_side, const Freshness& freshness,
                     ApiOptions options)
    : engine_(engine),
      vault_(vault),
      randomness_(randomness),
      read_side_(read_side),
      options_(std::move(options)),
      openapi_(openapi_document(router_, options_.version, engine.shards())),
      console_(console_page(options_.version)),
      views_(freshness, options_.view_cache_bytes),
      worker_(vault, payments) {}

Api::Api(ApiCommon& common)
    : common_(common),
      sink_(common.engine().add_sink(*this)),
      builder_(common.vault(), common.randomness(), common.engine().shards()),
      tickets_(common.options().tickets_max),
      batches_(*this, builder_) {}

std::size_t Api::body_limit(HttpMethod, std::string_view target) {
  return is_batch_target(target) ? limits::batch_body_bytes_max : limits::command_body_bytes_max;
}

std::string Api::problem(int status, std::string_view code, std::string_view detail) {
  return problem_json(status, code, detail);
}

void Api::on_request(HttpServer& server, ExchangeId exchange, const HttpRequest& request) {
  server_ = &server;
  if (request.target == "*") {  // OPTIONS of the server as a whole
    HttpResponse response;
    response.status = 204;
    response.allow = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";
    return server.respond(exchange, std::move(response));
  }
  const auto started_ns = now_ns();
  if (const auto action = common_.views().answer(server, exchange, request)) {
    common_.metrics().count(*action, static_cast<std::size_t>(ReplyCode::ok),
                            static_cast<std::uint64_t>(now_ns() - started_ns));
    return;
  }
  Visit visit{exchange, request, {}, started_ns, {}};
  std::string_view allow;
  if (!common_.router().find(request.method, request.target, visit.match, visit.problem, allow) ||
      !dispatch(visit))
    refuse(visit, allow);
}

bool Api::dispatch(Visit& visit) {
  const auto action = visit.match.action;
  if (is_command(action)) return command(visit);
  if (action == Action::get_payment) return payment(visit);
  if (is_read(action)) return read(visit);
  if (action == Action::commands) return batch(visit);
  if (is_of_cluster(action)) return of_cluster(visit);
  if (const auto* asked = question_of(action)) return question(visit, *asked);
  return operation(visit);
}

void Api::refuse(Visit& visit, std::string_view allow) {
  auto response = response_of(visit.problem);
  response.allow = allow;
  const auto result = visit.problem.status == 503 ? ApiMetrics::shed : ApiMetrics::invalid;
  common_.metrics().count(visit.match.action, result,
                          static_cast<std::uint64_t>(now_ns() - visit.started_ns));
  server_->respond(visit.exchange, std::move(response));
}

bool Api::read_command(Visit& visit, const CommandShape& shape, Conditions& conditions) {
  const auto& request = visit.request;
  auto& problem = visit.problem;
  if (!read_path(visit, shape.fields) || !read_conditions(request, conditions, problem) ||
      !read_wait(shape, visit.match, conditions, problem))
    return false;
  if (request.body.empty() && !takes_body(shape)) return check_complete(shape, input_, problem);
  const auto type = media_type_of(request);
  if (type != MediaType::json && type != MediaType::none) {
    problem = unsupported_media_type("application/json");
    return false;
  }
  return reader_.read_body(shape, request.body, input_, problem);
}

bool Api::command(Visit& visit) {
  const auto& shape = shape_of(visit.match.action);
  Conditions conditions;
  PreparedCommand prepared;
  if (!read_command(visit, shape, conditions) ||
      !builder_.build(shape, input_, conditions, prepared, visit.problem))
    return false;
  Ticket ticket;
  ticket.action = shape.action;
  ticket.wants = shape.minimal == Minimal::keeps_body ? Wants::body : conditions.wants;
  if (shape.action == Action::erase_user) ticket.wants = Wants::minimal;
  ticket.started_ns = visit.started_ns;
  ticket.exchange = visit.exchange;
  ticket.creates_nothing = prepared.creates_nothing;
  std::uint64_t number = 0;
  if (!take_ticket(std::move(ticket), number, visit.problem)) return false;
  hand_over(number, std::move(prepared));
  return true;
}

bool Api::batch(Visit& visit) {
  const auto& body = visit.request.body;
  const auto type = media_type_of(visit.request);
  if (!no_query(visit.match, visit.problem)) return false;
  if (type != MediaType::ndjson && type != MediaType::capnp) {
    visit.problem = unsupported_media_type(
        type == MediaType::none
            ? "application/x-ndjson or application/x-capnp, and Content-Type say so"
            : "application/x-ndjson or application/x-capnp");
    return false;
  }
  if (body.empty() && type == MediaType::ndjson) {
    visit.problem = invalid_request("", "there are no commands: the body is empty");
    return false;
  }
  if (!batches_.has_room(body.size())) {
    visit.problem = overloaded();
    return false;
  }
  auto form = type == MediaType::capnp ? capnp_batch(body, reader_, visit.problem)
                                       : ndjson_batch(body, reader_);
  if (form.source == nullptr) return false;
  batches_.open(visit.exchange, std::move(form), body.size());
  common_.metrics().count(Action::commands, static_cast<std::size_t>(ReplyCode::ok),
                          static_cast<std::uint64_t>(now_ns() - visit.started_ns));
  return true;
}

/// What costs customers nothing yet is told beside it.
bool Api::ready(Visit& visit, std::string& body) {
  const auto stores = common_.store_troubles();
  std::string trouble = common_.draining() ? "it is about to end" : "";
  for (const auto& store : stores)
    if (trouble.empty() && store.costs == StoreTrouble::Costs::commands) trouble = store.what;
  if (trouble.empty()) trouble = common_.engine().trouble();
  if (!trouble.empty()) {
    visit.problem = {503, "unavailable", trouble, {}};
    return false;
  }
  body = R"({"status":"ready")";
  for (const auto& store : stores) {
    body += &store == &stores.front() ? R"(,"troubles":[{"store":)" : R"(,{"store":)";
    append_json_string(body, store.store);
    body += R"(,"detail":)";
    append_json_string(body, store.what);
    body += '}';
  }
  body += stores.empty() ? "}" : "]}";
  return true;
}

bool Api::operation(Visit& visit) {
  HttpResponse response;
  switch (visit.match.action) {
    case Action::health:
      response.body = R"({"status":"ok"})";
      break;
    case Action::ready:
      if (!ready(visit, response.body)) return false;
      break;
    case Action::metrics:
      response.content_type = "text/plain; version=0.0.4; charset=utf-8";
      response.body = common_.metrics().text(
          common_.engine().counters(), common_.options().recovery,
          common_.options().recovery_seconds, common_.read_side().set().statuses(),
          common_.views().stats(), common_.store_troubles(), common_.integration(),
          common_.questions());
      break;
    case Action::openapi:
      response.body = common_.openapi();
      break;
    default:
      response.content_type = "text/html; charset=utf-8";
      response.body = common_.console();
  }
  common_.metrics().count(visit.match.action, static_cast<std::size_t>(ReplyCode::ok),
                          static_cast<std::uint64_t>(now_ns() - visit.started_ns));
  server_->respond(visit.exchange, std::move(response));
  return true;
}

bool Api::take_ticket(Ticket&& ticket, std::uint64_t& number, Problem& problem) {
  ticket.due_ms = clock_ms_ + (question_of(ticket.action) != nullptr ? limits::question_ms_max
                                                                     : limits::answer_ms_max);
  const auto taken = tickets_.take(std::move(ticket));
  if (!taken) {
    problem = overloaded();
    return false;
  }
  common_.metrics().ticket_taken();
  number = *taken;
  return true;
}

void Api::hand_over(std::uint64_t number, PreparedCommand&& command) {
  command.request.reply_to.who = ReplyTo::Who::client;
  command.request.reply_to.sink = sink_;
  command.request.reply_to.ticket = number;
  if (!command.request.bind && !command.seal) {
    outbox_.push_back(std::move(command.request));
    return;
  }
  Request& first = outbox_.emplace_back(command.request);
  // No key of a person is made for what a shard would refuse: it is asked first.
  if (!first.bind) first.intent = Intent::ask;
  tickets_.find(number)->next = std::make_unique<PreparedCommand>(std::move(command));
}

/// Keys whose command nobody knows any more: a shard is asked, as if to make the person, whether it
/// is there already.
void Api::ask_for_left_over() {
  for (auto more = common_.take_left_over(); const auto& person : more)
    left_over_.push_back(person);
  while (!left_over_.empty()) {
    const PersonId person = left_over_.back();
    Ticket ticket;
    ticket.sealed_for = person;
    ticket.asks_for_left_over = true;
    std::uint64_t number = 0;
    Problem problem;
    if (!take_ticket(std::move(ticket), number, problem)) return;  // at the next tick
    left_over_.pop_back();
    Request& request = outbox_.emplace_back();
    const auto id = *Id128::from_bytes(person.id());
    if (person.kind() == Kind::user)
      request.op.emplace<RegisterUser>().user = UserId{id};
    else
      request.op.emplace<PlaceOrder>().order = OrderId{id};
    request.wants = Wants::minimal;
    request.intent = Intent::ask;
    request.reply_to = {.who = ReplyTo::Who::client, .sink = sink_, .ticket = number, .entity = {}};
  }
}

bool Api::start(Ticket&& ticket, PreparedCommand& command) {
  if (batch_tickets_ >= limits::batch_tickets_max) return false;
  std::uint64_t number = 0;
  Problem problem;
  if (!take_ticket(std::move(ticket), number, problem)) return false;
  ++batch_tickets_;
  hand_over(number, std::move(command));
  return true;
}

bool Api::still_waits(ExchangeId exchange) { return server_->waiting(exchange); }

void Api::send(ExchangeId exchange, HttpResponse&& response) {
  server_->respond(exchange, std::move(response));
}

void Api::refused(Action action, const Problem&) {
  common_.metrics().count(action, ApiMetrics::invalid, 0);
}

void Api::flush() {
  if (!outbox_.empty()) {
    common_.engine().submit(std::move(outbox_));
    outbox_ = {};
  }
  if (!jobs_.empty()) {
    common_.worker().enqueue(*this, std::move(jobs_));
    jobs_ = {};
  }
  for (const auto lane : {QueryLane::quick, QueryLane::sql, QueryLane::mend}) {
    auto& questions = questions_[static_cast<std::size_t>(lane)];
    if (questions.empty()) continue;
    common_.queries(lane).enqueue(*this, std::move(questions));
    questions = {};
  }
}

void Api::on_poll_end(HttpServer& server) {
  if (batches_.open_batches() > 0 && batches_.pump(now_ns())) server.wake();
  if (batches_.bytes() != batch_bytes_told_) {
    common_.metrics().batch_bytes_changed(static_cast<std::int64_t>(batches_.bytes()) -
                                          static_cast<std::int64_t>(batch_bytes_told_));
    batch_bytes_told_ = batches_.bytes();
  }
  flush();
}

void Api::on_tick(HttpServer& server) {
  clock_ms_ += tick_ms;
  if (clock_ms_ >= next_look_ms_) give_up_overdue();
  if (server_ != nullptr) ask_for_left_over();
  // A client that has gone frees its batch here, when nothing else stirs.
  on_poll_end(server);
}

}  // namespace souk
