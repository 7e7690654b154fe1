#!/usr/bin/env python3
"""bindings/python/braid.py against the real library, which BRAID_LIBRARY names.

usage: python_test.py [NAME_OF_A_TEST ...]
"""

import array
import asyncio
import ctypes
import datetime
import gc
import math
import os
import pathlib
import pickle
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest

BINDING = pathlib.Path(__file__).resolve().parents[2] / "bindings" / "python"
sys.path.insert(0, str(BINDING))
import braid  # noqa: E402

MEMORY = "/dev/shm"  # where it is: what is tested here is not the disk
UTC = datetime.timezone.utc
NOON = datetime.datetime(2024, 5, 1, 12, 0, tzinfo=UTC)
COUNT_TO = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT ?) SELECT i FROM n"
# Takes minutes unless it is stopped.
ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n"


class Case(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.mkdtemp(prefix="braid-python-", dir=MEMORY if os.access(MEMORY, os.W_OK) else None)
        self.addCleanup(shutil.rmtree, self.directory, True)
        self.path = os.path.join(self.directory, "db")
        self.connection = braid.connect(self.path)
        self.addCleanup(self.connection.close)

    def one(self, sql, *values):
        return self.connection.execute(sql, values).fetchone()

    def fails(self, kind, words, call, *arguments, **named):
        with self.assertRaises(kind) as caught:
            call(*arguments, **named)
        self.assertIn(words, str(caught.exception))
        return caught.exception


class Pep249(Case):
    """Each thing that PEP 249 names."""

    def test_globals(self):
        self.assertEqual(("2.0", 2, "qmark"), (braid.apilevel, braid.threadsafety, braid.paramstyle))

    def test_exceptions_are_a_hierarchy(self):
        for child, parent in (
            ("Warning", Exception), ("Error", Exception), ("InterfaceError", braid.Error), ("DatabaseError", braid.Error),
            ("DataError", braid.DatabaseError), ("OperationalError", braid.DatabaseError), ("IntegrityError", braid.DatabaseError),
            ("InternalError", braid.DatabaseError), ("ProgrammingError", braid.DatabaseError), ("NotSupportedError", braid.DatabaseError),
        ):  # fmt: skip
            self.assertTrue(issubclass(getattr(braid, child), parent), child)
            self.assertIs(getattr(braid, child), getattr(self.connection, child))

    def test_constructors_and_type_objects(self):
        self.assertEqual(datetime.date(2024, 5, 1), braid.Date(2024, 5, 1))
        self.assertEqual(datetime.time(1, 2, 3), braid.Time(1, 2, 3))
        self.assertEqual(datetime.datetime(2024, 5, 1, 1, 2, 3), braid.Timestamp(2024, 5, 1, 1, 2, 3))
        self.assertEqual(datetime.date(1970, 1, 2), braid.DateFromTicks(86400))
        self.assertEqual(datetime.time(0, 0, 1), braid.TimeFromTicks(86401))
        self.assertEqual(datetime.datetime(1970, 1, 2, 0, 0, 1, tzinfo=UTC), braid.TimestampFromTicks(86401))
        self.assertEqual(b"\0x", braid.Binary(b"\0x"))
        self.assertEqual(4, len({braid.STRING, braid.BINARY, braid.NUMBER, braid.DATETIME, braid.ROWID}))

    def test_description_has_seven_items_for_each_column(self):
        self.connection.execute("CREATE TABLE t(i INTEGER, r REAL, s VARCHAR(9), b BLOB, t TIMESTAMP)")
        cursor = self.connection.execute("SELECT i, r, s, b, t, 1.5 AS x, 'y', NULL AS n FROM t LEFT JOIN (SELECT 1)")
        self.assertEqual(["i", "r", "s", "b", "t", "x", "'y'", "n"], [each[0] for each in cursor.description])
        self.assertTrue(all(len(each) == 7 for each in cursor.description))
        kinds = [each[1] for each in cursor.description]
        self.assertEqual([braid.NUMBER, braid.NUMBER, braid.STRING, braid.BINARY, braid.DATETIME], kinds[:5])
        self.connection.execute("INSERT INTO t(i) VALUES (1)")
        kinds = [each[1] for each in self.connection.execute("SELECT 1.5, 'y', x'00', NULL").description]
        self.assertEqual([braid.NUMBER, braid.STRING, braid.BINARY, None], kinds)

    def test_description_is_none_without_rows(self):
        cursor = self.connection.cursor()
        self.assertIsNone(cursor.description)
        cursor.execute("SELECT 1")
        cursor.execute("CREATE TABLE t(a)")
        self.assertIsNone(cursor.description)
        self.fails(braid.ProgrammingError, "no statement with rows", cursor.fetchone)

    def test_rowcount_and_lastrowid(self):
        cursor = self.connection.cursor()
        self.assertEqual((-1, None), (cursor.rowcount, cursor.lastrowid))
        cursor.execute("CREATE TABLE t(a)")
        self.assertEqual((-1, None), (cursor.rowcount, cursor.lastrowid))
        cursor.execute("INSERT INTO t VALUES (1), (2), (3)")
        self.assertEqual((3, 3), (cursor.rowcount, cursor.lastrowid))
        cursor.execute("UPDATE t SET a = a + 1 WHERE a > 1")
        self.assertEqual((2, None), (cursor.rowcount, cursor.lastrowid))
        cursor.executemany("INSERT INTO t VALUES (?)", [(i,) for i in range(10)])
        self.assertEqual((10, None), (cursor.rowcount, cursor.lastrowid))
        cursor.execute("SELECT * FROM t")
        self.assertEqual((-1, None), (cursor.rowcount, cursor.lastrowid))
        cursor.execute("DELETE FROM t")
        self.assertEqual(13, cursor.rowcount)

    def test_fetching(self):
        cursor = self.connection.execute("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10) SELECT i, -i FROM n")
        self.assertEqual((1, -1), cursor.fetchone())
        self.assertEqual([(2, -2)], cursor.fetchmany())
        cursor.arraysize = 2
        self.assertEqual([(3, -3), (4, -4)], cursor.fetchmany())
        self.assertEqual([(5, -5), (6, -6), (7, -7)], cursor.fetchmany(3))
        self.assertEqual((8, -8), next(cursor))
        self.assertEqual([(9, -9), (10, -10)], cursor.fetchall())
        self.assertEqual((None, [], []), (cursor.fetchone(), cursor.fetchmany(5), cursor.fetchall()))
        self.assertEqual(1000, len(self.connection.execute(COUNT_TO, (1000,)).fetchall()))
        self.assertEqual(list(range(1, 1001)), [number for (number,) in self.connection.execute(COUNT_TO, (1000,))])

    def test_optional_methods_are_there(self):
        cursor = self.connection.cursor()
        cursor.setinputsizes([1])
        cursor.setoutputsize(1, 0)
        self.assertIs(self.connection, cursor.connection)

    def test_parameters(self):
        self.assertEqual((1, 2), self.one("SELECT ?, ?", 1, 2))
        self.assertEqual((2, 1), self.connection.execute("SELECT :b, :a", {"a": 1, "b": 2, "unused": 3}).fetchone())
        self.assertEqual((1, 2, 3), self.connection.execute("SELECT @a, $b, :c", {"a": 1, "b": 2, "c": 3}).fetchone())
        self.assertEqual((5, 5), self.one("SELECT ?1, ?1", 5))
        self.fails(braid.ProgrammingError, "2 parameters, 1 are given", self.one, "SELECT ?, ?", 1)
        self.fails(braid.ProgrammingError, "0 parameters, 1 are given", self.one, "SELECT 1", 1)
        self.fails(braid.ProgrammingError, "1 of them", self.connection.execute, "SELECT :a, :b", {"a": 1})
        self.fails(braid.ProgrammingError, "not int", self.connection.execute, "SELECT ?", 1)
        self.fails(braid.ProgrammingError, "not str", self.connection.execute, "SELECT ?", "1")
        self.fails(braid.ProgrammingError, "complex cannot be bound", self.one, "SELECT ?", 1j)

    def test_commit_and_rollback(self):
        self.connection.execute("CREATE TABLE t(a)")
        self.connection.commit()
        self.connection.execute("INSERT INTO t VALUES (1)")
        self.connection.rollback()
        self.assertEqual((0,), self.one("SELECT count(*) FROM t"))
        self.connection.execute("INSERT INTO t VALUES (2)")
        self.connection.commit()
        self.connection.commit()
        self.connection.rollback()
        self.assertEqual((1,), self.one("SELECT count(*) FROM t"))

    def test_close_rolls_back(self):
        self.connection.execute("CREATE TABLE t(a)")
        self.connection.commit()
        self.connection.execute("INSERT INTO t VALUES (1)")
        self.connection.close()
        self.connection = braid.connect(self.path)
        self.addCleanup(self.connection.close)
        self.assertEqual((0,), self.one("SELECT count(*) FROM t"))

    def test_closed_things_answer_interface_error(self):
        cursor = self.connection.execute("SELECT 1 UNION SELECT 2 UNION SELECT 3")
        other = self.connection.execute("SELECT 1 UNION SELECT 2 UNION SELECT 3")
        cursor.close()
        cursor.close()
        for call in (cursor.fetchone, cursor.fetchall, lambda: cursor.execute("SELECT 1"), lambda: next(cursor)):
            self.fails(braid.InterfaceError, "the cursor is closed", call)
        self.connection.close()
        self.connection.close()
        for call in (other.fetchone, lambda: other.execute("SELECT 1"), self.connection.cursor, self.connection.commit, self.connection.rollback,
                     self.connection.begin, self.connection.__enter__, lambda: self.connection.graph.add_node("A"),
                     lambda: self.connection.series("x"), lambda: self.connection.lsn, lambda: self.connection.in_transaction):  # fmt: skip
            self.fails(braid.InterfaceError, "closed", call)
        self.connection.interrupt()


class Values(Case):
    def test_every_type_comes_back(self):
        for value in (None, 0, 1, -1, 2**63 - 1, -(2**63), 0.0, -0.0, 1.5, 5e-324, 1.7976931348623157e308, math.inf, -math.inf, "", "x", "ä€😀",
                      "a\0b", "\0", b"", b"\0", b"\xff\0\x80", bytes(range(256)) * 300, "x" * 100000):  # fmt: skip
            found = self.one("SELECT ?", value)[0]
            self.assertEqual((type(value), value), (type(found), found))
            self.assertEqual(math.copysign(1, value) if isinstance(value, float) else 1, math.copysign(1, found) if isinstance(found, float) else 1)

    def test_values_that_become_others(self):
        class Text(str):
            pass

        for given, found in ((True, 1), (False, 0), (bytearray(b"\0a"), b"\0a"), (memoryview(b"ab"), b"ab"), (memoryview(b"abcd")[::2], b"ac"),
                             (Text("t"), "t"), (math.nan, None), (array.array("q", [1]), None),
                             (datetime.datetime(2024, 5, 1, 12), "2024-05-01 12:00:00"), (datetime.date(2024, 5, 1), "2024-05-01"),
                             (datetime.time(1, 2), "01:02:00"),
                             (datetime.datetime(2024, 5, 1, 12, 0, 0, 1, tzinfo=datetime.timezone(datetime.timedelta(hours=2))),
                              "2024-05-01 10:00:00.000001")):  # fmt: skip
            if isinstance(given, array.array):
                self.fails(braid.ProgrammingError, "cannot be bound", self.one, "SELECT ?", given)
            else:
                self.assertEqual(found, self.one("SELECT ?", given)[0])

    def test_integers_beyond_64_bits_are_refused(self):
        for value in (2**63, -(2**63) - 1, 10**100):
            self.fails(braid.DataError, "beyond 64 bits", self.one, "SELECT ?", value)
        for call in (self.connection.graph.node, self.connection.graph.neighbors, self.connection.graph.delete_edge):
            self.fails(braid.DataError, "beyond 64 bits", call, 2**64 + 1)

    def test_text_that_is_no_utf8(self):
        self.fails(braid.DataError, "surrogates not allowed", self.one, "SELECT ?", "\ud800")
        self.fails(braid.DataError, "surrogates not allowed", self.connection.execute, "SELECT '\ud800'")
        error = self.fails(braid.DataError, "is not UTF-8", self.one, "SELECT CAST(x'41ff' AS TEXT) AS broken")
        self.assertIn("'broken'", str(error))
        self.assertEqual((b"A\xff",), self.one("SELECT CAST(CAST(x'41ff' AS TEXT) AS BLOB)"))

    def test_sql_with_a_nul_is_refused(self):
        self.fails(braid.ProgrammingError, "NUL", self.connection.execute, "SELECT 1\0; SELECT 2")
        self.fails(braid.ProgrammingError, "not bytes", self.connection.execute, b"SELECT 1")

    def test_times_are_datetimes(self):
        self.connection.execute("CREATE TABLE t(at TIMESTAMP, plain TEXT)")
        self.connection.execute("INSERT INTO t VALUES (?, ?), ('soon', '2024-05-01'), (7, NULL), (NULL, NULL)", (NOON, NOON))
        rows = self.connection.execute("SELECT * FROM t").fetchall()
        self.assertEqual([(NOON, "2024-05-01 12:00:00"), ("soon", "2024-05-01"), (7, None), (None, None)], rows)

    def test_microseconds(self):
        for moment in (NOON, NOON.replace(microsecond=1), datetime.datetime(1, 1, 1, tzinfo=UTC), datetime.datetime.max.replace(tzinfo=UTC)):
            self.assertEqual(moment, braid.from_microseconds(braid.to_microseconds(moment)))
        self.assertEqual(0, braid.to_microseconds("1970-01-01T00:00:00Z"))
        self.assertEqual(-1, braid.to_microseconds(-1))
        self.fails(braid.DataError, "years 1 to 9999", braid.from_microseconds, 2**63 - 1)
        self.fails(braid.DataError, "time", braid.to_microseconds, "yesterday")
        self.fails(braid.ProgrammingError, "not float", braid.to_microseconds, 1.5)


class Errors(Case):
    def test_code_name_offset_and_message(self):
        error = self.fails(braid.ProgrammingError, "nonsense", self.connection.execute, "SELECT nonsense")
        self.assertEqual((15, "SQL", 7), (error.code, error.name, error.offset))
        again = pickle.loads(pickle.dumps(error))
        self.assertEqual((type(error), str(error), error.code, error.offset), (type(again), str(again), again.code, again.offset))

    def test_codes_become_exceptions(self):
        self.connection.execute("CREATE TABLE t(a UNIQUE)")
        self.connection.execute("INSERT INTO t VALUES (1)")
        self.assertEqual("CONSTRAINT", self.fails(braid.IntegrityError, "", self.connection.execute, "INSERT INTO t VALUES (1)").name)
        self.assertEqual("NOT_FOUND", self.fails(braid.ProgrammingError, "no node", self.connection.graph.node, 77).name)
        self.assertEqual("DENIED", self.fails(braid.ProgrammingError, "", self.connection.execute, "ATTACH 'x' AS y").name)
        self.assertEqual("MISUSE", self.fails(braid.InterfaceError, "", self.connection.begin).name)
        self.assertEqual("LIMIT", self.fails(braid.OperationalError, "", self.connection.execute, "SELECT zeroblob(2000000000)").name)
        self.connection.rollback()
        with self.connection.snapshot():
            self.assertEqual("READ_ONLY", self.fails(braid.OperationalError, "", self.connection.execute, "CREATE TABLE u(a)").name)

    def test_every_code_of_the_header_is_known(self):
        header = (BINDING.parents[1] / "api" / "braid.h").read_text(encoding="utf-8")
        table = header[header.index("#define BRAID_OK 0") : header.index("#define BRAID_ROW 100")]
        codes = {int(number): name for name, number in re.findall(r"^#define BRAID_(\w+) (\d+)\b", table, re.MULTILINE) if number != "0"}
        self.assertGreater(len(codes), 15)
        self.assertEqual(codes, {code: name for code, (name, _) in braid.CODES.items()})

    def test_every_function_of_the_header_that_is_declared_here_exists(self):
        for name in [*braid._FUNCTIONS, *braid._SHORT_FUNCTIONS]:
            self.assertTrue(hasattr(braid._library, "braid_" + name), name)

    def test_a_database_that_is_in_use(self):
        script = (f"import sys; sys.path.insert(0, {str(BINDING)!r})\nimport braid\n"
                  f"try: braid.connect({self.path!r})\nexcept braid.OperationalError as e: print(e.name, e)")  # fmt: skip
        found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
        self.assertTrue(found.stdout.startswith("BUSY"), found)
        self.assertIn(str(os.getpid()), found.stdout)

    def test_opening_what_cannot_be_opened(self):
        self.fails(braid.ProgrammingError, "nonsense", braid.connect, os.path.join(self.directory, "x"), "nonsense=1")
        self.fails(braid.OperationalError, "", braid.connect, "/proc/nowhere/db")
        self.fails(braid.ProgrammingError, "NUL", braid.connect, "a\0b")
        self.fails(braid.Error, "", braid.connect, "")

    def test_one_statement_at_a_time(self):
        self.fails(braid.ProgrammingError, "one statement", self.connection.execute, "SELECT 1; SELECT 2")
        self.assertEqual((1,), self.one("SELECT 1; -- no more\n /* indeed */ ;"))
        self.assertIsNone(self.connection.execute(" -- nothing").description)
        self.connection.executescript("CREATE TABLE t(a); INSERT INTO t VALUES (1); INSERT INTO t VALUES (2);")
        self.assertEqual((2,), self.one("SELECT count(*) FROM t"))
        self.fails(braid.ProgrammingError, "syntax", self.connection.executescript, "INSERT INTO t VALUES (3); nonsense")

    def test_a_failure_behind_rows_comes_after_them(self):
        # The absolute value of the least integer is an error.
        cursor = self.connection.execute(f"SELECT abs(CASE WHEN i = 30 THEN -9223372036854775807 - 1 ELSE i END) FROM ({COUNT_TO})", (40,))
        found = [cursor.fetchone()[0] for _ in range(29)]
        self.assertEqual(list(range(1, 30)), found)
        self.fails(braid.DatabaseError, "overflow", cursor.fetchone)
        self.assertIsNone(cursor.fetchone())

    def test_execute_after_an_error(self):
        cursor = self.connection.cursor()
        self.fails(braid.ProgrammingError, "", cursor.execute, "nonsense")
        self.assertEqual((1,), cursor.execute("SELECT 1").fetchone())
        self.fails(braid.ProgrammingError, "", cursor.executemany, "SELECT ?", [(1,)])
        self.connection.execute("CREATE TABLE t(a UNIQUE)")
        self.fails(braid.IntegrityError, "", cursor.executemany, "INSERT INTO t VALUES (?)", [(1,), (1,)])
        self.assertEqual(-1, cursor.rowcount)


class Transactions(Case):
    def setUp(self):
        super().setUp()
        self.connection.executescript("CREATE TABLE t(a)")

    def count(self):
        return self.one("SELECT count(*) FROM t")[0]

    def test_with_commits_or_rolls_back_all_three_models(self):
        series = self.connection.create_series("s", tags=["d"], fields={"v": "DOUBLE"})
        self.connection.commit()
        with self.assertRaises(ZeroDivisionError), self.connection:
            self.connection.execute("INSERT INTO t VALUES (1)")
            node = self.connection.graph.add_node("A")
            series.append([NOON], [1.0], tags=["x"])
            self.assertTrue(self.connection.in_transaction)
            1 / 0
        self.assertEqual((0, [], None), (self.count(), series.last(), self.one("SELECT id FROM graph_nodes WHERE id = ?", node)))
        with self.connection:
            self.connection.execute("INSERT INTO t VALUES (1)")
            self.connection.graph.add_node("A")
            series.append([NOON], [1.0], tags=["x"])
        self.assertFalse(self.connection.in_transaction)
        self.assertEqual((1, 1), (self.count(), len(series.last())))
        self.assertEqual((1,), self.one("SELECT count(*) FROM graph_nodes"))

    def test_reading_begins_no_transaction(self):
        self.count()
        self.connection.execute("PRAGMA table_info('t')").fetchall()
        self.connection.execute("EXPLAIN QUERY PLAN DELETE FROM t").fetchall()
        self.assertFalse(self.connection.in_transaction)

    def test_autocommit(self):
        with braid.connect(self.path, autocommit=True) as other:
            other.execute("INSERT INTO t VALUES (1)")
            self.assertFalse(other.in_transaction)
            self.assertEqual(1, self.count())
            other.begin()
            other.execute("INSERT INTO t VALUES (2)")
            self.assertEqual(1, self.count())
        other.close()
        self.assertEqual(2, self.count())

    def test_sql_transactions(self):
        self.connection.execute("BEGIN")
        self.connection.execute("INSERT INTO t VALUES (1)")
        self.connection.execute("COMMIT")
        self.assertFalse(self.connection.in_transaction)
        self.connection.execute("/* a comment */ SAVEPOINT s")
        self.connection.execute("INSERT INTO t VALUES (2)")
        self.connection.execute("ROLLBACK TO s")
        self.connection.execute("RELEASE s")
        self.assertEqual(1, self.count())

    def test_savepoints(self):
        self.connection.execute("INSERT INTO t VALUES (1)")
        self.connection.savepoint("s")
        self.connection.execute("INSERT INTO t VALUES (2)")
        node = self.connection.graph.add_node("A")
        self.connection.rollback_to("s")
        self.connection.release("s")
        self.connection.commit()
        self.assertEqual((1, None), (self.count(), self.one("SELECT id FROM graph_nodes WHERE id = ?", node)))
        self.fails(braid.ProgrammingError, "savepoint", self.connection.savepoint, "a b")

    def test_snapshot(self):
        other = self.connection.database.connect(autocommit=True)
        with self.connection.snapshot():
            before = self.connection.lsn
            self.assertEqual(0, self.count())
            other.execute("INSERT INTO t VALUES (1)")
            self.assertEqual((0, before), (self.count(), self.connection.lsn))
        self.assertEqual(1, self.count())

    def test_writing_while_rows_are_read(self):
        self.connection.executemany("INSERT INTO t VALUES (?)", [(i,) for i in range(300)])
        self.connection.commit()
        for (a,) in self.connection.execute("SELECT a FROM t WHERE a < 300"):
            self.connection.execute("UPDATE t SET a = a + 1000 WHERE a = ?", (a,))
        self.connection.commit()
        self.assertEqual((300,), self.one("SELECT count(*) FROM t WHERE a >= 1000"))

    def test_commit_with_open_cursors(self):
        self.connection.execute("INSERT INTO t VALUES (1), (2), (3)")
        cursor = self.connection.execute("SELECT a FROM t")
        returning = self.connection.execute("INSERT INTO t VALUES (4), (5) RETURNING a")
        self.connection.commit()
        self.assertEqual([(4,), (5,)], returning.fetchall())
        self.assertEqual(3, len({row for row in cursor} & {(1,), (2,), (3,)}))

    def test_relaxed_durability(self):
        self.connection.set_durability("relaxed")
        with self.connection:
            self.connection.execute("INSERT INTO t VALUES (1)")
        self.assertEqual("relaxed", self.one("SELECT braid_durability()")[0])
        self.assertGreaterEqual(self.connection.database.sync(), self.connection.lsn)
        self.connection.set_durability("full")
        self.connection.begin("write", durability="relaxed")
        self.connection.commit()
        self.fails(braid.ProgrammingError, "'full' or 'relaxed'", self.connection.set_durability, "none")
        self.fails(braid.ProgrammingError, "'read' or 'write'", self.connection.begin, "exclusive")

    def test_batches_of_threads(self):
        series = self.connection.create_series("s", tags=["d"], fields={"v": "DOUBLE", "n": "TEXT"})
        self.connection.commit()
        database, lsns = self.connection.database, []

        def work(number):
            for i in range(5):
                batch = database.batch(durability="relaxed" if number % 2 else None)
                batch.execute("INSERT INTO t VALUES (?), (?), (?), (?)", (number, "te\0xt", b"\0b", None))
                batch.node("A", {"k": number * 10 + i})
                batch.points(series, [NOON + datetime.timedelta(seconds=i)], [1.5], ["x"], tags=[str(number)])
                lsns.append(batch.commit())
                batch.close()

        threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
        self.assertEqual(20, len(set(lsns)))
        self.assertEqual((80, 4), (self.count(), len(series.last())))
        self.assertEqual((20,), self.one("SELECT count(*) FROM graph_nodes"))
        batch = database.batch()
        batch.execute("INSERT INTO nowhere VALUES (1)")
        self.fails(braid.DatabaseError, "step 1", batch.commit)
        batch.close()
        self.fails(braid.InterfaceError, "closed", batch.commit)
        with self.assertRaises(braid.DatabaseError), database.batch() as batch:
            batch.edge(1, "T", 2**40)


class FeedTest(Case):
    def test_changes_of_all_models(self):
        series = self.connection.create_series("s", tags=["d"], fields={"v": "DOUBLE"})
        self.connection.execute("CREATE TABLE r(id INTEGER PRIMARY KEY, name TEXT)")
        self.connection.commit()
        database = self.connection.database
        with database.feed() as feed, database.feed(models="graph") as graph_feed:
            self.assertEqual(self.connection.lsn, feed.start)
            self.assertIsNone(feed.next(timeout=0))
            with self.connection:
                self.connection.execute("INSERT INTO r VALUES (1, 'one')")
                node = self.connection.graph.add_node("A", {"k": 1})
                series.append([NOON], [1.5], tags=["x"])
            change = feed.next(timeout=10)
            self.assertEqual(self.connection.lsn, change["lsn"])
            self.assertEqual([{"table": "r", "op": "insert", "key": {"id": 1}, "new": {"id": 1, "name": "one"}}], change["rows"])
            self.assertEqual([{"op": "put", "node": int(node), "labels": ["A"], "properties": {"k": 1}}], change["graph"])
            self.assertEqual([{"time": "2024-05-01 12:00:00", "d": "x", "v": 1.5}], change["series"][0]["points"])
            self.assertEqual({"lsn", "time", "durability", "graph"}, set(graph_feed.next(timeout=10)))
        self.fails(braid.ProgrammingError, "'rows' or 'graph' or 'series'", database.feed, ["tables"])
        self.fails(braid.InterfaceError, "closed", feed.next)

    def test_iteration_ends_when_it_is_closed(self):
        feed, seen = self.connection.database.feed(), []
        reader = threading.Thread(target=lambda: seen.extend(change["lsn"] for change in feed))
        reader.start()
        for i in range(3):
            self.connection.execute("CREATE TABLE IF NOT EXISTS r(x)")
            self.connection.execute("INSERT INTO r VALUES (?)", (i,))
            self.connection.commit()
        while len(seen) < 3:
            time.sleep(0.01)
        feed.close()
        reader.join(10)
        self.assertFalse(reader.is_alive())
        self.assertEqual(sorted(set(seen)), seen)


class GraphTest(Case):
    def setUp(self):
        super().setUp()
        self.graph = self.connection.graph

    def test_nodes_and_edges(self):
        properties = {"text": "ä\0", "int": 2**63 - 1, "double": 1.5, "yes": True, "bytes": b"\0\xff", "at": NOON, "list": [1, [b"x"]], "map": {"a": NOON}}
        node = self.graph.add_node(["A", "B"], properties)
        self.assertEqual(braid.Node(node, ["A", "B"], properties), self.graph.node(node))
        self.graph.update_node(node, labels="C")
        self.graph.update_node(node, properties={"x": None, "y": 1})
        self.assertEqual((["C"], {"y": 1}), self.graph.node(node)[1:])
        odd = self.graph.add_node((), {"$timestamp": "x"})
        self.assertEqual({"$timestamp": "x"}, self.graph.node(odd).properties)
        edge = self.graph.add_edge(node, "T", odd, {"km": 2.5})
        self.assertEqual(braid.Edge(edge, node, "T", odd, {"km": 2.5}), self.graph.edge(edge))
        self.graph.update_edge(edge, {})
        self.assertEqual({}, self.graph.edge(edge).properties)
        self.fails(braid.IntegrityError, "", self.graph.delete_node, node)
        self.graph.delete_node(node, detach=True)
        self.fails(braid.ProgrammingError, "no edge", self.graph.edge, edge)

    def test_what_is_no_property(self):
        for value in (math.nan, math.inf, object(), 2**70, "\ud800"):
            with self.assertRaises(braid.DatabaseError):
                self.graph.add_node("A", {"x": value})
        for labels in ([1], "", ["\ud800"]):
            with self.assertRaises(braid.DatabaseError):
                self.graph.add_node(labels)
        self.fails(braid.DataError, "NUL", self.graph.add_edge, 1, "a\0b", 1)
        self.fails(braid.ProgrammingError, "expected int", self.graph.add_edge, "1", "T", 1)
        self.fails(braid.ProgrammingError, "'out' or 'in' or 'both'", self.graph.neighbors, 1, "up")

    def test_many(self):
        nodes = self.graph.add_nodes("N", ({"k": i} for i in range(1000)))
        self.assertEqual((1000, 1), (len(nodes), nodes.step))
        self.assertEqual(range(nodes[-1] + 1, nodes[-1] + 11), self.graph.add_nodes("M", 10))
        edges = self.graph.add_edges("T", nodes[:-1], array.array("q", nodes[1:]), ({"w": 1.0} for _ in range(999)))
        self.assertEqual(999, len(edges))
        self.assertEqual((nodes[1], {"w": 1.0}), (self.graph.edge(edges[0]).target, self.graph.edge(edges[0]).properties))
        self.assertEqual(range(0), self.graph.add_edges("T", [], []))
        self.fails(braid.ProgrammingError, "different lengths", self.graph.add_edges, "T", [1], [1, 2])
        self.fails(braid.IntegrityError, "", self.graph.add_edges, "T", [nodes[0]], [10**9])
        self.assertEqual(999, self.one("SELECT count(*) FROM graph_edges")[0])
        path = self.graph.shortest_path(nodes[0], nodes[999])
        self.assertEqual((list(nodes), list(edges), 999.0), path)
        self.assertEqual(999.0, self.graph.shortest_path(nodes[0], nodes[999], weight="w").cost)
        self.assertIsNone(self.graph.shortest_path(nodes[5], nodes[0]))

    def test_neighbors_of_a_hub(self):
        hub = self.graph.add_node()
        leaves = self.graph.add_nodes((), 700)
        self.graph.add_edges("OUT", [hub] * 700, leaves)
        self.graph.add_edges("IN", leaves[:3], [hub] * 3)
        self.assertEqual(list(leaves), sorted(each.node for each in self.graph.neighbors(hub)))
        self.assertEqual(703, len(self.graph.neighbors(hub, "both")))
        self.assertEqual({("in", "IN")}, {(each.direction, each.type) for each in self.graph.neighbors(hub, "in")})
        self.assertEqual(5, len(self.graph.neighbors(hub, limit=5)))
        self.assertEqual([], self.graph.neighbors(hub, type="NOTHING"))

    def test_bound_rows(self):
        self.connection.execute("CREATE TABLE devices(id TEXT PRIMARY KEY, model TEXT)")
        self.graph.bind("Device", "devices", "id")
        self.connection.execute("INSERT INTO devices VALUES ('a', 'x'), ('b', 'y')")
        edge = self.graph.link("Device", "a", "FEEDS", "Device", "b", {"km": 1})
        self.assertEqual(self.graph.find("Device", "id", "b"), self.graph.edge(edge).target)
        self.assertEqual({"id": "a", "model": "x"}, self.graph.node(self.graph.find("Device", "id", "a")).properties)
        self.assertIsNone(self.graph.find("Device", "id", "c"))
        self.assertEqual([{"x": 1, "y": 2}], self.graph.match("(x:Device)-[:FEEDS]->(y)"))
        self.connection.commit()

    def test_index(self):
        self.graph.add_nodes("P", [{"name": "ä"}, {"name": "b"}])
        self.fails(braid.ProgrammingError, "", self.graph.find, "P", "name", "b")
        self.graph.create_index("P", "name", unique=True)
        self.assertEqual((1, 2), (self.graph.find("P", "name", "ä"), self.graph.find("P", "name", "b")))
        self.fails(braid.IntegrityError, "", self.graph.add_node, "P", {"name": "b"})

    def test_projections_and_algorithms(self):
        nodes = self.graph.add_nodes("N", 100)
        self.graph.add_edges("T", nodes[:-1], nodes[1:])
        self.connection.commit()
        self.assertEqual({"nodes": 100, "edges": 99}, {name: count for name, count in self.graph.project("line", "N", ["T"]).items() if name != "bytes"})
        with self.graph.projection("line") as projection:
            self.assertEqual((100, 99), projection.size()[:2])
            self.assertEqual(list(nodes[1:4]), projection.hops(nodes[0], 3))
            self.assertEqual(99, len(projection.hops(nodes[0], 1000)))
            self.assertEqual(list(nodes[:90]), projection.path(nodes[0], nodes[89]).nodes)
            self.assertIsNone(projection.path(nodes[5], nodes[0]))
            self.fails(braid.ProgrammingError, "not in the projection", projection.hops, 10**6, 1)
        self.fails(braid.InterfaceError, "closed", projection.size)
        ranks = dict(self.graph.algorithm("pagerank", "line", damping=0.5))
        self.assertAlmostEqual(1.0, sum(ranks.values()))
        self.fails(braid.ProgrammingError, "", self.graph.algorithm, "nothing")
        self.fails(braid.DatabaseError, "damping", self.graph.algorithm, "pagerank", dumping=1)
        self.assertEqual(100, self.graph.write_algorithm("pagerank", "rank", "line"))
        self.assertGreater(self.graph.node(nodes[50]).properties["rank"], 0)

    def test_progress(self):
        nodes = self.graph.add_nodes("N", 3000)
        self.graph.add_edges("T", nodes, [*nodes[1:], nodes[0]])
        self.connection.commit()
        seen = []
        self.connection.on_progress(lambda fraction: seen.append(fraction))
        self.graph.algorithm("betweenness").fetchall()
        self.assertTrue(seen)
        self.connection.on_progress(lambda fraction: True)
        self.assertEqual("INTERRUPTED", self.fails(braid.OperationalError, "", self.graph.algorithm, "betweenness").name)
        self.connection.on_progress(lambda fraction: 1 / 0)
        with self.assertRaises(ZeroDivisionError):
            self.graph.algorithm("betweenness")
        inner = []

        def misuse(_):
            try:
                self.connection.execute("SELECT 1")
            except braid.InterfaceError as error:
                inner.append(str(error))
            return True

        self.connection.on_progress(misuse)
        self.fails(braid.OperationalError, "", self.graph.algorithm, "betweenness")
        self.assertEqual({"a callback must not use the connection"}, set(inner))
        self.connection.on_progress(None)
        self.assertEqual(3000, len(self.graph.algorithm("betweenness").fetchall()))


class SeriesTest(Case):
    def setUp(self):
        super().setUp()
        self.series = self.connection.create_series(
            "s", tags={"d": "TEXT", "n": "INTEGER"}, on_conflict="merge",
            fields={"v": "DOUBLE", "i": "BIGINT", "b": "BOOLEAN", "t": "TEXT", "j": "JSON"})  # fmt: skip
        self.connection.commit()

    def test_schema(self):
        self.assertEqual(("time", ["d", "n"]), (self.series.time, self.series.tags))
        self.assertEqual({"v": "DOUBLE", "i": "BIGINT", "b": "BOOLEAN", "t": "TEXT", "j": "JSON TEXT"}, self.series.fields)
        self.assertEqual("NOT_FOUND", self.fails(braid.ProgrammingError, "no hypertable", self.connection.series, "nothing").name)

    def test_every_type_and_null(self):
        self.series.append([NOON, NOON.replace(hour=13)], [1.5, None], [-(2**63), None], [True, None], ["ä", None], [{"k": [1]}, None], tags=["a", 7])
        self.series.append([NOON], v=[math.nan], t=["x"], tags={"n": 8})
        rows = self.series.query().fetchall()
        self.assertIn((NOON, "a", 7, 1.5, -(2**63), 1, "ä", '{"k": [1]}'), rows)
        self.assertIn((NOON.replace(hour=13), "a", 7, None, None, None, None, None), rows)
        columns = self.series.columns(tags={"n": 8})
        self.assertTrue(math.isnan(columns["v"].values[0]) or columns["v"][0] is None)
        self.assertEqual([None], list(columns["d"]))
        self.assertEqual([1, None], list(self.series.columns(tags={"n": 7})["b"]))
        self.connection.commit()
        self.assertEqual(2, len(self.series.last()))

    def test_buffers_are_taken_as_they_are(self):
        count = 5000
        times = array.array("q", (braid.to_microseconds(NOON) + i * 1000000 for i in range(count)))
        values = array.array("d", (i / 2 for i in range(count)))
        numbers = memoryview(array.array("q", range(count))).toreadonly()
        self.assertEqual(count, self.series.append(times, values, numbers, None, None, None, tags=["a", 1]))
        self.connection.commit()
        columns = self.series.columns(fields=["v", "i"])
        self.assertEqual((times, values, array.array("q", range(count))), (columns["time"].values, columns["v"].values, columns["i"].values))
        self.assertEqual(("timestamp", NOON), (columns["time"].kind, columns["time"][0]))
        self.assertEqual(["a"] * 3, columns["d"][:3])
        self.assertEqual(memoryview(columns["v"].values).tolist(), list(columns["v"]))

    def test_rows_of_many_series(self):
        rows = [(NOON + datetime.timedelta(seconds=i), f"d{i % 3}", i % 2, i * 1.0, i, i % 2 == 0, str(i), None) for i in range(3000)]
        self.assertEqual(3000, self.series.append_rows(iter(rows)))
        self.connection.commit()
        self.assertEqual(6, len(self.series.last()))
        self.assertEqual(1000, len(self.series.query(tags={"d": "d1"}).fetchall()))
        self.assertEqual(2000, len(self.series.query(tags={"d": ["d1", "d2"]}).fetchall()))
        window = self.series.query(since=NOON, until=NOON + datetime.timedelta(seconds=10), fields=["i"]).fetchall()
        self.assertEqual(list(range(10)), [row[3] for row in window])
        self.assertEqual({2997, 2998, 2999}, {each["i"] for each in self.series.last(fields=["i"])} & {2997, 2998, 2999})
        buckets = self.series.rollup("1 hour", since=NOON, fields=["v"], tags={"n": 0}).fetchall()
        self.assertEqual(1500, sum(row[3] for row in buckets))

    def test_what_is_no_point(self):
        wrong = (
            (braid.ProgrammingError, "1 tags are given", ([NOON], [1.0], None, None, None, None), {"tags": ["a"]}),
            (braid.ProgrammingError, "no tag 'x'", ([NOON],), {"tags": {"x": 1}, "v": [1.0]}),
            (braid.ProgrammingError, "no field 'w'", ([NOON],), {"tags": ["a", 1], "w": [1.0]}),
            (braid.ProgrammingError, "2 values for 1 times", ([NOON],), {"tags": ["a", 1], "v": [1.0, 2.0]}),
            (braid.ProgrammingError, "1 columns are given", ([NOON], [1.0]), {"tags": ["a", 1]}),
            (braid.DataError, "field 'v'", ([NOON],), {"tags": ["a", 1], "v": ["x"]}),
            (braid.DataError, "field 'i'", ([NOON],), {"tags": ["a", 1], "i": [2**63]}),
            (braid.DataError, "field 'i'", ([NOON],), {"tags": ["a", 1], "i": [1.5]}),
            (braid.DataError, "field 'b'", ([NOON],), {"tags": ["a", 1], "b": ["x"]}),
            (braid.ProgrammingError, "not a boolean", ([NOON],), {"tags": ["a", 1], "b": [2]}),
            (braid.DataError, "NUL", ([NOON],), {"tags": ["a", 1], "t": ["a\0b"]}),
            (braid.DataError, "NUL", ([NOON],), {"tags": ["a\0b", 1], "t": ["a"]}),
            (braid.IntegrityError, "", ([NOON],), {"tags": ["a", "x"], "v": [1.0]}),
            (braid.DataError, "time", (["yesterday"],), {"tags": ["a", 1], "v": [1.0]}),
            (braid.DataError, "beyond 64 bits", ([2**63],), {"tags": ["a", 1], "v": [1.0]}),
            (braid.ProgrammingError, "", ([2**63 - 1],), {"tags": ["a", 1], "v": [1.0]}),
        )  # fmt: skip
        for kind, words, places, named in wrong:
            with self.subTest(words=words, named=named):
                self.fails(kind, words, self.series.append, *places, **named)
        self.connection.rollback()
        self.assertEqual([], self.series.last())
        self.assertEqual(0, self.series.append([], tags=["a", 1], v=[]))

    def test_appender_outside_a_transaction(self):
        with self.connection.database.connect(autocommit=True) as other:
            series = other.series("s")
            appender = series.appender()
            appender.add([NOON], v=[1.0], tags=["a", 1])
            self.assertEqual([], self.series.last())
            appender.flush()
            self.assertEqual(1, len(self.series.last()))
            appender.add([NOON.replace(hour=13)], v=[2.0], tags=["a", 1])
            appender.discard()
            appender.on_conflict("ignore")
            appender.add([NOON], v=[9.0], tags=["a", 1])
            appender.close()
            appender.close()
            self.fails(braid.InterfaceError, "closed", appender.add, [NOON], v=[1.0], tags=["a", 1])
            self.assertEqual((NOON, 1.0), (self.series.last()[0]["time"], self.series.last()[0]["v"]))
            left = series.appender()
            left.add([NOON.replace(hour=14)], v=[3.0], tags=["a", 1])
            other.close()
        self.assertEqual(1.0, self.series.last()[0]["v"])

    def test_columns_of_any_select(self):
        self.connection.execute("CREATE TABLE t(a)")
        columns = self.connection.columns("SELECT 1 AS a, 1.5 AS b, 'x' AS c, x'00' AS d, NULL AS e WHERE 1 = ?", [1])
        self.assertEqual({"a": [1], "b": [1.5], "c": ["x"], "d": [b"\0"], "e": [None]}, {name: list(column) for name, column in columns.items()})
        self.assertEqual({"a": []}, {name: list(column) for name, column in self.connection.columns("SELECT 1 AS a WHERE 0").items()})
        many = self.connection.columns(f"SELECT i, iif(i % 2, NULL, i * 0.5) AS h FROM ({COUNT_TO})", (70000,))
        self.assertEqual(70000, len(many["i"]))
        self.assertEqual((None, 35000.0), (many["h"][69998], many["h"][69999]))
        self.fails(braid.ProgrammingError, "do not write", self.connection.columns, "INSERT INTO t VALUES (1) RETURNING a")
        self.fails(braid.ProgrammingError, "with rows", self.connection.columns, "")


class Interruption(Case):
    def test_ctrl_c_stops_the_statement(self):
        for run in (lambda: self.connection.execute(ENDLESS), lambda: self.connection.executescript(ENDLESS), lambda: self.connection.columns(ENDLESS)):
            started = time.monotonic()
            threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
            with self.assertRaises(KeyboardInterrupt):
                run()
            self.assertLess(time.monotonic() - started, 20)
        self.assertEqual((1,), self.one("SELECT 1"))

    def test_ctrl_c_rolls_back_what_writes(self):
        self.connection.executescript("CREATE TABLE t(a)")
        threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
        with self.assertRaises(KeyboardInterrupt), self.connection:
            self.connection.execute("INSERT INTO t VALUES (1)")
            self.connection.execute("INSERT INTO t " + ENDLESS)
        self.assertEqual((0,), self.one("SELECT count(*) FROM t"))

    def test_an_event_loop_keeps_its_signals(self):
        async def main():
            seen = asyncio.Event()
            asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, seen.set)
            threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGUSR1)).start()
            self.connection.set_time_limit(0.4)
            try:
                self.connection.execute(ENDLESS)
            except braid.OperationalError:
                pass
            await asyncio.wait_for(seen.wait(), 10)

        asyncio.run(main())

    def test_another_thread_interrupts(self):
        codes = []

        def work():
            try:
                self.connection.execute(ENDLESS)
            except braid.OperationalError as error:
                codes.append(error.name)

        thread = threading.Thread(target=work)
        thread.start()
        while thread.is_alive():
            self.connection.interrupt()
            thread.join(0.05)
        self.assertEqual(["INTERRUPTED"], codes)

    def test_time_limit(self):
        self.connection.set_time_limit(0.1)
        self.assertEqual("INTERRUPTED", self.fails(braid.OperationalError, "", self.connection.execute, ENDLESS).name)
        self.fails(braid.ProgrammingError, "", self.connection.set_time_limit, -1)


