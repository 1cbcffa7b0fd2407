#!/usr/bin/env bash
# dist/rowtrail: one stripped static binary with the dashboard inside, its SBOM and the licences of what it links.
set -euo pipefail
cd "$(dirname "$0")/../.."
libraries="$PWD/build/static-libraries"
deploy/static/libraries.sh "$libraries"
cmake -S . -B build/static -G Ninja -DCMAKE_BUILD_TYPE=Release -DROWTRAIL_STATIC="$libraries" > build/static-configure.log \
  || { tail -n 20 build/static-configure.log; exit 1; }
ninja -C build/static rowtrail
mkdir -p dist
strip -o dist/rowtrail build/static/rowtrail
case "$(file -b dist/rowtrail)" in
  *"statically linked"*) ;;
  *) echo "dist/rowtrail is not statically linked: $(file -b dist/rowtrail)" >&2; exit 1 ;;
esac
deploy/static/sbom.py "$libraries" dist
printf 'dist/rowtrail: %s bytes, sha256 %s\n' "$(stat -c %s dist/rowtrail)" "$(sha256sum < dist/rowtrail | cut -c1-64)"
