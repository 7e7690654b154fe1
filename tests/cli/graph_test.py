#!/usr/bin/env python3
"""`braid graph` and the import of GraphML from outside: what is written is read by other readers, and read back it is the same graph.

usage: graph_test.py path/to/braid
"""

import json
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree

from braid_command import FAILURES, braid, check

GRAPHML = "{http://graphml.graphdrawing.org/xmlns}"
SVG = "{http://www.w3.org/2000/svg}"


def refused(part, *words, code=1, text=""):
    _, errors = braid(*words, code=code, text=text)
    check(part in errors, f"'{part}' is told by: braid {' '.join(words)}", errors)


def sql(database, text):
    return json.loads(braid("-json", database, text)[0] or "[]")


def create(database, nodes, edges):
    """`nodes` are labels and properties, `edges` sources, types, targets (from 1) and properties."""
    quoted = lambda value: "'" + json.dumps(value, ensure_ascii=False).replace("'", "''") + "'"
    rows = ",".join(f"({quoted(labels)},{quoted(properties)})" for labels, properties in nodes)
    script = f"INSERT INTO graph_nodes(labels, properties) VALUES {rows};\n"
    for source, kind, target, properties in edges:
        name = kind.replace("'", "''")
        script += f"INSERT INTO graph_edges(src, type, dst, properties) VALUES ({source},'{name}',{target},{quoted(properties)});\n"
    braid(database, text=script)


def graph_of(database):
    """The graph as JSON, with nodes numbered in their order and edges sorted: equal for equal graphs."""
    graph = json.loads(braid("graph", database, "--all", "--json", "-")[0])
    number = {node["id"]: index for index, node in enumerate(graph["nodes"])}
    nodes = [(sorted(node["labels"]), node["properties"]) for node in graph["nodes"]]
    edges = [(number[edge["source"]], edge["type"], number[edge["target"]], json.dumps(edge["properties"], sort_keys=True))
             for edge in graph["edges"]]
    return json.dumps(nodes, sort_keys=True), sorted(edges)


ODD_NODES = [
    (["A"], {"name": "plain", "i": 1, "d": 1.0, "b": True, "mixed": 1, "number": 1}),
    (["A", "B"], {"i": -9223372036854775808, "d": -0.1, "b": False, "mixed": "text", "number": 2.5}),
    ([], {"i": 9223372036854775807, "d": 1e300, "mixed": [1, "a", None, {"k": []}], "name": ""}),
    (["Ü:x\\y"], {"name": "ünï 𝄞 <b> & \"q\" 'a' ]]> \\ --", "mixed": True}),
    (["A"], {"name": "line\nbreak\ttab\rreturn  two  spaces ", "control": "\u0001\u001f", "unfit": "\ufffe\uffff"}),
    (["A"], {"map": {"a": {"b": [1, 2.5, "x", False]}, "c\u0002": "\u0003"}, "list": [], "empty": {}}),
    (["A"], {"bytes": {"$bytes": "00ff10"}, "time": {"$timestamp": "2024-05-01 12:00:00.25"}}),
    (["A"], {"labels": ":not:labels", "label": "caption", "id": 7, "odd name <&> \"q\"": "x", "$dollar": 1}),
    ([], {"labels": ":no:label"}),
    (["A"], {"name": "True", "b": "true", "i": "12", "d": "1.5", "json": "[1,2]"}),
]
ODD_EDGES = [
    (1, "LINKS", 2, {"weight": 1.5}), (1, "LINKS", 2, {"weight": 2}), (2, "LINKS", 1, {}), (3, "odd <&> \"type\"", 3, {"label": "x", "type": "y"}),
    (4, "LINKS", 5, {"weight": "heavy"}), (6, "T", 7, {"list": [1], "weight": {"$bytes": "ab"}}), (8, "T", 8, {"control": "\u0007"}),
    (9, "T", 10, {"note": "a\r\nb"}),
]


def round_trip(name, nodes, edges):
    create(f"{name}_first", nodes, edges)
    braid("graph", f"{name}_first", "--all", "--graphml", f"{name}.graphml")
    braid("import", f"{name}_second", f"{name}.graphml")
    first, second = graph_of(f"{name}_first"), graph_of(f"{name}_second")
    check(first == second, f"{name}: what is written and read back is the same graph", f"{first}\n  {second}")
    check(sql(f"{name}_first", "SELECT count(*) AS n FROM graph_nodes")[0]["n"] == len(nodes), f"{name}: every node is there")
    braid("graph", f"{name}_second", "--all", "--graphml", f"{name}_again.graphml")
    again = pathlib.Path(f"{name}_again.graphml").read_bytes()
    check(pathlib.Path(f"{name}.graphml").read_bytes() == again, f"{name}: written again it is the same file")


