#!/usr/bin/env bash
# The HTTP API over a real record: curl as an operator would use it.
. "$(dirname "$0")/lib.sh"
use_mysql
reset_mysql
run_staff --init --transactions 200 --rate 0 --ledger "$work/ledger" > /dev/null 2>&1
store="sqlite://$work/rowtrail.db"
start_run run "$store" --listen 127.0.0.1:18766
check "caught up" wait_caught_up "$store"
base=http://127.0.0.1:18766
token="$(cat "$work/token")"
get() { curl -sS --max-time 20 -H "Authorization: Bearer $token" "$base$1"; }
code() { curl -sS --max-time 20 -o /dev/null -w '%{http_code}' "$@"; }

check "the token file is private" test "$(stat -c %a "$work/token")" = 600
check "/livez" test "$(code "$base/livez")" = 200
check "/readyz" test "$(code "$base/readyz")" = 200
check "no token: 401" test "$(code "$base/v1/events")" = 401
check "wrong token: 401" test "$(code -H 'Authorization: Bearer rt_wrong' "$base/v1/events")" = 401
check "unknown route: 404" test "$(code -H "Authorization: Bearer $token" "$base/v1/nothing")" = 404
check "unknown filter: 400 with a problem" bash -c "$(declare -f get); token=$token base=$base; get '/v1/events?typ=x' | jq -e '.title and .status == 400' "
get "/v1/events?limit=5" > "$work/page.json"
check "a page of five events" jq -e '.events | length == 5' "$work/page.json"
seq="$(jq -r '.events[0].seq' "$work/page.json")"
check "one event by its seq" bash -c "$(declare -f get); token=$token base=$base; get /v1/events/$seq | jq -e '.seq == $seq and .type and .summary'"
check "its evidence has before and after" bash -c "$(declare -f get); token=$token base=$base; get /v1/events/$seq/evidence | jq -e '.changes | length > 0'"
object="$(jq -r '[.events[].objects[]] | .[0] | "\(.type)/\(.id)"' "$work/page.json")"
check "the timeline of object $object" bash -c "$(declare -f get); token=$token base=$base; get /v1/objects/$object | jq -e '.events | length > 0'"
# Every event once, over all pages.
next="/v1/events?limit=37"
: > "$work/paged"
while [ -n "$next" ]; do
  curl -sS --max-time 20 -D "$work/headers" -H "Authorization: Bearer $token" "$base$next" > "$work/one.json"
  jq -r '.events[].seq' "$work/one.json" >> "$work/paged"
  next="$(tr -d '\r' < "$work/headers" | sed -n 's/^[Ll]ink: <\([^>]*\)>; rel="next".*/\1/p' | head -n 1)"
done
"$rowtrail" events --store "$store" --format ndjson --limit 0 | jq -r .seq | sort -n > "$work/all"
check "pages hold every event once ($(wc -l < "$work/all"))" cmp <(sort -n "$work/paged") "$work/all"
curl -sS --max-time 20 -H "Authorization: Bearer $token" -H "Accept: application/x-ndjson" "$base/v1/changes?limit=0" > "$work/api.changes"
"$rowtrail" changes --store "$store" --format ndjson --limit 0 > "$work/cli.changes"
check "ndjson of all changes equals the CLI's" cmp "$work/api.changes" "$work/cli.changes"
check "summary names the day" bash -c "'$rowtrail' summary --store '$store' --date today | grep -q sale"
check "stops with 0" stop_run "$run_pid"
finish
