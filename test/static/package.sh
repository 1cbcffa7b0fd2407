#!/usr/bin/env bash
# The Debian package in a Debian 12 of its own (.servers/bookworm-package, made by debootstrap): installed, its
# units verified and their sandbox scored, run on MySQL 9.7, upgraded, downgraded, removed and purged. Needs
# dist/*.deb (`make deb`).
rowtrail=dist/rowtrail
. "$(dirname "${BASH_SOURCE[0]}")/../integration/lib.sh"
[ "$(id -u)" = 0 ] || { echo "the check of the package needs root, because it uses chroot: sudo test/static/package.sh"; exit 1; }
deb="$(ls dist/rowtrail_*.deb 2> /dev/null | head -n 1)"
[ -n "$deb" ] || { echo "build first: make deb"; exit 1; }
version="$(dpkg-deb -f "$deb" Version)"
cp "$deb" "$work/this.deb"
deploy/static/package.sh "$version+next" > /dev/null
mv "dist/rowtrail_$version+next_$(dpkg --print-architecture).deb" "$work/next.deb"

(. test/servers/lib.sh && bootstrap bookworm-package bookworm /usr/bin/systemd-analyze systemd,ca-certificates)
machine="${ROWTRAIL_SERVERS:-.servers}/bookworm-package"
inside() { chroot "$machine" env PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@"; }
forget() {
  inside dpkg --purge rowtrail > /dev/null 2>&1 || true
  rm -rf "$machine/var/lib/rowtrail" "$machine"/tmp/*.deb
}
forget
use_mysql package
reset_mysql
leave() { forget; umount "$machine/proc" 2> /dev/null || true; test/servers/mysql.sh stop package > /dev/null 2>&1 || true; clean_up; }
trap leave EXIT
mount -t proc proc "$machine/proc"
cp "$work"/*.deb "$machine/tmp/"

mysql -e 'CREATE DATABASE pharmacy; CREATE TABLE pharmacy.stock (id INT PRIMARY KEY, quantity INT)'
sell() { mysql -e "REPLACE INTO pharmacy.stock VALUES ($1, $1), ($1 + 1000, $1)"; }
sell 1
installed() { [ "$(inside dpkg-query -W -f '${Status} ${Version}' rowtrail)" = "install ok installed $1" ]; }
units() { inside systemd-analyze verify /lib/systemd/system/rowtrail{,-summary}.service /lib/systemd/system/rowtrail-summary.timer; }
score() { inside systemd-analyze security --offline=true --threshold=20 "/lib/systemd/system/$1"; }
init() {
  cp "$ROWTRAIL_MYSQL_CA" "$machine/etc/rowtrail/ca.pem"
  printf '%s\n' "$ROWTRAIL_MYSQL_PASSWORD" > "$machine/etc/rowtrail/source-password"
  inside env ROWTRAIL_SOURCE_PASSWORD="$ROWTRAIL_MYSQL_PASSWORD" rowtrail init --out /etc/rowtrail/rowtrail.yaml \
    --source "mysql://rowtrail@127.0.0.1:$ROWTRAIL_MYSQL_PORT/?tls=verify-ca&tls_ca=/etc/rowtrail/ca.pem"
}
store=sqlite:///var/lib/rowtrail/rowtrail.db
catch_up() {
  mkdir -p "$machine/var/lib/rowtrail"
  inside env ROWTRAIL_SOURCE_PASSWORD="$ROWTRAIL_MYSQL_PASSWORD" HOME=/var/lib/rowtrail rowtrail run --until end --no-serve --start earliest --store "$store"
}
holds() {
  local rows
  inside env HOME=/var/lib/rowtrail rowtrail verify --store "$store" || return 1
  rows="$(inside rowtrail changes --store "$store" --table stock --limit 0 --format ndjson | jq -s 'map(select(.op == "insert")) | length')"
  [ "$rows" = "$1" ] || { echo "$rows rows"; return 1; }
}

check "installs $version" inside dpkg -i /tmp/this.deb
check "is installed" installed "$version"
check "the binary is the one with the SBOM" test "$(sha256sum < "$machine/usr/bin/rowtrail" | cut -c1-64)" = \
  "$(jq -r '.metadata.component.hashes[0].content' "$machine/usr/share/doc/rowtrail/rowtrail.cdx.json")"
check "systemd accepts the units" units
check "systemd's exposure of rowtrail.service is at most 2.0" score rowtrail.service
check "systemd's exposure of rowtrail-summary.service is at most 2.0" score rowtrail-summary.service
check "init writes the configuration" init
check "catches up" catch_up
check "the log holds the rows" holds 2
before="$(sha256sum "$machine/etc/rowtrail/rowtrail.yaml")"
sell 2
check "is upgraded" inside dpkg -i /tmp/next.deb
check "the upgrade is installed" installed "$version+next"
check "the configuration stayed" test "$(sha256sum "$machine/etc/rowtrail/rowtrail.yaml")" = "$before"
check "goes on in the old log" catch_up
check "nothing lost, nothing twice" holds 4
sell 3
check "is downgraded" inside dpkg -i /tmp/this.deb
check "the old version goes on" catch_up
check "nothing lost, nothing twice" holds 6
check "is removed" inside dpkg -r rowtrail
check "the configuration stays until it is purged" test -e "$machine/etc/rowtrail/rowtrail.yaml"
check "is purged" inside dpkg -P rowtrail
check "nothing of it is left" test "$(inside find / -xdev -name '*rowtrail*' -not -path '/var/lib/rowtrail*' -not -path '/tmp/*' -not -path '/proc/*' 2> /dev/null | wc -l)" = 0
check "but the log" test -s "$machine/var/lib/rowtrail/rowtrail.db"
finish
