#include "gateway/cache/views.h"

#include <doctest/doctest.h>
#include <zlib.h>
#include <zstd.h>

#include "tests/api/fixtures.h"

using namespace souk;
using namespace souk::test;

namespace {

const std::string product_path = "/v1/products/tea";
const std::string cart_path = "/v1/carts/" + some_cart().text();

EntityKey tea() { return *Sku::parse("tea"); }

Reply document(const EntityKey& entity, Version version, std::string body, Seq seq = 42) {
  auto reply = reply_of(ReplyCode::ok, entity, version, std::move(body));
  reply.seq = seq;
  return reply;
}

/// Sends a read, which the host answers where it is asked. Returns the exchange.
std::uint32_t read(Edge& edge, const std::string& path, Reply reply, const Headers& headers = {},
                   HttpMethod method = HttpMethod::get) {
  const auto asked = edge.engine.asked.size();
  const auto exchange = edge.send(method, path, "", headers);
  if (edge.engine.asked.size() > asked) {
    edge.engine.answer(asked, std::move(reply));
    edge.wake();
  }
  REQUIRE(edge.answered(exchange));
  return exchange;
}

bool has_field(Edge& edge, std::uint32_t exchange, const std::string& line) {
  return ("\r\n" + edge.server.fields[exchange]).find("\r\n" + line + "\r\n") != std::string::npos;
}

std::string unzip(Encoding encoding, const std::string& bytes, std::size_t size) {
  std::string out(size, '\0');
  if (encoding == Encoding::zstd) {
    REQUIRE(ZSTD_decompress(out.data(), size, bytes.data(), bytes.size()) == size);
    return out;
  }
  z_stream stream{};
  REQUIRE(inflateInit2(&stream, 15 + 16) == Z_OK);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(size);
  CHECK(inflate(&stream, Z_FINISH) == Z_STREAM_END);
  inflateEnd(&stream);
  return out;
}

}  // namespace

TEST_CASE("views: the host is asked once, and the second answer has the same bytes") {
  Edge edge;
  const auto first = read(edge, product_path, document(tea(), 3, R"({"sku":"tea"})"));
  const auto second = read(edge, product_path, document(tea(), 9, "never asked for"));
  CHECK(edge.engine.asked.size() == 1);
  CHECK(edge.answer(second).body == R"({"sku":"tea"})");
  CHECK(edge.server.fields[first] == edge.server.fields[second]);
  CHECK(edge.answer(second).etag == 3);
  CHECK(edge.answer(second).position == "7:42");
  CHECK(edge.common.views().stats().hits == 1);
  CHECK(edge.common.metrics().counted(Action::get_product,
                                      static_cast<std::size_t>(ReplyCode::ok)) == 2);
  // A HEAD is the same answer; the server leaves the body out.
  const auto head = read(edge, product_path, {}, {}, HttpMethod::head);
  CHECK(edge.server.fields[head] == edge.server.fields[first]);
  CHECK(has_field(edge, head, "Content-Length: 13"));
}

TEST_CASE("views: what has changed is asked for again, from the moment it changes") {
  Edge edge;
  read(edge, product_path, document(tea(), 3, "old", 42));
  edge.freshness.changed(ShardId{7}, tea(), 43);
  CHECK(edge.answer(read(edge, product_path, document(tea(), 4, "new", 43))).body == "new");
  CHECK(edge.answer(read(edge, product_path, {})).body == "new");
  CHECK(edge.engine.asked.size() == 2);
  CHECK(edge.common.views().stats().outdated == 1);
}

TEST_CASE("views: an answer that was overtaken on its way is not kept") {
  Edge edge;
  const auto exchange = edge.send(HttpMethod::get, product_path);
  edge.engine.answer(0, document(tea(), 3, "old", 42));
  edge.freshness.changed(ShardId{7}, tea(), 43);
  edge.wake();
  CHECK(edge.answer(exchange).body == "old");  // it was true when it was asked for
  CHECK(edge.answer(read(edge, product_path, document(tea(), 4, "new", 43))).body == "new");
}

