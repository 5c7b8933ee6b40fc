#include "tools/souk/load/mix.h"

#include <fmt/format.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "tools/souk/audit/parallel.h"
#include "tools/souk/client/api_client.h"

namespace souk::cli {
namespace {

constexpr std::size_t per_chunk = 1'000;
constexpr std::size_t connections = 4;
constexpr auto settle_within = std::chrono::seconds(30);

template <class Append>
Outcome<std::vector<BatchAnswer>> send_each(BatchSender& sender, std::size_t first,
                                            std::size_t last, std::string_view id_member,
                                            const Append& append) {
  CommandBatch batch;
  for (std::size_t i = first; i < last; ++i) append(batch, i);
  auto answers = sender.send(batch, id_member);
  if (!answers) return answers.error();
  for (const BatchAnswer& answer : *answers)
    if (answer.status >= 300)
      return Failure{ExitCode::refused,
                     fmt::format("preparing: {} {} {}", answer.status, answer.code, answer.detail)};
  return answers;
}

template <class Each>
Outcome<Done> in_chunks(const Url& url, std::size_t count, const Each& each) {
  return in_parallel(url, connections, (count + per_chunk - 1) / per_chunk,
                     [&](BatchSender& sender, std::size_t i) -> Outcome<Done> {
                       return each(sender, i * per_chunk, std::min(count, (i + 1) * per_chunk));
                     });
}

}  // namespace

std::optional<MixKind> mix_kind(std::string_view text) {
  if (text == "add-to-cart") return MixKind::add_to_cart;
  if (text == "place-order") return MixKind::place_order;
  if (text == "drop") return MixKind::drop;
  if (text == "read") return MixKind::read;
  return std::nullopt;
}

Mix::Mix(const MixOptions& options, const Url& url)
    : options_(options), url_(url), dice_(options.seed) {
  names_.run = "bench-" + random_key().substr(0, 12);
  if (options_.kind == MixKind::drop) options_.skus = 1;
  if (options_.kind == MixKind::place_order || options_.kind == MixKind::drop) options_.carts = 0;
  for (std::size_t i = 0; i < options_.skus; ++i)
    names_.skus.push_back(fmt::format("{}-{}", names_.run, i));
  sold_.resize(options_.skus);
  carts_.resize(options_.carts);
  added_.resize(options_.carts);
}

Outcome<Done> Mix::prepare() {
  auto done = in_chunks(
      url_, names_.skus.size(), [&](BatchSender& sender, auto first, auto last) -> Outcome<Done> {
        auto put = send_each(sender, first, last, {}, [&](CommandBatch& batch, std::size_t i) {
          batch.begin("put_product")
              .text("sku", names_.skus[i])
              .text("name", "Benchmark " + std::to_string(i));
          batch.raw("price", "{\"amount\":\"1.25\",\"currency\":\"GBP\"}").minimal().end();
        });
        if (!put) return put.error();
        auto received = send_each(sender, first, last, {}, [&](CommandBatch& batch, std::size_t i) {
          batch.begin("receive_stock")
              .text("sku", names_.skus[i])
              .number("quantity", options_.stock);
          batch.text("reference", "bench").key(names_.run).minimal().end();
        });
        if (!received) return received.error();
        return Done{};
      });
  if (!done) return done;
  done = in_chunks(
      url_, carts_.size(), [&](BatchSender& sender, auto first, auto last) -> Outcome<Done> {
        auto opened =
            send_each(sender, first, last, "cart_id", [&](CommandBatch& batch, std::size_t i) {
              batch.begin("open_cart").key(fmt::format("{}-cart-{}", names_.run, i)).end();
            });
        if (!opened) return opened.error();
        for (std::size_t i = first; i < last; ++i) carts_[i] = std::move((*opened)[i - first].id);
        return Done{};
      });
  if (!done) return done;
  for (std::size_t i = 0; i < carts_.size(); ++i) cart_numbers_[carts_[i]] = i;
  return Done{};
}

LoadCommand Mix::next() {
  LoadCommand command{.number = ++numbers_};
  const auto any_sku = [&] { return static_cast<std::uint32_t>(dice_.below(names_.skus.size())); };
  switch (options_.kind) {
    case MixKind::add_to_cart:
      command.kind = LoadCommand::Kind::add_item;
      command.cart = &carts_[dice_.below(carts_.size())];
      command.skus[0] = any_sku();
      command.lines = 1;
      break;
    case MixKind::read:
      command.kind =
          dice_.in_1000(500) ? LoadCommand::Kind::get_cart : LoadCommand::Kind::get_product;
      command.cart = &carts_[dice_.below(carts_.size())];
      command.skus[0] = any_sku();
      break;
    case MixKind::drop:
      command.kind = LoadCommand::Kind::place_order;
      command.lines = 1;
      break;
    case MixKind::place_order:
      command.kind = LoadCommand::Kind::place_order;
      command.lines = LoadCommand::lines_max;
      for (auto& sku : command.skus) sku = any_sku();
      break;
  }
  return command;
}

void Mix::sold(const LoadCommand& command) {
  ++confirmed_;
  for (std::size_t i = 0; i < command.lines; ++i) ++sold_[command.skus[i]];
}

void Mix::took(const LoadCommand& command, const LoadAnswer& answer) {
  if (answer.status < 200 || answer.status >= 300) return;
  if (command.kind == LoadCommand::Kind::add_item) ++added_[cart_numbers_.at(*command.cart)];
  if (command.kind != LoadCommand::Kind::place_order) return;
  if (answer.confirmed) {
    sold(command);
  } else if (answer.pending) {
    pending_.emplace_back(answer.order_id, command);
  } else {
    ++rejected_;
  }
}

/// Asks again, with the same keys, what became of commands whose answer was lost; waits for orders
/// that were pending.
Outcome<Done> Mix::settle(Wire wire, const std::vector<LoadCommand>& lost) {
  HttpClient client(url_);
  const auto deadline = std::chrono::steady_clock::now() + settle_within;
  const auto patience = [&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    return std::chrono::steady_clock::now() < deadline;
  };
  for (const LoadCommand& command : lost) {
    // Sent as it was, in the same form: a key with another body would be a conflict.
    const std::string request = render(url_, names_, wire, {&command, 1});
    while (true) {
      auto answer = client.send(request);
      auto read = answer ? read_answers(wire, *answer, 1) : std::nullopt;
      if (read && read->front().status != 503 && read->front().status != 429) {
        took(command, read->front());
        break;
      }
      if (!patience()) return Failure{ExitCode::refused, "lost commands stay without an answer"};
    }
  }
  BatchSender sender(url_);
  for (const auto& [id, command] : pending_) {
    while (true) {
      auto order = sender.read("/v1/orders/" + id);
      if (!order) return order.error();
      const std::string& status = (*order)["status"].text();
      if (status == "confirmed") sold(command);
      if (status == "rejected") ++rejected_;
      if (status != "pending") break;
      if (!patience()) return Failure{ExitCode::refused, "order " + id + " stays pending"};
    }
  }
  return Done{};
}

Outcome<Promise> Mix::stock_adds_up() {
  Promise promise{.what = "stock adds up: received - confirmed = on hand, and nothing is reserved"};
  std::mutex mutex;
  std::string wrong;
  std::atomic<std::size_t> count{0};
  auto done = in_chunks(
      url_, names_.skus.size(), [&](BatchSender& sender, auto first, auto last) -> Outcome<Done> {
        for (std::size_t i = first; i < last; ++i) {
          const auto deadline = std::chrono::steady_clock::now() + settle_within;
          while (true) {  // a release may still be on its way
            auto stock = sender.read("/v1/inventory/" + names_.skus[i]);
            if (!stock) return stock.error();
            const bool holds = (*stock)["on_hand"].integer() == options_.stock - sold_[i] &&
                               (*stock)["reserved"].integer() == 0 &&
                               !(*stock)["reserved"].is_null();
            if (holds) break;
            if (std::chrono::steady_clock::now() < deadline && count == 0) {
              std::this_thread::sleep_for(std::chrono::milliseconds(50));
              continue;
            }
            const std::lock_guard lock(mutex);
            if (count++ == 0)
              wrong = fmt::format("{}: received {}, confirmed {}, on hand {}, reserved {}",
                                  names_.skus[i], options_.stock, sold_[i],
                                  (*stock)["on_hand"].text(), (*stock)["reserved"].text());
            break;
          }
        }
        return Done{};
      });
  if (!done) return done.error();
  promise.held = count == 0;
  if (!promise.held)
    promise.detail =
        fmt::format("{} of {} SKUs, such as {}", count.load(), names_.skus.size(), wrong);
  return promise;
}

Outcome<Promise> Mix::carts_hold_what_was_added() {
  Promise promise{.what = "every cart holds each acknowledged piece, once"};
  std::mutex mutex;
  auto done = in_chunks(
      url_, carts_.size(), [&](BatchSender& sender, auto first, auto last) -> Outcome<Done> {
        for (std::size_t i = first; i < last; ++i) {
          auto cart = sender.read("/v1/carts/" + carts_[i]);
          if (!cart) return cart.error();
          std::int64_t pieces = 0;
          for (const Json& line : (*cart)["lines"].items()) pieces += line["quantity"].integer();
          const std::lock_guard lock(mutex);
          if (pieces != added_[i] && promise.detail.empty())
            promise.detail =
                fmt::format("cart {}: {} acknowledged, {} there", carts_[i], added_[i], pieces);
        }
        return Done{};
      });
  if (!done) return done.error();
  promise.held = promise.detail.empty();
  return promise;
}

Outcome<std::vector<Promise>> Mix::check(Wire wire, const std::vector<LoadCommand>& lost) {
  if (auto settled = settle(wire, lost); !settled) return settled.error();
  std::vector<Promise> promises;
  auto stock = stock_adds_up();
  if (!stock) return stock.error();
  promises.push_back(*stock);
  if (options_.kind == MixKind::drop) {
    const auto limit = static_cast<std::uint64_t>(options_.stock);
    promises.push_back({.what = "no more is sold than there was",
                        .held = confirmed_ <= limit,
                        .detail = fmt::format("{} confirmed of {}", confirmed_, limit)});
  }
  if (options_.kind == MixKind::add_to_cart) {
    auto carts = carts_hold_what_was_added();
    if (!carts) return carts.error();
    promises.push_back(*carts);
  }
  return promises;
}

}  // namespace souk::cli
