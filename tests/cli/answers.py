"""Many answers of one database, and whether two databases hold the same."""

import json
import os
import shutil
import subprocess
import tempfile
import time

from braid_command import BRAID
from random_database import contents


class Questions:
    """One process that answers many questions: starting one for each would cost more than all the rest."""

    def __init__(self, directory):
        self.folder = tempfile.mkdtemp(prefix="braid-answers-")
        self.process = subprocess.Popen([BRAID, directory, "--json"], stdin=subprocess.PIPE, text=True)
        self.asked = 0

    def __call__(self, sql):
        self.asked += 1
        answer, end = (os.path.join(self.folder, f"{self.asked}{name}") for name in ("", ".end"))
        # A file is whole once the statement behind it has begun.
        self.process.stdin.write(f".once {answer}\n{sql};\n.once {end}\nSELECT 1;\n")
        self.process.stdin.flush()
        while not os.path.exists(end):
            if self.process.poll() is not None:
                raise RuntimeError(f"braid ended at: {sql}")
            time.sleep(0.0005)
        with open(answer, encoding="utf-8") as file:
            return json.loads(file.read() or "[]")

    def close(self):
        self.process.stdin.close()
        self.process.wait()
        shutil.rmtree(self.folder)


def compare(first, second, what, check, but=()):
    """Checks that two databases hold the same, but for what `but` names."""
    found = []
    for directory in (first, second):
        questions = Questions(directory)
        found.append(contents(questions))
        questions.close()
    one, other = found
    check(one.keys() == other.keys(), f"{what}: the same things are there", str(one.keys() ^ other.keys()))
    for key in one:
        if key not in but and one[key] != other.get(key):
            difference = [pair for pair in zip(one[key], other.get(key, [])) if pair[0] != pair[1]][:2]
            check(False, f"{what}: {key} is equal", f"{len(one[key])} and {len(other.get(key, []))}: {difference}"[:2000])
