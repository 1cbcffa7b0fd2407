#!/usr/bin/env bash
# Everything `make test-extra` runs: tests with tools from PyPI, in an environment of their own under
# build/. A registry that cannot be reached is said and is no failure.
set -uo pipefail
cd "$(dirname "$0")/../.."
venv="$PWD/build/extra-venv"
export PATH="$venv/bin:$PATH"
if ! python3 -m venv "$venv" || ! "$venv/bin/pip" install -q --disable-pip-version-check -r test/extra/requirements.txt; then
  echo "test-extra: PyPI cannot be reached, nothing was tested"
  exit 0
fi
passed=0
failed=0
for script in test/extra/*.sh; do
  [ "$(basename "$script")" != run.sh ] || continue
  printf '\n== %s\n' "$(basename "$script" .sh)"
  if "$script"; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
