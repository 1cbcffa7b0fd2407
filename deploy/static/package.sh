#!/usr/bin/env bash
# dist/rowtrail_VERSION_ARCHITECTURE.deb of the static binary that is in dist/, with its manual page, completions,
# systemd units, SBOM and licences.
#
#   deploy/static/package.sh [VERSION]      default: the project's version
set -euo pipefail
cd "$(dirname "$0")/../.."
[ -x dist/rowtrail ] || { echo "build first: make static" >&2; exit 1; }
export SOURCE_DATE_EPOCH="${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}"
made=dist/package
rm -rf "$made" && mkdir -p "$made"
dist/rowtrail man | gzip -9n > "$made/rowtrail.1.gz"
for shell in bash zsh fish; do dist/rowtrail completion "$shell" > "$made/rowtrail.$shell"; done
gzip -9n < dist/LICENSES.txt > "$made/LICENSES.txt.gz"
printf 'Licensed under the Apache License, Version 2.0: /usr/share/common-licenses/Apache-2.0\n
What the binary also holds, and under which licences: rowtrail.cdx.json, LICENSES.txt.gz\n\n' | cat - NOTICE > "$made/copyright"
cpack --config build/static/CPackConfig.cmake -G DEB -B dist ${1:+-D CPACK_PACKAGE_VERSION="$1"} > dist/cpack.log 2>&1 \
  || { tail -n 20 dist/cpack.log >&2; exit 1; }
rm -rf dist/_CPack_Packages dist/cpack.log "$made"
ls dist/*.deb