class Lifetimes(Case):
    def test_any_order_of_collection(self):
        self.connection.executescript("CREATE TABLE t(a); INSERT INTO t VALUES (1), (2), (3)")
        self.connection.create_series("s", tags=["d"], fields={"v": "DOUBLE"})
        self.connection.commit()
        self.connection.close()
        for order in range(0, 24, 2):
            database = braid.Database(self.path)
            connection = database.connect()
            held = [database, connection, connection.execute("SELECT * FROM t"), connection.series("s").appender()]
            cycle = {"held": held}
            cycle["self"] = cycle if order % 3 == 0 else None
            del database, connection
            places, number = [0, 1, 2, 3], order
            for left in (4, 3, 2, 1):
                held[places.pop(number % left)] = None
                number //= left
            del held, cycle
            gc.collect()
        self.connection = braid.connect(self.path)
        self.addCleanup(self.connection.close)
        self.assertEqual((3,), self.one("SELECT count(*) FROM t"))

    def test_a_cycle_is_collected(self):
        class Owner:
            pass

        for _ in range(20):
            owner = Owner()
            owner.me = owner
            owner.connection = self.connection.database.connect()
            owner.cursor = owner.connection.execute("SELECT 1 UNION SELECT 2 UNION SELECT 3")
            owner.projection = owner.connection.graph.projection()
        del owner
        gc.collect()
        self.assertEqual((1,), self.one("SELECT 1"))

    def test_the_database_closes_with_its_last_connection(self):
        other = braid.connect(self.path)
        self.assertIs(other.database, self.connection.database)
        self.connection.close()
        self.assertFalse(other.database.closed)
        other.close()
        self.assertTrue(other.database.closed)
        with braid.Database(self.path) as database:
            connection = database.connect()
            connection.close()
            self.assertFalse(database.closed)
            self.assertEqual((1,), database.connect().execute("SELECT 1").fetchone())
        self.fails(braid.InterfaceError, "closed", database.connect)
        self.fails(braid.InterfaceError, "closed", database.stats)

    def test_other_options_for_an_open_database(self):
        self.fails(braid.ProgrammingError, "is open in this process", braid.connect, self.path, {"busy_timeout_ms": 1})
        other = braid.connect(os.path.join(self.directory, "other"), {"busy_timeout_ms": 7, "durability": "relaxed"})
        self.assertEqual(7, other.database.option("busy_timeout_ms"))
        self.fails(braid.ProgrammingError, "no option", other.database.option, "nothing")
        other.close()

    def test_threads_share_a_connection(self):
        self.connection.executescript("CREATE TABLE t(a)")
        self.connection.autocommit = True
        failures = []

        def work(number):
            try:
                for i in range(40):
                    self.connection.execute("INSERT INTO t VALUES (?)", (number,))
                    rows = self.connection.execute("SELECT a, 'text', 1.5 FROM t").fetchall()
                    assert all(row[1:] == ("text", 1.5) for row in rows)
            except BaseException as error:  # noqa: BLE001
                failures.append(error)

        threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
        self.assertEqual([], failures)
        self.assertEqual((160,), self.one("SELECT count(*) FROM t"))

    def test_threads_with_connections_of_their_own(self):
        self.connection.executescript("CREATE TABLE t(a)")

        def work(number):
            with braid.connect(self.path) as own:
                for i in range(10):
                    with own:
                        own.execute("INSERT INTO t VALUES (?)", (number,))
            own.close()

        threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
        self.assertEqual((40,), self.one("SELECT count(*) FROM t"))

    def test_closing_under_running_threads(self):
        stopped = []

        def work():
            try:
                while True:
                    self.connection.execute("SELECT count(*) FROM sqlite_schema").fetchall()
                    self.connection.graph.add_node("A")
            except braid.InterfaceError as error:
                stopped.append(str(error))

        threads = [threading.Thread(target=work) for _ in range(3)]
        [thread.start() for thread in threads]
        time.sleep(0.1)
        self.connection.database.close()
        [thread.join() for thread in threads]
        self.assertEqual(3, len(stopped))

    def test_a_program_that_closes_nothing_ends_well(self):
        script = (f"import sys; sys.path.insert(0, {str(BINDING)!r})\nimport braid, threading\nc = braid.connect({self.path + '2'!r})\n"
                  "c.execute('CREATE TABLE t(a)'); c.commit()\nk = c.execute('SELECT 1 UNION SELECT 2 UNION SELECT 3')\n"
                  "p = c.graph.projection()\nx = c.database.batch()\n"
                  f"threading.Thread(target=lambda: c.database.connect().execute({ENDLESS!r}), daemon=True).start()\n"
                  "print('done')")  # fmt: skip
        found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
        self.assertEqual((0, "done\n"), (found.returncode, found.stdout), found.stderr)

    def test_a_forked_child_is_refused(self):
        child = os.fork()
        if child == 0:
            code = 1
            try:
                self.connection.graph.node(1)
            except braid.InterfaceError:
                code = 0
            finally:
                os._exit(code)
        self.assertEqual(0, os.waitpid(child, 0)[1])
        self.assertEqual((1,), self.one("SELECT 1"))


