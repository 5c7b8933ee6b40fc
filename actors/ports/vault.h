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

/// What became of the command that a key was asked for.
enum class KeyVerdict : std::uint8_t {
  recorded,  // the log has it: the key stays
  refused,   // it left nothing
  absent,    // of a key that a former run left unsettled: the log does not know this person
};

class Vault {
 public:
  virtual ~Vault() = default;
  /// Makes keys for those who have none yet; durable when it returns. One sync for all. A new key
  /// is *unsettled*: each command that asked for it must be settled. A person named n times is
  /// asked for by n commands. Errors: unavailable, full. Thread: any; blocks for the disk.
  virtual Status ensure(const std::vector<PersonId>& persons) = 0;
  /// One command that asked for the person's key is over. An unsettled key goes when all of them
  /// were refused, and stays for ever with the first that is recorded. Nothing for settled keys.
  /// Lost by a crash; then the person is among `unsettled` again.
  /// Errors: unavailable, full: it stays unsettled.
  /// Thread: any; may write, never syncs.
  virtual Status settle(const PersonId& person, KeyVerdict verdict) = 0;
  /// Whose keys a former run left unsettled, to be asked for in the log and settled.
  virtual std::vector<PersonId> unsettled() = 0;
  /// XChaCha20-Poly1305 with a random nonce; `person` is authenticated with it.
  /// Errors: unavailable where the person has no key (call ensure before, or it was destroyed).
  /// Thread: any; may read the disk.
  virtual Result<Sealed, Fault> seal(const PersonId& person, std::string_view plain) = 0;
  /// Nothing where the key was destroyed. Errors: corrupt where key or bytes are damaged or lost.
  virtual Result<std::optional<std::string>, Fault> open(const PersonId& person,
                                                         const Sealed& sealed) = 0;
  /// For ever: none of these opens anything again, and no user among them ever gets another key.
  /// Ok also where there is no key (any more). Durable when it returns: one write and one sync,
  /// whatever the number.
  /// Errors: unavailable, full: none or all of them are destroyed; ask again.
  /// Thread: any; blocks for the disk.
  virtual Status destroy(const std::vector<PersonId>& persons) = 0;

  /// Keyed with a secret of the data directory, so that the log alone does not tell guesses.
  /// SipHash-2-4, 64 bits; never 0.
  virtual std::uint64_t keyed_hash(std::string_view bytes) const = 0;
  /// BLAKE2b keyed, 128 bits; `purpose` separates uses ("email", "cart", ...).
  virtual Id128 keyed_hash128(std::string_view purpose, std::string_view bytes) const = 0;
};

}  // namespace souk
