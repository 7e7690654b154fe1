#!/bin/sh
# The shared library shows the functions of braid.h and nothing else: what it is made of must not meet the host's own copies.
# usage: exported_symbols_test.sh LIBRARY HEADER
set -eu
work=$(mktemp -d "${TMPDIR:-/tmp}/braid-symbols-XXXXXX")
trap 'rm -rf "$work"' EXIT
nm -D --defined-only "$1" | awk '$2 != "A" { sub(/@.*/, "", $3); print $3 }' | sort -u >"$work/exported"
grep '^BRAID_API' "$2" | grep -o '\<braid_[a-z0-9_]*(' | tr -d '(' | sort -u >"$work/declared"
if ! cmp -s "$work/exported" "$work/declared"; then
  echo "exported but not declared, or declared but not exported:"
  diff "$work/declared" "$work/exported" || true
  exit 1
fi
echo "$(wc -l <"$work/exported") functions, all declared in the header"
