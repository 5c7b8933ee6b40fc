#pragma once
/// Events as people read them: JSON, with ids, amounts and times as texts.
///
/// What is sealed is left out unless it is asked for, and the payment's token always: nothing here is
/// personal or a secret.
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "events/event.h"

namespace souk {

/// By Payload::index(), e.g. `order_placed`.
extern const std::array<std::string_view, std::variant_size_v<Payload>> event_type_names;
std::string_view event_type_text(const Payload& payload);
/// Payload::index() of a name; nothing where no event is called so.
std::optional<std::size_t> parse_event_type(std::string_view name);

/// As in URLs: `o01234...`, or the SKU.
std::string entity_id_text(const EntityKey& entity);
/// What `entity_id_text` made of an entity of this kind; nothing for all else.
std::optional<EntityKey> parse_entity(Kind kind, std::string_view id);

/// The event's own members as one JSON object, in the order of events/event.h, on one line.
/// Shapes: amounts `{"amount":"12.50","currency":"GBP"}`, or `"12.50"` where the event has no
///         currency of its own; times RFC 3339; 64-bit hashes 16 hexadecimal digits; members that
///         are not set are left out. Texts are valid UTF-8 as the log's are.
/// `base64`: what is sealed is there as the log has it, which only the person's key opens.
enum class SealedMembers : std::uint8_t { left_out, base64 };
void append_event_json(std::string& out, const Payload& payload,
                       SealedMembers sealed = SealedMembers::left_out);
std::string event_json(const Payload& payload);

/// ok, created or refused.
std::string_view outcome_text(Outcome outcome);
/// Lower case, two digits a byte; of a number 16.
std::string hex_text(std::string_view bytes);
std::string hex_text(std::uint64_t number);

/// An event with all that the log says of it, as one object on one line without its end: the columns
/// of the table `events` of SQL (shard, seq, at, type, entity_type, entity, cause, correlation,
/// idempotency, outcome, data), `data` being an object.
void append_event_line(std::string& out, ShardId shard, Seq seq, const Transaction& transaction,
                       const Event& event, SealedMembers sealed);

}  // namespace souk
