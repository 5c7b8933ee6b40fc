#include "tools/souk/load/inprocess.h"

namespace souk::cli {

Result<std::unique_ptr<InProcess>, Fault> InProcess::open(const std::filesystem::path& directory,
                                                          const EngineOptions& options) {
  auto ports = DiskPorts::open({.directory = directory, .shards = options.shards});
  if (!ports.ok()) return ports.error();
  std::unique_ptr<InProcess> p(new InProcess(std::move(*ports)));
  NodeOptions node_options;
  node_options.engine = options;
  auto node = Node::recover(std::move(node_options), p->ports_->ports());
  if (!node.ok()) return node.error();
  p->node_ = std::move(*node);
  if (auto s = p->ports_->raise_format(); !s.ok()) return s.error();
  p->sink_ = p->node_->engine().add_sink(*p);
  p->node_->run();
  return p;
}

InProcess::~InProcess() { close(); }

void InProcess::close() {
  if (node_) node_->stop();
}

Request InProcess::request(Op op, std::uint64_t ticket) {
  Request r{
      .op = std::move(op),
      .reply_to = {.who = ReplyTo::Who::client, .sink = sink_, .ticket = ticket, .entity = {}}};
  r.cause = randomness().id128();
  r.wants = Wants::minimal;
  return r;
}

void InProcess::deliver(std::vector<Reply>&& replies) {
  const std::lock_guard lock(mutex_);
  const bool wake = replies_.empty();
  if (replies_.empty())
    replies_ = std::move(replies);
  else
    replies_.insert(replies_.end(), std::make_move_iterator(replies.begin()),
                    std::make_move_iterator(replies.end()));
  if (wake) arrived_.notify_one();
}

std::vector<Reply> InProcess::take() {
  std::unique_lock lock(mutex_);
  arrived_.wait(lock, [this] { return !replies_.empty(); });
  return std::exchange(replies_, {});
}

}  // namespace souk::cli
