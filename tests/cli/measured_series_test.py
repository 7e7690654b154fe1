#!/usr/bin/env python3
"""Series that were measured, with repeated, late and missing values: what Braid answers is what plain code finds in the same rows.

usage: measured_series_test.py path/to/braid [folder of shared data]
"""

import collections
import csv
import gzip
import io
import math
import os
import sys
import tempfile

from answer_rows import ask, instant
from braid_command import FAILURES, braid, check
from shared_data import shared

WEATHER_NULL = "NA"
WEATHER_FIELDS = ["temp", "dewp", "humid", "wind_dir", "wind_speed", "wind_gust", "precip", "pressure", "visib"]


def kept_points(rows, policy):
    """(series, time) → value, of (series, time, value) in the order of arrival."""
    points = {}
    for series, time, value in rows:
        if policy == "replace" or (series, time) not in points:
            points[series, time] = value
    return points


def summaries(points):
    """series → count of points, of values, first, last, least, greatest and mean value, first and last time."""
    by_series = {}
    for (series, time), value in points.items():
        by_series.setdefault(series, []).append((time, value))
    found = {}
    for series, pairs in by_series.items():
        pairs.sort(key=lambda pair: pair[0])
        values = [value for _, value in pairs if value is not None]
        mean = math.fsum(values) / len(values) if values else None
        found[series] = [len(pairs), len(values), pairs[0][1], pairs[-1][1], min(values, default=None), max(values, default=None), mean,
                         pairs[0][0], pairs[-1][0]]
    return found


def summaries_in_braid(database, table, tag, field):
    rows = ask(database, f"SELECT {tag}, count(*), count({field}), first({field}, time), last({field}, time), min({field}), max({field}),"
                         f" avg({field}), min(time), max(time) FROM {table} GROUP BY {tag}")
    return {series: [*numbers, instant(start), instant(end)] for series, *numbers, start, end in rows}


def same_summary(wanted, found):
    return all(a is b is None or (a is not None and b is not None and math.isclose(a, b, rel_tol=1e-9)) for a, b in zip(wanted, found))


def compare(database, table, tag, field, points, what):
    wanted, found = summaries(points), summaries_in_braid(database, table, tag, field)
    check(wanted.keys() == found.keys(), f"{what}: the series", str(wanted.keys() ^ found.keys()))
    for series in wanted.keys() & found.keys():
        check(same_summary(wanted[series], found[series]), f"{what}: {series}", f"expected {wanted[series]}, there is {found[series]}")


def read_nab():
    with gzip.open(shared("data", "nab", "nab_long.csv.gz"), "rt", encoding="utf-8") as file:
        text = file.read()
    rows = [(row["series"], instant(row["timestamp"]), float(row["value"])) for row in csv.DictReader(io.StringIO(text))]
    return text, rows


def test_policies(text, rows):
    """Repeated timestamps: the later value, the earlier one, or none at all."""
    repeated = len(rows) - len(kept_points(rows, "replace"))
    check(repeated > 0, "the data has repeated timestamps")
    for policy in ("replace", "ignore"):
        braid("nab", f"CREATE VIRTUAL TABLE nab_{policy} USING hypertable(timestamp TIMESTAMP, series TEXT TAG, value DOUBLE,"
                     f" chunk_interval='7 days', on_conflict='{policy}')")
        braid("import", "nab", "-", "--hypertable", f"nab_{policy}", "--tag", "series", text=text)
        points = kept_points(rows, policy)
        view = f"(SELECT timestamp AS time, series, value FROM nab_{policy})"
        compare("nab", view, "series", "value", points, f"nab, {policy}")
        # Loaded again, nothing is new.
        braid("import", "nab", "-", "--hypertable", f"nab_{policy}", "--tag", "series", text=text)
        compare("nab", view, "series", "value", points, f"nab, {policy}, loaded twice")
    braid("nab", "CREATE VIRTUAL TABLE nab_error USING hypertable(timestamp TIMESTAMP, series TEXT TAG, value DOUBLE, on_conflict='error')")
    _, errors = braid("import", "nab", "-", "--hypertable", "nab_error", "--tag", "series", text=text, code=1)
    check("a point exists" in errors, "a repeated timestamp is refused by name", errors)
    check(ask("nab", "SELECT count(*) FROM nab_error") == [[0]], "a load that fails leaves nothing")
    braid("check", "nab")


def test_described(rows):
    """What is told about the data by its maintainers: rows that arrived, and the first and last time."""
    with open(shared("data", "nab", "series.csv"), encoding="utf-8") as file:
        described = list(csv.DictReader(file))
    arrived = collections.Counter(series for series, _, _ in rows)
    found = {row[0]: row for row in ask("nab", "SELECT series, min(timestamp), max(timestamp) FROM nab_replace GROUP BY series")}
    check(len(described) == len(found), "as many series as are described", f"{len(described)}, {len(found)}")
    check(any(int(one["backward_steps"]) > 0 for one in described), "the data has late points")
    for one in described:
        _, start, end = found[one["series"]]
        check(int(one["rows"]) == arrived[one["series"]], f"{one['series']}: rows", f"{one}, {arrived[one['series']]}")
        check([instant(one["first"]), instant(one["last"])] == [instant(start), instant(end)], f"{one['series']}: its time", f"{start} {end}")


def read_weather():
    with open(shared("data", "nyc-weather", "weather.csv"), encoding="utf-8") as file:
        text = file.read()
    return text, list(csv.DictReader(io.StringIO(text)))


def weather_points(rows, field):
    return kept_points(((row["origin"], instant(row["time_hour"]), None if row[field] == WEATHER_NULL else float(row[field])) for row in rows),
                       "replace")


def test_weather():
    """NA is NULL: a point without the value, left out of every aggregate."""
    text, rows = read_weather()
    fields = ", ".join(f"{field} DOUBLE" for field in WEATHER_FIELDS)
    braid("weather", "CREATE VIRTUAL TABLE weather USING hypertable(time_hour TIMESTAMP, origin TEXT TAG, year BIGINT, month BIGINT,"
                     f" day BIGINT, hour BIGINT, {fields})")
    braid("import", "weather", "-", "--hypertable", "weather", "--tag", "origin", "--null", WEATHER_NULL, text=text)
    points = weather_points(rows, "temp")
    counted = ask("weather", "SELECT count(*) FROM weather")
    check(counted == [[len(points)]], "the points of the weather", f"{len(points)}, {counted}")
    for field in WEATHER_FIELDS:
        view = f"(SELECT time_hour AS time, origin, {field} FROM weather)"
        compare("weather", view, "origin", field, weather_points(rows, field), f"weather, {field}")
    missing = sum(value is None for value in weather_points(rows, "wind_gust").values())
    check(missing > 0, "the weather has missing values")
    check(ask("weather", "SELECT count(*) FROM weather WHERE wind_gust IS NULL") == [[missing]], "missing values are NULL")
    braid("check", "weather")


def main():
    text, rows = read_nab()
    shared("data", "nyc-weather", "weather.csv")
    with tempfile.TemporaryDirectory() as directory:
        os.chdir(directory)
        test_policies(text, rows)
        test_described(rows)
        test_weather()
    print(f"{len(FAILURES)} failures")
    return 1 if FAILURES else 0


if __name__ == "__main__":
    sys.exit(main())
