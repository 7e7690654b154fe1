#!/usr/bin/env bash
# Installs the three packages, builds and runs the examples with them, and removes them: nothing may stay. All of it happens
# in a layer over the file system of this machine, which is left as it is.
# usage: debian_check.sh DIRECTORY_OF_PACKAGES SOURCE_DIRECTORY VERSION
# Exit code 77 (skipped) where no layer can be mounted: that takes root, or a namespace of the user's own.
set -euo pipefail

fail() {
  echo "$*" >&2
  exit 1
}

# The part within the layer; the packages are in /packages, what checks the examples' answers is entities_test.sh.
if [[ ${1:-} == --inside ]]; then
  cd /packages
  # Images of Debian for containers leave documents out.
  dpkg --path-include='/usr/share/*' -i ./*.deb >log 2>&1 || fail "$(cat log)"
  mkdir built
  for example in /usr/share/doc/libbraid-dev/examples/*.c; do
    # shellcheck disable=SC2046  # flags are words
    cc -o "built/$(basename "$example" .c)" "$example" $(pkg-config --cflags --libs braid)
  done
  ./entities_test.sh built/entity_relationship_event built/entity_read
  [[ "$(braid db 'SELECT 6 * 7 AS answer')" == $'answer\n42' ]] || fail "the installed command answers wrongly"
  braid check db >/dev/null
  dpkg --purge braid libbraid-dev libbraid0 >log 2>&1 || fail "$(cat log)"
  exit
fi

packages="$(realpath "$1")" source="$2" version="$3"
processor="$(dpkg --print-architecture)"
for name in libbraid0 libbraid-dev braid; do
  [[ -f $packages/${name}_${version}_$processor.deb ]] || fail "there is no package $name of version $version for $processor"
done
depends="$(dpkg-deb --field "$packages/libbraid0_${version}_$processor.deb" Depends)"
for library in libc6 libstdc++6 librocksdb libsqlite3-0 libcapnp libzstd1; do
  [[ $depends == *$library* ]] || fail "libbraid0 depends on $depends, and not on $library"
done
[[ "$(dpkg-deb --field "$packages/braid_${version}_$processor.deb" Depends)" == *libc6* ]] || fail "braid depends on no libc6"

if [[ "$(id -u)" != 0 ]] || ! unshare --mount true 2>/dev/null; then
  echo "skipped: no layer can be mounted here; the packages were made and name what they need"
  exit 77
fi
layer="$(mktemp -d)"
trap 'rm -rf "$layer"' EXIT
cp "$0" "$source/examples/entities_test.sh" "$layer/"
# The mounts end with the namespace. What the layer changed is listed before.
unshare --mount bash -euo pipefail -s "$layer" "$packages" "$(basename "$0")" <<'LAYER'
top="$1/top"
mkdir "$top"
mount -t tmpfs none "$top"
mkdir $top/upper $top/work $top/root
mount -t overlay overlay -o lowerdir=/,upperdir=$top/upper,workdir=$top/work $top/root
mkdir $top/root/packages
cp "$2"/*.deb "$1"/*.sh $top/root/packages/
for directory in dev proc; do mount --rbind "/$directory" "$top/root/$directory"; done
env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive chroot $top/root "/packages/$3" --inside
cd $top/upper
find . -type f -not -path './packages/*' | LC_ALL=C sort >"$1/changed"
LAYER

# What dpkg and the linker keep of themselves is no trace of the packages.
if grep -vE '^\./(var/lib/dpkg/(status|status-old|available|lock.*|triggers/.*|diversions.*|statoverride.*)|var/log/.*|var/cache/.*|etc/ld\.so\.cache|tmp/.*)$' "$layer/changed"; then
  fail "these files stay after the packages were removed"
fi
echo "libbraid0, libbraid-dev and braid $version: installed, used and removed"
