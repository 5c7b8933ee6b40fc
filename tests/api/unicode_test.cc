#include "gateway/api/commands/unicode.h"

#include <doctest/doctest.h>

#include "gateway/api/commands/countries.h"

using namespace souk;

TEST_CASE("unicode: one email address has one key, however it is spelled") {
  CHECK(email_key("Zoe@Example.ORG") == "zoe@example.org");
  CHECK(email_key("zoe@example.org.") == "zoe@example.org");
  CHECK(email_key("a.b+c@x_y.z") == "a.b+c@x_y.z");
  CHECK(email_key("ZO\u00cb@b.de") == "zo\u00eb@b.de");
  CHECK(email_key("zoe\u0308@b.de") == "zo\u00eb@b.de");  // composed
  CHECK(email_key("a@B\u00dcCHER.de") == "a@xn--bcher-kva.de");
  CHECK(email_key("a@bu\u0308cher.de.") == "a@xn--bcher-kva.de");
  CHECK(email_key("a@XN--BCHER-KVA.de") == "a@xn--bcher-kva.de");
  CHECK(email_key("a@stra\u00dfe.de") == "a@xn--strae-oqa.de");
  CHECK(email_key("STRASSE@b.de") == email_key("stra\u00dfe@b.de"));
  CHECK(email_key("zo\u00eb@EXAMPLE.org") == "zo\u00eb@example.org");
  CHECK(email_key("a@b") != email_key("a@c"));
}

TEST_CASE("unicode: blanks of every script are seen at the ends of a text") {
  for (const char* text : {" a", "a ", "\u00a0a", "a\u3000", "\u200ba", "a\ufeff", "\u2028a"}) {
    CAPTURE(text);
    CHECK(has_blank_end(text));
  }
  for (const char* text : {"", "a", "a b", "\u8336", "A\u00a0B"}) {
    CAPTURE(text);
    CHECK_FALSE(has_blank_end(text));
  }
}

TEST_CASE("unicode: every line break is a line feed") {
  CHECK(with_line_feeds("a\r\nb\rc\nd\r") == "a\nb\nc\nd\n");
  CHECK(with_line_feeds("\r\r\n\n") == "\n\n\n");
  CHECK(with_line_feeds("") == "");
}

TEST_CASE("countries: what everybody writes for a country is it in a file of others") {
  CHECK(country_meant_by("UK") == "GB");
  CHECK(country_meant_by("uk") == "GB");
  CHECK(country_meant_by("EL") == "GR");
  for (const char* other : {"GB", "gb", "EN", "XK", "ZZ", "", "United Kingdom", "UKR"})
    CHECK(country_meant_by(other) == other);
  CHECK_FALSE(why_no_country("UK").empty());
}

TEST_CASE("countries: a user's code has two letters, an order's name is the merchant's") {
  CHECK(user_country("gb") == "GB");
  CHECK(user_country("USA") == "US");
  CHECK(user_country("deu") == "DE");
  CHECK(user_country("RSA") == "RSA");
  CHECK(user_country("EIRE") == "EIRE");
  CHECK(address_country("ie") == "IE");
  CHECK(address_country("USA") == "USA");
  CHECK(address_country("United Kingdom") == "United Kingdom");
  CHECK(why_no_country("ZW").empty());
  CHECK(why_no_country("United Kingdom").empty());
  CHECK(why_no_country("UK") == "is not a country code of ISO 3166-1; the nearest is GB");
  CHECK(why_no_country("rf") == "is not a country code of ISO 3166-1; the nearest is FR");
  CHECK(why_no_country("QX") == "is not a country code of ISO 3166-1; the nearest is QA");
}
