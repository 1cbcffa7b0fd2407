"""An independent verifier of a tlog-tiles log: python3 tlog_verify.py PREFIX TOKEN VKEY.

Rebuilds the tree from the leaves that the log serves, compares every tile and the root with what is
signed, and the signature (Ed25519, by the openssl program) with the key. Shares nothing with rowtrail
but the specifications: c2sp.org/tlog-tiles, c2sp.org/tlog-checkpoint, RFC 6962.
"""
import base64
import hashlib
import os
import subprocess
import sys
import tempfile
import urllib.request

prefix, token, vkey = sys.argv[1:4]


def get(path):
    request = urllib.request.Request(f"{prefix}/{path}", headers={"Authorization": f"Bearer {token}"})
    return urllib.request.urlopen(request, timeout=20).read()


def address(index, width):
    parts = [f"{index % 1000:03}"]
    while index >= 1000:
        index //= 1000
        parts.insert(0, f"x{index % 1000:03}")
    return "/".join(parts) + (f".p/{width}" if width < 256 else "")


def node(left, right):
    return hashlib.sha256(b"\1" + left + right).digest()


def mth(hashes):
    if not hashes:
        return hashlib.sha256(b"").digest()
    if len(hashes) == 1:
        return hashes[0]
    split = 1 << (len(hashes) - 1).bit_length() - 1
    return node(mth(hashes[:split]), mth(hashes[split:]))


def check_signature(note):
    name, key_id, key = vkey.split("+", 2)
    public = base64.b64decode(key)[1:]
    text, signatures = note.rsplit(b"\n\n", 1)
    for line in signatures.decode().splitlines():
        _, signer, value = line.split(" ")
        raw = base64.b64decode(value)
        if signer != name or raw[:4].hex() != key_id:
            continue
        with tempfile.TemporaryDirectory() as folder:
            files = {"key": bytes.fromhex("302a300506032b6570032100") + public, "text": text + b"\n", "sig": raw[4:]}
            for file, content in files.items():
                open(os.path.join(folder, file), "wb").write(content)
            command = "openssl pkeyutl -verify -pubin -keyform DER -inkey key -rawin -in text -sigfile sig".split()
            return subprocess.run(command, cwd=folder, capture_output=True).returncode == 0
    return False


note = get("checkpoint")
origin, size, root = note.decode().split("\n")[:3]
size = int(size)
assert check_signature(note), "the signature is not that of the key"
leaves = []
for bundle in range((size + 255) // 256):
    width = min(256, size - bundle * 256)
    data = get("tile/entries/" + address(bundle, width))
    for _ in range(width):
        length = int.from_bytes(data[:2], "big")
        entry, data = data[2:2 + length], data[2 + length:]
        assert entry[0] == 1 and int.from_bytes(entry[2:10], "big") == len(leaves), "not the leaf of its place"
        assert entry[26:58] == hashlib.sha256(origin.encode()).digest(), "the leaf of another log"
        leaves.append(hashlib.sha256(b"\0" + entry).digest())
    assert not data, "bytes behind a bundle"
assert base64.b64encode(mth(leaves)).decode() == root, "the leaves do not give the signed root"
level, hashes = 0, leaves
while hashes:
    for tile in range((len(hashes) + 255) // 256):
        part = hashes[tile * 256:tile * 256 + 256]
        assert get(f"tile/{level}/" + address(tile, len(part))) == b"".join(part), f"tile {level}/{tile} is wrong"
    hashes = [mth(hashes[i:i + 256]) for i in range(0, len(hashes) // 256 * 256, 256)]
    level += 1
print(f"{size} leaves of {origin} give the signed root, and all tiles are right")
