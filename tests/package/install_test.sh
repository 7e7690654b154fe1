#!/usr/bin/env bash
# Installs what is built into a directory of its own, compares the files with those that should be there, and builds and runs
# the examples against them as a stranger's project would, with the shared library and with the archive.
# usage: install_test.sh BUILD_DIRECTORY SOURCE_DIRECTORY PREFIX LIBDIR VERSION
set -euo pipefail

build="$1" source="$2" prefix="$3" libdir="$4" version="$5"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
root="$work/root" installed="$work/root$prefix"

fail() {
  echo "$*" >&2
  exit 1
}

meson install -C "$build" --no-rebuild --quiet --destdir "$root" >"$work/log" 2>&1 || fail "$(cat "$work/log")"

# SOURCE INSTALLED, of what stands elsewhere than in the source.
moved_files() {
  cat <<'MOVED'
docs/braid.1 share/man/man1/braid.1
cli/completions/braid.bash share/bash-completion/completions/braid
cli/completions/_braid share/zsh/site-functions/_braid
MOVED
}

# Documents and examples are as many as there are in the source.
expected_files() {
  moved_files | while read -r from to; do if [[ -e $source/$from ]]; then echo "$to"; fi; done
  sed -e "s|LIBDIR|$libdir|g" -e "s|VERSION|$version|g" "$source/tests/package/installed_files"
  (cd "$source" && find docs -name '*.md' && ls examples/*.c examples/grid_import.sh) | sed 's|^|share/doc/braid/|'
}
diff <(expected_files | LC_ALL=C sort) \
  <(find "$installed" -type f -printf '%P\n' -o -type l -printf '%P -> %l\n' | LC_ALL=C sort) ||
  fail "other files are installed than tests/package/installed_files names"
[[ -z "$(find "$root" -type f -not -path "$installed/*")" ]] || fail "files are installed outside of $prefix"
readelf -d "$installed/$libdir/libbraid.so" | grep -q 'SONAME.*\[libbraid.so.0\]' || fail "the shared library is not named libbraid.so.0"

# From here on, nothing of the source but the examples' text.
export PKG_CONFIG_LIBDIR="$installed/$libdir/pkgconfig" PKG_CONFIG_SYSROOT_DIR="$root"
unset PKG_CONFIG_PATH
cc="${CC:-cc}"
[[ "$(pkg-config --modversion braid)" == "$version" ]] || fail "braid.pc has another version than $version"

# build_examples DIRECTORY FLAG ...
build_examples() {
  local directory="$1" example
  shift
  mkdir "$directory"
  for example in "$installed"/share/doc/braid/examples/*.c; do
    $cc -std=c11 -Wall -Wextra -Werror -o "$directory/$(basename "$example" .c)" "$example" "$@" ||
      fail "$(basename "$example") cannot be built with $*"
  done
}
# shellcheck disable=SC2046  # flags are words
build_examples "$work/shared" $(pkg-config --cflags --libs braid)
# shellcheck disable=SC2046
build_examples "$work/static" -static $(pkg-config --static --cflags --libs braid)
! readelf -d "$work/static/entity_read" | grep -q NEEDED || fail "a static example needs shared libraries"

run_examples() {
  "$source/examples/entities_test.sh" "$1/entity_relationship_event" "$1/entity_read" || fail "the examples in $1 answer wrongly"
}
LD_LIBRARY_PATH="$installed/$libdir" run_examples "$work/shared"
run_examples "$work/static"

[[ "$("$installed/bin/braid" "$work/db" 'SELECT 6 * 7 AS answer')" == $'answer\n42' ]] || fail "the installed command answers wrongly"
echo "$(find "$installed" -type f | wc -l) files installed; the examples run with the shared library and with the archive"
