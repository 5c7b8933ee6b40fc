#pragma once
/// The API between the HTTP servers and the engine: one Api per I/O thread, what they share in one
/// ApiCommon.
#include <array>
#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "actors/host/engine.h"
#include "actors/ports/store_trouble.h"
#include "cluster/node/operator_port.h"
#include "gateway/api/batch/batches.h"
#include "gateway/api/cluster/cluster_documents.h"
#include "gateway/api/commands/command.h"
#include "gateway/api/commands/json.h"
#include "gateway/api/commands/vault_worker.h"
#include "gateway/api/edge/metrics.h"
#include "gateway/api/edge/router.h"
#include "gateway/api/edge/tickets.h"
#include "gateway/api/reads/query_worker.h"
#include "gateway/api/reads/read_side.h"
#include "gateway/api/reads/remote_questions.h"
#include "gateway/cache/views.h"
#include "gateway/http/server.h"
#include "projections/integration/publisher.h"

namespace souk {

struct ApiOptions {
  std::string version;      // of this program, for people
  RecoveryReport recovery;  // of the engine's start, for metrics
  double recovery_seconds = 0;
  std::size_t tickets_max = limits::tickets_max;  // per I/O thread
  std::size_t view_cache_bytes = 64 << 20;
  StoreTroubles stores = {};                   // none: nothing is known of them
  cluster::OperatorPort* operators = nullptr;  // null: this node is alone. Outlives the Apis
  /// What is to be erased and is still somewhere in the cluster; none: nothing is. Thread: any.
  std::function<std::vector<ErasureUnderWay>()> erasures = {};
  /// Who answers what this node has no read models for; null: it has them. Outlives the Apis.
  QuestionPort* elsewhere = nullptr;
  /// Of the questions that go to other nodes, and come from them; none: this node is alone.
  std::function<cluster::QuestionRelay::Figures()> questions = {};
  /// How far the integration topics are; none: this node does not publish. Thread: any.
  std::function<PublisherStatus()> publisher = {};
};

/// Lifecycle: made after the engine has started, before any Api; outlives them. To end: drain the
///            servers, stop the engine, `stop` this, then the Apis may go.
class ApiCommon {
 public:
  /// `freshness`: that the engine writes to.
  ApiCommon(Engine& engine, Vault& vault, PaymentProvider& payments, Randomness& randomness,
            ReadSide& read_side, const Freshness& freshness, ApiOptions options);
  /// From here on /readyz says 503, so that load balancers look elsewhere. Thread: any.
  /// Strangers' SQL ends at once.
  void drain() {
    draining_.store(true, std::memory_order_relaxed);
    read_side_.stop();
  }
  void stop() {
    read_side_.stop();
    for (auto& workers : queries_) workers.stop();
    worker_.stop();
  }

  bool draining() const { return draining_.load(std::memory_order_relaxed); }
  std::vector<StoreTrouble> store_troubles() const {
    return options_.stores ? options_.stores() : std::vector<StoreTrouble>{};
  }
  std::optional<PublisherStatus> integration() const {
    return options_.publisher ? std::optional(options_.publisher()) : std::nullopt;
  }
  std::optional<cluster::QuestionRelay::Figures> questions() const {
    return options_.questions ? std::optional(options_.questions()) : std::nullopt;
  }
  Engine& engine() { return engine_; }
  Vault& vault() { return vault_; }
  Randomness& randomness() { return randomness_; }
  VaultWorker& worker() { return worker_; }
  ReadSide& read_side() { return read_side_; }
  QueryWorkers& queries(QueryLane lane) { return queries_[static_cast<std::size_t>(lane)]; }
  /// Whose keys a former run left unsettled; the first who asks gets them.
  std::vector<PersonId> take_left_over() {
    return left_over_taken_.exchange(true) ? std::vector<PersonId>{} : vault_.unsettled();
  }
  ApiMetrics& metrics() { return metrics_; }
  Views& views() { return views_; }
  const Router& router() const { return router_; }
  const std::string& openapi() const { return openapi_; }
  const std::string& console() const { return console_; }
  const ApiOptions& options() const { return options_; }

