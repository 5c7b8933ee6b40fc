#pragma once
/// How read models answer: for each question the function that writes the members of its answer.
#include <memory>
#include <optional>
#include <string>

#include "events/json_writer.h"
#include "gateway/api/edge/headers.h"
#include "gateway/api/reads/questions.h"
#include "gateway/http/server.h"
#include "projections/runner/projection_set.h"
#include "projections/sql/sql_door.h"

namespace souk {

class AnalyticsModel;
class SearchModel;

/// Instead of an answer; none: it was written.
using NoAnswer = std::optional<HttpResponse>;

/// Writes the answer to a question that a read model answers, without its end, from a copy of that
/// model. `unfixed`: the currency of figures where nothing has fixed one yet.
/// REQUIRES: `question.model` names one, and it is not SQL.
NoAnswer answer(const Question& question, const Projection& copy, const QueryValues& values,
                Currency unfixed, JsonObject& out);

// search.cc, analytics.cc
NoAnswer answer_search(const SearchModel& model, const QueryValues& values, Currency unfixed,
                       JsonObject& out);
NoAnswer answer_suggest(const SearchModel& model, const QueryValues& values, Currency unfixed,
                        JsonObject& out);
NoAnswer answer_sales(const AnalyticsModel& model, const QueryValues& values, Currency unfixed,
                      JsonObject& out);
NoAnswer answer_basket_pairs(const AnalyticsModel& model, const QueryValues& values,
                             Currency unfixed, JsonObject& out);
NoAnswer answer_customers(const AnalyticsModel& model, const QueryValues& values, Currency unfixed,
                          JsonObject& out);
NoAnswer answer_funnel(const AnalyticsModel& model, const QueryValues& values, Currency unfixed,
                       JsonObject& out);
NoAnswer answer_cohorts(const AnalyticsModel& model, const QueryValues& values, Currency unfixed,
                        JsonObject& out);
NoAnswer answer_lost_sales(const AnalyticsModel& model, const QueryValues& values, Currency unfixed,
                           JsonObject& out);
NoAnswer answer_stock(const AnalyticsModel& model, const QueryValues& values, Currency unfixed,
                      JsonObject& out);
NoAnswer answer_abandoned(const AnalyticsModel& model, const QueryValues& values, Currency unfixed,
                          JsonObject& out);

/// Where the tables of SQL are. REQUIRES: a copy of the analytics.
std::filesystem::path sql_database(const Projection& copy);
/// Rows of one SELECT, in the form asked for; `position` is a member of the JSON.
/// Errors: 422 invalid_sql, forbidden_sql, query_too_long, query_too_large, query_failed; 503.
HttpResponse answer_sql(const Projection& copy, const QueryValues& values, SqlDoor& door,
                        const SqlDoor::Turn& turn, AnswerForm form, std::string_view position);

// sql.cc, projections.cc: about the tables, and about the models.
std::string sql_tables_json();
std::string projections_json(const ProjectionSet& set);
/// `0:17,5:3`: all shards that have events.
std::string position_text(const std::vector<Seq>& positions);

}  // namespace souk
