"""What .dump and `braid export --format sql` write makes an equal database, for random ones with something of everything.

usage: dump_test.py path/to/braid
"""

import json
import os
import sys

from answers import compare
from braid_command import braid, check, run_each
from random_database import Maker

SEEDS = (1, 2, 3, 4)


def rebuild(work, name, script):
    path = os.path.join(work, name + ".sql")
    with open(path, "w", encoding="utf-8", newline="") as file:
        file.write(script)
    copy = os.path.join(work, name)
    output, errors = braid(copy, "-f", path)
    check(output == "" and errors == "", "a script runs without a word", (output + errors)[:500])
    return copy


def test_random_databases(work):
    for seed in SEEDS:
        original = os.path.join(work, f"original{seed}")
        script = os.path.join(work, f"make{seed}.sql")
        with open(script, "w", encoding="utf-8", newline="") as file:
            file.write(Maker(seed).make())
        braid(original, "-f", script)
        dump, errors = braid(original, ".dump")
        check(errors == "", f"seed {seed}: nothing is left out", errors)
        longest = max(len(line) for line in dump.split("\n"))
        check(longest < 900_000, f"seed {seed}: statements stay within sql_bytes_max", str(longest))
        copy = rebuild(work, f"copy{seed}", dump)
        compare(original, copy, f"seed {seed}", check)
        check("no problem" in braid("check", copy)[0], f"seed {seed}: the copy passes a check")
        if seed == SEEDS[0]:
            again = rebuild(work, "again", braid(copy, ".dump")[0])
            check(braid(again, ".dump")[0] == braid(copy, ".dump")[0], "a dump of a copy is a dump of its copy")


def test_nodes_of_rows_beside_free_ones(work):
    directory = os.path.join(work, "mixed")
    braid(directory, "CREATE TABLE dev(id TEXT PRIMARY KEY); INSERT INTO dev VALUES('a'), ('b'); SELECT graph_bind('Dev', 'dev', 'id'); "
                     "INSERT INTO graph_nodes(labels) VALUES('[\"N\"]'), ('[\"M\"]')")
    copy = rebuild(work, "mixed-copy", braid(directory, ".dump")[0])
    for sql in ("SELECT labels, properties FROM graph_nodes ORDER BY 1, 2", "SELECT * FROM dev ORDER BY 1"):
        check(braid(directory, "-csv", sql) == braid(copy, "-csv", sql), "nodes of rows and free ones are both rebuilt", str(braid(copy, "-csv", sql)))


def test_what_cannot_be_rebuilt_is_told(work):
    directory = os.path.join(work, "odd")
    braid(directory, "CREATE VIRTUAL TABLE words USING fts5(a, content=''); INSERT INTO words(rowid, a) VALUES(1, 'x'); "
                     "SELECT graph_scenario('storm')")
    dump, errors = braid(directory, ".dump")
    check("words" in errors and "words" in dump, "a table without its text is told", errors)
    check("storm" in errors, "a scenario is told", errors)
    braid(directory + "-copy", text=dump)


def test_doubles_are_kept_bit_by_bit(work):
    directory = os.path.join(work, "doubles")
    rows = ",".join(f"(1.0/{n}),({n}e300*{n}),({n}.0/1e310*1e5)" for n in range(1, 400))
    braid(directory, f"CREATE TABLE d(v REAL); INSERT INTO d VALUES{rows}")
    copy = rebuild(work, "doubles-copy", braid(directory, ".dump")[0])
    sql = "SELECT v FROM d ORDER BY rowid"
    first, second = (json.loads(braid(one, "--json", sql)[0]) for one in (directory, copy))
    check(len(first) == 399 * 3 and first == second, "doubles are equal after a dump")


sys.exit(run_each((test_random_databases, test_nodes_of_rows_beside_free_ones, test_what_cannot_be_rebuilt_is_told, test_doubles_are_kept_bit_by_bit)))
