"""Random databases with something of everything, as SQL, and what is in a database, so that two can be compared."""

import json
import random
import struct

TEXTS = ["", "it's", 'say "hi"', "two\nlines", ".tables\n.quit", "-- no comment", "x;y", "ümläut", "漢字", "a\u0300", "👩‍👩‍👧",
         "/* open", "\\", "tab\tcr\r", "NULL", "1", "%s{}"]
COLUMN_TYPES = ["", "INTEGER", "TEXT", "REAL", "NUMERIC", "BLOB"]


def quoted(text):
    return "'" + text.replace("'", "''") + "'"


def random_double(chance):
    if chance.random() < 0.5:
        return round(chance.uniform(-1000, 1000), chance.randrange(5))
    while True:
        value = struct.unpack("<d", chance.randbytes(8))[0]
        if value == value and abs(value) != float("inf"):
            return value


def real_literal(value):
    """Exact, whatever a reader makes of decimals: the quotient of whole numbers that are exact themselves."""
    mantissa, power = value.as_integer_ratio()
    if abs(mantissa) < 2**53 and power < 2**53:
        return f"({mantissa}.0 / {power}.0)"
    return repr(value)


def random_value(chance):
    kind = chance.randrange(9)
    if kind == 0:
        return "NULL"
    if kind == 1:
        return str(chance.choice([0, 1, -1, 2**63 - 1, -(2**63), chance.randrange(-(2**40), 2**40)]))
    if kind in (2, 3):
        return real_literal(random_double(chance))
    if kind == 4:
        return chance.choice(["9e999", "-9e999", "0.1", "1e-320"])
    if kind == 5:
        return "x'" + chance.randbytes(chance.randrange(12)).hex() + "'"
    if kind == 6:
        return "CAST(x'" + (chance.randbytes(3) + b"\x00" + chance.randbytes(3)).hex() + "' AS TEXT)"
    return quoted(chance.choice(TEXTS) + chance.choice(["", str(chance.randrange(1000))]))


