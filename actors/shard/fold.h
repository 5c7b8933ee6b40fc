#pragma once
/// What one event of a transaction makes of the entity that it is about: its rules' `evolve`, and
/// the answer that is kept for a repeat of the command. Pure; the same log gives the same states.
#include <vector>

#include "actors/shard/hosted.h"
#include "events/event.h"

namespace souk {

/// What the entity has no room for any more and must be kept beside it.
struct LeftBeside {
  Beside what = Beside::answer;
  std::uint64_t number = 0;  // as beside() takes it
  KeyState state;
};
using AllLeft = std::vector<LeftBeside>;

/// `index`: of the event in the transaction. `left` gets what is to be kept beside the entity.
/// REQUIRES: the event is of the hosted entity, and newer than all that it holds.
void fold(Hosted<CartState>& hosted, const Transaction& transaction, std::size_t index, Seq seq,
          AllLeft& left);
void fold(Hosted<SkuState>& hosted, const Transaction& transaction, std::size_t index, Seq seq,
          AllLeft& left);
void fold(Hosted<UserState>& hosted, const Transaction& transaction, std::size_t index, Seq seq,
          AllLeft& left);
void fold(Hosted<OrderState>& hosted, const Transaction& transaction, std::size_t index, Seq seq,
          AllLeft& left);
void fold(Hosted<EmailState>& hosted, const Transaction& transaction, std::size_t index, Seq seq,
          AllLeft& left);
void fold(Hosted<KeyState>& hosted, const Transaction& transaction, std::size_t index, Seq seq,
          AllLeft& left);

}  // namespace souk
