"""TimescaleDB's and DuckDB's own cases of time_bucket, first, last, histogram and ASOF, as far as SQLite's SQL can say them.

usage: time_cases_test.py path/to/braid DIRECTORY

DIRECTORY holds timescale/ and duckdb_cases/; $BRAID_SHARED/cases goes before it. Exit code 77: they are not there. What is left out is told
with its reason; docs/time_functions.md lists the reasons. Times are compared as instants.
"""

import collections
import datetime
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import zoneinfo

BRAID = os.path.abspath(sys.argv[1])
SHARED = os.environ.get("BRAID_SHARED")
CASES = pathlib.Path(SHARED) / "cases" if SHARED else pathlib.Path(sys.argv[2])
UTC = datetime.timezone.utc
TIME = re.compile(r"(\d{4,6})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,6}))?)?)?\s*(Z|[+-]\d\d(?::?\d\d)?(?::\d\d)?)?$")

failures = []
counts = collections.Counter()
left_out = collections.Counter()


class LeftOut(Exception):
    """A case that SQLite's SQL, or Braid's, cannot say; its text is the reason."""


# ---- Values ----------------------------------------------------------------------------------------------------------


def instant(text, zone=None):
    """Microseconds since 1970 of a time, read in `zone` when it has no offset; None for other text."""
    found = TIME.match(text.strip())
    if not found or not 1 <= int(found[1]) <= 9999:
        return None
    year, month, day, hour, minute, second = (int(part or 0) for part in found.groups()[:6])
    micro = int((found[7] or "0").ljust(6, "0"))
    local = datetime.datetime(year, month, day, hour, minute, second, micro)
    offset = found[8]
    if offset and offset != "Z":
        digits = offset[1:].replace(":", "").ljust(6, "0")
        ahead = datetime.timedelta(hours=int(digits[:2]), minutes=int(digits[2:4]), seconds=int(digits[4:6]))
        local -= ahead if offset[0] == "+" else -ahead
    elif zone and not offset:
        local = local.replace(tzinfo=zone).astimezone(UTC).replace(tzinfo=None)
    return round((local - datetime.datetime(1970, 1, 1)) / datetime.timedelta(microseconds=1))


def normal(value):
    if value is None or value == "NULL":
        return None
    text = str(value).strip()
    if text.startswith("{") and text.endswith("}"):  # PostgreSQL's array
        return "[" + text[1:-1] + "]"
    at = instant(text)
    if at is not None:
        return at
    if text in ("t", "f"):
        return int(text == "t")
    try:
        return float(text)
    except ValueError:
        return text.lower()


def rows_of(rows):
    return [[normal(value) for value in row] for row in rows]


# ---- Running ---------------------------------------------------------------------------------------------------------


class Session:
    """Statements of one connection; each query's rows stand between two marks."""

    def __init__(self):
        self.script = []
        self.checks = []

    def setup(self, sql):
        self.script.append(sql.rstrip().rstrip(";") + ";")

    def query(self, name, sql, expected, ordered):
        number = len(self.checks)
        self.script += [f"SELECT 'step {number}' AS step;", sql.rstrip().rstrip(";") + ";"]
        self.checks.append((name, sql, expected, ordered))

    def error(self, name, sql):
        self.query(name, sql, None, False)

    def run(self):
        with tempfile.TemporaryDirectory() as work:
            done = subprocess.run([BRAID, "--json", "--keep-going", os.path.join(work, "db"), "-f", "-"], input="\n".join(self.script), capture_output=True, text=True, timeout=280)
        answers, current = {}, None
        decoder, text = json.JSONDecoder(), done.stdout.strip()
        while text:
            rows, end = decoder.raw_decode(text)
            text = text[end:].strip()
            if rows and str(rows[0].get("step", "")).startswith("step "):
                current = int(rows[0]["step"].split()[1])
            elif current is not None:
                answers.setdefault(current, rows)
        for number, (name, sql, expected, ordered) in enumerate(self.checks):
            counts["checked"] += 1
            got = answers.get(number)
            if expected is None:
                if got is not None:
                    failures.append(f"{name}: no error\n  {sql}\n  {got}")
                continue
            if got is None:
                failures.append(f"{name}: failed\n  {sql}\n  {done.stderr[-2000:]}")
                continue
            actual, wanted = rows_of(list(row.values()) for row in got), rows_of(expected)
            if not ordered:
                actual, wanted = sorted(actual, key=repr), sorted(wanted, key=repr)
            if actual != wanted:
                failures.append(f"{name}\n  {sql}\n  wanted {wanted}\n  got    {actual}")


