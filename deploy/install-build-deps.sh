#!/usr/bin/env bash
# Installs from Debian 12 what building, testing and the demo need. Does nothing, and needs neither
# root nor a network, when everything is there already.
set -euo pipefail

packages=(
  # building
  ninja-build ccache mold cmake g++ pkg-config clang-14 clang-tidy-14 clang-format-14 libclang-rt-14-dev
  # libraries (docs/dependencies.md says what each is for)
  libboost1.81-dev libboost-url1.81-dev libssl-dev libmariadb-dev libpqxx-dev libpq-dev libsqlite3-dev
  rapidjson-dev libfmt-dev libspdlog-dev libyaml-cpp-dev libcli11-dev libre2-dev libzstd-dev libdeflate-dev
  zlib1g-dev prometheus-cpp-dev
  # tests, benchmarks, private servers and tools of the scripts
  catch2 libbenchmark-dev debootstrap postgresql-15 mariadb-server-core mariadb-client-core
  sqlite3 curl jq python3
  # the dashboard in a real browser, completion in real shells, the manual page
  chromium zsh fish groff-base
)
# What the dashboard is built with; a Node 18 or newer from elsewhere serves as well.
command -v npm > /dev/null || packages+=(nodejs npm)

say() { printf 'install-build-deps: %s\n' "$*" >&2; }

installed=" $(dpkg-query -W -f='${Package} ${Status}\n' "${packages[@]}" 2> /dev/null \
  | awk '/ install ok installed$/ {printf "%s ", $1}' || true)"
missing=()
for package in "${packages[@]}"; do
  [[ "$installed" == *" $package "* ]] || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

as_root=()
if [ "$(id -u)" != 0 ]; then
  command -v sudo > /dev/null || { say "needs root to install: ${missing[*]}"; exit 1; }
  as_root=(sudo)
fi

# One changing line on a terminal, one line per stage elsewhere; the whole output is in the log.
log="$(mktemp "${TMPDIR:-/tmp}/rowtrail-apt.XXXXXX")"
progress() {
  local line shown=0 count=0
  while read -r line; do
    printf '%s\n' "$line" >> "$log"
    case "$line" in
      Get:* | Unpacking* | Setting\ up*)
        count=$((count + 1))
        if [ -t 2 ]; then
          printf '\r\033[K  %4d  %s' "$count" "${line:0:70}" >&2
        elif [ $((count - shown)) -ge 50 ]; then
          say "  ${line:0:90}"
          shown=$count
        fi
        ;;
    esac
  done
  [ ! -t 2 ] || printf '\r\033[K' >&2
}

apt() {
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -y -q -o Dpkg::Use-Pty=0 "$@" 2>&1 < /dev/null | progress
}

began=$SECONDS
say "installing ${#missing[@]} packages from Debian: ${missing[*]}"
if ! apt update || ! apt install --no-install-recommends "${missing[@]}"; then
  grep -E '^(E|W|Err)' "$log" | tail -5 >&2 || true
  say "apt-get failed; its whole output is $log"
  exit 1
fi
rm -f "$log"
say "done in $((SECONDS - began)) s"
