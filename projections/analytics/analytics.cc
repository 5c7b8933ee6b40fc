#include "projections/analytics/analytics.h"

#include <spdlog/spdlog.h>

#include "projections/analytics/fold.h"
#include "projections/analytics/pairs.h"
#include "projections/analytics/report.h"
#include "projections/analytics/store.h"

namespace souk {

using analytics::SqliteError;

struct AnalyticsModel::Impl {
  explicit Impl(const std::filesystem::path& file) : store(file), fold(store), readers(file) {}

  analytics::Store store;
  analytics::Fold fold;
  std::optional<Fault> broken;  // the database failed in `apply`: `commit` says so
  mutable analytics::Readers readers;
  mutable analytics::PairIndex pairs;
};

AnalyticsModel::AnalyticsModel(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
AnalyticsModel::~AnalyticsModel() = default;

Result<std::shared_ptr<AnalyticsModel>, Fault> AnalyticsModel::open(
    const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) return Fault{Fault::Kind::unavailable, "analytics directory: " + error.message()};
  try {
    return std::shared_ptr<AnalyticsModel>(
        new AnalyticsModel(std::make_unique<Impl>(analytics::database_path(folder))));
  } catch (const SqliteError& sqlite) {
    return analytics::fault_of(sqlite);
  }
}

Result<Done, Poison> AnalyticsModel::apply(const EventAt& event) {
  if (impl_->broken) return Done{};
  try {
    return impl_->fold.apply(event);
  } catch (const SqliteError& error) {
    // Not the event's fault: nothing of this transaction will be committed.
    impl_->broken = analytics::fault_of(error);
    return Done{};
  }
}

Status AnalyticsModel::commit(std::string_view checkpoint) {
  if (impl_->broken) return *impl_->broken;
  try {
    impl_->store.commit(checkpoint);
    return Done{};
  } catch (const SqliteError& error) {
    impl_->broken = analytics::fault_of(error);
    return *impl_->broken;
  }
}

std::string AnalyticsModel::checkpoint() const { return impl_->store.checkpoint(); }

Result<std::uint64_t, Fault> AnalyticsModel::digest() {
  if (impl_->broken) return *impl_->broken;
  try {
    impl_->store.flush();
    return analytics::digest_of(impl_->store.database());
  } catch (const SqliteError& error) {
    return analytics::fault_of(error);
  }
}

std::filesystem::path AnalyticsModel::database() const { return impl_->store.file(); }

Result<SalesReport, BadReport> AnalyticsModel::sales(const SalesQuery& query) const {
  return analytics::answer<SalesReport>(
      *this, [&] { return analytics::sales_report(*impl_->readers.snapshot(), query); });
}

Result<PairsReport, BadReport> AnalyticsModel::basket_pairs(std::size_t limit) const {
  return analytics::answer<PairsReport>(
      *this, [&] { return impl_->pairs.most_frequent(impl_->readers, limit); });
}

Result<ReportTable, BadReport> AnalyticsModel::customers(const CustomersQuery& query) const {
  return analytics::answer<ReportTable>(
      *this, [&] { return analytics::customers_report(*impl_->readers.snapshot(), query); });
}

Result<ReportTable, BadReport> AnalyticsModel::funnel(const PeriodQuery& query) const {
  return analytics::answer<ReportTable>(
      *this, [&] { return analytics::funnel_report(*impl_->readers.snapshot(), query); });
}

Result<ReportTable, BadReport> AnalyticsModel::cohorts(std::size_t limit) const {
  return analytics::answer<ReportTable>(
      *this, [&] { return analytics::cohorts_report(*impl_->readers.snapshot(), limit); });
}

Result<ReportTable, BadReport> AnalyticsModel::lost_sales(const PeriodQuery& query) const {
  return analytics::answer<ReportTable>(
      *this, [&] { return analytics::lost_sales_report(*impl_->readers.snapshot(), query); });
}

Result<ReportTable, BadReport> AnalyticsModel::stock(const PeriodQuery& query) const {
  return analytics::answer<ReportTable>(
      *this, [&] { return analytics::stock_report(*impl_->readers.snapshot(), query); });
}

Result<ReportTable, BadReport> AnalyticsModel::abandoned(const AbandonedQuery& query) const {
  return analytics::answer<ReportTable>(
      *this, [&] { return analytics::abandoned_report(*impl_->readers.snapshot(), query); });
}

namespace {

constexpr std::pair<std::string_view, SalesGroup> groups[] = {
    {"month", SalesGroup::month},     {"day", SalesGroup::day},
    {"hour", SalesGroup::hour},       {"product", SalesGroup::product},
    {"country", SalesGroup::country}, {"customer", SalesGroup::customer}};

}  // namespace

std::optional<SalesGroup> parse_sales_group(std::string_view text) {
  for (const auto& [word, group] : groups)
    if (word == text) return group;
  return std::nullopt;
}

std::string_view sales_group_text(SalesGroup group) {
  for (const auto& [word, value] : groups)
    if (value == group) return word;
  return {};
}

ProjectionKind analytics_kind() {
  return {
      .name = "analytics",
      .version = static_cast<std::uint32_t>(analytics::schema_version),
      .open =
          [](const std::filesystem::path& folder) -> Result<std::shared_ptr<Projection>, Fault> {
        auto model = AnalyticsModel::open(folder);
        if (!model) return model.error();
        return std::shared_ptr<Projection>(std::move(*model));
      }};
}

}  // namespace souk
