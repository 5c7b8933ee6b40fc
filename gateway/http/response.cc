#include "gateway/http/response.h"

#include <fmt/format.h>

#include <array>
#include <charconv>

namespace souk {
namespace {

std::string_view reason(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 304:
      return "Not Modified";
    case 400:
      return "Bad Request";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 406:
      return "Not Acceptable";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 412:
      return "Precondition Failed";
    case 413:
      return "Content Too Large";
    case 415:
      return "Unsupported Media Type";
    case 422:
      return "Unprocessable Content";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    default:
      return "";  // the words are optional (RFC 9112, section 4)
  }
}

void append_number(std::uint64_t number, std::string& out) {
  std::array<char, 20> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  out.append(digits.data(), end);
}

void append_field(std::string_view name, std::string_view value, std::string& out) {
  out.append(name);
  for (const char c : value) out.push_back(c >= ' ' && c < 0x7f ? c : '?');
  out.append("\r\n");
}

/// The status line and the date.
void append_start(int status, std::string_view date, std::string& out) {
  if (status == 200) {
    out.append("HTTP/1.1 200 OK\r\nDate: ");
  } else {
    out.append("HTTP/1.1 ");
    append_number(static_cast<std::uint64_t>(status), out);
    out.push_back(' ');
    out.append(reason(status)).append("\r\nDate: ");
  }
  out.append(date).append("\r\n");
}

}  // namespace

bool status_has_body(int status) { return status != 204 && status != 304; }

void append_response_head(const HttpResponse& response, AfterAnswer after, std::string_view date,
                          std::string& out) {
  append_start(response.status, date, out);
  if (status_has_body(response.status)) {
    if (!response.body.empty()) {
      out.append("Content-Type: ").append(response.content_type).append("\r\n");
    }
    out.append("Content-Length: ");
    append_number(response.body.size(), out);
    out.append("\r\n");
  }
  if (response.etag != 0) {
    out.append("ETag: \"");
    append_number(response.etag, out);
    out.append("\"\r\n");
  }
  if (!response.cache_control.empty()) append_field("Cache-Control: ", response.cache_control, out);
  if (!response.position.empty()) append_field("Souk-Position: ", response.position, out);
  if (response.replayed) out.append("Idempotent-Replay: true\r\n");
  if (response.truncated) out.append("Souk-Truncated: true\r\n");
  if (response.retry_after_s > 0) {
    out.append("Retry-After: ");
    append_number(static_cast<std::uint64_t>(response.retry_after_s), out);
    out.append("\r\n");
  }
  if (!response.allow.empty()) append_field("Allow: ", response.allow, out);
  if (!response.accept_encoding.empty())
    append_field("Accept-Encoding: ", response.accept_encoding, out);
  if (!response.location.empty()) append_field("Location: ", response.location, out);
  if (after == AfterAnswer::close) out.append("Connection: close\r\n");
  out.append("\r\n");
}

void append_response_head(const ReadyResponse& response, AfterAnswer after, std::string_view date,
                          std::time_t now, std::string& out) {
  append_start(response.status, date, out);
  // Before Cache-Control: nginx up to 1.22 lets the later of the two rule.
  if (response.shared == SharedUse::to_the_end_of_the_second) {
    out.append("X-Accel-Expires: @");
    append_number(static_cast<std::uint64_t>(now), out);
    out.append("\r\n");
  }
  out.append(response.fields);
  if (after == AfterAnswer::close) out.append("Connection: close\r\n");
  out.append("\r\n");
}

std::string_view HttpDate::at(std::time_t now) {
  if (now == second_) return text_;
  static constexpr std::array<const char*, 7> days{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr std::array<const char*, 12> months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  std::tm utc{};
  gmtime_r(&now, &utc);
  text_ = fmt::format("{}, {:02} {} {} {:02}:{:02}:{:02} GMT",
                      days[static_cast<std::size_t>(utc.tm_wday)], utc.tm_mday,
                      months[static_cast<std::size_t>(utc.tm_mon)], utc.tm_year + 1900, utc.tm_hour,
                      utc.tm_min, utc.tm_sec);
  second_ = now;
  return text_;
}

}  // namespace souk
