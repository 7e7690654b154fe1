#!/usr/bin/env python3
"""Runs every snippet of a page of the guide, in order, in a directory of its own, and compares what it prints.

usage: guide_test.py PAGE BUILD SOURCE [--write] [--named]

A fenced block is run by its language; one of `text` right behind it is what it prints (output and errors together). A block without it may print anything.

  sql             braid -box plant.db, which must succeed; `sql error` must fail, `sql other.db` takes another database
  sh              bash -e with braid, cc, python3 and node; the library and the bindings are found; `sh error` must fail
  c               a body with `database` (plant.db), `connection` and must(); `c NAME.c` is a program that is only written, for sh to build
  python, js      blocks with nothing of another language between them are one program
  NAME.EXTENSION  any other language with a name of a file behind it is written to that file

In the expected text … stands for any characters, and a line of it alone for any lines. --write puts in what was printed.
--named runs only the blocks that have a word behind their language, such as `c first.c` and `sh run`: of a page that tells other things too.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

MARK = "\x01next\x01"
RUN = {"sql", "sh", "c", "python", "js"}
PRELUDE = r"""
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "braid.h"
static inline void must_on(braid_connection* connection, int32_t code) {
  if (code == BRAID_OK) return;
  printf("error %d: %s\n", (int)code, braid_connection_error(connection));
  exit(1);
}
#define must(code) must_on(connection, (code))
static void run(braid_database* database, braid_connection* connection) {
  (void)database;
BODY
}
int main(void) {
  braid_database* database = NULL;
  braid_connection* connection = NULL;
  if (braid_open("plant.db", NULL, &database) != BRAID_OK || braid_connect(database, &connection) != BRAID_OK) return 1;
  run(database, connection);
  braid_disconnect(connection);
  return braid_close(database) == BRAID_OK ? 0 : 1;
}
"""


class Block:
    def __init__(self, info, text, start, end):
        words = info.split()
        self.language, self.words = (words[0] if words else ""), words[1:]
        self.text, self.start, self.end = text, start, end
        self.expected = None  # the block of `text` behind it
        self.output = None


def blocks_of(lines):
    found, at = [], 0
    while at < len(lines):
        if lines[at].startswith("```"):
            start = at
            at += 1
            while not lines[at].startswith("```"):
                at += 1
            found.append(Block(lines[start][3:].strip(), "\n".join(lines[start + 1 : at]), start, at))
        at += 1
    for block, behind in zip(found, found[1:]):
        between = lines[block.end + 1 : behind.start]
        if behind.language == "text" and not any(line.strip() for line in between):
            block.expected = behind
    return found


class Page:
    def __init__(self, page, build, source):
        self.page, self.build, self.source = page, build, source
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="braid-guide-", dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None))
        self.braid = build / "cli" / "braid"
        library = build / "api"
        tools = self.directory / ".tools"
        tools.mkdir()
        (tools / "braid").symlink_to(self.braid)
        python = tools / "python3"
        python.symlink_to(sys.executable)
        (tools / "node_modules").mkdir()
        (tools / "node_modules" / "braid").symlink_to(source / "bindings" / "node")
        self.environment = {
            **os.environ, "PATH": f"{tools}:{os.environ['PATH']}", "LC_ALL": "C.UTF-8", "NO_COLOR": "1", "TZ": "UTC", "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONPATH": str(source / "bindings" / "python"), "BRAID_LIBRARY": str(library / "libbraid.so"), "LD_LIBRARY_PATH": str(library),
            "LIBRARY_PATH": str(library), "CPATH": str(source / "api"), "BRAID_ADDON": str(build / "bindings" / "node" / "braid.node"),
            "NODE_PATH": str(tools / "node_modules"),
        }  # fmt: skip

    def command(self, arguments, text=None):
        done = subprocess.run(arguments, input=text, cwd=self.directory, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120)
        return done.returncode, done.stdout

    def run_sql(self, block):
        database = next((word for word in block.words if word != "error"), "plant.db")
        return self.command([self.braid, "-box", database, "-f", "-"], block.text)

    def run_sh(self, block):
        return self.command(["bash", "-e", "-c", block.text])

    def run_c(self, block):
        program = self.directory / ".tools" / "body.c"
        program.write_text(PRELUDE.replace("BODY", block.text))
        code, output = self.command(["cc", "-std=c11", "-Wall", "-Wextra", "-Werror", str(program), "-o", ".tools/body", "-lbraid"])
        return (code, output) if code else self.command([".tools/body"])

    def run_together(self, blocks):
        """Python or JavaScript: one program, whose output is cut at marks."""
        if blocks[0].language == "python":
            text = "\n".join(f"print({MARK!r}, flush=True)\n{block.text}" for block in blocks)
            code, output = self.command(["python3", "-"], text)
        else:
            body = "\n".join(f"console.log({MARK!r});\n{block.text}" for block in blocks).replace("\\x01", "\\u0001")
            code, output = self.command(["node", "-"], f"(async () => {{\n{body}\n}})().catch((error) => {{ console.log(error); process.exit(1); }});")
        parts = output.split(MARK + "\n")
        for block, part in zip(blocks, parts[1:]):
            block.output = part
        blocks[-1].output = blocks[-1].output if len(parts) == len(blocks) + 1 else output
        return code, blocks[min(len(parts) - 1, len(blocks)) - 1 if len(parts) > 1 else 0]

    def run(self, blocks):
        """Answers what failed."""
        problems, at = [], 0
        blocks = [block for block in blocks if block.language != "text"]
        while at < len(blocks):
            block = blocks[at]
            if block.words and "." in block.words[0] and block.language != "sql":
                (self.directory / block.words[0]).write_text(block.text + "\n")
                at += 1
                continue
            if block.language not in RUN:
                problems.append(f"line {block.start + 1}: a block of '{block.language}' is not run by anything")
                at += 1
                continue
            if block.language in ("python", "js"):
                end = at
                while end < len(blocks) and blocks[end].language == block.language and not blocks[end].words:
                    end += 1
                code, last = self.run_together(blocks[at:end])
                if code != 0:
                    problems.append(f"line {last.start + 1}: ended with {code}:\n{last.output}")
                at = end
                continue
            code, block.output = getattr(self, "run_" + block.language)(block)
            if (code != 0) != ("error" in block.words):
                problems.append(f"line {block.start + 1}: ended with {code}:\n{block.output}")
            at += 1
        return problems


def pattern_of(expected):
    parts = []
    for line in expected.split("\n"):
        parts.append("(?:.*\n)*?" if line.strip() == "…" else ".*".join(map(re.escape, line.rstrip().split("…"))) + "\n")
    return re.compile("".join(parts))


def tidy(output):
    return "\n".join(line.rstrip() for line in output.rstrip("\n").split("\n"))


def compare(blocks):
    problems = []
    for block in blocks:
        if block.expected is None or block.output is None:
            continue
        if not pattern_of(block.expected.text).fullmatch(tidy(block.output) + "\n"):
            problems.append(f"line {block.start + 1}: expected\n{block.expected.text}\nit printed\n{tidy(block.output)}")
    return problems


def check_links(page, lines):
    targets = re.findall(r"\]\(([^)#\s]+)[^)]*\)", "\n".join(lines))
    return [f"a link leads to {target}, which is not there" for target in targets if "://" not in target and not (page.parent / target).exists()]


def check_pages(page):
    """Pages of the guide that no test runs."""
    tests = pathlib.Path(__file__).with_name("meson.build").read_text(encoding="utf-8")
    found = [other.stem for other in page.parent.glob("*.md") if other.stem != "README" and f"'{other.stem}'" not in tests]
    return [f"the page {name} is in no test" for name in found]


def write(page, lines, blocks):
    for block in reversed(blocks):
        if block.expected is not None and block.output is not None and not pattern_of(block.expected.text).fullmatch(tidy(block.output) + "\n"):
            lines[block.expected.start + 1 : block.expected.end] = tidy(block.output).split("\n")
    page.write_text("\n".join(lines) + "\n", encoding="utf-8")


def main():
    page, build, source = (pathlib.Path(argument).resolve() for argument in sys.argv[1:4])
    lines = page.read_text(encoding="utf-8").rstrip("\n").split("\n")
    blocks = blocks_of(lines)
    if "--named" in sys.argv:
        blocks = [block for block in blocks if block.words]
    if any(block.language == "js" for block in blocks) and not (build / "bindings" / "node" / "braid.node").exists():
        print("skipped: Node.js was not there when this was built")
        return 77
    run = Page(page, build, source)
    try:
        problems = check_links(page, lines) + (check_pages(page) if page.parent.name == "guide" else []) + run.run(blocks)
        if "--write" in sys.argv:
            write(page, lines, blocks)
        else:
            problems += compare(blocks)
    finally:
        shutil.rmtree(run.directory)
    count = sum(block.output is not None for block in blocks)
    for problem in problems:
        print(f"{page.name}, {problem}\n")
    print(f"{page.name}: {count} snippets run, {len(problems)} problems")
    return 1 if problems or count == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
