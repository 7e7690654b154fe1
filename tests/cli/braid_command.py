"""The braid command as the tests in Python use it: the first argument of the test is its path."""

import os
import shutil
import subprocess
import sys
import tempfile
import time

BRAID = os.path.abspath(sys.argv[1])
FAILURES = []


def check(condition, what, detail=""):
    if not condition:
        FAILURES.append(what)
        print(f"FAILED: {what}\n  {detail}")


def braid(*words, code=0, text=""):
    """Runs the command and answers its output and its errors."""
    done = subprocess.run([BRAID, *words], input=text, capture_output=True, text=True, timeout=240)
    check(done.returncode == code, f"exit code {code} of: braid {' '.join(words)}", f"it was {done.returncode}: {done.stderr}")
    return done.stdout, done.stderr


def run_each(tests):
    """Runs each test in a directory of its own, and answers the exit code of all."""
    for test in tests:
        work = tempfile.mkdtemp(prefix="braid-")
        try:
            test(work)
        finally:
            shutil.rmtree(work, ignore_errors=True)
    return 1 if FAILURES else 0


def wait_until_caught(pid, number):
    """Until the process handles the signal, which would end it before."""
    for _ in range(12000):
        with open(f"/proc/{pid}/status", encoding="ascii") as status:
            caught = next(int(line.split()[1], 16) for line in status if line.startswith("SigCgt:"))
        if caught >> (number - 1) & 1:
            return
        time.sleep(0.005)
