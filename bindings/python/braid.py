"""Braid for Python: rows (DB-API 2.0), a property graph and time series in one directory with one commit.

    import braid

    connection = braid.connect("plant")
    connection.execute("CREATE TABLE devices(id TEXT PRIMARY KEY, model TEXT)")
    connection.graph.bind("Device", "devices", "id")
    readings = connection.create_series("readings", tags=["device"], fields={"celsius": "DOUBLE"})
    with connection:                                            # one transaction over all three
        connection.execute("INSERT INTO devices VALUES (?, ?)", ("pump-7", "CR 32"))
        readings.append([datetime.now(timezone.utc)], [21.5], tags=["pump-7"])

One file, and nothing but the standard library. The library itself is looked for in the environment variable BRAID_LIBRARY (a path), then
beside this file, then where the loader looks.

Rules
 - Threads share the module and connections (threadsafety is 2): calls on one connection wait for one another. A transaction belongs to the
   connection, so threads that want transactions of their own have connections of their own; they are cheap.
 - Unless `autocommit` is set, the first call that writes (SQL, graph or series) begins a write transaction, which commit() or rollback() ends.
   Reading begins none: outside a transaction each SELECT sees the newest commit. Connection.snapshot() reads many things at one moment.
 - Times: datetime is stored in UTC (one without a zone is taken as UTC), integers are microseconds since 1970-01-01 UTC. Columns that are declared as
   TIMESTAMP come back as datetime in UTC.
 - Ctrl-C in the main thread stops the running statement with KeyboardInterrupt.
 - Whatever is closed answers InterfaceError. The order in which objects are closed or collected does not matter.
"""

import array
import atexit
import collections
import ctypes
import ctypes.util
import datetime
import itertools
import json
import numbers
import operator
import os
import select
import signal
import threading
import time
import weakref

apilevel = "2.0"
threadsafety = 2
paramstyle = "qmark"  # "WHERE id = ?"; a mapping for ":name", "@name" and "$name" is taken too

# ---- Exceptions ----------------------------------------------------------------------------------------------------------


class Warning(Exception):  # noqa: A001 - PEP 249 gives the name
    """Kept for PEP 249; nothing raises it."""


class Error(Exception):
    """Base of all errors. `code` is the number of braid.h (0 for errors of this module), `name` its name, `offset` the byte of the SQL text
    where it is, or -1."""

    def __init__(self, message, code=0, offset=-1):
        super().__init__(message)
        self.message = message
        self.code = code
        self.offset = offset

    @property
    def name(self):
        return CODES[self.code][0] if self.code in CODES else ""

    def __reduce__(self):
        return type(self), (self.message, self.code, self.offset)


class InterfaceError(Error):
    """A call that is not valid in this state: something is closed."""


class DatabaseError(Error):
    pass


class DataError(DatabaseError):
    """A value that cannot be stored or read as asked."""


class OperationalError(DatabaseError):
    """Not the program's doing: busy, disk, limits, interruption, conflict."""


class IntegrityError(DatabaseError):
    """A rule of the data would be broken."""


class InternalError(DatabaseError):
    """A bug in Braid."""


class ProgrammingError(DatabaseError):
    """Wrong SQL or arguments, names that do not exist, what is not allowed."""


class NotSupportedError(DatabaseError):
    pass


_ROW, _DONE, _BUSY, _INTERRUPTED = 100, 101, 4, 11

# Code of braid.h -> its name, and the exception that it becomes.
CODES = {
    1: ("INVALID_ARGUMENT", ProgrammingError),
    2: ("NOT_FOUND", ProgrammingError),
    3: ("CONSTRAINT", IntegrityError),
    4: ("BUSY", OperationalError),
    5: ("CONFLICT", OperationalError),
    6: ("READ_ONLY", OperationalError),
    7: ("IO", OperationalError),
    8: ("FULL", OperationalError),
    9: ("CORRUPT", DatabaseError),
    10: ("LIMIT", OperationalError),
    11: ("INTERRUPTED", OperationalError),
    12: ("DENIED", ProgrammingError),
    13: ("MISUSE", InterfaceError),
    14: ("OUT_OF_MEMORY", OperationalError),
    15: ("SQL", ProgrammingError),
    16: ("VERSION", NotSupportedError),
    17: ("UNKNOWN_OUTCOME", OperationalError),
    18: ("SNAPSHOT_TOO_OLD", OperationalError),
    19: ("NOT_VISIBLE", OperationalError),
    20: ("INTERNAL", InternalError),
}


def _make_error(code, message, offset=-1):
    kind = CODES[code][1] if code in CODES else DatabaseError
    text = message.decode("utf-8", "replace") if isinstance(message, bytes) else message
    return kind(text or _library.braid_code_text(code).decode(), code, offset)


# ---- Types of PEP 249 ----------------------------------------------------------------------------------------------------


class _TypeObject:
    def __init__(self, name):
        self._name = name

    def __repr__(self):
        return f"braid.{self._name}"


STRING = _TypeObject("STRING")
BINARY = _TypeObject("BINARY")
NUMBER = _TypeObject("NUMBER")
DATETIME = _TypeObject("DATETIME")
ROWID = NUMBER

Date = datetime.date
Time = datetime.time
Timestamp = datetime.datetime
Binary = bytes


def DateFromTicks(ticks):  # noqa: N802 - PEP 249 gives the names
    return datetime.datetime.fromtimestamp(ticks, datetime.timezone.utc).date()


def TimeFromTicks(ticks):  # noqa: N802
    return datetime.datetime.fromtimestamp(ticks, datetime.timezone.utc).time()


def TimestampFromTicks(ticks):  # noqa: N802
    return datetime.datetime.fromtimestamp(ticks, datetime.timezone.utc)


# Part of a declared type -> what it is; the first that fits.
_DECLARED = (
    ("TIMESTAMP", DATETIME), ("DATETIME", DATETIME), ("INT", NUMBER), ("CHAR", STRING), ("CLOB", STRING), ("TEXT", STRING),
    ("JSON", STRING), ("BLOB", BINARY), ("REAL", NUMBER), ("FLOA", NUMBER), ("DOUB", NUMBER), ("BOOL", NUMBER), ("NUM", NUMBER), ("DEC", NUMBER),
)  # fmt: skip
_VALUE_TYPES = {int: NUMBER, float: NUMBER, str: STRING, bytes: BINARY, datetime.datetime: DATETIME}

# ---- The library ---------------------------------------------------------------------------------------------------------

_TYPE_INT64, _TYPE_DOUBLE, _TYPE_TEXT, _TYPE_BLOB, _TYPE_NULL = 1, 2, 3, 4, 5
_READ, _WRITE, _FULL, _RELAXED = 1, 2, 16, 32
_DURABILITIES = {"full": _FULL, "relaxed": _RELAXED}
_MODELS = {"rows": 1, "graph": 2, "series": 4}
_DIRECTIONS = {"out": 1, "in": 2, "both": 3}
_INT64_MIN, _INT64_MAX = -(2**63), 2**63 - 1

_i32, _i64, _u64, _size, _dbl = ctypes.c_int32, ctypes.c_int64, ctypes.c_uint64, ctypes.c_size_t, ctypes.c_double
_ptr, _str = ctypes.c_void_p, ctypes.c_char_p


class _Neighbor(ctypes.Structure):
    _fields_ = [("edge", _i64), ("node", _i64), ("direction", _i32), ("type", _i32)]


class _Figure(ctypes.Structure):
    _fields_ = [("size_bytes", _size), ("name", _str), ("unit", _str), ("value", _i64), ("kind", _i32)]


class _Option(ctypes.Structure):
    _fields_ = [("size_bytes", _size), ("name", _str), ("unit", _str), ("help", _str), ("default_value", _i64), ("minimum", _i64),
                ("maximum", _i64)]  # fmt: skip


class _BackupOptions(ctypes.Structure):
    _fields_ = [("size_bytes", _size), ("bytes_per_second", _u64), ("base", _str), ("flags", ctypes.c_uint32)]


class _BackupReport(ctypes.Structure):
    _fields_ = [("size_bytes", _size), ("lsn", _u64), ("bytes_written", _u64), ("bytes_linked", _u64), ("writers_held_us", _u64)]


_progress = ctypes.CFUNCTYPE(_i32, _ptr, _dbl)


class _Watch(ctypes.Structure):
    _fields_ = [("size_bytes", _size), ("cancel", _ptr), ("time_limit_ms", _i64), ("progress", _progress), ("context", _ptr)]


class _RestoreOptions(ctypes.Structure):
    _fields_ = [("size_bytes", _size), ("bytes_per_second", _u64), ("flags", ctypes.c_uint32), ("open_options", _str), ("archive", _str), ("to_lsn", _u64),
                ("to_time_us", _i64), ("watch", ctypes.POINTER(_Watch))]  # fmt: skip


class _Event(ctypes.Structure):
    _fields_ = [("size_bytes", _size), ("time", _i64), ("level", _i32), ("area", _str), ("message", _str)]


class _ExpandOptions(ctypes.Structure):
    _fields_ = [("size_bytes", _size), ("direction", _i32), ("hops_min", _i32), ("hops_max", _i32), ("types", _str), ("node_filter", _str),
                ("edge_filter", _str), ("limit", _i64)]  # fmt: skip


class _ProjectionOptions(ctypes.Structure):
    _fields_ = [("size_bytes", _size), ("labels", _str), ("types", _str), ("weight", _str), ("orientation", _i32)]


class _RollupOptions(ctypes.Structure):
    _fields_ = [("size_bytes", _size), ("width", _str), ("start", _i64), ("limit", _i64), ("tags", _str), ("fields", _str), ("timezone", _str)]


class _FeedOptions(ctypes.Structure):
    _fields_ = [("size_bytes", _size), ("bytes_max", _u64), ("models", ctypes.c_uint32)]


class _Column(ctypes.Structure):
    _fields_ = [("size_bytes", _size), ("type", _i32), ("values", _ptr), ("nulls", _ptr)]


class _Value(ctypes.Structure):
    _fields_ = [("type", _i32), ("int64_value", _i64), ("double_value", _dbl), ("data", _ptr), ("size", _i64)]


class _ArrowSchema(ctypes.Structure):
    pass


class _ArrowArray(ctypes.Structure):
    pass


_release_schema = ctypes.CFUNCTYPE(None, ctypes.POINTER(_ArrowSchema))
_release_array = ctypes.CFUNCTYPE(None, ctypes.POINTER(_ArrowArray))
_ArrowSchema._fields_ = [
    ("format", _str), ("name", _str), ("metadata", _str), ("flags", _i64), ("n_children", _i64),
    ("children", ctypes.POINTER(ctypes.POINTER(_ArrowSchema))), ("dictionary", _ptr), ("release", _release_schema), ("private_data", _ptr),
]  # fmt: skip
_ArrowArray._fields_ = [
    ("length", _i64), ("null_count", _i64), ("offset", _i64), ("n_buffers", _i64), ("n_children", _i64), ("buffers", ctypes.POINTER(_ptr)),
    ("children", ctypes.POINTER(ctypes.POINTER(_ArrowArray))), ("dictionary", _ptr), ("release", _release_array), ("private_data", _ptr),
]  # fmt: skip



class _ArrowStream(ctypes.Structure):
    pass


_stream_get_schema = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(_ArrowStream), ctypes.POINTER(_ArrowSchema))
_stream_get_next = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(_ArrowStream), ctypes.POINTER(_ArrowArray))
_stream_get_last_error = ctypes.CFUNCTYPE(_ptr, ctypes.POINTER(_ArrowStream))
_stream_release = ctypes.CFUNCTYPE(None, ctypes.POINTER(_ArrowStream))
_ArrowStream._fields_ = [
    ("get_schema", _stream_get_schema), ("get_next", _stream_get_next), ("get_last_error", _stream_get_last_error), ("release", _stream_release),
    ("private_data", _ptr),
]  # fmt: skip


class _ArrowOptions(ctypes.Structure):
    _fields_ = [("size_bytes", _size), ("rows_max", _i64), ("bytes_max", _i64), ("types", _ptr), ("type_count", _size)]


_visit_text = ctypes.CFUNCTYPE(None, _ptr, _str)
_visit_event = ctypes.CFUNCTYPE(None, _ptr, ctypes.POINTER(_Event))
_visit_figure = ctypes.CFUNCTYPE(None, _ptr, ctypes.POINTER(_Figure))
_copy_progress = ctypes.CFUNCTYPE(_i32, _ptr, _u64, _u64)
_out = ctypes.POINTER

