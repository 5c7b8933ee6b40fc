#pragma once
/// A whole node in this process, on a real disk, without HTTP and read models: for benchmarks of
/// the engine alone.
#include <condition_variable>
#include <filesystem>
#include <memory>
#include <mutex>
#include <vector>

#include "node/disk_ports.h"

namespace souk::cli {

/// Lifecycle: open; submit and take answers from one thread; close() writes the checkpoint.
class InProcess final : public ReplySink {
 public:
  static Result<std::unique_ptr<InProcess>, Fault> open(const std::filesystem::path& directory,
                                                        const EngineOptions& options);
  ~InProcess() override;

  void submit(std::vector<Request>&& requests) { node_->engine().submit(std::move(requests)); }
  /// Blocks until there are answers.
  std::vector<Reply> take();
  void deliver(std::vector<Reply>&& replies) override;
  void close();

  const EngineCounters& counters() const { return node_->engine().counters(); }
  const RecoveryReport& recovery() const { return node_->recovery(); }
  std::uint32_t shards() const { return ports_->shards(); }
  Randomness& randomness() { return ports_->ports().randomness; }
  /// A request of this client with a random cause.
  Request request(Op op, std::uint64_t ticket);

 private:
  explicit InProcess(std::unique_ptr<DiskPorts> ports) : ports_(std::move(ports)) {}

  std::mutex mutex_;
  std::condition_variable arrived_;
  std::vector<Reply> replies_;

  std::unique_ptr<DiskPorts> ports_;
  std::unique_ptr<Node> node_;  // ends first
  std::uint16_t sink_ = 0;
};

}  // namespace souk::cli
