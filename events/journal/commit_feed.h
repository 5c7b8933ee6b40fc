#pragma once
#include <vector>

#include "events/batch.h"

namespace souk {

/// Whoever wants each batch as soon as it is durable: the read side.
class CommitFeed {
 public:
  virtual ~CommitFeed() = default;
  /// What one commit made durable; commits come in their order. A batch whose commit failed and
  /// turned out to be there all the same comes once the journal is settled, before those after it.
  /// Thread: the journal actor's; must not block.
  virtual void committed(std::vector<Batch>&& batches) = 0;
};

}  // namespace souk
