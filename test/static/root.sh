#!/usr/bin/env bash
# What `make static` ends with: dist/rowtrail alone in an empty folder, with a configuration, certificates of
# authorities, /etc/hosts and /etc/resolv.conf, and no library, shell, locale or zone file. Run there with chroot
# as a user without rights, it reads MySQL 9.7 (caching_sha2_password, TLS verified by a name that only DNS knows) into SQLite and into
# Postgres (TLS verified by a name of /etc/hosts), converts every charset of the server and serves the dashboard.
rowtrail=dist/rowtrail
. "$(dirname "${BASH_SOURCE[0]}")/../integration/lib.sh"
[ "$(id -u)" = 0 ] || { echo "the check of the bare root needs root, because it uses chroot: sudo test/static/root.sh"; exit 1; }

use_mysql static
reset_mysql
mysql -e 'DROP DATABASE IF EXISTS charsets; CREATE DATABASE charsets'
test/servers/postgres.sh start static > /dev/null
eval "$(test/servers/postgres.sh env static)"
postgres_data="$ROWTRAIL_POSTGRES_SOCKET_DIR/data"
stop_servers() {
  [ -z "${dns_pid:-}" ] || kill "$dns_pid" 2> /dev/null || true
  test/servers/mysql.sh stop static > /dev/null 2>&1 || true
  test/servers/postgres.sh stop static > /dev/null 2>&1 || true
  clean_up
}
trap stop_servers EXIT

# Certificates with names, from the CA that MySQL made for itself.
certificate() {  # certificate NAME KEY CERTIFICATE
  openssl req -newkey rsa:2048 -nodes -subj "/CN=$1" -keyout "$2" -out "$work/request.pem" 2> /dev/null
  printf 'subjectAltName=DNS:%s\n' "$1" > "$work/names"
  openssl x509 -req -in "$work/request.pem" -CA "$ROWTRAIL_MYSQL_CA" -CAkey "$ROWTRAIL_MYSQL_DATADIR/ca-key.pem" \
    -CAcreateserial -CAserial "$work/serial" -days 30 -extfile "$work/names" -out "$3" 2> /dev/null
}
mysql_name=mysql.rowtrail.test postgres_name=postgres.rowtrail.test
certificate "$mysql_name" "$ROWTRAIL_MYSQL_DATADIR/server-key.pem" "$ROWTRAIL_MYSQL_DATADIR/server-cert.pem"
chmod 0644 "$ROWTRAIL_MYSQL_DATADIR/server-key.pem"
mysql -e 'ALTER INSTANCE RELOAD TLS'
certificate "$postgres_name" "$postgres_data/server.key" "$postgres_data/server.crt"
chown --reference="$postgres_data" "$postgres_data"/server.{key,crt}
chmod 0600 "$postgres_data/server.key"
test/servers/postgres.sh client static -q -c 'ALTER SYSTEM SET ssl = on' -c 'SELECT pg_reload_conf()' > /dev/null
test/servers/postgres.sh client static -q -c 'DROP DATABASE IF EXISTS bare' -c 'CREATE DATABASE bare OWNER rowtrail' 2> /dev/null

# A name server of two names, on an address of this machine that nothing else uses.
python3 - "$mysql_name" 127.0.0.97 << 'P' &
import socket, sys
name, address = sys.argv[1:]
wanted = b"".join(bytes([len(p)]) + p for p in name.encode().split(b".")) + b"\0"
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind((address, 53))
while True:
    query, client = server.recvfrom(512)
    end = query.index(b"\0", 12) + 1
    question, kind = query[12:end + 4], query[end:end + 2]
    found = query[12:end].lower() == wanted and kind == b"\0\1"
    flags = b"\x85\x80" if query[12:end].lower() == wanted else b"\x85\x83"
    answer = b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\x7f\0\0\1" if found else b""
    server.sendto(query[:2] + flags + b"\0\1" + bytes([0, int(found)]) + b"\0\0\0\0" + question + answer, client)
P
dns_pid=$!

bare="$work/bare"
mkdir -p "$bare"/{etc/ssl/certs,etc/rowtrail,data}
cp dist/rowtrail "$bare/rowtrail"
cat /etc/ssl/certs/ca-certificates.crt "$ROWTRAIL_MYSQL_CA" > "$bare/etc/ssl/certs/ca-certificates.crt"
printf '127.0.0.1 localhost %s\n' "$postgres_name" > "$bare/etc/hosts"
printf 'nameserver 127.0.0.97\n' > "$bare/etc/resolv.conf"
printf '%s\n' "$ROWTRAIL_MYSQL_PASSWORD" > "$bare/data/mysql-password"
printf '%s\n' "$ROWTRAIL_POSTGRES_PASSWORD" > "$bare/data/postgres-password"
api_port="$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')"
cat > "$bare/etc/rowtrail/rowtrail.yaml" << END
source:
  name: shop
  url: mysql://rowtrail@$mysql_name:$ROWTRAIL_MYSQL_PORT
  password_file: /data/mysql-password
  start: earliest