def leave(name, reason):
    counts["left out"] += 1
    left_out[reason] += 1
    if "-v" in sys.argv:
        print(f"left out: {name}: {reason}")


# ---- PostgreSQL's text in SQLite's -----------------------------------------------------------------------------------


def split_top(text):
    """Parts between commas outside of parentheses, brackets and quotes."""
    parts, depth, quoted, start = [], 0, False, 0
    for i, c in enumerate(text):
        if c == "'":
            quoted = not quoted
        elif not quoted and c in "([":
            depth += 1
        elif not quoted and c in ")]":
            depth -= 1
        elif not quoted and not depth and c == ",":
            parts.append(text[start:i])
            start = i + 1
    return parts + [text[start:]]


def literal(text, with_zone, zone):
    """A time as text in UTC."""
    if "infinity" in text.lower():
        return f"'{text}'"
    at = instant(text, zone if with_zone else None)
    if at is None:
        raise LeftOut("years outside of 1 to 9999, which the time text cannot tell")
    return "'" + (datetime.datetime(1970, 1, 1) + datetime.timedelta(microseconds=at)).isoformat(" ") + "'"


def months_of(match, zone):
    first, last, kind = match[1], match[2], match[3]
    year, month = int(first[:4]), int(first[5:7])
    values = []
    while f"{year:04}-{month:02}{first[7:]}" <= last:
        values.append(f"({literal(f'{year:04}-{month:02}{first[7:]}', 'tz' in kind, zone)})")
        year, month = (year, month + 1) if month < 12 else (year + 1, 1)
    return f"FROM (SELECT column1 AS time FROM (VALUES {', '.join(values)}))"


def array_rows(match):
    values = [value.strip() for value in split_top(match[1])]
    if match[2] and "int" in match[2]:
        values = [value.strip("'") for value in values]
    return f"FROM (SELECT column1 AS {match[3]} FROM (VALUES {', '.join(f'({value})' for value in values)}))"


def translated(sql, zone):
    if re.search(r"time::timestamp\b", sql):
        raise LeftOut("a cast between timestamp and timestamptz: Braid's times are instants")
    if re.search(r"::?\s*smallint|::int\b", sql) and "unnest" not in sql:
        raise LeftOut("ranges of int2 and int4: SQLite's integers have 64 bits")
    if re.search(r"'\s*\)?\s*[-+]\s*\(?\s*(INTERVAL|TIMESTAMP)|\)\s*[-+]\s+(INTERVAL|\(TIMESTAMP)|time\s*-\s*\(TIMESTAMP", sql):
        raise LeftOut("arithmetic with +/- of times and intervals, which SQLite does not have")
    if re.search(r"DATE '|date '|::date", sql) and re.search(r"hour|minutes'", sql):
        raise LeftOut("dates as a type, whose buckets may not be shorter than a day")
    sql = re.sub(r"FROM generate_series\('([^']*)'::\w+,\s*'([^']*)'::(\w+),\s*'1month'::interval\) time", lambda m: months_of(m, zone), sql)
    sql = re.sub(r"-\s*INTERVAL\s*'([^']*)'", r"'-\1'", sql, flags=re.I)
    sql = re.sub(r"\bINTERVAL\s*'([^']*)'", r"'\1'", sql, flags=re.I)
    sql = re.sub(r"\b(timestamp with time zone|timestamptz)\s*'([^']*)'", lambda m: literal(m[2], True, zone), sql, flags=re.I)
    sql = re.sub(r"\b(timestamp without time zone|timestamp|date)\s*'([^']*)'", lambda m: literal(m[2], False, zone), sql, flags=re.I)
    sql = re.sub(r"'([^']*)'::timestamptz", lambda m: literal(m[1], True, zone), sql, flags=re.I)
    sql = re.sub(r"FROM unnest\(\s*ARRAY\[(.*?)\](::\w+\[\])?\s*\) AS (\w+)", array_rows, sql, flags=re.I | re.S)
    sql = re.sub(r"(timezone|\"offset\")\s*:=\s*", "", sql)
    sql = re.sub(r"'(-?\d+)'::(bigint|int|smallint)", r"\1", sql)
    sql = re.sub(r"::\w+(\[\])?", "", sql)
    sql = re.sub(r"repeat\('(\w+)', (\d+)\)", r"replace(hex(zeroblob(\2)), '00', '\1')", sql)
    sql = re.sub(r"\bleft\((.*?), (\d+)\)", r"substr(\1, 1, \2)", sql)
    return sql.replace("PUBLIC.", "")


