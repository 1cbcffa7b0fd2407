#!/usr/bin/env bash
# dist/rowtrail.cdx.json against the JSON schema of CycloneDX 1.5, with the validator of PyPI's
# cyclonedx-python-lib in an environment of its own under build/.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
[ -f dist/rowtrail.cdx.json ] || { echo "build first: make static"; exit 1; }
venv=build/sbom-venv
[ -x "$venv/bin/python" ] || python3 -m venv "$venv"
"$venv/bin/pip" install -q --disable-pip-version-check 'cyclonedx-python-lib[json-validation]==11.*'
"$venv/bin/python" - << 'P'
import json, sys
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
text = open("dist/rowtrail.cdx.json").read()
error = JsonStrictValidator(SchemaVersion.V1_5).validate_str(text)
print(f"  FAIL  {error}" if error else f"  ok    {len(json.loads(text)['components'])} components, valid CycloneDX 1.5")
sys.exit(bool(error))
P
