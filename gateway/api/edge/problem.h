#pragma once
/// Every "no" of the edge, as RFC 9457 problems, and the one place where answers of the engine
/// become HTTP statuses.
#include <cstdint>
#include <string>
#include <string_view>

#include "actors/ports/request.h"

namespace souk {

struct Problem {
  int status = 0;         // 0: no problem
  std::string_view code;  // static storage
  std::string detail;
  std::string path;  // the member, parameter or header at fault; empty: none
};

inline constexpr std::string_view problem_content_type = "application/problem+json";

Problem invalid_json(std::string detail);
/// 422: JSON (or Cap'n Proto) of the wrong shape. `path` as `lines[1].quantity`.
Problem invalid_request(std::string path, std::string detail);
Problem not_found(std::string detail);
Problem overloaded();
Problem too_many_queries();

/// `{"type":"urn:souk:problem:CODE","title":..,"status":..,"detail":..,"code":..,"path":..}`
std::string problem_json(int status, std::string_view code, std::string_view detail,
                         std::string_view path = {});
std::string problem_json(const Problem& problem);

/// 503 and 429 say when to come back; 0 for all others.
int retry_after_s(int status);

int status_of(ReplyCode code);
bool is_success(ReplyCode code);
/// The stable word for a metric: `ok`, `refused`, ...
std::string_view reply_code_text(ReplyCode code);
/// REQUIRES: not is_success(reply.code).
Problem problem_of(const Reply& reply);

}  // namespace souk