def random_value(choose, depth=0):
    kind = choose.randrange(8 if depth < 3 else 5)
    if kind == 0:
        return choose.randrange(-(2**63), 2**63)
    if kind == 1:
        return choose.uniform(-1e9, 1e9) * 10.0 ** choose.randrange(-200, 200)
    if kind == 2:
        return choose.random() < 0.5
    if kind in (3, 4):
        return "".join(chr(choose.choice([choose.randrange(1, 0x80), choose.randrange(0xA0, 0xD800), choose.randrange(0xE000, 0x110000)]))
                       for _ in range(choose.randrange(12)))
    if kind == 5:
        return {"$bytes": choose.randbytes(choose.randrange(6)).hex()}
    if kind == 6:
        return [random_value(choose, depth + 1) for _ in range(choose.randrange(4))]
    return {f"k{index}": random_value(choose, depth + 1) for index in range(2, choose.randrange(3, 6))}


def random_round_trips():
    for seed in range(8):
        choose = random.Random(seed)
        names = [f"p{index}" for index in range(6)]
        properties = lambda: {name: random_value(choose) for name in choose.sample(names, choose.randrange(6))}
        nodes = [(choose.sample(["A", "B", "C:D"], choose.randrange(4)), properties()) for _ in range(40)]
        edges = [(choose.randrange(1, 41), choose.choice(["X", "Y"]), choose.randrange(1, 41), properties()) for _ in range(60)]
        round_trip(f"random{seed}", nodes, edges)


def other_readers():
    root = ElementTree.parse("odd.graphml").getroot()
    keys = {key.get("id"): key for key in root.iter(GRAPHML + "key")}
    types = {(key.get("for"), key.get("attr.name")): key.get("attr.type") for key in keys.values()}
    check(set(types.values()) <= {"boolean", "long", "double", "string"}, "keys have GraphML's types only", types)
    check(types[("node", "number")] == "double", "whole and broken numbers are doubles")
    check(types[("node", "mixed")] == "string", "what is mixed is text")
    check(types[("node", "i")] == "string" and types[("edge", "list")] == "string", "lists are text")
    nodes = list(root.iter(GRAPHML + "node"))
    check(len(nodes) == len(ODD_NODES) and len(list(root.iter(GRAPHML + "edge"))) == len(ODD_EDGES), "an independent reader finds all nodes and edges")
    check(nodes[1].get("labels") == ":A:B", "labels are an attribute as in Neo4j's files", nodes[1].attrib)
    named = {keys[data.get("key")].get("attr.name"): data.text for data in nodes[3]}
    check(named["name"] == ODD_NODES[3][1]["name"], "an independent reader finds the same text", named)
    edge = next(root.iter(GRAPHML + "edge"))
    check((edge.get("source"), edge.get("target"), edge.get("label")) == ("n1", "n2", "LINKS"), "edges have their type as label", edge.attrib)
    dot, _ = braid("graph", "odd_first", "--all", "--dot", "-")
    check(dot.startswith("digraph"), "DOT is a digraph")
    if shutil.which("dot") is None:
        print("skipped: DOT is not shown to Graphviz, which is not installed")
        return
    drawn = subprocess.run(["dot", "-Tsvg"], input=dot, capture_output=True, text=True, timeout=60)
    check(drawn.returncode == 0 and not drawn.stderr, "Graphviz accepts DOT", drawn.stderr)
    check(drawn.stdout.count('class="edge"') == len(ODD_EDGES), "Graphviz draws every edge")


def texts_of(file):
    return [element.text for element in ElementTree.parse(file).getroot().iter(SVG + "text")]


