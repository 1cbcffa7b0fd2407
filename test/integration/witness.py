"""A witness (c2sp.org/tlog-witness) and a webhook for tests: python3 witness.py FOLDER; prints its URL.

Under any path it keeps the newest tree head it saw, checks by RFC 9162's consistency proof that the
next one extends it, and answers with a cosignature line (its key is made up: what is tested is that
rowtrail asks rightly and keeps the answer). /hook keeps the last body in FOLDER/hook.last.
"""
import base64
import hashlib
import http.server
import os
import sys

folder = sys.argv[1]
os.makedirs(folder, exist_ok=True)
seen = {}  # by path: size, root


def node(left, right):
    return hashlib.sha256(b"\1" + left + right).digest()


def extends(old_size, old_root, size, root, proof):
    if old_size == 0:
        return not proof
    if old_size == size:
        return not proof and old_root == root
    path = ([old_root] if old_size & (old_size - 1) == 0 else []) + proof
    if not path:
        return False
    fn, sn = old_size - 1, size - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    first = second = path[0]
    for hash in path[1:]:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            first, second = node(hash, first), node(hash, second)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            second = node(second, hash)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and first == old_root and second == root


class Handler(http.server.BaseHTTPRequestHandler):
    def answer(self, status, body=b"", kind="text/plain"):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/hook":
            open(os.path.join(folder, "hook.last"), "wb").write(body)
            return self.answer(204)
        head, note = body.split(b"\n\n", 1)
        lines = head.decode().split("\n")
        old = int(lines[0].removeprefix("old "))
        proof = [base64.b64decode(line) for line in lines[1:]]
        size, root = int(note.split(b"\n")[1]), base64.b64decode(note.split(b"\n")[2])
        known_size, known_root = seen.get(self.path, (0, b""))
        if old != known_size:
            return self.answer(409, str(known_size).encode() + b"\n", "text/x.tlog.size")
        if not extends(old, known_root, size, root, proof):
            return self.answer(422)
        seen[self.path] = size, root
        self.answer(200, "\u2014 witness AAAAAAAA\n".encode())

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(f"http://127.0.0.1:{server.server_port}", flush=True)
server.serve_forever()
