#!/usr/bin/env python3
"""`braid import --resume`: killed in the middle, it goes on behind what was committed, and loses and doubles nothing.

usage: resume_test.py path/to/braid
"""

import csv
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from braid_command import BRAID, FAILURES, braid, check

ROWS = 20_000
NODES = 1_000


def ask(database, sql):
    return braid("-csv", database, sql)[0].splitlines()[1:]


def write(path, header, rows):
    with open(path, "w", newline="", encoding="utf-8") as out:
        csv.writer(out, lineterminator="\n").writerows([header, *rows])


def prepare():
    chance = random.Random(5)
    write("node.csv", ["id", "name"], [[i, f"n{i}"] for i in range(NODES)])
    write("many_node.csv", ["id", "name"], [[i, f"m{i}"] for i in range(ROWS)])
    write("edge.csv", ["from", "to", "w"], [[chance.randrange(NODES), chance.randrange(NODES), i] for i in range(ROWS)])
    write("row.csv", ["a", "b"], [[i, f"text {i}"] for i in range(ROWS)])
    write("point.csv", ["time", "sensor", "v"], [[1_700_000_000 + i, f"s{i % 7}", i] for i in range(ROWS)])


# File, words of the import, what has as many rows as the file, and a digest of the contents.
KINDS = {
    "table": ("row.csv", ["--table", "t", "--type", "a=INTEGER"], "SELECT count(*), sum(a), count(DISTINCT b) FROM t"),
    "hypertable": ("point.csv", ["--hypertable", "h", "--time-unit", "s", "--type", "v=INTEGER"],
                   "SELECT count(*), sum(v), count(DISTINCT sensor) FROM h"),
    "nodes": ("many_node.csv", ["--nodes", "M", "--key", "id", "--type", "id=INTEGER"],
              "SELECT count(*), sum(properties ->> 'id'), 0 FROM graph_nodes WHERE label = 'M'"),
    "edges": ("edge.csv", ["--edges", "E", "--from", "N.id=from", "--to", "N.id=to", "--type", "w=INTEGER"],
              "SELECT count(*), sum(properties ->> 'w'), count(DISTINCT src || ' ' || dst) FROM graph_edges WHERE type = 'E'"),
}


def start_database(name):
    shutil.rmtree(name, ignore_errors=True)
    braid("import", name, "node.csv", "--nodes", "N", "--key", "id")
    return name


