#!/bin/sh
# The braid command from outside: what a person or a script sees of it. Every check names what it checks.
#
# usage: command_test.sh path/to/braid
set -u
braid=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
work=$(mktemp -d "${TMPDIR:-/tmp}/braid-command-XXXXXX")
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
unset NO_COLOR
failures=0

fail() {
  failures=$((failures + 1))
  printf 'FAILED: %s\n' "$1"
  shift
  for detail; do printf '  %s\n' "$detail"; done
}

# run CODE ARGUMENTS...: runs braid with standard input from the file `input`, if there is one.
run() {
  expected=$1
  shift
  if [ -f input ]; then
    "$braid" "$@" <input >out 2>err
  else
    "$braid" "$@" </dev/null >out 2>err
  fi
  code=$?
  rm -f input
  [ "$code" -eq "$expected" ] ||
    fail "exit code $expected of: braid $*" "it was $code" "$(cat out)" "$(cat err)"
}

# out TEXT NAME: standard output is exactly TEXT. The other checks are alike.
out() { [ "$(cat out)" = "$1" ] || fail "$2" "expected: $1" "found: $(cat out)" "errors: $(cat err)"; }
out_has() { grep -qF -- "$1" out || fail "$2" "not in output: $1" "found: $(cat out)"; }
err_has() { grep -qF -- "$1" err || fail "$2" "not in errors: $1" "found: $(cat err)"; }
err_is_empty() { [ ! -s err ] || fail "$1" "found: $(cat err)"; }

# ---- Usage ------------------------------------------------------------------------------------------------------------

run 0 --version
out_has "braid 0." "--version names the version"
run 0 --help
out_has "braid import DIR" "--help lists the subcommands"
run 2
err_has "--help" "no arguments: usage with the way to help"
run 2 chek db
err_has "taken for the directory" "a misspelt command is no directory"
[ ! -e chek ] || fail "a misspelt command made a database"
run 1 open_end "CREATE TABLE t(a); BEGIN; INSERT INTO t VALUES(1)"
err_has "COMMIT is missing" "a transaction that is left open is told"
run 0 open_end -csv "SELECT count(*) AS n FROM t"
out_has "0" "and rolled back"
run 1 open_end "SELECT graph_bind('A', 't')"
run 2 db --no-such-option
err_has "--no-such-option" "an unknown option is named"
run 0 import --help
out_has "--edge-key" "each subcommand has help"

# ---- SQL from the command line, files and standard input ----------------------------------------------------------------

run 0 db "CREATE TABLE t(id INTEGER PRIMARY KEY, name TEXT, v REAL); INSERT INTO t VALUES (1,'one',1),(2,'two, \"2\"',NULL)"
err_is_empty "a script that works is silent on standard error"
if [ "$failures" -gt 0 ]; then exit 1; fi # nothing else can work
run 0 db "SELECT * FROM t"
out 'id,name,v
1,one,1.0
2,"two, ""2""",' "csv is the format when standard output is no terminal"
run 0 -json db "SELECT * FROM t; SELECT x'00ff' AS b WHERE 0; SELECT x'00ff' AS b"
out '[{"id":1,"name":"one","v":1.0},
{"id":2,"name":"two, \"2\"","v":null}]
[]
[{"b":"00ff"}]' "json is one array a statement"
run 0 db -box "SELECT 1 AS a"
out_has "│ a │" "box is drawn on request, without colours"
run 0 db -line "SELECT 1 AS a"
out "a = 1" "line shows one value a line"
run 0 db -csv "CREATE TRIGGER log_it AFTER INSERT ON t BEGIN UPDATE t SET v = 9 WHERE id = 1; SELECT 1; END; SELECT count(*) AS n FROM t"
out 'n
2' "a trigger's body does not end its statement"

printf 'SELECT 1 AS a;\n-- comment; here\nSELECT 2 AS b' >input
run 0 db
out 'a
1
b
2' "SQL is read from standard input"
printf '\357\273\277SELECT 3 AS c;\n.mode json\nSELECT 4 AS d;\n' >script.sql
run 0 db -f script.sql
out 'c
3
[{"d":4}]' "-f runs a file with its dot commands"

# ---- Errors -----------------------------------------------------------------------------------------------------------------

