#include "cluster/node/question_relay.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <iterator>

#include "events/fault_log.h"

namespace souk::cluster {
namespace {

/// Verdict, the whole answer's bytes, those before the part.
constexpr std::size_t part_head_bytes = 9;
static_assert(answer_bytes_max < UINT32_MAX);

FaultLog unreadable("what a peer sent of an answer cannot be read: is it of another build?");

void append_number(std::string& to, std::size_t number) {
  const auto n = static_cast<std::uint32_t>(number);
  to.append(reinterpret_cast<const char*>(&n), sizeof n);  // little endian, as all that we run on
}

std::uint32_t number_at(std::string_view bytes, std::size_t offset) {
  std::uint32_t n = 0;
  std::memcpy(&n, bytes.data() + offset, sizeof n);
  return n;
}

}  // namespace

void QuestionRelay::tell(Ended&& ended) {
  for (auto& [done, outcome] : ended) done(std::move(outcome));
}

// ---- to ask ----

void QuestionRelay::ask(std::string question, QuestionDone done) {
  Ended ended;
  {
    const std::lock_guard lock(mutex_);
    ++figures_.asked;
    const bool room = pending_.size() < questions_max && question.size() <= question_bytes_max &&
                      question_bytes_ + question.size() <= questions_bytes_max;
    if (stopped_ || !room) {
      ended.emplace_back(std::move(done), stopped_ ? NoAnswer::ending : NoAnswer::overloaded);
    } else {
      question_bytes_ += question.size();
      const auto at = pending_.emplace(++numbers_, Pending{}).first;
      at->second.question = std::move(question);
      at->second.done = std::move(done);
      at->second.until = steady_().plus_ms(question_wait_ms);
      send_to_someone(at, ended);
    }
  }
  tell(std::move(ended));
}

/// In turn, so that all of them have their share.
void QuestionRelay::send_to_someone(PendingAt at, Ended& ended) {
  Pending& pending = at->second;
  drop_answer(pending);
  pending.at.clear();
  bool full = false;
  const std::size_t first = turn_++;
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    const std::string& node = nodes_[(first + i) % nodes_.size()];
    if (std::ranges::find(pending.tried, node) != pending.tried.end()) continue;
    const Sent sent = ports_.question(node, at->first, pending.question);
    full |= sent == Sent::full || sent == Sent::too_large;
    if (sent != Sent::yes) continue;
    if (!pending.tried.empty()) ++figures_.asked_again;
    pending.at = node;
    pending.tried.push_back(node);
    return;
  }
  NoAnswer why = pending.tried.empty() ? NoAnswer::none_there : NoAnswer::none_can;
  if (pending.lost > 0) why = NoAnswer::lost;
  if (full) why = NoAnswer::overloaded;
  end(at, why, ended);
}

QuestionRelay::PendingAt QuestionRelay::end(PendingAt at, Result<std::string, NoAnswer> outcome,
                                            Ended& ended) {
  drop_answer(at->second);
  question_bytes_ -= at->second.question.size();
  figures_.answered += outcome.ok() ? 1 : 0;
  ended.emplace_back(std::move(at->second.done), std::move(outcome));
  return pending_.erase(at);
}

void QuestionRelay::drop_answer(Pending& pending) {
  coming_bytes_ -= pending.total.value_or(0);
  pending.total.reset();
  pending.answer = {};
}

void QuestionRelay::answered(const std::string& from, std::uint64_t id, std::string_view bytes) {
  Ended ended;
  std::optional<std::uint32_t> came;
  {
    const std::lock_guard lock(mutex_);
    const auto at = pending_.find(id);
    if (at == pending_.end() || at->second.at != from) {
      came = forgotten;  // it was given up
    } else {
      Pending& pending = at->second;
      const auto verdict = bytes.empty() ? Verdict{} : static_cast<Verdict>(bytes[0]);
      if (verdict == Verdict::not_here) {
        send_to_someone(at, ended);
      } else if (verdict == Verdict::overloaded) {
        end(at, NoAnswer::overloaded, ended);
      } else if (verdict != Verdict::part || !take_part(pending, bytes)) {
        unreadable.failed(fmt::format("node={} bytes={}", from, bytes.size()));
        came = forgotten;
        end(at, NoAnswer::unreadable, ended);
      } else if (coming_bytes_ > answers_coming_bytes_max) {
        came = forgotten;
        end(at, NoAnswer::overloaded, ended);
      } else {
        came = static_cast<std::uint32_t>(pending.answer.size());
        if (pending.answer.size() == *pending.total) {
          std::string answer = std::move(pending.answer);
          end(at, std::move(answer), ended);
        }
      }
    }
  }
  if (came) say_taken(from, id, *came);
  tell(std::move(ended));
}

