#pragma once
/// Between the events of the rules and their stored form, schema/events.capnp. Cap'n Proto stays in
/// event_encode.cc and event_decode.cc.
#include <string>
#include <string_view>
#include <vector>

#include "events/event.h"
#include "events/result.h"

namespace souk {

/// Appends `transactions` as one souk::schema::Batch message in the flat form (a segment table,
/// then the segments; one segment as a rule). The same transactions give the same bytes.
/// Thread: any.
void append_payload(std::string& out, const std::vector<Transaction>& transactions);

/// About what `transaction` takes in a payload, and at least that. The largest command, a check-out
/// of limits::cart_lines_max lines with the longest names, stays below limits::batch_bytes_max.
/// Thread: any; allocates nothing.
std::size_t estimated_bytes(const Transaction& transaction);
/// Up to where the transactions from `from` on go into one record: as many as stay within
/// limits::batch_events_max events and limits::batch_bytes_max estimated bytes, and at least one.
std::size_t record_end(const std::vector<Transaction>& transactions, std::size_t from);

/// What `append_payload` wrote, by this version or any before it.
/// Limits: limits::batch_events_max events.
/// Errors: corrupt      not such a message: bad pointers, an id of the wrong size, a SKU or
/// currency
///                      that is none, a transaction without events, bytes left over.
///         unsupported  an event or a value that only a newer version knows.
/// Thread: any. `payload` need not be aligned.
Result<std::vector<Transaction>, Fault> decode_payload(std::string_view payload);

}  // namespace souk
