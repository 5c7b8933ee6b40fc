#pragma once
/// The bytes of a question to read models on its way to a node that has them, and of the response on
/// its way back (schema/peers.capnp).
#include <string>
#include <string_view>
#include <vector>

#include "events/result.h"
#include "gateway/api/edge/headers.h"
#include "gateway/http/server.h"

namespace souk {

/// A GET as its client sent it: whoever answers reads and judges it as if it were its own client's.
struct PeerQuestion {
  std::string target;  // its path and query
  std::vector<MinPosition> wanted = {};
  AnswerForm form = AnswerForm::json;
};

/// Limits: below 100 KiB for what the HTTP server takes.
std::string encode(const PeerQuestion& question);
/// Left to the caller: whether there is such a question, and such shards.
/// Errors: corrupt; unsupported: a form that only a newer build knows.
/// Thread: any. `bytes` need not be aligned.
Result<PeerQuestion, Fault> decode_question(std::string_view bytes);

/// All of it but `close`, of the connection, and what the asker knows as well: `cache_control`, and
/// `allow` and `accept_encoding`, which no answer to a question has.
/// REQUIRES: a content type of answers: JSON, a problem, CSV.
std::string encode(const HttpResponse& response);
/// Errors: corrupt; unsupported: a content type that only a newer build knows.
/// Thread: any. `bytes` need not be aligned; they become the body.
Result<HttpResponse, Fault> decode_answer(std::string&& bytes);

}  // namespace souk
