#pragma once
/// What a request says beside its path and its body.
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "actors/ports/request.h"
#include "gateway/api/edge/problem.h"
#include "gateway/http/server.h"

namespace souk {

/// How a command is to be carried out and answered.
struct Conditions {
  std::string_view key;                                // the idempotency key; empty: none
  std::shared_ptr<const Preconditions> preconditions;  // null: none
  Wants wants = Wants::body;
  bool wait_final = false;
};

/// Reads Idempotency-Key, If-Match, If-None-Match and Prefer.
/// Errors: 422 invalid_request; the path is the header's name.
bool read_conditions(const HttpRequest& request, Conditions& out, Problem& problem);
/// 1 to 255 printable ASCII characters.
bool is_idempotency_key(std::string_view key);
/// One entity tag or several with commas: `"3"` is version 3; another form in quotes one that no
/// entity has. Or `*`: any. `weak`: whether `W/"3"` is version 3 as well (If-None-Match), or none.
/// False where it is no list of entity tags.
enum class Weak : std::uint8_t { counts, never };
bool read_entity_tags(std::string_view header, Weak weak, Preconditions::Of& of,
                      std::vector<Version>& versions);
/// If-None-Match names `version` (weakly or not), or is `*`.
/// `beside`: as Reply's beside_version; the tag is then `"3-7"`.
bool none_match_names(std::string_view header, Version version, Version beside = 0);

/// Souk-Min-Position: `shard:seq`, several with commas.
struct MinPosition {
  ShardId shard;
  Seq seq = 0;
};
/// False where it is malformed, or a shard is not below `shards`.
bool read_min_position(std::string_view header, std::uint32_t shards,
                       std::vector<MinPosition>& out);

/// What a query asks its rows in: CSV where Accept wants it (`text/csv` or `text/*`) no less than
/// JSON; JSON where it wants neither.
enum class AnswerForm : std::uint8_t { json, csv };
AnswerForm answer_form_of(std::string_view accept);

enum class MediaType { none, json, ndjson, capnp, other };
MediaType media_type_of(const HttpRequest& request);
Problem unsupported_media_type(std::string_view wanted);

}  // namespace souk