# Function without its prefix -> what it returns, what it takes.
_FUNCTIONS = {
    "changes": (_i64, [_ptr]),
    "last_insert_rowid": (_i64, [_ptr]),
    "version": (_str, []),
    "code_text": (_str, [_i32]),
    "code_name": (_str, [_i32]),
    "open_watched": (_i32, [_str, _str, _out(_Watch), _out(_ptr)]),
    "close": (_i32, [_ptr]),
    "database_error": (_str, [_ptr]),
    "sync": (_i32, [_ptr, _out(_u64)]),
    "checkpoint": (_i32, [_ptr]),
    "maintain": (_i32, [_ptr, _i64, _out(_u64)]),
    "check": (_i32, [_ptr, _visit_text, _ptr]),
    "backup": (_i32, [_ptr, _str, _out(_BackupOptions), _copy_progress, _ptr, _out(_BackupReport)]),
    "restore": (_i32, [_str, _str, _out(_RestoreOptions), _copy_progress, _ptr, _out(_ptr)]),
    "repair_watched": (_i32, [_str, _str, _out(_Watch), _visit_text, _ptr, _out(_ptr)]),
    "stats": (_i32, [_ptr, _visit_figure, _ptr]),
    "option_at": (_i32, [_size, _out(_Option)]),
    "option_get": (_i32, [_ptr, _str, _out(_i64)]),
    "cancel_open": (_i32, [_out(_ptr)]),
    "cancel_close": (None, [_ptr]),
    "cancel_set": (_i32, [_ptr]),
    "cancel_reset": (_i32, [_ptr]),
    "cancel_is_set": (_i32, [_ptr]),
    "connection_set_cancel": (_i32, [_ptr, _ptr]),
    "database_set_cancel": (_i32, [_ptr, _ptr]),
    "database_set_time_limit": (_i32, [_ptr, _i64]),
    "database_on_progress": (_i32, [_ptr, _progress, _ptr]),
    "on_log": (_i32, [_i32, _visit_event, _ptr]),
    "connect": (_i32, [_ptr, _out(_ptr)]),
    "disconnect": (None, [_ptr]),
    "connection_error": (_str, [_ptr]),
    "connection_error_offset": (_i64, [_ptr]),
    "interrupt": (None, [_ptr]),
    "restrict": (_i32, [_ptr, _i32, _i64, _i64]),
    "execute": (_i32, [_ptr, _str, _i64]),
    "set_durability": (_i32, [_ptr, _i32]),
    "begin": (_i32, [_ptr, _i32]),
    "commit": (_i32, [_ptr]),
    "rollback": (_i32, [_ptr]),
    "savepoint": (_i32, [_ptr, _str]),
    "release": (_i32, [_ptr, _str]),
    "rollback_to": (_i32, [_ptr, _str]),
    "in_transaction": (_i32, [_ptr]),
    "lsn": (_i32, [_ptr, _out(_u64)]),
    "prepare": (_i32, [_ptr, _str, _i64, _out(_ptr), _out(_i64)]),
    "statement_close": (None, [_ptr]),
    "statement_step": (_i32, [_ptr]),
    "statement_reset": (_i32, [_ptr]),
    "bind_null": (_i32, [_ptr, _i32]),
    "bind_int64": (_i32, [_ptr, _i32, _i64]),
    "bind_double": (_i32, [_ptr, _i32, _dbl]),
    "bind_text": (_i32, [_ptr, _i32, _str, _i64]),
    "bind_blob": (_i32, [_ptr, _i32, _str, _i64]),
    "statement_writes": (_i32, [_ptr]),
    "statement_batch": (_i32, [_ptr, _i64, _out(_ArrowSchema), _out(_ArrowArray)]),
    "statement_arrow": (_i32, [_ptr, _out(_ArrowOptions), _out(_ArrowStream)]),
    "node_create": (_i32, [_ptr, _str, _str, _out(_i64)]),
    "node_update": (_i32, [_ptr, _i64, _str, _str]),
    "node_delete": (_i32, [_ptr, _i64, _i32]),
    "node_find": (_i32, [_ptr, _str, _str, _str, _out(_i64)]),
    "node_read": (_i32, [_ptr, _i64, _out(_str), _out(_str)]),
    "nodes_create": (_i32, [_ptr, _str, _out(_str), _size, _out(_i64)]),
    "edge_create": (_i32, [_ptr, _i64, _str, _i64, _str, _out(_i64)]),
    "edges_create": (_i32, [_ptr, _str, _ptr, _ptr, _out(_str), _size, _out(_i64)]),
    "edge_update": (_i32, [_ptr, _i64, _str]),
    "edge_delete": (_i32, [_ptr, _i64]),
    "edge_read": (_i32, [_ptr, _i64, _out(_i64), _out(_str), _out(_i64), _out(_str)]),
    "neighbors": (_i32, [_ptr, _i64, _i32, _str, _out(_Neighbor), _size, _out(_size)]),
    "type_name": (_str, [_ptr, _i32]),
    "shortest_path": (_i32, [_ptr, _i64, _i64, _i32, _str, _str, _out(_i64), _out(_i64), _size, _out(_size), _out(_dbl)]),
    "expand": (_i32, [_ptr, _i64, _out(_ExpandOptions), _out(_ptr)]),
    "projection_create": (_i32, [_ptr, _str, _out(_ProjectionOptions)]),
    "projection_drop": (_i32, [_ptr, _str]),
    "projections": (_i32, [_ptr, _out(_ptr)]),
    "projection_open": (_i32, [_ptr, _str, _out(_ptr)]),
    "projection_close": (None, [_ptr]),
    "projection_size": (_i32, [_ptr, _out(_i64), _out(_i64), _out(_i64)]),
    "projection_hops": (_i32, [_ptr, _i64, ctypes.c_uint32, _i32, _out(_i64), _size, _out(_size)]),
    "projection_path": (_i32, [_ptr, _i64, _i64, _i32, _out(_i64), _out(_i64), _size, _out(_size)]),
    "algorithm": (_i32, [_ptr, _str, _str, _str, _out(_ptr)]),
    "algorithm_write": (_i32, [_ptr, _str, _str, _str, _str, _str, _out(_i64)]),
    "on_progress": (_i32, [_ptr, _progress, _ptr]),
    "set_time_limit": (_i32, [_ptr, _i64]),
    "appender_open": (_i32, [_ptr, _str, _out(_ptr)]),
    "appender_series": (_i32, [_ptr, _out(_str), _size]),
    "appender_on_conflict": (_i32, [_ptr, _str]),
    "appender_point": (_i32, [_ptr, _i64, _out(_dbl), _out(ctypes.c_uint8), _size]),
    "appender_columns": (_i32, [_ptr, _ptr, _size, _out(_Column), _size]),
    "appender_flush": (_i32, [_ptr]),
    "appender_discard": (_i32, [_ptr]),
    "appender_close": (_i32, [_ptr]),
    "rollup": (_i32, [_ptr, _str, _out(_RollupOptions), _out(_ptr)]),
    "last_points": (_i32, [_ptr, _str, _out(_str), _size, _out(_ptr)]),
    "batch_open": (_i32, [_ptr, _out(_ptr)]),
    "batch_close": (None, [_ptr]),
    "batch_error": (_str, [_ptr]),
    "batch_execute": (_i32, [_ptr, _str, _i64, _out(_Value), _size]),
    "batch_edge": (_i32, [_ptr, _i64, _str, _i64, _str]),
    "batch_node": (_i32, [_ptr, _str, _str]),
    "batch_points": (_i32, [_ptr, _str, _out(_str), _size, _ptr, _size, _out(_Column), _size]),
    "batch_set_durability": (_i32, [_ptr, _i32]),
    "batch_commit": (_i32, [_ptr, _out(_u64)]),
    "feed_open": (_i32, [_ptr, _out(_FeedOptions), _out(_ptr)]),
    "feed_next": (_i32, [_ptr, _i64, _out(_ptr), _out(_size)]),
    "feed_cancel": (None, [_ptr]),
    "feed_error": (_str, [_ptr]),
    "feed_close": (None, [_ptr]),
}
# Those that take so little time that the interpreter's lock is kept.
_SHORT_FUNCTIONS = {
    "parameter_count": (_i32, [_ptr]),
    "parameter_index": (_i32, [_ptr, _str]),
    "column_count": (_i32, [_ptr]),
    "column_name": (_str, [_ptr, _i32]),
    "column_declared_type": (_str, [_ptr, _i32]),
    "column_type": (_i32, [_ptr, _i32]),
    "column_int64": (_i64, [_ptr, _i32]),
    "column_double": (_dbl, [_ptr, _i32]),
    "column_text": (_ptr, [_ptr, _i32, _out(_i64)]),
    "column_blob": (_ptr, [_ptr, _i32, _out(_i64)]),
}


def _library_places():
    chosen = os.environ.get("BRAID_LIBRARY")
    if chosen:
        return [chosen]
    here = os.path.dirname(os.path.abspath(__file__))
    beside = [os.path.join(here, name) for name in ("libbraid.so", "libbraid.so.0")]
    return [path for path in beside if os.path.exists(path)] + ["libbraid.so.0", ctypes.util.find_library("braid") or "libbraid.so"]


def _load_library():
    reasons = []
    for place in _library_places():
        try:
            library, short = ctypes.CDLL(place), ctypes.PyDLL(place)
            for functions, home in ((_FUNCTIONS, library), (_SHORT_FUNCTIONS, short)):
                for name, (result, arguments) in functions.items():
                    function = getattr(home, "braid_" + name)
                    function.restype, function.argtypes = result, arguments
            return library, short
        except (OSError, AttributeError) as error:
            reasons.append(f"{place}: {error}")
    raise ImportError("braid: no library could be loaded (BRAID_LIBRARY names one): " + "; ".join(reasons))


_library, _short = _load_library()
version = _library.braid_version().decode()


def code_name(code):
    """The name that braid.h gives to a code, "BRAID_BUSY"; "" for a number that is none."""
    return _library.braid_code_name(code).decode()


# ---- Values --------------------------------------------------------------------------------------------------------------

_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
_MICROSECOND = datetime.timedelta(microseconds=1)


def _utf8(text, what):
    """Text for a pointer with a length."""
    if not isinstance(text, str):
        raise ProgrammingError(f"{what}: expected str, not {type(text).__name__}")
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise DataError(f"{what}: {error}") from None


def _c_text(text, what):
    """Text for a pointer that ends at a NUL; None stays None."""
    if text is None:
        return None
    encoded = _utf8(text, what)
    if b"\0" in encoded:
        raise DataError(f"{what}: the text has a NUL, which is not allowed here")
    return encoded


def _int64(value, what):
    try:
        number = operator.index(value)
    except TypeError:
        raise ProgrammingError(f"{what}: expected int, not {type(value).__name__}") from None
    if not _INT64_MIN <= number <= _INT64_MAX:
        raise DataError(f"{what}: {number} is beyond 64 bits")
    return number


def _choice(table, value, what):
    if value not in table:
        raise ProgrammingError(f"{what}: expected {' or '.join(map(repr, table))}, not {value!r}")
    return table[value]


def _in_utc(moment):
    if moment.tzinfo is None:
        return moment.replace(tzinfo=datetime.timezone.utc)
    return moment.astimezone(datetime.timezone.utc)


def to_microseconds(moment):
    """Microseconds since 1970-01-01 UTC of a datetime, date, ISO 8601 text, or an integer, which is that already."""
    if isinstance(moment, str):
        try:
            moment = datetime.datetime.fromisoformat(moment[:-1] + "+00:00" if moment.endswith(("Z", "z")) else moment)
        except ValueError as error:
            raise DataError(f"time: {error}") from None
    if isinstance(moment, datetime.datetime):
        return (_in_utc(moment) - _EPOCH) // _MICROSECOND
    if isinstance(moment, datetime.date):
        return (datetime.datetime(moment.year, moment.month, moment.day, tzinfo=datetime.timezone.utc) - _EPOCH) // _MICROSECOND
    if hasattr(moment, "dtype") and moment.dtype.kind == "M":
        return int(moment.astype("datetime64[us]").astype("int64"))
    return _int64(moment, "time")


def from_microseconds(microseconds):
    """The datetime in UTC of so many microseconds since 1970."""
    try:
        return _EPOCH + microseconds * _MICROSECOND
    except OverflowError:
        raise DataError(f"time: {microseconds} microseconds are outside of the years 1 to 9999") from None


def time_text(moment):
    """A datetime or date as SQL has it: text in UTC."""
    if isinstance(moment, datetime.datetime):
        return _in_utc(moment).replace(tzinfo=None).isoformat(" ")
    return moment.isoformat()


def _json_default(value):
    if isinstance(value, (bytes, bytearray, memoryview)):
        return {"$bytes": bytes(value).hex()}
    if isinstance(value, (datetime.datetime, datetime.date)):
        return {"$timestamp": time_text(value)}
    if isinstance(value, numbers.Integral):
        return int(value)
    if isinstance(value, numbers.Real):
        return float(value)
    if isinstance(value, (tuple, set, frozenset)):
        return list(value)
    raise TypeError(f"a {type(value).__name__} is no property")


