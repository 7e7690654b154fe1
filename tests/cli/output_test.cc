#include "cli/output.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstdlib>
#include <limits>

#include "cli/json_text.h"
#include "cli/terminal.h"

using namespace braid::cli;

namespace {

using Row = std::vector<Cell>;

std::string written(OutputFormat format, const std::vector<std::string>& columns,
                    const std::vector<Row>& rows, bool colour = false) {
  choose_utf8_locale();
  char* bytes = nullptr;
  size_t size = 0;
  std::FILE* stream = open_memstream(&bytes, &size);
  auto writer = make_result_writer({.format = format, .colour = colour}, stream);
  writer->begin(columns);
  for (const Row& row : rows) writer->row(row);
  writer->end();
  std::fclose(stream);
  std::string text(bytes, size);
  std::free(bytes);
  return text;
}

Cell null_cell() { return {}; }
Cell blob(std::string_view bytes) { return {.type = BRAID_TYPE_BLOB, .text = bytes}; }
Cell text(std::string_view value) { return Cell::of(value); }
Cell integer(int64_t value) { return Cell::of(value); }
Cell real(double value) { return Cell::of(value); }

}  // namespace

TEST_CASE("every format is found by its name") {
  for (const OutputFormatRow& row : output_formats()) {
    CHECK(output_format_named(row.name) == row.format);
    CHECK(output_format_name(row.format) == row.name);
  }
  CHECK(!output_format_named("xml").has_value());
}

TEST_CASE("csv tells NULL from the empty text and quotes what needs quotes") {
  CHECK(written(OutputFormat::kCsv, {"a", "b,c"},
                {{null_cell(), text("")},
                 {text("x,y"), text("say \"hi\"\nbye")},
                 {integer(-3), real(1)},
                 {blob(std::string_view("\x00\xff", 2)), text("plain")}}) ==
        "a,\"b,c\"\n,\"\"\n\"x,y\",\"say \"\"hi\"\"\nbye\"\n-3,1.0\n00ff,plain\n");
}

TEST_CASE("json keeps types, escapes text and replaces what is no UTF-8") {
  CHECK(written(OutputFormat::kJson, {"n\"", "v"},
                {{integer(std::numeric_limits<int64_t>::min()), real(0.1)},
                 {null_cell(), text("a\"\\\n\x01\xff\xc3\xa9")},
                 {blob("\x01"), real(std::numeric_limits<double>::infinity())}}) ==
        "[{\"n\\\"\":-9223372036854775808,\"v\":0.1},\n"
        "{\"n\\\"\":null,\"v\":\"a\\\"\\\\\\n\\u0001\xef\xbf\xbd\xc3\xa9\"},\n"
        "{\"n\\\"\":\"01\",\"v\":null}]\n");
  CHECK(written(OutputFormat::kJson, {"a"}, {}) == "[]\n");
}

TEST_CASE("doubles are written shortest and read back the same") {
  for (double value : {0.1, 1.0, 1e100, 1.0 / 3, 5e-324, 2341.3241, -0.0}) {
    CHECK(std::strtod(double_text(value).c_str(), nullptr) == value);
  }
  CHECK(double_text(0.1) == "0.1");
  CHECK(double_text(100) == "100.0");
  std::string json;
  append_json_double(&json, std::nan(""));
  CHECK(json == "null");
}

TEST_CASE(
    "a box is aligned by what the terminal shows: wide and combining characters, numbers to the "
    "right") {
  CHECK(written(OutputFormat::kBox, {"name", "n"},
                {{text("\xe4\xb8\xad\xe6\x96\x87"), integer(7)},
                 {text("e\xcc\x81"), integer(12)},
                 {null_cell(), real(0.5)}}) ==
        "┌──────┬─────┐\n"
        "│ name │ n   │\n"
        "├──────┼─────┤\n"
        "│ 中文 │   7 │\n"
        "│ e\xcc\x81    │  12 │\n"
        "│ NULL │ 0.5 │\n"
        "└──────┴─────┘\n");
}

TEST_CASE("a box shows lines of text one below the other and makes control characters harmless") {
  const std::string box =
      written(OutputFormat::kBox, {"t"}, {{text("one\ntwo")}, {text("\x1b[2J")}});
  CHECK(box.find("│ one     │\n│ two     │\n") != std::string::npos);
  CHECK(box.find('\x1b') == std::string::npos);
  CHECK(box.find("\\x1b[2J") != std::string::npos);
}

