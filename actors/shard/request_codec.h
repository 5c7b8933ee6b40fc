#pragma once
/// The bytes of a client's request on its way to the node that owns the shard, and of the answer on
/// its way back (schema/peers.capnp). What shards send each other has its own: envelope.h.
///
/// Nodes of two builds understand each other as far as they can: commands, operations, codes and
/// refusals go by numbers and names that never change, and what only the newer one knows is refused.
#include <string>
#include <string_view>

#include "actors/ports/request.h"
#include "events/result.h"

namespace souk {

/// All of it but `reply_to`: who waits is the link's to know. The same request gives the same bytes.
/// REQUIRES: a client's request (request.reply_to.who is not process), as the edge admits it.
/// Limits: below 1 MiB; an add-to-cart has about 200 bytes.
/// Thread: any.
std::string encode(const Request& request);

/// What `encode` wrote, by this build or another, with nobody to reply to. Whatever the bytes are,
/// what was decoded has the limits and the form that the edge asks for. Left to the sender's edge is
/// what takes more knowledge: countries, currencies that can be paid, what the seals hold. Left to
/// the caller: whether the shard is its own, since an id may name one that is nowhere.
/// Errors: corrupt      encode() cannot have made it.
///         unsupported  a command that only a newer build knows.
/// Thread: any. `bytes` need not be aligned.
Result<Request, Fault> decode_request(std::string_view bytes);

/// All of it but `ticket`: the link has its own.
/// REQUIRES: reply.op < op_count; a body below 256 MiB.
/// Thread: any.
std::string encode(const Reply& reply);

/// What `encode` wrote, with ticket 0. The sealed members of the body stand in it where they say; its
/// text is not looked into.
/// Errors: corrupt      encode() cannot have made it.
///         unsupported  a code, a refusal, a status or an operation that only a newer build knows.
/// Thread: any. `bytes` need not be aligned.
Result<Reply, Fault> decode_reply(std::string_view bytes);

}  // namespace souk
