#pragma once
/// Answers to requests: to clients with the document that they want, to processes with what became
/// of their step. Each request is answered once, when what it saw is durable.
/// Thread: its shard's.
#include <vector>

#include "actors/shard/commit_gate.h"
#include "actors/shard/repeats.h"

namespace souk {

enum class Replayed : std::uint8_t { no, yes };

class Responder {
 public:
  Responder(ShardId id, const Presenter& presenter, Residency& entities, CommitGate& gate)
      : id_(id), presenter_(presenter), entities_(entities), gate_(gate) {}

  Reply reply_to(const Request& request, ReplyCode code) const;
  /// `depends_on`: the newest event that the answer shows.
  void answer(const Request& request, Reply&& reply, Seq depends_on);
  void answer(const Request& request, ReplyCode code, Seq depends_on) {
    answer(request, reply_to(request, code), depends_on);
  }
  void unavailable(const Request& request) { answer(request, ReplyCode::unavailable, 0); }
  /// Of the request's target: there is none, or it is erased or without a definition.
  void not_found(const Request& request);
  void refused(const Request& request, Refused refused, Seq depends_on);
  /// The document as it was at `version`, where the request wants one.
  void respond(const Request& request, ReplyCode code, Version version, Seq seq, Replayed replayed,
               std::vector<ShardId> also_on = {}, const Past& past = {});
  /// As respond(), with what else the caller put into `reply`.
  void show(const Request& request, Reply&& reply, Version version, Seq seq, const Past& past = {});

 private:
  const ShardId id_;
  const Presenter& presenter_;
  Residency& entities_;
  CommitGate& gate_;
};

}  // namespace souk
