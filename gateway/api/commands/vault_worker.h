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

/// Seal, then hand the request back. `ticket` is the client's.
struct SealJob {
  std::uint64_t ticket = 0;
  PreparedCommand command;
};
/// Open the sealed members of an answer.
struct OpenJob {
  Reply reply;
};
struct RecordJob {
  std::uint64_t ticket = 0;
  OrderId order;
};
using VaultJob = std::variant<SealJob, OpenJob, RecordJob>;

/// The request with its sealed members in place; none where the vault failed: then nothing
/// happened.
struct SealDone {
  std::uint64_t ticket = 0;
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

/// One thread for all I/O threads. Takes whatever has gathered as one group: answers and records
/// first, then one `ensure` for all persons of the group and the seals, in the order they came.
///
/// Lifecycle: jobs are answered until `stop`, which answers what is queued and ends the thread.
///            Clients live until then.
/// Limits: what is queued is bounded by the callers' tickets.
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
  void run();
  void work(std::vector<Queued>& group);
  Result<Request, Fault> seal(SealJob& job);

  Vault& vault_;
  PaymentProvider& payments_;
  std::mutex mutex_;
  std::condition_variable wakeup_;
  std::vector<Queued> queue_;
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace souk
