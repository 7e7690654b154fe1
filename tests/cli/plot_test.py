#!/usr/bin/env python3
"""`braid plot`: lines where the values are, as SVG and on the terminal, and clear words for what cannot be drawn.

usage: plot_test.py path/to/braid
"""

import os
import re
import sys
import tempfile
import xml.etree.ElementTree

from braid_command import FAILURES, braid, check

SVG = "{http://www.w3.org/2000/svg}"
HOURS = "SELECT time, host, usage FROM cpu ORDER BY time"


def same(what, got, wanted):
    check(got == wanted, what, f"{got!r} instead of {wanted!r}")


def prepare():
    braid("p.db", """CREATE VIRTUAL TABLE cpu USING hypertable(time TIMESTAMPTZ, host TEXT TAG, usage REAL);
        WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 99)
        INSERT INTO cpu SELECT 1700000000000000 + i * 60000000, 'host ' || (i % 2), CASE WHEN i BETWEEN 40 AND 45 THEN NULL ELSE i END FROM n""")


def paths(svg):
    """The points of each line, by the line's name."""
    found = {}
    for path in xml.etree.ElementTree.fromstring(svg).iter(SVG + "path"):
        title = path.find(SVG + "title")
        if title is not None:
            found[title.text] = [[tuple(map(float, point.split())) for point in part.split("L")] for part in path.get("d").split("M")[1:]]
    return found


def test_svg():
    out = braid("plot", "p.db", HOURS, "--svg", "-")[0]
    lines = paths(out)
    same("a line for each text", sorted(lines), ["host 0", "host 1"])
    same("NULL is a gap", [len(part) for part in lines["host 0"]], [20, 27])
    rising = [y for part in lines["host 1"] for _, y in part]
    same("a rising value rises", rising == sorted(rising, reverse=True) and rising[0] != rising[-1], True)
    across = [x for part in lines["host 1"] for x, _ in part]
    same("time goes to the right", across == sorted(across), True)
    texts = [text.text for text in xml.etree.ElementTree.fromstring(out).iter(SVG + "text")]
    same("times at the axis", any(re.fullmatch(r"\d\d:\d\d", text or "") for text in texts), True)
    same("the span is told", any("2023-11-1" in (text or "") and "UTC" in text for text in texts), True)
    out = braid("plot", "p.db", "SELECT n.value, n.value * n.value AS square, 7 - n.value AS '<rest>' FROM json_each('[3,1,2]') n", "--svg", "-")[0]
    lines = paths(out)
    same("a line for each column", sorted(lines), ["<rest>", "square"])
    same("x is brought into order", [x for x, _ in lines["square"][0]] == sorted(x for x, _ in lines["square"][0]), True)


def test_terminal():
    out = braid("plot", "p.db", HOURS, "--width", "60", "--height", "10")[0]
    rows = out.splitlines()
    same("as high as asked", len(rows), 10 + 4)
    same("as wide as asked", max(map(len, rows)) <= 60, True)
    same("the lines are named", "host 0" in rows[0] and "host 1" in rows[0], True)
    dots = [row for row in rows if any(0x2800 < ord(c) < 0x2900 for c in row)]
    same("there are dots in most rows", len(dots) >= 8, True)
    same("no colour without a terminal", "\x1b" in out, False)


def test_one_point():
    same("one point is seen", "<circle" in braid("plot", "p.db", "SELECT 1, 5", "--svg", "-")[0], True)
    same("on the terminal too", any(0x2800 < ord(c) < 0x2900 for c in braid("plot", "p.db", "SELECT 1, 5")[0]), True)


def test_refused():
    for name, sql, words in [
        ("no rows", "SELECT time, usage FROM cpu WHERE host = 'none'", "no rows"),
        ("one column", "SELECT usage FROM cpu", "two columns"),
        ("no number", "SELECT time, host FROM cpu", "no numbers"),
        ("x is neither", "SELECT host, usage FROM cpu", "expected a time or a number"),
        ("x is NULL", "SELECT NULL, 1", "not NULL"),
        ("x is both", "SELECT 1, 2 UNION ALL SELECT '2024-01-01', 2", "one or the other"),
        ("a blob", "SELECT 1, x'00'", "blob"),
        ("two statements", "SELECT 1, 2; SELECT 3, 4", "second statement"),
        ("nothing", "-- nothing", "no statement"),
        ("a write", "DELETE FROM cpu", "reads only"),
        ("too many lines", "SELECT 1, 'l' || value, value FROM json_each('[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,"
         "28,29,30,31,32,33,34,35,36,37,38,39,40]')", "more than 12 lines"),
        ("an error", "SELECT nothing FROM cpu", "nothing"),
    ]:
        error = braid("plot", "p.db", sql, "--svg", "kept.svg", code=1)[1]
        check(words in error, f"{name}: says why", error)
    same("no file is left", os.path.exists("kept.svg"), False)
    braid("plot", "none.db", "SELECT 1, 2", code=1)
    same("a missing database is not made", os.path.exists("none.db"), False)


with tempfile.TemporaryDirectory() as directory:
    os.chdir(directory)
    prepare()
    test_svg()
    test_terminal()
    test_one_point()
    test_refused()
sys.exit(1 if FAILURES else 0)