def selections():
    create("grid", [(["Bus"], {"id": f"b{n}", "name": f"bus {n}"}) for n in range(1, 7)] + [(["Load"], {"id": "l"})],
           [(1, "LINE", 2, {"km": 12.5}), (2, "LINE", 3, {"km": 3}), (3, "LINE", 4, {}), (4, "LINE", 5, {}), (2, "FEEDS", 7, {}), (6, "LINE", 6, {})])
    braid("grid", "SELECT graph_create_index('Bus', 'id', 1)")

    def chosen(*words):
        graph = json.loads(braid("graph", "grid", *words, "--json", "-")[0])
        return [node["id"] for node in graph["nodes"]], [edge["id"] for edge in graph["edges"]]

    check(chosen("--all") == ([1, 2, 3, 4, 5, 6, 7], [1, 2, 3, 4, 5, 6]), "--all")
    check(chosen("--all", "--type", "FEEDS") == ([1, 2, 3, 4, 5, 6, 7], [5]), "--type narrows edges")
    check(chosen("--from", "Bus.id=b1") == ([1, 2, 3, 7], [1, 2, 5]), "two hops from a start", chosen("--from", "Bus.id=b1"))
    check(chosen("--from", "Bus.id=b1", "--type", "LINE") == ([1, 2, 3], [1, 2]), "a type narrows the walk")
    check(chosen("--from", "Bus.name=bus 3", "--hops", "1", "--along", "out") == ([3, 4], [3]), "a start without an index, one way")
    check(chosen("--from", "3", "--hops", "0", "--from", "Bus.id=b4") == ([3, 4], [3]), "several starts, one by its id")
    check(chosen("--label", "Load", "--label", "Bus")[0] == [1, 2, 3, 4, 5, 6, 7], "several labels")
    check(chosen("--label", "Bus") == ([1, 2, 3, 4, 5, 6], [1, 2, 3, 4, 6]), "one label")
    check(chosen("--query", "SELECT id AS node FROM graph_nodes WHERE id < 3") == ([1, 2], [1]), "a query's nodes with the edges among them")
    check(chosen("--query", "SELECT node, edge FROM graph_shortest_path(1, 4)") == ([1, 2, 3, 4], [1, 2, 3]), "a query's edges and their ends")

    braid("graph", "grid", "--from", "Bus.id=b1", "--weight", "km", "--svg", "near.svg")
    texts = texts_of("near.svg")
    for text in ("bus 1", "bus 2", "bus 3", "LINE 12.5", "LINE 3", "FEEDS", "Bus (3)", "Load (1)", "LINE (2)"):
        check(text in texts, f"the picture says {text}", texts)
    braid("graph", "grid", "--from", "Bus.id=b1", "--weight", "km", "--svg", "near_again.svg")
    check(pathlib.Path("near.svg").read_bytes() == pathlib.Path("near_again.svg").read_bytes(), "a picture is the same each time")
    braid("graph", "odd_first", "--all", "--caption", "i", "--svg", "odd.svg")
    check("9223372036854775807" in texts_of("odd.svg"), "--caption chooses the property")
    for method in ("spring", "circle", "layers"):
        braid("graph", "odd_first", "--all", "--svg", f"{method}.svg", "--method", method, "--seed", "3")
        check(texts_of(f"{method}.svg").count("plain") == 1, f"{method} draws well-formed SVG")


def misuse():
    for words in ([], ["--all"], ["--svg", "x.svg"], ["--all", "--label", "Bus", "--json", "-"], ["--all", "--json", "-", "--dot", "-"],
                  ["--all", "--hops", "2", "--json", "-"], ["--all", "--json", "-", "--weight", "km"], ["--from", "1", "--along", "up", "--json", "-"]):
        refused("--help", "graph", "grid", *words, code=2)
    refused("no Braid database", "graph", "nothing", "--all", "--json", "-")
    check(not os.path.exists("nothing"), "braid graph creates no database")
    refused("there is no node 99", "graph", "grid", "--from", "99", "--json", "-")
    refused("there is no Bus node with id = 'b9'", "graph", "grid", "--from", "Bus.id=b9", "--json", "-")
    refused("LABEL.KEY=VALUE", "graph", "grid", "--from", "b9", "--json", "-")
    refused("no node has the label Tram", "graph", "grid", "--label", "Tram", "--json", "-")
    refused("named node or edge", "graph", "grid", "--query", "SELECT 1 AS x", "--json", "-")
    refused("is no id", "graph", "grid", "--query", "SELECT 'a' AS node", "--json", "-")
    refused("do not exist", "graph", "grid", "--query", "SELECT 99 AS node", "--json", "-")
    refused("no edge 99", "graph", "grid", "--query", "SELECT 99 AS edge", "--json", "-")
    refused("give one SELECT", "graph", "grid", "--query", "DELETE FROM graph_edges WHERE id = 1", "--json", "-")
    refused("there is more behind the first", "graph", "grid", "--query", "SELECT 1 AS node; SELECT 2 AS node", "--json", "-")
    refused("there is more behind the first", "graph", "grid", "--query", "SELECT 1 AS node; nonsense", "--json", "-")
    remark, _ = braid("graph", "grid", "--query", "SELECT 1 AS node; -- a remark", "--json", "-")
    check([node["id"] for node in json.loads(remark)["nodes"]] == [1], "a query may end with a remark")
    refused("nothing to draw", "graph", "grid", "--query", "SELECT 1 AS node WHERE 0", "--svg", "x.svg")
    refused("cannot write 'missing/x.svg'", "graph", "grid", "--all", "--svg", "missing/x.svg")
    refused("cannot write 'missing/x.json'", "graph", "grid", "--all", "--json", "missing/x.json")
    if os.path.exists("/dev/full"):
        refused("cannot write '/dev/full'", "graph", "grid", "--all", "--json", "/dev/full")
    refused("more than 3 nodes", "graph", "grid", "--all", "--max-nodes", "3", "--json", "-")
    braid("big", "INSERT INTO graph_nodes(labels) WITH RECURSIVE c(v) AS (SELECT 1 UNION ALL SELECT v + 1 FROM c WHERE v < 1500) SELECT '[\"N\"]' FROM c")
    refused("--max-nodes", "graph", "big", "--all", "--svg", "big.svg")
    refused("more than 1000 nodes", "graph", "big", "--all", "--max-nodes", "5000", "--svg", "big.svg")
    check(not os.path.exists("big.svg"), "a picture that is refused leaves no file")
    pathlib.Path("kept.json").write_text("kept")
    refused("there is no node 99", "graph", "grid", "--from", "99", "--json", "kept.json")
    check(pathlib.Path("kept.json").read_text() == "kept", "a mistake in the choice leaves an older file as it is")
    create("control", [(["A"], {"bad\u0001name": 1})], [])
    refused("XML cannot write", "graph", "control", "--all", "--graphml", "control.graphml")
    check(not os.path.exists("control.graphml"), "half of a file is not left behind")


