// How the read models stand, as JSON.
#include <fmt/format.h>

#include "gateway/api/edge/text.h"
#include "gateway/api/reads/read_side.h"

namespace souk {
namespace {

void append_text(std::string& out, std::string_view name, std::string_view value) {
  fmt::format_to(std::back_inserter(out), ",\"{}\":", name);
  append_json_string(out, value);
}

void append_status(std::string& out, const ProjectionStatus& s) {
  out += "{\"name\":";
  append_json_string(out, s.name);
  fmt::format_to(std::back_inserter(out),
                 R"(,"version":{},"state":"{}","lag_events":{},"lag_seconds":{:.3f},)"
                 R"("events_per_second":{:.0f},"stuck":{})",
                 s.version, name_of(s.state), s.lag_events, s.lag_seconds, s.events_per_second,
                 s.stuck);
  append_text(out, "position", position_text(s.positions));
  if (!s.fault.empty()) append_text(out, "fault", s.fault);
  if (s.rebuild)
    fmt::format_to(std::back_inserter(out),
                   R"(,"rebuild":{{"done":{},"total":{},"events_per_second":{:.0f}}})",
                   s.rebuild->done, s.rebuild->total, s.rebuild->events_per_second);
  if (!s.last_rebuild.empty()) append_text(out, "last_rebuild", s.last_rebuild);
  out += ",\"stale\":";
  append_list(out, s.stale, [&](const Stale& stale) {
    out += "{\"entity\":";
    append_json_string(out, stale.entity.text());
    append_text(out, "event", position_text(stale.shard, stale.seq));
    append_text(out, "why", stale.why);
    out += ",\"at\":";
    append_time(out, stale.at);
    fmt::format_to(std::back_inserter(out), ",\"held\":{}}}", stale.held);
  });
  out += '}';
}

}  // namespace

std::string projections_json(const ProjectionSet& set) {
  std::string out = "{\"projections\":";
  append_list(out, set.statuses(), [&](const auto& status) { append_status(out, status); });
  return out + '}';
}

}  // namespace souk
