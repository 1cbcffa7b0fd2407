# Shared by the scripts of this folder: where private servers live, how one is locked, found alive,
# given a port and stopped. Sourced, never run. Everything lies under the git-ignored .servers/
# (ROWTRAIL_SERVERS overrides), so removing that folder removes every trace once they are stopped.

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"
servers="${ROWTRAIL_SERVERS:-$root/.servers}"
tool="$(basename "$0")"

say() { printf '%s: %s\n' "$tool" "$*" >&2; }
fail() { printf '%s: %s\n' "$tool" "$*" >&2; exit 1; }

need_command() {  # need_command COMMAND PACKAGE
  command -v "$1" > /dev/null || fail "$1 is missing; get it with: apt-get install $2 (or deploy/install-build-deps.sh)"
}

need_root() {
  [ "$(id -u)" = 0 ] || fail "needs root, because it $1; run it with sudo"
}

need_name() {
  [[ "${1:-}" =~ ^[A-Za-z0-9][A-Za-z0-9_.-]*$ ]] || fail "give the instance a name of letters, digits, '-', '_' or '.'"
}

# Holds the lock named $1 until this process ends. Servers are started with descriptor 9 closed,
# or they would hold it for ever.
lock() {
  mkdir -p "$servers/lock"
  exec 9> "$servers/lock/$1"
  if ! flock -n 9; then
    say "waiting for another start of $1 to finish"
    flock -w 900 9 || fail "another process has held $servers/lock/$1 for 15 minutes; see: fuser $servers/lock/$1"
  fi
}

port_is_free() { ! (exec 3<> "/dev/tcp/127.0.0.1/$1") 2> /dev/null; }

# A port nobody listens on, below the range the kernel hands out to clients.
free_port() {
  local port
  for _ in $(seq 100); do
    port=$((20000 + (RANDOM * 32768 + RANDOM) % 12000))
    if port_is_free "$port"; then echo "$port"; return; fi
  done
  fail "no free port between 20000 and 32000 on 127.0.0.1"
}

# pid_of FILE WORD: the pid in FILE, if that process lives and has WORD on its command line, so that
# a recycled pid is never taken for ours.
pid_of() {
  local pid
  [ -s "$1" ] || return 1
  read -r pid < "$1" || true
  [[ "$pid" =~ ^[0-9]+$ ]] || return 1
  [ -r "/proc/$pid/cmdline" ] || return 1
  tr '\0' ' ' < "/proc/$pid/cmdline" 2> /dev/null | grep -qF -- "$2" || return 1
  echo "$pid"
}

# stop_pid PID [SIGNAL]: asks, waits up to 30 s, then kills.
stop_pid() {
  kill "-${2:-TERM}" "$1" 2> /dev/null || return 0
  for _ in $(seq 300); do
    kill -0 "$1" 2> /dev/null || return 0
    sleep 0.1
  done
  say "pid $1 did not stop within 30 s; killing it"
  kill -KILL "$1" 2> /dev/null || true
  sleep 0.5
}

# The mirror this machine already uses for its own release; empty lets debootstrap choose.
debian_mirror() {
  local codename
  codename="$(. /etc/os-release && echo "${VERSION_CODENAME:-}")"
  apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Component: main' \
    "Release: $codename" 2> /dev/null | grep -E '^https?://' | head -1 || true
}

# A proxy that is set for apt only is needed by debootstrap's downloads too.
use_apt_proxy() {
  local proxy=""
  [ -z "${http_proxy:-}" ] || return 0
  eval "$(apt-config shell proxy Acquire::http::Proxy 2> /dev/null || true)"
  case "$proxy" in http*) export http_proxy="$proxy" ;; esac
}

# Removes a chroot; never reaches through what may still be mounted inside it.
remove_tree() {
  [ -e "$1" ] || return 0
  local mounted
  while read -r mounted; do
    umount "$mounted" || fail "cannot unmount $mounted; unmount it, then try again"
  done < <(awk -v top="$(readlink -f "$1")/" 'index($2, top) == 1 {print $2}' /proc/mounts | sort -r)
  rm -rf --one-file-system "$1"
}

# Prints debootstrap's phases: one changing line on a terminal, one line a phase elsewhere.
show_phases() {
  local line phase seen=" " count=0
  while read -r line; do
    line="${line#I: }"; phase="${line%% *}"; count=$((count + 1))
    case "$phase" in Retrieving | Validating | Extracting | Unpacking | Configuring) ;; *) continue ;; esac
    if [ -t 2 ]; then
      printf '\r\033[K  %4d  %s' "$count" "${line:0:70}" >&2
    elif [[ "$seen" != *" $phase "* ]]; then
      say "  $phase packages"
      seen+="$phase "
    fi
  done
  [ ! -t 2 ] || printf '\r\033[K' >&2
}

# bootstrap NAME SUITE COMMAND PACKAGES: a Debian SUITE with PACKAGES (comma separated) in
# $servers/NAME, complete when COMMAND exists in it. Built aside and renamed, so a folder that is
# there is whole; started twice, the second waits for the first.
bootstrap() {
  local name="$1" suite="$2" command="$3" packages="$4" began=$SECONDS
  if [ -x "$servers/$name$command" ]; then return; fi
  need_root "builds a Debian $suite folder with debootstrap and chroot"
  need_command debootstrap debootstrap
  (
    lock "bootstrap-$name"
    if [ -x "$servers/$name$command" ]; then exit; fi
    mkdir -p "$servers/log"
    building="$servers/.building-$name" log="$servers/log/$name.log"
    remove_tree "$building"
    remove_tree "$servers/$name"
    trap 'remove_tree "$building"' EXIT
    mirror="$(debian_mirror)"
    use_apt_proxy
    say "downloading Debian $suite with $packages (once, about a minute)"
    if ! debootstrap --variant=minbase --include="$packages" "$suite" "$building" ${mirror:+"$mirror"} 9>&- \
      2>&1 | tee "$log" | show_phases; then
      if [ -n "$mirror" ]; then
        say "the machine's own mirror does not serve it; trying debootstrap's default"
        remove_tree "$building"
        debootstrap --variant=minbase --include="$packages" "$suite" "$building" 9>&- 2>&1 | tee "$log" | show_phases \
          || { tail -5 "$log" >&2; fail "debootstrap failed; the whole log is $log"; }
      else
        tail -5 "$log" >&2; fail "debootstrap failed; the whole log is $log"
      fi
    fi
    [ -x "$building$command" ] || fail "$suite came without $command; the whole log is $log"
    rm -rf "$building/var/cache/apt/archives" "$building/var/lib/apt/lists" "$building/usr/share/doc"
    chroot "$building" useradd --system --no-create-home --shell /usr/sbin/nologin server 9>&-
    mkdir -p "$building/instances"
    chmod 755 "$building" "$building/instances"
    mv "$building" "$servers/$name"
    trap - EXIT
    say "$servers/$name is ready after $((SECONDS - began)) s"
  )
}

# wait_for SECONDS PID LOG COMMAND…: until COMMAND succeeds; fails at once when PID dies.
wait_for() {
  local limit=$((SECONDS + $1)) pid="$2" log="$3"
  shift 3
  until "$@" > /dev/null 2>&1; do
    if ! kill -0 "$pid" 2> /dev/null; then
      grep -E 'ERROR|FATAL|Error' "$log" | tail -5 >&2 || tail -5 "$log" >&2
      fail "the server stopped while starting; its log is $log"
    fi
    [ "$SECONDS" -lt "$limit" ] || fail "the server does not answer; its log is $log"
    sleep 0.1
  done
}
