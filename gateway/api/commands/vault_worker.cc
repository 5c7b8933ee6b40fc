#include "gateway/api/commands/vault_worker.h"

#include <fmt/format.h>

#include <algorithm>

#include "events/fault_log.h"
#include "gateway/api/edge/text.h"

namespace souk {
namespace {

// Each of them once a request, were they not bounded.
FaultLog opens_fail("vault: cannot open personal data", FaultLog::Severity::error);
FaultLog data_lost("vault: personal data is lost and shown as null", FaultLog::Severity::error);
FaultLog keys_fail("vault: cannot make keys");
FaultLog seals_fail("vault: cannot seal");
FaultLog records_fail("payments: cannot read a record");

/// The answers of one group, by client.
class DoneByClient {
 public:
  void add(VaultClient* client, VaultDone&& done) {
    auto found =
        std::find_if(all_.begin(), all_.end(), [&](const auto& e) { return e.first == client; });
    if (found == all_.end()) found = all_.emplace(all_.end(), client, std::vector<VaultDone>{});
    found->second.push_back(std::move(done));
  }
  void send() {
    for (auto& [client, done] : all_) client->vault_done(std::move(done));
    all_.clear();
  }

 private:
  std::vector<std::pair<VaultClient*, std::vector<VaultDone>>> all_;
};

/// Whether the person's key was there once and is gone for ever: only then any bytes open to
/// nothing.
bool is_destroyed(Vault& vault, const PersonId& person) {
  const auto opened = vault.open(person, Sealed{std::string(1, '\0')});
  return opened.ok() && !opened->has_value();
}

Reply opened(Vault& vault, Reply&& reply) {
  const auto status = open_sealed(vault, reply.body);
  if (status.ok()) return std::move(reply);
  opens_fail.failed(
      fmt::format("entity={} fault=\"{}\"", reply.entity.text(), one_line(status.error().what)));
  Reply failed;
  failed.ticket = reply.ticket;
  failed.code = ReplyCode::unavailable;
  failed.op = reply.op;
  return failed;
}

}  // namespace

void put_sealed(Op& op, std::optional<Sealed> email, std::optional<Sealed> name,
                std::optional<Sealed> address) {
  if (auto* user = std::get_if<RegisterUser>(&op)) {
    if (email) user->sealed_email = std::move(*email);
    if (name) user->sealed_name = std::move(*name);
  } else if (auto* change = std::get_if<UpdateUser>(&op)) {
    if (email && change->email) change->email->sealed = std::move(*email);
    if (name) change->sealed_name = std::move(*name);
  } else if (auto* check_out = std::get_if<CheckOut>(&op)) {
    if (address) check_out->sealed_address = std::move(*address);
  } else if (auto* order = std::get_if<PlaceOrder>(&op)) {
    if (address) order->sealed_address = std::move(*address);
  }
}

Status open_sealed(Vault& vault, Body& body) {
  if (body.sealed.empty()) return Done{};
  std::string json;
  std::size_t taken = 0;
  for (const auto& member : body.sealed) {
    auto opened = vault.open(member.person, member.sealed);
    if (!opened.ok() && opened.error().kind != Fault::Kind::corrupt) return opened.error();
    json.append(body.json, taken, member.offset - taken);
    taken = member.offset;
    if (!opened.ok()) {
      // The key or the bytes are lost for good: waiting brings nothing, and the rest is sound.
      data_lost.failed(fmt::format("fault=\"{}\"", one_line(opened.error().what)));
      json += "null";
    } else if (!opened->has_value()) {
      json += "null";
    } else if (member.raw) {
      json += **opened;
    } else {
      append_json_string(json, **opened);
    }
  }
  json.append(body.json, taken, std::string::npos);
  body.json = std::move(json);
  body.sealed.clear();
  return Done{};
}

VaultWorker::VaultWorker(Vault& vault, PaymentProvider& payments)
    : vault_(vault), payments_(payments) {
  readers_.thread = std::thread([this] { run(readers_, &VaultWorker::read); });
  writers_.thread = std::thread([this] { run(writers_, &VaultWorker::write); });
}

VaultWorker::~VaultWorker() { stop(); }

void VaultWorker::stop() {
  for (Lane* lane : {&readers_, &writers_}) {
    if (!lane->thread.joinable()) continue;
    {
      const std::lock_guard lock(lane->mutex);
      lane->ending = true;
    }
    lane->wakeup.notify_one();
    lane->thread.join();
  }
}

void VaultWorker::enqueue(VaultClient& client, std::vector<VaultJob>&& jobs) {
  const auto reads = [](const VaultJob& job) {
    return std::holds_alternative<OpenJob>(job) || std::holds_alternative<RecordJob>(job);
  };
  for (Lane* lane : {&readers_, &writers_}) {
    bool any = false;
    {
      const std::lock_guard lock(lane->mutex);
      for (auto& job : jobs) {
        if (reads(job) != (lane == &readers_)) continue;
        lane->queue.push_back({&client, std::move(job)});
        any = true;
      }
    }
    if (any) lane->wakeup.notify_one();
  }
}

void VaultWorker::run(Lane& lane, void (VaultWorker::*work)(std::vector<Queued>&)) {
  std::vector<Queued> group;
  for (;;) {
    {
      std::unique_lock lock(lane.mutex);
      lane.wakeup.wait(lock, [&] { return lane.ending || !lane.queue.empty(); });
      if (lane.queue.empty()) return;
      group.swap(lane.queue);
    }
    (this->*work)(group);
    group.clear();
  }
}

void VaultWorker::read(std::vector<Queued>& group) {
  DoneByClient done;
  for (auto& [client, job] : group) {
    if (auto* open = std::get_if<OpenJob>(&job)) {
      done.add(client, OpenDone{opened(vault_, std::move(open->reply))});
    } else if (auto* record = std::get_if<RecordJob>(&job)) {
      auto found = payments_.record(record->order);
      if (found.ok())
        records_fail.passed();
      else
        records_fail.failed(fmt::format("fault=\"{}\"", one_line(found.error().what)));
      done.add(client, RecordDone{record->ticket, record->order, !found.ok(),
                                  found.ok() ? std::move(*found) : std::optional<PaymentRecord>{}});
    }
  }
  done.send();
}

void VaultWorker::write(std::vector<Queued>& group) {
  DoneByClient done;
  std::vector<PersonId> persons;
  for (auto& [client, job] : group) {
    if (auto* sealing = std::get_if<SealJob>(&job))
      persons.push_back(sealing->command.seal->person);
  }
  const Status ensured = persons.empty() ? Status(Done{}) : vault_.ensure(persons);
  if (ensured.ok() && !persons.empty()) keys_fail.passed();
  if (!ensured.ok())
    keys_fail.failed(
        fmt::format("persons={} fault=\"{}\"", persons.size(), one_line(ensured.error().what)));
  for (auto& [client, job] : group) {
    auto* sealing = std::get_if<SealJob>(&job);
    if (sealing == nullptr) continue;
    SealDone result{sealing->ticket, sealing->command.seal->person, std::nullopt};
    if (ensured.ok()) {
      auto request = seal(*sealing);
      if (request.ok()) {
        result.request = std::move(*request);
      } else {
        seals_fail.failed(fmt::format("person={} fault=\"{}\"",
                                      sealing->command.seal->person.text(),
                                      one_line(request.error().what)));
      }
    }
    done.add(client, std::move(result));
  }
  done.send();
  for (auto& [client, job] : group) {
    // Where it fails the key stays unsettled, and the next start asks for its person.
    if (auto* over = std::get_if<SettleJob>(&job)) (void)vault_.settle(over->person, over->verdict);
  }
}

Result<Request, Fault> VaultWorker::seal(SealJob& job) {
  const auto& work = *job.command.seal;
  std::optional<Sealed> email, name, address;
  const auto seal_one = [&](const std::optional<std::string>& plain,
                            std::optional<Sealed>& sealed) -> Status {
    // Nothing given stays nothing: an empty name is no name.
    if (!plain) return Done{};
    if (plain->empty()) {
      sealed = Sealed{};
      return Done{};
    }
    auto result = vault_.seal(work.person, *plain);
    if (!result.ok() && is_destroyed(vault_, work.person)) {
      // An erased person: the engine knows, and answers (a repeat gets its first answer).
      sealed = Sealed{};
      return Done{};
    }
    if (!result.ok()) return result.error();
    sealed = std::move(*result);
    return Done{};
  };
  for (const auto& status :
       {seal_one(work.email, email), seal_one(work.name, name), seal_one(work.address, address)})
    if (!status.ok()) return status.error();
  put_sealed(job.command.request.op, std::move(email), std::move(name), std::move(address));
  return std::move(job.command.request);
}

}  // namespace souk