def killed_at(database, file, words, part):
    """Feeds a part of the file through a pipe and kills the import, which waits for the rest."""
    lines = open(file, encoding="utf-8").readlines()
    process = subprocess.Popen([BRAID, "import", database, "-", *words], stdin=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    process.stdin.writelines(lines[: 1 + int(ROWS * part)])
    process.stdin.flush()
    time.sleep(0.3)
    process.send_signal(signal.SIGKILL)
    process.wait()
    try:
        process.stdin.close()
    except BrokenPipeError:
        pass
    check(process.returncode == -signal.SIGKILL, "the import was killed", process.returncode)


def survives_a_kill(kind):
    file, words, digest = KINDS[kind]
    expected = start_database("whole")
    braid("import", expected, file, *words)
    wanted = ask(expected, digest)

    database = start_database("killed")
    words = words + ["--resume", "big", "--batch", "1500"]
    for part in (0.6, 0.9):
        killed_at(database, file, words, part)
        position = int(ask(database, "SELECT load_position('big')")[0])
        check(0 < position < ROWS and position % 1500 == 0, f"{kind}: the kill came in the middle", position)
        kept = int(ask(database, digest)[0].split(",")[0])
        check(kept == position, f"{kind}: what is loaded is what the position says", f"{kept} rows at position {position}")
    _, told = braid("import", database, file, *words, "-v")
    check(f"behind the {position // 1000},{position % 1000:03} that were in" in told, f"{kind}: it says where it went on", told)
    check(ask(database, digest) == wanted, f"{kind}: nothing is lost or doubled", (ask(database, digest), wanted))
    check(ask(database, "SELECT * FROM load_positions") == [f"big,{ROWS}"], f"{kind}: the load is complete")
    braid("import", database, file, *words)
    check(ask(database, digest) == wanted, f"{kind}: again, it adds nothing", (ask(database, digest), wanted))
    braid("check", database)


def survives_kills_at_any_time():
    """Kills after random times until the import gets through."""
    file, words, digest = KINDS["edges"]
    wanted = ask(start_and_load("whole", file, words), digest)
    database = start_database("killed")
    chance = random.Random(9)
    kills = 0
    while True:
        process = subprocess.Popen([BRAID, "import", database, file, *words, "--resume", "often", "--batch", "700"], stderr=subprocess.PIPE)
        try:
            process.communicate(timeout=chance.uniform(0.05, 0.25) + kills * 0.02)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
        if process.returncode == 0:
            break
        check(process.returncode == -signal.SIGKILL, "only the kill ends it", process.returncode)
        kills += 1
    check(ask(database, digest) == wanted, f"after {kills} kills nothing is lost or doubled", (ask(database, digest), wanted))
    braid("check", database)


def start_and_load(name, file, words):
    start_database(name)
    braid("import", name, file, *words)
    return name


def tells_what_is_wrong():
    database = start_database("wrong")
    write("bad.csv", ["from", "to"], [[1, 2]] * 10 + [[1, 999_999]] + [[2, 3]] * 5)
    words = ["--edges", "E", "--from", "N.id=from", "--to", "N.id=to", "--resume", "bad", "--batch", "4"]
    _, told = braid("import", database, "bad.csv", *words, code=1)
    check("line 12: column \"to\": there is no N node with id = '999999'" in told, "the line of the missing end is named", told)
    check("the first 8 rows are imported" in told, "what is kept is told", told)
    count = "SELECT count(*) FROM graph_edges"
    check(ask(database, count) == ["8"], "whole batches are kept", ask(database, count))
    write("bad.csv", ["from", "to"], [[1, 2]] * 10 + [[1, 9]] + [[2, 3]] * 5)
    braid("import", database, "bad.csv", *words)
    check(ask(database, count) == ["16"], "the corrected file goes on", ask(database, count))
    write("bad.csv", ["from", "to"], [[1, 2]] * 20)
    braid("import", database, "bad.csv", *words)
    check(ask(database, count) == ["20"], "rows that were added are imported", ask(database, count))
    write("bad.csv", ["from", "to"], [[1, 2]] * 3)
    _, told = braid("import", database, "bad.csv", *words, code=1)
    check("has come to row 20, but the file has 3 rows" in told, "a shorter file is another one", told)
    _, told = braid("import", database, "bad.csv", *words[:-4], "--batch", "4", code=2)
    check("--batch goes with --resume only" in told, "a batch needs a name", told)
    _, told = braid(database, text="BEGIN;\n.import bad.csv " + " ".join(words) + "\nCOMMIT;\n", code=1)
    check("end the open transaction first" in told, "it does not commit another's transaction", told)
    # A block of edges is refused as a whole; the line is told all the same.
    write("twice.csv", ["from", "to", "k"], [[1, 2, i if i < 500 else 7] for i in range(600)])
    braid(database, "SELECT graph_create_edge_index('K', 'k', 1)")
    _, told = braid("import", database, "twice.csv", "--edges", "K", "--from", "N.id=from", "--to", "N.id=to", code=1)
    check("line 502: " in told and "nothing was imported" in told, "the line of a refused edge is named", told)


with tempfile.TemporaryDirectory() as directory:
    os.chdir(directory)
    prepare()
    for kind in KINDS:
        survives_a_kill(kind)
    survives_kills_at_any_time()
    tells_what_is_wrong()
print(f"{len(FAILURES)} failures")
sys.exit(1 if FAILURES else 0)
