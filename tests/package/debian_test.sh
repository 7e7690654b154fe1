#!/usr/bin/env bash
# Packages what is built, then checks the packages. `./run package` checks those of a build of their own in the same way.
# usage: debian_test.sh BUILD_DIRECTORY SOURCE_DIRECTORY PREFIX VERSION
# Exit code 77 (skipped) where debhelper is not installed, or where debian_check.sh may not mount.
set -euo pipefail

build="$1" source="$2" prefix="$3" version="$4"
command -v dh >/dev/null || {
  echo "skipped: debhelper is not installed"
  exit 77
}
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

quietly() {
  "$@" >"$work/log" 2>&1 || {
    cat "$work/log" >&2
    exit 1
  }
}

quietly meson install -C "$build" --no-rebuild --strip --destdir "$work/installed"
# With what debuggers read the archive is ten times as large, and is copied several times below.
find "$work/installed" -name '*.a' -exec strip --strip-debug {} +
if [[ $prefix != /usr ]]; then
  mkdir -p "$work/installed/usr"
  mv "$work/installed$prefix"/* "$work/installed/usr/"
  sed -i 's|^prefix=.*|prefix=/usr|' "$work"/installed/usr/lib/*/pkgconfig/braid.pc
  (cd "$work/installed" && find . -mindepth 1 -type d -empty -delete)
fi

mkdir "$work/braid-$version"
cp -a "$source/debian" "$work/braid-$version/"
cd "$work/braid-$version"
export BRAID_INSTALLED="$work/installed" DEB_BUILD_OPTIONS=noautodbgsym
export DPKG_DEB_COMPRESSOR_TYPE=gzip DPKG_DEB_COMPRESSOR_LEVEL=1
quietly dpkg-buildpackage --build=binary --no-sign --no-check-builddeps
# What was not unpacked from there need not stand twice.
rm -rf "$work/installed"
"$source/tests/package/debian_check.sh" "$work" "$source" "$version"
