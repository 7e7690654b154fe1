"""Data of other people that tests read where it is: in $BRAID_SHARED, else in the folder that is the test's second argument."""

import os
import sys

SKIPPED = 77


def shared(*parts):
    """The path of a shared file; ends the test as skipped, saying why, when it is not there."""
    folder = os.environ.get("BRAID_SHARED") or (sys.argv[2] if len(sys.argv) > 2 else "")
    path = os.path.join(os.path.abspath(folder), *parts)
    if os.path.exists(path):
        return path
    print(f"skipped: there is no {path}; BRAID_SHARED names the folder with {parts[0]}/")
    sys.exit(SKIPPED)
