#include "cli/statement_splitter.h"

#include <doctest/doctest.h>

#include <vector>

using namespace braid::cli;

namespace {

std::vector<std::string> split(std::string_view text, size_t feed_bytes = 1 << 20) {
  StatementSplitter splitter;
  std::vector<std::string> pieces;
  while (!text.empty()) {
    const std::string_view part = text.substr(0, feed_bytes);
    text.remove_prefix(part.size());
    splitter.feed(part);
    while (auto piece = splitter.next()) pieces.push_back(piece->text);
  }
  splitter.finish();
  while (auto piece = splitter.next()) pieces.push_back(piece->text);
  return pieces;
}

using Pieces = std::vector<std::string>;

}  // namespace

TEST_CASE("semicolons in quotes and comments do not end a statement, however the text is fed") {
  const std::string text =
      "SELECT ';', \"a;b\", [c;d], `e;f` -- no; end\n /* nor; here */ , 'it''s;';\n"
      "SELECT 2";
  const Pieces expected = {
      "SELECT ';', \"a;b\", [c;d], `e;f` -- no; end\n /* nor; here */ , 'it''s;';", "SELECT 2"};
  for (size_t feed_bytes = 1; feed_bytes <= text.size(); ++feed_bytes) {
    CAPTURE(feed_bytes);
    CHECK(split(text, feed_bytes) == expected);
  }
}

TEST_CASE("a trigger ends at the semicolon after END, not at those of its body") {
  const std::string trigger =
      "CREATE TEMP TRIGGER t AFTER INSERT ON a BEGIN UPDATE b SET x = 1; DELETE FROM c; END;";
  CHECK(split(trigger + " SELECT 1;") == Pieces{trigger, "SELECT 1;"});
  CHECK(split("explain create trigger t after insert on a begin select 1; end; select 2;").size() ==
        2);
  CHECK(split("CREATE TABLE trigger_log(end TEXT); SELECT 1;").size() == 2);
}

TEST_CASE("comments and empty statements are no pieces") {
  CHECK(split("-- nothing\n/* at all */ ;; \n").empty());
  CHECK(split("/*/ still open ; */ SELECT 1;") == Pieces{"SELECT 1;"});
}

TEST_CASE("a line that begins with a dot between statements is a dot command") {
  StatementSplitter splitter;
  splitter.feed("SELECT 1;\n  .mode csv\nSELECT 2\n.5;\n");
  auto first = splitter.next();
  auto second = splitter.next();
  auto third = splitter.next();
  REQUIRE(third.has_value());
  CHECK(first->kind == ScriptPiece::Kind::kStatement);
  CHECK(second->kind == ScriptPiece::Kind::kDotCommand);
  CHECK(second->text == ".mode csv");
  CHECK(third->kind == ScriptPiece::Kind::kStatement);
  CHECK(third->text == "SELECT 2\n.5;");
  CHECK(!splitter.next().has_value());
}

TEST_CASE("pieces carry the line and the column, in characters, of their first word") {
  StatementSplitter splitter;
  splitter.feed("-- \xc3\xa9t\xc3\xa9\nSELECT '\xc3\xa9'; SELECT\n2;\n\n  SELECT 3;");
  CHECK(splitter.next()->start.line == 2);
  auto second = splitter.next();
  CHECK(second->start.line == 2);
  CHECK(second->start.column == 13);
  auto third = splitter.next();
  CHECK(third->start.line == 5);
  CHECK(third->start.column == 3);
}

TEST_CASE("what is pending tells the shell whether a statement goes on") {
  StatementSplitter splitter;
  splitter.feed("  \n-- note\n");
  CHECK(!splitter.next().has_value());
  CHECK(splitter.pending_bytes() == 0);
  splitter.feed("SELECT 1\n");
  CHECK(!splitter.next().has_value());
  CHECK(splitter.pending_bytes() > 0);
  CHECK(splitter.pending_start().line == 3);
  splitter.feed(";\n");
  CHECK(splitter.next().has_value());
  CHECK(!splitter.next().has_value());
  CHECK(splitter.pending_bytes() == 0);
  splitter.feed("/* open\n");
  CHECK(!splitter.next().has_value());
  CHECK(splitter.pending_bytes() > 0);
}
