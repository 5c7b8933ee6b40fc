#include "gateway/api/edge/problem.h"

#include <utility>

#include "events/json_writer.h"

namespace souk {
namespace {

/// `out_of_stock` -> `Out of stock`
std::string title_of(std::string_view code) {
  std::string title(code);
  for (char& c : title)
    if (c == '_') c = ' ';
  if (!title.empty() && title[0] >= 'a' && title[0] <= 'z')
    title[0] = static_cast<char>(title[0] - 'a' + 'A');
  return title;
}

std::string refusal_words(const Reply& reply) {
  std::string words(refusal_detail(reply.refusal));
  if (reply.refusal == Refusal::illegal_state && reply.detail != 0) {
    words = "the order is ";
    words += order_status_text(static_cast<OrderStatus>(reply.detail));
    words += ", which does not allow this step";
  }
  return words;
}

}  // namespace

Problem invalid_json(std::string detail) { return {400, "invalid_json", std::move(detail), {}}; }
Problem invalid_request(std::string path, std::string detail) {
  return {422, "invalid_request", std::move(detail), std::move(path)};
}
Problem not_found(std::string detail) { return {404, "not_found", std::move(detail), {}}; }
Problem overloaded() {
  return {503, "overloaded", "too much is in flight; nothing has happened, try again", {}};
}
Problem too_many_queries() {
  return {429, "too_many_requests", "too many such queries wait already", {}};
}

std::string problem_json(int status, std::string_view code, std::string_view detail,
                         std::string_view path) {
  std::string out;
  out.reserve(160 + detail.size() + path.size());
  JsonObject problem(out);
  problem.text("type", "urn:souk:problem:" + std::string(code));
  problem.text("title", title_of(code));
  problem.number("status", status);
  problem.text("detail", detail);
  problem.text("code", code);
  if (!path.empty()) problem.text("path", path);
  problem.end();
  return out;
}

std::string problem_json(const Problem& problem) {
  return problem_json(problem.status, problem.code, problem.detail, problem.path);
}

int retry_after_s(int status) { return status == 503 || status == 429 ? 1 : 0; }

int status_of(ReplyCode code) {
  switch (code) {
    case ReplyCode::ok:
      return 200;
    case ReplyCode::created:
      return 201;
    case ReplyCode::accepted:
      return 202;
    case ReplyCode::refused:
      return 409;
    case ReplyCode::not_found:
      return 404;
    case ReplyCode::version_mismatch:
      return 412;
    case ReplyCode::idempotency_conflict:
      return 422;
    case ReplyCode::unavailable:
      return 503;
    case ReplyCode::overloaded:
    case ReplyCode::not_done:
      return 503;
    case ReplyCode::position_not_reached:
      return 504;
    case ReplyCode::admitted:
    case ReplyCode::bound:
      break;
  }
  return 500;
}

bool is_success(ReplyCode code) { return status_of(code) < 300; }

std::string_view reply_code_text(ReplyCode code) {
  switch (code) {
    case ReplyCode::ok:
      return "ok";
    case ReplyCode::created:
      return "created";
    case ReplyCode::accepted:
      return "accepted";
    case ReplyCode::refused:
      return "refused";
    case ReplyCode::not_found:
      return "not_found";
    case ReplyCode::version_mismatch:
      return "version_mismatch";
    case ReplyCode::idempotency_conflict:
      return "idempotency_conflict";
    case ReplyCode::unavailable:
      return "unavailable";
    case ReplyCode::overloaded:
      return "overloaded";
    case ReplyCode::position_not_reached:
      return "position_not_reached";
    case ReplyCode::not_done:
      return "not_done";
    case ReplyCode::admitted:
    case ReplyCode::bound:
      break;
  }
  return "internal";
}

Problem problem_of(const Reply& reply) {
  Problem problem{status_of(reply.code), reply_code_text(reply.code), {}, {}};
  switch (reply.code) {
    case ReplyCode::refused:
      problem.code = refusal_code(reply.refusal);
      problem.detail = refusal_words(reply);
      break;
    case ReplyCode::not_found:
      problem.detail = "there is nothing with this id";
      break;
    case ReplyCode::version_mismatch:
      problem.detail = "it has changed: its version is not the one in If-Match";
      break;
    case ReplyCode::idempotency_conflict:
      problem.detail = "this idempotency key was used before with another request";
      break;
    case ReplyCode::unavailable:
      problem.detail = "it may or may not have happened; repeat with the same idempotency key";
      break;
    case ReplyCode::overloaded:
      return overloaded();
    case ReplyCode::position_not_reached:
      problem.detail = "the position asked for was not reached in time";
      break;
    case ReplyCode::not_done:
      problem.detail = "nothing can be written now, and it has not happened; repeat it";
      break;
    case ReplyCode::ok:
    case ReplyCode::created:
    case ReplyCode::accepted:
    case ReplyCode::admitted:
    case ReplyCode::bound:
      SOUK_ASSERT(!is_success(reply.code));
  }
  return problem;
}

}  // namespace souk
