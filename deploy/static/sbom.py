#!/usr/bin/env python3
"""What a static binary holds: a CycloneDX SBOM and the licence texts.  usage: sbom.py LIBRARIES DIST"""
import hashlib
import json
import pathlib
import subprocess
import sys

# Debian package of each linked archive or header-only library; None: built by libraries.sh.
PACKAGES = {
    "libboost1.81-dev": "BSL-1.0", "libboost-url1.81-dev": "BSL-1.0", "libssl-dev": "Apache-2.0",
    "libpqxx-dev": "BSD-3-Clause", "libsqlite3-dev": "blessing", "rapidjson-dev": "MIT", "libfmt-dev": "MIT",
    "libspdlog-dev": "MIT", "libyaml-cpp-dev": "MIT", "libcli11-dev": "BSD-3-Clause", "libre2-dev": "BSD-3-Clause",
    "libzstd-dev": "BSD-3-Clause", "libdeflate-dev": "MIT", "zlib1g-dev": "Zlib",
    "libc6-dev": "LGPL-2.1-or-later", "libstdc++-12-dev": "GPL-3.0-or-later WITH GCC-exception-3.1",
}
SOURCES = {"postgresql-15": ("libpq", "PostgreSQL"), "mariadb": ("mariadb-connector-c", "LGPL-2.1-or-later")}


def component(name, version, licence, purl):
    return {"type": "library", "name": name, "version": version, "purl": purl,
            "licenses": [{"expression": licence}]}


def main():
    libraries, dist = map(pathlib.Path, sys.argv[1:])
    parts, texts = [], []
    for package, licence in PACKAGES.items():
        version = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", package], check=True,
                                 capture_output=True, text=True).stdout
        parts.append(component(package, version, licence, f"pkg:deb/debian/{package}@{version}"))
        texts.append((package, pathlib.Path("/usr/share/doc", package, "copyright").read_text(errors="replace")))
    for source, (name, licence) in SOURCES.items():
        version = (libraries / f"{source}.version").read_text().split()[-1]
        parts.append(component(name, version, licence, f"pkg:deb/debian/{source}@{version}?arch=source"))
        texts.append((name, (libraries / "src" / source / "debian/copyright").read_text(errors="replace")))
    lock = json.loads(pathlib.Path("web/package-lock.json").read_text())["packages"]
    for path, about in sorted(lock.items()):
        if path and not about.get("dev"):
            name = path.split("node_modules/")[-1]
            parts.append(component(name, about["version"], about.get("license", "MIT"), f"pkg:npm/{name}@{about['version']}"))
    digest = hashlib.sha256((dist / "rowtrail").read_bytes()).hexdigest()
    document = {"bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1,
                "metadata": {"component": {"type": "application", "name": "rowtrail",
                                           "hashes": [{"alg": "SHA-256", "content": digest}]}},
                "components": parts}
    (dist / "rowtrail.cdx.json").write_text(json.dumps(document, indent=2) + "\n")
    (dist / "LICENSES.txt").write_text("".join(
        f"{'=' * 78}\n{name}\n{'=' * 78}\n{text}\n" for name, text in texts))


if __name__ == "__main__":
    main()
