#!/usr/bin/env bash
# Stops every private server of this clone and removes .servers/ with all data and downloads.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

here="$(dirname "${BASH_SOURCE[0]}")"
for kind in mysql postgres mariadb; do
  while read -r name _; do
    "$here/$kind.sh" clean "$name"
  done < <("$here/$kind.sh" list 2> /dev/null || true)
done
remove_tree "$servers"
say "$servers is gone"
