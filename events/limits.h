#pragma once
/// Every limit of the engine, in one place. Each is tested at the limit and one past it.
#include <cstddef>
#include <cstdint>

namespace souk::limits {
// What a customer may send.
inline constexpr std::int64_t quantity_max = 1'000'000;
inline constexpr std::int64_t price_micros_max = 9'999'999'999'999'999;  // 9,999,999,999.999999
inline constexpr std::size_t sku_bytes_max = 64;
inline constexpr std::size_t name_bytes_max = 512;
inline constexpr std::size_t brand_bytes_max = 512;
inline constexpr std::size_t description_bytes_max = 16 * 1024;
inline constexpr std::size_t category_depth_max = 16;
inline constexpr std::size_t category_bytes_max = 256;
inline constexpr std::size_t attributes_max = 64;
inline constexpr std::size_t attribute_name_bytes_max = 64;
inline constexpr std::size_t attribute_value_bytes_max = 512;
inline constexpr std::size_t images_max = 20;
inline constexpr std::size_t image_bytes_max = 2'048;
inline constexpr std::size_t group_bytes_max = sku_bytes_max;
inline constexpr std::size_t options_max = 10;
inline constexpr std::size_t reference_bytes_max = 256;
inline constexpr std::size_t email_bytes_max = 254;
inline constexpr std::size_t person_name_bytes_max = 512;
inline constexpr std::size_t address_bytes_max = 4 * 1024;
inline constexpr std::size_t payment_token_bytes_max = 128;
inline constexpr std::size_t idempotency_key_bytes_max = 255;
inline constexpr std::size_t cart_lines_max = 2'000;
inline constexpr std::int64_t stock_max = 1'000'000'000'000;  // on hand, per SKU

// What an entity keeps.
inline constexpr std::size_t answers_per_entity_max = 64;
inline constexpr std::int64_t answer_kept_ms = 24LL * 60 * 60 * 1000;
inline constexpr std::size_t returns_per_order_max = 256;
inline constexpr std::size_t refunds_per_order_max = 256;
inline constexpr std::size_t user_orders_page_max = 100;
inline constexpr std::size_t cart_undo_max = 4'096;
inline constexpr std::int64_t position_wait_ms = 2'000;

// What the log takes.
inline constexpr std::size_t batch_events_max = 4'096;
inline constexpr std::size_t batch_bytes_max = 8 * 1024 * 1024;
inline constexpr std::size_t shards_max = 4'096;
}  // namespace souk::limits
