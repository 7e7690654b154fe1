"""The Arrow C stream of a statement is read by DuckDB, which then has the same rows as the statement.

usage: arrow_duckdb_test.py LIBBRAID FOLDER (where a fetched DuckDB is kept)
"""

import ctypes
import os
import sys
import tempfile

from duckdb_reader import Duckdb, find_library

NUL_TERMINATED = ctypes.c_int64(-1)
ROW = 100


class ArrowSchema(ctypes.Structure):
    pass


class ArrowArray(ctypes.Structure):
    pass


class ArrowArrayStream(ctypes.Structure):
    pass


ArrowSchema._fields_ = [("format", ctypes.c_char_p), ("name", ctypes.c_char_p), ("metadata", ctypes.c_char_p), ("flags", ctypes.c_int64),
                        ("n_children", ctypes.c_int64), ("children", ctypes.POINTER(ctypes.POINTER(ArrowSchema))), ("dictionary", ctypes.c_void_p),
                        ("release", ctypes.CFUNCTYPE(None, ctypes.POINTER(ArrowSchema))), ("private_data", ctypes.c_void_p)]
ArrowArray._fields_ = [("length", ctypes.c_int64), ("null_count", ctypes.c_int64), ("offset", ctypes.c_int64), ("n_buffers", ctypes.c_int64),
                       ("n_children", ctypes.c_int64), ("buffers", ctypes.POINTER(ctypes.c_void_p)),
                       ("children", ctypes.POINTER(ctypes.POINTER(ArrowArray))), ("dictionary", ctypes.c_void_p),
                       ("release", ctypes.CFUNCTYPE(None, ctypes.POINTER(ArrowArray))), ("private_data", ctypes.c_void_p)]
STREAM = ctypes.POINTER(ArrowArrayStream)
ArrowArrayStream._fields_ = [("get_schema", ctypes.CFUNCTYPE(ctypes.c_int, STREAM, ctypes.POINTER(ArrowSchema))),
                             ("get_next", ctypes.CFUNCTYPE(ctypes.c_int, STREAM, ctypes.POINTER(ArrowArray))),
                             ("get_last_error", ctypes.CFUNCTYPE(ctypes.c_char_p, STREAM)), ("release", ctypes.CFUNCTYPE(None, STREAM)),
                             ("private_data", ctypes.c_void_p)]


class ArrowOptions(ctypes.Structure):
    _fields_ = [("size_bytes", ctypes.c_size_t), ("rows_max", ctypes.c_int64), ("bytes_max", ctypes.c_int64), ("types", ctypes.c_void_p),
                ("type_count", ctypes.c_size_t)]


class Braid:
    def __init__(self, library, directory):
        self.library = ctypes.CDLL(library)
        self.library.braid_column_text.restype = ctypes.c_char_p
        self.library.braid_connection_error.restype = ctypes.c_char_p
        self.database = ctypes.c_void_p()
        self.connection = ctypes.c_void_p()
        assert self.library.braid_open(directory.encode(), None, ctypes.byref(self.database)) == 0
        assert self.library.braid_connect(self.database, ctypes.byref(self.connection)) == 0

    def check(self, code):
        assert code == 0, self.library.braid_connection_error(self.connection).decode()

    def run(self, sql):
        self.check(self.library.braid_execute(self.connection, sql.encode(), NUL_TERMINATED))

    def prepare(self, sql):
        statement = ctypes.c_void_p()
        self.check(self.library.braid_prepare(self.connection, sql.encode(), NUL_TERMINATED, ctypes.byref(statement), None))
        return statement

    def rows(self, sql):
        """Tuples of texts and None."""
        statement = self.prepare(sql)
        columns = range(self.library.braid_column_count(statement))
        read = []
        while self.library.braid_statement_step(statement) == ROW:
            read.append(tuple(None if self.library.braid_column_type(statement, i) == 5 else self.library.braid_column_text(statement, i, None).decode()
                              for i in columns))
        self.library.braid_statement_close(statement)
        return read

    def stream(self, sql, rows_max):
        statement = self.prepare(sql)
        stream = ArrowArrayStream()
        options = ArrowOptions(ctypes.sizeof(ArrowOptions), rows_max, 0, None, 0)
        self.check(self.library.braid_statement_arrow(statement, ctypes.byref(options), ctypes.byref(stream)))
        return statement, stream

    def close(self):
        self.library.braid_disconnect(self.connection)
        self.library.braid_close(self.database)


