#!/usr/bin/env bash
# Fetches what the peers of run.sh are made of from PyPI, npm, Maven Central and the Go proxy into build/peers; nothing
# of it is part of rowtrail. Prints a line for each that is not to be had, and goes on.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
into="$PWD/build/peers"
mkdir -p "$into"
: > "$into/missing"
got() {  # got NAME VERSION MARK COMMAND…
  local name="$1" version="$2" mark="$into/$3"
  shift 3
  if [ -e "$mark" ] || { "$@" > "$into/fetch-$name.log" 2>&1 && touch "$mark"; }; then return; fi
  printf '%s %s\n' "$name" "$version" >> "$into/missing"
  printf 'not to be had here: %s %s (%s)\n' "$name" "$version" "$(grep -m1 -iE 'error|forbidden|not found|could not' "$into/fetch-$name.log" | cut -c1-160)"
}
python_peer() { python3 -m venv "$into/venv" && "$into/venv/bin/pip" install -q mysql-replication==1.0.17 cryptography; }
node_peer() { ( mkdir -p "$into/node" && cd "$into/node" && npm install --no-audit --no-fund @vlasky/zongji@0.9.0 ); }
java_peer() {
  mvn -B -q -f bench/peers/pom.xml dependency:copy-dependencies -DoutputDirectory="$into/java" \
    && javac -cp "$into/java/*" -d "$into/classes" bench/peers/*.java
}
go_peer() {
  (
    mkdir -p "$into/go" && cp bench/peers/canal/* "$into/go/" && cd "$into/go" && timeout "${GO_BUILD_S:-1800}" go build -o canal .
  )
}
got python-mysql-replication 1.0.17 got-python python_peer
got zongji 0.9.0 got-node node_peer
got java '(mysql-binlog-connector-java 0.30.1, debezium 3.6.1.Final)' got-java java_peer
got go-mysql-canal 1.13.0 got-go go_peer
