"""The interactive shell on a pseudo terminal: prompts, editing, history, Ctrl-C, colours.

usage: shell_test.py path/to/braid
"""

import os
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import termios
import time

from braid_command import wait_until_caught

BRAID = os.path.abspath(sys.argv[1])
TIMEOUT_S = 30
failures = []


class Shell:
    """One braid process with a terminal of its own."""

    def __init__(self, work, *arguments, **environment):
        self.seen = ""
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.chdir(work)
            kept = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "LANG", "LC_ALL")}
            kept.update(TERM="xterm", HOME=work, XDG_STATE_HOME=os.path.join(work, "state"))
            kept.update(environment)
            os.execve(BRAID, [BRAID, *arguments], kept)

    def until(self, text):
        """Everything shown up to and with `text`."""
        deadline = time.monotonic() + TIMEOUT_S
        while text not in self.seen:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.terminal], [], [], left)[0]:
                raise TimeoutError(f"waited for {text!r}, saw {self.seen!r}")
            try:
                self.seen += os.read(self.terminal, 4096).decode("utf-8", "replace")
            except OSError as error:
                raise TimeoutError(f"ended before {text!r}, saw {self.seen!r}") from error
        shown, _, self.seen = self.seen.partition(text)
        return shown + text

    def type(self, text):
        os.write(self.terminal, text.encode())

    def enter(self, text):
        """Types a line and returns what is shown until the next prompt of a new statement."""
        self.type(text + "\n")
        return self.until("\nbraid> ")

    def exit_code(self):
        deadline = time.monotonic() + TIMEOUT_S
        while time.monotonic() < deadline:
            if select.select([self.terminal], [], [], 0.05)[0]:
                try:
                    os.read(self.terminal, 4096)
                except OSError:
                    pass
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                os.close(self.terminal)
                return os.waitstatus_to_exitcode(status)
        os.kill(self.pid, signal.SIGKILL)
        raise TimeoutError("braid did not end")


def check(name, condition, shown=""):
    if not condition:
        failures.append(name)
        print(f"FAILED: {name}\n  saw: {shown!r}")


def test_statements(work):
    shell = Shell(work, "db")
    shell.until("braid> ")
    shown = shell.enter("SELECT 7 AS seven, NULL AS none;")
    check("a result on a terminal is a box", "│" in shown and "seven" in shown, shown)
    check("a terminal gets colours", "\x1b[2mNULL" in shown, shown)
    check("the shell says how many rows there were", "1 row" in shown, shown)
    shell.type("SELECT 1\n")
    shell.until("   ...> ")
    shown = shell.enter("+ 41 AS answer;")
    check("a statement may span lines", "42" in shown, shown)
    shown = shell.enter("SELECT nothing_here\n;".replace("\n", " "))
    check("an error shows its place and does not end the shell",
          "SELECT nothing_here" in shown and "^" in shown and "error:" in shown, shown)
    shown = shell.enter(".mode csv")
    shown = shell.enter("SELECT 'größe' AS \"ü\";")
    check("typed UTF-8 arrives whole", "\r\nü\r\ngröße\r\n" in shown, shown)
    shell.enter(".timer on")
    shown = shell.enter("SELECT 1;")
    check(".timer shows the time", re.search(r"time: \d+\.\d+ s", shown), shown)
    shell.type(".quit\n")
    check(".quit ends the shell with 0", shell.exit_code() == 0)


def test_interrupts(work):
    shell = Shell(work, "db")
    shell.until("braid> ")
    shell.type("SELECT unfinished")
    shell.until("unfinished")
    shell.type("\x03")
    shell.until("^C")
    shell.until("braid> ")
    shown = shell.enter("SELECT 5 AS five;")
    check("Ctrl-C at the prompt drops the line", "five" in shown and "unfinished" not in shown, shown)
    shell.type("SELECT 1\n")
    shell.until("   ...> ")
    shell.type("\x03")
    shell.until("braid> ")
    shown = shell.enter("SELECT 6 AS six;")
    check("Ctrl-C drops the lines of a statement before it too", "six" in shown and "error" not in shown, shown)
    shell.type("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n;\n")
    time.sleep(0.5)
    shell.type("\x03")
    shown = shell.until("\nbraid> ")
    check("Ctrl-C stops the running statement", "error:" in shown, shown)
    shown = shell.enter("SELECT 8 AS eight;")
    check("the shell goes on after a stopped statement", "eight" in shown, shown)
    shell.type("\x04")
    check("Ctrl-D ends the shell with 0", shell.exit_code() == 0)


