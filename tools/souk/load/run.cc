#include "tools/souk/load/run.h"

#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <deque>

#include "tools/souk/client/api_client.h"

namespace souk::cli {
namespace {

using Clock = std::chrono::steady_clock;
using Progress = HttpConnection::Progress;

constexpr auto answers_within = std::chrono::seconds(30);  // after the last command was sent
constexpr auto reconnect_after = std::chrono::milliseconds(100);
constexpr std::chrono::nanoseconds wait_longest = std::chrono::milliseconds(100);
constexpr std::size_t faults_kept = 5;

struct Lane {
  std::unique_ptr<HttpConnection> connection;
  std::vector<LoadCommand> commands;  // under way; empty: free
  Clock::time_point since;
  std::uint32_t watched = 0;  // epoll events
};

class Load {
 public:
  Load(const LoadOptions& options, const Url& url, Mix& mix)
      : options_(options), url_(url), mix_(mix), epoll_(::epoll_create1(EPOLL_CLOEXEC)) {}
  ~Load() { ::close(epoll_); }
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;

  Outcome<LoadReport> run();

 private:
  Outcome<Done> connect_all();
  bool connect(Lane& lane);
  void start(std::size_t index, Clock::time_point since);
  void follow(std::size_t index, Progress progress);
  void finish(std::size_t index);
  void lose(std::size_t index, const std::string& why);
  void watch(std::size_t index, std::uint32_t events);
  void feed(Clock::time_point now);
  std::chrono::nanoseconds wait(Clock::time_point now) const;
  Clock::time_point due() const;
  bool wants_more(Clock::time_point now) const {
    return now < end_ && (options_.commands == 0 || issued_ < options_.commands);
  }

