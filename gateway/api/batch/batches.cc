#include "gateway/api/batch/batches.h"

#include <algorithm>

#include "gateway/api/edge/response.h"

namespace souk {
namespace {
/// A body as small as this never counts as too large: it may carry a new id.
constexpr std::size_t small_body_bytes = 512;
}  // namespace

bool BatchTable::has_room(std::size_t body_bytes) const {
  return open_ < limits::batches_max && bytes_ + body_bytes <= limits::batch_bytes_max_in_all;
}

void BatchTable::open(ExchangeId exchange, BatchForm&& form, std::size_t body_bytes) {
  auto batch = std::make_unique<Batch>();
  batch->exchange = exchange;
  batch->form = std::move(form);
  batch->bytes = body_bytes;
  bytes_ += body_bytes;
  ++open_;
  const auto free = std::find(slots_.begin(), slots_.end(), nullptr);
  if (free == slots_.end())
    slots_.push_back(std::move(batch));
  else
    *free = std::move(batch);
}

bool BatchTable::pump(std::int64_t now_ns) {
  if (open_ == 0) return false;
  bool more = false;
  ++first_;
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    const auto slot = static_cast<std::uint32_t>((first_ + i) % slots_.size());
    if (slots_[slot] != nullptr && pump_one(slot, now_ns)) more = true;
  }
  return more;
}

bool BatchTable::pump_one(std::uint32_t slot, std::int64_t now_ns) {
  auto& batch = *slots_[slot];
  if (!batch.ended && !port_.still_waits(batch.exchange)) {
    batch.ended = true;  // nobody reads the answers: what was started goes on, the rest does not
    batch.held.reset();
  }
  const auto stop_at = batch.next_line + limits::batch_lines_per_turn;
  bool turn_over = false;
  while (!batch.ended || batch.held) {
    if (batch.held) {
      if (!start_held(slot, now_ns)) break;
    } else {
      turn_over = batch.next_line >= stop_at;
      if (turn_over) break;
      read_one(batch);
    }
  }
  finish_if_whole(slot);
  return turn_over;
}

void BatchTable::read_one(Batch& batch) {
  Problem problem;
  const auto next = batch.form.source->next(scratch_, problem);
  if (next == CommandSource::Next::end) {
    batch.ended = true;
    return;
  }
  const auto line = batch.next_line++;
  PreparedCommand command;
  if (next == CommandSource::Next::command &&
      builder_.build(*scratch_.shape, scratch_.input, scratch_.conditions, command, problem)) {
    const bool keeps = scratch_.shape->minimal == Minimal::keeps_body;
    batch.held.emplace(Held{line, scratch_.shape->action,
                            keeps ? Wants::body : scratch_.conditions.wants, std::move(command)});
    return;
  }
  port_.refused(scratch_.shape != nullptr ? scratch_.shape->action : Action::commands, problem);
  write(batch, line, batch_answer_of(problem));
}

bool BatchTable::start_held(std::uint32_t slot, std::int64_t now_ns) {
  auto& batch = *slots_[slot];
  auto& held = *batch.held;
  const bool needs_seal = held.command.seal.has_value();
  if (batch.in_flight >= limits::batch_in_flight_max) return false;
  if (!needs_seal && batch.sealing > 0) return false;
  const EntityKey person = needs_seal ? held.command.seal->person : EntityKey{};
  if (batch.registering.contains(person)) return false;
  Ticket ticket;
  ticket.action = held.action;
  ticket.wants = held.wants;
  ticket.started_ns = now_ns;
  ticket.batch = slot;
  ticket.line = held.line;
  ticket.creates_nothing = held.command.creates_nothing;
  const bool too_large = bytes_ >= limits::batch_bytes_max_in_all;
  if (too_large && shape_of(held.action).minimal == Minimal::drops_body &&
      held.wants == Wants::body) {
    ticket.wants = Wants::minimal;
    ticket.body_omitted = true;
    held.command.request.wants = Wants::minimal;
  }
  if (!port_.start(std::move(ticket), held.command)) return false;
  ++batch.in_flight;
  if (needs_seal) ++batch.sealing;
  if (held.action == Action::register_user) batch.registering.insert(person);
  batch.held.reset();
  return true;
}

void BatchTable::sealed(std::uint32_t slot, const EntityKey& person) {
  --slots_[slot]->sealing;
  slots_[slot]->registering.erase(person);
}

void BatchTable::write(Batch& batch, std::uint32_t line, BatchAnswer&& answer) {
  if (bytes_ >= limits::batch_bytes_max_in_all && answer.body.size() > small_body_bytes) {
    answer.body.clear();
    answer.body_omitted = true;
  }
  const auto size = sizeof(BatchAnswer) + answer.body.size();
  batch.bytes += size;
  bytes_ += size;
  batch.form.writer->answer(line, std::move(answer));
}

void BatchTable::answer(std::uint32_t slot, std::uint32_t line, BatchAnswer&& answer) {
  auto& batch = *slots_[slot];
  --batch.in_flight;
  write(batch, line, std::move(answer));
  finish_if_whole(slot);
}

void BatchTable::finish_if_whole(std::uint32_t slot) {
  auto& batch = *slots_[slot];
  if (!batch.ended || batch.held || batch.in_flight > 0) return;
  if (port_.still_waits(batch.exchange)) {
    HttpResponse response;
    response.content_type = batch.form.writer->content_type();
    response.body = batch.form.writer->finish(batch.next_line);
    port_.send(batch.exchange, std::move(response));
  }
  bytes_ -= batch.bytes;
  --open_;
  slots_[slot].reset();
}

}  // namespace souk
