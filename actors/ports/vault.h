#pragma once
/// The keys of persons. Personal data stands in the log only sealed; destroying one small key makes
/// it unreadable for ever, in every copy of the log.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "events/event.h"
#include "events/ids.h"
#include "events/result.h"

namespace souk {

/// Whose key: a user, or a guest's cart or order (an address given without a user).
using PersonId = EntityKey;

class Vault {
 public:
  virtual ~Vault() = default;
  /// Makes keys for those who have none yet; durable when it returns. One sync for all.
  /// Errors: unavailable, full.
  /// Thread: any; blocks for the disk.
  virtual Status ensure(const std::vector<PersonId>& persons) = 0;
  /// XChaCha20-Poly1305 with a random nonce; `person` is authenticated with it.
  /// Errors: unavailable where the person has no key (call ensure before, or it was destroyed).
  /// Thread: any; may read the disk.
  virtual Result<Sealed, Fault> seal(const PersonId& person, std::string_view plain) = 0;
  /// Nothing where the key was destroyed. Errors: corrupt where key or bytes are damaged or lost.
  virtual Result<std::optional<std::string>, Fault> open(const PersonId& person,
                                                         const Sealed& sealed) = 0;
  /// For ever. Ok also where there is no key (any more). Durable when it returns.
  virtual Status destroy(const PersonId& person) = 0;

  /// Keyed with a secret of the data directory, so that the log alone does not tell guesses.
  /// SipHash-2-4, 64 bits; never 0.
  virtual std::uint64_t keyed_hash(std::string_view bytes) const = 0;
  /// BLAKE2b keyed, 128 bits; `purpose` separates uses ("email", "cart", ...).
  virtual Id128 keyed_hash128(std::string_view purpose, std::string_view bytes) const = 0;
};

}  // namespace souk
