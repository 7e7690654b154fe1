"""What `braid export` writes is imported again, and `braid stats --prometheus` is what Prometheus reads.

usage: export_test.py path/to/braid
"""

import csv
import os
import re
import subprocess
import sys

from answers import compare
from braid_command import BRAID, braid, check, run_each
from random_database import Maker

PLAIN = """
CREATE TABLE stations(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, height REAL);
INSERT INTO stations VALUES(1, 'Süd, "alt"', 1.25), (2, '', NULL), (3, '007', -1e300);
CREATE TABLE "of no type"(a TEXT, n INTEGER REFERENCES stations(id));
INSERT INTO "of no type" VALUES('two
lines', 1), (NULL, 2);
CREATE INDEX by_height ON stations(height);
CREATE VIEW tall AS SELECT * FROM stations WHERE height > 1;
CREATE TABLE seen(what TEXT);
CREATE TRIGGER see AFTER INSERT ON stations BEGIN INSERT INTO seen VALUES(NEW.name); END;
SELECT graph_bind('Station', 'stations', 'name');
SELECT graph_create_index('Bus', 'number', 1);
INSERT INTO graph_nodes(labels, properties) VALUES('["Bus"]', '{"number": 1, "on": true, "tags": ["a", {"b": null}], "x": 0.1}');
INSERT INTO graph_nodes(labels, properties) VALUES('["Bus","Hot"]', '{"number": 2, "on": false, "x": 3, "at": {"$timestamp": "2024-01-01 00:00:00"}}');
INSERT INTO graph_nodes(labels, properties) VALUES('["Free.Form"]', '{"text": "007"}');
INSERT INTO graph_nodes(labels, properties) VALUES('["Free.Form"]', '{"text": "same"}');
INSERT INTO graph_nodes(properties) VALUES('{"lonely": 1}');
UPDATE graph_nodes SET properties = json_set(properties, '$.rank', 0.5) WHERE id = graph_node('Station', 'name', '007');
SELECT graph_link('Bus', 1, 'LINE', 'Bus', 2, '{"km": 12.5}'), graph_link('Bus', 1, 'LINE', 'Bus', 2, '{"km": 12}'),
       graph_link('Bus', 1, 'LINE', 'Station', '007', '{"source": "x"}');
INSERT INTO graph_edges(src, type, dst) SELECT max(id), 'to/from', min(id) FROM graph_nodes;
CREATE VIRTUAL TABLE load USING hypertable(time TIMESTAMP, bus INTEGER TAG, place TEXT TAG, mw DOUBLE, ok BOOLEAN, note TEXT, more JSON, horizon='90000 days');
INSERT INTO load VALUES('2024-01-01', 1, 'a', 1.5, 1, 'x', '[1]'), ('2024-01-01 00:00:00.000001', NULL, '', NULL, 0, '', NULL), ('2024-02-01', -3, NULL, 9e999, NULL, NULL, '{}');
SELECT hypertable_alter('load', 'set', 'horizon', '80000 days');
SELECT create_continuous_aggregate('daily', 'SELECT time_bucket(''1 day'', time) AS day, bus, count(*) AS n FROM load GROUP BY day, bus');
SELECT add_retention_policy('load', '90000 days');
"""


def make(work, name, script):
    path = os.path.join(work, name + ".sql")
    with open(path, "w", encoding="utf-8", newline="") as file:
        file.write(script)
    directory = os.path.join(work, name)
    braid(directory, "-f", path)
    return directory


def test_csv(work):
    original = make(work, "original", PLAIN)
    exported = os.path.join(work, "csv")
    output, errors = braid("export", original, exported)
    check(output == "" and errors == "", "an export says nothing when nothing is left out", output + errors)
    with open(os.path.join(exported, "rows", "stations.csv"), encoding="utf-8", newline="") as file:
        check(list(csv.reader(file))[1] == ["1", 'Süd, "alt"', "1.25"], "rows are CSV that others read")
    for file in ("nodes/Bus.csv", "nodes/Free%2eForm.csv", "edges/LINE.Bus.Bus.csv", "edges/LINE.Bus.Station.csv", "edges/to%2ffrom.csv", "series/load.csv"):
        check(os.path.exists(os.path.join(exported, file)), f"{file} is there", str(os.listdir(exported)))
    copy = os.path.join(work, "copy")
    output, errors = braid("import", copy, exported)
    check(output == "" and errors == "", "its import says nothing either", output + errors)
    compare(original, copy, "csv", check)
    again = os.path.join(work, "again")
    braid(again, text=f".import {exported}\n")
    compare(original, again, ".import", check)


