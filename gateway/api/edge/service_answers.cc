#include <fmt/format.h>

#include "events/fault_log.h"
#include "gateway/api/edge/response.h"
#include "gateway/api/edge/service.h"
#include "gateway/api/edge/text.h"

// The way back of Api: what engine, vault and read side answer becomes responses.

namespace souk {
namespace {

/// Not by a read model.
bool is_answered_by_engine(Action action) {
  return is_command(action) || is_read(action) || action == Action::get_payment;
}

bool seals(const std::unique_ptr<PreparedCommand>& next) { return next && next->seal; }

}  // namespace

void Api::on_wake(HttpServer& server) {
  server_ = &server;
  common_.engine().take_turns();
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
  if (ticket->batch != Ticket::no_batch && (ticket->sealing || seals(ticket->next)))
    batches_.sealed(ticket->batch,
                    ticket->sealing ? ticket->sealed_for : ticket->next->seal->person);
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

/// Whether the command has still to be sealed or done; else `reply` is its answer.
bool Api::goes_on(Ticket& ticket, const Reply& reply) {
  if (auto command = std::exchange(ticket.next, nullptr)) {
    if (reply.code == ReplyCode::bound) {
      command->request.bind.reset();
      hand_over(reply.ticket, std::move(*command));
      return true;
    }
    if (reply.code == ReplyCode::admitted) {
      ticket.sealed_for = command->seal->person;
      ticket.sealing = true;
      jobs_.emplace_back(SealJob{reply.ticket, std::move(*command)});
      return true;
    }
    if (ticket.batch != Ticket::no_batch && command->seal)
      batches_.sealed(ticket.batch, command->seal->person);
    return false;
  }
  if (ticket.sealed_for.kind() == Kind::none || reply.code == ReplyCode::unavailable)
    return false;  // in doubt the key stays unsettled
  auto verdict = KeyVerdict::refused;
  if (is_success(reply.code)) verdict = KeyVerdict::recorded;
  if (ticket.asks_for_left_over)
    verdict = reply.code == ReplyCode::admitted ? KeyVerdict::absent : KeyVerdict::recorded;
  jobs_.emplace_back(SettleJob{ticket.sealed_for, verdict});
  return false;
}

void Api::take_reply(Reply&& reply) {
  auto* ticket = tickets_.find(reply.ticket);
  if (ticket == nullptr || goes_on(*ticket, reply)) return;
  if (ticket->asks_for_left_over) {
    tickets_.give_back(reply.ticket);
    common_.metrics().ticket_freed();
    return;
  }
  if (ticket->record_next && (reply.code == ReplyCode::ok || reply.code == ReplyCode::not_found)) {
    jobs_.emplace_back(RecordJob{reply.ticket, *std::exchange(ticket->record_next, std::nullopt)});
    return;
  }
  if (!reply.body.sealed.empty()) ticket->document_key.clear();  // nothing personal is kept
  if (reply.body.sealed.empty() || is_not_modified(*ticket, reply)) {
    const auto number = reply.ticket;
    finish(number, std::move(reply));
  } else {
    jobs_.emplace_back(OpenJob{std::move(reply)});
  }
}

void Api::take_done(SealDone&& done) {
  auto* ticket = tickets_.find(done.ticket);
  if (ticket == nullptr) {  // it was given up: answered 503, and does not happen
    jobs_.emplace_back(SettleJob{done.person, KeyVerdict::refused});
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
