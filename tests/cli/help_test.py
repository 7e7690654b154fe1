"""The pages of help, the manual page and the completions say the same: what --help says.

usage: help_test.py path/to/braid path/to/source
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile

from braid_command import FAILURES, braid, check

SOURCE = sys.argv[2]
MANUAL = os.path.join(SOURCE, "docs", "braid.1")
BASH = os.path.join(SOURCE, "cli", "completions", "braid.bash")
ZSH = os.path.join(SOURCE, "cli", "completions", "_braid")


def page(command):
    return braid(*([command] if command else []), "--help")[0]


def commands():
    """Those that the page of braid itself lists."""
    return re.findall(r"^  braid ([a-z-]+) .*  \S", page("").split("Commands:")[1].split("Each has")[0], re.MULTILINE)


def options(text):
    """Long options and what stands for their value, from a page."""
    found = {}
    for line in re.findall(r"^  (-.*)$", text.split("Options:")[1].split("\n\n")[0], re.MULTILINE):
        words = re.match(r"((?:-\w,)?--[a-z-]+)(?: (\S+))?", line)
        if words:
            value = line[len(words[1]):]
            found[words[1].split(",")[-1]] = bool(re.match(r" [A-Z]", value))
    return found


def test_pages():
    names = commands()
    check(len(names) > 9 and "import" in names, "braid --help lists the commands", str(names))
    for command in [""] + names:
        text = page(command)
        for part in ("Usage:", "Options:", "Examples:", "Exit codes:"):
            check(part in text, f"the page of braid {command} has {part}", text[:300])
        check(all(len(line) <= 150 for line in text.split("\n")), f"the page of braid {command} is not too wide")
        if command:
            check(braid("help", command)[0] == text, f"braid help {command} is its page")
    check(braid("help")[0] == page(""), "braid help alone is the page of braid")
    _, errors = braid("help", "frobnicate", code=2)
    check("frobnicate" in errors and "braid --help" in errors, "a command that there is not is told", errors)


def test_manual():
    with open(MANUAL, encoding="utf-8") as file:
        manual = file.read().replace("\\-", "-")
    sections = dict(re.findall(r'^\.SS "?braid ?([a-z-]*)"?$(.*?)(?=^\.S[SH])', manual + "\n.SH END\n", re.MULTILINE | re.DOTALL))
    check(set(sections) == set(commands()) | {""}, "the manual has the commands of --help", str(set(sections) ^ (set(commands()) | {""})))
    for command, text in sections.items():
        told = set(re.findall(r"^\.B(?:R|I)? .*?(--[a-z-]+)", text, re.MULTILINE))
        known = set(options(page(command)))
        check(told == known, f"the manual has the options of braid {command}", str(told ^ known))
    with tempfile.TemporaryDirectory() as work:
        known = set(re.findall(r"^  (\.[a-z]+)", braid(os.path.join(work, "db"), ".help")[0], re.MULTILINE))
    told = set(re.findall(r"^\.B \\&(\.[a-z]+)", manual, re.MULTILINE))
    check(told == known and ".dump" in known, "the manual has the dot commands of .help", str(told ^ known))
    for part in ("NAME", "SYNOPSIS", "DESCRIPTION", "EXIT STATUS", "ENVIRONMENT", "FILES", "SEE ALSO"):
        check(f"\n.SH {part}\n" in manual.replace('"', ""), f"the manual has {part}")


def test_manual_is_well_formed():
    if shutil.which("groff"):
        done = subprocess.run(["groff", "-man", "-Tutf8", "-ww", MANUAL], capture_output=True, text=True, check=False)
        check(done.returncode == 0 and done.stderr == "", "groff has nothing to say", done.stderr[:1000])
    if shutil.which("mandoc"):
        done = subprocess.run(["mandoc", "-Tlint", "-Wwarning", MANUAL], capture_output=True, text=True, check=False)
        # The page has the version's number and no date.
        told = [line for line in done.stdout.split("\n") if line and "missing date" not in line]
        check(not told, "mandoc neither", str(told)[:1000])


def completed(*words):
    """What bash offers for the last word."""
    script = ('source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _braid; printf "%s\\n" "${COMPREPLY[@]}"')
    done = subprocess.run(["bash", "-c", script, "bash", BASH, *words], capture_output=True, text=True, check=True, cwd=SOURCE)
    return set(done.stdout.split())


def test_bash():
    check(set(commands()) <= completed("braid", ""), "bash completes commands", str(completed("braid", "")))
    check(completed("braid", "exp") == {"export"}, "by what they begin with", str(completed("braid", "exp")))
    check(completed("braid", "export", "db", "out", "--format", "") == {"csv", "sql"}, "and the values of options")
    check(completed("braid", "graph", "db", "--method", "s") == {"spring"}, "by what those begin with")
    check("graph" in completed("braid", "help", ""), "commands behind help")
    check(completed("braid", "import", "db", "REA") == {"README.md"}, "files where one is meant", str(completed("braid", "import", "db", "REA")))
    check(completed("braid", "check", "do") == {"docs"}, "directories where one is meant", str(completed("braid", "check", "do")))
    check("docs" in completed("braid", "do"), "a database where a command could stand")
    check("README.md" not in completed("braid", "import", "db", "x.csv", "--table", ""), "nothing where nobody can guess")
    for command in [""] + commands():
        before = ["braid", command] if command else ["braid"]
        known = options(page(command))
        offered = completed(*before, "--")
        check(offered == set(known), f"bash has the options of braid {command}", str(offered ^ set(known)))
        for option, has_value in known.items():
            script = 'source "$1"; _braid_values "$2" "$3"'
            values = subprocess.run(["bash", "-c", script, "bash", BASH, command, option], capture_output=True, text=True, check=True).stdout
            check(bool(values.strip()) == has_value, f"bash knows whether {option} of braid {command} has a value", values)


def test_zsh():
    with open(ZSH, encoding="utf-8") as file:
        text = file.read()
    listed = set(re.findall(r"^    '([a-z-]+):", text, re.MULTILINE))
    check(listed == set(commands()), "zsh has the commands of --help", str(listed ^ set(commands())))
    groups = {"$database": re.search(r"database=\((.*?)\n  \)", text, re.DOTALL)[1], "$formats": re.search(r"formats=\((.*?)\n  \)", text, re.DOTALL)[1]}
    cases = dict(re.findall(r"^    ([a-z*]+)\)(.*?);;", text, re.MULTILINE | re.DOTALL))
    for command in [""] + commands():
        case = cases.get(command or "*", "")
        for name, group in groups.items():
            case = case.replace(name, group)
        case = case.replace("{-f,--file}'", "'--file")
        offered = set(re.findall(r"'\*?(--[a-z-]+)\[", case))
        known = set(options(page(command)))
        check(offered == known, f"zsh has the options of braid {command}", str(offered ^ known))
    if shutil.which("zsh"):
        done = subprocess.run(["zsh", "-n", ZSH], capture_output=True, text=True, check=False)
        check(done.returncode == 0, "zsh can read its completion", done.stderr)


def main():
    for test in (test_pages, test_manual, test_manual_is_well_formed, test_bash, test_zsh):
        test()
    return 1 if FAILURES else 0


sys.exit(main())