def imports():
    pathlib.Path("people.graphml").write_text(
        '<graphml><key id="k" for="node" attr.name="email" attr.type="string"/><key id="e" for="edge" attr.name="no" attr.type="int"/>'
        '<graph edgedefault="undirected"><edge source="a" target="b"><data key="e">1</data></edge>\n'
        '<node id="a"><data key="k">a@x</data></node>\n<node id="b"><data key="k">b@x</data></node></graph></graphml>')
    braid("import", "people", "people.graphml", "--label", "Person", "--key", "email", "--edge-type", "KNOWS", "--edge-key", "no")
    braid("import", "people", "-", "--graphml", "--label", "Person", "--key", "email", "--edge-type", "KNOWS", "--edge-key", "no",
          text=pathlib.Path("people.graphml").read_text())
    nodes, edges = graph_of("people")
    check(json.loads(nodes) == [[["Person"], {"email": "a@x"}], [["Person"], {"email": "b@x"}]], "nodes are found by their key", nodes)
    check(edges == [(0, "KNOWS", 1, '{"no": 1}')], "an edge before its ends; found by its key", edges)
    braid("import", "people", "people.graphml")
    check(sql("people", "SELECT count(*) AS n FROM graph_nodes WHERE labels = '[]'")[0]["n"] == 2, "without --key nodes are added, without --label bare")
    check(sql("people", "SELECT count(*) AS n FROM graph_edges WHERE type = 'RELATED'")[0]["n"] == 1, "edges without a type are RELATED")
    _, errors = braid("import", "-v", "people", "people.graphml", "--label", "Person", "--key", "email")
    check("2 nodes (0 of them new) and 1 edges (1 of them new)" in errors, "-v says what was done", errors)

    before = graph_of("people")
    wrong = {
        "line 3: an edge's target is 'c'": '<graphml><graph>\n<node id="a"/>\n<edge source="a" target="c"/></graph></graphml>',
        "line 2: a second node has the id 'a'": '<graphml><graph><node id="a"/>\n<node id="a"/></graph></graphml>',
        "not XML": '<graphml><graph><node id="a"></graph></graphml>',
        "entities are not read": '<!DOCTYPE g [<!ENTITY a "aa">]><graphml><graph><node id="&a;"/></graph></graphml>',
        "this is not GraphML": "<gexf/>",
    }
    for message, text in wrong.items():
        pathlib.Path("wrong.graphml").write_text(text)
        refused(message, "import", "people", "wrong.graphml")
        refused("nothing was imported", "import", "people", "wrong.graphml")
    refused("has no label to find it by", "import", "people", "people.graphml", "--key", "email")
    refused("has no property nick", "import", "people", "people.graphml", "--label", "Person", "--key", "nick")
    refused("the edge has no property nick", "import", "people", "people.graphml", "--edge-key", "nick")
    refused("--null goes with CSV only", "import", "people", "people.graphml", "--null", "x", code=2)
    refused("--label goes with GraphML only", "import", "people", "x.csv", "--table", "t", "--label", "x", code=2)
    check(graph_of("people") == before, "what fails changes nothing")


def main():
    with tempfile.TemporaryDirectory(prefix="braid-graph-") as directory:
        os.chdir(directory)
        round_trip("odd", ODD_NODES, ODD_EDGES)
        random_round_trips()
        other_readers()
        selections()
        misuse()
        imports()
        os.chdir("/")
    print(f"{len(FAILURES)} checks failed" if FAILURES else "all checks passed")
    return 1 if FAILURES else 0


if __name__ == "__main__":
    sys.exit(main())
