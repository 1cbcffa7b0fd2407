#!/usr/bin/env python3
"""What the static binary holds: dist/rowtrail.cdx.json (CycloneDX 1.5) and the licence texts, dist/LICENSES.txt.

usage: sbom.py BUILD LIBRARIES DIST

Nothing is listed by hand but licences: the packages are those whose headers the compiler read and whose archives
the linker was given, as ninja recorded them; the npm packages those of the dashboard's lockfile. A package
without a licence in the table below is an error.
"""
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys
import uuid

GCC = "GPL-3.0-or-later WITH GCC-exception-3.1"
LICENCES = {
    "libboost1.81-dev": "BSL-1.0", "libboost-url1.81-dev": "BSL-1.0", "libssl-dev": "Apache-2.0",
    "libpqxx-dev": "BSD-3-Clause", "libsqlite3-dev": "blessing", "rapidjson-dev": "MIT", "libfmt-dev": "MIT",
    "libspdlog-dev": "MIT", "libyaml-cpp-dev": "MIT", "libcli11-dev": "BSD-3-Clause", "libre2-dev": "BSD-3-Clause",
    "libzstd-dev": "BSD-3-Clause", "libdeflate-dev": "MIT", "zlib1g-dev": "Zlib", "libc6-dev": "LGPL-2.1-or-later",
    "libstdc++-12-dev": GCC, "libgcc-12-dev": GCC, "linux-libc-dev": "GPL-2.0-only WITH Linux-syscall-note",
    "libmariadb-dev": "LGPL-2.1-or-later", "libpq-dev": "PostgreSQL",
}
# Built by libraries.sh from Debian's source packages, with the file that holds the licence.
SOURCES = {
    "postgresql-15": ("libpq", "PostgreSQL", "COPYRIGHT", ["libpq.a", "libpgcommon_shlib.a", "libpgport_shlib.a"]),
    "mariadb": ("mariadb-connector-c", "LGPL-2.1-or-later", "libmariadb/COPYING.LIB", ["libmariadbclient.a"]),
    "fmtlib": ("fmt", "MIT", "LICENSE.rst", ["libfmt.a"]),
    "spdlog": ("spdlog", "MIT", "LICENSE", ["libspdlog.a"]),
}


def output(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def files_used(build):
    """Headers and archives below /usr that went into the binary, and the archives that libraries.sh built."""
    link = output("ninja", "-C", build, "-t", "commands", "rowtrail").splitlines()[-1].split()
    archives = [word for word in link if word.endswith(".a") and word.startswith("/")]
    headers = set(re.findall(r"^ +(/usr/\S+)$", output("ninja", "-C", build, "-t", "deps"), re.M))
    # What g++ -static adds by itself.
    runtime = [output("g++", f"-print-file-name={name}").strip()
               for name in ("libstdc++.a", "libc.a", "libm.a", "libgcc.a", "libgcc_eh.a")]
    return headers | {a for a in archives if a.startswith("/usr/")}, runtime, \
        {os.path.basename(a) for a in archives if not a.startswith("/usr/")}


def packages_of(files):
    found = set()
    files = sorted({os.path.normpath(f) for f in files})
    for start in range(0, len(files), 500):
        for line in output("dpkg", "-S", *files[start:start + 500]).splitlines():
            found.update(name.split(":")[0].strip() for name in line.rsplit(": ", 1)[0].split(", "))
    return found


def component(name, version, licence, purl):
    return {"type": "library", "bom-ref": purl, "name": name, "version": version,
            "licenses": [{"expression": licence}], "purl": purl}


def debian_part(package):
    if package not in LICENCES:
        sys.exit(f"sbom.py: {package} went into the binary, but its licence is not in the table of this script")
    version = output("dpkg-query", "-W", "-f", "${Version}", package)
    copyright_file = pathlib.Path("/usr/share/doc", package, "copyright")
    return (component(package, version, LICENCES[package], f"pkg:deb/debian/{package}@{version.replace('+', '%2B')}"),
            copyright_file.read_text(errors="replace"))


def source_parts(libraries, archives):
    known = {archive: source for source, row in SOURCES.items() for archive in row[3]}
    for archive in archives - known.keys():
        sys.exit(f"sbom.py: {archive} went into the binary, but its source is not in the table of this script")
    for source in sorted({known[archive] for archive in archives}):
        name, licence, text, _ = SOURCES[source]
        version = (libraries / f"{source}.version").read_text().split()[-1]
        purl = f"pkg:deb/debian/{source}@{version.replace('+', '%2B')}?arch=source"
        yield component(name, version, licence, purl), (libraries / "src" / source / text).read_text(errors="replace")


def dashboard_parts(web):
    for path, about in sorted(json.loads((web / "package-lock.json").read_text())["packages"].items()):
        if not path or about.get("dev"):
            continue
        name = path.split("node_modules/")[-1]
        purl = f"pkg:npm/{name.replace('@', '%40')}@{about['version']}"
        text = next((web / path).glob("LICENSE*")).read_text(errors="replace")
        yield component(name, about["version"], about["license"], purl), text


def main():
    build, libraries, dist = map(pathlib.Path, sys.argv[1:])
    files, runtime, archives = files_used(build)
    parts = [debian_part(package) for package in sorted(packages_of(files) | packages_of(runtime))]
    parts += source_parts(libraries, archives)
    parts += dashboard_parts(pathlib.Path("web"))
    digest = hashlib.sha256((dist / "rowtrail").read_bytes()).hexdigest()
    version = re.search(r"project\(rowtrail VERSION (\S+)", pathlib.Path("CMakeLists.txt").read_text())[1]
    product = f"pkg:generic/rowtrail@{version}"
    document = {
        "$schema": "http://cyclonedx.org/schema/bom-1.5.schema.json", "bomFormat": "CycloneDX", "specVersion": "1.5",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, digest)}", "version": 1,
        "metadata": {"component": {"type": "application", "bom-ref": product, "name": "rowtrail", "version": version,
                                   "licenses": [{"expression": "Apache-2.0"}], "purl": product,
                                   "hashes": [{"alg": "SHA-256", "content": digest}]}},
        "components": [part for part, _ in parts],
        "dependencies": [{"ref": product, "dependsOn": [part["bom-ref"] for part, _ in parts]}],
    }
    (dist / "rowtrail.cdx.json").write_text(json.dumps(document, indent=2) + "\n")
    rule = "=" * 78
    head = f"rowtrail {version} is licensed under Apache-2.0 (LICENSE). The binary also holds:\n\n"
    listed = "".join(f"  {p['name']} {p['version']}  {p['licenses'][0]['expression']}\n" for p, _ in parts)
    names = {}  # packages of one source have one text
    for part, text in parts:
        names.setdefault(text, []).append(f"{part['name']} {part['version']}")
    (dist / "LICENSES.txt").write_text(head + listed + "".join(
        f"\n{rule}\n{', '.join(of)}\n{rule}\n{text}" for text, of in names.items()))
    print(f"{dist}/rowtrail.cdx.json: {len(parts)} components")


if __name__ == "__main__":
    main()
