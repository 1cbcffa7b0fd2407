#!/usr/bin/env bash
# Binlog files give the same record as the live stream, and a second replay adds nothing.
. "$(dirname "$0")/lib.sh"
use_mysql
reset_mysql
run_staff --init --transactions 300 --rate 0 --seed 5 > /dev/null 2>&1
mysql -e "FLUSH BINARY LOGS"
run_staff --transactions 300 --rate 0 --seed 6 > /dev/null 2>&1

start_run live "sqlite://$work/live.db" --until end --no-serve
check "the live run ends with 0" wait "$run_pid"
mapfile -t files < <(mysql -N -e "SHOW BINARY LOGS" | cut -f1 | sed "s|^|$ROWTRAIL_MYSQL_DATADIR/|")
check "replay ends with 0" "$rowtrail" replay --source-name pharmacy --rules "$rules" --store "sqlite://$work/files.db" "${files[@]}"
for what in changes events; do
  "$rowtrail" "$what" --store "sqlite://$work/live.db" --format ndjson --limit 0 > "$work/live.$what"
  "$rowtrail" "$what" --store "sqlite://$work/files.db" --format ndjson --limit 0 > "$work/files.$what"
  check "$(wc -l < "$work/live.$what") $what are the same, byte for byte" cmp "$work/live.$what" "$work/files.$what"
done
gzip -k -c "${files[0]}" > "$work/$(basename "${files[0]}").gz"
zstd -q -c "${files[1]}" > "$work/$(basename "${files[1]}").zst"
packed=("$work/$(basename "${files[0]}").gz" "$work/$(basename "${files[1]}").zst" "${files[@]:2}")
check "packed files are read" "$rowtrail" replay --source-name pharmacy --rules "$rules" --store "sqlite://$work/packed.db" "${packed[@]}"
"$rowtrail" changes --store "sqlite://$work/packed.db" --format ndjson --limit 0 > "$work/packed.changes"
check "and give the same" cmp "$work/live.changes" "$work/packed.changes"
for file in "${packed[@]:0:2}"; do
  kind="${file##*.}" status=0
  head -c $(($(stat -c %s "$file") - 100)) "$file" > "$work/cut.000001.$kind"
  "$rowtrail" replay --source-name pharmacy --store "sqlite://$work/cut.$kind.db" "$work/cut.000001.$kind" 2> "$work/cut.$kind.err" || status=$?
  check "a $kind file that was cut stops replay with 3" test "$status" = 3
  check "and is named" grep -q "cut.000001.$kind" "$work/cut.$kind.err"
done
check "replaying again ends with 0" "$rowtrail" replay --source-name pharmacy --rules "$rules" --store "sqlite://$work/files.db" "${files[@]}"
"$rowtrail" changes --store "sqlite://$work/files.db" --format ndjson --limit 0 > "$work/again.changes"
check "and adds nothing" cmp "$work/files.changes" "$work/again.changes"

cp "${files[0]}" "$work/flipped.000001"
python3 - "$work/flipped.000001" << 'P'
import sys
path = sys.argv[1]
data = bytearray(open(path, "rb").read())
data[len(data) // 2] ^= 0x10
open(path, "wb").write(data)
P
status=0
"$rowtrail" replay --source-name pharmacy --store "sqlite://$work/flipped.db" "$work/flipped.000001" 2> "$work/flipped.err" || status=$?
check "a flipped bit stops replay with 3" test "$status" = 3
check "and names file and position" grep -qE "flipped.000001:[0-9]+" "$work/flipped.err"
head -c 20000 "${files[0]}" > "$work/cut.000001"
status=0
"$rowtrail" replay --source-name pharmacy --store "sqlite://$work/cut.db" "$work/cut.000001" 2> "$work/cut.err" || status=$?
check "a file cut inside an event stops replay with 3" test "$status" = 3
finish
