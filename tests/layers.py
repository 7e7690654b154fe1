#!/usr/bin/env python3
"""The borders between the layers, told by what each file includes: docs and the table below say the same.

usage: layers.py ROOT
"""

import pathlib
import re
import sys

# Folder -> folders that it may include, besides itself.
MAY_INCLUDE = {
    "engine": set(),
    "graph": {"engine"},
    "timeseries": {"engine"},
    "sql": {"engine", "graph", "timeseries"},
    "remote": {"engine"},
    "api": {"engine", "graph", "timeseries", "sql", "remote"},
    "cli": {"api"},
    "examples": {"api"},
    "bindings": {"api"},
}
# A program outside the library sees one header of it.
ONE_HEADER = {"cli": "api/braid.h", "examples": "braid.h", "bindings": "braid.h"}
# Foreign library -> folders that are its home.
HOMES = {
    r"rocksdb/": {"graph"},
    r"boost/": {"graph"},
    r"sqlite3\.h": {"engine", "sql"},
    r"capnp/|kj/|commit_record\.capnp\.h|message\.capnp\.h": {"engine", "remote"},
    r"nlohmann/": {"graph", "sql", "cli"},
    r"zstd\.h": {"timeseries"},
    r"expat\.h": {"cli"},
}
# Calls that open or change a file; outside of engine/ all of them go through engine/env.
OPENING = re.compile(
    r"(?<![\w>])::(?:open|openat|creat|unlink|rename|mkdir|opendir)\s*\("
    r"|\b(?:fopen|freopen|opendir|mkstemp)\s*\("
    r"|\bstd::(?:[io]?fstream|filesystem::(?:remove|remove_all|rename|copy|create_director\w+))\b"
)
LIBRARY = ("engine", "graph", "timeseries", "sql", "remote", "api")
# rocksdb_env is RocksDB's own way to files, with the engine's question before each.
MAY_OPEN = {"graph/rocksdb_env.cc"}

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^">]+)[">]', re.MULTILINE)
COMMENT_OR_TEXT = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"', re.DOTALL)
KEPT_SUFFIXES = {".h", ".hh", ".cc", ".cpp", ".c"}


def files_of(root, folder):
    for path in sorted((root / folder).rglob("*")):
        if path.suffix in KEPT_SUFFIXES:
            yield path


def check_includes(root, folder, path, text, problems):
    name = path.relative_to(root)
    for bracket, target in INCLUDE.findall(text):
        other = target.split("/", 1)[0]
        if bracket == '"' and other in MAY_INCLUDE:
            allowed = other == folder or other in MAY_INCLUDE[folder]
            if folder in ONE_HEADER and other != folder:
                allowed = target == ONE_HEADER[folder]
            if not allowed:
                problems.append(f"{name}: includes {target}: {folder} stands below or beside {other}")
        elif folder in ONE_HEADER and target == ONE_HEADER[folder]:
            pass  # an example includes the header as it is installed
        elif bracket == '"' and not (path.parent / target).exists() and not (root / target).exists():
            if not target.endswith(".capnp.h"):
                problems.append(f"{name}: includes {target}, which is not by path from the root")
        for pattern, homes in HOMES.items():
            if re.match(pattern, target) and folder not in homes:
                # The C API hands SQLite's rows through without another copy.
                if not (folder == "api" and target == "sqlite3.h"):
                    problems.append(f"{name}: includes {target}, whose home is {', '.join(sorted(homes))}")
        if folder == "engine" and other in ("graph", "timeseries", "sql", "remote", "api"):
            problems.append(f"{name}: the engine reaches the stores through engine/store.h only, not {target}")


def check_files(root, folder, path, text, problems):
    name = path.relative_to(root)
    if folder not in LIBRARY or folder == "engine" or str(name) in MAY_OPEN:
        return
    bare = COMMENT_OR_TEXT.sub(lambda found: "\n" * found.group(0).count("\n"), text)
    for number, line in enumerate(bare.splitlines(), 1):
        if OPENING.search(line):
            problems.append(f"{name}:{number}: opens or changes a file; only engine/ does: {line.strip()}")


def main():
    root = pathlib.Path(sys.argv[1])
    problems = []
    count = 0
    for folder in MAY_INCLUDE:
        for path in files_of(root, folder):
            text = path.read_text(encoding="utf-8")
            count += 1
            check_includes(root, folder, path, text, problems)
            check_files(root, folder, path, text, problems)
    for problem in problems:
        print(problem)
    print(f"{count} files, {len(problems)} problems")
    return 1 if problems or count == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
