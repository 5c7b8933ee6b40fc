#pragma once
/// Questions to read models of a node that has none: to another node, and its answer to the client.
/// What they cost and where they go is the relay's: cluster/node/question_relay.h.
#include <cstdint>
#include <map>
#include <mutex>
#include <string_view>
#include <vector>

#include "cluster/node/question_relay.h"
#include "gateway/api/reads/query_worker.h"
#include "gateway/api/reads/question_codec.h"

namespace souk {

class ApiCommon;

/// Who answers what this node has no read models for.
class QuestionPort {
 public:
  virtual ~QuestionPort() = default;
  /// `client` gets the response as query_done, with `ticket`, on whatever thread: also on this one,
  /// before it returns. It lives until the port stops. `cache_control`: of the response, static
  /// storage.
  virtual void ask(QueryClient& client, std::uint64_t ticket, const PeerQuestion& question,
                   std::string_view cache_control) = 0;
};

/// Asks another node.
/// Errors: 503 where none can be reached, there is too much under way, or none answers in time.
class RemoteQuestions final : public QuestionPort {
 public:
  /// `relay` outlives this.
  explicit RemoteQuestions(cluster::QuestionRelay& relay) : relay_(relay) {}
  void ask(QueryClient& client, std::uint64_t ticket, const PeerQuestion& question,
           std::string_view cache_control) override;

 private:
  cluster::QuestionRelay& relay_;
};

/// Answers other nodes: with this one's read models, on its workers, within the same limits as
/// clients of its own.
/// Lifecycle: ApiCommon::stop comes before its end, and outlives it.
/// Thread: any.
class QuestionsOfPeers final : public QueryClient {
 public:
  explicit QuestionsOfPeers(ApiCommon& common) : common_(common) {}
  /// A cluster::Answerer. Nothing is the answer of a node that has no read models, or cannot answer
  /// from them now, ends, or cannot read the question: others may do better.
  void ask(std::string_view question, cluster::AnswerDone done);
  void query_done(std::vector<QueryDone>&& done) override;

 private:
  ApiCommon& common_;
  std::mutex mutex_;  // what follows
  std::uint64_t tickets_ = 0;
  std::map<std::uint64_t, cluster::AnswerDone> waiting_;
};

}  // namespace souk
