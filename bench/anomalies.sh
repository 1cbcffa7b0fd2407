#!/usr/bin/env bash
# Are injected cases noticed? A year of the pharmacy on a clock of its own for each seed, with one case a
# day of what should not be done; rowtrail replays it, and its alerts are held against the answer key.
#
#   bench/anomalies.sh [SEED…]     default 101 102 103: seeds not used while tuning
#   DAYS=365 PER_DAY=150 INJECT=1  the year
#   KEEP=1                         keeps stores and answer keys
. "$(dirname "${BASH_SOURCE[0]}")/../test/integration/lib.sh"
seeds=("$@")
[ ${#seeds[@]} -gt 0 ] || seeds=(101 102 103)
use_mysql "${INSTANCE:-bench}"
export ROWTRAIL_MYSQL_APP_PASSWORD="${ROWTRAIL_MYSQL_ROOT_PASSWORD:-}"
for seed in "${seeds[@]}"; do
  reset_mysql
  "$staff" --socket "$ROWTRAIL_MYSQL_SOCKET" --user root --init --simulated-days "${DAYS:-365}" --per-day "${PER_DAY:-150}" \
    --inject "${INJECT:-1}" --answer-key "$work/$seed.key" --seed "$seed" --ledger "$work/$seed.ledger"
  binlogs=()
  for file in $(mysql -N -e 'SHOW BINARY LOGS' | cut -f1); do binlogs+=("$ROWTRAIL_MYSQL_DATADIR/$file"); done
  "$rowtrail" replay --source-name pharmacy --store "sqlite://$work/$seed.db" --rules "$rules" --log-level warn "${binlogs[@]}" > /dev/null
  "$rowtrail" anomalies --store "sqlite://$work/$seed.db" --format ndjson --limit 0 > "$work/$seed.anomalies"
  "$rowtrail" events --store "sqlite://$work/$seed.db" --format ndjson --limit 0 > "$work/$seed.events"
  python3 bench/anomalies.py "$work/$seed.key" "$work/$seed.anomalies" "$work/$seed.events" "seed $seed"
done
finish