def without_date_trunc(sql, rows):
    """The select list without the columns that only show date_trunc."""
    match = re.match(r"\s*SELECT (.*?)\s+FROM ", sql, flags=re.S)
    if not match or "date_trunc" not in match[1]:
        return sql, rows
    parts = split_top(match[1])
    kept = [i for i, part in enumerate(parts) if "date_trunc" not in part]
    if len(kept) < 2:
        raise LeftOut("date_trunc, which SQLite does not have")
    return sql.replace(match[1], ", ".join(parts[i] for i in kept), 1), [[row[i] for i in kept] for row in rows]


# Answers of ours that differ from TimescaleDB's on purpose.
DIFFERS = {
    760: "an answer that exists is given where TimescaleDB's arithmetic leaves the range",
}


def timescale(name, wanted=lambda step: True, setup=True):
    path = CASES / "timescale" / "apache2" / name
    case = json.loads(path.read_text())
    zone = zoneinfo.ZoneInfo(case["session"]["TimeZone"])
    session = Session()
    for step in case["steps"]:
        label, sql = f"{name}:{step['line']}", step["sql"]
        found = re.search(r"SET\s+(?:SESSION\s+)?time\s*zone\s*(?:TO|=)?\s*'([^']*)'", sql, flags=re.I)
        if found:
            zone = zoneinfo.ZoneInfo(found[1])
            continue
        if step["kind"] == "setup":
            if setup and not re.search(r"create_hypertable|CREATE INDEX|^\s*SET|generate_series|bookend_two", sql):
                sql = re.sub(r"^\s*TRUNCATE (?:TABLE )?", "DELETE FROM ", sql)
                # SQLite wants the columns named when a row has fewer values.
                found = re.match(r"INSERT INTO btest VALUES\s*\((.*)\)", sql)
                sql = re.sub(r"\btimestamp(tz)?\b(?= NOT NULL|,)", "TEXT COLLATE braid_time", sql) if sql.startswith("CREATE TABLE") else sql
                if found and len(split_top(found[1])) == 4:
                    sql = sql.replace("btest VALUES", "btest(time, time_alt, gp, temp) VALUES")
                session.setup(translated(sql, zone))
            continue
        if not wanted(step):
            continue
        try:
            if step["line"] in DIFFERS and "timestamp" in name:
                raise LeftOut(DIFFERS[step["line"]])
            if re.search(r"generate_series|bookend_two", sql) and "1month" not in sql:
                raise LeftOut("generate_series, which SQLite does not have")
            sql = translated(sql, zone)
            if step["kind"] == "error":
                session.error(label, sql)
                continue
            sql, rows = without_date_trunc(sql, step["rows"])
            # An interval that is only shown is written in PostgreSQL's way.
            if sql.lstrip().startswith("SELECT int_def"):
                sql, rows = sql.replace("SELECT int_def, ", "SELECT ", 1), [row[1:] for row in rows]
            session.query(label, sql, rows, step.get("ordered", False))
        except LeftOut as reason:
            leave(label, str(reason))
    session.run()


# ---- DuckDB's sqllogictest -------------------------------------------------------------------------------------------


