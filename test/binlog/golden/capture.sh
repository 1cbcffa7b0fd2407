#!/usr/bin/env bash
# Captures the binlogs of the goldens from a private MySQL 9.7, those called mariadb_… from a private MariaDB
# 10.11: each NAME.sql runs in an empty database `golden`, in a binlog file of its own, which becomes
# NAME.binlog. The .txt beside them is what the decoder makes of it: ROWTRAIL_UPDATE_GOLDEN=1 test_binlog "[golden]", then read the difference.
#   capture.sh [NAME ...]
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
client() { "$server" client golden --default-character-set=utf8mb4 "$@"; }
[ $# -gt 0 ] || set -- $(cd "$here" && ls ./*.sql | sed 's|^\./||; s|\.sql$||')
for name in "$@"; do
  family=mysql status="SHOW BINARY LOG STATUS"
  [[ $name != mariadb_* ]] || family=mariadb status="SHOW BINLOG STATUS"
  server="$here/../../servers/$family.sh" datadir="ROWTRAIL_${family^^}_DATADIR"
  eval "$("$server" start golden)"
  client -e 'SET sql_log_bin = 0; DROP DATABASE IF EXISTS golden; CREATE DATABASE golden; SET sql_log_bin = 1; FLUSH BINARY LOGS'
  file="$(client -Ne "$status" | cut -f1)"
  client --comments golden < "$here/$name.sql"
  client -e 'FLUSH BINARY LOGS'
  cp "${!datadir}/$file" "$here/$name.binlog"
  echo "$name.binlog: $(stat -c %s "$here/$name.binlog") bytes"
done
