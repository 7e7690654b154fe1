#!/usr/bin/env bash
# Imports the grid twice and compares Braid's answers with those that awk computes from the files.
# usage: grid_test.sh BRAID_COMMAND
# Exit code 77 (skipped) when the data is not there.
set -euo pipefail

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
data="${BRAID_SHARED:-$here/../../shared}/data/scigrid-de/graph"
if [[ ! -r $data/node_bus.csv ]]; then
  echo "skipped: there is no $data (BRAID_SHARED names the place)"
  exit 77
fi

export BRAID="$1"
directory="$(mktemp -d)"
trap 'rm -rf "$directory"' EXIT
db="$directory/grid"
failures=0

# Copies for awk: the files' lines end in CR LF.
mkdir "$directory/plain"
plain="$directory/plain"
for file in "$data"/*.csv; do tr -d '\r' <"$file" >"$plain/$(basename "$file")"; done

# The first value of the first row.
answer() {
  "$BRAID" -csv "$db" "$1" | tail -n +2 | head -n 1
}

# check WHAT EXPECTED QUERY
check() {
  local found
  found="$(answer "$3")"
  if [[ "$found" == "$2" ]]; then
    echo "ok: $1 is $2"
  else
    echo "WRONG: $1 is $found, not $2: $3"
    failures=$((failures + 1))
  fi
}

# Breadth-first search along lines, in both directions: prints "DEPTH BUS" for every bus reached.
search() {
  awk -F, -v start="$1" '
    FNR > 1 { neighbors[$2] = neighbors[$2] SUBSEP $3; neighbors[$3] = neighbors[$3] SUBSEP $2 }
    END {
      depth[start] = 0; queue[0] = start; last = 1
      for (first = 0; first < last; ++first) {
        bus = queue[first]
        print depth[bus], bus
        count = split(neighbors[bus], next_buses, SUBSEP)
        for (i = 1; i <= count; ++i) {
          if (next_buses[i] == "" || next_buses[i] in depth) continue
          depth[next_buses[i]] = depth[bus] + 1
          queue[last++] = next_buses[i]
        }
      }
    }' "$plain/edge_line.csv"
}

check_counts() {
  check "buses ($1)" 585 "SELECT count(*) FROM graph_nodes WHERE labels = '[\"Bus\"]'"
  check "generators ($1)" 1423 "SELECT count(*) FROM graph_nodes WHERE labels = '[\"Generator\"]'"
  check "loads ($1)" 489 "SELECT count(*) FROM graph_nodes WHERE labels = '[\"Load\"]'"
  check "storage units ($1)" 38 "SELECT count(*) FROM graph_nodes WHERE labels = '[\"Storage\"]'"
  check "lines ($1)" 852 "SELECT count(*) FROM graph_edges WHERE type = 'LINE'"
  check "transformers ($1)" 96 "SELECT count(*) FROM graph_edges WHERE type = 'TRANSFORMER'"
  check "feeds ($1)" 1461 "SELECT count(*) FROM graph_edges WHERE type = 'FEEDS'"
  check "supplies ($1)" 489 "SELECT count(*) FROM graph_edges WHERE type = 'SUPPLIES'"
  check "hours of load ($1)" "$(($(wc -l <"$plain/ts_load.csv") - 1))" "SELECT count(*) FROM ts_load"
  check "hours of availability ($1)" "$(($(wc -l <"$plain/ts_availability.csv") - 1))" \
    "SELECT count(*) FROM ts_availability"
}

"$here/grid_import.sh" "$db"
check_counts "imported once"
"$here/grid_import.sh" "$db"
check_counts "imported twice"

# Series: the total load of an hour, and the hour of the highest load.
check "load at noon" \
  "$(awk -F, '$1 == "2011-01-01T12:00:00Z" { sum += $3 } END { printf "%.3f", sum }' "$plain/ts_load.csv")" \
  "SELECT printf('%.3f', sum(p_mw)) FROM ts_load WHERE time = '2011-01-01T12:00:00Z'"
check "hour of the highest load" \
  "$(awk -F, 'FNR > 1 { sum[$1] += $3 }
     END { for (t in sum) if (sum[t] > most) { most = sum[t]; hour = t }; gsub(/[TZ]/, " ", hour); sub(/ $/, "", hour); print hour }' \
    "$plain/ts_load.csv")" \
  "SELECT time FROM ts_load GROUP BY time ORDER BY sum(p_mw) DESC LIMIT 1"

# Graph: the bus with most lines, parallel ones counted each.
read -r degree bus < <(awk -F, 'FNR > 1 { ++lines[$2]; ++lines[$3] }
  END { for (b in lines) if (lines[b] > most || (lines[b] == most && b < bus)) { most = lines[b]; bus = b }; print most, bus }' \
  "$plain/edge_line.csv")
check "lines at bus $bus" "$degree" \
  "SELECT count(*) FROM graph_neighbors(graph_node('Bus', 'id', '$bus'), 'both', 'LINE')"
check "parallel lines between 13 and 15" \
  "$(awk -F, '($2 == 13 && $3 == 15) || ($2 == 15 && $3 == 13)' "$plain/edge_line.csv" | wc -l)" \
  "SELECT count(*) FROM graph_neighbors(graph_node('Bus', 'id', '13'), 'both', 'LINE')
   WHERE node = graph_node('Bus', 'id', '15')"

search "$bus" >"$directory/search"
check "buses within two lines of $bus" \
  "$(awk '$1 == 1 || $1 == 2' "$directory/search" | wc -l)" \
  "SELECT count(DISTINCT node) FROM graph_hops(graph_node('Bus', 'id', '$bus'), 2, 'both', 'LINE') WHERE depth > 0"
read -r depth far < <(sort -n "$directory/search" | tail -n 1)
check "lines on the way from $bus to $far" "$depth" \
  "SELECT count(*) - 1 FROM graph_shortest_path(graph_node('Bus', 'id', '$bus'),
     graph_node('Bus', 'id', '$far'), 'both', 'LINE')"

# Graph and series: the load that the neighbours of a bus supply at noon.
check "load beside bus 13 at noon" \
  "$(awk -F, -v bus=13 '
    FILENAME ~ /edge_line/ { if ($2 == bus) near[$3]; if ($3 == bus) near[$2]; next }
    FILENAME ~ /edge_supplies/ { if ($1 in near) loads[$2]; next }
    $1 == "2011-01-01T12:00:00Z" && ($2 in loads) { sum += $3 }
    END { printf "%.3f", sum }' "$plain/edge_line.csv" "$plain/edge_supplies.csv" "$plain/ts_load.csv")" \
  "SELECT printf('%.3f', sum(t.p_mw))
   FROM (SELECT DISTINCT node FROM graph_neighbors(graph_node('Bus', 'id', '13'), 'both', 'LINE')) AS near
   JOIN graph_neighbors(near.node, 'out', 'SUPPLIES') AS supplied
   JOIN graph_nodes AS load ON load.id = supplied.node
   JOIN ts_load AS t ON t.element = load.properties ->> 'id' AND t.time = '2011-01-01T12:00:00Z'"

if [[ $failures -gt 0 ]]; then
  echo "$failures answers are wrong" >&2
  exit 1
fi
