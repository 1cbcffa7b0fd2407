#!/usr/bin/env bash
# The HTTP API of a real process before hostile clients: smuggling, oversize, slow, half-closed, traversal,
# too many at once. Never a crash, a hang, a leak; one RFC 9457 answer or a clean close.
. "$(dirname "$0")/lib.sh"
use_mysql
reset_mysql
run_staff --init --transactions 100 --rate 0 --ledger "$work/ledger" > /dev/null 2>&1
store="sqlite://$work/rowtrail.db"
start_run run "$store" --listen 127.0.0.1:18767
check "caught up" wait_caught_up "$store"
token="$(cat "$work/token")"
ulimit -n "$(ulimit -Hn)"
if python3 test/integration/hostile.py 18767 "$token" "$run_pid" > "$work/hostile.out" 2>&1; then
  ok "$(grep -c '^  ok' "$work/hostile.out") attacks"
  grep -E "memory|connections:|descriptors" "$work/hostile.out"
else
  bad "hostile clients"
  grep -v '^  ok' "$work/hostile.out" || tail -n 3 "$work/hostile.out"
fi
check "nothing was an internal error" bash -c "! grep -E 'error|terminate|assert' '$work/run.log'"
printf 'requests_per_minute: 3\nhosts: [rowtrail.example]\n' > "$work/small.yaml"
check "stops with 0" stop_run "$run_pid"
start_run small "$store" --listen 127.0.0.1:18767 --config "$work/small.yaml"
for _ in $(seq 100); do curl -s -o /dev/null --max-time 5 http://127.0.0.1:18767/livez && break; sleep 0.1; done
code() { curl -sS --max-time 20 -o "$work/body" -D "$work/head" -w '%{http_code}' -H "Authorization: Bearer $token" "$@"; }
check "a name of the configuration is served" test "$(code -H 'Host: rowtrail.example' http://127.0.0.1:18767/v1/types)" = 200
for _ in 1 2 3; do code http://127.0.0.1:18767/v1/types > /dev/null; done
check "beyond its number a minute: 429" test "$(code http://127.0.0.1:18767/v1/types)" = 429
check "… a problem, with when to come back" bash -c "jq -e '.type == \"/problems/too-many-requests\"' '$work/body' && grep -qi '^retry-after: [0-9]' '$work/head' && grep -qi '^ratelimit: \"default\";r=0;t=' '$work/head'"
check "stops with 0" stop_run "$run_pid"
finish