def _to_json(value, what):
    try:
        return json.dumps(value, default=_json_default, allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise DataError(f"{what}: {error}") from None


def _from_json_object(members):
    if len(members) == 1:
        if isinstance(members.get("$bytes"), str):
            return bytes.fromhex(members["$bytes"])
        if isinstance(members.get("$timestamp"), str):
            return _to_datetime(members["$timestamp"])
    return members


def _from_json(text):
    properties = json.loads(text, object_hook=_from_json_object)
    # A property may be called "$bytes" itself.
    return properties if isinstance(properties, dict) else json.loads(text)


def _to_datetime(text):
    """A time as Braid writes it; whatever else a column may hold stays as it is."""
    if isinstance(text, str):
        whole, dot, fraction = text.partition(".")
        try:
            # Before Python 3.11 a fraction must have six digits; Braid writes none that are zeros at the end.
            return datetime.datetime.fromisoformat(whole + dot + fraction.ljust(6 if dot else 0, "0")).replace(tzinfo=datetime.timezone.utc)
        except ValueError:
            pass
    return text


def _labels_json(labels):
    if labels is None:
        return None
    return _to_json([labels] if isinstance(labels, str) else list(labels), "labels")


def _properties_json(properties):
    return None if properties is None else _to_json(dict(properties), "properties")


def _plain_value(value, what):
    """One of int, float, str, bytes and None."""
    if value is None or type(value) in (int, float, str, bytes):
        return value
    if isinstance(value, str):
        return str(value)
    if isinstance(value, (datetime.datetime, datetime.date)):
        return time_text(value)
    if isinstance(value, datetime.time):
        return value.isoformat()
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value)
    if isinstance(value, numbers.Integral):
        return int(value)
    if isinstance(value, numbers.Real):
        return float(value)
    raise ProgrammingError(f"{what}: a {type(value).__name__} cannot be bound")


def _is_sequence(parameters):
    return hasattr(parameters, "__len__") and hasattr(parameters, "__getitem__") and not isinstance(parameters, (str, bytes, bytearray))


# ---- Ctrl-C --------------------------------------------------------------------------------------------------------------


class _CtrlC:
    """While the main thread is inside the library Python handles no signal. But it writes the number of each to the wakeup descriptor at once:
    a thread reads there, and interrupts the connection that the main thread is in. On the way out Python raises KeyboardInterrupt."""

    def __init__(self):
        self._lock = threading.Lock()
        self._connection = None  # that the main thread is in
        self._entry = 0  # how often it was in one
        self._reader = self._writer = None
        self._before = -1

    def _start(self):
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._reader, False)
        os.set_blocking(self._writer, False)
        threading.Thread(target=self._watch, name="braid-interrupt", daemon=True).start()

    def _watch(self):
        while True:
            select.select([self._reader], [], [])
            try:
                numbers_seen = os.read(self._reader, 256)
            except OSError:
                continue
            with self._lock:
                entry, before = self._entry, self._before
            if before >= 0:
                try:
                    os.write(before, numbers_seen)  # whoever had the descriptor, an event loop say, waits for it too
                except OSError:
                    pass
            if signal.SIGINT in numbers_seen:
                self._stop(entry)

    def _stop(self, entry):
        # Again and again, since the signal may be seen before the call has begun.
        pause = threading.Event()
        while True:
            with self._lock:
                if self._connection is None or self._entry != entry:
                    return
                self._connection.interrupt()
            pause.wait(0.02)

    def enter(self, connection):
        """Answers whether leave is to be called."""
        if threading.current_thread() is not threading.main_thread() or self._connection is not None:
            return False
        if self._reader is None:
            self._start()
        try:
            before = signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)
        except ValueError:
            return False  # not the main interpreter
        with self._lock:
            self._before, self._connection = before if before != self._writer else -1, connection
            self._entry += 1
        return True

    def leave(self, watched):
        """What `enter` answered comes back here. The signal is raised somewhere within, so that it goes on until all is done."""
        raised = None
        while watched:
            try:
                self._restore()
                watched = False
            except BaseException as error:  # noqa: BLE001
                raised = error
        if raised is not None:
            raise raised

    def _restore(self):
        """May be stopped anywhere and begun again."""
        signal.set_wakeup_fd(self._before, warn_on_full_buffer=False)
        with self._lock:
            self._connection = None


_ctrl_c = _CtrlC()
os.register_at_fork(after_in_child=lambda: _ctrl_c.__init__())


class _Callback:
    """A Python function as C calls it: what it raises stops the work and is raised again where the call was made."""

    def __init__(self, kind, function, stop=1):
        self.error = None

        def call(*arguments):
            try:
                return function(*arguments[1:])
            except BaseException as error:  # noqa: BLE001 - KeyboardInterrupt too
                self.error = self.error or error
                return stop

        self.pointer = kind(call) if function is not None else kind()

    def raise_again(self):
        error, self.error = self.error, None
        if error is not None:
            raise error


# ---- Cancelling, progress, log -------------------------------------------------------------------------------------------


class Cancel:
    """A request to stop, which stays until it is taken back. Set on connections and databases, or given to what opens, restores or repairs one, it ends
    what runs there with OperationalError, code INTERRUPTED, and what comes. Any thread may use it."""

    def __init__(self):
        self._pointer = None
        pointer = _ptr()
        code = _library.braid_cancel_open(ctypes.byref(pointer))
        if code:
            raise _make_error(code, "")
        self._pointer = pointer

    def _opened(self):
        if self._pointer is None:
            raise InterfaceError("the cancel token is closed")
        return self._pointer

    def set(self):
        _library.braid_cancel_set(self._opened())

    def reset(self):
        _library.braid_cancel_reset(self._opened())

    is_set = property(lambda self: bool(_library.braid_cancel_is_set(self._opened())))

    def close(self):
        """What it is set on keeps it as it is."""
        pointer, self._pointer = self._pointer, None
        if pointer is not None:
            _library.braid_cancel_close(pointer)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    __del__ = close


def _cancel_pointer(cancel):
    return None if cancel is None else cancel._opened()


def _milliseconds(seconds):
    return int(seconds * 1000 + 0.5)


def _watch(cancel, time_limit, on_progress):
    """What a call that makes a database is given, and the callback that raises again. Also without one of the caller's: in it Python sees Ctrl-C."""
    callback = _Callback(_progress, lambda fraction: int(bool(on_progress and on_progress(fraction))))
    return _Watch(ctypes.sizeof(_Watch), _cancel_pointer(cancel), _milliseconds(time_limit), callback.pointer, None), callback


Event = collections.namedtuple("Event", "time level area message")
_LEVELS = {"error": 1, "warning": 2, "info": 3}
_LEVEL_NAMES = {number: name for name, number in _LEVELS.items()}
_log_callback = None


def on_log(log, level="info"):
    """log(event) is told what the library does or meets by itself, of all databases of the process, from threads of its own too; None: nobody is. It must
    call nothing of this module."""
    global _log_callback

    def tell(event):
        one = event[0]
        log(Event(from_microseconds(one.time), _LEVEL_NAMES[one.level], one.area.decode(), one.message.decode("utf-8", "replace")))

    callback = _Callback(_visit_event, tell if log is not None else None, None)
    code = _library.braid_on_log(_choice(_LEVELS, level, "level"), callback.pointer, None)
    if code:
        raise _make_error(code, "")
    _log_callback = callback


# ---- Databases -----------------------------------------------------------------------------------------------------------

Figure = collections.namedtuple("Figure", "name value unit kind")
BackupReport = collections.namedtuple("BackupReport", "lsn bytes_written bytes_linked writers_held_us")
Option = collections.namedtuple("Option", "name unit help default minimum maximum")

_open_databases = weakref.WeakSet()
_open_lock = threading.RLock()


def _options_text(options):
    if isinstance(options, str):
        return options
    return ";".join(f"{name}={int(value) if isinstance(value, bool) else value}" for name, value in (options or {}).items())


def _directory(directory):
    name = os.fsdecode(directory)
    if "\0" in name:
        raise ProgrammingError("directory: the name has a NUL")
    return name


class Database:
    """A database that is open. Any number of threads may use it. Options: a dict, or text as braid.h's braid_open takes it. Opening may replay a long log:
    `cancel` (a Cancel) ends it, and so do `time_limit` seconds and on_progress(fraction), when it answers True."""

    def __init__(self, directory, options=None, cancel=None, time_limit=0, on_progress=None):
        self._prepare(directory, _options_text(options))
        handle = _ptr()
        watch, callback = _watch(cancel, time_limit, on_progress)
        try:
            code = _library.braid_open_watched(os.fsencode(self.directory), _c_text(self._options, "options"), ctypes.byref(watch), ctypes.byref(handle))
            self._adopt(handle, code)
        finally:
            callback.raise_again()

    def _prepare(self, directory, options):
        self._handle = None
        self._mutex = threading.Condition()
        self._running = 0
        self._connections = weakref.WeakSet()
        self._batches = weakref.WeakSet()
        self._feeds = weakref.WeakSet()
        self._closes_itself = False  # with its last connection
        self._progress_callback = None
        self.directory = _directory(directory)
        self._options = options

    def _adopt(self, handle, code):
        if code:
            message = _library.braid_database_error(handle)
            _library.braid_close(handle)
            raise _make_error(code, message)
        self._handle = handle
        with _open_lock:
            _open_databases.add(self)

    @classmethod
    def _made(cls, directory, handle, code):
        database = cls.__new__(cls)
        database._prepare(directory, "")
        database._adopt(handle, code)
        return database

    def _call(self, function, *arguments):
        """Runs a call of the library, after which the database may be closed again."""
        with self._mutex:
            if self._handle is None:
                raise InterfaceError("the database is closed")
            self._running += 1
        try:
            code = function(self._handle, *arguments)
            if code:
                raise _make_error(code, _library.braid_database_error(self._handle))
        finally:
            with self._mutex:
                self._running -= 1
                self._mutex.notify_all()
            if self._progress_callback is not None:
                self._progress_callback.raise_again()

    def connect(self, autocommit=False):
        return Connection(self, autocommit)

    def batch(self, durability=None):
        """A transaction written down, without holding anything: those of several threads are committed together with one sync."""
        return Batch(self, durability)

    def feed(self, models=(), bytes_max=0):
        """The commits from now on, whoever makes them: `for change in database.feed()` gives a dict for each (docs/change_feed.md). Models: any of
        'rows', 'graph', 'series'; all if none is given."""
        return Feed(self, models, bytes_max)

    def close(self):
        """Closes the connections, then the database. An error says that the last checkpoint or sync failed."""
        for feed in self._listed(self._feeds):
            feed.close()
        for batch in self._listed(self._batches):
            batch.close()
        for connection in self._listed(self._connections):
            connection._close_handle()
        with self._mutex:
            while self._running > 0:
                self._mutex.wait()
            handle, self._handle = self._handle, None
        if handle is None:
            return
        with _open_lock:
            _open_databases.discard(self)
        # The message goes with the handle: the code's text tells what is lost.
        code = _library.braid_close(handle)
        if code:
            raise _make_error(code, f"closing {self.directory}: {_library.braid_code_text(code).decode()}")

    closed = property(lambda self: self._handle is None)

    def _listed(self, members):
        with self._mutex:
            return list(members)

    def _joined(self, members, member):
        with self._mutex:
            members.add(member)

    def _connection_closed(self, connection):
        with self._mutex:
            self._connections.discard(connection)
        with _open_lock:
            if self._closes_itself and not self._listed(self._connections):
                self.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def __del__(self):
        if getattr(self, "_handle", None) is not None:
            handle, self._handle = self._handle, None
            _library.braid_close(handle)

    def check(self):
        """Problems found in all that is stored; an empty list when there are none."""
        problems = []
        visit = _Callback(_visit_text, lambda text: problems.append(text.decode("utf-8", "replace")), None)
        try:
            self._call(_library.braid_check, visit.pointer, None)
        except DatabaseError as error:
            if not problems or error.name != "CORRUPT":
                raise
        return problems

    def checkpoint(self):
        self._call(_library.braid_checkpoint)

    def sync(self):
        """Makes every commit durable; answers the newest durable LSN."""
        lsn = _u64()
        self._call(_library.braid_sync, ctypes.byref(lsn))
        return lsn.value

    def maintain(self, milliseconds=1000):
        """Runs the policies that are due; answers how many were run to their end."""
        finished = _u64()
        self._call(_library.braid_maintain, _int64(milliseconds, "milliseconds"), ctypes.byref(finished))
        return finished.value

    def stats(self):
        return {figure.name: figure.value for figure in self.figures()}

    def figures(self):
        """The same with unit, and kind: "gauge" goes up and down, "counter" only grows."""
        figures = []

        def visit(figure):
            one = figure[0]
            figures.append(Figure(one.name.decode(), one.value, one.unit.decode(), {1: "gauge", 2: "counter"}[one.kind]))

        self._call(_library.braid_stats, _Callback(_visit_figure, visit, None).pointer, None)
        return figures

    def set_cancel(self, cancel):
        """The Cancel that ends check, checkpoint, sync, maintain, backup and commits of batches; not for connections. None: nothing does."""
        self._call(_library.braid_database_set_cancel, _cancel_pointer(cancel))

    def set_time_limit(self, seconds):
        """Bounds how long each of those calls, and the last checkpoint of close(), may take; 0: no bound."""
        self._call(_library.braid_database_set_time_limit, _milliseconds(seconds))

    def on_progress(self, progress):
        """progress(fraction) is called while one of those calls runs, on its thread, and ends it by answering True. None: nothing is called."""
        callback = _Callback(_progress, None if progress is None else lambda fraction: int(bool(progress(fraction))))
        self._call(_library.braid_database_on_progress, callback.pointer, None)
        self._progress_callback = callback

    def option(self, name):
        value = _i64()
        self._call(_library.braid_option_get, _c_text(name, "name"), ctypes.byref(value))
        return value.value

    def backup(self, destination, base=None, bytes_per_second=0, copy_all=False, progress=None, prune_archive=False):
        """Copies the database at one commit while others write. progress(bytes_done, bytes_all) stops it by answering True. prune_archive removes from the
        archive what only earlier backups need."""
        options = _BackupOptions(ctypes.sizeof(_BackupOptions), bytes_per_second, os.fsencode(_directory(base)) if base is not None else None,
                                 (1 if copy_all else 0) | (4 if prune_archive else 0))  # fmt: skip
        report = _BackupReport(ctypes.sizeof(_BackupReport))
        callback = _copy_callback(progress)
        try:
            self._call(_library.braid_backup, os.fsencode(_directory(destination)), ctypes.byref(options), callback.pointer, None, ctypes.byref(report))
        finally:
            callback.raise_again()
        return BackupReport(report.lsn, report.bytes_written, report.bytes_linked, report.writers_held_us)