TEST_CASE("views: other methods, other targets and positions go to the host") {
  Edge edge;
  read(edge, cart_path, document(some_cart(), 3, "{}"));
  edge.send(HttpMethod::get, cart_path, "", {.min_position = "5:1"});
  CHECK(edge.engine.asked.size() == 2);
  const auto refused = edge.send(HttpMethod::get, cart_path + "?x=1");
  CHECK(edge.answer(refused).status == 422);
  CHECK(edge.answer(edge.send(HttpMethod::put, cart_path)).status == 405);
  const auto absent = read(edge, "/v1/products/none", reply_of(ReplyCode::not_found, tea()));
  CHECK(edge.answer(absent).status == 404);
  read(edge, "/v1/products/none", reply_of(ReplyCode::not_found, tea()));
  CHECK(edge.engine.asked.size() == 4);  // that there is nothing is not kept
  const std::string long_path = "/v1/products/" + std::string(240, 'a') + "%61%61";
  CHECK(Views::key_of(long_path).empty() == (long_path.size() > 256));
}

TEST_CASE("views: nothing with personal data is kept, opened or sealed") {
  Edge edge;
  REQUIRE(edge.vault.ensure({some_user()}).ok());
  const auto path = "/v1/users/" + some_user().text();
  auto sealed = *edge.vault.seal(some_user(), "ada@example.org");
  for (std::size_t n = 1; n <= 2; ++n) {
    auto reply = document(some_user(), 1, R"({"email":})");
    reply.body.sealed.push_back({9, some_user(), sealed, false});
    const auto exchange = edge.send(HttpMethod::get, path);
    REQUIRE(edge.engine.asked.size() == n);
    edge.engine.answer(n - 1, std::move(reply));
    edge.wake();
    edge.wake();  // the vault's thread
    CHECK(edge.answer(exchange).body == R"({"email":"ada@example.org"})");
    CHECK(has_field(edge, exchange, "Cache-Control: private, no-store"));
  }
  CHECK(edge.common.views().stats().bytes == 0);
}

TEST_CASE("views: 304 where the client has the document, from the host and from memory alike") {
  Edge edge;
  const auto status = [&](const std::string& header, Version beside) {
    auto reply = document(some_cart(), 3, "{}");
    reply.beside_version = beside;
    return edge.answer(read(edge, cart_path, std::move(reply), {.if_none_match = header})).status;
  };
  for (const Version beside : {0, 7}) {
    CAPTURE(beside);
    const std::string tag = beside == 0 ? "\"3\"" : "\"3-7\"";
    for (int turn = 0; turn < 2; ++turn) {  // asked for, then in memory
      CAPTURE(turn);
      CHECK(status(tag, beside) == 304);
      CHECK(status("W/" + tag, beside) == 304);
      CHECK(status("\"1\", W/" + tag + " ,\"x\"", beside) == 304);
      CHECK(status("*", beside) == 304);
      for (const char* other : {"\"4\"", "\"3-8\"", "\"4-7\"", "3", "\"\""})
        CHECK(status(other, beside) == 200);
      CHECK(status(beside == 0 ? "\"3-7\"" : "\"3\"", beside) == 200);
    }
    const auto sent = read(edge, cart_path, {}, {});
    CHECK(has_field(edge, sent, "ETag: " + tag));
    CHECK(edge.engine.asked.size() == (beside == 0 ? 1 : 2));
    edge.freshness.changed(ShardId{7}, some_cart(), 42 + edge.engine.asked.size());
    if (beside == 0) {
      auto next = document(some_cart(), 3, "{}", 43);
      next.beside_version = 7;
      read(edge, cart_path, std::move(next));
    }
  }
}

TEST_CASE("views: who may keep what") {
  Edge edge;
  const auto product =
      read(edge, "/v1/products/BANK%20CHARGES", document(*Sku::parse("BANK CHARGES"), 1, "{}"));
  CHECK(has_field(edge, product, "Cache-Control: public, max-age=1, stale-while-revalidate=5"));
  CHECK(has_field(edge, product, "Surrogate-Key: product-BANK%20CHARGES products"));
  CHECK(has_field(edge, product, "Vary: Accept-Encoding"));
  const auto stock = read(edge, "/v1/inventory/tea", document(tea(), 1, "{}"));
  CHECK(has_field(edge, stock, "Cache-Control: public, max-age=1"));
  const auto cart = read(edge, cart_path, document(some_cart(), 1, "{}"));
  CHECK(has_field(edge, cart, "Cache-Control: private, no-cache"));
  const auto order =
      read(edge, "/v1/orders/" + some_order().text(), document(some_order(), 1, "{}"));
  CHECK(has_field(edge, order, "Cache-Control: private, no-store"));
  const auto orders =
      read(edge, "/v1/users/" + some_user().text() + "/orders", document(some_user(), 0, "{}"));
  CHECK(has_field(edge, orders, "Cache-Control: private, no-store"));
  CHECK(edge.server.fields[orders].find("ETag") == std::string::npos);
  edge.payments.records[some_order()] = {};
  const auto payment = edge.send(HttpMethod::get, "/v1/payments/" + some_order().text());
  edge.wake();
  CHECK(edge.answer(payment).cache_control == "private, no-store");
  for (const auto exchange : {stock, cart, order, orders})
    CHECK(edge.server.fields[exchange].find("Surrogate-Key") == std::string::npos);
}

