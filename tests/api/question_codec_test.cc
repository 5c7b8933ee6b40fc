// The bytes of questions to read models between nodes, and of their answers.
#include "gateway/api/reads/question_codec.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>

#include "gateway/api/edge/response.h"

using namespace souk;

namespace {

PeerQuestion a_question() {
  return {.target = "/v1/sql?q=SELECT%201&limit=3",
          .wanted = {{ShardId{0}, 17}, {ShardId{65'535}, UINT64_MAX}},
          .form = AnswerForm::csv};
}

HttpResponse an_answer() {
  HttpResponse response;
  response.status = 201;
  response.content_type = "text/csv; charset=utf-8";
  response.body = std::string("a,b\r\n\0\xff", 7);
  response.etag = UINT64_MAX;
  response.position = "0:17,65535:3";
  response.replayed = true;
  response.truncated = true;
  response.retry_after_s = 7;
  response.location = "/v1/somewhere";
  return response;
}

bool same(const HttpResponse& a, const HttpResponse& b) {
  return a.status == b.status && a.content_type == b.content_type && a.body == b.body &&
         a.etag == b.etag && a.position == b.position && a.replayed == b.replayed &&
         a.truncated == b.truncated && a.retry_after_s == b.retry_after_s &&
         a.location == b.location;
}

/// What was taken can be sent on, and is then the same.
void take(const std::string& bytes) {
  if (const auto question = decode_question(bytes); question.ok()) {
    CHECK(question->target.starts_with('/'));
    const std::string once = encode(*question);
    const auto again = decode_question(once);
    REQUIRE(again.ok());
    CHECK(encode(*again) == once);
  }
  if (const auto answer = decode_answer(std::string(bytes)); answer.ok()) {
    const auto again = decode_answer(encode(*answer));
    REQUIRE(again.ok());
    CHECK(same(*again, *answer));
  }
}

void damage_everywhere(const std::string& bytes) {
  for (std::size_t size = 0; size < bytes.size(); ++size) take(bytes.substr(0, size));
  for (std::size_t at = 0; at < bytes.size(); ++at)
    for (const int flip : {0x01, 0x02, 0x10, 0x80, 0xff}) {
      std::string wrong = bytes;
      wrong[at] = static_cast<char>(wrong[at] ^ flip);
      take(wrong);
    }
}

}  // namespace

TEST_CASE("question codec: a question comes back as it went") {
  const auto back = decode_question(encode(a_question()));
  REQUIRE(back.ok());
  CHECK(back->target == a_question().target);
  CHECK(back->form == AnswerForm::csv);
  REQUIRE(back->wanted.size() == 2);
  CHECK(back->wanted[0].shard == ShardId{0});
  CHECK(back->wanted[0].seq == 17);
  CHECK(back->wanted[1].shard == ShardId{65'535});
  CHECK(back->wanted[1].seq == UINT64_MAX);
  const auto plain = decode_question(encode(PeerQuestion{.target = "/v1/search"}));
  REQUIRE(plain.ok());
  CHECK(plain->form == AnswerForm::json);
  CHECK(plain->wanted.empty());
}

TEST_CASE("question codec: the largest question that a client can ask has room") {
  PeerQuestion question{.target = "/v1/sql?q=" + std::string(16 * 1'024, 'x')};
  for (std::uint16_t i = 0; i < 4'096; ++i) question.wanted.push_back({ShardId{i}, UINT64_MAX});
  const std::string bytes = encode(question);
  CHECK(bytes.size() < 100 * 1'024);
  REQUIRE(decode_question(bytes).ok());
  CHECK(decode_question(bytes)->wanted.size() == 4'096);
}

TEST_CASE("question codec: an answer comes back as it went, with each kind of content") {
  const auto back = decode_answer(encode(an_answer()));
  REQUIRE(back.ok());
  CHECK(same(*back, an_answer()));
  HttpResponse json;
  json.body = "{}";
  CHECK(same(*decode_answer(encode(json)), json));
  const HttpResponse problem =
      response_of(Problem{503, "unavailable", "the read model failed to answer", {}});
  CHECK(same(*decode_answer(encode(problem)), problem));
  CHECK(problem.retry_after_s > 0);
}

TEST_CASE("question codec: a large body is as long on its way") {
  HttpResponse response;
  response.body = std::string(20 << 20, 'x');
  const std::string bytes = encode(response);
  CHECK(bytes.size() < response.body.size() + 100);
  CHECK(decode_answer(std::string(bytes))->body == response.body);
}

TEST_CASE("question codec: what cannot have been sent is a fault") {
  CHECK_FALSE(decode_question("").ok());
  CHECK_FALSE(decode_question("rubbish that is no message").ok());
  CHECK_FALSE(decode_question(encode(PeerQuestion{.target = ""})).ok());
  CHECK_FALSE(decode_question(encode(PeerQuestion{.target = "v1/search"})).ok());
  PeerQuestion newer = a_question();
  newer.form = static_cast<AnswerForm>(9);
  REQUIRE_FALSE(decode_question(encode(newer)).ok());
  CHECK(decode_question(encode(newer)).error().kind == Fault::Kind::unsupported);
  CHECK_FALSE(decode_answer("").ok());
  CHECK_FALSE(decode_answer(std::string("\x09\0\0\0x", 5)).ok());
  const std::string whole = encode(an_answer());
  CHECK_FALSE(decode_answer(whole.substr(0, whole.size() - 1)).ok());
  CHECK_FALSE(decode_answer(whole + "x").ok());
  for (const char* position : {"0:1\r\nSet-Cookie: a=b", "\x01", "gr\xC3\xBCn"}) {
    HttpResponse split = an_answer();
    split.position = position;
    CHECK_FALSE(decode_answer(encode(split)).ok());
    split = an_answer();
    split.location = position;
    CHECK_FALSE(decode_answer(encode(split)).ok());
  }
  HttpResponse odd = an_answer();
  odd.status = 999;
  CHECK_FALSE(decode_answer(encode(odd)).ok());
}

TEST_CASE("question codec: damage at every byte, and bytes by chance, are taken or refused") {
  damage_everywhere(encode(a_question()));
  damage_everywhere(encode(an_answer()));
  const auto seed = std::random_device{}();
  CAPTURE(seed);
  std::mt19937 chance(seed);
  for (int i = 0; i < 20'000; ++i) {
    std::string bytes(chance() % 80, '\0');
    for (char& c : bytes) c = static_cast<char>(chance() % 3 == 0 ? chance() : chance() % 5);
    take(bytes);
  }
}

TEST_CASE("question codec: what an earlier build sent is still read") {
  const std::filesystem::path golden =
      std::filesystem::path(SOUK_SOURCE_DIR) / "tests/golden/questions";
  const auto kept = [&](const char* name, const std::string& bytes) {
    if (std::getenv("SOUK_WRITE_GOLDEN") != nullptr && !std::filesystem::exists(golden / name)) {
      std::filesystem::create_directories(golden);
      std::ofstream(golden / name, std::ios::binary) << bytes;
    }
    std::ifstream in(golden / name, std::ios::binary);
    std::string all{std::istreambuf_iterator<char>(in), {}};
    REQUIRE_FALSE(all.empty());
    return all;
  };
  const auto question = decode_question(kept("question.bin", encode(a_question())));
  REQUIRE(question.ok());
  CHECK(encode(*question) == encode(a_question()));
  const auto answer = decode_answer(kept("answer.bin", encode(an_answer())));
  REQUIRE(answer.ok());
  CHECK(same(*answer, an_answer()));
}