def _copy_callback(progress):
    # Also without one: in it Python sees Ctrl-C.
    return _Callback(_copy_progress, lambda done, total: int(bool(progress and progress(done, total))))


def options():
    """All settings and limits that there are."""
    found = []
    option = _Option(ctypes.sizeof(_Option))
    while _library.braid_option_at(len(found), ctypes.byref(option)) == 0:
        found.append(Option(option.name.decode(), option.unit.decode(), option.help.decode(), option.default_value, option.minimum, option.maximum))
    return found


def restore(source, destination, bytes_per_second=0, link_files=False, open_options=None, progress=None, archive=None, to_lsn=0, to_time=None, cancel=None,
            time_limit=0, on_progress=None):  # fmt: skip
    """Copies a backup, opens the copy, checks all of it, and answers it as a Database. to_lsn, the last commit that is wanted, or to_time, a datetime
    or microseconds, bring it forward with the archive of the database; archive says where that is when it has moved. progress(bytes_done, bytes_all) is
    of copying alone; cancel, time_limit and on_progress(fraction) are of all of it, as of Database."""
    watch, follower = _watch(cancel, time_limit, on_progress)
    chosen = _RestoreOptions(
        ctypes.sizeof(_RestoreOptions), bytes_per_second, 2 if link_files else 0, _c_text(_options_text(open_options), "options"),
        None if archive is None else os.fsencode(_directory(archive)), to_lsn, 0 if to_time is None else to_microseconds(to_time),
        ctypes.pointer(watch))  # fmt: skip
    handle = _ptr()
    callback = _copy_callback(progress)
    try:
        code = _library.braid_restore(os.fsencode(_directory(source)), os.fsencode(_directory(destination)), ctypes.byref(chosen), callback.pointer,
                                      None, ctypes.byref(handle))  # fmt: skip
        return Database._made(destination, handle, code)
    finally:
        try:
            callback.raise_again()
        finally:
            follower.raise_again()


def repair(source, destination, cancel=None, time_limit=0, on_progress=None):
    """Makes a new database of all that can be read of a damaged one; answers it, and a list of what is lost. The rest is as of Database."""
    lost = []
    visit = _Callback(_visit_text, lambda text: lost.append(text.decode("utf-8", "replace")), None)
    handle = _ptr()
    watch, callback = _watch(cancel, time_limit, on_progress)
    try:
        code = _library.braid_repair_watched(os.fsencode(_directory(source)), os.fsencode(_directory(destination)), ctypes.byref(watch), visit.pointer, None,
                                             ctypes.byref(handle))  # fmt: skip
        return Database._made(destination, handle, code), lost
    finally:
        callback.raise_again()


def connect(directory, options=None, autocommit=False, cancel=None, time_limit=0, on_progress=None):
    """A connection to the database in a directory, which is opened for the first connection and closed with the last one. The rest is of the opening, as of
    Database."""
    with _open_lock:
        place = os.path.realpath(_directory(directory))
        for database in list(_open_databases):
            if not database.closed and os.path.realpath(database.directory) == place:
                if options is not None and _options_text(options) != database._options:
                    raise ProgrammingError(f"{place} is open in this process with the options {database._options!r}")
                return database.connect(autocommit)
        database = Database(directory, options, cancel, time_limit, on_progress)
        database._closes_itself = True
        try:
            return database.connect(autocommit)
        except BaseException:
            database.close()
            raise


@atexit.register
def _close_all():
    for database in list(_open_databases):
        for connection in database._listed(database._connections):
            connection.interrupt()
        try:
            database.close()
        except Error:
            pass  # nobody is left to be told; the next open replays the log
    if _log_callback is not None:
        on_log(None)


# ---- Connections ---------------------------------------------------------------------------------------------------------

# Statements of SQL that begin no transaction, though some of them are answered as writing.
_CHANGING = {"INSERT", "REPLACE", "UPDATE", "DELETE", "WITH"}
_CONTROL = {"BEGIN", "COMMIT", "END", "ROLLBACK", "SAVEPOINT", "RELEASE", "PRAGMA", "EXPLAIN", "VACUUM", "ANALYZE"}


def _first_word(sql):
    at = 0
    while at < len(sql):
        if sql[at].isspace() or sql[at] in ";(":
            at += 1
        elif sql.startswith("--", at):
            at = (sql.find("\n", at) + 1) or len(sql)
        elif sql.startswith("/*", at):
            at = (sql.find("*/", at + 2) + 2) if "*/" in sql[at + 2 :] else len(sql)
        else:
            end = at
            while end < len(sql) and sql[end].isalpha():
                end += 1
            return sql[at:end].upper()
    return ""


class _Use:
    """The connection for one thread, and open; what finalizers left is closed at the end."""

    __slots__ = ("_connection",)

    def __init__(self, connection):
        self._connection = connection

    def __enter__(self):
        connection = self._connection
        connection._lock.acquire()
        if connection._handle is None or connection._in_callback:
            connection._lock.release()
            raise InterfaceError("a callback must not use the connection" if connection._in_callback else "the connection is closed")
        connection._depth += 1
        return connection._handle

    def __exit__(self, *_):
        connection = self._connection
        connection._depth -= 1
        if connection._left and connection._depth == 0:
            connection._close_left()
        connection._lock.release()


class Connection:
    """Where statements run and a transaction lives. `graph` and `series(name)` belong to the same transaction."""

    Warning, Error, InterfaceError, DatabaseError = Warning, Error, InterfaceError, DatabaseError
    DataError, OperationalError, IntegrityError = DataError, OperationalError, IntegrityError
    InternalError, ProgrammingError, NotSupportedError = InternalError, ProgrammingError, NotSupportedError

    def __init__(self, database, autocommit=False):
        self._handle = None
        self._lock = threading.RLock()
        self._handle_lock = threading.Lock()  # of `_handle`, for interrupt() from other threads
        self._depth = 0  # how often the thread that holds the lock is inside
        self._in_callback = False
        self._left = collections.deque()  # (function, pointer) that finalizers left to be closed
        self._children = weakref.WeakSet()
        self._progress_callback = None
        self._begin_mode = _WRITE
        self.database = database
        self.autocommit = bool(autocommit)
        handle = _ptr()
        database._call(_library.braid_connect, ctypes.byref(handle))
        self._handle = handle
        database._joined(database._connections, self)

    # -- the library

    def _error(self, code):
        return _make_error(code, _library.braid_connection_error(self._handle), _library.braid_connection_error_offset(self._handle))

    def _run(self, function, *arguments):
        with _Use(self) as handle:
            code = function(handle, *arguments)
            if code:
                raise self._error(code)

    def _run_long(self, function, *arguments):
        """The same for what Ctrl-C shall stop."""
        with _Use(self) as handle:
            code = self._interruptible(function, handle, *arguments)
            if code:
                raise self._error(code)

    def _interruptible(self, function, *arguments):
        watched = _ctrl_c.enter(self)
        try:
            return function(*arguments)
        finally:
            _ctrl_c.leave(watched)
            if self._progress_callback is not None:
                self._progress_callback.raise_again()

    def _write(self, function, *arguments):
        with _Use(self):
            self._begin_if_needed()
            self._run_long(function, *arguments)

    def _begin_if_needed(self):
        if not self.autocommit and not _library.braid_in_transaction(self._handle):
            self._run_long(_library.braid_begin, self._begin_mode)

    def _leave_behind(self, function, pointer):
        """For finalizers, which may run anywhere: also while this or another thread is inside a call."""
        self._left.append((function, pointer))
        if self._lock.acquire(blocking=False):
            try:
                if self._depth == 0 and not self._in_callback:
                    self._close_left()
            finally:
                self._lock.release()

    def _close_left(self):
        while self._left:
            function, pointer = self._left.popleft()
            function(pointer)

    # -- PEP 249

    def cursor(self):
        with _Use(self):
            return Cursor(self)

    def commit(self):
        with _Use(self) as handle:
            if _library.braid_in_transaction(handle):
                self._run_long(_library.braid_commit)

    def rollback(self):
        with _Use(self) as handle:
            if _library.braid_in_transaction(handle):
                self._run(_library.braid_rollback)

    def close(self):
        """Rolls back what was not committed. Cursors and whatever else was made on the connection are closed with it."""
        self._close_handle()
        self.database._connection_closed(self)

    def _close_handle(self):
        with self._lock:
            if self._in_callback:
                raise InterfaceError("a callback must not close the connection")
            for child in list(self._children):
                child._forget()
            with self._handle_lock:
                handle, self._handle = self._handle, None
            self._close_left()
            if handle is not None:
                _library.braid_disconnect(handle)

    closed = property(lambda self: self._handle is None)

    def __enter__(self):
        """A block that is committed at its end, or rolled back when it raises; the connection stays open."""
        if self._handle is None:
            raise InterfaceError("the connection is closed")
        return self

    def __exit__(self, kind, *_):
        if self.closed:
            return
        if kind is not None:
            self.rollback()
            return
        try:
            self.commit()
        except BaseException:
            if not self.closed:
                self.rollback()
            raise

    def __del__(self):
        if getattr(self, "_handle", None) is not None:
            self._handle, handle = None, self._handle
            self._close_left()
            _library.braid_disconnect(handle)

    # -- beyond it

    def execute(self, sql, parameters=()):
        return self.cursor().execute(sql, parameters)

    def executemany(self, sql, rows):
        return self.cursor().executemany(sql, rows)

    def executescript(self, sql):
        """Runs any number of statements, each by itself unless a transaction is open; rows are ignored."""
        text = _utf8(sql, "sql")
        self._run_long(_library.braid_execute, text, len(text))

    def columns(self, sql, parameters=()):
        """The rows of a SELECT as columns: a dict of Column by name. Many times faster than rows."""
        with Cursor(self) as cursor:
            return cursor._read_columns(sql, parameters)

    graph = property(lambda self: Graph(self))

    in_transaction = property(lambda self: self._in_transaction())

    def _in_transaction(self):
        with _Use(self) as handle:
            return bool(_library.braid_in_transaction(handle))

    def begin(self, mode="write", durability=None):
        """Begins a transaction: "write" takes the one writer slot now, "read" pins one snapshot. durability: "full", "relaxed"."""
        number = _choice({"read": _READ, "write": _WRITE}, mode, "mode")
        if durability is not None:
            number |= _choice(_DURABILITIES, durability, "durability")
        self._run_long(_library.braid_begin, number)

    def snapshot(self):
        """with connection.snapshot(): everything that is read in the block is of one moment."""
        return _Snapshot(self)

    def savepoint(self, name):
        with _Use(self):
            self._begin_if_needed()
            self._run(_library.braid_savepoint, _c_text(name, "name"))

    def release(self, name):
        self._run(_library.braid_release, _c_text(name, "name"))

    def rollback_to(self, name):
        self._run(_library.braid_rollback_to, _c_text(name, "name"))

    def set_durability(self, durability):
        """How transactions are committed from now on: "full" (synced first) or "relaxed" (synced within sync_interval_ms)."""
        self._run(_library.braid_set_durability, _choice(_DURABILITIES, durability, "durability"))

    @property
    def lsn(self):
        lsn = _u64()
        self._run(_library.braid_lsn, ctypes.byref(lsn))
        return lsn.value

    def interrupt(self):
        """Stops what runs on the connection with OperationalError, code INTERRUPTED. Any thread may call it."""
        with self._handle_lock:
            if self._handle is not None:
                _library.braid_interrupt(self._handle)

    def set_cancel(self, cancel):
        """The Cancel that ends what runs on the connection, and what comes; None: nothing does."""
        self._run(_library.braid_connection_set_cancel, _cancel_pointer(cancel))

    def set_time_limit(self, seconds):
        """Bounds how long a statement may run between two rows, or a call take; 0: as the options allow."""
        self._run(_library.braid_set_time_limit, _milliseconds(seconds))

    def on_progress(self, progress):
        """progress(fraction) is called while a statement or another call runs, and stops it by answering True. None: nothing is called."""

        def call(fraction):
            self._in_callback = True
            try:
                return int(bool(progress(fraction)))
            finally:
                self._in_callback = False

        callback = _Callback(_progress, call if progress is not None else None)
        self._run(_library.braid_on_progress, callback.pointer, None)
        self._progress_callback = callback

    def restrict(self, read_only=False, statement_seconds=0, value_bytes=0):
        """From now on the SQL of this connection is a stranger's (docs/bounds.md); there is no way back."""
        self._run(_library.braid_restrict, int(read_only), int(statement_seconds * 1000), _int64(value_bytes, "value_bytes"))

    def create_series(self, name, tags=(), fields=None, time="time", **settings):
        """Creates a hypertable: tags a list of names, or a dict of types; fields a dict of types. Settings: on_conflict="merge" and so on."""
        tags = dict.fromkeys(tags, "TEXT") if not isinstance(tags, dict) else tags
        parts = [f"{_quoted(time)} TIMESTAMP"]
        parts += [f"{_quoted(tag)} {kind} TAG" for tag, kind in tags.items()]
        parts += [f"{_quoted(field)} {kind}" for field, kind in (fields or {}).items()]
        parts += [f"{setting}={_literal(value)}" for setting, value in settings.items()]
        self.execute(f"CREATE VIRTUAL TABLE {_quoted(name)} USING hypertable({', '.join(parts)})").close()
        return self.series(name)

    def series(self, name):
        """A hypertable that exists."""
        return Series(self, name)