VALUES = """
CREATE TABLE emp(id INTEGER PRIMARY KEY, boss INT REFERENCES emp(id));
INSERT INTO emp VALUES(2, NULL), (1, 2), (5, 3), (3, 1);
CREATE TABLE early(x INT REFERENCES late(y));
CREATE TABLE late(y INT UNIQUE);
INSERT INTO late VALUES(7);
INSERT INTO early VALUES(7);
CREATE TABLE texts(t TEXT, u TEXT);
INSERT INTO texts VALUES('a' || char(0) || 'b', 'NULL'), (char(0), ''), ('', ' x '), (NULL, 'Infinity');
CREATE TABLE alone(t TEXT);
INSERT INTO alone VALUES('a'), (NULL), (''), ('NULL'), ('"NULL"'), (NULL);
CREATE TABLE counts(n INTEGER);
INSERT INTO counts VALUES(1), (NULL), (2);
CREATE TABLE loose(n INTEGER, b BOOLEAN, r REAL, d DATE, w, i, f, x);
INSERT INTO loose VALUES('abc', 7, 'xyz', 5, 'text', 1, 0.1, 9e999), (1.5, 'true', 9e999, '2024-01-01', '1', -2, 1e300, -9e999), (3, 0, 0.1, 2.5, '', NULL, 3.0, 1.5);
CREATE TABLE exact(i INT, a ANY, b ANY) STRICT;
INSERT INTO exact VALUES(1, 5, 'x'), (NULL, 9007199254740993, '5');
"""


def values(directory, table):
    """The rows with the types of their values."""
    return braid(directory, text=f".mode insert\nSELECT * FROM {table};\n")[0]


def test_values(work):
    original = make(work, "original", VALUES)
    exported = os.path.join(work, "csv")
    _, errors = braid("export", original, exported)
    check(errors.count("\n") == 1 and 'rows/loose.csv: column "r": Infinity becomes text (first in row 2)' in errors, "what CSV does not keep is told", errors)
    copy = os.path.join(work, "copy")
    output, errors = braid("import", copy, exported)
    check(output == "" and errors == "", "rows that refer to later ones are imported", output + errors)
    for table in ("emp", "early", "late", "texts", "alone", "counts", "exact"):
        check(values(copy, table) == values(original, table), f"{table} is the same", values(copy, table))
    kept = "(SELECT n, b, d, w, i, f, x FROM loose)"
    check(values(copy, kept) == values(original, kept), "loose is the same", values(copy, kept))


def test_losses(work):
    original = make(work, "original", "CREATE TABLE t(a, b ANY, c TEXT); INSERT INTO t VALUES(1, x'', 'x'), ('1', x'0a', CAST(x'ff' AS TEXT)), (NULL, NULL, NULL);")
    exported = os.path.join(work, "csv")
    _, errors = braid("export", original, exported)
    lines = errors.strip().split("\n")
    check(len(lines) == 3, "each column of which something is lost has a line", errors)
    for line, wanted in zip(lines, ("numbers become text (first in row 1)", "blobs become hexadecimal digits (first in row 1)", "not UTF-8 is refused by the import (first in row 2)")):
        check(wanted in line and "--format sql" in line and "rows/t.csv" in line, wanted, line)
    with open(os.path.join(exported, "rows", "t.csv"), "rb") as file:
        check(file.read().split(b"\n")[1] == b'1,"",x', "an empty blob is not NULL")
    _, errors = braid("import", os.path.join(work, "copy"), exported, code=1)
    check("not UTF-8" in errors, "the import says the same", errors)


def exported_and_back(work, name, script):
    """Exports as CSV and imports that; the new database, and what the export and the import said."""
    original, folder, back = make(work, name, script), os.path.join(work, name + "-csv"), os.path.join(work, name + "-back")
    _, warned = braid("export", original, folder)
    done = subprocess.run([BRAID, "import", back, folder], capture_output=True, text=True, timeout=240)
    return back, warned, done.stderr