class Administration(Case):
    def test_check_checkpoint_stats_and_maintenance(self):
        database = self.connection.database
        self.connection.graph.add_node("A")
        self.connection.commit()
        database.checkpoint()
        self.assertEqual([], database.check())
        self.assertEqual(0, database.maintain(10))
        self.assertGreaterEqual(database.stats()["lsn"], 1)
        self.assertIn("busy_timeout_ms", [each.name for each in braid.options()])

    def test_backup_and_restore(self):
        self.connection.execute("CREATE TABLE t(a)")
        self.connection.execute("INSERT INTO t VALUES (1)")
        self.connection.commit()
        seen = []
        copy = os.path.join(self.directory, "copy")
        report = self.connection.database.backup(copy, progress=lambda done, total: seen.append((done, total)))
        self.assertEqual(self.connection.database.stats()["lsn"], report.lsn)
        self.assertTrue(seen)
        with braid.restore(copy, os.path.join(self.directory, "restored")) as database:
            self.assertEqual((1,), database.connect().execute("SELECT a FROM t").fetchone())
        self.fails(braid.OperationalError, "", self.connection.database.backup, os.path.join(self.directory, "c2"), progress=lambda *_: True)
        with self.assertRaises(ZeroDivisionError):
            self.connection.database.backup(os.path.join(self.directory, "c3"), progress=lambda *_: 1 / 0)
        self.fails(braid.DatabaseError, "", self.connection.database.backup, copy)

    def test_repair(self):
        self.connection.graph.create_index("A", "k")
        self.connection.graph.add_node("A", {"k": 1})
        self.connection.commit()
        self.connection.close()
        database, lost = braid.repair(self.path, os.path.join(self.directory, "repaired"))
        self.assertEqual([], lost)
        self.assertEqual({"k": 1}, database.connect().graph.node(1).properties)
        database.close()
        self.fails(braid.ProgrammingError, "", braid.repair, os.path.join(self.directory, "nothing"), os.path.join(self.directory, "r2"))

    def test_restricted_connection(self):
        self.connection.executescript("CREATE TABLE t(a)")
        other = self.connection.database.connect()
        other.restrict(read_only=True, statement_seconds=5)
        self.assertEqual((0,), other.execute("SELECT count(*) FROM t").fetchone())
        self.assertEqual("DENIED", self.fails(braid.ProgrammingError, "", other.execute, "DROP TABLE t").name)

    def test_restore_to_a_commit_and_to_a_time(self):
        self.connection.close()
        database = braid.Database(os.path.join(self.directory, "archived"), {"archive": "on"})
        connection = database.connect()
        connection.executescript("CREATE TABLE t(a)")
        copy = os.path.join(self.directory, "copy")
        database.backup(copy, prune_archive=True)
        lsns, moment = [], None
        for number in (1, 2, 3):
            connection.execute("INSERT INTO t VALUES (?)", (number,))
            connection.commit()
            lsns.append(connection.lsn)
            moment = moment if number == 3 else datetime.datetime.now(UTC)
            time.sleep(0.01)
        database.close()
        for name, target, expected in (("lsn", {"to_lsn": lsns[1]}, 2), ("time", {"to_time": moment}, 2), ("all", {"archive": os.path.join(database.directory, "archive")}, 3)):
            with braid.restore(copy, os.path.join(self.directory, name), **target) as made:
                self.assertEqual((expected,), made.connect().execute("SELECT count(*) FROM t").fetchone())
        self.fails(braid.ProgrammingError, str(lsns[2]), braid.restore, copy, os.path.join(self.directory, "far"), to_lsn=lsns[2] + 10)

    def test_figures_have_units_and_kinds(self):
        figures = {each.name: each for each in self.connection.database.figures()}
        self.assertEqual(("bytes", "gauge"), figures["wal_size"][2:])
        self.assertEqual("counter", figures["commits"].kind)

    def test_names_of_codes(self):
        self.assertEqual(("BRAID_BUSY", ""), (braid.code_name(4), braid.code_name(-7)))

    def test_the_log(self):
        told = []
        braid.on_log(told.append)
        self.addCleanup(braid.on_log, None)
        self.connection.graph.add_node("A")
        self.connection.commit()
        self.connection.database.checkpoint()
        braid.on_log(None)
        self.assertEqual([("info", "checkpoint")], [each[1:3] for each in told])
        self.assertLess(abs(told[0].time - datetime.datetime.now(UTC)), datetime.timedelta(hours=1))
        self.fails(braid.ProgrammingError, "level", braid.on_log, print, "loud")


