// A damaged block of states/ is no reason to refuse anything: what it held is in the journal.
#include <fstream>
#include <iterator>

#include "tests/node/life.h"

using namespace souk;
using namespace souk::test;

namespace {

constexpr std::uint8_t carts = 240;

EngineOptions little_memory() {
  EngineOptions options;
  options.memory_bytes = 4096;
  return options;
}

std::vector<std::string> documents(Life& life) {
  std::vector<std::string> all;
  for (std::uint8_t number = 1; number <= carts; ++number) {
    const auto shard = static_cast<std::uint8_t>(number % 4);
    const Reply reply = life.ask(GetCart{cart_on(shard, number)});
    CHECK(reply.code == ReplyCode::ok);
    all.push_back(reply.body.json);
  }
  return all;
}

/// Sells for a while and ends as it should; then once more, so that its states are in a table.
std::vector<std::string> made(const fs::path& folder) {
  TestProvider provider(TestProvider::Manner::answers_at_once);
  std::vector<std::string> shown;
  {
    Life life(folder, provider);
    life.node->run();
    const Sku sku = *Sku::parse("tea");
    ProductDefined product;
    product.name = "Tea";
    product.price = {Micros{1'000'000}, *Currency::parse("GBP")};
    REQUIRE(life.ask(PutProduct{sku, product}).code == ReplyCode::created);
    for (std::uint8_t number = 1; number <= carts; ++number) {
      const CartId cart = cart_on(static_cast<std::uint8_t>(number % 4), number);
      REQUIRE(life.ask(OpenCart{.cart = cart, .user = {}, .currency = {}}).code ==
              ReplyCode::created);
      REQUIRE(
          life.ask(AddItem{.cart = cart, .sku = sku, .quantity = number, .unit_price = {}}).code ==
          ReplyCode::ok);
    }
    shown = documents(life);
    life.node->stop();
  }
  Life again(folder, provider);
  return shown;
}

fs::path largest_table(const fs::path& store) {
  fs::path largest;
  for (const auto& entry : fs::directory_iterator(store)) {
    if (entry.path().extension() == ".sst" &&
        (largest.empty() || entry.file_size() > fs::file_size(largest)))
      largest = entry.path();
  }
  return largest;
}

void flip(const fs::path& file, std::uint64_t at) {
  std::fstream f(file, std::ios::binary | std::ios::in | std::ios::out);
  f.seekg(static_cast<std::streamoff>(at));
  const char byte = static_cast<char>(f.get());
  f.seekp(static_cast<std::streamoff>(at));
  f.put(static_cast<char>(byte ^ 0x10));
}

}  // namespace

TEST_CASE(
    "states: a damaged block that is met while they serve is folded anew, and costs nothing") {
  const TemporaryDirectory home;
  const auto shown = made(home / "data");
  TestProvider provider(TestProvider::Manner::answers_at_once);
  std::uint64_t folded_anew = 0;
  const auto bytes = fs::file_size(largest_table(home / "data" / "states"));
  REQUIRE(bytes > 4096);
  for (std::uint64_t at = 100; at < bytes; at += bytes / 9) {
    INFO("byte ", at, " of ", bytes);
    fs::remove_all(home / "hurt");
    fs::copy(home / "data", home / "hurt", fs::copy_options::recursive);
    flip(largest_table(home / "hurt" / "states"), at);
    {
      Life life(home / "hurt", provider, little_memory());
      REQUIRE(life.refused.empty());
      life.node->run();
      CHECK(documents(life) == shown);
      CHECK(documents(life) == shown);
      const Sku sku = *Sku::parse("tea");
      for (std::uint8_t number = 1; number <= 4; ++number) {
        const CartId cart = cart_on(static_cast<std::uint8_t>(number % 4), number);
        CHECK(life.ask(AddItem{.cart = cart, .sku = sku, .quantity = 1, .unit_price = {}}).code ==
              ReplyCode::ok);
      }
      folded_anew += life.node->engine().counters().states_folded_anew;
      life.node->stop();
    }
    // The next start folds all anew: there may be more damage than what was met.
    Life next(home / "hurt", provider, little_memory());
    REQUIRE(next.refused.empty());
    CHECK_FALSE(fs::exists(home / "hurt" / "states" / RocksdbStateStore::damage_note));
  }
  CHECK(folded_anew > 0);
}
