#pragma once
/// The topics for other systems, and what stands in each. Partition i of a topic has the events of
/// shard i, in their order.
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "events/event.h"

namespace souk {

enum class IntegrationTopic : std::uint8_t { orders = 0, stock = 1, products = 2 };
inline constexpr std::size_t integration_topic_count = 3;
inline constexpr std::array<IntegrationTopic, integration_topic_count> integration_topics = {
    IntegrationTopic::orders, IntegrationTopic::stock, IntegrationTopic::products};

std::string_view name_of(IntegrationTopic topic);
/// `CLUSTER.orders`.
std::string topic_name(IntegrationTopic topic, std::string_view cluster);

/// Where an event goes. Nothing: it is nobody's business outside (users, carts, answers of commands).
std::optional<IntegrationTopic> topic_of(const Payload& payload);

/// A record is not larger: an order of limits::cart_lines_max lines whose names are all escapes.
inline constexpr std::size_t integration_record_bytes_max = 8 * 1024 * 1024;

}  // namespace souk
