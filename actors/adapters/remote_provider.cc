#include "actors/adapters/remote_provider.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <charconv>
#include <exception>
#include <thread>
#include <utility>

#include "actors/adapters/provider_wire.h"
#include "actors/adapters/system_clock.h"

namespace souk {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::ip::tcp;
using std::chrono::milliseconds;

constexpr std::uint32_t header_bytes_max = 16 * 1024;
constexpr std::size_t detail_bytes_max = 200;  // of what it said, in our words

struct Question {
  http::verb verb;
  std::string target;
  std::string body;
  milliseconds patience;  // for the connection, and again for the answer
};

struct Reply {
  unsigned status = 0;  // 0: none came
  std::string body;     // or why none came
};

/// One keep-alive connection, opened when it is needed. One question at a time.
class Line {
 public:
  Line(asio::io_context& io, const ProviderAddress& where) : io_(io), where_(where) {}

  asio::awaitable<Reply> ask(Question question) {
    // It may have ended since it was last used: no fault of anybody's, and each question may be asked
    // twice.
    const bool again = stream_ != nullptr;
    Reply reply = co_await ask_once(question);
    if (reply.status == 0 && again && !timed_out_) reply = co_await ask_once(question);
    co_return reply;
  }

 private:
  asio::awaitable<Reply> ask_once(const Question& question) {
    Reply reply;
    timed_out_ = false;
    try {
      if (!stream_) co_await connect(question.patience);
      reply = co_await exchange(question);
    } catch (const boost::system::system_error& error) {
      timed_out_ = error.code() == beast::error::timeout;
      reply.status = 0;
      reply.body = timed_out_ ? "no answer in time" : error.code().message();
      stream_.reset();
    }
    co_return reply;
  }

  asio::awaitable<void> connect(milliseconds patience) {
    tcp::resolver resolver(io_);
    const auto found =
        co_await resolver.async_resolve(where_.host, where_.port, asio::use_awaitable);
    stream_ = std::make_unique<beast::tcp_stream>(io_);
    buffer_.clear();
    stream_->expires_after(patience);
    co_await stream_->async_connect(found, asio::use_awaitable);
    stream_->socket().set_option(tcp::no_delay(true));
  }

  asio::awaitable<Reply> exchange(const Question& question) {
    http::request<http::string_body> request(question.verb, question.target, 11);
    request.set(http::field::host, where_.text());
    if (question.verb == http::verb::post) {
      request.set(http::field::content_type, "application/json");
      request.body() = question.body;
      request.prepare_payload();
    }
    stream_->expires_after(question.patience);
    co_await http::async_write(*stream_, request, asio::use_awaitable);
    http::response_parser<http::string_body> parser;
    parser.header_limit(header_bytes_max);
    parser.body_limit(wire::reply_bytes_max);
    co_await http::async_read(*stream_, buffer_, parser, asio::use_awaitable);
    stream_->expires_never();
    Reply reply;
    reply.status = parser.get().result_int();
    if (!parser.get().keep_alive()) stream_.reset();
    reply.body = std::move(parser.get().body());
    co_return reply;
  }

  asio::io_context& io_;
  const ProviderAddress& where_;
  std::unique_ptr<beast::tcp_stream> stream_;
  beast::flat_buffer buffer_;
  bool timed_out_ = false;
};

/// Why `reply` is not what was hoped for.
std::string words_of(const Reply& reply) {
  if (reply.status == 0) return reply.body;
  return fmt::format("it answered {}: {}", reply.status, reply.body.substr(0, detail_bytes_max));
}

void rethrow(std::exception_ptr thrown) {
  if (thrown) std::rethrow_exception(std::move(thrown));
}

}  // namespace

std::string ProviderAddress::text() const {
  return host.find(':') == std::string::npos ? fmt::format("{}:{}", host, port)
                                             : fmt::format("[{}]:{}", host, port);
}