 private:
  Engine& engine_;
  Vault& vault_;
  Randomness& randomness_;
  ReadSide& read_side_;
  ApiOptions options_;
  Router router_;
  std::string openapi_;
  std::string console_;
  ApiMetrics metrics_;
  Views views_;
  VaultWorker worker_;
  std::array<QueryWorkers, query_lanes> queries_{
      QueryWorkers({.name = "query", .threads = 2}),
      QueryWorkers({.name = "sql",
                    .threads = limits::sql_threads,
                    .in_flight_max = limits::sql_in_flight_max,
                    .niceness = 15}),
      QueryWorkers({.name = "mend", .threads = 2, .in_flight_max = limits::mending_in_flight_max})};
  std::atomic<bool> draining_{false};
  std::atomic<bool> left_over_taken_{false};
};

/// Turns requests into commands and queries, and answers into responses.
/// Thread: that of its HttpServer; `deliver`, `vault_done` and `query_done` any.
/// Limits: ApiOptions::tickets_max in flight; beyond it 503 overloaded.
class Api final : public HttpHandler,
                  public ReplySink,
                  public VaultClient,
                  public QueryClient,
                  private BatchPort {
 public:
  /// REQUIRES: before the engine's first request.
  explicit Api(ApiCommon& common);

  std::size_t body_limit(HttpMethod method, std::string_view target) override;
  void on_request(HttpServer& server, ExchangeId exchange, const HttpRequest& request) override;
  void on_poll_end(HttpServer& server) override;
  void on_wake(HttpServer& server) override;
  void on_tick(HttpServer& server) override;
  std::string problem(int status, std::string_view code, std::string_view detail) override;

  void deliver(std::vector<Reply>&& replies) override;
  void vault_done(std::vector<VaultDone>&& done) override;
  void query_done(std::vector<QueryDone>&& done) override;

 private:
  /// One request while it is being looked at.
  struct Visit {
    ExchangeId exchange;
    const HttpRequest& request;
    RouteMatch match;
    std::int64_t started_ns;
    Problem problem;
  };

  bool dispatch(Visit& visit);
  bool command(Visit& visit);
  bool read_command(Visit& visit, const CommandShape& shape, Conditions& conditions);
  bool read(Visit& visit);
  bool make_query(Visit& visit, Op& op);
  bool read_path(Visit& visit, std::span<const Field> fields);
  bool page_of(Visit& visit, GetUserOrders& query);
  bool payment(Visit& visit);
  /// Souk-Min-Position; nothing where it is not given.
  bool positions_of(Visit& visit, std::vector<MinPosition>& wanted);
  /// The request, a read, waits until its own shard shows what was asked for.
  bool wait_for_position(Visit& visit, Request& request);
  bool read_level(Visit& visit, Request& request);
  bool question(Visit& visit, const Question& question);
  bool ask_elsewhere(Visit& visit, const Asked& asked);
  bool batch(Visit& visit);
  /// The cluster, for its operators.
  bool of_cluster(Visit& visit);
  bool cluster_command(Visit& visit, const cluster::ClusterView& view,
                       cluster::OperatorCommand& command);
  bool cluster_question(Visit& visit, std::shared_ptr<const cluster::ClusterView> view,
                        QueryJob& job);
  bool operation(Visit& visit);
  bool ready(Visit& visit, std::string& body);
  void refuse(Visit& visit, std::string_view allow);

  static std::int64_t now_ns();

  void take_reply(Reply&& reply);
  bool goes_on(Ticket& ticket, const Reply& reply);
  void ask_for_left_over();
  void take_done(SealDone&& done);
  void take_done(OpenDone&& done);
  void take_done(RecordDone&& done);
  void take_done(QueryDone&& done);
  void finish(std::uint64_t number, Reply&& reply);
  void flush();

  bool start(Ticket&& ticket, PreparedCommand& command) override;
  bool still_waits(ExchangeId exchange) override;
  void send(ExchangeId exchange, HttpResponse&& response) override;
  void refused(Action action, const Problem& problem) override;

  bool take_ticket(Ticket&& ticket, std::uint64_t& number, Problem& problem);
  /// Answers what has waited too long; late answers then find nothing.
  void give_up_overdue();
  void give_up(std::uint64_t number);
  void give_back(const Ticket& ticket, std::size_t result);
  void hand_over(std::uint64_t number, PreparedCommand&& command);

  ApiCommon& common_;
  HttpServer* server_ = nullptr;  // set by the first request
  std::uint16_t sink_;
  CommandReader reader_;
  CommandBuilder builder_;
  CommandInput input_;
  TicketTable tickets_;
  BatchTable batches_;
  std::size_t batch_tickets_ = 0;
  std::size_t batch_bytes_told_ = 0;  // to the metrics
  // Goes on by ticks: a process that was stopped for a minute has not kept a client waiting.
  std::int64_t clock_ms_ = 0;
  std::int64_t next_look_ms_ = 0;
  std::vector<Request> outbox_;
  std::vector<VaultJob> jobs_;
  std::vector<PersonId> left_over_;  // to be asked for
  std::array<std::vector<QueryJob>, query_lanes> questions_;

  std::mutex inbox_mutex_;
  std::vector<std::vector<Reply>> inbox_;
  std::vector<std::vector<VaultDone>> done_inbox_;
  std::vector<std::vector<QueryDone>> query_inbox_;
};

}  // namespace souk
