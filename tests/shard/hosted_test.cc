// The table that a shard keeps its entities in.
#include "actors/shard/hosted.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <map>
#include <set>

using namespace souk;

namespace {

template <class Id>
Id id_of_number(std::uint64_t number);
template <>
CartId id_of_number<CartId>(std::uint64_t number) {
  CartId id;
  std::memcpy(id.raw.bytes.data(), &number, sizeof number);  // the hash is of the other half
  return id;
}
template <>
Sku id_of_number<Sku>(std::uint64_t number) {
  return *Sku::parse("p" + std::to_string(number));
}

/// Against a map, through any sequence of finding, adding and erasing.
template <class State>
void as_a_map() {
  using Id = typename HostedTraits<State>::Id;
  CHECK(rc::check([] {
    Table<State> table;
    std::map<Id, Hosted<State>*> map;
    const auto steps = *rc::gen::container<std::vector<std::pair<int, std::uint8_t>>>(
        rc::gen::pair(rc::gen::inRange(0, 8), rc::gen::arbitrary<std::uint8_t>()));
    for (const auto& [what, number] : steps) {
      const Id id = id_of_number<Id>(number);
      const auto known = map.find(id);
      const std::uint64_t hash = table_hash(EntityKey(id));
      RC_ASSERT(hash == table_hash(table_key(id)));
      table.prefetch_chain(hash);
      table.prefetch_entity(hash);
      table.prefetch_inside(hash);
      RC_ASSERT(table.find(id) == (known == map.end() ? nullptr : known->second));
      if (what == 0) {
        table.erase(id);
        map.erase(id);
      } else if (what == 1 && number == 0) {
        table.clear();
        map.clear();
      } else if (known == map.end()) {
        map[id] = &table.add(id);
      }
      RC_ASSERT(table.size() == map.size());
    }
    std::set<Id> seen;
    table.each([&](Hosted<State>& hosted) {
      RC_ASSERT(map.at(hosted.id) == &hosted);  // it stays where it is
      RC_ASSERT(hosted.kind == HostedTraits<State>::kind);
      RC_ASSERT(seen.insert(hosted.id).second);
    });
    RC_ASSERT(seen.size() == map.size());
  }));
}

}  // namespace

TEST_CASE("hosted: a table of carts, all of one hash, is a map") { as_a_map<CartState>(); }
TEST_CASE("hosted: a table of SKUs is a map") { as_a_map<SkuState>(); }
TEST_CASE("hosted: of many entities each is found, and none that is not there") {
  Table<CartState> table;
  constexpr std::uint64_t count = 20'000;
  for (std::uint64_t i = 0; i < count; ++i) {
    CartId id;
    const std::uint64_t spread = i * 0x9E3779B97F4A7C15ULL;
    std::memcpy(id.raw.bytes.data() + 8, &spread, 8);
    table.add(id).seq = i;
    CHECK(table.find(id)->seq == i);
    id.raw.bytes[0] ^= 1;
    CHECK(table.find(id) == nullptr);
  }
  CHECK(table.size() == count);
}