class Maker:
    """Statements that make one database."""

    def __init__(self, seed):
        self.chance = random.Random(seed)
        self.sql = []

    def add(self, text):
        self.sql.append(text + ";")

    def make(self):
        self.rows()
        self.related_rows()
        self.searched_rows()
        self.graph()
        self.series()
        self.large_values()
        self.add(f"PRAGMA user_version={self.chance.randrange(1, 100)}")
        self.add("SELECT load_advance('bulk ''one''', 12345)")
        if self.chance.random() < 0.5:
            self.add("ANALYZE")
        return "\n".join(self.sql)

    def rows(self):
        chance = self.chance
        for number in range(chance.randrange(2, 5)):
            name = f"\"ta ble{number}\"" if number == 1 else f"t{number}"
            columns = [f"c{i} {chance.choice(COLUMN_TYPES)}" for i in range(chance.randrange(1, 5))]
            form = chance.randrange(4)
            names = [column.split()[0] for column in columns]
            if form == 0:
                columns.insert(0, "id INTEGER PRIMARY KEY AUTOINCREMENT")
            elif form == 1:
                columns.append("g AS (coalesce(c0, 1) || 'x') STORED")
            elif form == 2:
                columns.insert(0, "k INTEGER NOT NULL")
                columns.append("PRIMARY KEY(k)")
            without = " WITHOUT ROWID" if form == 2 and chance.random() < 0.6 else ""
            self.add(f"CREATE TABLE {name}({', '.join(columns)}){without}")
            for row in range(chance.randrange(0, 40)):
                given, values = list(names), [random_value(chance) for _ in names]
                if form == 2:
                    given, values = ["k", *given], [str(row * 7 - 50), *values]
                self.add(f"INSERT INTO {name}({', '.join(given)}) VALUES({', '.join(values)})")
            # Numbers of rows with holes, which others may refer to.
            if form != 2:
                self.add(f"DELETE FROM {name} WHERE rowid % 5 = 2")
            self.add(f"CREATE INDEX i{number} ON {name}(c0) WHERE c0 IS NOT NULL")
            self.add(f"CREATE INDEX e{number} ON {name}(typeof(c0), c0 COLLATE NOCASE DESC)")
            self.add(f"CREATE VIEW v{number} AS SELECT c0 AS \"a \"\"b\", count(*) AS n FROM {name} GROUP BY 1 -- a view\n")
        self.add("CREATE TABLE noted(what TEXT)")
        self.add("CREATE TRIGGER noting AFTER INSERT ON t0 BEGIN INSERT INTO noted VALUES('row; ' || NEW.rowid); UPDATE noted SET what = what; END")
        self.add("CREATE TRIGGER \"in stead\" INSTEAD OF INSERT ON v0 BEGIN SELECT 1; END")

    def related_rows(self):
        # Each refers to the other: only one transaction can bring both in.
        self.add("CREATE TABLE head(id INTEGER PRIMARY KEY, tail INTEGER REFERENCES tail(id) DEFERRABLE INITIALLY DEFERRED)")
        self.add("CREATE TABLE tail(id INTEGER PRIMARY KEY, head INTEGER NOT NULL REFERENCES head(id))")
        self.add("BEGIN; INSERT INTO head VALUES(1, 7), (2, NULL); INSERT INTO tail VALUES(7, 1), (8, 2); COMMIT")

    def searched_rows(self):
        self.add("CREATE VIRTUAL TABLE notes USING fts5(title, body)")
        self.add("INSERT INTO notes(rowid, title, body) VALUES(5, 'one', 'some text'), (9, 'two', 'other text')")
        self.add("CREATE TABLE pages(id INTEGER PRIMARY KEY, body TEXT)")
        self.add("INSERT INTO pages VALUES(3, 'found here'), (4, 'nothing')")
        self.add("CREATE VIRTUAL TABLE found USING fts5(body, content='pages', content_rowid='id')")
        self.add("INSERT INTO found(found) VALUES('rebuild')")
        self.add("CREATE VIRTUAL TABLE boxes USING rtree(id, x0, x1, y0, y1, +label)")
        self.add("INSERT INTO boxes VALUES(1, 0, 1, 0, 1, 'unit'), (4, -1.5, 2.25, 0, 3, NULL)")

    def property_value(self):
        chance = self.chance
        return chance.choice([None, True, False, 7, -(2**63), 1.5, 1e300, random_double(chance), chance.choice(TEXTS), "nul\u0000inside",
                              {"$bytes": "00ff"}, {"$timestamp": "2024-02-29 12:00:00.5"}, [1, "a", None, [2.5]], {"b": {"c": 1}, "a": []}])

    def graph(self):
        chance = self.chance
        self.add("CREATE TABLE devices(serial TEXT PRIMARY KEY, watts REAL, picture BLOB)")
        devices = [f"d{i}" for i in range(chance.randrange(2, 9))]
        for serial in devices:
            self.add(f"INSERT INTO devices VALUES('{serial}', {real_literal(random_double(chance))}, x'0102')")
        self.add(f"SELECT graph_bind('Device', 'devices', 'serial', '{chance.choice(['restrict', 'detach'])}')")
        self.add("SELECT graph_create_index('Place', 'uid', 1), graph_create_index('Place', 'note'), graph_create_edge_index('LINE', 'key', 1)")
        places = chance.randrange(3, 25)
        for uid in range(places):
            properties = {"uid": uid, **{f"p{i}": self.property_value() for i in range(chance.randrange(4))}}
            labels = ["Place"] + chance.sample(["Hot", "Über", "a b"], chance.randrange(3))
            self.add(f"INSERT INTO graph_nodes(labels, properties) VALUES({quoted(json.dumps(labels))}, {quoted(json.dumps(properties))})")
        self.add("DELETE FROM graph_nodes WHERE id = graph_node('Place', 'uid', 1)")
        ends = [f"graph_node('Place', 'uid', {uid})" for uid in range(places) if uid != 1]
        ends += [f"graph_node('Device', 'serial', '{serial}')" for serial in devices]
        for number in range(chance.randrange(5, 40)):
            properties = {"key": number, "w": self.property_value()}
            kind = chance.choice(["LINE", "LINE", "two words"])
            self.add(f"INSERT INTO graph_edges(src, type, dst, properties) VALUES({chance.choice(ends)}, '{kind}', {chance.choice(ends)}, "
                     f"{quoted(json.dumps(properties))})")
        self.add("INSERT INTO graph_edges(src, type, dst) VALUES(graph_node('Place', 'uid', 0), 'WITHIN', graph_node('Place', 'uid', 2))")
        self.add("SELECT graph_hierarchy('WITHIN', 'up')")
        # A bound node has more than its row: another label, another property.
        self.add("UPDATE graph_nodes SET labels = '[\"Device\",\"Hot\"]', properties = json_set(properties, '$.rank', 0.25) "
                 "WHERE id = graph_node('Device', 'serial', 'd1')")

    def series(self):
        chance = self.chance
        self.add("CREATE TABLE hosts(name TEXT PRIMARY KEY, rack INTEGER)")
        self.add("INSERT INTO hosts VALUES('a', 1), ('b''s', 2), ('ü', 3)")
        conflict = chance.choice(["replace", "ignore", "error", "merge"])
        self.add("CREATE VIRTUAL TABLE cpu USING hypertable(time TIMESTAMP, host TEXT TAG REFERENCES hosts(name) ON DELETE RESTRICT, "
                 f"rack INTEGER TAG, usage DOUBLE, n BIGINT, ok BOOLEAN, note TEXT, more JSON, on_conflict='{conflict}', chunk_interval='1 day')")
        for number in range(chance.randrange(20, 120)):
            time = f"2024-01-{1 + number % 28:02} {number % 24:02}:00:00.{number:06}"
            values = [chance.choice(["'a'", "'b''s'", "'ü'", "NULL"]), chance.choice(["1", "-5", "NULL"]),
                      chance.choice(["NULL", "9e999", real_literal(random_double(chance))]),
                      chance.choice(["NULL", str(2**63 - 1), str(-(2**63)), "4"]), chance.choice(["NULL", "0", "1"]),
                      chance.choice(["NULL", quoted(chance.choice(TEXTS)), "CAST(x'610062' AS TEXT)"]),
                      chance.choice(["NULL", "'{\"a\": [1, 2.5]}'"])]
            self.add(f"INSERT OR REPLACE INTO cpu VALUES('{time}', {', '.join(values)})")
        self.add("CREATE VIRTUAL TABLE \"far away\" USING hypertable(\"the time\" TIMESTAMP, v DOUBLE, horizon='100000 days', late='drop')")
        self.add("INSERT INTO \"far away\" VALUES(0, 1), ('2030-01-01', 2), (400000000000000000, 3)")
        # Its definition is then in the form that Braid itself writes.
        self.add("SELECT hypertable_alter('far away', 'set', 'horizon', '90000 days')")
        self.add("SELECT hypertable_alter('cpu', 'add', 'later', 'DOUBLE')")
        self.add("SELECT create_continuous_aggregate('hourly', 'SELECT time_bucket(''1 hour'', time) AS bucket, host, sum(n) AS s, count(*) AS c "
                 "FROM cpu GROUP BY bucket, host')")
        self.add("SELECT create_continuous_aggregate('daily', 'SELECT time_bucket(''1 day'', bucket) AS bucket, sum(c) AS c FROM hourly GROUP BY 1')")
        self.add("SELECT add_retention_policy('far away', '10000 days'), add_compression_policy('cpu', '7 days', '1 day'), "
                 "add_size_retention_policy('cpu', 123456789), add_continuous_aggregate_policy('hourly', '1 mon', '1 hour', '30 minutes')")

    def large_values(self):
        chance = self.chance
        self.add("CREATE TABLE large(id INTEGER PRIMARY KEY, a TEXT, b BLOB)")
        for _ in range(2):
            self.add(f"INSERT INTO large(a, b) VALUES(replace(hex(zeroblob({chance.randrange(60_000, 150_000)})), '0', 'ä'), "
                     f"zeroblob({chance.randrange(100_000, 400_000)}))")
        self.add("INSERT INTO large(a, b) SELECT a || x'00', b FROM large LIMIT 1")
        self.add("INSERT INTO graph_nodes(labels, properties) VALUES('[\"Large\"]', json_object('uid', 'large', 'text', hex(zeroblob(90000))))")