def blocks(name):
    """(line, heading, SQL, rows) of each block."""
    lines = (CASES / "duckdb_cases" / name).read_text().split("\n")
    i = 0
    while i < len(lines):
        if not lines[i].startswith(("statement", "query")):
            i += 1
            continue
        start, sql, rows = i, [], []
        i += 1
        while i < len(lines) and lines[i].strip() and lines[i] != "----":
            sql.append(lines[i])
            i += 1
        if i < len(lines) and lines[i] == "----":
            i += 1
            while i < len(lines) and lines[i].strip():
                rows.append(lines[i].split("\t"))
                i += 1
        yield start + 1, lines[start], "\n".join(sql), rows


CLOCK = "buckets shorter than a day in a zone: ours follow its clock, as TimescaleDB's do, DuckDB's the time that passes"
DUCKDB_DIFFERS = {
    ("test_time_bucket_date.test", 102): "dates as a type, whose buckets have no time of day",
    ("test_icu_time_bucket_timestamptz.test", 843): CLOCK,
    ("test_icu_time_bucket_timestamptz.test", 915): CLOCK,
    ("test_icu_time_bucket_timestamptz.test", 1059): CLOCK,
}


def duckdb_buckets(name):
    """The tables hold widths, times, shifts and origins; only what time_bucket answers is compared."""
    session, kept = Session(), []
    for line, heading, sql, rows in blocks(name):
        label = f"{name}:{line}"
        if heading.startswith("statement ok"):
            if sql.upper().startswith(("SET", "PRAGMA", "CREATE TABLE TIMES(")):
                continue
            found = re.match(r"INSERT INTO \w+ VALUES (.*),?\s*;", sql, flags=re.S)
            if not found:
                session.setup(sql)
                continue
            values = [value.strip() for value in split_top(found[1]) if value.strip()]
            kept = ["(BC)" not in value for value in values]
            head = sql[: sql.index("VALUES")]
            session.setup(head + "VALUES " + ", ".join(value for value, keep in zip(values, kept) if keep))
            continue
        if "time_bucket" not in sql:
            continue
        if heading.startswith("statement error"):
            if re.search(r"'-3 hours'|'-1 month'|'1 month 1 day'", sql):
                session.error(label, re.sub(r"::\w+", "", sql))
            else:
                leave(label, "errors of DuckDB's types and ranges")
            continue
        if (name, line) in DUCKDB_DIFFERS:
            leave(label, DUCKDB_DIFFERS[name, line])
            continue
        if len(rows) != len(kept):
            leave(label, "not over the table of times")
            continue
        sql = re.sub(r"::\w+", "", sql)
        parts = split_top(re.match(r"select (.*) from", sql, flags=re.S | re.I)[1])
        places = [i for i, part in enumerate(parts) if "time_bucket" in part]
        expected = [[row[i] for i in places] for row, keep in zip(rows, kept) if keep]
        chosen = sql.replace(",".join(parts), ", ".join(parts[i] for i in places), 1)
        # An origin at infinity gives NULL there; here it is no time.
        chosen = re.sub(r"\borigin\b", "CASE WHEN origin LIKE '%infinity' THEN NULL ELSE origin END", chosen)
        session.query(label, chosen, expected, True)
    session.run()


# ASOF joins by hand: file, line of the query there, and what says the same here. `events` is a hypertable, `probe` a plain table; a probe
# without time or at infinity, and an event without time, cannot be asked.
ASOF_EVENTS = {
    "test_asof_join_timestamps.test": ["('2023-03-21 13:00:00', 0), ('2023-03-21 14:00:00', 1), ('2023-03-21 15:00:00', 2), ('2023-03-21 16:00:00', 3)", ["2023-03-21 %02d:00:00" % hour for hour in range(12, 22)]],
    "test_asof_join_inequalities.test": ["('2023-03-21 13:00:00', 0), ('2023-03-21 14:00:00', 1), ('2023-03-21 15:00:00', 2), ('2023-03-21 16:00:00', 3)", ["2023-03-21 %02d:00:00" % hour for hour in range(12, 22)]],
}
LATERAL = "(SELECT {column} FROM events e WHERE e.begin {sign} p.begin ORDER BY e.begin {way} LIMIT 1)"


