#include "events/cloud_event.h"

#include <fmt/format.h>

#include "events/event_json.h"
#include "events/json_writer.h"

namespace souk {

std::string cloud_event_source(std::string_view cluster) {
  return fmt::format("/souk/{}", cluster);
}

std::string cloud_event_type(const Payload& payload) {
  const std::string_view name = event_type_text(payload);
  const auto word = name.find('_');
  return fmt::format("souk.{}.{}.v1", name.substr(0, word), name.substr(word + 1));
}

void append_cloud_event(std::string& out, const CloudEventPlace& place, const Event& event) {
  JsonObject object(out);
  object.plain("specversion", "1.0");
  object.plain("id", fmt::format("{}:{}", place.shard.value, place.position));
  object.plain("source", place.source);
  object.plain("type", cloud_event_type(event.payload));
  object.text("subject", entity_id_text(event.entity));
  object.plain("time", to_rfc3339(place.at));
  object.plain("datacontenttype", "application/json");
  object.number("soukshard", place.shard.value);
  object.plain("soukposition", fmt::format("{}", place.position));
  append_event_json(object.key("data"), event.payload);
  object.end();
}

}  // namespace souk