store: sqlite:///data/rowtrail.db
listen: 127.0.0.1:$api_port
token_file: /data/token
END
chown -R 10001:10001 "$bare/data"
chmod 0711 "$work"
chroot="$(command -v chroot)"
bare() { env -i HOME=/data "$chroot" --userspec=10001:10001 "$bare" /rowtrail "$@"; }

# One table for each charset of the server, with what of this text it can write.
text='Zürich, Ελλάδα, Москва, Kraków, İstanbul, עברית, ไทย, 東京, 北京, 臺北, 서울, ½ € ß 𝄞'
charsets="$(mysql -N -e 'SELECT character_set_name FROM information_schema.character_sets ORDER BY 1')"
for charset in $charsets; do
  printf 'CREATE TABLE `%s` (id INT PRIMARY KEY, v VARCHAR(200) CHARACTER SET %s);\n' "$charset" "$charset"
  printf "INSERT IGNORE INTO \`%s\` VALUES (1, '%s');\n" "$charset" "$text"
done | mysql --default-character-set=utf8mb4 charsets
mysql charsets -e "CREATE TABLE moment (id INT PRIMARY KEY, at TIMESTAMP(3)); SET time_zone = '+02:00'; INSERT INTO moment VALUES (1, '2026-07-01 00:30:00.125')"
for charset in $charsets; do mysql -N --raw --default-character-set=utf8mb4 \
  -e "SELECT '$charset', IF('$charset' = 'binary', REPLACE(TO_BASE64(v), '\n', ''), CONVERT(v USING utf8mb4)) FROM charsets.\`$charset\`"; done > "$work/expected"

same_charsets() {
  bare changes "$@" --limit 0 --format ndjson \
    | jq -r 'select(.database == "charsets" and .op == "insert" and .table != "moment") | [.table, .new.v] | @tsv' | sort > "$work/got"
  diff "$work/got" <(sort "$work/expected") && [ "$(wc -l < "$work/got")" -ge 40 ]
}
summary_says() { bare summary --date "$(date -u +%F)" > "$work/summary" && grep -F "$1" "$work/summary" || { cat "$work/summary"; false; }; }
refused() { ! bare "$@" > "$work/refused" 2>&1 && grep -q "certificate" "$work/refused"; }

check "nothing is in the root but the binary, a configuration and certificates" \
  test "$(cd "$bare" && find . -type f | sort | tr '\n' ' ')" = \
  "./data/mysql-password ./data/postgres-password ./etc/hosts ./etc/resolv.conf ./etc/rowtrail/rowtrail.yaml ./etc/ssl/certs/ca-certificates.crt ./rowtrail "
check "version" bare version
check "doctor: TLS verified by a name that DNS knows" bare doctor
check "MySQL into SQLite" bare run --until end --no-serve
check "every charset of the server is what the server says" same_charsets
check "a TIMESTAMP is UTC" test "$(bare changes --table moment --format ndjson | jq -r 'select(.op == "insert").new.at')" = 2026-06-30T22:30:00.125Z
check "verify" bare verify
check "the summary of today" summary_says charsets.cp1251
postgres="postgresql://rowtrail@$postgres_name:$ROWTRAIL_POSTGRES_PORT/bare?sslmode=verify-full&sslrootcert=/etc/ssl/certs/ca-certificates.crt&password_file=/data/postgres-password"
check "MySQL into Postgres, TLS verified by name" bare run --until end --no-serve --store "$postgres"
check "every charset, read from Postgres" same_charsets --store "$postgres"
check "verify on Postgres" bare verify --store "$postgres"
check "a Postgres of another name is refused" refused status --store "${postgres/$postgres_name/localhost}"
check "a MySQL of another name is refused" refused doctor --source "mysql://rowtrail@localhost:$ROWTRAIL_MYSQL_PORT"

(exec env -i HOME=/data "$chroot" --userspec=10001:10001 "$bare" /rowtrail run) > "$work/serve.out" 2> "$work/serve.log" &
children+=("$!")
serve_pid=$!
get() { curl -sSf -H "Authorization: Bearer $(cat "$bare/data/token")" "http://127.0.0.1:$api_port$1"; }
for _ in $(seq 100); do curl -so /dev/null "http://127.0.0.1:$api_port/livez" && break; sleep 0.1; done
mysql charsets -e "UPDATE moment SET at = '2026-12-24 00:00:00'"
check "the dashboard's page" bash -c "curl -sSf http://127.0.0.1:$api_port/ | grep -qi '<!doctype html>'"
script="$(curl -sSf "http://127.0.0.1:$api_port/" | grep -o 'src="[^"]*\.js"' | head -n 1 | cut -d'"' -f2)"
check "its script" bash -c "curl -sSf 'http://127.0.0.1:$api_port/${script#/}' | grep -q ."
seen() { for _ in $(seq 100); do get '/v1/changes?table=moment' | grep -q '2026-12-24' && return; sleep 0.1; done; get '/v1/changes?table=moment'; return 1; }
check "a change made now is served" seen
check "SIGTERM ends it with 0" stop_run "$serve_pid"
finish