def _quoted(name):
    return '"' + str(name).replace('"', '""') + '"'


def _literal(value):
    return "'" + str(value).replace("'", "''") + "'"


class _Snapshot:
    def __init__(self, connection):
        self._connection = connection

    def __enter__(self):
        self._connection.begin("read")
        return self._connection

    def __exit__(self, *_):
        if not self._connection.closed:
            self._connection.rollback()


class _Child:
    """What is made on a connection and closed with it: a pointer, and the function that closes it."""

    _closer = None

    def __init__(self, connection):
        self._connection = connection
        self._pointer = None
        self._closed = False
        with connection._lock:
            connection._children.add(self)

    def _opened(self):
        if self._closed or self._pointer is None:
            raise InterfaceError(f"the {type(self).__name__.lower()} is closed")
        return self._pointer

    def _forget(self):
        """With the connection's lock."""
        pointer, self._pointer, self._closed = self._pointer, None, True
        if pointer is not None:
            type(self)._closer(pointer)

    def close(self):
        with self._connection._lock:
            if self._connection._in_callback:
                raise InterfaceError("a callback must not use the connection")
            self._forget()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def __del__(self):
        pointer = getattr(self, "_pointer", None)
        if pointer is not None:
            self._pointer = None
            self._connection._leave_behind(type(self)._closer, pointer)


# ---- Cursors -------------------------------------------------------------------------------------------------------------

def _read_int64(pointer, column, _):
    return _short.braid_column_int64(pointer, column)


def _read_double(pointer, column, _):
    return _short.braid_column_double(pointer, column)


def _read_blob(pointer, column, size, read=_short.braid_column_blob):
    start = read(pointer, column, ctypes.byref(size))
    return ctypes.string_at(start, size.value)


def _read_text(pointer, column, size):
    try:
        return _read_blob(pointer, column, size, _short.braid_column_text).decode()
    except UnicodeDecodeError as error:
        name = _short.braid_column_name(pointer, column).decode("utf-8", "replace")
        raise DataError(f"column {name!r}: the text is not UTF-8 ({error.reason} at byte {error.start}); CAST(... AS BLOB) reads it") from None


_READERS = {_TYPE_INT64: _read_int64, _TYPE_DOUBLE: _read_double, _TYPE_TEXT: _read_text, _TYPE_BLOB: _read_blob, _TYPE_NULL: lambda *_: None}


class Cursor(_Child):
    """One statement and its rows. Also an iterator over them."""

    _closer = _library.braid_statement_close

    def __init__(self, connection):
        super().__init__(connection)
        self.arraysize = 1
        self.description = None
        self.rowcount = -1
        self.lastrowid = None
        self._sql = None
        self._ready = collections.deque()  # rows that were read already
        self._more = False  # may the statement have further rows?
        self._times = ()  # columns that are declared as times
        self._failed = None  # an error behind the rows that are ready
        self._ahead = 1

    connection = property(lambda self: self._connection)

    def _check(self):
        if self._closed:
            raise InterfaceError("the cursor is closed")

    def _prepare(self, sql):
        """Leaves `_pointer` at a statement that is not running; None for SQL that is only white space."""
        if not isinstance(sql, str):
            raise ProgrammingError(f"sql: expected str, not {type(sql).__name__}")
        if self._pointer is not None and sql == self._sql:
            code = _library.braid_statement_reset(self._pointer)
            if code:
                raise self._connection._error(code)
            return
        self._drop()
        text = _utf8(sql, "sql")
        pointer, tail = _ptr(), _i64()
        self._connection._run(_library.braid_prepare, text, len(text), ctypes.byref(pointer), ctypes.byref(tail))
        self._refuse_second(text, tail.value, pointer)
        self._sql, self._pointer = sql, pointer if pointer.value else None

    def _refuse_second(self, text, tail, pointer):
        if not text[tail:].strip(b" \t\r\n;"):
            return
        second = _ptr()
        code = _library.braid_prepare(self._connection._handle, text[tail:], len(text) - tail, ctypes.byref(second), None)
        only_comment = code == 0 and not second.value
        if second.value:
            _library.braid_statement_close(second)
        if only_comment:
            return
        if pointer.value:
            _library.braid_statement_close(pointer)
        raise ProgrammingError("execute takes one statement at a time; executescript takes many")

    def _drop(self):
        pointer, self._pointer, self._sql = self._pointer, None, None
        self._ready.clear()
        self._more = False
        if pointer is not None:
            _library.braid_statement_close(pointer)

    def _bind(self, parameters):
        count = _short.braid_parameter_count(self._pointer) if self._pointer is not None else 0
        if hasattr(parameters, "keys"):
            return self._bind_named(parameters, count)
        if not _is_sequence(parameters):
            raise ProgrammingError(f"parameters: expected a sequence or a mapping, not {type(parameters).__name__}")
        if len(parameters) != count:
            raise ProgrammingError(f"the statement has {count} parameters, {len(parameters)} are given")
        for index in range(count):
            self._bind_one(index + 1, parameters[index])

    def _bind_named(self, parameters, count):
        bound = set()
        for name in parameters.keys():
            for prefix in (b":", b"@", b"$"):
                index = _short.braid_parameter_index(self._pointer, prefix + _c_text(name, "parameter")) if count else 0
                if index:
                    self._bind_one(index, parameters[name])
                    bound.add(index)
        if len(bound) != count:
            raise ProgrammingError(f"the statement has {count} parameters, {len(bound)} of them are in the mapping")

    def _bind_one(self, index, value):
        value = _plain_value(value, f"parameter {index}")
        if value is None:
            code = _library.braid_bind_null(self._pointer, index)
        elif type(value) is int:
            code = _library.braid_bind_int64(self._pointer, index, _int64(value, f"parameter {index}"))
        elif type(value) is float:
            code = _library.braid_bind_double(self._pointer, index, value)
        elif type(value) is str:
            text = _utf8(value, f"parameter {index}")
            code = _library.braid_bind_text(self._pointer, index, text, len(text))
        else:
            code = _library.braid_bind_blob(self._pointer, index, value, len(value))
        if code:
            raise self._connection._error(code)

    def _writes(self):
        return bool(_library.braid_statement_writes(self._pointer))

    def _begin_for(self, sql):
        """Whether the statement writes; a transaction is begun for it where one is needed."""
        writes = self._writes()
        if writes and _first_word(sql) not in _CONTROL:
            self._connection._begin_if_needed()
        return writes

    def execute(self, sql, parameters=()):
        with _Use(self._connection):
            self._check()
            self._start()
            try:
                self._prepare(sql)
                self._bind(parameters)
                if self._pointer is not None:
                    self._run_once(sql)
            except BaseException:
                self._drop()
                raise
        return self

    def _start(self):
        self.description, self.rowcount, self.lastrowid = None, -1, None
        self._ready.clear()
        self._more, self._failed, self._ahead = False, None, 1

    def _run_once(self, sql):
        writes = self._begin_for(sql)
        self._more = True
        # A statement that writes is run to its end, so that its commit happens here and a later one finds nothing unfinished. Of others two rows
        # are read, so that one that has a single row is over and holds no snapshot.
        self._fetch(None if writes else 2)
        if self._failed is not None:
            raise self._failed
        self._describe()
        if writes:
            self._count(sql)

    def _count(self, sql):
        word, handle = _first_word(sql), self._connection._handle
        if word in _CHANGING:
            self.rowcount = _library.braid_changes(handle)
        if word in ("INSERT", "REPLACE"):
            self.lastrowid = _library.braid_last_insert_rowid(handle)

    def _run_made(self, function, *arguments):
        """Runs the statement that a call of the library makes."""
        with _Use(self._connection):
            pointer = _ptr()
            self._connection._run(function, *arguments, ctypes.byref(pointer))
            self._pointer, self._more = pointer, True
            self._fetch(2)
            if self._failed is not None:
                raise self._failed
            self._describe()
        return self

    def _describe(self):
        count = _short.braid_column_count(self._pointer)
        if not count:
            return
        row = self._ready[0] if self._ready else (None,) * count
        self.description = tuple((self._column_name(i), self._type_of(i, row[i]), None, None, None, None, None) for i in range(count))

    def _column_name(self, column):
        return _short.braid_column_name(self._pointer, column).decode("utf-8", "replace")

    def _type_of(self, column, value):
        declared = _short.braid_column_declared_type(self._pointer, column).decode("utf-8", "replace").upper()
        for part, kind in _DECLARED:
            if part in declared:
                return kind
        return _VALUE_TYPES.get(type(value))

    def executemany(self, sql, rows):
        with _Use(self._connection):
            self._check()
            self._start()
            total = 0
            try:
                for row in rows:
                    self._prepare(sql)
                    self._bind(row)
                    if self._pointer is None:
                        continue
                    if _short.braid_column_count(self._pointer) and not self._writes():
                        raise ProgrammingError("executemany is for statements without rows")
                    writes = self._begin_for(sql)
                    self._more = True
                    self._fetch(None)
                    if self._failed is not None:
                        raise self._failed
                    self._ready.clear()
                    if writes:
                        self._count(sql)
                        total += max(self.rowcount, 0)
                self.rowcount, self.lastrowid, self.description = total, None, None
                self._drop()
            except BaseException:
                self._drop()
                self.rowcount = -1
                raise
        return self

    def _fetch(self, count):
        """Reads up to `count` more rows (None: all) into `_ready`. What fails behind rows that are ready is kept in `_failed`."""
        if self._pointer is None or not self._more:
            return
        watched = _ctrl_c.enter(self._connection)
        try:
            self._step_through(count)
        except BaseException as error:
            self._more = False
            if self._pointer is not None:
                _library.braid_statement_reset(self._pointer)
            if not isinstance(error, Error):
                raise
            self._failed = error
        finally:
            _ctrl_c.leave(watched)
            if self._connection._progress_callback is not None:
                self._connection._progress_callback.raise_again()

    def _step_through(self, count):
        pointer, step, column_type = self._pointer, _library.braid_statement_step, _short.braid_column_type
        columns, size = None, _i64()
        while count is None or count > 0:
            code = step(pointer)
            if code != _ROW:
                self._more = False
                if code != _DONE:
                    raise self._connection._error(code)
                _library.braid_statement_reset(pointer)
                return
            if columns is None:
                columns = range(_short.braid_column_count(pointer))
                self._times = [column for column in columns if self._type_of(column, None) is DATETIME]
            row = [_READERS[column_type(pointer, column)](pointer, column, size) for column in columns]
            for column in self._times:
                row[column] = _to_datetime(row[column])
            self._ready.append(tuple(row))
            count = None if count is None else count - 1

    def _take(self, count, ahead=0):
        with _Use(self._connection):
            self._check()
            if self.description is None:
                raise ProgrammingError("no statement with rows was executed")
            if count is None:
                self._fetch(None)
            elif len(self._ready) < count:
                self._fetch(max(count - len(self._ready), ahead))
            if self._failed is not None and (count is None or len(self._ready) < count):
                failed, self._failed = self._failed, None
                self._ready.clear()
                raise failed
            found = len(self._ready) if count is None else min(count, len(self._ready))
            return [self._ready.popleft() for _ in range(found)]

    def fetchone(self):
        # More and more are read ahead, since each call of the library from the main thread has its price.
        self._ahead = min(2 * self._ahead, 128)
        rows = self._take(1, self._ahead)
        return rows[0] if rows else None

    def fetchmany(self, size=None):
        return self._take(max(self.arraysize if size is None else size, 0))

    def fetchall(self):
        return self._take(None)

    def __iter__(self):
        return self

    def __next__(self):
        row = self.fetchone()
        if row is None:
            raise StopIteration
        return row

    def setinputsizes(self, sizes):
        """Does nothing, as PEP 249 allows."""

    def setoutputsize(self, size, column=None):
        """Does nothing, as PEP 249 allows."""

    def close(self):
        super().close()
        self._ready.clear()
        self._more = False

    # -- rows as columns

    def __arrow_c_stream__(self, requested_schema=None):
        """The rows of the statement as an Arrow stream in a capsule, for whoever takes one (pyarrow.table(cursor), polars, pandas, DuckDB). The statement runs
        anew, from its first row; the cursor gives no rows meanwhile, and executing something else on it ends the stream. Columns have the types that
        braid.h tells of; another schema that is requested is not heeded, as the protocol allows."""
        with _Use(self._connection):
            self._check()
            if self._pointer is None or self.description is None:
                raise ProgrammingError("no statement with rows was executed")
            if self._writes():
                raise ProgrammingError("an Arrow stream is of a statement that does not write")
            self._ready.clear()
            self._more, self._failed = False, None
            _library.braid_statement_reset(self._pointer)
            stream = _ArrowStream()
            code = self._connection._interruptible(_library.braid_statement_arrow, self._pointer, None, ctypes.byref(stream))
            if code:
                raise self._connection._error(code)
            return _LentStream(self, stream).capsule()

    def _read_columns(self, sql, parameters):
        with _Use(self._connection):
            self._prepare(sql)
            self._bind(parameters)
            if self._pointer is None or not _short.braid_column_count(self._pointer):
                raise ProgrammingError("columns is for statements with rows")
            if self._writes():
                raise ProgrammingError("columns is for statements that do not write")
            names = [self._column_name(i) for i in range(_short.braid_column_count(self._pointer))]
            columns = None
            while True:
                schema, batch = _ArrowSchema(), _ArrowArray()
                code = self._connection._interruptible(
                    _library.braid_statement_batch, self._pointer, 65536, ctypes.byref(schema), ctypes.byref(batch))  # fmt: skip
                if code == _DONE:
                    break
                if code != _ROW:
                    raise self._connection._error(code)
                try:
                    if columns is None:
                        columns = [Column(schema.children[i][0].format) for i in range(len(names))]
                    for column, child in zip(columns, range(len(names))):
                        column._extend(batch.children[child][0])
                finally:
                    schema.release(ctypes.byref(schema))
                    batch.release(ctypes.byref(batch))
            return dict(zip(names, columns or [Column(b"l") for _ in names]))