printf 'SELECT 1 AS a;\nSELECT\n  missing FROM t;\nSELECT 2 AS b;\n' >bad.sql
run 1 db -f bad.sql
out 'a
1' "a script stops at its first error"
err_has "bad.sql:3:3: " "an error has its file, line and column"
run 1 db -keep-going -f bad.sql
out 'a
1
b
2' "-keep-going runs the rest"
run 1 db "SELECT 1 AS a; SELEC 2"
err_has "1:16: " "an error in an argument has its line and column"
cp bad.sql input
run 1 db
err_has "stdin:3:3: " "an error on standard input has its line and column"
run 1 db "INSERT INTO t(id) VALUES (1)"
err_has "1:1: " "an error while running is placed at its statement"
err_has "UNIQUE" "a broken constraint is named"
run 1 db "SELECT 'open"
run 1 db -f missing.sql
err_has "missing.sql" "a file that cannot be opened is named"
run 1 db ".nothing"
err_has ".help" "an unknown dot command points to the list"
run 1 db ".read bad.sql"
err_has "bad.sql:3:3: " "an error in a file that is read has that file's place"
mkdir other && touch other/file
run 1 other "SELECT 1"
err_has "other" "a directory of something else is refused by name"
if [ -e /dev/full ]; then
  "$braid" db "SELECT 1" >/dev/full 2>err
  [ $? -eq 1 ] || fail "a full disk behind standard output is an error"
  "$braid" db "CREATE TABLE many(a); WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 5000) INSERT INTO many SELECT i FROM c"
  "$braid" db .dump >/dev/full 2>err
  [ $? -eq 1 ] || fail "a dump that does not fit is an error"
  err_has "No space left on device" "its reason is told, also when the write that failed is long past"
  "$braid" db "DROP TABLE many"
fi

# ---- Dot commands -----------------------------------------------------------------------------------------------------------

run 0 db ".tables"
out 'name,kind
t,table' ".tables lists the user's tables only"
run 0 db ".schema t"
out_has "CREATE TABLE t(id INTEGER" ".schema shows the SQL of a table"
out_has "CREATE TRIGGER log_it" ".schema shows its triggers"
run 1 db ".schema nothing"
err_has "nothing" ".schema of an unknown table is an error"
run 0 db ".help"
out_has ".import" ".help lists the commands"
run 0 db ".quit
SELECT 1"
out "" ".quit ends a script"

# ---- Import: tables -----------------------------------------------------------------------------------------------------------

printf '\357\273\277id,name,v,code\r\n1,"a ""b""\nc",1.5,007\r\n2,,2,\r\n' >rows.csv
run 0 import db rows.csv --table rows
err_is_empty "an import is silent when nobody is at a terminal"
run 0 -json db "SELECT *, typeof(id) AS t1, typeof(v) AS t2 FROM rows"
out '[{"id":1,"name":"a \"b\"\nc","v":1.5,"code":"007","t1":"integer","t2":"real"},
{"id":2,"name":null,"v":2.0,"code":null,"t1":"integer","t2":"real"}]' "a table is created with inferred types"
cp rows.csv input
run 0 import -v db - --table rows
err_has "imported 2 rows of standard input into rows" "-v says what was done; standard input can be imported"
printf 'id,v\n3,4\n4,abc\n' >bad.csv
run 1 import db bad.csv --table rows
err_has 'bad.csv: line 3: column "v": "abc" is not a DOUBLE' "a bad value is reported with its line and column"
run 0 db "SELECT count(*) AS n FROM rows WHERE id = 3"
out 'n
0' "nothing is half imported"
printf 'id,w\n3,4\n' >bad.csv
run 1 import db bad.csv --table rows
err_has 'no column "w"; it has id, name, v, code' "a column that the table lacks is named"
printf 'a,b\n1,2\n3\n' >bad.csv
run 1 import db bad.csv --table fresh
err_has 'line 3: 1 fields where the header has 2' "a short line is reported"
run 1 db "SELECT * FROM fresh"
err_has "fresh" "a table that an import created is gone when it fails"
printf 'a,b\n1,NA\n' >na.csv
run 0 import db na.csv --table na --null NA
run 0 -json db "SELECT * FROM na"
out '[{"a":1,"b":null}]' "--null gives a text that means NULL"
printf 'id\n1\n' | "$braid" import db - --table piped --type id=TEXT || fail "a pipe can be imported"
run 0 -json db "SELECT id FROM piped"
out '[{"id":"1"}]' "--type gives a column's type"

