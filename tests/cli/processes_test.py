#!/usr/bin/env python3
"""`braid DIR` while another process has the directory open: the same outputs and exit codes as at home.

usage: processes_test.py path/to/braid
"""

import contextlib
import os
import pty
import re
import select
import signal
import subprocess
import sys
import tempfile
import time

from braid_command import BRAID, FAILURES, braid, check, wait_until_caught

TABLES = """
CREATE TABLE device(id INTEGER PRIMARY KEY, serial TEXT UNIQUE, data BLOB);
CREATE VIRTUAL TABLE cpu USING hypertable(time TIMESTAMP, host TEXT TAG, load DOUBLE);
SELECT graph_bind('Device', 'device', 'serial');
"""
DEVICES = "id,serial,data\n1,d1,x\n2,d2,\n3,\"d,3\",z\n"
POINTS = "time,host,load\n2026-01-01 00:00:00,a,0.5\n2026-01-01 00:00:01,b,\n2026-01-01 00:00:02,a,1e300\n"
EDGES = "from,to\nd1,d2\nd2,\"d,3\"\n"
LINES = "weather,place=north temp=1.5 1700000000000000000\nweather,place=south temp=2.5 1700000001000000000\n"

# Words of the command, and what it reads.
CALLS = [
    (["import", "DIR", "device.csv", "--table", "device"], ""),
    (["import", "DIR", "cpu.csv", "--hypertable", "cpu"], ""),
    (["import", "DIR", "edge.csv", "--edges", "FEEDS", "--from", "Device.serial=from", "--to", "Device.serial=to"], ""),
    (["import", "DIR", "node.csv", "--nodes", "Other", "--key", "id"], ""),
    (["import", "DIR", "weather.lp"], ""),
    (["import", "DIR", "absent.csv", "--table", "device"], ""),
    (["-csv", "DIR", "SELECT * FROM device ORDER BY id"], ""),
    (["-json", "DIR", "SELECT id, data, 1e999 AS inf, NULL AS none, x'00ff' AS bytes FROM device"], ""),
    (["-box", "DIR", "SELECT host, avg(load) AS mean FROM cpu GROUP BY host"], ""),
    (["-line", "DIR", "SELECT 1 AS one, 'two' AS two"], ""),
    (["-csv", "DIR", "SELECT * FROM weather ORDER BY time"], ""),
    (["-csv", "DIR", "SELECT 1; SELECT nothing FROM device; SELECT 2"], ""),
    (["-csv", "--keep-going", "DIR", "SELECT 1; SELEC 2; SELECT 3"], ""),
    (["DIR", "INSERT INTO device(serial) VALUES('d1')"], ""),
    (["DIR", "PRAGMA synchronous=OFF"], ""),
    (["DIR", "BEGIN; INSERT INTO device(serial) VALUES('left open')"], ""),
    (["-csv", "DIR", "SELECT count(*) AS n FROM device"], ""),
    (["-csv", "DIR"], ".tables\n.schema device\nBEGIN;\nDELETE FROM device;\nROLLBACK;\nSELECT count(*) FROM device;\n.nothing\n"),
    (["-csv", "DIR", "-f", "script.sql"], ""),
    (["-csv", "DIR", "SELECT labels, properties FROM graph_nodes ORDER BY id"], ""),
    (["-csv", "DIR", "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) SELECT i, 'row ' || i FROM n"], ""),
    (["-csv", "DIR", "SELECT type, properties FROM graph_edges ORDER BY id"], ""),
    (["graph", "DIR", "--format", "json"], ""),
    (["plot", "DIR", "SELECT time, load FROM cpu WHERE load < 10"], ""),
    (["check", "DIR"], ""),
]


def write_files():
    for name, text in [("device.csv", DEVICES), ("cpu.csv", POINTS), ("edge.csv", EDGES), ("node.csv", "id,name\n7,n7\n8,\n"), ("weather.lp", LINES)]:
        with open(name, "w", encoding="utf-8") as out:
            out.write(text)
    with open("script.sql", "w", encoding="utf-8") as out:
        out.write("-- a comment\nSELECT 1 AS a;\n\nINSERT INTO device(serial) VALUES('of a script') RETURNING id, serial;\nSELECT abs('x', 'y');\n")


def soon(condition):
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.02)
    return False


def holder(directory):
    """The process that LOCK names."""
    with open(os.path.join(directory, "LOCK"), encoding="utf-8") as lock:
        return lock.readline().strip()