class _LentStream:
    """A stream of the library as others call it, from whatever thread: each call waits for the connection's turn. It lives until it is released."""

    _living = {}
    _capsules = {}
    _numbers = itertools.count(1)
    _ENDED = 125  # ECANCELED

    def __init__(self, cursor, stream):
        self._cursor, self._stream, self._failed = cursor, stream, None  # what is read is the cursor's statement
        self._connection = cursor.connection

    def capsule(self):
        number = next(self._numbers)
        lent = _ArrowStream(_lent_schema, _lent_next, _lent_error, _lent_release, number)
        address = ctypes.addressof(lent)
        made = _new_capsule(address, _CAPSULE_NAME, _capsule_ends)
        self._living[number] = self
        self._capsules[address] = lent  # the memory that the capsule points to
        return made

    @classmethod
    def of(cls, stream):
        return cls._living[stream[0].private_data]

    def call(self, function, out):
        try:
            with self._connection._lock:
                return function(ctypes.byref(self._stream), out)
        except BaseException as error:  # noqa: BLE001 - the one who calls is no Python
            self._failed = ctypes.create_string_buffer(str(error).encode() or type(error).__name__.encode())
            return self._ENDED

    def last_error(self):
        return ctypes.addressof(self._failed) if self._failed is not None else self._stream.get_last_error(ctypes.byref(self._stream))

    def release(self):
        with self._connection._lock:
            self._stream.release(ctypes.byref(self._stream))


@_stream_get_schema
def _lent_schema(stream, out):
    lent = _LentStream.of(stream)
    return lent.call(lent._stream.get_schema, out)


@_stream_get_next
def _lent_next(stream, out):
    lent = _LentStream.of(stream)
    return lent.call(lent._stream.get_next, out)


@_stream_get_last_error
def _lent_error(stream):
    return _LentStream.of(stream).last_error()


@_stream_release
def _lent_release(stream):
    lent = _LentStream._living.pop(stream[0].private_data, None)
    stream[0].release = _stream_release()
    if lent is not None:
        lent.release()


_CAPSULE_NAME = b"arrow_array_stream"  # it must live as long as any capsule
_end_of_capsule = ctypes.PYFUNCTYPE(None, _ptr)
# The capsule that ends has no reference left: it is given as an address, not as an object.
_capsule_pointer = ctypes.PYFUNCTYPE(_ptr, _ptr, _str)(("PyCapsule_GetPointer", ctypes.pythonapi))
_new_capsule = ctypes.PYFUNCTYPE(ctypes.py_object, _ptr, _str, _end_of_capsule)(("PyCapsule_New", ctypes.pythonapi))


@_end_of_capsule
def _capsule_ends(capsule):
    lent = _LentStream._capsules.pop(_capsule_pointer(capsule, _CAPSULE_NAME))
    # Whoever took the stream has left no release here.
    if lent.release:
        lent.release(ctypes.byref(lent))