/// Parts come in order (K1). False: this one cannot be.
bool QuestionRelay::take_part(Pending& pending, std::string_view bytes) {
  if (bytes.size() < part_head_bytes) return false;
  const std::size_t total = number_at(bytes, 1), before = number_at(bytes, 5);
  const std::string_view part = bytes.substr(part_head_bytes);
  if (!pending.total) {
    if (total == 0 || total > answer_bytes_max) return false;
    pending.total = total;
    coming_bytes_ += total;
  }
  const std::size_t left = *pending.total - pending.answer.size();
  if (total != *pending.total || before != pending.answer.size() || part.size() > left ||
      part.empty())
    return false;
  pending.answer += part;
  return true;
}

void QuestionRelay::say_taken(const std::string& to, std::uint64_t id, std::uint32_t bytes) {
  std::string frame;
  append_number(frame, bytes);
  // Lost where the link is: then all of the question is, there too.
  ports_.taken(to, id, frame);
}

// ---- to answer ----

void QuestionRelay::asked(const std::string& from, std::uint64_t id, std::string_view bytes) {
  std::uint64_t serial = 0;
  const bool can = answerer_ && bytes.size() <= question_bytes_max;
  {
    const std::lock_guard lock(mutex_);
    if (stopped_ || taken_.contains({from, id})) return;
    if (can && taken_of_[from] < questions_per_peer_max) {
      serial = ++numbers_;
      ++figures_.taken;
      ++taken_of_[from];
      Taken& taken = taken_[{from, id}];
      taken.serial = serial;
      taken.until = steady_().plus_ms(question_wait_ms);
    }
  }
  if (serial == 0) return say(from, id, can ? Verdict::overloaded : Verdict::not_here);
  answerer_(bytes, [this, from, id, serial](std::optional<std::string> answer) {
    given(from, id, serial, std::move(answer));
  });
}

/// Not kept: where it finds no room its asker waits until it is late.
void QuestionRelay::say(const std::string& to, std::uint64_t id, Verdict verdict) {
  ports_.answer(to, id, std::string(1, static_cast<char>(verdict)));
}

void QuestionRelay::given(const std::string& to, std::uint64_t id, std::uint64_t serial,
                          std::optional<std::string> answer) {
  const std::lock_guard lock(mutex_);
  const auto at = taken_.find({to, id});
  if (at == taken_.end() || at->second.serial != serial) return;  // nobody waits any more
  Taken& taken = at->second;
  if (!answer) {
    taken.verdict = Verdict::not_here;
  } else if (answer->size() > answer_bytes_max ||
             held_bytes_ + answer->size() > answers_held_bytes_max) {
    taken.verdict = Verdict::overloaded;
  } else {
    ++figures_.given;
    taken.verdict = Verdict::part;
    taken.answer = std::move(*answer);
    held_bytes_ += taken.answer.size();
  }
  send_answers(to);
}

/// As much as may be ahead, the oldest questions first. What finds no room in the outbox goes at a
/// later tick.
void QuestionRelay::send_answers(const std::string& to) {
  const auto first = taken_.lower_bound({to, 0});
  std::size_t ahead = 0;
  for (auto at = first; at != taken_.end() && at->first.first == to; ++at)
    ahead += at->second.sent - at->second.arrived;
  for (auto at = first; at != taken_.end() && at->first.first == to;) {
    Taken& taken = at->second;
    const bool is_part = taken.verdict == Verdict::part;
    if (taken.verdict && !send_answer(to, at->first.second, taken, ahead)) return;
    at = taken.verdict && !is_part ? forget(at) : std::next(at);
  }
}