  const LoadOptions& options_;
  const Url& url_;
  Mix& mix_;
  const int epoll_;
  std::vector<Lane> lanes_;
  std::vector<std::size_t> free_;
  std::deque<std::size_t> broken_;
  std::size_t busy_ = 0;
  std::uint64_t issued_ = 0;
  std::uint64_t due_requests_ = 0;  // open loop: requests sent so far
  Clock::time_point begun_, end_, reconnect_at_;
  LoadReport report_;
};

bool Load::connect(Lane& lane) {
  auto opened = HttpConnection::open(url_, 5'000);
  if (!opened) {
    if (report_.faults.size() < faults_kept) report_.faults.push_back(opened.error().what);
    return false;
  }
  lane.connection = std::move(*opened);
  lane.watched = 0;
  return true;
}

Outcome<Done> Load::connect_all() {
  lanes_.resize(options_.connections);
  for (std::size_t i = 0; i < lanes_.size(); ++i) {
    if (!connect(lanes_[i]))
      return unreachable(url_, {HttpFault::Kind::no_connection, report_.faults.back()});
    free_.push_back(i);
  }
  return Done{};
}

void Load::watch(std::size_t index, std::uint32_t events) {
  Lane& lane = lanes_[index];
  if (lane.watched == events) return;
  epoll_event event{.events = events, .data = {.u64 = index}};
  ::epoll_ctl(epoll_, lane.watched == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD,
              lane.connection->descriptor(), &event);
  lane.watched = events;
}

void Load::start(std::size_t index, Clock::time_point since) {
  Lane& lane = lanes_[index];
  std::size_t count = options_.batch;
  if (options_.commands > 0) count = std::min<std::size_t>(count, options_.commands - issued_);
  for (std::size_t i = 0; i < count; ++i) lane.commands.push_back(mix_.next());
  issued_ += count;
  lane.since = since;
  ++busy_;
  follow(index, lane.connection->send(render(url_, mix_.names(), options_.wire, lane.commands)));
}

void Load::follow(std::size_t index, Progress progress) {
  switch (progress) {
    case Progress::idle:
      return;
    case Progress::wants_read:
      return watch(index, EPOLLIN);
    case Progress::wants_write:
      return watch(index, EPOLLIN | EPOLLOUT);
    case Progress::answered:
      return finish(index);
    case Progress::failed:
      return lose(index, lanes_[index].connection->fault().what);
  }
}

void Load::finish(std::size_t index) {
  Lane& lane = lanes_[index];
  const HttpAnswer answer = lane.connection->take_answer();
  const auto answers = read_answers(options_.wire, answer, lane.commands.size());
  if (!answers) return lose(index, "an answer that cannot be read");
  report_.latency.record(
      std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - lane.since).count());
  for (std::size_t i = 0; i < answers->size(); ++i) {
    const LoadAnswer& one = (*answers)[i];
    ++report_.by_status[one.status];
    ++report_.commands;
    // 503 may be told after a command took effect: it is asked again at the end.
    if (one.status == 503) {
      report_.lost.push_back(lane.commands[i]);
    } else {
      mix_.took(lane.commands[i], one);
    }
  }
  lane.commands.clear();
  --busy_;
  if (answer.close) {
    lane.connection.reset();
    broken_.push_back(index);
  } else {
    free_.push_back(index);
  }
}

void Load::lose(std::size_t index, const std::string& why) {
  Lane& lane = lanes_[index];
  if (report_.faults.size() < faults_kept) report_.faults.push_back(why);
  report_.by_status[0] += lane.commands.size();
  report_.lost.insert(report_.lost.end(), lane.commands.begin(), lane.commands.end());
  lane.commands.clear();
  lane.connection.reset();
  --busy_;
  broken_.push_back(index);
}

/// Gives free lanes what there is to do.
void Load::feed(Clock::time_point now) {
  if (!broken_.empty() && now >= reconnect_at_) {
    reconnect_at_ = now + reconnect_after;
    for (std::size_t i = broken_.size(); i > 0; --i) {
      const std::size_t index = broken_.front();
      broken_.pop_front();
      if (connect(lanes_[index])) {
        free_.push_back(index);
      } else {
        broken_.push_back(index);
        break;
      }
    }
  }
  // Lanes that answer at once come back while we go: one round is enough.
  for (std::size_t i = free_.size(); i > 0 && !free_.empty() && wants_more(now); --i) {
    auto since = now;
    if (options_.rate > 0) {
      since = due();
      if (since > now || since > end_) return;
      ++due_requests_;
    }
    const std::size_t index = free_.back();
    free_.pop_back();
    start(index, since);
  }
}

/// Open loop: when the next request is to be sent.
Clock::time_point Load::due() const {
  const std::chrono::duration<double> offset(static_cast<double>(due_requests_ * options_.batch) /
                                             options_.rate);
  return begun_ + std::chrono::duration_cast<Clock::duration>(offset);
}

/// To the nanosecond: whoever waits in whole milliseconds spins, and takes a core from the server.
std::chrono::nanoseconds Load::wait(Clock::time_point now) const {
  if (!wants_more(now) || free_.empty()) return wait_longest;
  if (options_.rate <= 0) return std::chrono::nanoseconds(0);
  return std::clamp<std::chrono::nanoseconds>(due() - now, std::chrono::nanoseconds(0),
                                              wait_longest);
}

Outcome<LoadReport> Load::run() {
  if (auto connected = connect_all(); !connected) return connected.error();
  begun_ = Clock::now();
  end_ = begun_ + std::chrono::duration_cast<Clock::duration>(
                      std::chrono::duration<double>(options_.seconds));
  std::vector<epoll_event> events(512);
  Clock::time_point last_answer = begun_;
  for (auto now = begun_; wants_more(now) || busy_ > 0; now = Clock::now()) {
    if (!wants_more(now) && now > std::max(last_answer, end_) + answers_within) break;
    feed(now);
    const std::int64_t wait_ns = wait(now).count();
    const timespec longest{.tv_sec = wait_ns / 1'000'000'000, .tv_nsec = wait_ns % 1'000'000'000};
    const int ready =
        ::epoll_pwait2(epoll_, events.data(), static_cast<int>(events.size()), &longest, nullptr);
    for (int i = 0; i < ready; ++i) {
      const auto index = static_cast<std::size_t>(events[static_cast<std::size_t>(i)].data.u64);
      if (!lanes_[index].connection) continue;
      const std::uint64_t before = report_.commands;
      // Between two requests only the server can end a connection; that is no loss.
      if (lanes_[index].commands.empty()) {
        std::erase(free_, index);
        lanes_[index].connection.reset();
        broken_.push_back(index);
        continue;
      }
      follow(index, lanes_[index].connection->advance());
      if (report_.commands > before) last_answer = Clock::now();
    }
  }
  for (std::size_t i = 0; i < lanes_.size(); ++i)
    if (!lanes_[i].commands.empty()) lose(i, "no answer in time");
  const std::chrono::duration<double> passed = std::max(last_answer, begun_) - begun_;
  report_.seconds = passed.count();
  return std::move(report_);
}

}  // namespace

Outcome<LoadReport> run_load(const LoadOptions& options, const Url& url, Mix& mix) {
  return Load(options, url, mix).run();
}

}  // namespace souk::cli
