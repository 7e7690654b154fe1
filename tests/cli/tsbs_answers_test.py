#!/usr/bin/env python3
"""TSBS queries, in the words of TimescaleDB, on points that arrive late and out of order: the rows are those that PostgreSQL gave.

usage: tsbs_answers_test.py path/to/braid [folder of shared data]
"""

import gzip
import json
import os
import sys
import tempfile

from answer_rows import ask, difference
from braid_command import FAILURES, braid, check
from shared_data import shared

REWRITTEN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "data", "tsbs_rewritten.sql")
NEEDS_REWRITING = ("LATERAL", "DISTINCT ON")

CPU = ["usage_user", "usage_system", "usage_idle", "usage_nice", "usage_iowait", "usage_irq", "usage_softirq", "usage_steal",
       "usage_guest", "usage_guest_nice"]
READINGS = ["latitude", "longitude", "elevation", "velocity", "heading", "grade", "fuel_consumption"]
DIAGNOSTICS = ["fuel_state", "current_load", "status"]


def hypertable(name, fields):
    columns = ", ".join(f"{field} DOUBLE" for field in fields)
    # Several chunks, as the loader of TSBS makes them.
    return f"CREATE VIRTUAL TABLE {name} USING hypertable(time TIMESTAMP, tags_id INTEGER TAG, {columns}, chunk_interval='12 hours');"


# Data set: its tables, and the files that are loaded into them.
DATABASES = {
    "devops": (
        "CREATE TABLE tags(id INTEGER PRIMARY KEY, hostname TEXT, region TEXT, datacenter TEXT, rack TEXT, os TEXT, arch TEXT,"
        " team TEXT, service TEXT, service_version TEXT, service_environment TEXT);" + hypertable("cpu", CPU),
        {"tags": "cpu_tags.csv.gz", "cpu": "cpu.csv.gz"}),
    "iot": (
        "CREATE TABLE tags(id INTEGER PRIMARY KEY, name TEXT, fleet TEXT, driver TEXT, model TEXT, device_version TEXT,"
        " load_capacity REAL, fuel_capacity REAL, nominal_fuel_consumption REAL);"
        + hypertable("readings", READINGS) + hypertable("diagnostics", DIAGNOSTICS),
        {"tags": "iot_tags.csv.gz", "readings": "readings.csv.gz", "diagnostics": "diagnostics.csv.gz"}),
}


def load(database, schema, files, data):
    braid(database, schema)
    for table, file in files.items():
        with gzip.open(os.path.join(data, file), "rt", encoding="utf-8") as text:
            rows = text.read()
        target = ["--table", table] if table == "tags" else ["--hypertable", table, "--time-unit", "ns", "--tag", "tags_id"]
        braid("import", database, "-", *target, text=rows)
        loaded = ask(database, f"SELECT count(*) FROM {table}")
        check(loaded == [[rows.count("\n") - 1]], f"all rows of {file} are in {table}", str(loaded))


def read_rewritten():
    """Name → the text that was rewritten, and what it became."""
    rewritten = {}
    with open(REWRITTEN, encoding="utf-8") as file:
        _, *blocks = file.read().split("\n\n")
    for block in blocks:
        lines = block.splitlines()
        original = [line.removeprefix("--   ") for line in lines[1:] if line.startswith("--   ")]
        text = [line for line in lines if not line.startswith("--")]
        rewritten[lines[0].removeprefix("-- ")] = ("\n".join(original), "\n".join(text))
    return rewritten


def ask_all(answers, rewritten):
    for answer in answers:
        name, sql = answer["id"], answer["sql"]
        if any(words in sql for words in NEEDS_REWRITING):
            original, text = rewritten.pop(name, ("", ""))
            check(original == sql, f"{name} is rewritten in {os.path.basename(REWRITTEN)}", f"from: {sql}")
            sql = text
        found = difference(answer["rows"], ask(answer["data"], sql), answer["order"] == "total")
        check(found is None, name, found)
    check(not rewritten, "every rewritten text is asked", str(list(rewritten)))


def main():
    with open(shared("cases", "tsbs_answers.jsonl"), encoding="utf-8") as file:
        answers = [json.loads(line) for line in file]
    data = shared("data", "tsbs-small")
    with tempfile.TemporaryDirectory() as directory:
        os.chdir(directory)
        for database, (schema, files) in DATABASES.items():
            load(database, schema, files, data)
        ask_all(answers, read_rewritten())
        for database in DATABASES:
            braid("check", database)
    print(f"{len(answers)} texts, {len(FAILURES)} failures")
    return 1 if FAILURES else 0


if __name__ == "__main__":
    sys.exit(main())
