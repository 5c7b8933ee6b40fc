#pragma once
/// What a load is made of, and its three forms on the wire.
#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tools/souk/client/http_client.h"

namespace souk::cli {

/// One command or read of a load. The texts belong to the mix and outlive it.
struct LoadCommand {
  enum class Kind : std::uint8_t { add_item, place_order, get_cart, get_product };
  static constexpr std::size_t lines_max = 3;
  Kind kind = Kind::add_item;
  const std::string* cart = nullptr;
  std::array<std::uint32_t, lines_max> skus{};  // numbers of the mix
  std::size_t lines = 0;
  std::uint64_t number = 0;  // makes its idempotency key
};

/// What became of one.
struct LoadAnswer {
  int status = 0;
  bool confirmed = false;  // an order that is
  bool pending = false;    // an order that was not final yet
  std::string order_id;    // of a pending one
};

/// The names that commands refer to.
struct LoadNames {
  std::string run;  // sets this run's keys apart
  std::vector<std::string> skus;
};

enum class Wire { http, ndjson, capnp };

/// The bytes of a request that carries `commands` (exactly one for Wire::http). Reads go by HTTP
/// only.
std::string render(const Url& url, const LoadNames& names, Wire wire,
                   std::span<const LoadCommand> commands);

/// The answers to `count` commands; nothing where they cannot be read.
std::optional<std::vector<LoadAnswer>> read_answers(Wire wire, const HttpAnswer& answer,
                                                    std::size_t count);

std::string load_key(const LoadNames& names, const LoadCommand& command);

}  // namespace souk::cli