class Cancelling(Case):
    """Tokens, time limits and progress of calls that are on no statement, and of those that are."""

    def test_a_token_stops_a_connection_until_it_is_reset(self):
        token = braid.Cancel()
        self.connection.set_cancel(token)
        threading.Timer(0.05, token.set).start()
        error = self.fails(braid.OperationalError, "", self.connection.execute, ENDLESS)
        self.assertEqual("INTERRUPTED", error.name)
        self.assertTrue(token.is_set)
        self.fails(braid.OperationalError, "cancel", self.connection.execute, "SELECT 1")
        token.reset()
        self.assertEqual((1,), self.one("SELECT 1"))
        token.close()
        self.fails(braid.InterfaceError, "closed", token.set)
        self.fails(braid.InterfaceError, "closed", self.connection.set_cancel, token)
        self.connection.set_cancel(None)
        self.assertEqual((1,), self.one("SELECT 1"))

    def test_calls_on_a_database(self):
        database = self.connection.database
        with braid.Cancel() as token:
            database.set_cancel(token)
            token.set()
            for call in (database.check, database.checkpoint, database.sync, lambda: database.backup(self.path + "2")):
                self.assertEqual("INTERRUPTED", self.fails(braid.OperationalError, "", call).name)
            token.reset()
            database.set_cancel(None)
        self.connection.autocommit = True
        self.connection.graph.add_nodes("N", 100_000)
        seen = []
        database.on_progress(seen.append)
        self.assertEqual([], database.check())
        self.assertEqual(sorted(seen), seen)
        self.assertEqual(1, seen[-1])
        database.on_progress(lambda fraction: 1 / 0)
        self.assertRaises(ZeroDivisionError, database.check)
        database.on_progress(None)
        database.set_time_limit(0.001)
        self.assertEqual("INTERRUPTED", self.fails(braid.OperationalError, "", database.check).name)
        database.set_time_limit(0)
        self.assertEqual([], database.check())

    def test_opening_restoring_and_repairing(self):
        self.connection.close()
        copy = os.path.join(self.directory, "copy")
        calls = (lambda **watch: braid.Database(self.path, **watch), lambda **watch: braid.restore(self.path, copy, **watch),
                 lambda **watch: braid.repair(self.path, copy, **watch)[0])  # fmt: skip
        for call in calls:
            with braid.Cancel() as token:
                token.set()
                self.assertEqual("INTERRUPTED", self.fails(braid.OperationalError, "", call, cancel=token).name)
            seen = []
            call(cancel=None, time_limit=60, on_progress=seen.append).close()
            self.assertEqual(sorted(seen), seen)
            self.assertEqual(1, seen[-1])
            shutil.rmtree(copy, True)
        self.assertRaises(ZeroDivisionError, braid.Database, self.path, on_progress=lambda fraction: 1 / 0)
        braid.Database(self.path).close()


