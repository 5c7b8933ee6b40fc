#pragma once
/// What one shard sends another, with its sender; and the bytes of it (schema/peers.capnp).
///
/// Every message has an answer and a time after which it is sent again: a step of an order after
/// EngineOptions::payment_retry_ms, one of a user after a second, a question for a price after
/// quote_retry_ms until quote_wait_ms; an answer is never repeated by itself. So any of them may be
/// lost, late or doubled. The creation that a key's shard hands on (shared_names.h) is a client's
/// request: where it is lost, the edge answers at its deadline and the client repeats it.
#include <string>
#include <vector>

#include "actors/shard/shard_io.h"

namespace souk {

/// A message of a sender that another owner of the same shard has followed is dropped: what it
/// asked is asked again by the newer one.
class PeerEpochs {
 public:
  enum class Admits : std::uint8_t { no, yes };
  Admits admit(const Sender& from);

 private:
  std::vector<std::uint64_t> newest_;  // by shard, as far as one was heard of
};

/// Whether it goes from shard to shard as a message of its own (not as a client's request).
bool is_peer_message(const ShardInput& input);

/// REQUIRES: is_peer_message(envelope.content).
std::string encode(const Envelope& envelope);
/// Errors: corrupt, for all that encode() cannot have made.
Result<Envelope, Fault> decode_envelope(std::string_view bytes);

}  // namespace souk
