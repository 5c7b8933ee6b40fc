#include "gateway/http/parser.h"

#include <algorithm>
#include <boost/beast/http/basic_parser.hpp>
#include <charconv>
#include <limits>
#include <optional>

namespace souk {
namespace {

namespace http = boost::beast::http;
using BoostView = boost::beast::string_view;
using Error = boost::beast::error_code;

std::string_view view(BoostView text) { return {text.data(), text.size()}; }

/// `lower` is in lower case.
bool equals_lower(std::string_view text, std::string_view lower) {
  return text.size() == lower.size() &&
         std::equal(text.begin(), text.end(), lower.begin(), [](char a, char b) {
           return (a >= 'A' && a <= 'Z' ? static_cast<char>(a + ('a' - 'A')) : a) == b;
         });
}

bool ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

bool digit(char c) { return c >= '0' && c <= '9'; }
bool hex_digit(char c) { return digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

/// A name, or an address in brackets (RFC 3986, 3.2.2). An http URI has one (RFC 9110, 4.2.1).
bool plausible_name(std::string_view name) {
  if (name.empty()) return false;
  if (name.front() == '[') {
    const auto inside = name.substr(1);
    return inside.find(']') == inside.size() - 1 && inside.size() > 1 &&
           std::all_of(inside.begin(), inside.end() - 1,
                       [](char c) { return hex_digit(c) || c == ':' || c == '.' || c == 'v'; });
  }
  for (std::size_t i = 0; i < name.size(); ++i) {
    const auto byte = static_cast<unsigned char>(name[i]);
    if (byte <= ' ' || byte >= 0x7f ||
        std::string_view("\"#,/:<>?@[\\]^`{|}").find(name[i]) != std::string_view::npos)
      return false;
    if (name[i] == '%' &&
        (i + 2 >= name.size() || !hex_digit(name[i + 1]) || !hex_digit(name[i + 2])))
      return false;
  }
  return true;
}

/// `name`, `name:` or `name:port`.
bool plausible_host(std::string_view text) {
  const auto colon =
      text.find(':', text.starts_with('[') ? std::min(text.find(']'), text.size()) : 0);
  if (colon == text.npos) return plausible_name(text);
  const auto port = text.substr(colon + 1);
  unsigned value = 0;
  const auto [end, code] = std::from_chars(port.data(), port.data() + port.size(), value);
  const bool number = code == std::errc{} && end == port.data() + port.size() && value <= 65'535;
  return (port.empty() || number) && plausible_name(text.substr(0, colon));
}

HttpMethod to_method(http::verb verb) {
  switch (verb) {
    case http::verb::get:
      return HttpMethod::get;
    case http::verb::head:
      return HttpMethod::head;
    case http::verb::put:
      return HttpMethod::put;
    case http::verb::post:
      return HttpMethod::post;
    case http::verb::patch:
      return HttpMethod::patch;
    case http::verb::delete_:
      return HttpMethod::del;
    case http::verb::options:
      return HttpMethod::options;
    default:
      return HttpMethod::other;
  }
}

/// What Beast found wrong, in words for the client.
std::string_view describe(const Error& error) {
  if (error == http::error::bad_method) return "the request line does not begin with a method";
  if (error == http::error::bad_target) return "the request target is malformed";
  if (error == http::error::bad_version) return "the request line does not end in HTTP/1.1";
  if (error == http::error::bad_line_ending) return "a line does not end in CR LF";
  if (error == http::error::bad_field) return "a header name is malformed";
  if (error == http::error::bad_value) return "a header value is malformed";
  if (error == http::error::bad_content_length) return "Content-Length is malformed";
  if (error == http::error::bad_transfer_encoding) return "Transfer-Encoding is malformed";
  return "the request is malformed";
}

/// Fills a RequestHead with views as Beast finds the parts. Beast checks the grammar; what it lets
/// pass and should not (RFC 9112) is refused here.
class HeadParser final : public http::basic_parser<true> {
 public:
  HeadParser(std::string_view bytes, RequestHead& head) : bytes_(bytes), head_(head) {
    header_limit(std::numeric_limits<std::uint32_t>::max());  // the caller bounds the bytes
    // Bodies are read and bounded elsewhere (with none, Beast 1.74 refuses every length).
    body_limit(std::numeric_limits<std::uint64_t>::max());
  }

  /// Set when one of our own checks failed.
  const Rejection& rejection() const { return rejection_; }

  /// The checks that need all of the header fields.
  bool consistent() {
    Error ignored;
    if (!has_host_ && http_1_1_) {
      refuse(ignored, "HTTP/1.1 requires a Host header");
    } else if (has_content_length_ && has_transfer_encoding_) {
      refuse(ignored, "Content-Length together with Transfer-Encoding");
    } else if (has_transfer_encoding_ && !http_1_1_) {
      refuse(ignored, "Transfer-Encoding in HTTP/1.0");
    }
    head_.keep_alive = http_1_1_ && keep_alive();
    return rejection_.detail.empty();
  }

 private:
  void on_request_impl(http::verb verb, BoostView, BoostView target, int version,
                       Error& error) override {
    http_1_1_ = version == 11;
    head_.request.method = to_method(verb);
    std::string_view text = view(target);
    if (!ascii(text)) return refuse(error, "the request target must be percent-encoded ASCII");
    if (text.find('#') != text.npos) return refuse(error, "the request target has a fragment");
    // The absolute form, which a server must accept (RFC 9112, 3.2.2): only its path matters here.
    const auto scheme = std::min(text.find("://"), text.size());
    if (equals_lower(text.substr(0, scheme), "http") ||
        equals_lower(text.substr(0, scheme), "https")) {
      const auto rest = text.substr(std::min(scheme + 3, text.size()));
      const auto path = std::min(rest.find_first_of("/?"), rest.size());
      if (!plausible_host(rest.substr(0, path)))
        return refuse(error, "the target's host is malformed");
      text = path == rest.size() ? std::string_view("/") : rest.substr(path);
    } else if (text == "*") {
      if (head_.request.method != HttpMethod::options)
        return refuse(error, "the target * is for OPTIONS alone");
    } else if (text.front() != '/') {
      return refuse(error, "the target is not a path");
    }
    head_.request.target = text;
  }

  void on_field_impl(http::field field, BoostView name_text, BoostView value_text,
                     Error& error) override {
    const std::string_view name = view(name_text);
    const std::string_view value = view(value_text);
    if (folded(name, value)) return refuse(error, "obsolete line folding");
    HttpRequest& request = head_.request;
    switch (field) {
      case http::field::host:
        if (has_host_) return refuse(error, "more than one Host header");
        if (!plausible_host(value)) return refuse(error, "Host is malformed");
        has_host_ = true;
        return;
      case http::field::content_length:
        return take_content_length(value, error);
      case http::field::transfer_encoding:
        return take_transfer_encoding(value, error);
      case http::field::expect:
        return take_expectation(value, error);
      case http::field::content_type:
        if (request.has_content_type) return refuse(error, "more than one Content-Type header");
        request.has_content_type = true;
        return keep(value, request.content_type, error);
      case http::field::content_encoding:
        return take_content_encoding(value, error);
      case http::field::if_match:
        if (request.has_if_match) return refuse(error, "more than one If-Match header");
        request.has_if_match = true;
        return keep(value, request.if_match, error);
      case http::field::if_none_match:
        request.has_if_none_match = true;
        return keep(value, request.if_none_match, error);
      case http::field::accept:
        if (request.accept.empty()) keep(value, request.accept, error);
        return;
      case http::field::accept_encoding:
        if (request.accept_encoding.empty()) keep(value, request.accept_encoding, error);
        return;
      case http::field::prefer:
        if (request.prefer.empty()) keep(value, request.prefer, error);
        return;
      default:
        return take_own(name, value, error);
    }
  }

  /// The headers that Beast does not know.
  void take_own(std::string_view name, std::string_view value, Error& error) {
    HttpRequest& request = head_.request;
    if (equals_lower(name, "idempotency-key")) {
      if (request.has_idempotency_key) {
        return refuse(error, "more than one Idempotency-Key header");
      }
      request.has_idempotency_key = true;
      request.idempotency_key = value;  // the API says which bytes a key may have
    } else if (equals_lower(name, "souk-min-position")) {
      if (request.has_min_position) return refuse(error, "more than one Souk-Min-Position header");
      request.has_min_position = true;
      keep(value, request.souk_min_position, error);
    } else if (equals_lower(name, "souk-read-level")) {
      if (request.has_read_level) return refuse(error, "more than one Souk-Read-Level header");
      request.has_read_level = true;
      keep(value, request.souk_read_level, error);
    }
  }

  /// A second one is a list with the first: of two codings, which nobody here takes off.
  void take_content_encoding(std::string_view value, Error& error) {
    constexpr std::string_view several = ",";
    auto& coding = head_.request.content_encoding;
    const bool repeated = !coding.empty();
    keep(value, coding, error);
    if (repeated) coding = several;
  }

  /// HTTP/1.0 knows none (RFC 9110, 10.1.1).
  void take_expectation(std::string_view value, Error& error) {
    if (!http_1_1_) return;
    head_.expects_continue = equals_lower(value, "100-continue");
    if (head_.expects_continue) return;
    refuse(error, "the only expectation known here is 100-continue");
    rejection_.status = 417;
    rejection_.code = "expectation_failed";
  }

  void take_content_length(std::string_view value, Error& error) {
    if (has_content_length_) return refuse(error, "more than one Content-Length header");
    has_content_length_ = true;
    const char* end = value.data() + value.size();
    const auto [stopped, code] = std::from_chars(value.data(), end, head_.content_length);
    if (code != std::errc{} || stopped != end) return refuse(error, "Content-Length is no number");
    if (head_.content_length > 0) head_.framing = BodyFraming::length;
  }

  void take_transfer_encoding(std::string_view value, Error& error) {
    has_transfer_encoding_ = true;  // a repeat of "chunked" is refused by Beast
    if (!equals_lower(value, "chunked")) {
      refuse(error, "the only transfer coding known here is chunked");
      rejection_.status = 501;
      rejection_.code = "not_implemented";
      return;
    }
    head_.framing = BodyFraming::chunked;
  }

  void keep(std::string_view value, std::string_view& into, Error& error) {
    if (!ascii(value)) return refuse(error, "a header value has bytes outside ASCII");
    into = value;
  }

  /// A value on its own line has only blanks between the colon and itself; Beast puts one that it
  /// has unfolded elsewhere, or starts it on a later line.
  bool folded(std::string_view name, std::string_view value) const {
    const auto colon = static_cast<std::size_t>(name.data() + name.size() - bytes_.data());
    const auto start = reinterpret_cast<std::uintptr_t>(value.data()) -
                       reinterpret_cast<std::uintptr_t>(bytes_.data());
    if (start > bytes_.size() || start <= colon) return true;
    const std::string_view between = bytes_.substr(colon + 1, start - colon - 1);
    return between.find_first_not_of(" \t") != between.npos;
  }

  void refuse(Error& error, std::string_view detail) {
    rejection_.detail = detail;
    error = http::error::bad_value;
  }

  // Never called: bodies are read elsewhere, and this is no client.
  void on_response_impl(int, BoostView, int, Error&) override {}
  void on_header_impl(Error&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>&, Error&) override {}
  std::size_t on_body_impl(BoostView, Error&) override { return 0; }
  void on_chunk_header_impl(std::uint64_t, BoostView, Error&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, BoostView, Error&) override { return 0; }
  void on_finish_impl(Error&) override {}

  std::string_view bytes_;
  RequestHead& head_;
  Rejection rejection_;
  bool http_1_1_ = false;
  bool has_host_ = false;
  bool has_content_length_ = false;
  bool has_transfer_encoding_ = false;
};

/// Why what Beast takes for a beginning can never become a head; empty: it can.
std::string_view why_never_whole(std::string_view text) {
  for (auto at = text.find('\n'); at != text.npos; at = text.find('\n', at + 1))
    if (at == 0 || text[at - 1] != '\r') return "a line does not end in CR LF";
  if (text.find("\r\n\r\n") != text.npos) return "the request line is malformed";
  return {};
}

/// Where `.` stands in the version that ends the first line; none: no version stands there.
std::optional<std::size_t> version_at(std::string_view text) {
  const auto line = text.substr(0, text.find("\r\n"));
  if (line.size() == text.size() || line.size() < 9) return std::nullopt;
  const auto version = line.substr(line.size() - 9);
  if (!version.starts_with(" HTTP/") || !digit(version[6]) || version[7] != '.' ||
      !digit(version[8]))
    return std::nullopt;
  return line.size() - 2;
}

/// A first line that may yet end behind its version, which Beast judges sooner.
bool version_may_end(std::string_view text) {
  if (text.ends_with('\r')) text.remove_suffix(1);
  return text.find('\r') == text.npos && version_at(std::string(text) + "\r\n").has_value();
}

void judge_version(std::string_view text, Rejection& rejection) {
  const auto point = version_at(text);
  if (!point || text[*point - 1] == '1') return;
  rejection = {505, "version_not_supported", "this server speaks HTTP/1.1"};
}

}  // namespace

std::optional<std::size_t> newer_minor_at(std::string_view bytes) {
  const std::size_t skipped = bytes.starts_with("\r\n") ? 2 : 0;
  const auto point = version_at(bytes.substr(skipped));
  if (!point) return std::nullopt;
  const auto minor = skipped + *point + 1;
  return bytes[minor - 2] == '1' && bytes[minor] > '1' ? std::optional(minor) : std::nullopt;
}

HeadOutcome parse_head(std::string_view bytes, std::size_t size_max, RequestHead& head,
                       Rejection& rejection) {
  head = RequestHead{};
  // An empty line before the request is some clients' mistake (RFC 9112, 2.2).
  const std::size_t skipped = bytes.starts_with("\r\n") ? 2 : 0;
  const std::string_view text = bytes.substr(skipped, size_max);
  if (text.empty() || text == "\r") return HeadOutcome::incomplete;
  HeadParser parser(text, head);
  Error error;
  const std::size_t used = parser.put({text.data(), text.size()}, error);
  if (error == http::error::need_more) {
    if (const auto wrong = why_never_whole(text); !wrong.empty()) {
      rejection = {400, "bad_request", wrong};
      return HeadOutcome::rejected;
    }
    if (text.size() < size_max) return HeadOutcome::incomplete;
    rejection = {431, "headers_too_large", "the request's headers are too large"};
    return HeadOutcome::rejected;
  }
  if (error || !parser.consistent()) {
    if (error == http::error::bad_version && text.size() < size_max && version_may_end(text))
      return HeadOutcome::incomplete;
    rejection = parser.rejection();
    if (rejection.detail.empty()) rejection.detail = describe(error);
    if (error == http::error::bad_version) judge_version(text, rejection);
    return HeadOutcome::rejected;
  }
  head.size = skipped + used;
  return HeadOutcome::complete;
}

}  // namespace souk