def asof_forms(sign):
    """The value of the event by a subquery and by asof()."""
    way = "DESC" if sign.startswith("<") else ""
    yield "subquery", "SELECT p.begin, " + LATERAL.format(column="e.value", sign=sign, way=way) + " AS value FROM probe p"
    if sign.endswith("="):
        direction = "backward" if sign == "<=" else "forward"
        yield "asof()", f"SELECT p.begin, e.fields ->> 'value' AS value FROM probe p LEFT JOIN asof('events', p.begin) e ON true" if direction == "backward" else \
            f"SELECT p.begin, e.fields ->> 'value' AS value FROM probe p LEFT JOIN asof('events', p.begin, NULL, NULL, 'forward') e ON true"
        yield "asof_value()", f"SELECT p.begin, asof_value('events', 'value', p.begin, NULL, NULL, '{direction}') AS value FROM probe p"


def duckdb_asof():
    signs = {">=": "<=", ">": "<", "<=": ">=", "<": ">"}
    for name, (events, probes) in ASOF_EVENTS.items():
        session = Session()
        session.setup("CREATE VIRTUAL TABLE events USING hypertable(begin TIMESTAMP, value BIGINT)")
        session.setup(f"INSERT INTO events VALUES {events}")
        session.setup("CREATE TABLE probe(begin TEXT)")
        session.setup("INSERT INTO probe VALUES " + ", ".join(f"('{probe}')" for probe in probes))
        seen = set()
        for line, heading, sql, rows in blocks(name):
            if "ASOF" not in sql:
                continue
            label = f"{name}:{line}"
            found = re.search(r"FROM probe0 p ASOF (LEFT |RIGHT |SEMI |ANTI )?JOIN events0 e\s+(ON p.begin (>=|>|<=|<) e.begin|USING \(begin\))\s+ORDER BY", sql)
            kind = (found[1] or "").strip() if found else None
            if not found or kind == "RIGHT":
                leave(label, "ASOF forms other than a join of two tables on one inequality; RIGHT and FULL ASOF")
                continue
            if label in seen:
                continue
            seen.add(label)
            sign = signs[found[3] or ">="]
            finite = [row for row in rows if row[0] in probes]
            for form, base in asof_forms(sign):
                # Events at infinity are none of ours: what DuckDB finds there is nothing here.
                wanted = [[row[0], None if len(row) == 3 and "infinity" in row[1] else row[-1]] for row in finite] if kind in ("", "LEFT") else [[row[0]] for row in finite]
                if kind == "":
                    wanted = [row for row in wanted if row[1] is not None]
                    base = f"SELECT * FROM ({base}) WHERE value IS NOT NULL"
                elif kind in ("SEMI", "ANTI"):
                    if name.endswith("inequalities.test"):
                        break
                    base = f"SELECT begin FROM ({base}) WHERE value IS {'NOT ' if kind == 'SEMI' else ''}NULL"
                session.query(f"{label} as {form}", base, wanted, False)
        session.run()


def main():
    if not (CASES / "timescale").is_dir() or not (CASES / "duckdb_cases").is_dir():
        print(f"skipped: there is no {CASES}/timescale or duckdb_cases (BRAID_SHARED names the place)")
        return 77
    timescale("time_bucket__timestamp.json", lambda step: "time_bucket" in step["sql"], setup=False)
    timescale("histogram__histogram.json")
    timescale("first_last__agg_bookends.json")
    duckdb_buckets("test_time_bucket_timestamp.test")
    duckdb_buckets("test_time_bucket_date.test")
    duckdb_buckets("test_icu_time_bucket_timestamptz.test")
    duckdb_asof()
    for reason, count in left_out.items():
        print(f"{count} left out: {reason}")
    for failure in failures:
        print(f"FAILED: {failure}")
    print(f"{counts['checked']} checked, {counts['left out']} left out, {len(failures)} failed")
    return 1 if failures or counts["checked"] == 0 else 0


sys.exit(main())
