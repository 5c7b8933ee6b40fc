// How the read models stand, as JSON.
#include <fmt/format.h>

#include "gateway/api/edge/text.h"
#include "gateway/api/reads/answers.h"

namespace souk {
namespace {

void put_real(JsonObject& out, std::string_view name, double value, int digits) {
  fmt::format_to(std::back_inserter(out.key(name)), "{:.{}f}", value, digits);
}

void append_stale(std::string& out, const Stale& stale) {
  JsonObject one(out);
  one.text("entity", stale.entity.text());
  one.text("event", position_text(stale.shard, stale.seq));
  one.text("why", stale.why);
  append_time(one.key("at"), stale.at);
  one.number("held", stale.held);
  one.end();
}

void append_status(std::string& out, const ProjectionStatus& s) {
  JsonObject status(out);
  status.text("name", s.name);
  status.number("version", s.version);
  status.text("state", name_of(s.state));
  status.number("lag_events", s.lag_events);
  put_real(status, "lag_seconds", s.lag_seconds, 3);
  put_real(status, "events_per_second", s.events_per_second, 0);
  status.truth("stuck", s.stuck);
  status.text("position", position_text(s.positions));
  if (!s.fault.empty()) status.text("fault", s.fault);
  if (s.rebuild) {
    JsonObject rebuild(status.key("rebuild"));
    rebuild.number("done", s.rebuild->done);
    rebuild.number("total", s.rebuild->total);
    put_real(rebuild, "events_per_second", s.rebuild->events_per_second, 0);
    rebuild.end();
  }
  if (!s.last_rebuild.empty()) status.text("last_rebuild", s.last_rebuild);
  std::string& stale = status.key("stale");
  append_list(stale, s.stale, [&](const Stale& one) { append_stale(stale, one); });
  status.end();
}

}  // namespace

std::string projections_json(const ProjectionSet& set) {
  std::string out;
  JsonObject all(out);
  append_list(all.key("projections"), set.statuses(),
              [&](const auto& status) { append_status(out, status); });
  all.end();
  return out;
}

std::string position_text(const std::vector<Seq>& positions) {
  std::string text;
  for (std::uint16_t s = 0; s < positions.size(); ++s) {
    if (positions[s] == 0) continue;
    if (!text.empty()) text += ',';
    text += position_text(ShardId{s}, positions[s]);
  }
  return text;
}

}  // namespace souk
