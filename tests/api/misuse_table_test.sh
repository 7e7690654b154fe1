#!/bin/sh
# Runs the table of wrong calls; it must have a row for every function that the library exports.
# usage: misuse_table_test.sh PROGRAM LIBRARY
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
nm -D --defined-only "$2" | awk '$2 != "A" { sub(/@.*/, "", $3); print $3 }' | sort -u >"$work/exported"
"$1" --list | sort -u >"$work/listed"
if ! cmp -s "$work/exported" "$work/listed"; then
  echo "functions without a row of misuse_table_test.cc (<), rows without a function (>):"
  diff "$work/exported" "$work/listed" || true
  exit 1
fi
"$1"
