#!/usr/bin/env bash
# Two builds of one commit give the same bytes: this folder's `make static`, and another from nothing in a folder
# of another name, without a compiler cache, its libraries built again as well. Takes a quarter of an hour.
#
#   test/static/reproducible.sh        the tree must hold the commit, nothing more
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
[ -z "$(git status --porcelain)" ] || { echo "commit first: what is compared is a commit"; exit 1; }
commit="$(git rev-parse HEAD)"
deploy/static/build.sh > /dev/null
other="$(mktemp -d "${TMPDIR:-/tmp}/another-folder-of-another-length.XXXXXX")"
trap 'rm -rf "$other"' EXIT
first="$other/first"
cp -r dist "$first"
git clone -q --no-hardlinks . "$other/rowtrail"
cd "$other/rowtrail"
git checkout -q "$commit"
CCACHE_DISABLE=1 deploy/static/build.sh > "$other/build.log" 2>&1 || { tail -n 20 "$other/build.log"; exit 1; }
same=0
for file in rowtrail rowtrail.cdx.json LICENSES.txt; do
  if cmp "$first/$file" "dist/$file"; then echo "  ok    $file: $(sha256sum < "dist/$file" | cut -c1-64)"; else same=1; fi
done
[ "$same" = 0 ] || { trap - EXIT; echo "both are kept: $first, $PWD/dist"; }
exit "$same"
