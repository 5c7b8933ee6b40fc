#include "gateway/api/edge/router.h"

#include <doctest/doctest.h>

#include "gateway/api/edge/headers.h"
#include "tests/api/fixtures.h"

using namespace souk;

namespace {
const Router router;

struct Found {
  RouteMatch match;
  Problem problem;
  std::string_view allow;
  bool good = false;
};
std::unique_ptr<Found> find(HttpMethod method, std::string_view target) {
  auto f = std::make_unique<Found>();
  f->good = router.find(method, target, f->match, f->problem, f->allow);
  return f;
}
}  // namespace

TEST_CASE("router: every route leads to its own action") {
  for (const auto& route : router.routes()) {
    CAPTURE(std::string(route.path));
    std::string target;
    for (const char c : route.path) target += c == '{' || c == '}' ? 'x' : c;
    const auto f = find(route.method, target);
    REQUIRE(f->good);
    CHECK(f->match.action == route.action);
  }
  CHECK(find(HttpMethod::head, "/healthz")->match.action == Action::health);
}

TEST_CASE("router: parameters of a path are decoded") {
  const auto f = find(HttpMethod::put, "/v1/carts/c1/items/BANK%20CHARGES%2541?x=1");
  REQUIRE(f->good);
  CHECK(f->match.action == Action::set_item);
  REQUIRE(f->match.in_path_count == 2);
  CHECK(f->match.in_path[0].name == "cart_id");
  CHECK(f->match.in_path[0].value == "c1");
  CHECK(f->match.in_path[1].name == "sku");
  CHECK(f->match.in_path[1].value == "BANK CHARGES%41");
  CHECK(f->match.query == "x=1");
  CHECK(find(HttpMethod::get, "http://shop/v1/carts/c1")->match.action == Action::get_cart);
}

TEST_CASE("router: an unknown path is not_found, a bad percent sign invalid_target") {
  for (const auto* path : {"/v1/nothing", "/v1/carts/", "/v1/carts/x/", "//v1/carts", "*", "",
                           "/v1", "/v1/carts/x/items/y/z", "/a/b/c/d/e/f/g/h/i/j", "/healthz/"})
    CHECK_MESSAGE(find(HttpMethod::get, path)->problem.status == 404, path);
  for (const auto* path :
       {"/v1/products/%", "/v1/products/a%2", "/v1/products/%zz", "/v1/products/%4"}) {
    const auto f = find(HttpMethod::get, path);
    CHECK(f->problem.status == 400);
    CHECK(f->problem.code == "invalid_target");
  }
}

TEST_CASE("router: a wrong method is told the right ones") {
  const auto items = find(HttpMethod::patch, "/v1/carts/x/items");
  CHECK(items->problem.status == 405);
  CHECK(items->allow == "POST");
  const auto line = find(HttpMethod::get, "/v1/carts/x/items/y");
  CHECK(line->allow == "PUT, DELETE");
  const auto user = find(HttpMethod::post, "/v1/users/x");
  CHECK(user->allow == "PATCH, DELETE, GET, HEAD");
  CHECK(find(HttpMethod::other, "/healthz")->problem.status == 405);
  CHECK(find(HttpMethod::head, "/v1/carts")->allow == "POST");
}

TEST_CASE("router: a query's parameters are decoded; one twice or a bad percent sign is refused") {
  std::vector<QueryParameter> parameters;
  Problem problem;
  REQUIRE(parse_query("a=1+%2B&b%20c=%41&&d", parameters, problem));
  REQUIRE(parameters.size() == 3);
  CHECK(parameters[0].value == "1 +");
  CHECK(parameters[1].name == "b c");
  CHECK(parameters[1].value == "A");
  CHECK(parameters[2].value.empty());
  parameters.clear();
  CHECK_FALSE(parse_query("a=1&a=2", parameters, problem));
  CHECK(problem.path == "a");
  parameters.clear();
  CHECK_FALSE(parse_query("a=%", parameters, problem));
  CHECK(problem.status == 400);
  std::string many = "p0=1";
  for (int i = 1; i < 33; ++i) many += "&p" + std::to_string(i) + "=1";
  parameters.clear();
  CHECK_FALSE(parse_query(many, parameters, problem));
  CHECK(problem.path == "p32");
}

