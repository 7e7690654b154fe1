#!/usr/bin/env python3
"""What a cursor gives as an Arrow stream, read by DuckDB: the same rows come out. BRAID_LIBRARY names the library.

usage: python_duckdb_test.py FOLDER_FOR_DOWNLOADS
"""

import ctypes
import os
import pathlib
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "bindings" / "python"), str(ROOT / "tests" / "api")]
import braid  # noqa: E402
import duckdb_reader  # noqa: E402

ROWS = 200_000


def stream_of(capsule):
    get = ctypes.pythonapi.PyCapsule_GetPointer
    get.restype, get.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    return braid._ArrowStream.from_address(get(capsule, b"arrow_array_stream"))


def main(folder):
    duckdb = duckdb_reader.Duckdb(duckdb_reader.find_library(folder))
    with tempfile.TemporaryDirectory() as directory:
        connection = braid.connect(os.path.join(directory, "db"))
        connection.execute("CREATE TABLE t(id INTEGER PRIMARY KEY, x REAL, note TEXT)")
        connection.execute(
            f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT {ROWS}) "
            "INSERT INTO t SELECT i, i / 4.0, CASE i % 3 WHEN 0 THEN NULL ELSE 'note ' || i END FROM n")  # fmt: skip
        connection.commit()
        capsule = connection.execute("SELECT * FROM t WHERE id > ?", (0,)).__arrow_c_stream__()
        duckdb.scan(stream_of(capsule), "t")
        del capsule
        sql = "SELECT count(*), sum(id), sum(x), count(note), min(note), max(note) FROM t"
        read, expected = duckdb.rows(sql)[0], connection.execute(sql).fetchone()
        assert [float(each) for each in read[:4]] == [float(each) for each in expected[:4]], (read, expected)
        assert read[4:] == expected[4:], (read, expected)
        assert not braid._LentStream._living and not braid._LentStream._capsules
        duckdb.close()
        connection.close()
    print(f"{ROWS} rows were read by DuckDB")


if __name__ == "__main__":
    main(sys.argv[1])
