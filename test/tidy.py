#!/usr/bin/env python3
"""clang-tidy over every source file, findings are errors.  usage: test/tidy.py BUILD [PATH_PREFIX]

A file found clean is not looked at again until it, a header of ours that it includes, its flags or
.clang-tidy change; what was clean is remembered in ~/.cache/rowtrail/tidy.
"""
import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
TIDY = "clang-tidy-14"
CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache")) / "rowtrail/tidy"
INCLUDE = re.compile(rb'^\s*#\s*include\s*"([^"]+)"', re.M)


def closure(path, seen):
    """The file and the headers of ours that it reaches."""
    if path in seen or not path.is_file():
        return seen
    seen.add(path)
    for name in INCLUDE.findall(path.read_bytes()):
        for base in (ROOT, path.parent, ROOT / "test"):
            closure((base / name.decode()).resolve(), seen)
    return seen


def key_of(entry, common):
    digest = hashlib.sha256(common + entry["command"].replace(str(ROOT), "").encode())
    for path in sorted(closure(pathlib.Path(entry["file"]), set())):
        digest.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def look(entry, key, build):
    run = subprocess.run(
        [TIDY, "-quiet", "-p", build, "-extra-arg=-Wno-unknown-warning-option", entry["file"]],
        cwd=ROOT, capture_output=True, text=True)
    if run.returncode == 0:
        (CACHE / key).touch()
        return ""
    return run.stdout or run.stderr


def main():
    build, prefix = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else ""
    CACHE.mkdir(parents=True, exist_ok=True)
    common = subprocess.run([TIDY, "--version"], capture_output=True).stdout
    common += b"".join(path.read_bytes() for path in (ROOT / ".clang-tidy", ROOT / "test/.clang-tidy"))
    entries = json.loads((ROOT / build / "compile_commands.json").read_text())
    ours = [e for e in entries
            if str(pathlib.Path(e["file"]).relative_to(ROOT)).startswith(prefix)
            and not e["file"].startswith(str(ROOT / "build"))]
    open_ = [(e, key) for e in ours if not (CACHE / (key := key_of(e, common))).exists()]
    findings = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        work = {pool.submit(look, e, key, build): e["file"] for e, key in open_}
        for done, future in enumerate(concurrent.futures.as_completed(work), 1):
            name = os.path.relpath(work[future], ROOT)
            print(f"[{done}/{len(open_)}] {name}", flush=True)
            if future.result():
                findings += 1
                print(future.result(), flush=True)
    print(f"clang-tidy: {len(ours)} files, {len(ours) - len(open_)} clean since before, "
          f"{findings or 'none'} with findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
