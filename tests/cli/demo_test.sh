#!/usr/bin/env bash
# Runs the demo as a user does: on this machine's data, a second time in the same place, on processes instead of packages,
# and in places that are not its own.
# usage: demo_test.sh BRAID_COMMAND
set -uo pipefail

braid="$(realpath -- "$1")"  # the build names it relative to a folder that is left below
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
failures=0

# expect WHAT COMMAND...: the command must succeed.
expect() {
  local what="$1"
  shift
  if "$@"; then
    echo "ok: $what"
  else
    echo "FAILED: $what"
    failures=$((failures + 1))
  fi
}

demo() { "$braid" demo "$@" >out 2>err || { cat out err; return 1; }; }
refuses() { ! "$braid" demo "$@" >out 2>err && [[ -s err ]]; }
is_sound() { "$braid" check "$1" >/dev/null; }
says() { grep -qF -- "$1" out; }
has_no_colours() { ! grep -q $'\x1b' out; }
rows_of() { "$braid" -csv "$1" "$2" | tail -n +2; }

# Every kill's row must say that the models agree, and the counts must be those of the acknowledged commits.
kills_agree() { [[ "$(grep -c ' agree$' out)" == 3 ]]; }

# The reference is the status file itself, counted without Braid's reader.
all_packages_are_rows() {
  [[ ! -r /var/lib/dpkg/status ]] && return
  local packages
  packages="$(awk '/^Package: / { name = $2 } /^Status: .* installed$/ { print name }' /var/lib/dpkg/status | sort -u | wc -l)"
  # One row more is the package that the demo's transaction adds.
  [[ "$(rows_of first "SELECT count(*) FROM packages WHERE name NOT LIKE '%:%'")" == $((packages + 1)) ]]
}

start=$SECONDS
expect "the demo runs" demo first
expect "it ends in under 30 seconds" test $((SECONDS - start)) -lt 30
for chapter in "1. Loading" "2. Rows" "3. Graph" "4. Series" "5. One query" "6. One transaction" "7. The promise" "What to try next"; do
  expect "it has the chapter $chapter" says "$chapter"
done
expect "the row that others need was not deleted" says "refused:"
expect "rows, edges and points agree after each kill" kills_agree
expect "it prints no colours into a file" has_no_colours
expect "the database that it leaves is sound" is_sound first
expect "every installed package is a row" all_packages_are_rows
expect "nothing is left of the transaction that was rolled back" \
  test -z "$(rows_of first "SELECT 1 FROM graph_nodes WHERE properties ->> 'name' = 'braid-demo-undone'")"

BRAID_DEMO_SOURCE=processes expect "the demo runs on processes, in the place of an earlier one" demo first
expect "it says that it removed the earlier one" says "an earlier demo's database, which was removed"
expect "rows, edges and points agree after each kill" kills_agree

mkdir foreign && echo kept >foreign/letter
expect "a directory with other files is refused" refuses foreign
expect "its files are untouched" test "$(cat foreign/letter)" = kept
"$braid" own "CREATE TABLE mine (x); INSERT INTO mine VALUES (7)"
expect "a user's database is refused" refuses own
expect "its rows are untouched" test "$(rows_of own "SELECT x FROM mine")" = 7
"$braid" first "CREATE TABLE mine (x)"
expect "a demo's database with a user's table is refused" refuses first

[[ $failures -eq 0 ]]
