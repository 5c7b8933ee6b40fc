#include "gateway/api/edge/service.h"

#include <fmt/format.h>

#include <chrono>

#include "events/fault_log.h"
#include "gateway/api/edge/openapi.h"
#include "gateway/api/edge/response.h"
#include "gateway/api/edge/text.h"

namespace souk {
namespace {

std::int64_t now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

constexpr std::int64_t tick_ms = 50;  // HttpHandler::on_tick

/// Not by a read model.
bool is_answered_by_engine(Action action) {
  return is_command(action) || is_read(action) || action == Action::get_payment;
}

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

ApiCommon::ApiCommon(Engine& engine, Vault& vault, PaymentProvider& payments,
                     Randomness& randomness, ReadSide& read_side, const Freshness& freshness,
                     ApiOptions options)
    : engine_(engine),
      vault_(vault),
      randomness_(randomness),
      read_side_(read_side),
      options_(std::move(options)),
      openapi_(openapi_document(router_, options_.version)),
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
  std::uint64_t number = 0;
  if (!take_ticket(std::move(ticket), number, visit.problem)) return false;
  hand_over(number, std::move(prepared));
  return true;
}

bool Api::batch(Visit& visit) {
  const auto& body = visit.request.body;
  const auto type = media_type_of(visit.request);
  if (!no_query(visit.match, visit.problem)) return false;
  if (type != MediaType::ndjson && type != MediaType::capnp && type != MediaType::none) {
    visit.problem = unsupported_media_type("application/x-ndjson or application/x-capnp");
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
  std::string trouble = common_.draining() ? "it is about to end" : common_.engine().trouble();
  for (const auto& store : stores)
    if (trouble.empty() && store.costs == StoreTrouble::Costs::commands) trouble = store.what;
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
          common_.views().stats(), common_.store_troubles());
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
  if (!command.seal) {
    outbox_.push_back(std::move(command.request));
    return;
  }
  // No key is made for what a shard would refuse: it is asked first.
  Request& asking = outbox_.emplace_back(command.request);
  asking.intent = Intent::ask;
  tickets_.find(number)->to_seal = std::make_unique<PreparedCommand>(std::move(command));
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

void Api::on_wake(HttpServer& server) {
  std::vector<std::vector<Reply>> replies;
  std::vector<std::vector<VaultDone>> done;
  std::vector<std::vector<QueryDone>> answers;
  {
    const std::lock_guard lock(inbox_mutex_);
    replies.swap(inbox_);
    done.swap(done_inbox_);
    answers.swap(query_inbox_);
  }
  for (auto& group : replies)
    for (auto& reply : group) take_reply(std::move(reply));
  for (auto& group : done)
    for (auto& one : group) std::visit([this](auto& d) { take_done(std::move(d)); }, one);
  for (auto& group : answers)
    for (auto& one : group) take_done(std::move(one));
  on_poll_end(server);
}

void Api::on_tick(HttpServer& server) {
  clock_ms_ += tick_ms;
  if (clock_ms_ >= next_look_ms_) give_up_overdue();
  if (server_ != nullptr) ask_for_left_over();
  // A client that has gone frees its batch here, when nothing else stirs.
  on_poll_end(server);
}

void Api::give_up_overdue() {
  next_look_ms_ = clock_ms_ + limits::overdue_look_ms;
  if (tickets_.in_use() == 0) return;
  static FaultLog hangs("requests were not answered in time", FaultLog::Severity::error);
  const auto numbers = tickets_.overdue(clock_ms_);
  if (numbers.empty()) return;
  hangs.failed(fmt::format("requests={} first={} why=\"{}\"", numbers.size(),
                           action_name(tickets_.find(numbers.front())->action),
                           common_.engine().trouble()));
  for (const auto number : numbers) give_up(number);
}

void Api::give_up(std::uint64_t number) {
  const auto* ticket = tickets_.find(number);
  if (ticket->asks_for_left_over) {  // the next start asks again
    tickets_.give_back(number);
    common_.metrics().ticket_freed();
    return;
  }
  if (ticket->batch != Ticket::no_batch && (ticket->sealing || ticket->to_seal))
    batches_.sealed(ticket->batch,
                    ticket->to_seal ? ticket->to_seal->seal->person : ticket->sealed_for);
  if (!is_answered_by_engine(ticket->action)) {
    const auto given = tickets_.give_back(number);
    give_back(given, static_cast<std::size_t>(ReplyCode::unavailable));
    server_->respond(given.exchange,
                     response_of(Problem{503, "unavailable", "it takes too long", {}}));
    return;
  }
  Reply reply;
  reply.ticket = number;
  reply.code = ReplyCode::unavailable;
  finish(number, std::move(reply));
}

void Api::give_back(const Ticket& ticket, std::size_t result) {
  common_.metrics().ticket_freed();
  common_.metrics().count(ticket.action, result,
                          static_cast<std::uint64_t>(now_ns() - ticket.started_ns));
}

void Api::deliver(std::vector<Reply>&& replies) {
  {
    const std::lock_guard lock(inbox_mutex_);
    inbox_.push_back(std::move(replies));
  }
  server_->wake();
}

void Api::vault_done(std::vector<VaultDone>&& done) {
  {
    const std::lock_guard lock(inbox_mutex_);
    done_inbox_.push_back(std::move(done));
  }
  server_->wake();
}

void Api::query_done(std::vector<QueryDone>&& done) {
  {
    const std::lock_guard lock(inbox_mutex_);
    query_inbox_.push_back(std::move(done));
  }
  server_->wake();
}

/// Whether the command has still to be sealed and done; else `reply` is its answer.
bool Api::goes_on_sealed(Ticket& ticket, const Reply& reply) {
  if (ticket.to_seal != nullptr) {
    auto command = std::exchange(ticket.to_seal, nullptr);
    if (reply.code == ReplyCode::admitted) {
      ticket.sealed_for = command->seal->person;
      ticket.sealing = true;
      jobs_.push_back(SealJob{reply.ticket, std::move(*command)});
      return true;
    }
    if (ticket.batch != Ticket::no_batch) batches_.sealed(ticket.batch, command->seal->person);
    return false;
  }
  if (ticket.sealed_for.kind() == Kind::none || reply.code == ReplyCode::unavailable)
    return false;  // in doubt the key stays unsettled
  auto verdict = KeyVerdict::refused;
  if (is_success(reply.code)) verdict = KeyVerdict::recorded;
  if (ticket.asks_for_left_over)
    verdict = reply.code == ReplyCode::admitted ? KeyVerdict::absent : KeyVerdict::recorded;
  jobs_.push_back(SettleJob{ticket.sealed_for, verdict});
  return false;
}

void Api::take_reply(Reply&& reply) {
  auto* ticket = tickets_.find(reply.ticket);
  if (ticket == nullptr || goes_on_sealed(*ticket, reply)) return;
  if (ticket->asks_for_left_over) {
    tickets_.give_back(reply.ticket);
    common_.metrics().ticket_freed();
    return;
  }
  if (ticket->record_next && (reply.code == ReplyCode::ok || reply.code == ReplyCode::not_found)) {
    jobs_.push_back(RecordJob{reply.ticket, *std::exchange(ticket->record_next, std::nullopt)});
    return;
  }
  if (!reply.body.sealed.empty()) ticket->document_key.clear();  // nothing personal is kept
  if (reply.body.sealed.empty() || is_not_modified(*ticket, reply)) {
    const auto number = reply.ticket;
    finish(number, std::move(reply));
  } else {
    jobs_.push_back(OpenJob{std::move(reply)});
  }
}

void Api::take_done(SealDone&& done) {
  auto* ticket = tickets_.find(done.ticket);
  if (ticket == nullptr) {  // it was given up: answered 503, and does not happen
    jobs_.push_back(SettleJob{done.person, KeyVerdict::refused});
    return;
  }
  ticket->sealing = false;
  if (ticket->batch != Ticket::no_batch) batches_.sealed(ticket->batch, done.person);
  if (done.request) {
    outbox_.push_back(std::move(*done.request));
    return;
  }
  Reply failed;
  failed.ticket = done.ticket;
  failed.code = ReplyCode::unavailable;
  finish(done.ticket, std::move(failed));
}

void Api::take_done(OpenDone&& done) {
  const auto number = done.reply.ticket;
  if (tickets_.find(number) != nullptr) finish(number, std::move(done.reply));
}

void Api::take_done(RecordDone&& done) {
  if (tickets_.find(done.ticket) == nullptr) return;
  if (!done.failed && !done.record) {  // never called: the order may be there all the same
    Request request;
    request.op = GetOrder{done.order};
    request.reply_to = {
        .who = ReplyTo::Who::client, .sink = sink_, .ticket = done.ticket, .entity = {}};
    request.wants = Wants::minimal;
    outbox_.push_back(std::move(request));
    return;
  }
  const auto ticket = tickets_.give_back(done.ticket);
  const auto code = done.failed ? ReplyCode::unavailable : ReplyCode::ok;
  give_back(ticket, static_cast<std::size_t>(code));
  Reply reply;
  reply.code = code;
  server_->respond(ticket.exchange, code == ReplyCode::ok
                                        ? response_of_record(done.order, *done.record)
                                        : response_of(problem_of(reply)));
}

void Api::take_done(QueryDone&& done) {
  if (tickets_.find(done.ticket) == nullptr) return;
  const auto ticket = tickets_.give_back(done.ticket);
  give_back(ticket, done.response.status < 400 ? static_cast<std::size_t>(ReplyCode::ok)
                                               : ApiMetrics::invalid);
  server_->respond(ticket.exchange, std::move(done.response));
}

void Api::finish(std::uint64_t number, Reply&& reply) {
  const auto ticket = tickets_.give_back(number);
  give_back(ticket, static_cast<std::size_t>(reply.code));
  // Buying touches several shards: whoever names this position sees the stock as well.
  std::string also;
  for (const ShardId shard : reply.also_on)
    also += ',' + position_text(shard, common_.read_side().last_seq(shard));
  if (ticket.batch != Ticket::no_batch) {
    --batch_tickets_;
    auto answer = batch_answer_of(ticket, std::move(reply));
    answer.position += also;
    batches_.answer(ticket.batch, ticket.line, std::move(answer));
  } else if (ticket.action == Action::get_payment && reply.code == ReplyCode::ok) {
    PaymentRecord nothing;  // the provider was never asked
    nothing.currency = reply.currency;
    server_->respond(ticket.exchange,
                     response_of_record(OrderId{*Id128::from_bytes(reply.entity.id())}, nothing));
  } else if (is_document(ticket.action) && reply.code == ReplyCode::ok) {
    common_.views().answer(*server_, ticket, std::move(reply));
  } else {
    auto response = response_of(ticket, std::move(reply));
    response.position += also;
    server_->respond(ticket.exchange, std::move(response));
  }
}

}  // namespace souk
