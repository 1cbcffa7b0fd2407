#!/usr/bin/env bash
# Everything `make test` runs: layering, unit tests, integration on real servers. Prints one closing
# line, "N passed, N failed". T=pattern runs the tests whose name contains it.
set -uo pipefail
cd "$(dirname "$0")/.."
build="${BUILD:-build/release}"
pattern="${T:-}"
passed=0
failed=0
failures=()

note() { printf '\n== %s\n' "$*"; }
wanted() { [ -z "$pattern" ] || [[ "$1" == *"$pattern"* ]]; }
count() {  # NAME STATUS
  if [ "$2" = 0 ]; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    failures+=("$1")
  fi
}

# A unit test program counts by its test cases.
run_cases() {
  local program="$1" name output total bad
  name="$(basename "$program")"
  local filter=()
  [ -z "$pattern" ] || [[ "$name" == *"$pattern"* ]] || filter=("*$pattern*")
  # Catch2 answers --list-test-names-only with the number of tests as its exit status.
  total="$("$program" --list-test-names-only "${filter[@]}" | grep -c .)" || true
  [ "$total" -gt 0 ] || return 0
  note "$name ($total cases)"
  output="$(mktemp)"
  if "$program" "${filter[@]}" > "$output" 2>&1; then
    passed=$((passed + total))
    tail -n 2 "$output" | grep . | tail -n 1
  else
    cat "$output"
    bad="$(sed -n 's/^test cases: .*| *\([0-9]*\) failed.*/\1/p' "$output" | tail -n 1)"
    bad="${bad:-$total}"
    passed=$((passed + total - bad))
    failed=$((failed + bad))
    failures+=("$name")
  fi
  rm -f "$output"
}

run_script() {
  local script="$1" name
  name="$(basename "$script" .sh)"
  wanted "$name" || return 0
  note "$name"
  "$script"
  count "$name" $?
}

if [ -z "${NO_SERVERS:-}" ]; then
  note "servers"
  # A server that does not start fails the tests that need it, with its own message.
  test/servers/mysql.sh start test > /dev/null && eval "$(test/servers/mysql.sh env test)"
  test/servers/postgres.sh start test > /dev/null && eval "$(test/servers/postgres.sh env test)"
  test/servers/mariadb.sh start test > /dev/null && eval "$(test/servers/mariadb.sh env test)"
fi

run_script test/layering.sh
for program in "$build"/test/test_*; do
  [ -x "$program" ] && [ -f "$program" ] && run_cases "$program"
done
if [ -z "${UNIT_ONLY:-}" ]; then
  for script in test/integration/*.sh; do
    [ "$(basename "$script")" = lib.sh ] || run_script "$script"
  done
fi

echo
for name in "${failures[@]}"; do echo "FAILED $name"; done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
