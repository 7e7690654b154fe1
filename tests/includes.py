#!/usr/bin/env python3
"""Each file reaches, by its own includes, the headers of what it names: tests are built from several files at once, which would hide a missing one.

Types, macros and free functions of our headers, and fmt. A name that several headers have is left to the compiler.

usage: includes.py ROOT
"""

import pathlib
import re
import sys

from layers import INCLUDE, MAY_INCLUDE

EVERYWHERE = ("bench", "tests", "fuzz")
FOLDERS = (*MAY_INCLUDE, *EVERYWHERE)
COMMENT_OR_TEXT = re.compile(r'R"(\w*)\(.*?\)\1"|//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'', re.DOTALL)
# What stands at the beginning of a line is of a namespace, not of a class.
DEFINITION = re.compile(r"^(?:template <[^\n]*>\s*)?(?:class|struct|enum class|union)\s+(\w+)(?:\s+final)?\s*(?::[^:;{][^;{]*)?\{", re.MULTILINE)
ALIAS = re.compile(r"^(?:template <[^\n]*>\s*)?using (\w+) =", re.MULTILINE)
MACRO = re.compile(r"^#define (\w+)\b(?!.*_H_?$)", re.MULTILINE)
FUNCTION = re.compile(r"^(?:\[\[nodiscard\]\] |inline |constexpr |template <[^\n]*>\s)*(?!using|return|class|struct|enum|namespace|friend|typedef)[\w:][\w:<>,&\* ]*[ &\*](\w+)\([^;{}]*\)\s*(?:const|noexcept)?\s*[;{]", re.MULTILINE)
WORD = re.compile(r"(?<![\w.:>])(\w+)\b(?!\s*::\s*~)")
# The Boost Graph Library's, found by their arguments.
FOREIGN = {"vertices", "adjacent_vertices"}
FMT = re.compile(r"\bfmt::")


def bare(text):
    return COMMENT_OR_TEXT.sub(lambda found: "\n" * found.group(0).count("\n"), text)


def may_include(name, home):
    folder, other = name.split("/", 1)[0], home.split("/", 1)[0]
    return folder == other or folder in EVERYWHERE and other not in EVERYWHERE or other in MAY_INCLUDE.get(folder, ())


class Tree:
    def __init__(self, root):
        self.root = root
        self.texts = {}
        self.includes = {}
        self.reached = {}
        self.own = {}
        for folder in FOLDERS:
            for path in sorted((root / folder).rglob("*")):
                if path.suffix in (".h", ".cc"):
                    text = path.read_text(encoding="utf-8")
                    name = str(path.relative_to(root))
                    self.includes[name] = [self.resolve(path, target) for _, target in INCLUDE.findall(text)]
                    self.texts[name] = bare(text)
        self.homes = self.find_homes()

    def resolve(self, path, target):
        beside = path.parent / target
        return str(beside.relative_to(self.root)) if beside.exists() else target

    def find_homes(self):
        """The header of each name that only one has."""
        homes = {}
        for name, text in self.texts.items():
            if name.endswith(".h"):
                for pattern in (DEFINITION, ALIAS, MACRO, FUNCTION):
                    for word in pattern.findall(text):
                        homes.setdefault(word, set()).add(name)
        return {word: next(iter(found)) for word, found in homes.items() if len(found) == 1}

    def reach(self, name):
        """All that a file includes, itself too."""
        if name not in self.reached:
            self.reached[name] = {name}  # also while it is sought: headers may not include each other, but this must end
            found = {name}
            for target in self.includes.get(name, ()):
                found |= self.reach(target)
            self.reached[name] = found
        return self.reached[name]

    def problems_of(self, name):
        text, reached = self.texts[name], self.reach(name)
        if FMT.search(text) and not any(target.startswith("fmt/") for target in reached):
            yield f"{name}: names fmt::, and does not include it"
        own = set()
        for other in reached:
            own |= self.own_names(other)
        for word in sorted(set(WORD.findall(text)) - FOREIGN):
            home = self.homes.get(word)
            if home is not None and may_include(name, home) and home not in reached and word not in own:
                yield f"{name}: names {word}, and does not include {home}"

    def own_names(self, name):
        """Also what is declared ahead, and what a local name hides."""
        if name not in self.texts:
            return set()
        if name not in self.own:
            text = self.texts[name]
            found = set(re.findall(r"\b(?:class|struct|enum|enum class|union|using|auto|namespace|typename)&?\s+(\w+)", text))
            found |= set(re.findall(r"[\w>&\*,]\s+[&\*]?(\w+)\s*(?:[;:,)={(]|\[)", text))
            self.own[name] = found
        return self.own[name]


def main():
    tree = Tree(pathlib.Path(sys.argv[1]))
    problems = [problem for name in tree.texts for problem in tree.problems_of(name)]
    for problem in problems:
        print(problem)
    print(f"{len(tree.texts)} files, {len(tree.homes)} names, {len(problems)} problems")
    return 1 if problems or not tree.texts else 0


if __name__ == "__main__":
    sys.exit(main())
