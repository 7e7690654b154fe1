// What the text of time_bucket_gapfill may be: anything, without harm. tests/scripts/gapfill.test has the answers.
#include "sql/gapfill.h"

#include <doctest/doctest.h>

#include <random>

#include "sql/statement_tokens.h"

using namespace braid;

namespace {

bool is_aggregate(std::string_view name, size_t) { return name == "avg" || name == "sum" || name == "count"; }

std::string joined(const std::vector<StatementToken>& tokens) {
  std::string text;
  for (const StatementToken& token : tokens) text += token.text + " ";
  return text;
}

constexpr std::string_view kQuery =
    "WITH x AS (SELECT 1) SELECT time_bucket_gapfill('1 hour', t.time, 'Europe/Berlin', start => ?, finish => :f) AS b, \"host\", locf(avg(v), (SELECT p FROM q "
    "WHERE q.h = host), true) AS l, interpolate(sum(n), (1, 2), next => (SELECT (time, v) FROM q)) * 2, count(*) FILTER (WHERE v > 1) c, lag(avg(v)) OVER w FROM t "
    "WHERE (time > 1 AND time <= 5) AND v BETWEEN 1 AND 2 GROUP BY b, host HAVING c > 1 WINDOW w AS (ORDER BY b) ORDER BY l DESC, 1 LIMIT 5; SELECT 2";

}  // namespace

TEST_CASE("only a statement that calls it is rewritten, up to its end") {
  for (const std::string_view sql : {"SELECT 1", "SELECT 'time_bucket_gapfill(1, 2)' -- time_bucket_gapfill(", "SELECT 1; SELECT time_bucket_gapfill(1, 2)",
                                     "SELECT time_bucket_gapfill FROM t", ""}) {
    const auto rewritten = rewrite_gapfill(sql, is_aggregate);
    REQUIRE(rewritten.ok());
    CHECK(!rewritten->has_value());
  }
  const auto rewritten = rewrite_gapfill(kQuery, is_aggregate);
  REQUIRE(rewritten.ok());
  REQUIRE(rewritten->has_value());
  CHECK(kQuery.substr((*rewritten)->used) == " SELECT 2");
  CHECK((*rewritten)->sql.find("gapfill(") == std::string::npos);
}

TEST_CASE("parameters keep the numbers that SQLite gives them") {
  size_t used = 0;
  const auto tokens = tokens_of_statement("SELECT ?, :a, ?, ?7, ?, :a, @b, ?", used);
  CHECK(joined(tokens) == "SELECT ?1 , :a , ?3 , ?7 , ?8 , :a , @b , ?10 ");
}

TEST_CASE("tokens are those of SQLite") {
  size_t used = 0;
  const auto tokens = tokens_of_statement("/* c */ ;; select x'0a'||'it''s'/*;*/||[a]b\"c\"\"d\"`e`1.5e-3 <=.5->>1 -- end ;\n; next", used);
  CHECK(joined(tokens) == "select x'0a' || 'it''s' || [a] b \"c\"\"d\" `e` 1.5e-3 <= .5 ->> 1 ");
  CHECK(tokens[0].is("SELECT"));
}

TEST_CASE("text of any kind is rewritten or refused, never worse") {
  std::mt19937_64 random(11);
  size_t used = 0;
  const auto tokens = tokens_of_statement(kQuery, used);
  for (int i = 0; i < 30'000; ++i) {
    auto changed = tokens;
    for (int n = static_cast<int>(random() % 4); n >= 0; --n) {
      const size_t at = random() % changed.size();
      switch (random() % 4) {
        case 0: changed.erase(changed.begin() + static_cast<long>(at)); break;
        case 1: changed[at] = tokens[random() % tokens.size()]; break;
        case 2: std::swap(changed[at], changed[random() % changed.size()]); break;
        default: changed.resize(at + 1);
      }
      if (changed.empty()) changed = tokens;
    }
    (void)rewrite_gapfill(joined(changed), is_aggregate);
    std::string bytes(kQuery);
    for (int n = 0; n < 3; ++n) bytes[random() % bytes.size()] = static_cast<char>(random());
    (void)rewrite_gapfill(bytes, is_aggregate);
  }
  const auto deep = rewrite_gapfill("SELECT time_bucket_gapfill(1, x) FROM t WHERE " + std::string(100'000, '(') + std::string(100'000, ')'), is_aggregate);
  CHECK(deep.status().code() == StatusCode::kInvalidArgument);
}
