#!/usr/bin/env bash
# Runs both entity examples in a directory of their own and compares what they print.
# usage: entities_test.sh ENTITY_RELATIONSHIP_EVENT ENTITY_READ
set -euo pipefail

directory="$(mktemp -d)"
trap 'rm -rf "$directory"' EXIT

diff <("$1" "$directory/db") - <<'EXPECTED'
pump-7: installed in plant-1
pump-8: not created, there is no site plant-9
devices: 1
EXPECTED

# Keys of JSON objects may come in any order; the rest may not.
"$2" "$directory/db" pump-7 >"$directory/read"
grep -qxF 'device pump-7: CR 32' "$directory/read"
grep -qF -e '-> INSTALLED_IN {"position":"north wall"} ["Site"] {' "$directory/read"
grep -F INSTALLED_IN "$directory/read" | grep -qF '"id":"plant-1"'
grep -F INSTALLED_IN "$directory/read" | grep -qF '"city":"Hannover"'
diff <(tail -n +3 "$directory/read") - <<'EXPECTED'
2024-05-01 12:20:00  30.0 C
2024-05-01 12:19:00  29.5 C
2024-05-01 12:18:00  29.0 C
2024-05-01 12:17:00  28.5 C
2024-05-01 12:16:00  28.0 C
2024-05-01 12:15:00  27.5 C
2024-05-01 12:14:00  27.0 C
2024-05-01 12:13:00  26.5 C
2024-05-01 12:12:00  26.0 C
2024-05-01 12:11:00  25.5 C
EXPECTED

if "$2" "$directory/db" pump-8 >/dev/null 2>&1; then
  echo "pump-8 is there although its transaction was rolled back" >&2
  exit 1
fi
