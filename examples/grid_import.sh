#!/usr/bin/env bash
# Imports the German transmission grid (SciGRID, 585 buses) into a database: buses, generators, loads and storage units are
# nodes; lines and transformers are edges with a key of their own, since several lines may join the same two buses; the
# hourly series are hypertables.
#
# usage: grid_import.sh DIRECTORY
#
# The data is looked for in $BRAID_SHARED/data/scigrid-de/graph, else in ../shared beside the project. $BRAID names the
# command; without it, the one that `./run demo` built is used. Running it twice changes nothing: nodes are found by their
# keys, edges by theirs, and points by series and time.
set -euo pipefail

[[ $# -eq 1 ]] || {
  echo "usage: $0 DIRECTORY" >&2
  exit 2
}
directory="$1"
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
data="${BRAID_SHARED:-$root/../shared}/data/scigrid-de/graph"
braid="${BRAID:-$root/build/release/cli/braid}"

[[ -r $data/node_bus.csv ]] || {
  echo "$0: there is no $data/node_bus.csv; set BRAID_SHARED" >&2
  exit 1
}

load() {
  "$braid" import "$directory" "$@"
}

# Nodes, told apart by the column id. Their other columns become properties.
load "$data/node_bus.csv" --nodes Bus --key id
load "$data/node_generator.csv" --nodes Generator --key id
load "$data/node_load.csv" --nodes Load --key id
load "$data/node_storage.csv" --nodes Storage --key id

# Edges. The columns that name the ends are found by the ends' keys; a file with an end that does not exist is refused.
load "$data/edge_line.csv" --edges LINE --from Bus.id=from --to Bus.id=to --edge-key id
load "$data/edge_transformer.csv" --edges TRANSFORMER --from Bus.id=from --to Bus.id=to --edge-key id

# These files name no key: the two ends together are one. What feeds a bus is a generator or a storage unit, in one file.
# The files' lines end in CR LF.
with_key() {
  awk -F, -v OFS=, '{ sub(/\r$/, "") } FNR == 1 { print $0, "key"; next } { print $0, $1 " > " $2 }' "$@"
}
is_storage='FNR == NR { storage[$1]; next } FNR == 1 || ($1 in storage)'
is_generator='FNR == NR { storage[$1]; next } FNR == 1 || !($1 in storage)'

awk -F, "$is_generator" "$data/node_storage.csv" "$data/edge_feeds.csv" | with_key |
  load - --edges FEEDS --from Generator.id=from --to Bus.id=to --edge-key key
awk -F, "$is_storage" "$data/node_storage.csv" "$data/edge_feeds.csv" | with_key |
  load - --edges FEEDS --from Storage.id=from --to Bus.id=to --edge-key key
with_key "$data/edge_supplies.csv" |
  load - --edges SUPPLIES --from Bus.id=from --to Load.id=to --edge-key key

# Series: the column time, and the element that a value belongs to as the tag.
load "$data/ts_load.csv" --hypertable ts_load --time time --tag element
load "$data/ts_availability.csv" --hypertable ts_availability --time time --tag element
