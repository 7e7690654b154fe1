#!/usr/bin/env python3
"""docs/bindings.md and docs/c_api.md have every function of braid.h, and what they name in the bindings is there.

usage: table_test.py
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bindings" / "python"))
import braid  # noqa: E402

NONE = "–"
failures = []


def check(what, condition):
    if not condition:
        failures.append(what)
        print("FAILED:", what)


def read(path):
    return (ROOT / path).read_text(encoding="utf-8")


def functions():
    """Those of braid.h, in its order."""
    return re.findall(r"BRAID_API [\w\s*]*?(braid_\w+)\(", read("api/braid.h"))


def rows_of(page, heading):
    """Cells of the table under a heading."""
    part = page.split(heading, 1)[1]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in re.findall(r"^\| .* \|$", part, re.MULTILINE) if "braid_" in line.split(" | ")[0]]


def is_in_python(name):
    """Whether the module has `Class.member` or `function`."""
    at = braid
    for part in name.split("."):
        # What a constructor makes is no member of the class.
        if not hasattr(at, part) and not (at is not braid and re.search(rf"self\.{part} = ", read("bindings/python/braid.py"))):
            return False
        at = getattr(at, part, None)
    return True


def check_bindings():
    names = functions()
    python, addon, script = read("bindings/python/braid.py"), read("bindings/node/braid.c"), read("bindings/node/index.js")
    rows = rows_of(read("docs/bindings.md"), "| C | Python | Node.js |")
    check(f"docs/bindings.md has the functions of braid.h in its order: {set(names) ^ {row[0].strip('`') for row in rows}}",
          [row[0].strip("`") for row in rows] == names)
    for function, in_python, in_node in rows:
        name = function.strip("`")
        short = name.removeprefix("braid_")
        # What a function with more does is done by that alone.
        called = {short, short + "_watched"}
        check(f"{name}: Python calls it, or the table has {NONE}", (in_python == NONE) != any(f'"{each}": (' in python for each in called))
        check(f"{name}: Node.js calls it, or the table has {NONE}", (in_node == NONE) != any(re.search(rf"\bbraid_{each}\(", addon) for each in called))
        for told in re.findall(r"`([\w.]+)", in_python):
            check(f"{name}: braid.py has {told}", is_in_python(told))
        for told in re.findall(r"`(?:new )?(?:\w+\.)*(\w+)", in_node):
            check(f"{name}: index.js has {told}", re.search(rf"^ +(?:static |async |get |\* ?)*{told}[(:,]|^class {told} |this\.{told} =|^ +{told},$", script, re.MULTILINE))


def check_calls():
    named = [name for row in rows_of(read("docs/c_api.md"), "## What can be stopped, bounded and followed") for name in re.findall(r"`(braid_\w+)`", row[0])]
    check(f"docs/c_api.md tells of every function whether it can be long: {set(named) ^ set(functions())}", sorted(named) == sorted(functions()))


check_bindings()
check_calls()
sys.exit(1 if failures else 0)