def test_history(work):
    shell = Shell(work, "db", NO_COLOR="1")
    shell.until("braid> ")
    shell.type("SELECT 100\n")
    shell.until("   ...> ")
    shell.enter("+ 23 AS sum;")
    shell.type(".quit\n")
    shell.exit_code()
    path = os.path.join(work, "state", "braid_history")
    check("the history is kept", os.path.exists(path))
    check("the history is nobody else's to read", os.stat(path).st_mode & 0o077 == 0)

    shell = Shell(work, "db", NO_COLOR="1")
    shell.until("braid> ")
    shell.type("\x1b[A\x1b[A\n")
    shown = shell.until("sum │")
    shown += shell.until("\nbraid> ")
    check("a statement of two lines is recalled whole in the next shell", "123" in shown, shown)
    check("NO_COLOR is obeyed", "\x1b[1m" not in shown and "\x1b[2m" not in shown, shown)
    shell.type("\x04")
    shell.exit_code()


def test_terminal_is_restored(work):
    shell = Shell(work, "db")
    before = termios.tcgetattr(shell.terminal)
    shell.until("braid> ")
    shell.type("SELECT")
    shell.type("\x03")
    shell.until("^C")
    shell.until("braid> ")
    shell.type(".quit\n")
    time.sleep(0.3)
    try:
        after = termios.tcgetattr(shell.terminal)
        check("the terminal is left as it was", before[3] == after[3], f"{before[3]:o} {after[3]:o}")
    except termios.error:
        pass
    shell.exit_code()


def test_interrupted_import(work):
    environment = {k: v for k, v in os.environ.items() if k != "NO_COLOR"}
    writer = subprocess.Popen([BRAID, "import", "db", "-", "--table", "slow", "--type", "a=INTEGER"], cwd=work,
                              stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
    writer.stdin.write("a\n" + "1\n" * 200_000)
    writer.stdin.flush()
    writer.send_signal(signal.SIGINT)
    # The program before the pipe dies of the same Ctrl-C: what it wrote so far is not all there is.
    _, errors = writer.communicate(timeout=TIMEOUT_S)
    check("an interrupted import says so and fails", writer.returncode == 1 and "interrupted" in errors, errors)
    reader = subprocess.run([BRAID, "db", ".tables"], cwd=work, capture_output=True, text=True, check=False)
    check("an interrupted import leaves nothing behind", "slow" not in reader.stdout, reader.stdout + reader.stderr)

    waiting = subprocess.Popen([BRAID, "db"], cwd=work, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True, env=environment)
    waiting.stdin.write("SELECT 1;\n")
    waiting.stdin.flush()
    time.sleep(1)
    waiting.send_signal(signal.SIGINT)
    code = waiting.wait(timeout=TIMEOUT_S)
    check("Ctrl-C ends the wait for a silent pipe", code == 1, str(code))


def test_completion(work):
    shell = Shell(work, "db", NO_COLOR="1")
    shell.until("braid> ")
    shell.enter("CREATE TABLE devices(serial TEXT, set_point REAL);")
    shell.enter("INSERT INTO devices VALUES('d7', 2.5);")
    shell.type("SEL\tset_p\tfrom dev\t;\n")
    shown = shell.until("2.5")
    check("Tab completes keywords, columns and tables", "│ set_point │" in shown and "error" not in shown, shown)
    shell.until("\nbraid> ")
    shell.type(".mod\tjsonl\n")
    shell.until("\nbraid> ")
    shown = shell.enter("SELECT 1 AS one;")
    check("Tab completes dot commands", '{"one":1}' in shown, shown)
    shell.type("SELECT json_a\t\t")
    shown = shell.until("json_array_length(")
    check("Tab lists what a word could become", "json_array(" in shown, shown)
    shell.type("\x03")
    shell.until("^C")
    shell.until("braid> ")
    with open(os.path.join(work, "one_script.sql"), "w", encoding="utf-8") as file:
        file.write("SELECT 'it was ' || 'read' AS what;\n")
    shell.type(".read one_s\t\n")
    shell.until("it was read")
    shell.until("\nbraid> ")
    shell.type(".quit\n")
    shell.exit_code()


def test_pager(work):
    long = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 100) SELECT i FROM n;"
    shell = Shell(work, "db", NO_COLOR="1", PAGER="sed s/^/paged:/")
    shell.until("braid> ")
    shown = shell.enter(long)
    check("what is longer than the screen goes through the pager", "paged:│ 100 │" in shown and "paged:100 rows" in shown, shown)
    shown = shell.enter("SELECT 5 AS five;")
    check("what fits does not", "five" in shown and "paged:" not in shown, shown)
    shell.enter(".pager off")
    shown = shell.enter(long)
    check(".pager off shows everything as it is", "│ 100 │" in shown and "paged:" not in shown, shown)
    shell.type(".quit\n")
    shell.exit_code()
    shell = Shell(work, "db", NO_COLOR="1", PAGER="head -3")
    shell.until("braid> ")
    shown = shell.enter(long.replace("LIMIT 100", "LIMIT 100000000"))
    check("a pager that is left ends the statement without an error", "error" not in shown, shown)
    shown = shell.enter("SELECT 6 AS six;")
    check("and the shell goes on", "six" in shown, shown)
    shell.type(".quit\n")
    check("with exit code 0", shell.exit_code() == 0)


