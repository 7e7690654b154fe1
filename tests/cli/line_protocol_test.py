#!/usr/bin/env python3
"""`braid import` of InfluxDB's line protocol: what is read comes back, and a bad line leaves nothing behind.

usage: line_protocol_test.py path/to/braid
"""

import json
import os
import sys
import tempfile

from braid_command import FAILURES, braid, check

GOOD = r'''# a comment
weather,location=us-midwest,season=summer temperature=82,humidity=71i 1465839830100400200

weather,location=us-midwest temperature=75.5,storm=true 1465839830100400200
weather,location=us-east\ coast\,\ north temperature=-3e-2,note="a ""quoted"" \"text\", with = and , and
a newline" 1465839830100400000
other\ things,a\=b=c value=1i 5000
other\ things value=2.5 6000
'''.replace('""', "")


def same(what, got, wanted):
    check(got == wanted, what, f"{got!r} instead of {wanted!r}")


def write(text, name="points.lp"):
    with open(name, "w", encoding="utf-8", newline="") as out:
        out.write(text)


def ask(database, sql):
    return json.loads(braid("-json", database, sql)[0])


def test_read():
    write(GOOD)
    braid("import", "l.db", "points.lp")
    rows = ask("l.db", "SELECT * FROM weather ORDER BY location, season, time")
    same("points", len(rows), 3)
    first = rows[0]
    same("escapes in tags", first["location"], "us-east coast, north")
    same("a text with a newline", first["note"], 'a quoted "text", with = and , and\na newline')
    same("a negative number", first["temperature"], -0.03)
    same("an absent tag is NULL", rows[1]["season"], None)
    same("a boolean", rows[1]["storm"], 1)
    same("an integer", rows[2]["humidity"], 71)
    same("nanoseconds are cut", rows[2]["time"], "2016-06-13 17:43:50.1004")
    things = ask("l.db", 'SELECT "a=b" AS tag, value FROM "other things" ORDER BY time')
    same("names with blanks; an integer among doubles", things, [{"tag": "c", "value": 1.0}, {"tag": None, "value": 2.5}])


def test_again():
    braid("import", "l.db", "points.lp")
    same("twice changes nothing", ask("l.db", "SELECT count(*) AS n FROM weather"), [{"n": 3}])
    write("weather,location=us-midwest,season=summer wind=3 1465839830100400200\n")
    error = braid("import", "l.db", "points.lp", code=1)[1]
    same("with the way to add it", "hypertable_alter('weather', 'add', 'wind'" in error, True)
    write("weather,location=us-midwest,season=summer temperature=1 1465839830100400200\n")
    braid("import", "l.db", "points.lp")
    row = ask("l.db", "SELECT temperature, humidity FROM weather WHERE season = 'summer'")[0]
    same("a line adds its fields to the point", row, {"temperature": 1.0, "humidity": 71})


def test_units():
    write("m v=1 1700000000\nm v=2\n")
    braid("import", "u.db", "points.lp", "--time-unit", "s")
    rows = ask("u.db", "SELECT v, time FROM m ORDER BY time")
    same("seconds", rows[0], {"v": 1.0, "time": "2023-11-14 22:13:20"})
    same("without a time it is now", rows[1]["time"] > "2025", True)
    braid("import", "u2.db", "-", "--line-protocol", text="m v=1 1\r\nm v=2 2000\r\n")
    same("from a pipe, with CRLF", ask("u2.db", "SELECT count(*) AS n FROM m"), [{"n": 2}])


def test_other_time_column():
    braid("t.db", "CREATE VIRTUAL TABLE m USING hypertable(at TIMESTAMP, host TEXT TAG, time BIGINT)")
    write("m,host=a time=5i 1000\n")
    braid("import", "t.db", "points.lp")
    same("a field named time beside another time column", ask("t.db", "SELECT host, time FROM m"), [{"host": "a", "time": 5}])


def test_refused():
    for line, words in [
        ("m", "expected a blank and the fields"),
        ("m ", "the name of a field"),
        ("m v", "expected = and the value"),
        ("m v=", "no value"),
        ("m v=1x", "no value"),
        ("m v=12345678901234567890i", "9223372036854775807"),
        ("m v=18446744073709551615u", "out of range: integers, with i or u"),
        ('m v="open', "not closed"),
        ("m v=1 now", "no time"),
        ("m v=1 1 2", "no time"),
        ("m v=1 99999999999999999999", "no time"),
        ("m,t v=1", "expected = and the value of the tag"),
        ("m,t=a,t=b v=1", "twice"),
        ("m v=1,v=2", "twice"),
        ("m,Host=a,host=b v=1", "Host and host differ in the case"),
        ("m V=1,v=2", "V and v differ in the case"),
        ("m,Host=a v=1\nm,host=b v=1", "Host and host of m differ in the case"),
        ("m V=1\nm v=2", "V and v of m differ in the case"),
        ("M v=1\nm v=2", "M and m differ in the case"),
        ("m time=1", "the name of the time column"),
        ("m,Time=a v=1", "the name of the time column"),
        (",t=a v=1", "the measurement"),
        ('m v=1\nm v="text"', "expected one type"),
        ("m,v=a w=1\nm v=1", "a tag in one line and a field in another"),
        ("", "no points"),
        ("m v=1 1\nm v=\udcff", "UTF-8"),
    ]:
        with open("bad.lp", "w", encoding="utf-8", errors="surrogateescape") as out:
            out.write("fine v=1 1\n" * bool(line) + line)
        error = braid("import", "bad.db", "bad.lp", code=1)[1]
        check(words in error and ("line" in error or not line), f"{line!r}: says why", error)
    same("nothing is left", ask("bad.db", "SELECT count(*) AS n FROM sqlite_schema WHERE name IN ('m', 'fine')"), [{"n": 0}])


with tempfile.TemporaryDirectory() as directory:
    os.chdir(directory)
    test_read()
    test_again()
    test_units()
    test_other_time_column()
    test_refused()
sys.exit(1 if FAILURES else 0)
