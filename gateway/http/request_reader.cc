#include "gateway/http/request_reader.h"

#include <algorithm>

#include "events/result.h"

namespace souk {
namespace {

constexpr std::size_t first_reserve_bytes_max = 256 * 1024;
constexpr Rejection body_too_large{413, "too_large", "the request's body is too large"};
constexpr Rejection bad_chunk{400, "bad_request", "the chunked body is malformed"};

/// Behind `from` an empty line ends, or a line without its CR.
bool line_ends_for_good(std::string_view text, std::size_t from) {
  for (auto at = text.find('\n', from); at != text.npos; at = text.find('\n', at + 1))
    if (at < 3 || text[at - 1] != '\r' || text[at - 2] == '\n') return true;
  return false;
}

}  // namespace

RequestReader::Step RequestReader::read(std::string_view bytes, std::size_t head_bytes_max,
                                        HttpHandler& handler, RequestHead& head) {
  if (phase_ == Phase::body) return read_body(bytes, head);
  return read_head(bytes, head_bytes_max, handler, head);
}

RequestReader::Step RequestReader::read_head(std::string_view bytes, std::size_t head_bytes_max,
                                             HttpHandler& handler, RequestHead& head) {
  const std::size_t before = partial_.size();
  std::string_view text = bytes;
  if (phase_ == Phase::head) {
    // One more than the limit is enough to see that it is passed (an empty line may stand before).
    bytes = bytes.substr(0, head_bytes_max + 3 - std::min(before, head_bytes_max + 2));
    partial_.append(bytes);
    text = partial_;
    if (!worth_parsing(before, head_bytes_max)) return {Outcome::more, bytes.size(), {}};
  }
  Step step;
  HeadOutcome parsed = parse_head(text, head_bytes_max, head, step.rejection);
  if (parsed == HeadOutcome::rejected) {
    if (const auto minor = newer_minor_at(text)) {
      if (phase_ == Phase::idle) {
        // Begun anew in memory of its own, where the version can be written over.
        phase_ = Phase::head;
        partial_.clear();
        return read_head(bytes, head_bytes_max, handler, head);
      }
      partial_[*minor] = '1';
      parsed = parse_head(partial_, head_bytes_max, head, step.rejection);
    }
  }
  switch (parsed) {
    case HeadOutcome::rejected:
      step.outcome = Outcome::rejected;
      return step;
    case HeadOutcome::incomplete:
      if (phase_ == Phase::idle) partial_.assign(bytes);
      phase_ = Phase::head;
      parsed_bytes_ = partial_.size();
      step.used = bytes.size();
      return step;
    case HeadOutcome::complete:
      break;
  }
  if (phase_ == Phase::idle) return begin_body(bytes, handler, head);
  step.used = head.size - before;
  partial_.resize(head.size);
  const Step begun = begin_body({}, handler, head);
  step.outcome = begun.outcome;
  step.rejection = begun.rejection;
  return step;
}

/// An incomplete head is parsed again when its end (or a line's wrong end) may have come, otherwise
/// when it has doubled (so that noise is refused early): bytes that come one by one do not cost a
/// parse each.
bool RequestReader::worth_parsing(std::size_t fresh_from, std::size_t head_bytes_max) const {
  return partial_.size() >= 2 * parsed_bytes_ || partial_.size() > head_bytes_max ||
         line_ends_for_good(partial_, fresh_from);
}

/// The head is complete: in `bytes`, or (when they are empty) in partial_.
RequestReader::Step RequestReader::begin_body(std::string_view bytes, HttpHandler& handler,
                                              RequestHead& head) {
  const std::size_t used = bytes.empty() ? 0 : head.size;
  if (head.framing == BodyFraming::none) {
    if (bytes.empty()) restore(head);
    return {Outcome::request, used, {}};
  }
  body_bytes_max_ = handler.body_limit(head.request.method, head.request.target);
  if (head.framing == BodyFraming::length) {
    if (head.content_length > body_bytes_max_) return {Outcome::rejected, 0, body_too_large};
    const auto length = static_cast<std::size_t>(head.content_length);
    if (bytes.size() >= head.size + length) {
      head.request.body = bytes.substr(head.size, length);
      return {Outcome::request, head.size + length, {}};
    }
    partial_.reserve(head.size + std::min(length, first_reserve_bytes_max) + http_padding_bytes);
    body_left_ = head.content_length;
  }
  if (!bytes.empty()) partial_.assign(bytes.substr(0, head.size));
  head_bytes_ = head.size;
  framing_ = head.framing;
  expects_continue_ = head.expects_continue && bytes.size() <= head.size;
  phase_ = Phase::body;
  return {Outcome::more, used, {}};
}

RequestReader::Step RequestReader::read_body(std::string_view bytes, RequestHead& head) {
  expects_continue_ = false;
  if (framing_ == BodyFraming::chunked) {
    const ChunkDecoder::Step step = chunks_.decode(bytes, body_bytes_max_, partial_);
    switch (step.outcome) {
      case ChunkDecoder::Outcome::more:
        return {Outcome::more, step.used, {}};
      case ChunkDecoder::Outcome::malformed:
        return {Outcome::rejected, step.used, bad_chunk};
      case ChunkDecoder::Outcome::too_large:
        return {Outcome::rejected, step.used, body_too_large};
      case ChunkDecoder::Outcome::done:
        restore(head);
        return {Outcome::request, step.used, {}};
    }
  }
  const auto take = static_cast<std::size_t>(std::min<std::uint64_t>(body_left_, bytes.size()));
  partial_.append(bytes.substr(0, take));
  body_left_ -= take;
  if (body_left_ > 0) return {Outcome::more, take, {}};
  restore(head);
  return {Outcome::request, take, {}};
}

/// Makes `head` describe the request in partial_, which may have moved since its head was parsed.
void RequestReader::restore(RequestHead& head) {
  partial_.reserve(partial_.size() + http_padding_bytes);
  Rejection none;
  const HeadOutcome again = parse_head(partial_, partial_.size(), head, none);
  SOUK_ASSERT(again == HeadOutcome::complete);
  head.request.body = std::string_view(partial_).substr(head.size);
}

bool RequestReader::take_expectation() {
  const bool expected = expects_continue_;
  expects_continue_ = false;
  return expected;
}

void RequestReader::clear() {
  if (phase_ == Phase::idle) return;
  std::string().swap(partial_);
  parsed_bytes_ = head_bytes_ = 0;
  chunks_.reset();
  phase_ = Phase::idle;
  expects_continue_ = false;
}

}  // namespace souk