def test_watch(work):
    shell = Shell(work, "db", NO_COLOR="1")
    shell.until("braid> ")
    shell.type(".watch 0.01 SELECT count(*) AS seen FROM sqlite_schema WHERE 0;\n")
    for _ in range(3):
        shell.until("seen")
        shell.until("│    0 │")
    shell.type("\x03")
    shown = shell.until("\nbraid> ")
    check("Ctrl-C ends .watch without an error", "error" not in shown, shown)
    shown = shell.enter("SELECT 9 AS nine;")
    check("the shell goes on after .watch", "nine" in shown, shown)
    shell.type(".quit\n")
    shell.exit_code()


def ended(shell):
    """What is shown until the process ends, and its exit code."""
    shown = shell.seen
    while True:
        try:
            part = os.read(shell.terminal, 4096)
        except OSError:
            break
        if not part:
            break
        shown += part.decode("utf-8", "replace")
    status = os.waitpid(shell.pid, 0)[1]
    os.close(shell.terminal)
    return shown, os.waitstatus_to_exitcode(status)


def test_long_work(work):
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
    shell = Shell(work, "db", endless)
    shown = shell.until("running ")
    shell.until(" s")
    check("a statement that takes long tells the time", "\x1b[K" in shown, shown)
    shell.type("\x03")
    shown, code = ended(shell)
    check("Ctrl-C ends it, its line goes, and the command fails", code == 1 and "\x1b[K" in shown and "interrupted" in shown, shown)

    # Slowly, so that there is something to end.
    subprocess.run([BRAID, "backup", "db", "copy"], cwd=work, check=True, capture_output=True)
    for command, bar in ((["backup", "db", "slow"], "backup "), (["restore", "copy", "slow"], "restore ")):
        shell = Shell(work, *command, "--rate", "1000")
        shown = shell.until(bar)
        check(f"braid {command[0]} shows how far it is", "\x1b[K" in shown, shown)
        shell.type("\x03")
        shown, code = ended(shell)
        check(f"Ctrl-C ends braid {command[0]}", code == 1 and f"{command[0]}: interrupted" in shown, shown)
        check(f"braid {command[0]} leaves nothing behind", not os.path.exists(os.path.join(work, "slow")))

    # Where no terminal is, nothing is shown; Ctrl-C ends opening and checking too, whenever it comes.
    nodes = ("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50000) "
             "INSERT INTO graph_nodes(labels, properties) SELECT '[\"A\"]', json_object('k', i) FROM n")
    subprocess.run([BRAID, "db", nodes], cwd=work, check=True, capture_output=True)
    codes = set()
    for pause in (None, 0.02, 0.05, 0.1, 0.2):
        process = subprocess.Popen([BRAID, "check", "db"], cwd=work, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if pause is None:
            wait_until_caught(process.pid, signal.SIGINT)
        else:
            time.sleep(pause)
        process.send_signal(signal.SIGINT)
        out, errors = process.communicate(timeout=TIMEOUT_S)
        codes.add(process.returncode)
        fine = process.returncode == 0 and "no problem found" in out and errors == ""
        stopped = process.returncode == 1 and "interrupted" in errors and "checking" not in errors
        check("Ctrl-C ends braid check, or comes too late or before it listens", fine or stopped or process.returncode == -signal.SIGINT, out + errors)
    check("Ctrl-C that braid check listens to ends it", 1 in codes, codes)
    done = subprocess.run([BRAID, "check", "db"], cwd=work, capture_output=True, text=True, check=False)
    check("and the database is as it was", done.returncode == 0, done.stdout + done.stderr)


TESTS = (test_statements, test_interrupts, test_history, test_terminal_is_restored, test_interrupted_import, test_completion,
         test_pager, test_watch, test_long_work)


def main():
    for test in TESTS:
        work = tempfile.mkdtemp(prefix="braid-shell-")
        try:
            test(work)
        except (TimeoutError, subprocess.TimeoutExpired) as error:
            check(test.__name__, False, str(error))
        finally:
            shutil.rmtree(work, ignore_errors=True)
    return 1 if failures else 0


sys.exit(main())