def _bits(address, start, count):
    raw = ctypes.string_at(address, (start + count + 7) // 8)
    return (raw[i >> 3] >> (i & 7) & 1 for i in range(start, start + count))


class Column:
    """A column of results. `values` is an array.array (int64 "q", double "d", bool "b"), which NumPy takes without a copy (numpy.frombuffer), or a
    list of str or bytes; where `nulls` (None, or a byte per row) is 1 the value means nothing. Of the kind "timestamp" `values` are microseconds.
    Iterating and indexing give None, int, float, bool, str, bytes and datetime."""

    _KINDS = {
        b"l": ("int64", "q"), b"g": ("double", "d"), b"b": ("bool", "b"), b"u": ("text", None), b"z": ("bytes", None), b"tsu:UTC": ("timestamp", "q"),
        b"n": ("null", None),
    }  # fmt: skip
    _FROM_VALUE = {"timestamp": from_microseconds, "bool": bool}

    def __init__(self, arrow_format):
        self.kind, code = self._KINDS[arrow_format]
        self.values = array.array(code) if code else []
        self.nulls = None
        self._from_value = self._FROM_VALUE.get(self.kind)

    def _extend(self, arrow):
        length, start = arrow.length, arrow.offset
        if self.kind == "null":
            self.values.extend([None] * length)
            return
        if arrow.null_count != 0 and arrow.buffers[0]:
            if self.nulls is None:
                self.nulls = bytearray(len(self.values))
            self.nulls.extend(1 - bit for bit in _bits(arrow.buffers[0], start, length))
        elif self.nulls is not None:
            self.nulls.extend(bytes(length))
        if self.kind == "bool":
            self.values.extend(_bits(arrow.buffers[1], start, length))
        elif isinstance(self.values, array.array):
            self.values.frombytes(ctypes.string_at(arrow.buffers[1] + 8 * start, 8 * length))
        else:
            self._extend_texts(arrow.buffers, start, length)

    def _extend_texts(self, buffers, start, length):
        offsets = array.array("i", ctypes.string_at(buffers[1] + 4 * start, 4 * (length + 1)))
        raw = ctypes.string_at(buffers[2], offsets[-1]) if offsets[-1] else b""
        pieces = (raw[offsets[i] : offsets[i + 1]] for i in range(length))
        self.values.extend((piece.decode("utf-8", "replace") for piece in pieces) if self.kind == "text" else pieces)

    def __len__(self):
        return len(self.values)

    def __getitem__(self, row):
        if isinstance(row, slice):
            return [self[i] for i in range(*row.indices(len(self)))]
        if self.nulls is not None and self.nulls[row]:
            return None
        value = self.values[row]
        return value if self._from_value is None else self._from_value(value)

    def __iter__(self):
        return (self[row] for row in range(len(self)))

    def __repr__(self):
        return f"<braid.Column {self.kind}, {len(self)} rows>"


# ---- Graph ---------------------------------------------------------------------------------------------------------------

Node = collections.namedtuple("Node", "id labels properties")
Edge = collections.namedtuple("Edge", "id source type target properties")
Neighbor = collections.namedtuple("Neighbor", "edge node direction type")
Path = collections.namedtuple("Path", "nodes edges cost")

_DIRECTION_NAMES = {1: "out", 2: "in"}


_ORIENTATIONS = {"natural": 1, "reverse": 2, "undirected": 3}


def _names_text(names, what):
    """A name, or a JSON array of several."""
    return _c_text(names, what) if names is None or isinstance(names, str) else _to_json(list(names), what)


def _text_pointers(texts):
    return (_str * len(texts))(*texts)


class Graph:
    """The property graph, in the transaction of its connection. Ids are ints; labels are a name or names, properties a dict."""

    def __init__(self, connection):
        self._connection = connection

    def _value(self, sql, *values):
        cursor = self._connection.execute(sql, values)
        try:
            row = cursor.fetchone()
            return row[0] if row else None
        finally:
            cursor.close()

    def add_node(self, labels=(), properties=None):
        node = _i64()
        self._connection._write(_library.braid_node_create, _labels_json(labels), _properties_json(properties), ctypes.byref(node))
        return node.value

    def add_nodes(self, labels, properties):
        """Creates many nodes of the same labels: properties is an iterable of dicts (or None), or their count. Answers the range of their ids."""
        if isinstance(properties, int):
            texts, count = None, _int64(properties, "properties")
        else:
            encoded = [_properties_json(each) for each in properties]
            texts, count = _text_pointers(encoded), len(encoded)
        if count == 0:
            return range(0)
        if count < 0:
            raise ProgrammingError("properties: the count is negative")
        first = _i64()
        self._connection._write(_library.braid_nodes_create, _labels_json(labels), texts, count, ctypes.byref(first))
        return range(first.value, first.value + count)

    def update_node(self, node, labels=None, properties=None):
        """Replaces labels and properties; None leaves them."""
        self._connection._write(_library.braid_node_update, _int64(node, "node"), _labels_json(labels), _properties_json(properties))

    def delete_node(self, node, detach=False):
        """detach deletes its edges too; without it a node with edges is an IntegrityError."""
        self._connection._write(_library.braid_node_delete, _int64(node, "node"), 2 if detach else 1)

    def node(self, node):
        labels, properties = _str(), _str()
        with _Use(self._connection):
            self._connection._run(_library.braid_node_read, _int64(node, "node"), ctypes.byref(labels), ctypes.byref(properties))
            return Node(node, json.loads(labels.value), _from_json(properties.value))

    def find(self, label, property, value):  # noqa: A002
        """The node with this value of a property that has an index (the key of a bound table has one), or None."""
        node = _i64()
        self._connection._run(_library.braid_node_find, _c_text(label, "label"), _c_text(property, "property"), _to_json(value, "value"),
                              ctypes.byref(node))  # fmt: skip
        return node.value or None

    def add_edge(self, source, type, target, properties=None):  # noqa: A002
        edge = _i64()
        self._connection._write(_library.braid_edge_create, _int64(source, "source"), _c_text(type, "type"), _int64(target, "target"),
                                _properties_json(properties), ctypes.byref(edge))  # fmt: skip
        return edge.value

    def add_edges(self, type, sources, targets, properties=None):  # noqa: A002
        """Creates many edges of one type, all or none: the way to load a graph. Iterables or buffers of ids; properties an iterable of dicts."""
        from_ids, to_ids = _int64_array(sources, "sources"), _int64_array(targets, "targets")
        texts = None if properties is None else _text_pointers([_properties_json(each) for each in properties])
        if len(from_ids) != len(to_ids) or texts is not None and len(texts) != len(from_ids):
            raise ProgrammingError("sources, targets and properties have different lengths")
        if len(from_ids) == 0:
            return range(0)
        first = _i64()
        self._connection._write(_library.braid_edges_create, _c_text(type, "type"), from_ids, to_ids, texts, len(from_ids), ctypes.byref(first))
        return range(first.value, first.value + len(from_ids))

    def update_edge(self, edge, properties):
        self._connection._write(_library.braid_edge_update, _int64(edge, "edge"), _properties_json(properties))

    def delete_edge(self, edge):
        self._connection._write(_library.braid_edge_delete, _int64(edge, "edge"))

    def edge(self, edge):
        source, target, kind, properties = _i64(), _i64(), _str(), _str()
        with _Use(self._connection):
            self._connection._run(_library.braid_edge_read, _int64(edge, "edge"), ctypes.byref(source), ctypes.byref(kind), ctypes.byref(target),
                                  ctypes.byref(properties))  # fmt: skip
            return Edge(edge, source.value, kind.value.decode(), target.value, _from_json(properties.value))

    def neighbors(self, node, direction="out", type=None, limit=None):  # noqa: A002
        """A list of one step each: (edge, node, direction, type)."""
        way, of_type = _choice(_DIRECTIONS, direction, "direction"), _c_text(type, "type")
        capacity, count = 64 if limit is None else max(_int64(limit, "limit"), 0), _size()
        with _Use(self._connection) as handle:
            while True:
                found = (_Neighbor * capacity)()
                self._connection._run_long(_library.braid_neighbors, _int64(node, "node"), way, of_type, found, capacity, ctypes.byref(count))
                if limit is not None or count.value < capacity:
                    break
                capacity *= 8
            names = {each.type: None for each in found[: count.value]}
            for number in names:
                names[number] = _library.braid_type_name(handle, number).decode()
            return [Neighbor(each.edge, each.node, _DIRECTION_NAMES[each.direction], names[each.type]) for each in found[: count.value]]

    def shortest_path(self, source, target, direction="out", type=None, weight=None):  # noqa: A002
        """By edges, or by the sum of the edge property `weight`. None when there is no path."""
        cost = _dbl()
        nodes, edges = _path_of(
            lambda *room: self._connection._run_long(
                _library.braid_shortest_path, _int64(source, "source"), _int64(target, "target"), _choice(_DIRECTIONS, direction, "direction"),
                _c_text(type, "type"), _c_text(weight, "weight"), *room, ctypes.byref(cost)))  # fmt: skip
        return Path(nodes, edges, cost.value) if nodes else None

    def bind(self, label, table, key):
        """Rows of a table become the nodes of a label; `key` names the column that identifies them."""
        self._value("SELECT graph_bind(?, ?, ?)", label, table, key)

    def link(self, from_label, from_key, type, to_label, to_key, properties=None):  # noqa: A002
        """Creates an edge between nodes that are known by their keys; answers its id."""
        text = _properties_json(properties)
        return self._value("SELECT graph_link(?, ?, ?, ?, ?, ?)", from_label, from_key, type, to_label, to_key, text.decode() if text else None)

    def create_index(self, label, property, unique=False):  # noqa: A002
        self._value("SELECT graph_create_index(?, ?, ?)", label, property, int(unique))

    def match(self, pattern, projection=None, mode="mono"):
        """Where a pattern such as "(a:Bus)-[:LINE]->(b:Bus)" lies: a list of dicts from variable to node."""
        matches = {}
        for number, variable, node in self._connection.execute(
            "SELECT match, variable, node FROM graph_match(?, ?, ?)", (pattern, projection, mode)
        ):
            matches.setdefault(number, {})[variable] = node
        return [{name: node for name, node in each.items() if name is not None} for each in matches.values()]

    def expand(self, start, direction="out", hops=None, types=None, node_filter=None, edge_filter=None, limit=0):
        """A cursor over (node, depth, via_edge, previous) of what is reached from a node, breadth first, each node once. hops: the most, or (least, most);
        filters are dicts of conditions: {"$label": "Bus", "status": {"!=": "off"}}."""
        least, most = hops if isinstance(hops, tuple) else (1, hops)
        options = _ExpandOptions(
            ctypes.sizeof(_ExpandOptions), _choice(_DIRECTIONS, direction, "direction"), least, most or 0, _names_text(types, "types"),
            None if node_filter is None else _to_json(node_filter, "node_filter"), None if edge_filter is None else _to_json(edge_filter, "edge_filter"),
            _int64(limit, "limit"))  # fmt: skip
        return Cursor(self._connection)._run_made(_library.braid_expand, _int64(start, "start"), ctypes.byref(options))

    def project(self, name, labels=None, types=None, weight=None, orientation="natural"):
        """Names a projection (a part of the graph in memory) for algorithms; answers its size as a dict."""
        options = _ProjectionOptions(
            ctypes.sizeof(_ProjectionOptions), _names_text(labels, "labels"), _names_text(types, "types"), _c_text(weight, "weight"),
            _choice(_ORIENTATIONS, orientation, "orientation"))  # fmt: skip
        self._connection._run_long(_library.braid_projection_create, _c_text(name, "name"), ctypes.byref(options))
        return next({key: each[key] for key in ("nodes", "edges", "bytes")} for each in self.projections() if each["name"] == name)

    def drop_projection(self, name):
        self._connection._run(_library.braid_projection_drop, _c_text(name, "name"))

    def projections(self):
        """Those that have a name, as a list of dicts."""
        with Cursor(self._connection)._run_made(_library.braid_projections) as cursor:
            names = [each[0] for each in cursor.description]
            return [dict(zip(names, row)) for row in cursor]

    def projection(self, name=None):
        """A projection of this moment, for walks that take microseconds; without a name: the whole graph."""
        return Projection(self._connection, name)

    def algorithm(self, algorithm, projection=None, **arguments):
        """A cursor over the rows of an algorithm; SQL's table graph_algorithms lists them with their parameters."""
        return Cursor(self._connection)._run_made(_library.braid_algorithm, _c_text(algorithm, "algorithm"), _c_text(projection, "projection"),
                                                  _to_json(arguments, "arguments"))  # fmt: skip

    def write_algorithm(self, algorithm, property, projection=None, column=None, **arguments):  # noqa: A002
        """Keeps a column of an algorithm's result as a property; answers how many were written."""
        count = _i64()
        self._connection._write(_library.braid_algorithm_write, _c_text(algorithm, "algorithm"), _c_text(projection, "projection"),
                                _to_json(arguments, "arguments"), _c_text(column, "column"), _c_text(property, "property"), ctypes.byref(count))  # fmt: skip
        return count.value


def _path_of(find):
    """Calls find(nodes, edges, capacity, count) until the path fits."""
    capacity, count = 64, _size()
    while True:
        nodes, edges = (_i64 * capacity)(), (_i64 * capacity)()
        find(nodes, edges, capacity, ctypes.byref(count))
        if count.value <= capacity:
            return list(nodes[: count.value]), list(edges[: max(count.value - 1, 0)])
        capacity = count.value


class Projection(_Child):
    """A part of the graph as it was when this was opened, in memory."""

    _closer = _library.braid_projection_close

    def __init__(self, connection, name):
        super().__init__(connection)
        pointer = _ptr()
        connection._run_long(_library.braid_projection_open, _c_text(name, "name"), ctypes.byref(pointer))
        self._pointer = pointer

    def _run(self, function, *arguments):
        with _Use(self._connection):
            code = self._connection._interruptible(function, self._opened(), *arguments)
            if code:
                raise self._connection._error(code)

    def size(self):
        """(nodes, edges, bytes)"""
        figures = _i64(), _i64(), _i64()
        self._run(_library.braid_projection_size, *map(ctypes.byref, figures))
        return tuple(each.value for each in figures)

    def hops(self, start, hops, direction="out"):
        """Nodes within so many hops, nearest first, without the start."""
        capacity, count = 1024, _size()
        while True:
            nodes = (_i64 * capacity)()
            self._run(_library.braid_projection_hops, _int64(start, "start"), _int64(hops, "hops"), _choice(_DIRECTIONS, direction, "direction"),
                      nodes, capacity, ctypes.byref(count))  # fmt: skip
            if count.value <= capacity:
                return list(nodes[: count.value])
            capacity = count.value

    def path(self, source, target, direction="out"):
        """A path with the fewest edges, or None."""
        nodes, edges = _path_of(
            lambda *room: self._run(_library.braid_projection_path, _int64(source, "source"), _int64(target, "target"),
                                    _choice(_DIRECTIONS, direction, "direction"), *room))  # fmt: skip
        return Path(nodes, edges, float(len(edges))) if nodes else None


# ---- Series --------------------------------------------------------------------------------------------------------------


def _buffer_of(values, code):
    """An array over the memory of a buffer whose items are of one code of array.array ("q" or "d"), else None."""
    if isinstance(values, (bytes, bytearray, str, list, tuple, range)):
        return None
    if hasattr(values, "dtype") and getattr(values.dtype, "kind", "") == "M":
        values = values.astype("datetime64[us]").astype("int64")  # NumPy lends no buffer of its times
    try:
        view = memoryview(values)
    except TypeError:
        return None
    letters = {"q": "ql", "d": "d"}[code]
    if view.ndim != 1 or view.itemsize != 8 or view.format.lstrip("@=") not in letters or not view.c_contiguous:
        return None
    kind = (_i64 if code == "q" else _dbl) * len(view)
    return kind.from_buffer_copy(view) if view.readonly else kind.from_buffer(view)


def _filled(code, values, what):
    try:
        numbers_kept = array.array(code, values)
    except (TypeError, OverflowError, ValueError) as error:
        raise DataError(f"{what}: {error}") from None
    return ((_i64 if code == "q" else _dbl) * len(numbers_kept)).from_buffer(numbers_kept) if numbers_kept else (_i64 * 0)()


def _int64_array(values, what):
    found = _buffer_of(values, "q")
    return found if found is not None else _filled("q", values, what)


def _time_array(times):
    found = _buffer_of(times, "q")
    return found if found is not None else _filled("q", map(to_microseconds, times), "times")


class _FieldKind:
    """How Python values become those of a field's type."""

    def __init__(self, type_number, code, convert):
        self.type_number, self.code, self.convert = type_number, code, convert


def _json_text(value):
    return value if isinstance(value, str) else json.dumps(value, default=_json_default)


_KINDS = {
    "DOUBLE": _FieldKind(_TYPE_DOUBLE, "d", None),
    "BIGINT": _FieldKind(_TYPE_INT64, "q", None),
    "BOOLEAN": _FieldKind(_TYPE_INT64, "q", int),
    "TEXT": _FieldKind(_TYPE_TEXT, None, None),
    "JSON TEXT": _FieldKind(_TYPE_TEXT, None, _json_text),
}


def _converted(kind, value, field):
    try:
        return kind.convert(value)
    except (TypeError, ValueError) as error:
        raise DataError(f"field {field!r}: {error}") from None


def _column_of(field, kind, values, count):
    """A braid_column of one field, and what must live as long."""
    held = _buffer_of(values, kind.code) if kind.code and values is not None else None
    nulls = None
    if held is None:
        listed = [None] * count if values is None else list(values)
        if any(value is None for value in listed):
            nulls = (ctypes.c_uint8 * len(listed))(*(value is None for value in listed))
        if kind.convert is not None:
            listed = [None if value is None else _converted(kind, value, field) for value in listed]
        if kind.code:
            held = _filled(kind.code, [0 if value is None else value for value in listed], f"field {field!r}")
        else:
            held = _text_pointers([_c_text(value, f"field {field!r}") for value in listed])
    if len(held) != count:
        raise ProgrammingError(f"field {field!r} has {len(held)} values for {count} times")
    column = _Column(ctypes.sizeof(_Column), kind.type_number, ctypes.cast(held, _ptr), ctypes.cast(nulls, _ptr) if nulls is not None else None)
    return column, (held, nulls)


class _Schema:
    """Time column, tags and fields of a hypertable."""

    def __init__(self, connection, name):
        with Cursor(connection) as cursor:
            row = cursor.execute("SELECT time_column, tags, fields FROM hypertables WHERE name = ?", (name,)).fetchone()
        if row is None:
            raise ProgrammingError(f"there is no hypertable {name!r}", 2)
        self.time, self.tags, self.fields = row[0], json.loads(row[1] or "[]"), json.loads(row[2] or "{}")

    def tag_values(self, tags):
        if isinstance(tags, dict):
            unknown = set(tags) - set(self.tags)
            if unknown:
                raise ProgrammingError(f"there is no tag {sorted(unknown)[0]!r}; there are {self.tags}")
            tags = [tags.get(tag) for tag in self.tags]
        elif isinstance(tags, str):
            tags = [tags]
        values = list(tags)
        if len(values) != len(self.tags):
            raise ProgrammingError(f"{len(values)} tags are given, there are {self.tags}")
        return _text_pointers([_c_text(str(int(tag)) if isinstance(tag, numbers.Integral) else tag, "tag") for tag in values])

    def column_array(self, columns, by_name, count):
        if columns and by_name:
            raise ProgrammingError("fields are given by place or by name, not both")
        if by_name:
            unknown = set(by_name) - set(self.fields)
            if unknown:
                raise ProgrammingError(f"there is no field {sorted(unknown)[0]!r}; there are {list(self.fields)}")
            columns = [by_name.get(field) for field in self.fields]
        if len(columns) != len(self.fields):
            raise ProgrammingError(f"{len(columns)} columns are given, the fields are {list(self.fields)}")
        made = [_column_of(field, _KINDS[kind], values, count) for (field, kind), values in zip(self.fields.items(), columns)]
        return (_Column * len(made))(*(column for column, _ in made)), [held for _, held in made]


class Appender(_Child):
    """Points without SQL. Within a transaction they belong to it; outside one each flush is a transaction. Closing flushes."""

    _closer = _library.braid_appender_close

    def __init__(self, connection, name, schema):
        super().__init__(connection)
        self._schema = schema
        pointer = _ptr()
        connection._run(_library.braid_appender_open, _c_text(name, "name"), ctypes.byref(pointer))
        self._pointer = pointer

    def _run(self, function, *arguments):
        with _Use(self._connection):
            code = self._connection._interruptible(function, self._opened(), *arguments)
            if code:
                raise self._connection._error(code)

    def on_conflict(self, policy):
        """ "replace", "ignore", "error", "merge", or None for the hypertable's own."""
        self._run(_library.braid_appender_on_conflict, _c_text(policy, "policy"))

    def add(self, times, *columns, tags=(), **by_name):
        """Adds points of one series: times, and values for each field by place or by name (None, or left out: nulls)."""
        moments = _time_array(times)
        found, held = self._schema.column_array(columns, by_name, len(moments))
        tag_texts = self._schema.tag_values(tags)
        with _Use(self._connection):
            self._connection._begin_if_needed()
            self._run(_library.braid_appender_series, tag_texts, len(tag_texts))
            self._run(_library.braid_appender_columns, ctypes.cast(moments, _ptr), len(moments), found, len(found))
        del held
        return len(moments)

    def add_point(self, time, *values, tags=()):
        """Adds one point whose fields are all numbers or None."""
        tag_texts = self._schema.tag_values(tags)
        nulls = (ctypes.c_uint8 * len(values))(*(value is None for value in values))
        try:
            numbers_given = (_dbl * len(values))(*(0 if value is None else value for value in values))
        except TypeError as error:
            raise DataError(f"values: {error}") from None
        with _Use(self._connection):
            self._connection._begin_if_needed()
            self._run(_library.braid_appender_series, tag_texts, len(tag_texts))
            self._run(_library.braid_appender_point, to_microseconds(time), numbers_given, nulls, len(values))

    def flush(self):
        self._run(_library.braid_appender_flush)

    def discard(self):
        self._run(_library.braid_appender_discard)

    def _forget(self):
        # With the connection what was not flushed is dropped, as a transaction would be rolled back.
        pointer = self._pointer
        if pointer is not None:
            _library.braid_appender_discard(pointer)
        super()._forget()

    def close(self):
        with self._connection._lock:
            if self._pointer is not None and not self._connection.closed:
                self.flush()
            super().close()

    def __exit__(self, kind, *_):
        if kind is not None and self._pointer is not None:
            self.discard()
        self.close()

    def __del__(self):
        pointer = getattr(self, "_pointer", None)
        if pointer is not None:
            self._pointer = None
            self._connection._leave_behind(_discard_appender, pointer)


def _discard_appender(pointer):
    _library.braid_appender_discard(pointer)
    _library.braid_appender_close(pointer)


class Series:
    """A hypertable: points by time and tags."""

    def __init__(self, connection, name):
        self._connection = connection
        self.name = name
        self._schema = _Schema(connection, name)

    time = property(lambda self: self._schema.time)
    tags = property(lambda self: list(self._schema.tags))
    fields = property(lambda self: dict(self._schema.fields))

    def appender(self):
        return Appender(self._connection, self.name, self._schema)

    def append(self, times, *columns, tags=(), **by_name):
        """Appends points of one series; answers how many. Buffers of int64 and double (array.array, NumPy) are taken as they are.

        readings.append(times, celsius, bar, tags=["pump-7"])
        readings.append(times, celsius=[...], tags={"device": "pump-7"})
        """
        with self.appender() as appender:
            return appender.add(times, *columns, tags=tags, **by_name)

    def append_rows(self, rows):
        """Appends points of any series from an iterable of (time, tag, ..., field, ...); answers how many. Outside a transaction, where autocommit
        is set, they are committed some 100,000 at a time."""
        count, width = 0, 1 + len(self._schema.tags) + len(self._schema.fields)
        with self.appender() as appender:
            groups, waiting = {}, 0
            for row in rows:
                if len(row) != width:
                    raise ProgrammingError(f"a row has {len(row)} values, expected {width}: time, {self.tags}, {list(self.fields)}")
                groups.setdefault(tuple(row[1 : 1 + len(self._schema.tags)]), []).append(row)
                waiting += 1
                if waiting == 65536:
                    count += self._add_groups(appender, groups)
                    waiting = 0
            return count + self._add_groups(appender, groups)

    def _add_groups(self, appender, groups):
        count = 0
        skip = 1 + len(self._schema.tags)
        for tags, rows in groups.items():
            columns = list(zip(*(row[skip:] for row in rows)))
            count += appender.add([row[0] for row in rows], *columns, tags=tags)
        groups.clear()
        return count

    def _select(self, what, since, until, tags, extra=()):
        conditions, values = list(extra), []
        for sign, moment in ((">=", since), ("<", until)):
            if moment is not None:
                conditions.append(f"{_quoted(self.time)} {sign} ?")
                values.append(moment if isinstance(moment, str) else to_microseconds(moment))
        for tag, value in (tags or {}).items():
            if tag not in self._schema.tags:
                raise ProgrammingError(f"there is no tag {tag!r}; there are {self._schema.tags}")
            several = isinstance(value, (list, tuple, set, frozenset))
            conditions.append(f"{_quoted(tag)} IN ({', '.join('?' * len(value))})" if several else f"{_quoted(tag)} IS ?")
            values.extend(value if several else [value])
        where = " WHERE " + " AND ".join(conditions) if conditions else ""
        return f"SELECT {what} FROM {_quoted(self.name)}{where}", values

    def _names(self, fields):
        return ", ".join(map(_quoted, [self.time, *self._schema.tags, *(self._schema.fields if fields is None else fields)]))

    def query(self, since=None, until=None, tags=None, fields=None):
        """A cursor over points in the order of time: time, tags, fields. since <= time < until; tags such as {"device": "a"} or ["a", "b"]."""
        sql, values = self._select(self._names(fields), since, until, tags)
        return self._connection.execute(f"{sql} ORDER BY {_quoted(self.time)}", values)

    def columns(self, since=None, until=None, tags=None, fields=None):
        """The same as a dict of Column, series by series and not sorted: the fast way."""
        return self._connection.columns(*self._select(self._names(fields), since, until, tags))

    def last(self, tags=None, fields=None):
        """The last point of each series, as a list of dicts."""
        with self._last_points(tags, fields) as cursor:
            names = [each[0] for each in cursor.description]
            return [dict(zip(names, row)) for row in cursor]

    def _last_points(self, tags, fields):
        one = tags is not None and set(tags) == set(self._schema.tags) and not any(isinstance(value, (list, tuple, set, frozenset)) for value in tags.values())
        if fields is None and (tags is None or one):
            given = self._schema.tag_values(tags) if one else None
            return Cursor(self._connection)._run_made(_library.braid_last_points, _c_text(self.name, "name"), given, len(given) if one else 0)
        return self._connection.execute(*self._select(self._names(fields), None, None, tags, ["latest = 1"]))

    def rollup(self, width, since=None, until=None, tags=None, fields=None, timezone=None):
        """A cursor over bucket, tags (a JSON object), field, count, sum, avg, min, max, first, last. Buckets are of the time zone, "Europe/Berlin"."""
        options = _RollupOptions(
            ctypes.sizeof(_RollupOptions), _c_text(width, "width"), _INT64_MIN if since is None else to_microseconds(since),
            _INT64_MAX if until is None else to_microseconds(until), None if tags is None else _to_json(tags, "tags"), _names_text(fields, "fields"),
            _c_text(timezone, "timezone"))  # fmt: skip
        return Cursor(self._connection)._run_made(_library.braid_rollup, _c_text(self.name, "name"), ctypes.byref(options))


# ---- Batches -------------------------------------------------------------------------------------------------------------


class Batch:
    """Steps that are committed together, all or none; batches of several threads share one sync. One thread at a time builds and commits one."""

    def __init__(self, database, durability=None):
        self._database = database
        self._pointer = None
        self._lock = threading.Lock()
        pointer = _ptr()
        database._call(_library.braid_batch_open, ctypes.byref(pointer))
        self._pointer = pointer
        database._joined(database._batches, self)
        if durability is not None:
            self._run(_library.braid_batch_set_durability, _choice(_DURABILITIES, durability, "durability"))

    def _run(self, function, *arguments):
        with self._lock:
            if self._pointer is None or self._database.closed:
                raise InterfaceError("the batch or its database is closed")
            code = function(self._pointer, *arguments)
            if code:
                raise _make_error(code, _library.braid_batch_error(self._pointer))

    def execute(self, sql, parameters=()):
        """Adds a statement; what is wrong with its SQL is found by commit()."""
        if not _is_sequence(parameters):
            raise ProgrammingError("parameters: expected a sequence")
        values, held = (_Value * len(parameters))(), []
        for index, parameter in enumerate(parameters):
            _fill_value(values[index], _plain_value(parameter, f"parameter {index + 1}"), held)
        text = _utf8(sql, "sql")
        self._run(_library.braid_batch_execute, text, len(text), values, len(parameters))

    def node(self, labels=(), properties=None):
        self._run(_library.braid_batch_node, _labels_json(labels), _properties_json(properties))

    def edge(self, source, type, target, properties=None):  # noqa: A002
        self._run(_library.braid_batch_edge, _int64(source, "source"), _c_text(type, "type"), _int64(target, "target"), _properties_json(properties))

    def points(self, series, times, *columns, tags=(), **by_name):
        """Adds points of one series of a Series, which knows the fields: `connection.series(name)`."""
        if not isinstance(series, Series):
            raise InterfaceError(f"series: expected one of connection.series(name), not {series!r}")
        schema = series._schema
        moments = _time_array(times)
        found, held = schema.column_array(columns, by_name, len(moments))
        tag_texts = schema.tag_values(tags)
        self._run(_library.braid_batch_points, _c_text(series.name, "name"), tag_texts, len(tag_texts), ctypes.cast(moments, _ptr), len(moments), found,
                  len(found))  # fmt: skip
        del held

    def commit(self):
        """Answers the LSN of the commit. The batch is empty then, also after an error."""
        lsn = _u64()
        self._run(_library.braid_batch_commit, ctypes.byref(lsn))
        return lsn.value

    def close(self):
        with self._lock:
            pointer, self._pointer = self._pointer, None
            if pointer is not None:
                _library.braid_batch_close(pointer)

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        try:
            if kind is None:
                self.commit()
        finally:
            self.close()

    def __del__(self):
        pointer = getattr(self, "_pointer", None)
        if pointer is not None:
            self._pointer = None
            _library.braid_batch_close(pointer)


def _fill_value(into, value, held):
    if value is None:
        into.type = _TYPE_NULL
    elif type(value) is int:
        into.type, into.int64_value = _TYPE_INT64, _int64(value, "parameter")
    elif type(value) is float:
        into.type, into.double_value = _TYPE_DOUBLE, value
    else:
        raw = _utf8(value, "parameter") if type(value) is str else value
        kept = ctypes.create_string_buffer(raw, len(raw) + 1)
        held.append(kept)
        into.type = _TYPE_TEXT if type(value) is str else _TYPE_BLOB
        into.data, into.size = ctypes.cast(kept, _ptr), len(raw)


# ---- Feeds ---------------------------------------------------------------------------------------------------------------


class Feed:
    """The commits of a database as they come. One thread at a time reads them; any may close it, which ends the reading."""

    def __init__(self, database, models=(), bytes_max=0):
        self._pointer = None
        self._lock, self._closing_lock = threading.Lock(), threading.Lock()
        chosen = 0
        for model in (models,) if isinstance(models, str) else models:
            chosen |= _choice(_MODELS, model, "models")
        options = _FeedOptions(ctypes.sizeof(_FeedOptions), bytes_max, chosen)
        pointer = _ptr()
        database._call(_library.braid_feed_open, ctypes.byref(options), ctypes.byref(pointer))
        self._pointer = pointer
        database._joined(database._feeds, self)
        self.start = self.next()["start"]  #: commits after this one are told

    def _wait(self, milliseconds):
        line, length = _ptr(), _size()
        with self._lock:
            if self._pointer is None:
                raise InterfaceError("the feed is closed")
            code = _library.braid_feed_next(self._pointer, milliseconds, ctypes.byref(line), ctypes.byref(length))
            if code == _ROW:
                return json.loads(ctypes.string_at(line, length.value))
            if code != _DONE:
                raise _make_error(code, _library.braid_feed_error(self._pointer))
        return None

    def next(self, timeout=None):
        """The next commit, or what tells of a gap; None when none came within `timeout` seconds."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while True:
            # In slices, so that Python's signals are heard.
            left = _FEED_SLICE if deadline is None else min(_FEED_SLICE, max(0, deadline - time.monotonic()))
            change = self._wait(round(left * 1000))
            if change is not None or (deadline is not None and time.monotonic() >= deadline):
                return change

    def __iter__(self):
        return self

    def __next__(self):
        try:
            return self.next()
        except (InterfaceError, OperationalError):
            if self._pointer is None or self._closing:
                raise StopIteration from None
            raise

    _closing = False

    def close(self):
        self._closing = True
        with self._closing_lock:
            if self._pointer is None:
                return
            _library.braid_feed_cancel(self._pointer)
            with self._lock:
                pointer, self._pointer = self._pointer, None
                _library.braid_feed_close(pointer)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def __del__(self):
        self.close()


_FEED_SLICE = 0.2