run 1 import new_db missing.csv --table t
err_has "missing.csv" "a file that cannot be opened is named"
[ ! -e new_db ] || fail "an import without its file creates no database"

# ---- Import: hypertables ------------------------------------------------------------------------------------------------------

printf 'time,host,usage,n\n2024-05-01T12:00:00Z,a,1.5,1\n2024-05-01T12:00:10Z,b,2.5,\n2024-05-01T14:00:20+02:00,a,3,3\n' >cpu.csv
run 0 import -v db cpu.csv --hypertable cpu
err_has '"host" TEXT TAG' "what was chosen for a new hypertable is said"
run 0 -json db "SELECT time, host, usage, n FROM cpu ORDER BY time"
out '[{"time":"2024-05-01 12:00:00","host":"a","usage":1.5,"n":1},
{"time":"2024-05-01 12:00:10","host":"b","usage":2.5,"n":null},
{"time":"2024-05-01 12:00:20","host":"a","usage":3.0,"n":3}]' "points are imported with their times and tags"
printf 'ts,host,usage\n1714564830,c,4\n' >more.csv
run 1 import db more.csv --hypertable cpu --time ts
err_has "--time-unit" "a time that is a number asks for its unit"
run 0 import db more.csv --hypertable cpu --time ts --time-unit s
run 0 -csv db "SELECT time, n FROM cpu WHERE host = 'c'"
out 'time,n
2024-05-01 12:00:30,' "an existing hypertable is added to"
run 1 import db rows.csv --hypertable other_points
err_has "--time COLUMN" "a file without a time is refused with the option that names it"

# ---- Import: the graph --------------------------------------------------------------------------------------------------------

printf 'id,name,kv\n1,A,220\n2,B,380\n2_220kV,C,220\n' >bus.csv
printf 'id,from,to,length\nline-1,1,2,1.5\nline-2,2,2_220kV,2\n' >line.csv
printf 'from,to\n1,2\n' >trafo.csv
run 1 import db line.csv --edges LINE --from Bus.id=from --to Bus.id=to
err_has "--nodes Bus --key id" "edges before their nodes: the message says what to load first"
run 0 import db bus.csv --nodes Bus --key id
run 0 import db bus.csv --nodes Bus --key id
run 0 import db line.csv --edges LINE --from Bus.id=from --to Bus.id=to --edge-key id
run 0 import db line.csv --edges LINE --from Bus.id=from --to Bus.id=to --edge-key id
run 0 import db trafo.csv --edges TRAFO --from Bus.id=from --to Bus.id=to
run 0 -json db "SELECT (SELECT count(*) FROM graph_nodes) AS nodes, (SELECT count(*) FROM graph_edges) AS edges"
out '[{"nodes":3,"edges":3}]' "loading nodes and keyed edges twice changes nothing; integer-looking keys find text"
run 0 -json db "SELECT json_extract(properties, '\$.id') AS id, json_type(properties, '\$.kv') AS kv FROM graph_nodes WHERE id = graph_node('Bus','id','1')"
out '[{"id":"1","kv":"integer"}]' "keys are text when one of them is"
printf 'id,name\n1,renamed\n4,new\n' >bus2.csv
run 0 import db bus2.csv --nodes Bus --key id
run 0 -json db "SELECT properties FROM graph_nodes WHERE id = graph_node('Bus','id','1')"
out_has 'renamed' "a key given again replaces the properties"
run 0 -json db "SELECT graph_node('Bus','id','4') IS NOT NULL AS found"
out '[{"found":1}]' "new keys take the type of those that exist"
printf 'from,to\n1,2\n1,99\n' >bad.csv
run 1 import db bad.csv --edges TRAFO --from Bus.id=from --to Bus.id=to
err_has "line 3: column \"to\": there is no Bus node with id = '99'" "an end that is missing is named with its line"
run 0 -csv db "SELECT count(*) AS n FROM graph_edges"
out 'n
3' "no edge of a failed import stays"
printf 'id,bus\n10,1\n' >meter.csv
run 0 import db meter.csv --nodes Meter --key id
printf 'meter,bus\n10,1\n' >at.csv
run 0 import db at.csv --edges AT --from Meter.id=meter --to Bus.id=bus
run 0 db "CREATE TABLE devices(id INTEGER PRIMARY KEY, name TEXT); INSERT INTO devices VALUES (7,'d'); SELECT graph_bind('Device','devices','id')"
printf 'device,bus\n7,1\n' >on.csv
run 0 import db on.csv --edges ON --from Device.id=device --to Bus.id=bus