class ArrowStream(Case):
    """The capsule that a cursor gives, read by somebody who knows nothing of Braid: as the specification of the C interfaces says."""

    NAME = b"arrow_array_stream"

    def setUp(self):
        super().setUp()
        get = ctypes.pythonapi.PyCapsule_GetPointer
        get.restype, get.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
        self.pointer_of = lambda capsule: get(capsule, self.NAME)

    def taken(self, capsule):
        """Moves the stream out of its capsule, as consumers do."""
        place = braid._ArrowStream.from_address(self.pointer_of(capsule))
        stream = braid._ArrowStream()
        ctypes.memmove(ctypes.byref(stream), ctypes.byref(place), ctypes.sizeof(stream))
        place.release = type(place.release)()
        return stream

    def arrays(self, stream):
        schema = braid._ArrowSchema()
        self.assertEqual(0, stream.get_schema(ctypes.byref(stream), ctypes.byref(schema)))
        names = [schema.children[i][0].name.decode() for i in range(schema.n_children)]
        formats = [schema.children[i][0].format for i in range(schema.n_children)]
        schema.release(ctypes.byref(schema))
        found = []
        while True:
            array_read = braid._ArrowArray()
            self.assertEqual(0, stream.get_next(ctypes.byref(stream), ctypes.byref(array_read)), stream.get_last_error(ctypes.byref(stream)))
            if not array_read.release:
                return names, formats, found
            found.append([list(self.column(array_read.children[i][0], formats[i])) for i in range(array_read.n_children)])
            array_read.release(ctypes.byref(array_read))

    @staticmethod
    def column(child, arrow_format):
        column = braid.Column(arrow_format)
        column._extend(child)
        return column

    def test_rows_of_every_type(self):
        self.connection.executescript("CREATE TABLE t(a INTEGER, b REAL, c TEXT, d BLOB); INSERT INTO t VALUES (1, 1.5, 'x', x'00ff'), (NULL, NULL, NULL, NULL)")
        cursor = self.connection.execute("SELECT * FROM t WHERE a IS NOT ? ORDER BY a DESC", (7,))
        stream = self.taken(cursor.__arrow_c_stream__())
        names, formats, found = self.arrays(stream)
        self.assertEqual((["a", "b", "c", "d"], [b"l", b"g", b"u", b"z"]), (names, formats))
        self.assertEqual([[[1, None], [1.5, None], ["x", None], [b"\0\xff", None]]], found)
        stream.release(ctypes.byref(stream))
        self.assertEqual((1, 1.5, "x", b"\0\xff"), cursor.execute("SELECT * FROM t").fetchone())

    def test_many_arrays_outlive_cursor_and_connection_and_any_thread_reads_them(self):
        connection = self.connection.database.connect()
        stream = self.taken(connection.execute(COUNT_TO, (150_000,)).__arrow_c_stream__())
        found = []
        reader = threading.Thread(target=lambda: found.append(self.arrays(stream)))
        reader.start()
        reader.join()
        self.assertEqual(list(range(1, 150_001)), [value for each in found[0][2] for value in each[0]])
        self.assertGreater(len(found[0][2]), 1)
        connection.close()
        array_read = braid._ArrowArray()
        # It is at its end, or says what became of it; it does not crash.
        stream.get_next(ctypes.byref(stream), ctypes.byref(array_read))
        stream.release(ctypes.byref(stream))

    def test_capsules_that_nobody_takes_are_released(self):
        cursor = self.connection.execute("SELECT 1 UNION SELECT 2")
        before = len(braid._LentStream._living)
        capsule = cursor.__arrow_c_stream__()
        self.assertEqual(before + 1, len(braid._LentStream._living))
        del capsule
        gc.collect()
        self.assertEqual((before, 0), (len(braid._LentStream._living), len(braid._LentStream._capsules)))
        self.assertEqual([(1,), (2,)], cursor.execute("SELECT 1 UNION SELECT 2").fetchall())

    def test_errors_are_told_by_the_stream(self):
        cursor = self.connection.execute(COUNT_TO, (300_000,))
        stream = self.taken(cursor.__arrow_c_stream__())
        cursor.execute("SELECT 1")
        array_read = braid._ArrowArray()
        codes = {stream.get_next(ctypes.byref(stream), ctypes.byref(array_read)) for _ in range(3)}
        self.assertNotEqual({0}, codes)
        self.assertIn(b"reset or closed", ctypes.string_at(stream.get_last_error(ctypes.byref(stream))))
        stream.release(ctypes.byref(stream))

    def test_only_of_a_statement_with_rows(self):
        self.fails(braid.ProgrammingError, "no statement", self.connection.cursor().__arrow_c_stream__)
        self.connection.executescript("CREATE TABLE t(a)")
        writing = self.connection.execute("INSERT INTO t VALUES (1) RETURNING a")
        self.fails(braid.ProgrammingError, "does not write", writing.__arrow_c_stream__)
        closed = self.connection.cursor()
        closed.close()
        self.fails(braid.InterfaceError, "closed", closed.__arrow_c_stream__)


