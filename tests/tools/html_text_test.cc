#include "tools/souk/import/html_text.h"

#include <doctest/doctest.h>

using souk::cli::html_to_text;
using souk::cli::looks_like_html;

TEST_CASE("html: tags go, blocks stand on lines of their own, paragraphs apart") {
  CHECK(html_to_text("<p>One <b>bold</b>\n  word.</p><p>Two</p>") == "One bold word.\n\nTwo");
  CHECK(html_to_text("a<br>b<br/>c<br><br>d") == "a\nb\nc\n\nd");
  CHECK(html_to_text("<ul><li>red</li><li class=\"x>y\">blue</li></ul>") == "- red\n- blue");
  CHECK(html_to_text("<div><div>in</div></div>out") == "in\nout");
  CHECK(html_to_text("plain, as it is") == "plain, as it is");
  CHECK(html_to_text("") == "");
}

TEST_CASE("html: entities become characters, unknown ones and lone marks stay") {
  CHECK(html_to_text("Tea &amp; cake&nbsp;&#8364;5 &#x2764; &eacute;") == "Tea & cake €5 ❤ é");
  CHECK(html_to_text("&unknown; & a < b &#xZZ;") == "&unknown; & a < b &#xZZ;");
  CHECK(html_to_text("&lt;b&gt;") == "<b>");
}

TEST_CASE("html: what nobody sees is left out") {
  CHECK(html_to_text("<style>p{}</style>a<!-- no --><script>x<y</script>b") == "ab");
  CHECK(html_to_text("a<!-- never closed") == "a");
  CHECK(html_to_text("<script>never closed") == "");
}

TEST_CASE("html: a text is only taken for HTML where it has a tag that is one") {
  CHECK(looks_like_html("<p>x</p>"));
  CHECK(looks_like_html("x<br />y"));
  CHECK(looks_like_html("x</STRONG>"));
  CHECK_FALSE(looks_like_html("a < b and c > d"));
  CHECK_FALSE(looks_like_html("<your name>"));
  CHECK_FALSE(looks_like_html("<p"));
}
