// What an operator may say, as fields.h has it for customers.
#include <array>

#include "cluster/control/command.h"
#include "cluster/rendezvous.h"
#include "gateway/api/commands/fields.h"

namespace souk {
namespace {

constexpr std::array<std::string_view, 12> operator_words = {
    "move", "drain", "cordon", "uncordon",  "weight", "zone",
    "pin",  "unpin", "forget", "rebalance", "cancel", "note"};

constexpr std::int64_t bytes(std::size_t count) { return static_cast<std::int64_t>(count); }

constexpr std::array operator_fields = {
    Field{.id = FieldId::command,
          .name = "command",
          .type = FieldType::word,
          .need = Need::required,
          .about = "what shall be done",
          .words = operator_words},
    Field{.id = FieldId::node,
          .name = "node",
          .type = FieldType::line_text,
          .min = 1,
          .max = bytes(cluster::node_name_bytes_max),
          .about =
              "a node's name: of move and pin (to which), drain, cordon, uncordon, weight, zone "
              "and forget"},
    Field{.id = FieldId::shard,
          .name = "shard",
          .type = FieldType::integer,
          .max = bytes(cluster::shards_max) - 1,
          .about = "of move, pin and unpin"},
    Field{.id = FieldId::weight,
          .name = "weight",
          .type = FieldType::integer,
          .min = 1,
          .max = cluster::weight_max,
          .about = "of weight: a node of weight 2 has twice the shards of one of weight 1"},
    Field{.id = FieldId::zone,
          .name = "zone",
          .type = FieldType::line_text,
          .max = bytes(cluster::zone_bytes_max),
          .about = "of zone: owner and standby are in different ones; empty is one as any other"},
    Field{.id = FieldId::number,
          .name = "number",
          .type = FieldType::integer,
          .min = 1,
          .max = INT64_MAX,
          .about = "of cancel: of a move that is under way"},
    Field{.id = FieldId::note,
          .name = "note",
          .type = FieldType::line_text,
          .min = 1,
          .max = bytes(cluster::note_bytes_max),
          .about = "of note: a line for the history"},
    Field{.id = FieldId::who,
          .name = "who",
          .type = FieldType::line_text,
          .need = Need::required,
          .min = 1,
          .max = bytes(cluster::who_bytes_max),
          .about = "who wants it, for the history: ann@desk"},
};

constexpr CommandShape shape{Action::cluster_command, "cluster_command",           HttpMethod::post,
                             "/v1/cluster/moves",     "Do what an operator wants", operator_fields,
                             Minimal::keeps_body};

}  // namespace

const CommandShape& operator_shape() { return shape; }

}  // namespace souk
