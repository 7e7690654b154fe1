"""DuckDB, through the C API of its library, as a reader that knows nothing of Braid."""

import ctypes
import glob
import os
import subprocess
import sys
import tarfile

SKIPPED = 77
PACKAGE = "@duckdb/node-bindings-linux-x64@1.1.3-alpha.7"


def find_library(folder):
    """The path of libduckdb.so: $BRAID_DUCKDB, one that npm has installed under $NODE_PATH, or one that is fetched from npm into `folder` once.
    Ends the test as skipped, saying why, where it cannot be had."""
    named = os.environ.get("BRAID_DUCKDB")
    if named:
        return named
    found = glob.glob(os.path.join(os.environ.get("NODE_PATH", ""), "@duckdb", "*", "libduckdb.so")) if os.environ.get("NODE_PATH") else []
    if found:
        return found[0]
    library = os.path.join(folder, "package", "libduckdb.so")
    if os.path.exists(library):
        return library
    os.makedirs(folder, exist_ok=True)
    try:
        packed = subprocess.run(["npm", "pack", "--silent", PACKAGE], cwd=folder, capture_output=True, text=True, timeout=240, check=True)
        with tarfile.open(os.path.join(folder, packed.stdout.split()[-1])) as archive:
            archive.extract("package/libduckdb.so", folder)
    except (OSError, subprocess.SubprocessError, tarfile.TarError, KeyError, IndexError) as error:
        detail = getattr(error, "stderr", None) or error
        print(f"SKIPPED: {PACKAGE} cannot be had from npm, and BRAID_DUCKDB names no libduckdb.so: {detail}", file=sys.stderr)
        sys.exit(SKIPPED)
    return library


class Result(ctypes.Structure):
    _fields_ = [("unused", ctypes.c_uint64 * 3), ("unused_data", ctypes.c_void_p), ("unused_text", ctypes.c_char_p), ("internal", ctypes.c_void_p)]


class Duckdb:
    def __init__(self, library):
        self.library = ctypes.CDLL(library)
        self.library.duckdb_value_varchar.restype = ctypes.c_void_p
        self.library.duckdb_row_count.restype = ctypes.c_uint64
        self.library.duckdb_column_count.restype = ctypes.c_uint64
        self.library.duckdb_result_error.restype = ctypes.c_char_p
        self.database = ctypes.c_void_p()
        self.connection = ctypes.c_void_p()
        assert self.library.duckdb_open(None, ctypes.byref(self.database)) == 0
        assert self.library.duckdb_connect(self.database, ctypes.byref(self.connection)) == 0

    def scan(self, stream, name):
        """Makes a table of an Arrow C stream, of which DuckDB takes possession."""
        assert self.library.duckdb_arrow_scan(self.connection, f"{name}_stream".encode(), ctypes.byref(stream)) == 0
        self.rows(f"CREATE TABLE {name} AS SELECT * FROM {name}_stream")

    def rows(self, sql):
        """Tuples of texts and None."""
        result = Result()
        if self.library.duckdb_query(self.connection, sql.encode(), ctypes.byref(result)) != 0:
            message = self.library.duckdb_result_error(ctypes.byref(result)).decode()
            self.library.duckdb_destroy_result(ctypes.byref(result))
            raise RuntimeError(message)
        columns = self.library.duckdb_column_count(ctypes.byref(result))
        count = self.library.duckdb_row_count(ctypes.byref(result))
        read = [tuple(self._value(result, column, row) for column in range(columns)) for row in range(count)]
        self.library.duckdb_destroy_result(ctypes.byref(result))
        return read

    def _value(self, result, column, row):
        text = self.library.duckdb_value_varchar(ctypes.byref(result), ctypes.c_uint64(column), ctypes.c_uint64(row))
        if not text:
            return None
        value = ctypes.string_at(text).decode()
        self.library.duckdb_free(ctypes.c_void_p(text))
        return value

    def close(self):
        self.library.duckdb_disconnect(ctypes.byref(self.connection))
        self.library.duckdb_close(ctypes.byref(self.database))
