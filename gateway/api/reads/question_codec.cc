#include "gateway/api/reads/question_codec.h"

#include <capnp/message.h>
#include <capnp/serialize.h>
#include <kj/array.h>
#include <kj/exception.h>
#include <schema/peers.capnp.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "gateway/api/edge/problem.h"

namespace souk {
namespace {

constexpr std::size_t positions_max = 65'536;
constexpr int status_min = 100, status_max = 599;
constexpr int retry_after_s_max = 24 * 60 * 60;

/// By their number in NodeAnswer.
constexpr std::array<std::string_view, 3> content_types = {"application/json", problem_content_type,
                                                           "text/csv; charset=utf-8"};

struct Unreadable {
  Fault fault;
};
void check(bool holds) {
  if (!holds) throw Unreadable{{Fault::Kind::corrupt, "question: a value that cannot be"}};
}

std::string_view view(capnp::Text::Reader text) { return {text.begin(), text.size()}; }
capnp::Text::Reader as_text(const std::string& text) { return {text.c_str(), text.size()}; }

template <class Root, class Write>
std::string pack(Write write) {
  capnp::MallocMessageBuilder builder;
  write(builder.initRoot<Root>());
  const auto words = capnp::messageToFlatArray(builder);
  const auto bytes = words.asBytes();
  return {reinterpret_cast<const char*>(bytes.begin()), bytes.size()};
}

template <class Root, class Value, class Read>
Result<Value, Fault> unpack(std::string_view bytes, Read read) {
  constexpr std::size_t word_bytes = sizeof(capnp::word);
  if (bytes.empty() || bytes.size() % word_bytes != 0)
    return Fault{Fault::Kind::corrupt, "question: the message is cut off"};
  auto words = kj::heapArray<capnp::word>(bytes.size() / word_bytes);
  std::memcpy(words.asBytes().begin(), bytes.data(), bytes.size());
  try {
    capnp::ReaderOptions options;
    options.traversalLimitInWords = 4 * words.size();  // a list that is pointed at twice, say
    capnp::FlatArrayMessageReader reader(words, options);
    return Value(read(reader.getRoot<Root>()));
  } catch (const Unreadable& unreadable) {
    return Fault(unreadable.fault);
  } catch (const kj::Exception&) {
    return Fault{Fault::Kind::corrupt, "question: the message is malformed"};
  }
}

PeerQuestion question_of(schema::NodeQuestion::Reader from) {
  PeerQuestion question;
  question.target = view(from.getTarget());
  check(question.target.starts_with('/'));
  if (from.getForm() > static_cast<std::uint8_t>(AnswerForm::csv))
    throw Unreadable{{Fault::Kind::unsupported, "question: a form that this version lacks"}};
  question.form = static_cast<AnswerForm>(from.getForm());
  const auto shards = from.getShards();
  const auto seqs = from.getSeqs();
  check(shards.size() == seqs.size() && shards.size() <= positions_max);
  for (unsigned i = 0; i < shards.size(); ++i)
    question.wanted.push_back({ShardId{shards[i]}, seqs[i]});
  return question;
}

HttpResponse response_of(schema::NodeAnswer::Reader from, std::size_t body_bytes) {
  check(from.getStatus() >= status_min && from.getStatus() <= status_max);
  check(from.getRetryAfterS() <= retry_after_s_max && from.getBodyBytes() == body_bytes);
  if (from.getContentType() >= content_types.size())
    throw Unreadable{
        {Fault::Kind::unsupported, "question: a content type that this version lacks"}};
  HttpResponse response;
  response.status = from.getStatus();
  response.content_type = content_types[from.getContentType()];
  response.etag = from.getEtag();
  response.position = view(from.getPosition());
  response.replayed = from.getReplayed();
  response.truncated = from.getTruncated();
  response.retry_after_s = static_cast<int>(from.getRetryAfterS());
  response.location = view(from.getLocation());
  // They become lines of a head.
  const auto is_printable = [](char c) { return c >= ' ' && c <= '~'; };
  check(std::ranges::all_of(response.position, is_printable) &&
        std::ranges::all_of(response.location, is_printable));
  return response;
}

}  // namespace

std::string encode(const PeerQuestion& question) {
  return pack<schema::NodeQuestion>([&](schema::NodeQuestion::Builder to) {
    to.setTarget(as_text(question.target));
    to.setForm(static_cast<std::uint8_t>(question.form));
    const auto count = static_cast<unsigned>(question.wanted.size());
    auto shards = to.initShards(count);
    auto seqs = to.initSeqs(count);
    for (unsigned i = 0; i < count; ++i) {
      shards.set(i, question.wanted[i].shard.value);
      seqs.set(i, question.wanted[i].seq);
    }
  });
}

Result<PeerQuestion, Fault> decode_question(std::string_view bytes) {
  return unpack<schema::NodeQuestion, PeerQuestion>(bytes, question_of);
}

/// The head's length (4 bytes, little endian), the head, the body.
std::string encode(const HttpResponse& response) {
  const auto type = std::ranges::find(content_types, response.content_type);
  SOUK_ASSERT(type != content_types.end());
  const std::string head = pack<schema::NodeAnswer>([&](schema::NodeAnswer::Builder to) {
    to.setStatus(static_cast<std::uint16_t>(response.status));
    to.setContentType(static_cast<std::uint8_t>(type - content_types.begin()));
    to.setEtag(response.etag);
    to.setPosition(as_text(response.position));
    to.setReplayed(response.replayed);
    to.setTruncated(response.truncated);
    to.setRetryAfterS(static_cast<std::uint32_t>(response.retry_after_s));
    to.setLocation(as_text(response.location));
    to.setBodyBytes(static_cast<std::uint32_t>(response.body.size()));
  });
  const auto length = static_cast<std::uint32_t>(head.size());
  std::string bytes;
  bytes.reserve(sizeof length + head.size() + response.body.size());
  bytes.append(reinterpret_cast<const char*>(&length), sizeof length);
  bytes += head;
  bytes += response.body;
  return bytes;
}

Result<HttpResponse, Fault> decode_answer(std::string&& bytes) {
  std::uint32_t length = 0;
  const std::size_t before = sizeof length;
  if (bytes.size() >= before) std::memcpy(&length, bytes.data(), before);
  if (bytes.size() < before || length > bytes.size() - before)
    return Fault{Fault::Kind::corrupt, "question: the answer is cut off"};
  const std::size_t body_bytes = bytes.size() - before - length;
  auto response = unpack<schema::NodeAnswer, HttpResponse>(
      std::string_view(bytes).substr(before, length),
      [&](schema::NodeAnswer::Reader from) { return response_of(from, body_bytes); });
  if (!response.ok()) return response;
  bytes.erase(0, before + length);
  response->body = std::move(bytes);
  return response;
}

}  // namespace souk
