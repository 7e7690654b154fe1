#!/bin/sh
# Doxygen builds the manual of braid.h, and has nothing to complain of.
# usage: manual_test.sh DOXYGEN SOURCE_ROOT
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$2"
{ cat docs/Doxyfile; echo "OUTPUT_DIRECTORY=$work"; } | "$1" -
test -s "$work/html/braid_8h.html"
echo "the manual was built"