NUMBERS = "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 4999)"


def fill(braid):
    braid.run("CREATE TABLE t(i BIGINT, d DOUBLE, s TEXT, b BLOB, f BOOLEAN, at TIMESTAMP, blank)")
    braid.run(NUMBERS + " INSERT INTO t SELECT nullif((i - 2500) * 1000000007, 0), nullif(i % 97, 5) / 8.0, nullif('größe ' || i % 13, 'größe 3'), "
              "CASE i % 7 WHEN 0 THEN NULL ELSE CAST(printf('%05d', i) AS BLOB) END, nullif(i % 3, 2), "
              "strftime('%Y-%m-%d %H:%M:%S', 1704067200 + i * 61, 'unixepoch'), NULL FROM n")
    braid.run("CREATE VIRTUAL TABLE m USING hypertable(time TIMESTAMP, host TEXT TAG, v DOUBLE, n BIGINT, ok BOOLEAN, note TEXT)")
    braid.run(NUMBERS + " INSERT INTO m SELECT datetime(1704067200 + i, 'unixepoch'), 'h' || i % 5, nullif(i % 50, 7) / 4.0, i, i % 2, "
              "nullif('note ' || i % 5, 'note 3') FROM n")


def same_values(braid, duckdb, name, select, types, texts):
    """The rows of `select`, as a stream of several arrays in DuckDB, are those that stepping gives. `texts` writes DuckDB's values as SQLite does."""
    statement, stream = braid.stream(select, 777)
    duckdb.scan(stream, name)
    braid.library.braid_statement_close(statement)
    declared = tuple(row[2] for row in duckdb.rows(f"PRAGMA table_info('{name}')"))
    assert declared == types, declared
    got = duckdb.rows(f"SELECT {texts} FROM {name}")
    expected = braid.rows(select)
    assert len(got) == len(expected) == 5000, (len(got), len(expected))
    for row, (left, right) in enumerate(zip(got, expected)):
        for column, (a, b) in enumerate(zip(left, right)):
            same = a == b or (a is not None and b is not None and types[column] == "DOUBLE" and float(a) == float(b))
            assert same, f"{name}: row {row}, column {column}: DuckDB has {a!r}, Braid {b!r}"
    print(f"{name}: {len(got)} rows are the same")


def errors_arrive(braid, duckdb):
    statement, stream = braid.stream(NUMBERS + " SELECT CASE i WHEN 4000 THEN 'text' ELSE i END AS x FROM n", 1000)
    try:
        duckdb.scan(stream, "broken")
    except RuntimeError as error:
        assert "column 'x'" in str(error), error
    else:
        raise AssertionError("a text among integers was taken")
    # What failed in DuckDB's hands leaves the connection as it was.
    braid.library.braid_statement_close(statement)
    assert braid.rows("SELECT 1") == [("1",)]
    print("an error on the way is told by DuckDB in Braid's words")


def main():
    library, folder = sys.argv[1:3]
    duckdb = Duckdb(find_library(os.path.join(folder, "duckdb")))
    with tempfile.TemporaryDirectory() as directory:
        braid = Braid(library, os.path.join(directory, "db"))
        fill(braid)
        same_values(braid, duckdb, "t", "SELECT * FROM t",
                    ("BIGINT", "DOUBLE", "VARCHAR", "BLOB", "BOOLEAN", "TIMESTAMP WITH TIME ZONE", "INTEGER"),
                    "i, d, s, b, f::INT, strftime(at::TIMESTAMPTZ AT TIME ZONE 'UTC', '%Y-%m-%d %H:%M:%S'), blank")
        same_values(braid, duckdb, "m", "SELECT time, host, v, n, ok, note FROM m",
                    ("TIMESTAMP WITH TIME ZONE", "VARCHAR", "DOUBLE", "BIGINT", "BOOLEAN", "VARCHAR"),
                    "strftime(time AT TIME ZONE 'UTC', '%Y-%m-%d %H:%M:%S'), host, v, n, ok::INT, note")
        errors_arrive(braid, duckdb)
        duckdb.close()
        braid.close()


main()
