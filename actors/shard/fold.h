#pragma once
/// What one event of a transaction makes of the entity that it is about: its rules' `evolve`, and
/// the answer that is kept for a repeat of the command. Pure; the same log gives the same states.
#include "actors/shard/hosted.h"
#include "events/event.h"

namespace souk {

/// `index`: of the event in the transaction. REQUIRES: the event is of the hosted entity, and newer
/// than all that it holds.
void fold(Hosted<CartState>& hosted, const Transaction& transaction, std::size_t index, Seq seq);
void fold(Hosted<SkuState>& hosted, const Transaction& transaction, std::size_t index, Seq seq);
void fold(Hosted<UserState>& hosted, const Transaction& transaction, std::size_t index, Seq seq);
void fold(Hosted<OrderState>& hosted, const Transaction& transaction, std::size_t index, Seq seq);
void fold(Hosted<EmailState>& hosted, const Transaction& transaction, std::size_t index, Seq seq);
void fold(Hosted<KeyState>& hosted, const Transaction& transaction, std::size_t index, Seq seq);

}  // namespace souk