TEST_CASE("a box without rows shows its columns once") {
  CHECK(written(OutputFormat::kBox, {"a"}, {}) == "┌───┐\n│ a │\n├───┤\n└───┘\n");
}

TEST_CASE("line shows one value a line and an empty line between rows") {
  CHECK(written(OutputFormat::kLine, {"id", "name"},
                {{integer(1), text("a")}, {integer(2), null_cell()}}) ==
        "  id = 1\nname = a\n\n  id = 2\nname = NULL\n");
}

TEST_CASE("colours appear only when they are allowed") {
  CHECK(written(OutputFormat::kBox, {"a"}, {{null_cell()}}, true).find("\x1b[") !=
        std::string::npos);
  CHECK(written(OutputFormat::kLine, {"a"}, {{null_cell()}}, false).find('\x1b') ==
        std::string::npos);
}

TEST_CASE("JSON text is recognised exactly") {
  for (const char* good :
       {"{}", "[]", " {\"a\": [1, -2.5e3, true, null, \"\\u00e9\"]} ", "0", "\"x\""}) {
    CAPTURE(good);
    CHECK(is_json(good));
  }
  for (const char* bad :
       {"", "{", "{a:1}", "[1,]", "01", "1.", "\"\n\"", "tru", "{} {}", "'a'", "nan"}) {
    CAPTURE(bad);
    CHECK(!is_json(bad));
  }
  CHECK(!is_json(std::string(100'000, '[')));
}

TEST_CASE("wide, combining and unseen characters take the columns that a terminal gives them") {
  CHECK(display_width("abc") == 3);
  CHECK(display_width("漢字") == 4);
  CHECK(display_width("a\u0300e\u0301") == 2);
  CHECK(display_width("\U0001f600") == 2);
  CHECK(display_width("x\u200by") == 2);
  CHECK(display_width("한글") == 4);
  CHECK(display_width("\u1112\u1161\u11ab") == 2);
  CHECK(display_width("ﾊﾝ") == 2);
  CHECK(display_width("ＦＷ") == 4);
  CHECK(display_width("\u0645\u0651") == 1);
}

TEST_CASE("a box keeps its borders in line around wide characters") {
  CHECK(written(OutputFormat::kBox, {"名"}, {{text("a")}, {text("漢字")}}) ==
        "┌──────┐\n│ 名   │\n├──────┤\n│ a    │\n│ 漢字 │\n└──────┘\n");
}

TEST_CASE("table is a box of ASCII") {
  CHECK(written(OutputFormat::kTable, {"a", "n"}, {{text("x"), integer(12)}, {null_cell(), integer(3)}}) ==
        "+------+----+\n| a    | n  |\n+------+----+\n| x    | 12 |\n| NULL |  3 |\n+------+----+\n");
}

TEST_CASE("markdown keeps each row on one line and bars out of its cells") {
  CHECK(written(OutputFormat::kMarkdown, {"a|b"}, {{text("x|y\nz")}}) == "| a\\|b      |\n|-----------|\n| x\\|y<br>z |\n");
}

TEST_CASE("jsonl is an object a line and nothing for no rows") {
  CHECK(written(OutputFormat::kJsonLines, {"a"}, {{integer(1)}, {null_cell()}}) == "{\"a\":1}\n{\"a\":null}\n");
  CHECK(written(OutputFormat::kJsonLines, {"a"}, {}).empty());
}

TEST_CASE("insert gives statements that make the same values") {
  CHECK(written(OutputFormat::kInsert, {"a", "b \"c"}, {{text("it's"), real(1)}, {blob("\x01"), null_cell()}}) ==
        "INSERT INTO \"result\"(\"a\", \"b \"\"c\") VALUES('it''s', 1.0);\n"
        "INSERT INTO \"result\"(\"a\", \"b \"\"c\") VALUES(x'01', NULL);\n");
  CHECK(written(OutputFormat::kInsert, {"a"}, {{text(std::string_view("x\0y", 3))}, {real(std::numeric_limits<double>::infinity())}}) ==
        "INSERT INTO \"result\"(\"a\") VALUES(CAST(x'780079' AS TEXT));\nINSERT INTO \"result\"(\"a\") VALUES(9e999);\n");
}
