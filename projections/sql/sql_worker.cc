#include "projections/sql/sql_worker.h"

#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <string>

#include "projections/sql/sandbox.h"
#include "projections/sql/sql_wire.h"

namespace souk {
namespace {

using namespace analytics;

constexpr int link = 0;  // the descriptor of the socket

/// The daemon has gone: nobody is left to answer.
[[noreturn]] void end() { ::_exit(0); }

void send(std::string&& frame) {
  std::string_view rest = frame;
  while (!rest.empty()) {
    const ssize_t sent = ::send(link, rest.data(), rest.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) end();
    rest.remove_prefix(static_cast<std::size_t>(sent));
  }
}

void receive(char* into, std::size_t size) {
  while (size > 0) {
    const ssize_t got = ::recv(link, into, size, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) end();
    into += got;
    size -= static_cast<std::size_t>(got);
  }
}

struct Frame {
  FrameKind kind;
  std::string parts;
};

Frame receive() {
  unsigned char head[frame_head_bytes];
  receive(reinterpret_cast<char*>(head), sizeof head);
  std::size_t size = 0;
  for (std::size_t i = 0; i < 4; ++i) size |= std::size_t{head[i]} << (8 * i);
  if (size > frame_bytes_max) end();
  Frame frame{static_cast<FrameKind>(head[4]), std::string(size, '\0')};
  receive(frame.parts.data(), size);
  return frame;
}

/// The daemon reads the journal: this process cannot.
Status scan(ShardId shard, Seq from, Seq to, const Journal::Visit& visit) {
  while (true) {
    FrameWriter wish(FrameKind::scan);
    wish.number(shard.value);
    wish.number(from);
    wish.number(to);
    send(std::move(wish).finish());
    const Frame answer = receive();
    FrameReader in(answer.parts);
    if (answer.kind == FrameKind::fault)
      return Fault{Fault::Kind::unavailable, std::string(in.text())};
    const bool more = in.number() != 0;
    const Seq next = in.number();
    while (!in.at_end()) {
      const Offset offset = in.number();
      if (!visit(offset, in.text())) return Done{};
    }
    if (!more || !in.good()) return Done{};
    from = next;
  }
}

/// Sends rows in groups.
class Rows {
 public:
  bool add(const SqlRow& row) {
    std::size_t bytes = 0;
    for (const SqlCell& cell : row)
      if (const auto* text = std::get_if<std::string>(&cell)) bytes += text->size();
    if (frame_.size() + bytes > frame_bytes_usual) flush();
    for (const SqlCell& cell : row) frame_.cell(cell);
    return true;
  }
  void flush() {
    if (!frame_.empty()) send(std::move(frame_).finish());
    frame_ = FrameWriter(FrameKind::rows);
  }

 private:
  FrameWriter frame_{FrameKind::rows};
};

/// What the daemon judges by whether this process may take another statement.
void add_use(FrameWriter& frame) {
  rusage use{};
  ::getrusage(RUSAGE_SELF, &use);
  frame.number(static_cast<std::uint64_t>(sqlite3_memory_highwater(1)));
  frame.number(static_cast<std::uint64_t>(use.ru_utime.tv_sec + use.ru_stime.tv_sec));
}

void answer(const SqlAsk& ask) {
  Rows rows;
  SqlSink sink;
  sink.columns = [](const std::vector<std::string>& names) {
    FrameWriter frame(FrameKind::columns);
    for (const std::string& name : names) frame.text(name);
    send(std::move(frame).finish());
  };
  sink.row = [&](const SqlRow& row) { return rows.add(row); };
  const auto summary = run_query(ask, scan, sink);
  rows.flush();
  FrameWriter end(summary ? FrameKind::done : FrameKind::refused);
  if (summary) {
    end.number(summary->truncated ? 1 : 0);
    end.text(summary->checkpoint);
  } else {
    end.number(static_cast<std::uint64_t>(summary.error().kind));
    end.text(summary.error().why);
  }
  add_use(end);
  send(std::move(end).finish());
}

}  // namespace

int sql_worker_main() {
  int type = 0;
  socklen_t size = sizeof type;
  if (::getsockopt(link, SOL_SOCKET, SO_TYPE, &type, &size) != 0) {
    std::fprintf(stderr, "%s is for soukd itself: use `souk sql`\n", sql_worker_word);
    return 2;
  }
  begin_small();
  sqlite3_initialize();
  sqlite3_randomness(0, nullptr);
  bool confined = false;
  while (true) {
    const Frame frame = receive();
    const auto ask = ask_of(frame.parts);
    if (frame.kind != FrameKind::ask || !ask) return 1;
    bound_memory(ask->limits.memory_bytes_max);
    // More than the query is told, so that the words are the query's; less than would be felt.
    sqlite3_hard_heap_limit64(static_cast<sqlite3_int64>(ask->limits.memory_bytes_max) + (8 << 20));
    if (!confined) confine(ask->database);
    confined = true;
    answer(*ask);
  }
}

}  // namespace souk
