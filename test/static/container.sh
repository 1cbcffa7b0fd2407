#!/usr/bin/env bash
# The image of deploy/container/Dockerfile, built by buildah without a registry and run as its own user: it reads MySQL
# over TLS into the volume's folder. Needs dist/ (`make static`) and Debian's buildah.
rowtrail=dist/rowtrail
. "$(dirname "${BASH_SOURCE[0]}")/../integration/lib.sh"
[ "$(id -u)" = 0 ] && command -v buildah > /dev/null || { echo "needs root and buildah: apt-get install --no-install-recommends buildah"; exit 1; }
use_mysql container
reset_mysql
mysql -e 'CREATE DATABASE pharmacy; CREATE TABLE pharmacy.stock (id INT PRIMARY KEY); INSERT INTO pharmacy.stock VALUES (1)'
storage=(--root "$work/containers" --runroot "$work/containers-run" --storage-driver vfs)
leave() { buildah "${storage[@]}" rm -a > /dev/null 2>&1 || true; test/servers/mysql.sh stop container > /dev/null 2>&1 || true; clean_up; }
trap leave EXIT
check "the image is built" buildah "${storage[@]}" bud --isolation chroot -f deploy/container/Dockerfile -t rowtrail .
container="$(buildah "${storage[@]}" from --pull-never localhost/rowtrail)"
inside() { buildah "${storage[@]}" run --isolation chroot "$@"; }
image() { buildah "${storage[@]}" inspect --type image --format "{{.OCIv1.Config.$1}}" localhost/rowtrail; }
check "it runs as a user without rights" test "$(image User)" = 10001:10001
check "it starts rowtrail run" test "$(image Entrypoint) $(image Cmd)" = "[/rowtrail] [run]"
catch_up() {
  inside -v "$ROWTRAIL_MYSQL_CA:/ca.pem:ro" -e ROWTRAIL_SOURCE_PASSWORD="$ROWTRAIL_MYSQL_PASSWORD" \
    -e "ROWTRAIL_SOURCE_URL=mysql://rowtrail@127.0.0.1:$ROWTRAIL_MYSQL_PORT/?tls=verify-ca&tls_ca=/ca.pem" "$container" \
    /rowtrail run --start earliest --until end --no-serve
}
check "it records a server into its volume" catch_up
check "the record verifies" inside "$container" /rowtrail verify
check "the row is there" bash -c "$(declare -f inside; declare -p storage container); inside \"\$container\" /rowtrail changes --table stock --format ndjson | grep -q '\"op\":\"insert\"'"
finish
