#pragma once
/// What `souk sql` can read: the tables, their columns and what they mean.
#include <span>
#include <string_view>

namespace souk {

struct SqlColumnDoc {
  std::string_view name, meaning;
};
struct SqlTableDoc {
  std::string_view name, meaning;
  std::span<const SqlColumnDoc> columns;
};

/// All of them; `souk sql --tables` prints this.
std::span<const SqlTableDoc> sql_tables();

}  // namespace souk
