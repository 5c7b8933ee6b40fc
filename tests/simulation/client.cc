#include "tests/simulation/client.h"

namespace souk::simulation {
namespace {
constexpr int repeats_percent = 15;
constexpr int wrong_body_percent = 20;  // of the repeats
}  // namespace

std::string word_of(const std::string& json, std::string_view member) {
  const std::string head = "\"" + std::string(member) + "\":\"";
  const auto at = json.find(head);
  if (at == std::string::npos) return {};
  const auto from = at + head.size();
  return json.substr(from, json.find('"', from) - from);
}

void Client::start() {
  world().after(world().between(0, 200), [this] { step(); });
}

Request Client::ask(Op&& op, Key key) {
  Request request;
  request.op = std::move(op);
  request.cause = world().id128();
  if (key == Key::fresh) {
    request.key_hash = street_.vault.keyed_hash(next_key());
    request.request_hash = world().number() | 1;
    ++keys_;
  }
  return request;
}

Client::Creation Client::next_creation(std::string_view purpose,
                                       const std::optional<UserId>& user) const {
  Creation made;
  made.id = shop().on_own_shard(street_.vault.keyed_hash128(purpose, next_key()));
  if (!user) return made;
  made.bind = KeyHash{made.id};
  made.id = shop().on_shard(made.id, user->shard());
  return made;
}

std::int64_t Client::patience_ms() {
  return world().chance(world().faults.impatient) ? world().between(5, 300)
                                                  : world().between(2'000, 9'000);
}

void Client::step() {
  purpose_ = Purpose::first;
  if (!remembered_.empty() && world().chance(repeats_percent)) {
    purpose_ = Purpose::repeat;
    current_ = world().pick(remembered_);
    current_->sent_again = true;
    if (world().chance(wrong_body_percent)) {
      Request other = current_->request;
      other.request_hash ^= 0x100;
      current_ = &street_.referee.add(std::move(other));
      current_->wrong_body = true;
    }
  } else if (auto request = next()) {
    current_ = &street_.referee.add(std::move(*request));
  } else {
    current_ = nullptr;
    finished_ = true;
    return;
  }
  ++command_;
  attempt();
}

void Client::attempt() {
  const std::uint64_t command = command_, attempt = ++attempt_;
  street_.door.ask(*current_, [=, this](const Reply& reply) { heard(command, attempt, reply); });
  world().after(patience_ms(), [=, this] {
    if (command == command_ && attempt == attempt_) this->attempt();
  });
}

void Client::heard(std::uint64_t command, std::uint64_t attempt, const Reply& reply) {
  if (command != command_) return;
  if (!is_answer(reply.code)) {
    world().after(world().between(1, 200), [=, this] {
      if (command == command_ && attempt == attempt_) this->attempt();
    });
    return;
  }
  ++command_;
  const Request request = current_->request;
  if (purpose_ == Purpose::first) {
    if (is_remembered(request, reply)) remembered_.push_back(current_);
    answered(request, reply);
  }
  world().after(world().between(0, 60), [this] { step(); });
}

}  // namespace souk::simulation