run 0 db "BEGIN;
.import trafo.csv --edges TRAFO --from Bus.id=from --to Bus.id=to
ROLLBACK;
SELECT count(*) AS n FROM graph_edges WHERE type = 'TRAFO'"
out_has '1' ".import is part of the open transaction"

# ---- Check and stats ------------------------------------------------------------------------------------------------------------

run 0 check db
out "no problem found" "check of a sound database"
run 0 stats db -json
out_has '"name":"lsn"' "stats names the LSN"
# ---- Backups ----------------------------------------------------------------------------------------------------------

run 0 backup --help
out_has "--base" "backup has help"
run 0 restore --help
out_has "SRC" "restore has help"
run 0 saved "CREATE TABLE t(a); INSERT INTO t VALUES(7)"
run 0 backup saved monday
out_has "commit " "a backup names its commit"
run 1 backup saved monday
err_has "absent or empty" "a backup is not overwritten"
run 0 saved "INSERT INTO t VALUES(8)"
run 0 backup saved tuesday --base monday --rate 100MB --copy
run 1 backup saved wednesday --base nothing_here
err_has "no Braid database" "a base that is not there is named"
run 1 backup saved saved/inside
err_has "elsewhere" "a backup does not lie in the database"
run 1 backup nothing_here wednesday
[ ! -e wednesday ] || fail "a backup of nothing makes nothing"
run 2 backup saved
run 2 backup saved wednesday --rate fast
run 0 check monday
out_has "it is a backup still" "a backup is checked as it is"
[ -e monday/BACKUP ] || fail "checking a backup makes no database of it"
ls -d monday.check-* >/dev/null 2>&1 && fail "checking a backup leaves nothing beside it"
cp -r tuesday damaged
printf 'x' | dd of=damaged/rows.db bs=1 seek=9000 conv=notrunc 2>/dev/null
run 1 check damaged
err_has "rows.db" "what is wrong with a backup is told"
ls -d damaged.check-* >/dev/null 2>&1 && fail "nor does a check that fails"
run 0 restore monday again
out_has "no problem found" "a restore checks"
run 0 again -csv "SELECT count(*) AS n FROM t"
out "n
1" "a restore is the database at the backup's commit"
run 1 restore monday again
err_has "absent or empty" "a restore does not overwrite"
for number in 0 -1 x 18446744073709551616; do
  run 2 restore monday again3 --to-lsn="$number"
  err_has "expected a number from 1" "--to-lsn $number is refused"
done
run 1 restore monday again3 --to-time "1970-01-01"
run 1 restore monday again3 --to-time "294000-01-01 23:59"
err_has "archive" "a time far away is one"
[ -e again3 ] && fail "a refused restore makes nothing"
run 0 restore tuesday again2
run 0 again2 -csv "SELECT count(*) AS n FROM t"
out "n
2" "a backup with a base is whole"

run 0 repair again repaired
out_has "nothing is lost" "a sound database is repaired without loss"
run 0 repaired -csv "SELECT count(*) AS n FROM t"
out "n
1" "a repaired database has the rows"
rm again/FORMAT
run 1 repair again repaired2
out_has "FORMAT" "what is lost is listed"
err_has "1 loss" "and counted"
run 0 check repaired2
run 1 repair nothing_here repaired3
err_has "no Braid database" "a repair of nothing makes nothing"

run 1 check nothing_here
err_has "no Braid database" "check does not create a database"
[ ! -e nothing_here ] || fail "check does not create a directory"
run 1 stats nothing_here
run 0 ./check "SELECT 1 AS a"
[ -d check ] || fail "a directory named like a subcommand can be given with its path"

if [ "$failures" -gt 0 ]; then
  printf '%d checks failed\n' "$failures"
  exit 1
fi
