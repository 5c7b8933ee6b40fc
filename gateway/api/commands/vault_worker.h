#pragma once
/// What may block for a disk, off the I/O threads and off the hosts: sealing and opening personal
/// data, and the payment provider's records.
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <variant>
#include <vector>

#include "actors/ports/payment_provider.h"
#include "actors/ports/request.h"
#include "actors/ports/vault.h"
#include "gateway/api/commands/command.h"

namespace souk {

/// Make the person's key where there is none, seal, then hand the request back. Only for what a
/// shard has admitted. `ticket` is the client's.
struct SealJob {
  std::uint64_t ticket = 0;
  PreparedCommand command;
};
/// Open the sealed members of an answer.
struct OpenJob {
  Reply reply;
};
/// The command that asked for the person's key is over. Has no answer.
struct SettleJob {
  PersonId person;
  KeyVerdict verdict;
};
struct RecordJob {
  std::uint64_t ticket = 0;
  OrderId order;
};
using VaultJob = std::variant<SealJob, SettleJob, OpenJob, RecordJob>;

/// The request with its sealed members in place; none where the vault failed: then nothing
/// happened.
struct SealDone {
  std::uint64_t ticket = 0;
  PersonId person;
  std::optional<Request> request;
};
/// A reply without sealed members, ready to be sent.
struct OpenDone {
  Reply reply;
};
struct RecordDone {
  std::uint64_t ticket = 0;
  OrderId order;
  bool failed = false;
  std::optional<PaymentRecord> record;
};
using VaultDone = std::variant<SealDone, OpenDone, RecordDone>;

class VaultClient {
 public:
  virtual ~VaultClient() = default;
  /// Thread: the worker's; must not block.
  virtual void vault_done(std::vector<VaultDone>&& done) = 0;
};

/// Puts sealed bytes where the command wants them.
void put_sealed(Op& op, std::optional<Sealed> email, std::optional<Sealed> name,
                std::optional<Sealed> address);
/// Opens every sealed member into the body: a JSON string, or JSON as it is for a raw one; null
/// where the key was destroyed, and where it or the bytes are damaged or lost.
/// Errors: the vault's but corrupt.
Status open_sealed(Vault& vault, Body& body);

/// Two threads for all I/O threads: one opens and reads records, the other makes keys, seals and
/// settles, so that no reader waits for the disk of those who write. Each takes whatever has
/// gathered as one group; the writer makes the keys of all in one `ensure`.
///
/// Lifecycle: jobs are answered until `stop`, which answers what is queued and ends the threads.
///            Clients live until then.
/// Limits: what is queued is bounded by the callers' tickets.
/// Order: of one kind of job as they came; a settling never overtakes a sealing.
class VaultWorker {
 public:
  VaultWorker(Vault& vault, PaymentProvider& payments);
  ~VaultWorker();
  VaultWorker(const VaultWorker&) = delete;
  VaultWorker& operator=(const VaultWorker&) = delete;

  /// Once or more. Nothing may be enqueued any more.
  void stop();
  /// Thread: any.
  void enqueue(VaultClient& client, std::vector<VaultJob>&& jobs);

 private:
  struct Queued {
    VaultClient* client;
    VaultJob job;
  };
  struct Lane {
    std::mutex mutex;
    std::condition_variable wakeup;
    std::vector<Queued> queue;
    bool ending = false;
    std::thread thread;
  };
  void run(Lane& lane, void (VaultWorker::*work)(std::vector<Queued>&));
  void read(std::vector<Queued>& group);
  void write(std::vector<Queued>& group);
  Result<Request, Fault> seal(SealJob& job);

  Vault& vault_;
  PaymentProvider& payments_;
  Lane readers_, writers_;
};

}  // namespace souk