TEST_CASE("views: a document worth it is compressed once for all who read that") {
  Edge edge;
  std::string body = "{\"lines\":[";
  while (body.size() < 5'000) body += R"({"sku":"tea","name":"Green tea"},)";
  const auto with = [&](const std::string& accepted) {
    return read(edge, cart_path, document(some_cart(), 3, body), {.accept_encoding = accepted});
  };
  const auto plain = with("");
  CHECK(edge.answer(plain).body == body);
  for (const auto encoding : {Encoding::gzip, Encoding::zstd}) {
    const std::string name(encoding_name(encoding));
    const auto before = edge.common.views().stats().bytes;
    const auto first = with(name);
    const auto kept = edge.common.views().stats().bytes;
    const auto second = with(name + ", br");
    CHECK(kept > before);
    CHECK(edge.common.views().stats().bytes == kept);
    CHECK(has_field(edge, first, "Content-Encoding: " + name));
    CHECK(edge.answer(first).body.size() < body.size() / 4);
    CHECK(unzip(encoding, edge.answer(first).body, body.size()) == body);
    CHECK(edge.answer(first).body == edge.answer(second).body);
    CHECK(edge.answer(first).etag == 3);
    CHECK(has_field(edge, first,
                    "Content-Length: " + std::to_string(edge.answer(first).body.size())));
  }
  CHECK(edge.answer(with("br, identity")).body == body);
  CHECK(edge.engine.asked.size() == 1);
  edge.freshness.changed(ShardId{7}, some_cart(), 43);
  body += "]}";
  const auto exchange = edge.send(HttpMethod::get, cart_path, "", {.accept_encoding = "gzip"});
  edge.engine.answer(1, document(some_cart(), 4, body, 43));
  edge.wake();
  CHECK(unzip(Encoding::gzip, edge.answer(exchange).body, body.size()) == body);
}

TEST_CASE("views: a document of one packet is sent as it is") {
  Edge edge;
  const std::string body(1'023, 'x');
  const auto small =
      read(edge, cart_path, document(some_cart(), 3, body), {.accept_encoding = "gzip"});
  CHECK(edge.answer(small).body == body);
  const auto next =
      read(edge, product_path, document(tea(), 3, body + "x"), {.accept_encoding = "gzip"});
  CHECK(edge.answer(next).body.size() < body.size());
}

TEST_CASE("compression: the coding that the client wants most") {
  const auto is = [](std::string_view header, Encoding wanted) {
    CAPTURE(header);
    CHECK(wanted_encoding(header) == wanted);
  };
  is("", Encoding::identity);
  is("gzip", Encoding::gzip);
  is("GZIP", Encoding::gzip);
  is("x-gzip", Encoding::gzip);
  is("gzip, deflate, br, zstd", Encoding::zstd);
  is("gzip;q=1.0, zstd;q=0.9", Encoding::gzip);
  is("gzip;q=0.5, zstd;q=0.5", Encoding::zstd);
  is("gzip;q=0", Encoding::identity);
  is("zstd;q=0, gzip", Encoding::gzip);
  is("identity, gzip;q=0.5", Encoding::identity);
  is("identity;q=0.5, gzip", Encoding::gzip);
  is("*", Encoding::zstd);
  is("*;q=0", Encoding::identity);
  is("zstd;q=0, *", Encoding::gzip);
  is("br", Encoding::identity);
  is(" , gzip ;q=0.3 ,", Encoding::gzip);
  is("gzip;q=2", Encoding::identity);
  is("gzip;q=0.1234", Encoding::identity);
  is("gzip;level=9", Encoding::identity);
  is("gzip;q=", Encoding::identity);
}