@contextlib.contextmanager
def host(directory, *options):
    """A process that has the directory open until the block ends."""
    process = subprocess.Popen([BRAID, *options, directory], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    try:
        check(soon(lambda: holder(directory) == str(process.pid)), "the host opens the directory")
        served = [BRAID, "--option", "remote=only", directory, "SELECT 1"]
        if "serve=no" not in options:
            check(soon(lambda: subprocess.run(served, capture_output=True).returncode == 0), "and serves it")
        yield process
    finally:
        with contextlib.suppress(BrokenPipeError):
            process.stdin.close()
        process.wait(60)


def outputs(directory):
    """What each call answers, without what no two databases have in common."""
    told = []
    for words, text in CALLS:
        words = [directory if word == "DIR" else word for word in words]
        done = subprocess.run([BRAID, *words], input=text, capture_output=True, text=True, timeout=120)
        whole = f"{done.returncode}\n{done.stdout}\n{done.stderr}".replace(directory, "DIR")
        told.append(re.sub(r"[0-9.]+ (s|ms|rows/s)\b|[0-9.,]+ [a-z]+ per second", "N", whole))
    return told


def check_same_outputs():
    braid("home", TABLES)
    at_home = outputs("home")
    braid("away", TABLES)
    with host("away"):
        away = outputs("away")
    for (words, _), one, other in zip(CALLS, at_home, away):
        check(one == other, f"the same at home and through another process: {' '.join(words)}", f"home: {one}\n  away: {other}")


def check_stats_and_backup():
    with host("away"):
        stats = braid("-csv", "stats", "away")[0]
        check("\nserved,1," in stats, "stats tell that others are served", stats)
        os.mkdir("elsewhere")
        braid("backup", "away", "elsewhere/copy")
    out, _ = braid("check", "elsewhere/copy")
    check("no problem" in out, "the backup that the host made is sound", out)


def check_host_that_ends():
    with host("away") as process:
        client = subprocess.Popen([BRAID, "-csv", "away"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        client.stdin.write("CREATE TABLE of_the_client(a);\n")
        client.stdin.flush()
        look = [BRAID, "away", "SELECT * FROM of_the_client"]
        check(soon(lambda: subprocess.run(look, capture_output=True).returncode == 0), "a client works through the host")
        process.send_signal(signal.SIGKILL)
        process.wait(60)
        out, errors = client.communicate("SELECT 'second';\n", timeout=60)
        check(re.search(r"the process that served \S*away has gone away", errors), "the client says that the host is gone", errors)
        check("second" not in out and client.returncode == 1, "and answers nothing more", out)
    out, _ = braid("-csv", "away", "SELECT 'again'")
    check("again" in out, "the directory can be opened afterwards", out)


class Terminal:
    """A shell of braid with a terminal of its own."""

    def __init__(self, directory):
        self.seen = ""
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.execve(BRAID, [BRAID, directory], {**os.environ, "TERM": "xterm", "HOME": os.getcwd(), "NO_COLOR": "1"})
        self.until("braid> ")

    def until(self, text):
        deadline = time.monotonic() + 60
        while text not in self.seen:
            if not select.select([self.terminal], [], [], max(0, deadline - time.monotonic()))[0]:
                raise TimeoutError(f"waited for {text!r}, saw {self.seen!r}")
            self.seen += os.read(self.terminal, 4096).decode("utf-8", "replace")
        shown, _, self.seen = self.seen.partition(text)
        return shown

    def enter(self, text):
        os.write(self.terminal, (text + "\n").encode())
        return self.until("\nbraid> ")

    def quit(self):
        os.write(self.terminal, b".quit\n")
        while select.select([self.terminal], [], [], 60)[0]:
            try:
                if not os.read(self.terminal, 4096):
                    break
            except OSError:
                break
        status = os.waitpid(self.pid, 0)[1]
        os.close(self.terminal)
        return os.waitstatus_to_exitcode(status)


def check_shell_that_goes_on():
    """A shell whose host ends opens the directory again, as host or through another one; not while a transaction was open."""
    with host("away") as process:
        shell = Terminal("away")
        check("7" in shell.enter("SELECT 3 + 4;"), "a shell works through the host")
        process.kill()
        process.wait(60)
    shown = shell.enter("SELECT 5 + 6;")
    check("open in this one now" in shown and "11" in shown, "the shell becomes the host, says so, and answers", shown)
    check("13" in shell.enter("SELECT 6 + 7;"), "and goes on")
    other = Terminal("away")
    check("17" in other.enter("SELECT 8 + 9;"), "others work through it")
    other.enter("BEGIN;")
    check(shell.quit() == 0, "it ends well")
    shown = other.enter("SELECT 18 + 1;")
    check("open transaction" in shown and "19" not in shown, "a transaction that went with the host is told", shown)
    shown = other.enter("SELECT 20 + 1;")
    check("open in this one now" in shown and "21" in shown, "and then the shell goes on", shown)
    check(other.quit() == 0, "it ends well too")
    with host("away") as process:
        shell = Terminal("away")
        process.kill()
        process.wait(60)
    with host("away"):
        shown = shell.enter("SELECT 30 + 1;")
        check("through another one now" in shown and "31" in shown, "or it becomes a client of another host", shown)
        check(shell.quit() == 0, "which it leaves well")


def check_interrupt():
    with host("away") as process:
        client = subprocess.Popen([BRAID, "away", "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"],
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        wait_until_caught(client.pid, signal.SIGINT)
        time.sleep(0.5)
        client.send_signal(signal.SIGINT)
        _, errors = client.communicate(timeout=60)
        check("interrupted" in errors, "Ctrl-C ends the statement at the host", errors)
        check(process.poll() is None, "and not the host")
        out, _ = braid("-csv", "away", "SELECT 'fine'")
        check("fine" in out, "which goes on", out)


def check_host_alone():
    with host("away", "--option", "serve=no"):
        _, errors = braid("away", "SELECT 1", code=1)
        check("in use by process" in errors and "not served" in errors, "a host may switch it off", errors)
    with host("away"):
        _, errors = braid("--option", "remote=never", "away", "SELECT 1", code=1)
        check("in use by process" in errors, "and a client may want no other process", errors)
        _, errors = braid("--option", "busy_timeout_ms=1", "away", "SELECT 1", code=1)
        check("busy_timeout_ms" in errors, "options of one's own are refused by name", errors)


def main():
    with tempfile.TemporaryDirectory() as work:
        os.chdir(work)
        write_files()
        check_same_outputs()
        check_stats_and_backup()
        check_host_that_ends()
        check_shell_that_goes_on()
        check_interrupt()
        check_host_alone()
    print(f"{len(FAILURES)} failures")
    return 1 if FAILURES else 0


if __name__ == "__main__":
    sys.exit(main())
