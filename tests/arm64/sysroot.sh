#!/usr/bin/env bash
# Unpacks Debian packages for arm64, and all that they depend on, into a directory, and writes sysroot.ini there, the half of
# cross.ini that names the directory. apt keeps books of its own, so that no package of this machine is changed.
# usage: sysroot.sh DIRECTORY PACKAGE ...
set -euo pipefail

directory="$(realpath -m "$1")"
shift
[[ -e $directory/sysroot.ini ]] && exit

books="$directory/apt"
mkdir -p "$books"/{state,cache}/{lists,archives}/partial
: >"$books/status"
options=(
  -o Dir::State="$books/state" -o Dir::State::status="$books/status" -o Dir::Cache="$books/cache"
  -o APT::Architecture=arm64 -o APT::Architectures=arm64 -o APT::Architectures::=
  -o APT::Sandbox::User=root -o Debug::NoLocking=1
)
apt-get "${options[@]}" --quiet update
apt-get "${options[@]}" --quiet --yes --download-only --no-install-recommends install "$@"
for package in "$books"/cache/archives/*.deb; do dpkg-deb --extract "$package" "$directory"; done
# Links and prefixes from the root would lead into this machine.
find "$directory" -type l -lname '/*' -printf '%l\t%p\n' | while IFS=$'\t' read -r target link; do
  ln -sfr "$directory$target" "$link"
done
find "$directory/usr" -name '*Targets.cmake' -exec sed -i "s|_IMPORT_PREFIX \"/usr\"|_IMPORT_PREFIX \"$directory/usr\"|" {} +
rm -rf "$books"
printf "[constants]\nsysroot = '%s'\n" "$directory" >"$directory/sysroot.ini"