std::optional<ProviderAddress> parse_provider_url(std::string_view url) {
  constexpr std::string_view scheme = "http://";
  if (!url.starts_with(scheme)) return std::nullopt;
  url.remove_prefix(scheme.size());
  if (url.ends_with('/')) url.remove_suffix(1);
  const auto colon = url.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  std::string_view host = url.substr(0, colon);
  const std::string_view port = url.substr(colon + 1);
  std::uint16_t number = 0;
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), number);
  if (error != std::errc{} || end != port.data() + port.size() || number == 0) return std::nullopt;
  const bool bracketed = host.starts_with('[') && host.ends_with(']');
  if (bracketed) host = host.substr(1, host.size() - 2);
  const auto strange = [&](char c) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '.' || c == '-' || c == '_' || (bracketed && c == ':');
    return !plain;
  };
  if (host.empty() || std::ranges::any_of(host, strange)) return std::nullopt;
  return ProviderAddress{std::string(host), std::string(port)};
}

/// Lifecycle: the thread runs from the constructor to the destructor.
struct RemoteProvider::Core {
  Core(RemoteProvider& its_owner, Answer its_answer)
      : owner(its_owner), answer(std::move(its_answer)) {
    SystemRandomness randomness;
    // Another one each time: what was asked for before is not answered to us.
    client = fmt::format("/clients/{}", id_text('c', randomness.id128()));
    asio::co_spawn(io, send_calls(), &rethrow);
    asio::co_spawn(io, take_answers(), &rethrow);
    thread = std::thread([this] { io.run(); });
  }
  ~Core() {
    io.stop();
    thread.join();
  }

  /// Thread: any.
  void rouse() {
    asio::post(io, [this] { calls_came.cancel(); });
  }

  asio::awaitable<void> send_calls() {
    Line line(io, owner.where_);
    bool away = false;  // then it is asked with no calls at all: nobody may call for a long time
    while (true) {
      const std::vector<PaymentCall> calls = owner.take();
      if (calls.empty() && !away) {
        boost::system::error_code cancelled;
        calls_came.expires_at(asio::steady_timer::time_point::max());
        co_await calls_came.async_wait(asio::redirect_error(asio::use_awaitable, cancelled));
        continue;
      }
      Question question{http::verb::post, client + "/calls", wire::encode_calls(calls),
                        owner.patience_.request};
      const Reply reply = co_await line.ask(std::move(question));
      away = reply.status != 202;
      if (!away) {
        owner.passed(Way::calls);
        continue;
      }
      owner.drop_with(calls.size());
      owner.failed(Way::calls, words_of(reply));
      co_await pause();
    }
  }

  asio::awaitable<void> take_answers() {
    Line line(io, owner.where_);
    while (true) {
      Question question{
          http::verb::get, client + "/answers", {}, owner.patience_.request + wire::answers_wait};
      const auto asked_at = std::chrono::steady_clock::now();
      const Reply reply = co_await line.ask(std::move(question));
      bool any = false;
      std::string why = reply.status == 200 ? "" : words_of(reply);
      if (why.empty()) {
        const auto answers = wire::decode_answers(reply.body);
        if (!answers.ok())
          why = "what it answers is no provider's: " + answers.error().what;
        else
          for (const PaymentAnswer& one : *answers) answer(one);
        any = answers.ok() && !answers->empty();
      }
      const bool well = why.empty();
      if (well)
        owner.passed(Way::answers);
      else
        owner.failed(Way::answers, std::move(why));
      // One that is about to end does not let us wait.
      const bool soon = std::chrono::steady_clock::now() - asked_at < owner.patience_.pause;
      if (!well || (!any && soon)) co_await pause();
    }
  }

  asio::awaitable<void> pause() {
    asio::steady_timer timer(io, owner.patience_.pause);
    co_await timer.async_wait(asio::use_awaitable);
  }

  RemoteProvider& owner;
  const Answer answer;
  std::string client;
  asio::io_context io{1};
  asio::steady_timer calls_came{io};
  std::thread thread;
};

