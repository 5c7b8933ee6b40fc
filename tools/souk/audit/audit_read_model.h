#pragma once
/// P5 of one read model: it equals the fold of the log at the position that it names.
#include <filesystem>

#include "events/journal/journal.h"
#include "tools/souk/audit/audit.h"

namespace souk::cli {

struct ReadModelFinding {
  ReadModelReport report;
  std::string violation;  // empty: none
};

/// `folder`: the model's in the data directory; it is copied, never opened. `last_seqs`: the log's
/// end by shard. `scratch`: an empty folder, twice as large as the model.
/// Errors: unavailable, full: nothing can be said; unavailable too when the user ends it.
Result<ReadModelFinding, Fault> audit_read_model(
    const ProjectionKind& kind, const std::filesystem::path& folder, Journal& journal,
    const std::vector<Seq>& last_seqs, const std::filesystem::path& scratch, AuditWatch& watch);

}  // namespace souk::cli