def test_far_and_mixed(work):
    back, warned, _ = exported_and_back(work, "far", "CREATE VIRTUAL TABLE h USING hypertable(time TIMESTAMP, t TEXT TAG, v INTEGER);"
                                        "INSERT INTO h VALUES(9000000000000000000, 'a', 1), (400000000000000000, 'a', 2), ('0000-01-02', 'a', 3);")
    check(warned == "", "far years are exported", warned)
    rows, _ = braid(back, "--csv", "SELECT v FROM h ORDER BY time")
    check(rows.split()[1:] == ["3", "2", "1"], "far years come back", rows)

    edges = "SELECT s.properties ->> 'k', d.properties ->> 'k' FROM graph_edges e JOIN graph_nodes s ON s.id = e.src JOIN graph_nodes d ON d.id = e.dst ORDER BY e.id"
    nodes = "INSERT INTO graph_nodes(labels, properties) VALUES('[\"P\"]', '{\"k\": %s}');"
    script = "SELECT graph_create_index('P', 'k', 1);" + "".join(nodes % key for key in ("7", '"07"', "1", '"1"'))
    script += "".join(f"INSERT INTO graph_edges(src, type, dst) VALUES({a}, 'T', {b});" for a, b in ((3, 1), (1, 2), (4, 3)))
    back, warned, _ = exported_and_back(work, "mixed", script)
    rows, _ = braid(back, "--csv", edges)
    check(rows.split("\n")[1:4] == ["1,7", "7,07", "1,1"], "keys of two types stay apart", rows + warned)
    loops, _ = braid(back, "--csv", "SELECT count(*) FROM graph_edges WHERE src = dst")
    check(loops.split()[1] == "0", "1 and '1' are two nodes", loops)


def test_refusals_are_told(work):
    _, warned, refused = exported_and_back(work, "nul", "CREATE VIRTUAL TABLE h USING hypertable(time TIMESTAMP, t TEXT TAG, x TEXT);"
                                           "INSERT INTO h VALUES('2024-01-01', 'k' || char(0) || '1', 'a'), ('2024-01-01', 'k' || char(0) || '2', 'b');")
    check("NUL" in warned and "\"t\"" in warned and "sql" in warned, "an export warns of a NUL in points", warned)
    check("NUL" in refused and "line 2" in refused, "an import refuses it, and tells where", refused)
    _, warned, refused = exported_and_back(work, "case", "INSERT INTO graph_nodes(labels, properties) VALUES('[\"N\"]', '{\"name\":1,\"Name\":2}');")
    check("name" in warned and "Name" in warned and refused != "", "and of names that differ in case alone", warned + refused)
    back, warned, refused = exported_and_back(work, "ends", "INSERT INTO graph_nodes(labels, properties) VALUES('[\"N\"]', '{}');"
                                              "INSERT INTO graph_edges(src, type, dst, properties) VALUES(1, 'T', 1, '{\"Source\":1}');")
    check(warned == "" and refused == "", "a property Source stands beside the ends", warned + refused)
    rows, _ = braid(back, "--csv", "SELECT properties FROM graph_edges")
    check("Source" in rows, "and comes back", rows)
    _, warned, _ = exported_and_back(work, "equals", "INSERT INTO graph_nodes(labels, properties) VALUES('[\"a=b\"]', '{}');"
                                     "INSERT INTO graph_edges(src, type, dst) VALUES(1, 'T', 1);")
    check("a=b" in warned, "a label that the options cannot name is told", warned)


def test_search_of_a_view(work):
    original = make(work, "view", "CREATE TABLE t(id INTEGER PRIMARY KEY, a); INSERT INTO t VALUES(1, 'one'), (2, 'two');"
                    "CREATE VIEW v AS SELECT id, a FROM t; CREATE VIRTUAL TABLE f USING fts5(a, content='v', content_rowid='id');"
                    "INSERT INTO f(f) VALUES('rebuild');")
    script, _ = braid(original, ".dump")
    braid(os.path.join(work, "again"), text=script)
    rows, _ = braid(os.path.join(work, "again"), "--csv", "SELECT rowid FROM f WHERE f MATCH 'two'")
    check(rows.split()[1:] == ["2"], "a search of a view is dumped behind it", rows)


def test_broken_output(work):
    original = make(work, "broken", "CREATE TABLE pairs(a, b); SELECT graph_create_index('D', 'k', 1); INSERT INTO graph_nodes(labels, properties) VALUES('[\"D\"]', '{\"k\":1}');"
                    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) INSERT INTO pairs SELECT 1, 1 FROM n;")
    with open("/dev/full", "w", encoding="ascii") as full:
        done = subprocess.run([BRAID, original, "INSERT INTO graph_edges(src, type, dst) SELECT a, 'R', b FROM pairs RETURNING 1; "
                               "SELECT graph_link('D', a, 'S', 'D', b) FROM pairs"], stdout=full, stderr=subprocess.PIPE, timeout=240, check=False)
    check(done.returncode == 1, "an output that cannot be written fails", str(done))
    rows, _ = braid(original, "--csv", "SELECT count(*) FROM graph_edges WHERE type = 'R' OR type = 'S'")
    check(rows.split()[1] in ("20000", "40000"), "what writes is done whole or not at all", rows)


