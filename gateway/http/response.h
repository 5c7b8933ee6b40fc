#pragma once
/// The bytes of an answer's head.
#include <ctime>
#include <string>
#include <string_view>

#include "gateway/http/server.h"

namespace souk {

enum class AfterAnswer : std::uint8_t { keep_open, close };

/// Appends the status line, the header fields and the empty line. 204 and 304 have no
/// Content-Length and, like any answer without a body, no Content-Type. Bytes that a field value
/// must not have (control characters, anything outside ASCII) become `?`.
void append_response_head(const HttpResponse& response, AfterAnswer after, std::string_view date,
                          std::string& out);

/// The same of a ready answer. `now`: that `date` shows.
void append_response_head(const ReadyResponse& response, AfterAnswer after, std::string_view date,
                          std::time_t now, std::string& out);

/// Whether an answer with this status can have a body.
bool status_has_body(int status);

/// The Date header's value, formatted once a second.
class HttpDate {
 public:
  std::string_view at(std::time_t now);

 private:
  std::time_t second_ = -1;
  std::string text_;
};

}  // namespace souk
