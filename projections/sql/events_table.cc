#include "projections/sql/events_table.h"

#include <sqlite3.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "events/event_json.h"
#include "projections/sql/events_scan.h"

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

struct Cursor : sqlite3_vtab_cursor {
  explicit Cursor(EventsTable& source) : scan(source) {}
  EventScan scan;
  bool eof = true;
};

Cursor& cursor_of(sqlite3_vtab_cursor* at) { return *static_cast<Cursor*>(at); }
EventsTable& source_of(sqlite3_vtab* table) { return *static_cast<Table*>(table)->source; }

int code_of(Cursor& cursor, EventScan::Found found) {
  cursor.eof = found != EventScan::Found::event;
  switch (found) {
    case EventScan::Found::event:
    case EventScan::Found::end:
      return SQLITE_OK;
    case EventScan::Found::interrupted:
      return SQLITE_INTERRUPT;
    case EventScan::Found::failed:
      break;
  }
  const std::string& why = cursor.scan.fault().what;
  source_of(cursor.pVtab).watch.unavailable = why;
  sqlite3_free(cursor.pVtab->zErrMsg);
  cursor.pVtab->zErrMsg = sqlite3_mprintf("the journal: %s", why.c_str());
  return SQLITE_ERROR;
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

int open(sqlite3_vtab* table, sqlite3_vtab_cursor** out) {
  *out = new Cursor(source_of(table));
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

void narrow_text(EventFilter& filter, Use use, std::string_view text) {
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

void narrow(EventFilter& filter, Use use, sqlite3_value* value) {
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
  EventFilter narrowed;
  for (int i = 0; i < count; ++i) narrow(narrowed, static_cast<Use>(uses[i]), values[i]);
  Cursor& cursor = cursor_of(at);
  return code_of(cursor, cursor.scan.begin(std::move(narrowed)));
}

int next(sqlite3_vtab_cursor* at) {
  Cursor& cursor = cursor_of(at);
  return code_of(cursor, cursor.scan.next());
}

int eof(sqlite3_vtab_cursor* at) { return cursor_of(at).eof ? 1 : 0; }

void give(sqlite3_context* context, std::string_view text) {
  sqlite3_result_text64(context, text.data(), text.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
}
void give_fixed(sqlite3_context* context, std::string_view text) {
  sqlite3_result_text64(context, text.data(), text.size(), SQLITE_STATIC, SQLITE_UTF8);
}

int column(sqlite3_vtab_cursor* at, sqlite3_context* context, int index) {
  EventScan& scan = cursor_of(at).scan;
  const Transaction& transaction = scan.transaction();
  const Event& event = scan.event();
  switch (index) {
    case column_shard:
      sqlite3_result_int(context, scan.shard().value);
      break;
    case column_seq:
      sqlite3_result_int64(context, static_cast<sqlite3_int64>(scan.seq()));
      break;
    case column_at:
      give(context, scan.at());
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
      give(context, hex_text(transaction.cause.view()));
      break;
    case column_correlation:
      give(context, hex_text(transaction.correlation.view()));
      break;
    case column_idempotency:
      if (transaction.key_hash != 0) give(context, hex_text(transaction.key_hash));
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
  const EventScan& scan = cursor_of(at).scan;
  *out =
      static_cast<sqlite3_int64>(scan.shard().value) << 48 | static_cast<sqlite3_int64>(scan.seq());
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
