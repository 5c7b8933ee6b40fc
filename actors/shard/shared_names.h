#pragma once
/// Names that belong to one owner in the whole shop: addresses of users, and idempotency keys that
/// create. Each is an entity on the shard that its hash names.
#include "actors/shard/desk.h"

namespace souk {

/// A step of some user's process: an address is claimed or freed; the answer goes to it.
void email_step(Desk& desk, const Request& request);

/// First half of a creation with a key on a user's shard: the key belongs to that creation alone.
/// Answers `bound`; the second half is the creation itself. REQUIRES: request.bind.
void bind_key(Desk& desk, Request& request);

/// The creation of the same kind that a guest would have made with this key.
EntityKey guests_twin(const KeyHash& key, const EntityKey& target);

/// The event that bound the key `raw` to a user's creation, where that still holds.
std::optional<Seq> bound_at(Desk& desk, const Id128& raw);

}  // namespace souk
