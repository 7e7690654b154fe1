"""Dot commands in scripts: where results go and how they look, parameters, plans, exports.

usage: shell_commands_test.py path/to/braid
"""

import json
import os
import sys

from braid_command import braid, check, run_each


def script(work, text, code=0):
    here = os.getcwd()
    os.chdir(work)
    try:
        return braid("db", text=text, code=code)
    finally:
        os.chdir(here)


def content(work, name):
    with open(os.path.join(work, name), encoding="utf-8") as file:
        return file.read()


def test_where_results_go(work):
    output, _ = script(work, ".output all.txt\nSELECT 1 AS a;\nSELECT 2 AS b;\n.output\nSELECT 3 AS c;\n")
    check(output == "c\n3\n" and content(work, "all.txt") == "a\n1\nb\n2\n", ".output sends results to a file and back", output)
    script(work, ".output left.txt\nSELECT 8 AS h;\n")
    check(content(work, "left.txt") == "h\n8\n", "a file that results go to is whole at the end")
    output, _ = script(work, ".once one.txt\nSELECT 4 AS d;\nSELECT 5 AS e;\n")
    check(output == "e\n5\n" and content(work, "one.txt") == "d\n4\n", ".once is for one statement", output)
    script(work, ".once |sort -r > sorted.txt\nSELECT 1 AS a UNION SELECT 2;\n")
    check(content(work, "sorted.txt") == "a\n2\n1\n", ".once |COMMAND hands results to a program")
    _, errors = script(work, ".once /nowhere/at/all\nSELECT 1;\n", code=1)
    check("/nowhere/at/all" in errors, "a file that cannot be written is named", errors)
    _, errors = script(work, ".once |no_such_program_here\nSELECT 1;\n", code=1)
    check("no_such_program_here" in errors and "no such program" in errors, "so is a program that is not there", errors)
    _, errors = script(work, ".once |exit 3\nSELECT 1;\n", code=1)
    check("exit code 3" in errors, "or one that fails", errors)


def test_modes(work):
    output, _ = script(work, ".mode jsonl\nSELECT 1 AS a;\n.mode insert t\nSELECT 'x' AS a;\n.mode markdown\nSELECT 2 AS b;\n.mode\n")
    check(output == '{"a":1}\nINSERT INTO "t"("a") VALUES(\'x\');\n| b |\n|---|\n| 2 |\nmarkdown\n', "modes change as they are named", output)
    _, errors = script(work, ".mode xml\n", code=1)
    check("markdown" in errors and "xml" in errors, "a mode that is not there is answered with those that are", errors)
    check(braid(os.path.join(work, "db"), "-jsonl", "SELECT 1 AS a")[0] == '{"a":1}\n', "each mode is an option too")


def test_parameters(work):
    output, _ = script(work, ".param set :a 41 + 1\n.param set name 'it''s'\n.param set ?3 x'00ff'\nSELECT :a AS a, @name AS b, typeof(?3) AS c;\n")
    check(output == "a,b,c\n42,it's,blob\n", "parameters have values by name and number", output)
    output, _ = script(work, ".param set :a plain words\nSELECT :a AS a;\n.param list\n")
    check("plain words" in output and ":a" in output, "what is no SQL is text", output)
    _, errors = script(work, ".param set :a 1\n.param clear\nSELECT :a;\n", code=1)
    check(".param set" in errors, "a parameter without a value is told", errors)
    _, errors = script(work, ".param unset :b\n", code=1)
    check(":b" in errors, "one that is not there too", errors)


def test_plans(work):
    output, _ = script(work, "CREATE TABLE t(a); CREATE INDEX i ON t(a);\n.explain SELECT * FROM t WHERE a = 'x y'\n")
    check("SEARCH t USING COVERING INDEX i" in output, ".explain shows a plan", output)
    output, _ = script(work, ".explain on\nSELECT a FROM t;\n.explain off\nSELECT 1 AS one;\n")
    check("SCAN t" in output and output.endswith("one\n1\n"), ".explain on shows one before each statement", output)


def test_places_of_mistakes(work):
    for line, column in ((".explain SELECT 1, nix", 20), (".watch 1 2 SELECT 1, nix", 22), (".plot SELECT 1, nix", 17), ("  SELECT 1, nix;", 13),
                         (".plot SELECT 1, nix --width 60", 17), (".export x.csv SELECT nix", 22), (".plot 'SELECT 1, nix'", 1)):
        _, errors = script(work, line + "\n", code=1)
        check(f":1:{column}: no such column: nix" in errors, f"{line}: the place of the mistake is told", errors)


def test_plots(work):
    script(work, ".plot SELECT 1, 2 UNION SELECT 2, 3 --svg plot.svg --title 'of two'\n")
    check("of two" in content(work, "plot.svg"), "options may stand behind the query of .plot")


def test_export_and_import(work):
    script(work, "CREATE TABLE \"the rows\"(a INTEGER, b TEXT); INSERT INTO \"the rows\" VALUES(1, 'x,y'), (2, NULL), (3, '');\n"
                 ".export rows.csv \"the rows\"\n.export rows.jsonl SELECT b FROM \"the rows\" WHERE a = 1;\n.export rows.sql \"the rows\"\n"
                 ".import rows.csv --table again\n")
    check(content(work, "rows.csv") == 'a,b\n1,"x,y"\n2,\n3,""\n', ".export writes a table", content(work, "rows.csv"))
    check(json.loads(content(work, "rows.jsonl")) == {"b": "x,y"}, "or a query, as its file's name says")
    check('INSERT INTO "the rows"' in content(work, "rows.sql"), "also as statements")
    output, _ = script(work, "SELECT count(*) AS n FROM (SELECT * FROM again EXCEPT SELECT * FROM \"the rows\");\n")
    check(output == "n\n0\n", "what was exported is imported", output)
    _, errors = script(work, ".export gone.csv SELECT * FROM nowhere\n", code=1)
    check("nowhere" in errors and not os.path.exists(os.path.join(work, "gone.csv")), "a mistake leaves no file", errors)


def test_pictures_and_watching(work):
    script(work, "INSERT INTO graph_nodes(labels, properties) VALUES('[\"A\"]', '{\"k\": 1}');\n.graph --all --svg g.svg\n"
                 ".once plot.txt\n.plot SELECT value, value * value AS square FROM json_each('[1, 2, 3]')\n")
    check("<svg" in content(work, "g.svg"), ".graph draws")
    check("square" in content(work, "plot.txt"), ".plot takes a query as it is, and goes where results go")
    output, _ = script(work, ".watch 0.001 3 SELECT 7 AS seven;\n")
    check(output == "seven\n7\n" * 3, ".watch runs a statement again and again", output)
    for wrong in (".watch", ".watch 0 SELECT 1", ".watch x SELECT 1", ".watch 1 2"):
        _, errors = script(work, wrong + "\n", code=1)
        check("SECONDS" in errors, f"{wrong}: how it is used is told", errors)


TESTS = (test_where_results_go, test_modes, test_parameters, test_plans, test_places_of_mistakes, test_plots, test_export_and_import,
         test_pictures_and_watching)


sys.exit(run_each(TESTS))
