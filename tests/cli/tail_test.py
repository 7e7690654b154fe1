#!/usr/bin/env python3
"""`braid tail`: the commits of other processes as lines, as the host and through one.

usage: tail_test.py path/to/braid
"""

import json
import os
import signal
import subprocess
import sys

from braid_command import BRAID, braid, check, run_each

TABLES = "CREATE TABLE t(id INTEGER PRIMARY KEY, name TEXT); CREATE VIRTUAL TABLE cpu USING hypertable(time TIMESTAMP, host TEXT TAG, load DOUBLE)"


class Tail:
    """The command at work; its first line says that it listens."""

    def __init__(self, directory, *words):
        self.process = subprocess.Popen([BRAID, "tail", directory, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.start = self.line()["start"]

    def line(self):
        return json.loads(self.process.stdout.readline())

    def end(self, number=None):
        if number is not None:
            self.process.send_signal(number)
        out, errors = self.process.communicate(timeout=60)
        return self.process.returncode, out, errors


def made(work):
    directory = os.path.join(work, "db")
    braid(directory, TABLES)
    return directory


def test_others_write_through_it(work):
    directory = made(work)
    tail = Tail(directory)
    braid(directory, "INSERT INTO t VALUES(1, 'ä'), (2, NULL)")
    line = tail.line()
    check(line["lsn"] > tail.start, "a commit of another process comes", str(line))
    check([change["new"] for change in line["rows"]] == [{"id": 1, "name": "ä"}, {"id": 2, "name": None}], "with its rows", str(line))
    braid(directory, "BEGIN; INSERT INTO cpu VALUES('2026-01-01', 'a', 0.5); INSERT INTO graph_nodes(labels) VALUES('[\"N\"]'); COMMIT")
    line = tail.line()
    check(line["series"][0]["points"] == [{"time": "2026-01-01 00:00:00", "host": "a", "load": 0.5}], "its points", str(line))
    check(line["graph"][0]["labels"] == ["N"], "and its nodes", str(line))
    check(tail.end(signal.SIGINT) == (0, "", ""), "Ctrl-C ends it without a word")
    check(braid("check", directory)[1] == "", "and the database is closed well")


def test_through_a_host(work):
    directory = made(work)
    host = Tail(directory)
    graph, counted = Tail(directory, "--model", "graph"), Tail(directory, "--model", "rows", "--count", "2")
    braid(directory, "INSERT INTO t VALUES(1, 'a')")
    braid(directory, "INSERT INTO graph_nodes(labels) VALUES('[\"N\"]')")
    braid(directory, "DELETE FROM t")
    check(set(graph.line()) == {"lsn", "time", "durability", "graph"}, "a model alone")
    code, out, errors = counted.end()
    check(code == 0 and [json.loads(line)["rows"][0]["op"] for line in out.splitlines()] == ["insert", "delete"], "so many commits", out + errors)
    check([list(host.line())[3] for _ in range(3)] == ["rows", "graph", "rows"], "the host has all of them")
    host.end(signal.SIGINT)
    code, out, errors = graph.end()
    check(code == 1 and "the process that serve" in errors, "the end of the host is told", errors)


def test_ends(work):
    directory = made(work)
    check(Tail(directory, "--until-idle", "50").end()[0] == 0, "it ends when nothing comes")
    tail = Tail(directory)
    tail.process.stdout.close()
    check(tail.process.wait(60) == 0, "it ends when nobody reads")
    check(tail.process.stderr.read() == "", "without a word")
    _, errors = braid("tail", os.path.join(work, "none"), code=1)
    check("there is no Braid database" in errors, "a directory that there is not is told", errors)
    braid("tail", directory, "--model", "tables", code=2)


sys.exit(run_each([test_others_write_through_it, test_through_a_host, test_ends]))
