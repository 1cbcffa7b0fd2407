#!/usr/bin/env bash
# The dashboard in Debian's Chromium, over a real record of the pharmacy: views, keyboard, deep links,
# exact integers, accessibility. SCREENSHOTS=1 renews the pictures in docs/img/, of the pharmacy alone.
. "$(dirname "$0")/lib.sh"
use_mysql "${SCREENSHOTS:+pictures}"
reset_mysql
mysql -e "GRANT SESSION_VARIABLES_ADMIN ON *.* TO app@'%'"  # for the dates of several days of work
run_staff --init --transactions 0 > /dev/null 2>&1
mysql -e "RESET BINARY LOGS AND GTIDS"  # the pharmacy is older than its record
run_staff --transactions "$([ -n "${SCREENSHOTS:-}" ] && echo 6000 || echo 900)" --days 6 --staff 1 --rate 0 --ledger "$work/ledger" > "$work/staff.log" 2>&1 || { cat "$work/staff.log"; exit 1; }
if [ -z "${SCREENSHOTS:-}" ]; then
mysql -e "CREATE TABLE pharmacy.big (id BIGINT UNSIGNED PRIMARY KEY, note TEXT NOT NULL);
  INSERT INTO pharmacy.big VALUES (18446744073709551615, '<img src=x onerror=\"document.title=1\"> the quick brown fox jumps over the dog');
  UPDATE pharmacy.big SET note = '<img src=x onerror=\"document.title=1\"> the quick red fox jumps over the dog';
  CREATE TABLE pharmacy.label (code VARCHAR(8) PRIMARY KEY, words TEXT NOT NULL);
  INSERT INTO pharmacy.label VALUES ('007', 'first');
  UPDATE pharmacy.label SET code = '008'"
mysql -e "CREATE TABLE pharmacy.alarm (id INT PRIMARY KEY, place VARCHAR(20) NOT NULL); INSERT INTO pharmacy.alarm VALUES (1, 'cold store')"
mkdir "$work/rules"
cp "$rules"/*.yaml "$work/rules/"
cat > "$work/rules/alarm.yaml" << 'END'
id: alarm-raised
title: Alarm
event: alarm.raised
severity: critical
match:
  alarm: {table: pharmacy.alarm, op: insert}
emit:
  objects: {alarm: alarm.after.id}
  attributes: {place: alarm.after.place}
  summary: "Alarm in the {place}"
END
rules="$work/rules"
fi
store="sqlite://$work/rowtrail.db"
start_run run "$store" --listen "127.0.0.1:${WEB_PORT:-18767}"
check "caught up" wait_caught_up "$store"
base="http://127.0.0.1:${WEB_PORT:-18767}"
login_url() { sed -n 's/^dashboard: \([^ ]*\).*/\1/p' "$work/run.log"; }
if [ -n "${SCREENSHOTS:-}" ]; then  # and nothing else
  check "the pictures" node test/web/dashboard.mjs "$base" "$(login_url)" "$work/token" "$work/shots"
  mkdir -p docs/img
  for name in events-light-wide events-dark-wide event-light-tablet today-light-wide events-light-phone process-light-wide; do cp "$work/shots/$name.png" docs/img/; done
  check "stops with 0" stop_run "$run_pid"
  finish
fi
head_of() { curl -sS --max-time 20 -o /dev/null -D - "$@" | tr -d '\r'; }

check "the page needs no token" bash -c "curl -sS $base/ | grep -q '<div id=\"app\">'"
check "its policy allows nothing inline" bash -c "curl -sS -D - -o /dev/null $base/ | grep -i 'content-security-policy' | grep -v unsafe | grep -q \"script-src 'self'\""
script="$(curl -sS "$base/" | sed -n 's/.*src="\(\/assets\/[^"]*\)".*/\1/p' | head -n 1)"
head_of --compressed "$base$script" > "$work/head"
check "assets come packed and are kept for good" grep -qiE '^cache-control:.*immutable' "$work/head"
check "assets come as gzip" grep -qi '^content-encoding: gzip' "$work/head"
check "plain and packed asset are the same" cmp <(curl -sS "$base$script") <(curl -sS --compressed "$base$script")
etag="$(sed -n 's/^[Ee][Tt][Aa][Gg]: //p' "$work/head")"
check "an unchanged asset is not sent again" bash -c "[ \$(curl -sS --compressed -o /dev/null -w '%{http_code}' -H 'If-None-Match: $etag' $base$script) = 304 ]"
check "what is no asset is 404" bash -c "[ \$(curl -sS -o /dev/null -w '%{http_code}' $base/assets/../../etc/passwd) = 404 ]"
bytes=0
for asset in $script $(curl -sS "$base/" | sed -n 's/.*href="\(\/assets\/[^"]*\)".*/\1/p'); do
  bytes=$((bytes + $(curl -sS -H 'Accept-Encoding: gzip' "$base$asset" | wc -c)))
done
check "the bundle is under 250 KB packed ($bytes bytes)" test "$bytes" -lt 250000

if node test/web/unit.mjs; then ok "the dashboard's arithmetic"; else bad "the dashboard's arithmetic"; fi
check "browser and axe installed" npm --prefix test/web ci --no-audit --no-fund --loglevel=error
if node test/web/dashboard.mjs "$base" "$(login_url)" "$work/token" "$work/shots" test/servers/mysql.sh client "$mysql_instance" -e; then ok "the browser's checks"; else bad "the browser's checks"; fi
check "stops with 0" stop_run "$run_pid"
finish
