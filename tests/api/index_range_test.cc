// Conditions on graph_node_index and graph_edge_index against the same conditions on a plain table with the same values.
#include <doctest/doctest.h>

#include <random>
#include <string>
#include <vector>

#include "tests/support/database.h"
#include "tests/support/temp_dir.h"

using namespace braid;

namespace {

using Random = std::mt19937_64;

/// A value as a property in JSON and as SQL shows it.
struct PlainValue {
  std::string json;
  std::string sql;
};

std::string pick(Random& random, const std::vector<std::string>& from) { return from[random() % from.size()]; }

std::string short_text(Random& random) {
  static const std::vector<std::string> kPieces = {"a", "A", "b", "B", "z", "pump", "Pump", "PUMP", "-", "1", "2", "9", ".", " ", ":", "i", "I", "\xc3\xbc", "~"};
  std::string text;
  for (size_t pieces = random() % 4; pieces > 0; --pieces) text += pick(random, kPieces);
  return text;
}

std::string time_text(Random& random) {
  static const std::vector<std::string> kClocks = {"00:00:00", "12:30:00", "12:30:00.5", "12:30:00.25", "23:59:59.999999"};
  return pick(random, {"2023", "2024", "0000", "9999"}) + "-0" + std::to_string(1 + random() % 9) + "-1" + std::to_string(random() % 9) + " " +
         pick(random, kClocks);
}

std::string bytes_text(Random& random) { return pick(random, {"", "00", "61", "50756d70", "31", "ff", "70756d7031", "32303234"}); }

PlainValue random_value(Random& random) {
  switch (random() % 8) {
    case 0: return random() % 2 == 0 ? PlainValue{"true", "1"} : PlainValue{"false", "0"};
    case 1: {
      const std::string number = std::to_string(static_cast<int64_t>(random() % 12) - 4);
      // A whole number is an integer in the index, however it was written.
      return {random() % 2 == 0 ? number : number + ".0", number};
    }
    case 2: {
      const std::string number = pick(random, {"0.5", "-1.5", "1.25", "1e300", "-1e300", "9007199254740993", "-9223372036854775808", "9223372036854775807"});
      return {number, number == "-9223372036854775808" ? "(-9223372036854775807 - 1)" : number};
    }
    case 3: {
      const std::string time = time_text(random);
      return {"{\"$timestamp\":\"" + time + "\"}", "'" + time + "'"};
    }
    case 4: {
      const std::string bytes = bytes_text(random);
      return {"{\"$bytes\":\"" + bytes + "\"}", "x'" + bytes + "'"};
    }
    default: {
      const std::string text = random() % 6 == 0 ? time_text(random).substr(0, random() % 12) : short_text(random);
      return {"\"" + text + "\"", "'" + text + "'"};
    }
  }
}

/// What a condition compares with: constants, values of columns with an affinity, and results of a subquery.
std::string operand(Random& random) {
  const std::string row = std::to_string(random() % 12);
  switch (random() % 10) {
    case 0: return "CAST(" + random_value(random).sql + " AS INTEGER)";
    case 1: return "CAST(" + random_value(random).sql + " AS TEXT)";
    case 2: return "(SELECT number FROM operand WHERE id = " + row + ")";
    case 3: return "(SELECT text FROM operand WHERE id = " + row + ")";
    case 4: return pick(random, {"NULL", "-5", "1000", "''", "x''", "'~~'", "1.5", "0.0"});
    default: return random_value(random).sql;
  }
}

std::string condition(Random& random) {
  switch (random() % 12) {
    case 0: return "value = " + operand(random);
    case 1: return "value BETWEEN " + operand(random) + " AND " + operand(random);
    case 2: return "value GLOB '" + short_text(random) + pick(random, {"*", "", "?", "[a-z]*"}) + "'";
    case 3: return "value LIKE '" + short_text(random) + pick(random, {"%", "", "_"}) + "'";
    case 4: return "value IN (" + operand(random) + ", " + operand(random) + ", " + operand(random) + ")";
    case 5: return "value IN (SELECT " + pick(random, {"number", "text", "any"}) + " FROM operand WHERE id < 5)";
    case 6: return "value " + pick(random, {"<", ">", "=", "<="}) + " " + operand(random) + " COLLATE NOCASE";
    case 7: return pick(random, {"value IS NOT NULL", "value IS NULL", "value IS " + operand(random), "value <> 1"});
    default: return "value " + pick(random, {"<", "<=", ">", ">="}) + " " + operand(random);
  }
}

std::string where(Random& random) {
  std::string text = condition(random);
  for (size_t more = random() % 3; more > 0; --more) text += (random() % 5 == 0 ? " OR " : " AND ") + condition(random);
  return text;
}

/// Both tables answer the same rows, and the same values in the same order.
void compare(TestConnection& connection, const std::string& index, const std::string& item, const std::string& plain, Random& random) {
  const std::string conditions = where(random);
  CAPTURE(conditions);
  const std::string rows = " AS item, typeof(value), quote(value) FROM ";
  CHECK(connection.rows("SELECT " + item + rows + index + " WHERE " + conditions + " ORDER BY 1") ==
        connection.rows("SELECT item" + rows + plain + " WHERE " + conditions + " ORDER BY 1"));
  // Where the value equals a constant SQLite takes any order for the order of the value, though 1 and '1' can both be equal to it.
  if (conditions.find("value = ") != std::string::npos || conditions.find("value IS ") != std::string::npos) return;
  const std::string tail = " WHERE " + conditions + " ORDER BY value " + pick(random, {"", "DESC"}) + " LIMIT " + std::to_string(random() % 40);
  CHECK(connection.rows("SELECT quote(value) FROM " + index + tail) == connection.rows("SELECT quote(value) FROM " + plain + tail));
}

void run(TestConnection& connection, const std::string& sql) {
  const int32_t code = connection.run(sql);
  REQUIRE_MESSAGE(code == BRAID_OK, connection.error() << "\n" << sql);
}

void add_rows(TestConnection& connection, size_t count, Random& random) {
  for (size_t i = 0; i < count; ++i) {
    const PlainValue value = random_value(random);
    run(connection, "INSERT INTO graph_nodes(labels, properties) VALUES('[\"N\"]', '{\"v\":" + value.json + "}')");
    run(connection, "INSERT INTO nodes SELECT max(id), " + value.sql + " FROM graph_nodes");
    run(connection, "INSERT INTO graph_edges(src, type, dst, properties) VALUES(1, 'E', 1, '{\"v\":" + value.json + "}')");
    run(connection, "INSERT INTO edges SELECT max(id), " + value.sql + " FROM graph_edges");
  }
}

}  // namespace

