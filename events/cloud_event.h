#pragma once
/// An event of the log as a CloudEvent: https://github.com/cloudevents/spec, version 1.0, in the
/// structured JSON form. Other systems read it, so what stands here only grows.
///
///   {"specversion":"1.0","id":"7:1042","source":"/souk/shop","type":"souk.order.placed.v1",
///    "subject":"o0123...","time":"2026-12-01T10:22:10.000Z","datacontenttype":"application/json",
///    "soukshard":7,"soukposition":"1042","data":{...}}
///
/// `id` is shard and position, unique within `source`. `data` is as events/event_json.h writes it:
/// nothing in it is personal. The same event gives the same bytes.
#include <string>
#include <string_view>

#include "events/event.h"
#include "events/ids.h"

namespace souk {

inline constexpr std::string_view cloud_event_content_type = "application/cloudevents+json";

/// Where an event stands in the log.
struct CloudEventPlace {
  std::string_view source;  // a URI reference that names the log; needs no escapes
  ShardId shard;
  Seq position = 0;  // the event's number in its shard
  UnixMs at;         // when the log took it
};

/// `/souk/CLUSTER`.
std::string cloud_event_source(std::string_view cluster);

/// `order_placed` is `souk.order.placed.v1`, `product_taken_off_sale` is
/// `souk.product.taken_off_sale.v1`. A change that old readers would misread makes a v2.
std::string cloud_event_type(const Payload& payload);

/// Appends it on one line. The position is a text: an integer of CloudEvents has 32 bits.
void append_cloud_event(std::string& out, const CloudEventPlace& place, const Event& event);

}  // namespace souk
