#include "projections/analytics/events_table.h"

#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <limits>
#include <vector>

#include "events/batch.h"
#include "projections/analytics/event_json.h"

namespace souk::analytics {
namespace {

enum Column {
  column_shard,
  column_seq,
  column_at,
  column_type,
  column_entity_type,
  column_entity,
  column_cause,
  column_correlation,
  column_idempotency,
  column_outcome,
  column_data
};

constexpr const char* declaration =
    "CREATE TABLE events(shard INTEGER, seq INTEGER, at TEXT, type TEXT, entity_type TEXT, "
    "entity TEXT, cause TEXT, correlation TEXT, idempotency TEXT, outcome TEXT, data TEXT)";

// What a piece of the journal holds at most: its records are copied out of the scan.
constexpr std::size_t piece_records_max = 256;
constexpr std::size_t piece_bytes_max = 1024 * 1024;
constexpr std::uint32_t looks_apart = 256;  // events skipped between looks at the clock

/// A constraint that narrows what is read. Each is checked again by SQLite, so it may let through
/// too much, never too little.
enum class Use : char {
  shard_is = 'a',
  shard_from = 'b',
  shard_to = 'c',
  seq_is = 'd',
  seq_from = 'e',
  seq_to = 'f',
  entity_is = 'g',
  type_is = 'h',
  at_from = 'i'
};

struct Table : sqlite3_vtab {
  EventsTable* source = nullptr;
};

struct Filter {
  std::int64_t shard_from = 0, shard_to = std::numeric_limits<std::int64_t>::max();
  std::int64_t seq_from = 1, seq_to = std::numeric_limits<std::int64_t>::max();
  std::vector<EntityKey> entities;  // any of them; none: all
  bool by_entity = false;
  std::optional<std::size_t> type;
  bool nothing = false;  // no row can be meant
  std::string at_from;
};

struct Record {
  Seq first_seq = 0;
  std::string bytes;
};

struct Cursor : sqlite3_vtab_cursor {
  Filter filter;
  std::vector<std::uint16_t> shards;  // still to be read, the next one last
  ShardId shard;
  Seq next_seq = 0, last_seq = 0;  // of the shard: what to read next, where to end
  std::vector<Record> piece;
  std::size_t record = 0;
  bool shard_ended = true;
  std::vector<Transaction> transactions;
  std::size_t transaction = 0, index = 0;
  Seq seq = 0;
  std::string at;  // of the transaction
  bool eof = true;
  std::uint32_t skipped = 0;