def test_sql(work):
    original = make(work, "original", Maker(7).make())
    exported = os.path.join(work, "sql")
    _, errors = braid("export", original, exported, "--format", "sql")
    check(errors == "", "everything is in SQL", errors)
    check(sorted(os.listdir(exported)) == ["graph.sql", "import.sql", "rows.sql", "series.sql"], "there is a file for each model", str(os.listdir(exported)))
    copy = os.path.join(work, "copy")
    braid("import", copy, exported)
    compare(original, copy, "sql", check, but=("loads",))


def test_one_model(work):
    original = make(work, "original", PLAIN)
    for model, there, gone in (("rows", "rows", "nodes"), ("graph", "nodes", "rows"), ("series", "series", "nodes")):
        for form in ("csv", "sql"):
            exported = os.path.join(work, model + form)
            braid("export", original, exported, "--model", model, "--format", form)
            files = os.listdir(exported)
            if form == "csv":
                check(there in files and gone not in files, f"--model {model} writes that model alone", str(files))
            copy = os.path.join(work, model + form + "-copy")
            braid("import", copy, exported)
            counts = "SELECT (SELECT count(*) FROM graph_nodes) AS nodes, (SELECT count(*) FROM hypertables) AS tables"
            found, _ = braid(copy, "--csv", counts)
            check(found.split("\n")[1] == {"rows": "0,0", "graph": "8,0", "series": "0,1"}[model], f"{model} as {form} is imported", found)


def test_errors(work):
    original = make(work, "original", "CREATE TABLE t(a);")
    full = os.path.join(work, "full")
    os.mkdir(full)
    with open(os.path.join(full, "something"), "w", encoding="utf-8") as file:
        file.write("x")
    _, errors = braid("export", original, full, code=1)
    check("not empty" in errors and full in errors, "a directory that holds something is left alone", errors)
    _, errors = braid("import", os.path.join(work, "new"), full, code=1)
    check("import.sql" in errors, "a directory that is no export is told", errors)
    _, errors = braid("export", os.path.join(work, "nowhere"), os.path.join(work, "x"), code=1)
    check("nowhere" in errors, "so is a database that is not there", errors)
    _, errors = braid("export", original, os.path.join(work, "x"), "--model", "trees", code=2)
    check("--model" in errors and "series" in errors, "a model that is not there is answered with those that are", errors)


METRIC = re.compile(r"^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{.*\})? (-?(?:[0-9.]+(?:e[+-]?[0-9]+)?|Inf)|NaN)$")


def test_prometheus(work):
    original = make(work, "original", PLAIN)
    output, _ = braid("stats", original, "--prometheus")
    check(output.endswith("\n"), "the last line ends")
    helps, types, values = {}, {}, {}
    for line in output.rstrip("\n").split("\n"):
        if line.startswith("# HELP "):
            name, text = line[7:].split(" ", 1)
            check(name not in helps and text, f"{name} has one HELP", line)
            helps[name] = text
        elif line.startswith("# TYPE "):
            name, kind = line[7:].split(" ")
            check(kind in ("counter", "gauge") and name in helps and name not in types, f"{name} has one TYPE behind its HELP", line)
            types[name] = kind
        else:
            found = METRIC.match(line)
            check(found, "a line is a metric", line)
            if found:
                check(found[1] in types and found[1] not in values, f"{found[1]} comes behind its TYPE, once", line)
                values[found[1]] = float(found[2])
    check(set(helps) == set(types) == set(values), "each metric has help, type and value")
    for name, kind in types.items():
        check(name.startswith("braid_") and name.endswith("_total") == (kind == "counter"), f"{name} is named as a {kind} is")
        check(not re.search(r"_(us|ms|kb|mb)(_|$)", name), f"{name} is in a base unit")
    figures = [row for row in csv.reader(braid("stats", original, "--csv")[0].split("\n")) if row][1:]
    check(len(figures) == len(values), "every figure is a metric", f"{len(figures)} {len(values)}")
    check(values.get("braid_hypertables") == 1 and values.get("braid_rows_size_bytes", 0) > 0, "values are those of the database", str(values))


sys.exit(run_each((test_csv, test_values, test_losses, test_far_and_mixed, test_refusals_are_told, test_search_of_a_view, test_broken_output, test_sql, test_one_model, test_errors, test_prometheus)))
