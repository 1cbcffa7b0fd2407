#!/usr/bin/env bash
# Builds, from Debian's own sources, the two client libraries that Debian ships in no form fit for a static
# binary: libpq without Kerberos and LDAP, and MariaDB Connector/C with its authentication plugins built in.
#
#   deploy/static/libraries.sh PREFIX     headers and archives below PREFIX; nothing is done when they are there
set -euo pipefail
prefix="$(realpath -m "$1")"
work="$prefix/src"
say() { printf 'static: %s\n' "$*" >&2; }
quiet() {  # quiet LOG COMMAND…: output only when it fails
  local log="$work/$1.log"
  shift
  "$@" > "$log" 2>&1 || { tail -n 30 "$log" >&2; say "failed: $*; its whole output is $log"; exit 1; }
}
mkdir -p "$work" "$prefix/lib" "$prefix/include"

# A private apt, so that the machine's own lists stay as they are; the mirror is the machine's.
apt_folder="$work/apt"
apt() {
  apt-get -q -o Dir::Etc::sourcelist="$apt_folder/sources.list" -o Dir::Etc::sourceparts=- \
    -o Dir::State::lists="$apt_folder/lists" -o Dir::Cache="$apt_folder/cache" -o APT::Sandbox::User=root "$@"
}
source_of() {  # source_of PACKAGE: unpacks it as $work/PACKAGE
  [ -d "$work/$1" ] && return
  if [ ! -f "$apt_folder/sources.list" ]; then
    local mirror
    mirror="$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' 'Codename: bookworm' | sort -u | head -n 1)"
    [ -n "$mirror" ] || { say "apt knows no mirror of bookworm; add one to /etc/apt/sources.list"; exit 1; }
    mkdir -p "$apt_folder/lists/partial" "$apt_folder/cache/archives/partial"
    printf 'deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] %s bookworm main\n' \
      "$mirror" > "$apt_folder/sources.list"
    quiet apt-update apt update
  fi
  say "fetching Debian's source of $1"
  mkdir -p "$work/fetch-$1"
  (cd "$work/fetch-$1" && quiet "fetch-$1" apt source "$1")
  local folders=("$work/fetch-$1"/*/)
  basename "$work/fetch-$1"/*.dsc .dsc | tr _ ' ' > "$prefix/$1.version"
  mv "${folders[0]}" "$work/$1"
  rm -rf "$work/fetch-$1"
}

# The same bytes on every machine: no build folder in the objects, no time, no build id.
export SOURCE_DATE_EPOCH="${SOURCE_DATE_EPOCH:-0}"
flags="-O2 -fno-omit-frame-pointer -ffile-prefix-map=$work=."
jobs="$(nproc)"

if [ ! -f "$prefix/lib/libpq.a" ]; then
  source_of postgresql-15
  say "building libpq"
  mkdir -p "$work/pq" && cd "$work/pq"
  quiet pq-configure "$work/postgresql-15/configure" CFLAGS="$flags" --prefix=/usr --sysconfdir=/etc/postgresql-common \
    --with-openssl --without-gssapi --without-ldap --without-readline --without-zlib --without-icu
  quiet pq-headers make -s -C src/backend generated-headers
  quiet pq-port make -s -j"$jobs" -C src/port libpgport_shlib.a libpgport.a
  quiet pq-common make -s -j"$jobs" -C src/common libpgcommon_shlib.a libpgcommon.a
  quiet pq make -s -j"$jobs" -C src/interfaces/libpq all-static-lib
  cp src/port/libpgport_shlib.a src/common/libpgcommon_shlib.a src/interfaces/libpq/libpq.a "$prefix/lib/"
fi

if [ ! -f "$prefix/lib/libmariadbclient.a" ]; then
  source_of mariadb
  say "building MariaDB Connector/C"
  quiet mariadb-configure cmake -S "$work/mariadb/libmariadb" -B "$work/connector" -G Ninja \
    -DCMAKE_BUILD_TYPE=Release -DCMAKE_C_FLAGS="$flags -Wno-error -w" -DCMAKE_INSTALL_PREFIX=/usr \
    -DWITH_SSL=OPENSSL -DWITH_EXTERNAL_ZLIB=ON -DWITH_UNIT_TESTS=OFF -DWITH_CURL=OFF -DCLIENT_PLUGIN_CACHING_SHA2_PASSWORD=STATIC \
    -DCLIENT_PLUGIN_SHA256_PASSWORD=STATIC -DCLIENT_PLUGIN_CLIENT_ED25519=STATIC \
    -DCLIENT_PLUGIN_MYSQL_CLEAR_PASSWORD=STATIC -DCLIENT_PLUGIN_DIALOG=OFF -DCLIENT_PLUGIN_ZSTD=OFF \
    -DCLIENT_PLUGIN_AUTH_GSSAPI_CLIENT=OFF -DCLIENT_PLUGIN_REMOTE_IO=OFF -DCLIENT_PLUGIN_PVIO_NPIPE=OFF \
    -DMYSQL_UNIX_ADDR=/run/mysqld/mysqld.sock
  quiet mariadb ninja -C "$work/connector" mariadbclient
  cp "$work"/connector/libmariadb/libmariadbclient.a "$prefix/lib/"
fi
say "ready: $prefix/lib"