RemoteProvider::RemoteProvider(ProviderAddress where, ProviderPatience patience)
    : where_(std::move(where)), patience_(patience) {}

RemoteProvider::~RemoteProvider() { stop(); }

void RemoteProvider::start(Answer answer) {
  const std::lock_guard lock(mutex_);
  SOUK_ASSERT(!core_);
  core_ = std::make_unique<Core>(*this, std::move(answer));
}

void RemoteProvider::stop() {
  std::unique_ptr<Core> ended;
  {
    const std::lock_guard lock(mutex_);
    ended = std::move(core_);
  }
  ended.reset();  // without the lock: its thread takes it
}

void RemoteProvider::call(std::vector<PaymentCall> calls) {
  const std::lock_guard lock(mutex_);
  const std::size_t room = std::min(calls.size(), calls_queued_max - queued_.size());
  dropped_.fetch_add(calls.size() - room, std::memory_order_relaxed);
  const bool first = queued_.empty();
  queued_.insert(queued_.end(), std::make_move_iterator(calls.begin()),
                 std::make_move_iterator(calls.begin() + static_cast<std::ptrdiff_t>(room)));
  if (core_ && first && room > 0) core_->rouse();
}

std::vector<PaymentCall> RemoteProvider::take() {
  const std::lock_guard lock(mutex_);
  const auto count = std::min(queued_.size(), wire::calls_per_request_max);
  const auto end = queued_.begin() + static_cast<std::ptrdiff_t>(count);
  std::vector<PaymentCall> taken(std::make_move_iterator(queued_.begin()),
                                 std::make_move_iterator(end));
  queued_.erase(queued_.begin(), end);
  return taken;
}

/// The queue goes with them: while nobody answers it would only fill with repeats.
void RemoteProvider::drop_with(std::size_t undelivered) {
  const std::lock_guard lock(mutex_);
  dropped_.fetch_add(undelivered + queued_.size(), std::memory_order_relaxed);
  queued_.clear();
}

void RemoteProvider::failed(Way way, std::string why) {
  faults_.failed(fmt::format("provider={} what=\"{}\"", where_.text(), one_line(why)));
  const std::lock_guard lock(mutex_);
  why_away_[static_cast<std::size_t>(way)] = std::move(why);
}

void RemoteProvider::passed(Way way) {
  const std::lock_guard lock(mutex_);
  why_away_[static_cast<std::size_t>(way)].clear();
  if (why_away_[0].empty() && why_away_[1].empty()) faults_.passed();
}

std::optional<std::string> RemoteProvider::away() const {
  const std::lock_guard lock(mutex_);
  for (const std::string& why : why_away_)
    if (!why.empty()) return why;
  return std::nullopt;
}

Result<std::optional<PaymentRecord>, Fault> RemoteProvider::record(OrderId order) {
  const auto unavailable = [&](std::string_view why) {
    return Fault{Fault::Kind::unavailable,
                 fmt::format("the payment provider at {}: {}", where_.text(), why)};
  };
  if (const auto why = away()) return unavailable(*why);
  asio::io_context io{1};
  Line line(io, where_);
  Reply reply{0, "no answer in time"};
  Question question{http::verb::get, "/records/" + order.text(), {}, patience_.record};
  asio::co_spawn(io, line.ask(std::move(question)), [&](std::exception_ptr thrown, Reply came) {
    rethrow(std::move(thrown));
    reply = std::move(came);
  });
  io.run_for(patience_.record);
  if (reply.status == 404 && wire::says_unknown_order(reply.body))
    return std::optional<PaymentRecord>();
  if (reply.status != 200) return unavailable(words_of(reply));
  auto record = wire::decode_record(reply.body);
  if (!record.ok())
    return Fault{record.error().kind, fmt::format("the payment provider at {}: its record: {}",
                                                  where_.text(), record.error().what)};
  return std::optional<PaymentRecord>(std::move(*record));
}

}  // namespace souk