/// False: the outbox is full, or the link is down.
bool QuestionRelay::send_answer(const std::string& to, std::uint64_t id, Taken& taken,
                                std::size_t& ahead) {
  if (taken.verdict != Verdict::part)
    return ports_.answer(to, id, std::string(1, static_cast<char>(*taken.verdict))) == Sent::yes;
  while (taken.sent < taken.answer.size() && ahead < peer_ahead_bytes_max &&
         taken.sent - taken.arrived < answer_ahead_bytes_max) {
    const auto part = std::string_view(taken.answer).substr(taken.sent, answer_part_bytes_max);
    std::string frame;
    frame.reserve(part_head_bytes + part.size());
    frame.push_back(static_cast<char>(Verdict::part));
    append_number(frame, taken.answer.size());
    append_number(frame, taken.sent);
    frame += part;
    if (ports_.answer(to, id, frame) != Sent::yes) return false;
    taken.sent += part.size();
    ahead += part.size();
  }
  return true;
}

void QuestionRelay::taken(const std::string& from, std::uint64_t id, std::string_view bytes) {
  const std::lock_guard lock(mutex_);
  const auto at = taken_.find({from, id});
  if (at == taken_.end()) return;
  Taken& taken = at->second;
  const std::size_t came = bytes.size() == sizeof(std::uint32_t) ? number_at(bytes, 0) : forgotten;
  // Whoever says that more has come than was sent gets no more.
  if (came > taken.sent || (came == taken.answer.size() && taken.verdict == Verdict::part))
    forget(at);
  else
    taken.arrived = std::max(taken.arrived, came);
  send_answers(from);
}

QuestionRelay::TakenBy::iterator QuestionRelay::forget(TakenBy::iterator at) {
  held_bytes_ -= at->second.answer.size();
  if (const auto of = taken_of_.find(at->first.first); --of->second == 0) taken_of_.erase(of);
  return taken_.erase(at);
}

// ---- both ----

void QuestionRelay::lost(const std::string& node) {
  Ended ended;
  {
    const std::lock_guard lock(mutex_);
    for (auto at = taken_.lower_bound({node, 0}); at != taken_.end() && at->first.first == node;)
      at = forget(at);
    for (auto at = pending_.begin(); at != pending_.end();) {
      const auto one = at++;
      if (one->second.at != node) continue;
      if (one->second.lost++ < question_repeats_max)
        send_to_someone(one, ended);
      else
        end(one, NoAnswer::lost, ended);
    }
  }
  tell(std::move(ended));
}

void QuestionRelay::tick(std::vector<std::string> nodes) {
  Ended ended;
  std::vector<std::pair<std::string, std::uint64_t>> given_up;
  {
    const std::lock_guard lock(mutex_);
    nodes_ = std::move(nodes);
    const SteadyMs now = steady_();
    for (auto at = pending_.begin(); at != pending_.end();) {
      if (at->second.until > now) {
        ++at;
        continue;
      }
      given_up.emplace_back(at->second.at, at->first);
      at = end(at, NoAnswer::late, ended);
    }
    for (auto at = taken_.begin(); at != taken_.end();)
      at = at->second.until > now ? std::next(at) : forget(at);
    for (const auto& [peer, count] : std::map(taken_of_)) send_answers(peer);
  }
  for (const auto& [node, id] : given_up) say_taken(node, id, forgotten);
  tell(std::move(ended));
}

void QuestionRelay::stop() {
  Ended ended;
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    while (!pending_.empty()) end(pending_.begin(), NoAnswer::ending, ended);
    while (!taken_.empty()) forget(taken_.begin());
  }
  tell(std::move(ended));
}

QuestionRelay::Figures QuestionRelay::figures() const {
  const std::lock_guard lock(mutex_);
  Figures figures = figures_;
  figures.waiting = pending_.size();
  return figures;
}

std::pair<std::size_t, std::size_t> QuestionRelay::answer_bytes() const {
  const std::lock_guard lock(mutex_);
  return {held_bytes_, coming_bytes_};
}

}  // namespace souk::cluster