class Queries(Case):
    """Calls of the C API whose answer is a statement, beside the SQL that says the same."""

    def test_expansion(self):
        graph = self.connection.graph
        nodes = graph.add_nodes("N", [{"k": i} for i in range(5)])
        graph.add_edges("T", list(nodes)[:-1], list(nodes)[1:])
        rows = graph.expand(nodes[0], hops=3).fetchall()
        self.assertEqual([(nodes[1], 1), (nodes[2], 2), (nodes[3], 3)], [row[:2] for row in rows])
        self.assertEqual([nodes[3], nodes[4]], [row[0] for row in graph.expand(nodes[0], hops=(3, 9), types=["T"])])
        self.assertEqual([nodes[1]], [row[0] for row in graph.expand(nodes[0], node_filter={"k": 1})])
        self.assertEqual(2, len(graph.expand(nodes[4], direction="in", limit=2).fetchall()))
        self.fails(braid.ProgrammingError, "", graph.expand, 10**6)

    def test_projections_by_name(self):
        graph = self.connection.graph
        graph.add_nodes("N", 3)
        self.connection.commit()
        self.assertEqual([], graph.projections())
        self.assertEqual(3, graph.project("all", labels=["N"], orientation="undirected")["nodes"])
        self.assertEqual([("all", "undirected")], [(each["name"], each["orientation"]) for each in graph.projections()])
        graph.drop_projection("all")
        self.assertEqual([], graph.projections())
        self.assertEqual("NOT_FOUND", self.fails(braid.ProgrammingError, "all", graph.drop_projection, "all").name)

    def test_rollups_and_last_points(self):
        series = self.connection.create_series("m", tags=["host"], fields={"v": "DOUBLE", "w": "BIGINT"})
        with series.appender() as appender:
            for i in range(6):
                appender.add_point(NOON + datetime.timedelta(minutes=20 * i), i + 0.5, None if i % 2 else i, tags=["a" if i < 3 else "b"])
            self.fails(braid.DataError, "values", appender.add_point, NOON, "x", 1, tags=["a"])
            self.fails(braid.ProgrammingError, "tags", appender.add_point, NOON, 1, 1, tags=[])
        self.connection.commit()
        self.assertEqual([2.5, 5.5], [each["v"] for each in series.last()])
        self.assertEqual([{"time": NOON + datetime.timedelta(minutes=100), "host": "b", "v": 5.5, "w": None}], series.last(tags={"host": "b"}))
        self.assertEqual([3, 3], [row[3] for row in series.rollup("1 hour", fields="v")])
        self.assertEqual([1], [row[3] for row in series.rollup("1 day", tags={"host": "a"}, fields=["v"], until=NOON + datetime.timedelta(minutes=1))])
        berlin = series.rollup("1 day", fields="v", tags={"host": "a"}, timezone="Europe/Berlin").fetchone()
        self.assertEqual(3, berlin[3])
        self.fails(braid.ProgrammingError, "", series.rollup, "1 hour", since=NOON, until=NOON - datetime.timedelta(days=1))


if __name__ == "__main__":
    unittest.main(verbosity=1)