  const Transaction& now() const { return transactions[transaction]; }
  const Event& event() const { return now().events[index]; }
};

Cursor& cursor_of(sqlite3_vtab_cursor* at) { return *static_cast<Cursor*>(at); }
EventsTable& source_of(const Cursor& cursor) { return *static_cast<Table*>(cursor.pVtab)->source; }

int fail(const Cursor& cursor, const Fault& fault) {
  source_of(cursor).watch.unavailable = fault.what;
  sqlite3_free(cursor.pVtab->zErrMsg);
  cursor.pVtab->zErrMsg = sqlite3_mprintf("the journal: %s", fault.what.c_str());
  return SQLITE_ERROR;
}

// ---- reading on ----

/// Copies the next records of the shard.
Status fetch(Cursor& cursor) {
  cursor.piece.clear();
  cursor.record = 0;
  std::size_t bytes_copied = 0;
  cursor.shard_ended = true;
  return source_of(cursor).journal.scan(
      cursor.shard, cursor.next_seq, [&](Seq first_seq, std::string_view bytes) {
        if (first_seq > cursor.last_seq) return false;
        if (cursor.piece.size() == piece_records_max || bytes_copied > piece_bytes_max) {
          cursor.next_seq = first_seq;
          cursor.shard_ended = false;
          return false;
        }
        bytes_copied += bytes.size();
        cursor.piece.push_back({first_seq, std::string(bytes)});
        return true;
      });
}

/// Decodes the next record that may hold a row. SQLITE_DONE where the shard has none.
int next_record(Cursor& cursor) {
  SqlWatch& watch = source_of(cursor).watch;
  while (true) {
    if (watch.expired()) return SQLITE_INTERRUPT;
    if (cursor.record == cursor.piece.size()) {
      if (cursor.shard_ended) return SQLITE_DONE;
      const Status read = fetch(cursor);
      if (!read) return fail(cursor, read.error());
      if (cursor.piece.empty()) return SQLITE_DONE;
    }
    Record& record = cursor.piece[cursor.record++];
    const auto header = decode_batch_header(record.bytes);
    if (!header) return fail(cursor, header.error());
    if (header->type != BatchType::events) continue;
    if (static_cast<std::int64_t>(header->last_seq()) < cursor.filter.seq_from) continue;
    // A batch is cut after its last transaction was stamped.
    if (!cursor.filter.at_from.empty() && to_rfc3339(header->at) < cursor.filter.at_from) continue;
    auto batch = decode_batch(record.bytes);
    if (!batch) return fail(cursor, batch.error());
    record.bytes = std::string();
    cursor.transactions = std::move(batch->transactions);
    cursor.transaction = 0;
    cursor.index = 0;
    cursor.seq = record.first_seq;
    cursor.at.clear();
    if (!cursor.transactions.empty()) return SQLITE_OK;
  }
}

bool wanted(const Cursor& cursor) {
  const Filter& filter = cursor.filter;
  const auto seq = static_cast<std::int64_t>(cursor.seq);
  if (seq < filter.seq_from) return false;
  if (filter.type && cursor.event().payload.index() != *filter.type) return false;
  return !filter.by_entity ||
         std::ranges::find(filter.entities, cursor.event().entity) != filter.entities.end();
}

/// One event on within the batch; false at its end.
bool step(Cursor& cursor) {
  ++cursor.seq;
  if (++cursor.index < cursor.now().events.size()) return true;
  cursor.index = 0;
  cursor.at.clear();
  return ++cursor.transaction < cursor.transactions.size();
}

/// From where the cursor stands, itself included if `there`, to the next row.
int find_row(Cursor& cursor, bool there) {
  SqlWatch& watch = source_of(cursor).watch;
  while (true) {
    while (there) {
      if (cursor.seq > cursor.last_seq) {
        cursor.piece.clear();
        cursor.record = 0;
        cursor.shard_ended = true;
        break;
      }
      if (wanted(cursor)) return SQLITE_OK;
      if (++cursor.skipped % looks_apart == 0 && watch.expired()) return SQLITE_INTERRUPT;
      there = step(cursor);
    }
    const int code = next_record(cursor);
    if (code == SQLITE_OK) {
      there = true;
      continue;
    }
    there = false;
    if (code != SQLITE_DONE) return code;
    if (cursor.shards.empty()) {
      cursor.eof = true;
      return SQLITE_OK;
    }
    cursor.shard = {cursor.shards.back()};
    cursor.shards.pop_back();
    const auto& ends = source_of(cursor).ends;
    const Seq end = ends.empty() ? std::numeric_limits<Seq>::max() : ends[cursor.shard.value];
    cursor.last_seq = std::min(end, static_cast<Seq>(cursor.filter.seq_to));
    cursor.next_seq = static_cast<Seq>(cursor.filter.seq_from);
    cursor.piece.clear();
    cursor.record = 0;
    cursor.shard_ended = cursor.next_seq > cursor.last_seq;
  }
}

// ---- what SQLite calls ----

int connect(sqlite3* database, void* data, int, const char* const*, sqlite3_vtab** out, char**) {
  const int code = sqlite3_declare_vtab(database, declaration);
  if (code != SQLITE_OK) return code;
  auto* table = new Table;
  table->source = static_cast<EventsTable*>(data);
  *out = table;
  return SQLITE_OK;
}

int disconnect(sqlite3_vtab* table) {
  delete static_cast<Table*>(table);
  return SQLITE_OK;
}

/// What a constraint is good for here.
std::optional<Use> use_of(int column, int operation) {
  const bool is = operation == SQLITE_INDEX_CONSTRAINT_EQ;
  const bool from =
      operation == SQLITE_INDEX_CONSTRAINT_GT || operation == SQLITE_INDEX_CONSTRAINT_GE;
  const bool to =
      operation == SQLITE_INDEX_CONSTRAINT_LT || operation == SQLITE_INDEX_CONSTRAINT_LE;
  switch (column) {
    case column_shard:
      if (is) return Use::shard_is;
      if (from) return Use::shard_from;
      if (to) return Use::shard_to;
      break;
    case column_seq:
      if (is) return Use::seq_is;
      if (from) return Use::seq_from;
      if (to) return Use::seq_to;
      break;
    case column_entity:
      if (is) return Use::entity_is;
      break;
    case column_type:
      if (is) return Use::type_is;
      break;
    case column_at:
      if (is || from) return Use::at_from;
      break;
    default:
      break;
  }
  return std::nullopt;
}

int best_index(sqlite3_vtab*, sqlite3_index_info* info) {
  std::string uses;
  double cost = 1e9, rows = 1e7;
  for (int i = 0; i < info->nConstraint; ++i) {
    const auto& constraint = info->aConstraint[i];
    const auto use = use_of(constraint.iColumn, constraint.op);
    if (!use) continue;
    const bool text = *use >= Use::entity_is;
    if (text && std::string_view(sqlite3_vtab_collation(info, i)) != "BINARY") continue;
    // One scan for each of a list would be far more than one scan for them all.
    if (*use >= Use::type_is && sqlite3_vtab_in(info, i, -1) != 0) continue;
    if (!constraint.usable) continue;
    uses += static_cast<char>(*use);
    info->aConstraintUsage[i].argvIndex = static_cast<int>(uses.size());
    if (*use == Use::seq_is) cost /= 1e6, rows /= 1e6;
    if (*use == Use::shard_is) cost /= 16, rows /= 16;
    if (*use == Use::entity_is) cost /= 16, rows /= 1e6;
    if (*use == Use::seq_from || *use == Use::seq_to || *use == Use::at_from) cost /= 2, rows /= 4;
    if (*use == Use::type_is) rows /= 10;
  }
  info->idxStr = sqlite3_mprintf("%s", uses.c_str());
  if (!info->idxStr) return SQLITE_NOMEM;
  info->needToFreeIdxStr = 1;
  info->estimatedCost = cost;
  info->estimatedRows = std::max<sqlite3_int64>(1, static_cast<sqlite3_int64>(rows));
  return SQLITE_OK;
}

int open(sqlite3_vtab*, sqlite3_vtab_cursor** out) {
  *out = new Cursor;
  return SQLITE_OK;
}

int close(sqlite3_vtab_cursor* at) {
  delete &cursor_of(at);
  return SQLITE_OK;
}

std::string_view text_of(sqlite3_value* value) {
  const auto* text = reinterpret_cast<const char*>(sqlite3_value_text(value));
  return text ? std::string_view(text, static_cast<std::size_t>(sqlite3_value_bytes(value)))
              : std::string_view{};
}

void narrow_text(Filter& filter, Use use, std::string_view text) {
  if (use == Use::at_from) {
    filter.at_from = std::max(filter.at_from, std::string(text));
  } else if (use == Use::type_is) {
    const auto type = parse_event_type(text);
    if (!type || (filter.type && *filter.type != *type)) filter.nothing = true;
    filter.type = type;
  } else if (!filter.by_entity) {
    filter.by_entity = true;
    for (const Kind kind : {Kind::user, Kind::sku, Kind::cart, Kind::order, Kind::email, Kind::key})
      if (const auto entity = parse_entity(kind, text)) filter.entities.push_back(*entity);
  }
}

void narrow(Filter& filter, Use use, sqlite3_value* value) {
  if (use >= Use::entity_is) {
    if (sqlite3_value_type(value) == SQLITE_TEXT) narrow_text(filter, use, text_of(value));
    return;
  }
  if (sqlite3_value_type(value) != SQLITE_INTEGER) return;
  const std::int64_t n = sqlite3_value_int64(value);
  if (use == Use::shard_is || use == Use::shard_from)
    filter.shard_from = std::max(filter.shard_from, n);
  if (use == Use::shard_is || use == Use::shard_to) filter.shard_to = std::min(filter.shard_to, n);
  if (use == Use::seq_is || use == Use::seq_from) filter.seq_from = std::max(filter.seq_from, n);
  if (use == Use::seq_is || use == Use::seq_to) filter.seq_to = std::min(filter.seq_to, n);
}

int filter(sqlite3_vtab_cursor* at, int, const char* uses, int count, sqlite3_value** values) {
  Cursor& cursor = cursor_of(at);
  const EventsTable& source = source_of(cursor);
  cursor.filter = Filter{};
  cursor.shards.clear();
  cursor.piece.clear();
  cursor.record = 0;
  cursor.shard_ended = true;
  cursor.transactions.clear();
  cursor.eof = false;
  for (int i = 0; i < count; ++i) narrow(cursor.filter, static_cast<Use>(uses[i]), values[i]);
  const Filter& f = cursor.filter;
  if (f.nothing || f.seq_from > f.seq_to || f.shard_from > f.shard_to) {
    cursor.eof = true;
    return SQLITE_OK;
  }
  for (std::uint32_t shard = source.shards; shard-- > 0;) {
    if (shard < f.shard_from || shard > f.shard_to) continue;
    const auto holds = [&](const EntityKey& entity) {
      const auto id = entity.kind() == Kind::sku ? std::nullopt : Id128::from_bytes(entity.id());
      return (id ? id->shard() : shard_of(entity.id(), source.shards)).value == shard;
    };
    if (f.by_entity && std::ranges::none_of(f.entities, holds)) continue;
    cursor.shards.push_back(static_cast<std::uint16_t>(shard));
  }
  return find_row(cursor, false);
}

int next(sqlite3_vtab_cursor* at) {
  Cursor& cursor = cursor_of(at);
  return find_row(cursor, step(cursor));
}

int eof(sqlite3_vtab_cursor* at) { return cursor_of(at).eof ? 1 : 0; }

std::string hex_of(std::string_view bytes) {
  constexpr char digits[] = "0123456789abcdef";
  std::string out;
  for (const char c : bytes) {
    out += digits[static_cast<unsigned char>(c) >> 4];
    out += digits[static_cast<unsigned char>(c) & 0xF];
  }
  return out;
}

std::string hex_of(std::uint64_t value) {
  std::string bytes;
  for (int shift = 56; shift >= 0; shift -= 8) bytes += static_cast<char>(value >> shift & 0xFF);
  return hex_of(bytes);
}

std::string_view outcome_text(Outcome outcome) {
  switch (outcome) {
    case Outcome::ok:
      return "ok";
    case Outcome::created:
      return "created";
    case Outcome::refused:
      return "refused";
  }
  return "ok";
}

void give(sqlite3_context* context, std::string_view text) {
  sqlite3_result_text64(context, text.data(), text.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
}
void give_fixed(sqlite3_context* context, std::string_view text) {
  sqlite3_result_text64(context, text.data(), text.size(), SQLITE_STATIC, SQLITE_UTF8);
}

int column(sqlite3_vtab_cursor* at, sqlite3_context* context, int index) {
  Cursor& cursor = cursor_of(at);
  const Transaction& transaction = cursor.now();
  const Event& event = cursor.event();
  switch (index) {
    case column_shard:
      sqlite3_result_int(context, cursor.shard.value);
      break;
    case column_seq:
      sqlite3_result_int64(context, static_cast<sqlite3_int64>(cursor.seq));
      break;
    case column_at:
      if (cursor.at.empty()) cursor.at = to_rfc3339(transaction.at);
      give(context, cursor.at);
      break;
    case column_type:
      give_fixed(context, event_type_text(event.payload));
      break;
    case column_entity_type:
      give_fixed(context, kind_name(event.entity.kind()));
      break;
    case column_entity:
      give(context, entity_id_text(event.entity));
      break;
    case column_cause:
      give(context, hex_of(transaction.cause.view()));
      break;
    case column_correlation:
      give(context, hex_of(transaction.correlation.view()));
      break;
    case column_idempotency:
      if (transaction.key_hash != 0) give(context, hex_of(transaction.key_hash));
      break;
    case column_outcome:
      give_fixed(context, outcome_text(transaction.outcome));
      break;
    case column_data:
      give(context, event_json(event.payload));
      break;
    default:
      break;
  }
  return SQLITE_OK;
}

int rowid(sqlite3_vtab_cursor* at, sqlite3_int64* out) {
  const Cursor& cursor = cursor_of(at);
  *out =
      static_cast<sqlite3_int64>(cursor.shard.value) << 48 | static_cast<sqlite3_int64>(cursor.seq);
  return SQLITE_OK;
}

sqlite3_module make_module() {
  sqlite3_module module{};  // no xCreate: the table is simply there, and nowhere else
  module.xConnect = connect;
  module.xBestIndex = best_index;
  module.xDisconnect = disconnect;
  module.xOpen = open;
  module.xClose = close;
  module.xFilter = filter;
  module.xNext = next;
  module.xEof = eof;
  module.xColumn = column;
  module.xRowid = rowid;
  return module;
}

}  // namespace

int add_events_table(sqlite3* database, EventsTable& table) {
  static const sqlite3_module module = make_module();
  return sqlite3_create_module_v2(database, "events", &module, &table, nullptr);
}

}  // namespace souk::analytics