TEST_CASE("headers: an idempotency key has 1 to 255 printable ASCII characters") {
  CHECK(is_idempotency_key("a b~"));
  CHECK(is_idempotency_key(std::string(255, 'x')));
  CHECK_FALSE(is_idempotency_key(std::string(256, 'x')));
  CHECK_FALSE(is_idempotency_key(""));
  CHECK_FALSE(is_idempotency_key("a\tb"));
  CHECK_FALSE(is_idempotency_key("\xc3\xa9"));
  CHECK_FALSE(is_idempotency_key("\x7f"));
}

TEST_CASE("headers: entity tags are versions in quotes, one or several, or any") {
  using Of = Preconditions::Of;
  using Versions = std::vector<Version>;
  Of of = Of::nothing;
  Versions versions;
  const auto read = [&](const char* header, Weak weak = Weak::never) {
    return read_entity_tags(header, weak, of, versions);
  };
  CHECK(read("\"17\""));
  CHECK(of == Of::listed);
  CHECK(versions == Versions{17});
  CHECK(read("\"18-4\""));  // a product's, with its stock's
  CHECK(versions == Versions{18});
  CHECK(read("\"1\", \"x\" ,W/\"2\",, \"3\""));
  CHECK(versions == Versions{1, 3});
  CHECK(read("\"a, 1\", \"3\""));  // a comma in quotes is of the tag
  CHECK(versions == Versions{3});
  CHECK(read("W/\"2\", \"3\"", Weak::counts));
  CHECK(versions == Versions{2, 3});
  CHECK(read("*"));
  CHECK(of == Of::any);
  for (const auto* never : {"\"abc\"", "W/\"17\"", "\"017\"", "\"\"", "\"99999999999999999999\"",
                            "\"-1\"", "\"17-\"", "\"17-x\""}) {
    CHECK(read(never));
    CHECK(versions.empty());
  }
  for (const auto* bad : {"17", "", ",", "\"1", "\"1\", 2", "W/1", "*, \"1\""})
    CHECK_FALSE(read(bad));
}

TEST_CASE("headers: If-None-Match names versions, weak ones too") {
  CHECK(none_match_names("\"3\"", 3));
  CHECK(none_match_names("W/\"3\"", 3));
  CHECK(none_match_names("\"1\", \"3\"", 3));
  CHECK(none_match_names("*", 3));
  CHECK_FALSE(none_match_names("\"4\"", 3));
  CHECK_FALSE(none_match_names("3", 3));
  CHECK_FALSE(none_match_names("", 3));
  CHECK(none_match_names("\"3-7\"", 3, 7));
  for (const char* other : {"\"03-7\"", "\"3-07\""}) CHECK_FALSE(none_match_names(other, 3, 7));
  for (const char* other :
       {"\"3\"", "\"3-8\"", "\"2-7\"", "\"3-\"", "\"-7\"", "\"3-7-1\"", "\"37\""})
    CHECK_FALSE(none_match_names(other, 3, 7));
  CHECK_FALSE(none_match_names("\"3-7\"", 3));
}

TEST_CASE("headers: a minimum position is shard:seq, of a shard that there is") {
  std::vector<MinPosition> positions;
  CHECK(read_min_position("3:17, 63:18446744073709551615", 64, positions));
  REQUIRE(positions.size() == 2);
  CHECK(positions[0].shard == ShardId{3});
  CHECK(positions[1].seq == UINT64_MAX);
  for (const auto* bad :
       {"", "3", "3:", ":3", "64:1", "3:1,", "a:1", "3:-1", "3:1 2", "3:18446744073709551616"})
    CHECK_MESSAGE(!read_min_position(bad, 64, positions), bad);
}

TEST_CASE("headers: Prefer and the content type are read as HTTP means them") {
  HttpRequest request;
  Conditions conditions;
  Problem problem;
  const auto wants = [&](std::string_view prefer) {
    request.prefer = prefer;
    conditions = {};
    REQUIRE(read_conditions(request, conditions, problem));
    return conditions.wants;
  };
  CHECK(wants("return=minimal") == Wants::minimal);
  CHECK(wants("respond-async, Return=Minimal; x=1") == Wants::minimal);
  CHECK(wants("return=representation") == Wants::body);
  CHECK(wants("") == Wants::body);
  CHECK(media_type_of(request) == MediaType::none);
  request.has_content_type = true;
  request.content_type = "Application/JSON; charset=utf-8";
  CHECK(media_type_of(request) == MediaType::json);
  request.content_type = "application/x-ndjson";
  CHECK(media_type_of(request) == MediaType::ndjson);
  request.content_type = "application/x-capnp ";
  CHECK(media_type_of(request) == MediaType::capnp);
  request.content_type = "text/xml";
  CHECK(media_type_of(request) == MediaType::other);
}
