#include "tools/souk/import/csv.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <string>
#include <vector>

using souk::cli::CsvReader;
using souk::cli::CsvRecord;

namespace {

std::vector<CsvRecord> read(std::string_view text, std::size_t piece = 1'000'000) {
  std::vector<CsvRecord> records;
  CsvReader reader([&](const CsvRecord& record) { records.push_back(record); });
  for (std::size_t at = 0; at < text.size(); at += piece) reader.feed(text.substr(at, piece));
  reader.finish();
  return records;
}

using Fields = std::vector<std::string>;

std::string write(const std::vector<Fields>& rows) {
  std::string out;
  for (const Fields& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      out += i == 0 ? "\"" : ",\"";
      for (const char c : row[i]) out += c == '"' ? std::string("\"\"") : std::string(1, c);
      out += "\"";
    }
    out += "\n";
  }
  return out;
}

}  // namespace

TEST_CASE("csv: records are lines, fields stand between commas, empty ones too") {
  const auto records = read("a,b,c\n1,,3\n,,\n");
  REQUIRE(records.size() == 3);
  CHECK(records[0].fields == Fields{"a", "b", "c"});
  CHECK(records[1].fields == Fields{"1", "", "3"});
  CHECK(records[2].fields == Fields{"", "", ""});
  CHECK(records[2].line == 3);
}

TEST_CASE(
    "csv: quotes keep commas, line ends and quotes, and the line number stays that of the file") {
  const auto records = read("a,\"b,c\"\n\"x\ny\",\"say \"\"hi\"\"\"\nlast,1\n");
  REQUIRE(records.size() == 3);
  CHECK(records[0].fields == Fields{"a", "b,c"});
  CHECK(records[1].fields == Fields{"x\ny", "say \"hi\""});
  CHECK(records[1].line == 2);
  CHECK(records[2].line == 4);
}

TEST_CASE("csv: CRLF, no line end at the end, a byte order mark and blank lines are all fine") {
  const auto records = read(
      "\xEF\xBB\xBF"
      "a,b\r\n\r\n\n\"c\",d");
  REQUIRE(records.size() == 2);
  CHECK(records[0].fields == Fields{"a", "b"});
  CHECK(records[1].fields == Fields{"c", "d"});
  CHECK(records[1].line == 4);
}

TEST_CASE("csv: bytes that only begin like a byte order mark are kept") {
  CHECK(read("\xEF\xBB,x\n")[0].fields == Fields{"\xEF\xBB", "x"});
  CHECK(read("\xEF")[0].fields == Fields{"\xEF"});
}

TEST_CASE("csv: a wrong record is told with its line and the next one is read") {
  for (const std::string wrong : {"a\"b,c", "\"a\"b,c", "a\rb,c"}) {
    CAPTURE(wrong);
    const auto records = read("h,i\n" + wrong + "\nx,y\n");
    REQUIRE(records.size() == 3);
    CHECK(!records[1].wrong.empty());
    CHECK(records[1].line == 2);
    CHECK(records[2].wrong.empty());
    CHECK(records[2].fields == Fields{"x", "y"});
  }
  const auto open = read("a,b\n\"never closed\nc,d\n");
  REQUIRE(open.size() == 2);
  CHECK(open[1].wrong == "a quote is never closed");
  CHECK(open[1].line == 2);
}

TEST_CASE("csv: a record may have 1 MiB and not one byte more") {
  const std::string most(CsvReader::record_bytes_max, 'x');
  CHECK(read(most + "\nnext\n")[0].wrong.empty());
  const auto records = read(most + "x\nnext\n");
  REQUIRE(records.size() == 2);
  CHECK(records[0].wrong == "longer than 1 MiB");
  CHECK(records[1].fields == Fields{"next"});
}

TEST_CASE("csv: what is written in quotes reads back, whatever the pieces") {
  CHECK(rc::check([](const std::vector<std::vector<std::string>>& random, std::uint8_t piece) {
    std::vector<Fields> rows;
    for (const auto& row : random)
      if (!row.empty()) rows.push_back(row);
    const auto records = read(write(rows), static_cast<std::size_t>(piece) + 1);
    RC_ASSERT(records.size() == rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
      RC_ASSERT(records[i].wrong.empty());
      RC_ASSERT(records[i].fields == rows[i]);
    }
  }));
}