def plain(column):
    """Expressions that show a value of any type without loss."""
    name = '"' + column.replace('"', '""') + '"'
    return f"typeof({name}), CASE WHEN typeof({name}) IN ('text', 'blob') THEN hex({name}) ELSE {name} END, {name} = 9e999"


USERS = "substr(lower(name), 1, 7) NOT IN ('_braid_', 'sqlite_') AND substr(lower(tbl_name), 1, 7) NOT IN ('_braid_', 'sqlite_')"


def contents(query):
    """All that is in a database, in an order of its own; `query` answers a list of rows for an SQL text."""
    found = {"schema": query(f"SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE {USERS} ORDER BY 1, 2"),
             "user_version": query("PRAGMA user_version"), "loads": query("SELECT name, position FROM load_positions"),
             "statistics": query("SELECT count(*) > 0 AS n FROM sqlite_schema WHERE name = 'sqlite_stat1'")}
    tables = query("SELECT name, type, wr FROM pragma_table_list WHERE schema = 'main' AND type IN ('table', 'virtual') "
                   "AND substr(lower(name), 1, 7) NOT IN ('_braid_', 'sqlite_') AND name IN (SELECT name FROM sqlite_schema)")
    series = {row["name"] for row in query("SELECT name FROM hypertables UNION ALL SELECT name FROM continuous_aggregates")}
    for table in tables:
        name = table["name"]
        columns = [row["name"] for row in query(f"SELECT name FROM pragma_table_xinfo({quoted(name)}) WHERE hidden <> 1")]
        numbered = table["wr"] == 0 and name not in series
        chosen = (["rowid"] if numbered else []) + [plain(column) for column in columns]
        identifier = '"' + name.replace('"', '""') + '"'
        rows = query(f"SELECT {', '.join(chosen)} FROM {identifier}")
        found["table " + name] = sorted(json.dumps(list(row.values())) for row in rows)
    if query("SELECT 1 FROM sqlite_schema WHERE name = 'sqlite_sequence'"):
        found["sequences"] = query("SELECT name, seq FROM sqlite_sequence ORDER BY 1")
    if "table notes" in found:
        found["searched"] = query("SELECT rowid FROM notes WHERE notes MATCH 'text' ORDER BY 1") + query("SELECT rowid FROM found WHERE found MATCH 'here'")
    nodes = {row["id"]: [sorted(json.loads(row["labels"])), row["properties"]] for row in query("SELECT id, labels, properties FROM graph_nodes")}
    found["nodes"] = sorted(map(json.dumps, nodes.values()))
    found["edges"] = sorted(json.dumps([nodes[row["src"]], row["type"], nodes[row["dst"]], row["properties"]])
                            for row in query("SELECT src, type, dst, properties FROM graph_edges"))
    found["indexes"] = query("SELECT * FROM graph_indexes ORDER BY kind, name, property")
    found["bindings"] = query("SELECT * FROM graph_bindings")
    found["hierarchies"] = query("SELECT * FROM graph_hierarchies")
    found["hypertables"] = query("SELECT name, time_column, tags, fields, policies, series FROM hypertables ORDER BY name")
    found["aggregates"] = query("SELECT name, hypertable, source, bucket_width, query FROM continuous_aggregates ORDER BY name")
    found["policies"] = query("SELECT kind, target, config, schedule_interval FROM maintenance_policies ORDER BY kind, target")
    return found
