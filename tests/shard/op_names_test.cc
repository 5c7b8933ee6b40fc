#include <doctest/doctest.h>

#include "actors/ports/op_role.h"
#include "actors/shard/shard_io.h"

namespace souk::shard_test {

TEST_CASE("operations: each is found by its name, and by no other") {
  for (std::size_t op = 0; op < op_count; ++op) CHECK(op_named(op_name_at(op)) == op);
  CHECK(op_name(AddItem{}) == op_name_at(op_index<AddItem>));
  CHECK_FALSE(op_named("gift_item"));
  CHECK_FALSE(op_named(""));
}

}  // namespace souk::shard_test
