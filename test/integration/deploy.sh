#!/usr/bin/env bash
# What deploy/ tells other programs of rowtrail is true: the metrics of the alerts and of the Grafana dashboard are
# exported, and the options that the container sets exist.
. "$(dirname "$0")/lib.sh"
use_mysql
reset_mysql
mysql -e 'CREATE DATABASE pharmacy; CREATE TABLE pharmacy.stock (id INT PRIMARY KEY); CREATE TABLE pharmacy.late (id INT PRIMARY KEY)
  ; SET SESSION binlog_format = STATEMENT; INSERT INTO pharmacy.stock VALUES (1)'
store="sqlite://$work/rowtrail.db"
port="$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')"
cat > "$work/rowtrail.yaml" << END
heads: [{file: $work/heads}]
END
start_run run "$store" --config "$work/rowtrail.yaml" --listen "127.0.0.1:$port"
check "caught up" wait_caught_up "$store"
get() { curl -sSf -H "Authorization: Bearer $(cat "$work/token")" "http://127.0.0.1:$port$1"; }
get /v1/status > "$work/status"
exported() { get /metrics | sed -n 's/^\([a-z_]*\).*/\1/p' | sort -u > "$work/exported"; grep -q rowtrail_head_sink_up "$work/exported"; }
for _ in $(seq 100); do exported && break; sleep 0.1; done
known() {  # known FILE: every rowtrail_… in an expression of FILE
  grep -E '"expr"|expr:|label_values' "$1" | grep -oE 'rowtrail_[a-z_]+' | sort -u > "$work/named"
  [ -s "$work/named" ] && comm -23 "$work/named" "$work/exported" > "$work/unknown"
  [ ! -s "$work/unknown" ] || { echo "not exported:"; cat "$work/unknown"; return 1; }
}
check "the alerts use metrics that are exported" known deploy/prometheus-alerts.yaml
check "the Grafana dashboard uses metrics that are exported" known deploy/grafana/rowtrail.json
options() {
  grep -ohE '\bROWTRAIL_[A-Z_]+' deploy/container/Dockerfile deploy/container/compose.yaml | sort -u > "$work/set"
  [ -s "$work/set" ]
  grep -ohE '\bROWTRAIL_[A-Z_]+' docs/configuration.md | sort -u | comm -23 "$work/set" - > "$work/unknown"
  [ ! -s "$work/unknown" ] || { echo "no such option:"; cat "$work/unknown"; return 1; }
}
check "the container sets options that exist" options
check "stops with 0" stop_run "$run_pid"
finish
