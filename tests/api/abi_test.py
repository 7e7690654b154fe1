"""What programs that were compiled before rely on: the functions of the library with their versions, the layouts of the structs of braid.h, and its constants.
They are compared with api/braid.abi. What is gone or has changed fails; what is new is told, and listed by --update.

usage: abi_test.py LIBRARY HEADER LIST [--update] COMPILER ...
"""

import os
import re
import subprocess
import sys
import tempfile


def exported(library):
    """'symbol NAME' -> its version."""
    lines = subprocess.run(["nm", "-D", "--defined-only", "--with-symbol-versions", library], capture_output=True, text=True, check=True).stdout.splitlines()
    found = {}
    for line in lines:
        kind, name = line.split()[-2:]
        if kind != "A":
            name, _, version = name.partition("@")
            found[f"symbol {name}"] = version.lstrip("@")
    return found


def without_comments(text):
    return re.sub(r"/\*.*?\*/", " ", re.sub(r"//[^\n]*", " ", text), flags=re.DOTALL)


def field_name(declaration):
    pointer = re.search(r"\(\s*\*\s*(\w+)\s*\)", declaration)
    return pointer.group(1) if pointer else re.search(r"(\w+)\s*$", declaration).group(1)


def structs(header):
    """(how C names it, its fields in their order)"""
    for match in re.finditer(r"(typedef )?struct (\w+) \{([^}]*)\}", header):
        name = match.group(2) if match.group(1) else f"struct {match.group(2)}"
        yield name, [field_name(part) for part in match.group(3).split(";") if part.strip()]


def constants(header):
    """But for the release's own numbers."""
    return re.findall(r"^#define (?!BRAID_VERSION_)(\w+) [^\n]*\d", header, flags=re.MULTILINE)


def laid_out(path, compiler):
    """Asks the compiler: 'struct NAME' -> size, 'field NAME.FIELD' -> offset and size, 'constant NAME' -> value."""
    with open(path, encoding="utf-8") as file:
        header = without_comments(file.read())
    lines = ['#include <stdio.h>', f'#include "{os.path.abspath(path)}"', "int main(void) {"]
    for name, fields in structs(header):
        lines.append(f'  printf("struct {name}=%zu\\n", sizeof({name}));')
        for field in fields:
            lines.append(f'  printf("field {name}.{field}=%zu %zu\\n", offsetof({name}, {field}), sizeof((({name}*)0)->{field}));')
    for name in constants(header):
        lines.append(f'  printf("constant {name}=%lld\\n", (long long)({name}));')
    lines += ["  return 0;", "}"]
    with tempfile.TemporaryDirectory() as folder:
        source, program = os.path.join(folder, "layout.c"), os.path.join(folder, "layout")
        with open(source, "w", encoding="utf-8") as file:
            file.write("\n".join(lines))
        subprocess.run([*compiler, "-std=c11", source, "-o", program], check=True)
        output = subprocess.run([program], capture_output=True, text=True, check=True).stdout
    return dict(line.split("=", 1) for line in output.splitlines())


def read_list(path):
    with open(path, encoding="utf-8") as file:
        return dict(line.rstrip("\n").split("=", 1) for line in file if line.strip() and not line.startswith("#"))


def write_list(path, found):
    with open(path, "w", encoding="utf-8") as file:
        file.write("# What programs rely on, for x86-64: functions with their versions, sizes of structs, offsets and sizes of fields, constants.\n"
                   "# `./run abi` writes it; tests/api/abi_test.py compares the library with it.\n")
        for key in sorted(found):
            file.write(f"{key}={found[key]}\n")


def rules_broken(found):
    """What the header promises of all structs: they begin with their size, but for those that stand in arrays and those of Arrow."""
    frozen = ("braid_neighbor", "braid_value")
    for key in found:
        name = key.removeprefix("struct ")
        if key.startswith("struct braid_") and name not in frozen and not found.get(f"field {name}.size_bytes", "").startswith("0 "):
            yield f"{name} does not begin with size_bytes"


def main():
    library, header, path, *compiler = sys.argv[1:]
    update = compiler[:1] == ["--update"]
    found = {**exported(library), **laid_out(header, compiler[1:] if update else compiler)}
    if update:
        write_list(path, found)
        return 0
    released = read_list(path)
    broken = [f"gone: {key} ({value})" for key, value in released.items() if key not in found]
    broken += [f"changed: {key} was {value}, is {found[key]}" for key, value in released.items() if key in found and found[key] != value]
    broken += [f"no version: {key}" for key, value in found.items() if key.startswith("symbol ") and not value.startswith("BRAID_")]
    broken += rules_broken(found)
    for key in sorted(found.keys() - released.keys()):
        print(f"new, not in {os.path.basename(path)}: {key}")
    print("\n".join(broken) if broken else f"{len(released)} entries are as they were")
    return 1 if broken else 0


sys.exit(main())
