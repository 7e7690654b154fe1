// Numbered operations, each of which writes all three models: a row, an edge and points. What is
// there of an operation must be there in all three, and what was acknowledged must be there.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <map>
#include <set>
#include <string>

#include "tests/support/database.h"

namespace braid {

/// Writers are numbered from 0, the operations of each from 1.
class Operations {
 public:
  static constexpr int kPoints = 3;

  /// Tables, a hub node and a node for each writer. Once per database; `exists` tells.
  static int32_t create(TestConnection& connection, int writers) {
    std::string sql =
        "BEGIN IMMEDIATE;"
        "CREATE TABLE operation(writer INTEGER, sequence INTEGER, PRIMARY KEY(writer, sequence));"
        "CREATE TABLE total(writer INTEGER PRIMARY KEY, operations INTEGER NOT NULL);"
        "CREATE VIRTUAL TABLE point USING hypertable(time TIMESTAMP, writer TEXT TAG, sequence "
        "BIGINT, value DOUBLE, "
        "chunk_interval='1 minute');"
        "SELECT graph_create_index('Writer', 'number', 1);"
        "INSERT INTO graph_nodes(labels, properties) VALUES('[\"Writer\"]', '{\"number\":-1}');";
    for (int i = 0; i < writers; ++i)
      sql += fmt::format(
          "INSERT INTO graph_nodes(labels, properties) VALUES('[\"Writer\"]', '{{\"number\":{}}}');"
          "INSERT INTO total VALUES({}, 0);",
          i, i);
    sql += "COMMIT;";
    const int32_t code = connection.run(sql);
    if (code != BRAID_OK && braid_in_transaction(connection.get()) == 1)
      braid_rollback(connection.get());
    return code;
  }
  static bool exists(TestConnection& connection) {
    return connection.number("SELECT count(*) FROM sqlite_master WHERE name = 'operation'") == 1;
  }

  static std::string row_sql(int writer, int64_t sequence) {
    return fmt::format("INSERT INTO operation VALUES({}, {})", writer, sequence);
  }
  static std::string total_sql(int writer) {
    return fmt::format("UPDATE total SET operations = operations + 1 WHERE writer = {}", writer);
  }
  static std::string edge_sql(int writer, int64_t sequence) {
    return fmt::format(
        "INSERT INTO graph_edges(src, type, dst, properties) VALUES(graph_node('Writer', 'number', "
        "{}), 'DID', "
        "graph_node('Writer', 'number', -1), '{{\"writer\":{},\"sequence\":{}}}')",
        writer, writer, sequence);
  }
  static std::string points_sql(int writer, int64_t sequence) {
    std::string sql = "INSERT INTO point(time, writer, sequence, value) VALUES";
    for (int i = 0; i < kPoints; ++i)
      sql += fmt::format("{}({}, '{}', {}, {})", i == 0 ? "" : ",", sequence * 100'000 + i, writer,
                         sequence, static_cast<double>(sequence) + i / 10.0);
    return sql;
  }
  static std::string all_sql(int writer, int64_t sequence) {
    return row_sql(writer, sequence) + ";" + total_sql(writer) + ";" + edge_sql(writer, sequence) +
           ";" + points_sql(writer, sequence) + ";";
  }

  using Set = std::set<std::pair<int, int64_t>>;

  /// One autocommit transaction's worth through BEGIN … COMMIT; the code of what failed first, and
  /// what was said of it.
  static int32_t run(TestConnection& connection, int writer, int64_t sequence,
                     std::string* why = nullptr) {
    int32_t code = braid_begin(connection.get(), BRAID_WRITE);
    if (code == BRAID_OK) code = connection.run(all_sql(writer, sequence));
    if (code == BRAID_OK) code = braid_commit(connection.get());
    if (why != nullptr) *why = connection.error();
    if (code != BRAID_OK && braid_in_transaction(connection.get()) == 1)
      braid_rollback(connection.get());
    return code;
  }

  /// What is there, read in one snapshot. `problems` tells where the models disagree or what is
  /// missing of `acknowledged`.
  static Set verify(TestConnection& connection, const Set& acknowledged, std::string& problems) {
    Set in_rows = pairs(connection, "SELECT writer, sequence FROM operation", problems);
    const Set in_edges = pairs(connection,
                               "SELECT json_extract(properties, '$.writer'), "
                               "json_extract(properties, '$.sequence') FROM graph_edges",
                               problems);
    Set in_points;
    for (const auto& [one, count] : counted(connection, problems)) {
      in_points.insert(one);
      if (count != kPoints)
        problems += fmt::format("operation {}/{} has {} points\n", one.first, one.second, count);
    }
    compare("edge", in_rows, in_edges, problems);
    compare("point", in_rows, in_points, problems);
    for (const auto& one : acknowledged)
      if (!in_rows.contains(one))
        problems += fmt::format("acknowledged operation {}/{} is lost\n", one.first, one.second);
    const std::string wrong = connection.rows(
        "SELECT writer, operations FROM total WHERE operations <> (SELECT count(*) FROM operation "
        "o WHERE o.writer = total.writer)");
    if (!wrong.empty()) problems += "wrong totals: " + wrong + "\n";
    return in_rows;
  }

 private:
  static std::map<std::pair<int, int64_t>, int64_t> tabulated(TestConnection& connection,
                                                              const std::string& sql,
                                                              std::string& problems) {
    std::map<std::pair<int, int64_t>, int64_t> found;
    braid_statement* statement = nullptr;
    int32_t code = braid_prepare(connection.get(), sql.data(), static_cast<int64_t>(sql.size()),
                                 &statement, nullptr);
    while (code == BRAID_OK || code == BRAID_ROW) {
      code = braid_statement_step(statement);
      if (code != BRAID_ROW) break;
      const std::pair key(static_cast<int>(braid_column_int64(statement, 0)),
                          braid_column_int64(statement, 1));
      if (!found.emplace(key, braid_column_int64(statement, 2)).second)
        problems += fmt::format("operation {}/{} is there twice: {}\n", key.first, key.second, sql);
    }
    if (code != BRAID_DONE) problems += fmt::format("{}: {} {}\n", sql, code, connection.error());
    braid_statement_close(statement);
    return found;
  }
  static Set pairs(TestConnection& connection, const std::string& sql, std::string& problems) {
    Set out;
    for (const auto& [key, count] : tabulated(connection, sql, problems)) out.insert(key);
    return out;
  }
  static std::map<std::pair<int, int64_t>, int64_t> counted(TestConnection& connection,
                                                            std::string& problems) {
    return tabulated(connection, "SELECT writer, sequence, count(*) FROM point GROUP BY 1, 2",
                     problems);
  }
  static void compare(const char* what, const Set& rows, const Set& others, std::string& problems) {
    for (const auto& one : rows)
      if (!others.contains(one))
        problems +=
            fmt::format("operation {}/{} has a row but no {}\n", one.first, one.second, what);
    for (const auto& one : others)
      if (!rows.contains(one))
        problems +=
            fmt::format("operation {}/{} has a {} but no row\n", one.first, one.second, what);
  }
};

}  // namespace braid
