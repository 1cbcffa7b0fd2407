# Sourced by the benchmarks after test/integration/lib.sh.

# measured NAME COMMAND…: wall seconds, CPU seconds and peak KiB in $wall, $cpu and $peak.
measured() {
  local name="$1"
  shift
  python3 - "$work/$name.measure" "$@" > "$work/$name.out" 2> "$work/$name.log" << 'P' || { tail -n 5 "$work/$name.log"; return 1; }
import os, sys, time
begin = time.monotonic()
pid = os.posix_spawnp(sys.argv[2], sys.argv[2:], os.environ)
_, status, usage = os.wait4(pid, 0)
wall = time.monotonic() - begin
print(f"{wall:.2f} {usage.ru_utime + usage.ru_stime:.2f} {usage.ru_maxrss}", file=open(sys.argv[1], "w"))
sys.exit(os.waitstatus_to_exitcode(status))
P
  read -r wall cpu peak < "$work/$name.measure"
}