TEST_CASE("a property index answers what a plain table with the same values answers") {
  TempDir directory;
  TestDatabase database(directory / "db");
  REQUIRE(database.ok());
  TestConnection connection(database);
  Random random(17);
  run(connection,
      "CREATE TABLE nodes(item INTEGER, value); CREATE TABLE edges(item INTEGER, value);"
      "CREATE TABLE operand(id INTEGER, number INTEGER, text TEXT, any);"
      "SELECT graph_create_index('N', 'v'), graph_create_edge_index('E', 'v')");
  for (int i = 0; i < 12; ++i) {
    run(connection, "INSERT INTO operand VALUES(" + std::to_string(i) + ", " + std::to_string(i - 4) + ", '" + short_text(random) + "', " +
                        random_value(random).sql + ")");
  }
  run(connection, "BEGIN");
  add_rows(connection, 400, random);
  run(connection, "COMMIT");
  const auto compare_all = [&](int rounds) {
    for (int round = 0; round < rounds; ++round) {
      compare(connection, "graph_node_index('N', 'v')", "node", "nodes", random);
      if (round % 4 == 0) compare(connection, "graph_edge_index('E', 'v')", "edge", "edges", random);
    }
  };
  compare_all(1500);

  // Staged changes on top.
  run(connection, "BEGIN");
  add_rows(connection, 60, random);
  for (int i = 0; i < 60; ++i) {
    const std::string edge = std::to_string(1 + random() % 400);
    run(connection, "DELETE FROM graph_edges WHERE id = " + edge + "; DELETE FROM edges WHERE item = " + edge);
    const std::string node = std::to_string(2 + random() % 398);
    const PlainValue value = random_value(random);
    run(connection, "UPDATE graph_nodes SET properties = '{\"v\":" + value.json + "}' WHERE id = " + node + "; UPDATE nodes SET value = " + value.sql +
                        " WHERE item = " + node);
  }
  compare_all(1000);
  run(connection, "ROLLBACK");
  compare_all(200);
}
