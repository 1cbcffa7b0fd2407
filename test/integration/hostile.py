"""Hostile clients on raw sockets against a running server: hostile.py PORT TOKEN PID. Prints a line for
each attack; exits 1 when one got something else than an RFC 9457 answer or a clean close, when the
server does not answer an honest client afterwards, or keeps descriptors or memory."""
import json
import os
import resource
import socket
import sys
import time

PORT, TOKEN, PID = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
failures = 0
# Longer than the server's longest wait for a request: a client that sees this is one that hangs.
PATIENCE = 90


class Hung(Exception):
    pass


def connect():
    return socket.create_connection(("127.0.0.1", PORT), timeout=PATIENCE)


def send(sock, data):
    """Sends what the server takes; one that closes meanwhile has answered or is right to."""
    try:
        sock.sendall(data)
    except (BrokenPipeError, ConnectionResetError):
        pass


def receive(sock):
    """Everything until the server closes."""
    got = b""
    try:
        while piece := sock.recv(65536):
            got += piece
    except ConnectionResetError:
        pass
    except TimeoutError as timeout:
        raise Hung(f"nothing for {PATIENCE} s after {got[:200]!r}") from timeout
    return got


def one_answer(sock):
    """One framed answer, for connections that stay open: (status, body)."""
    got = b""
    while b"\r\n\r\n" not in got:
        piece = sock.recv(65536)
        if not piece:
            return None, got
        got += piece
    head, _, body = got.partition(b"\r\n\r\n")
    length = [int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
    while length and len(body) < length[0]:
        piece = sock.recv(65536)
        if not piece:
            break
        body += piece
    return int(head.split()[1]), body


def split_answers(raw):
    """(status, headers, body) of each answer in what a connection said."""
    answers = []
    while raw:
        head, gap, rest = raw.partition(b"\r\n\r\n")
        assert gap and head.startswith((b"HTTP/1.1 ", b"HTTP/1.0 ")), f"not an answer: {raw[:200]!r}"
        lines = head.split(b"\r\n")
        headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(b":") for line in lines[1:])}
        length = int(headers.get(b"content-length", b"0"))
        answers.append((int(lines[0].split()[1]), headers, rest[:length]))
        assert len(rest) >= length, "an answer was cut"
        raw = rest[length:]
    return answers


def check_problem(status, headers, body):
    assert headers.get(b"content-type") == b"application/problem+json", f"{status} without a problem: {headers} {body[:200]!r}"
    problem = json.loads(body)
    assert problem["status"] == status and problem["type"].startswith("/problems/") and problem["title"], problem
    assert b"/tmp" not in body and b".cpp" not in body, f"tells of the inside: {body!r}"


def attack(name, data, expect, finish=True, answers=1):
    """Sends `data`; every status must be in `expect` (empty: silence is right), errors are problems, and
    there are at most `answers` of them: a smuggled second request would be one more."""
    global failures
    if 401 in expect:
        expect = expect | {429}  # wrong tokens of one address are counted
    try:
        with connect() as sock:
            send(sock, data)
            if finish:
                try:
                    sock.shutdown(socket.SHUT_WR)
                except OSError:
                    pass
            got = split_answers(receive(sock))
        assert len(got) <= answers, f"{len(got)} answers: {[a[0] for a in got]}"
        assert got or 0 in expect, "closed without an answer"
        for status, headers, body in got:
            assert status in expect, f"status {status}, expected {sorted(expect)}: {body[:300]!r}"
            if status >= 400:
                check_problem(status, headers, body)
        print(f"  ok    {name}: {[a[0] for a in got] or 'closed'}")
    except (AssertionError, Hung, ValueError) as wrong:
        failures += 1
        print(f"  FAIL  {name}: {wrong}", file=sys.stderr)


def request(target, method="GET", headers="", body=b"", token=TOKEN, host="localhost"):
    text = f"{method} ".encode() + (target if isinstance(target, bytes) else target.encode()) + b" HTTP/1.1\r\n"
    text += f"Host: {host}\r\n".encode()
    if token:
        text += f"Authorization: Bearer {token}\r\n".encode()
    return text + headers.encode("latin-1") + b"\r\n" + body


def closing(target, method="GET", headers="", **more):
    return request(target, method, headers + "Connection: close\r\n", **more)


def honest():
    """An honest client is served as ever."""
    with connect() as sock:
        sock.settimeout(PATIENCE)
        sock.sendall(closing("/v1/events?limit=1"))
        got = split_answers(receive(sock))
    assert len(got) == 1 and got[0][0] == 200 and json.loads(got[0][2])["events"], f"an honest client gets {got}"


def descriptors():
    return len(os.listdir(f"/proc/{PID}/fd"))


def rss_kib():
    with open(f"/proc/{PID}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))


def settled_descriptors(wanted):
    """The server sees the end of a connection a little after we do."""
    for _ in range(600):
        now = descriptors()
        if now <= wanted:
            return now
        time.sleep(0.1)
    return now


def smuggling():
    hidden = b"0\r\n\r\n" + request("/v1/events")
    for headers in ["Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
                    "Content-Length: 5\r\nContent-Length: 60\r\n", "Content-Length: 5\r\nContent-Length: 5\r\n",
                    "Content-Length: 5, 60\r\n", "Content-Length: +5\r\n", "Content-Length: 5 \x0b\r\n",
                    "Content-Length: 18446744073709551621\r\n", "Content-Length: -1\r\n", "Content-Length : 5\r\n",
                    "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", "Transfer-Encoding: xchunked\r\n",
                    "Transfer-Encoding: chunked, gzip\r\n", "Transfer-Encoding: \x0bchunked\r\n", "Transfer-Encoding:\r\n chunked\r\n",
                    "Transfer-Encoding:\r\n\tchunked\r\nContent-Length: 5\r\n", "X: a\r\n Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
                    "X: a\rTransfer-Encoding: chunked\r\n", "X: a\nTransfer-Encoding: chunked\r\n", " Transfer-Encoding: chunked\r\n",
                    "Transfer\x00-Encoding: chunked\r\n"]:
        attack(f"smuggling {headers!r}", request("/mcp", "POST", "Content-Type: application/json\r\n" + headers, hidden), {400, 413, 501})
    attack("a chunk with a sign", request("/mcp", "POST", "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n", b"+5\r\nhello\r\n0\r\n\r\n" + hidden), {400})
    attack("a chunk longer than 64 bits", request("/mcp", "POST", "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n", b"f" * 40 + b"\r\nhello\r\n0\r\n\r\n"), {400, 413})
    attack("HTTP/1.0 with a transfer coding", b"POST /mcp HTTP/1.0\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n" + hidden, {400, 401})
    attack("an absolute target beside another Host", closing("http://localhost/v1/events?limit=1", host="evil.example"), {200})
    attack("the other way round", closing("http://evil.example/v1/events", host="localhost"), {421})


def sizes():
    attack("a header of 20 kB", closing("/livez", headers="X: " + "a" * 20000 + "\r\n"), {431})
    attack("3000 headers", closing("/livez", headers="A: b\r\n" * 3000), {431})
    attack("200 short headers", closing("/livez", headers="A: b\r\n" * 200), {431})
    attack("a megabyte of headers", closing("/livez", headers=("A" * 100 + ": " + "b" * 900 + "\r\n") * 1000), {431})
    attack("a query of 100 kB", closing("/v1/events?q=" + "x" * 100_000), {431})
    attack("a query of 15 kB", closing("/v1/events?q=" + "x" * 15_000), {200, 400})
    attack("500 parameters", closing("/v1/events?" + "a=b&" * 500), {400})
    attack("a path of 15 kB", closing("/v1/" + "a/" * 7000), {400, 404})
    attack("a body that says 2 GB", closing("/mcp", "POST", "Content-Type: application/json\r\nContent-Length: 2000000000\r\n"), {413})
    attack("a body of 2 MB in chunks", closing("/mcp", "POST", "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n", body=b"1e8480\r\n" + b"x" * 2_000_000 + b"\r\n0\r\n\r\n"), {413})
    attack("a body for a path that takes none", closing("/v1/events", "GET", "Content-Length: 100000\r\n", body=b"x" * 100_000), {200, 400})
    attack("no token and a body of 1 MB", closing("/mcp", "POST", "Content-Length: 1000000\r\n", body=b"x" * 1_000_000, token=""), {401})
    attack("a token of 10 kB", closing("/v1/events", token="x" * 10_000), {401})
    attack("a cookie of 10 kB", closing("/v1/events", headers="Cookie: rowtrail_session=" + "x" * 10_000 + "\r\n", token=""), {401})
    attack("a cursor of 10 kB", closing("/v1/events?cursor=" + "A" * 10_000), {400})


def targets():
    for path in ["/../../../../etc/passwd", "/%2e%2e/%2e%2e/%2e%2e/etc/passwd", "/..%2f..%2f..%2fetc/passwd", "/%252e%252e/etc/passwd",
                 "/assets/../../../etc/passwd", "/assets/..%5c..%5cetc", "/log/tile/../../../etc/passwd", "/log/tile/0/../../x", "//etc/passwd",
                 "/log/tile/entries/%2e%2e/%2e%2e/000", "/problems/../../etc/passwd", "/v1/../v1/../../etc/passwd", "/.git/config",
                 "/v1/objects/..%2f../etc", "/v1/rows/..%2f/..%2f/..%2f", "/file:///etc/passwd"]:
        attack(f"traversal {path}", closing(path), {400, 404, 0} | ({200} if path.startswith(("/v1/objects", "/v1/rows")) else set()))
    for path in ["/%", "/%zz", "/%1", "/v1/events?q=%", "/v1/events?q=%zz", "/v1/events?%=1", "/v1/events/%00", "/v1/events?q=%00", "/v1/objects/a/%ff",
                 "/v1/events?q=%c0%af", "/v1/events?q=%ed%a0%80", "/v1/events?q=%0d%0aX:%20y", "/v1/objects/%00/%00", "/v1/objects/a/~%00", "/v1/objects/a/~AAAA"]:
        attack(f"escape {path}", closing(path), {400})
    attack("a NUL in the target", closing(b"/v1/events\x00?limit=1"), {400})
    attack("a NUL in a header", closing("/livez", headers="X: a\x00b\r\n"), {200, 400})
    attack("a NUL in the method", b"G\x00T / HTTP/1.1\r\nHost: localhost\r\n\r\n", {400})
    attack("raw UTF-8 in the target", closing("/v1/events?q=\u20ac"), {400})
    attack("a target of spaces", b"GET   HTTP/1.1\r\nHost: localhost\r\n\r\n", {400})
    attack("a fragment", closing("/v1/events#x"), {400, 404})
    for method in ["CONNECT", "TRACE", "PUT", "DELETE", "PATCH", "PROPFIND", "X" * 500]:
        attack(f"method {method[:12]}", closing("/v1/events", method), {400, 405, 501})
    attack("numbers beyond 64 bits", closing("/v1/events/99999999999999999999999999"), {400, 404})
    attack("numbers at the edge", closing("/v1/events?after=18446744073709551615&limit=1"), {200, 400})
    attack("SQL in a filter", closing("/v1/events?actor=%27%3B%20DROP%20TABLE%20event%3B--&limit=1"), {200})
    attack("a LIKE pattern in a search", closing("/v1/events?q=%25_%25%5C&limit=1"), {200})


def names():
    for host in ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "[::1].evil", "[::1", "localhost:80@evil.example", "localhost@evil.example", "", "evil.example:8765", "\x7f"]:
        attack(f"Host {host!r}", closing("/v1/events", host=host), {400, 421})
    attack("two Hosts", closing("/v1/events", headers="Host: localhost\r\n"), {400})
    attack("no Host", b"GET /v1/events HTTP/1.1\r\n\r\n", {400})
    for origin in ["http://evil.example", "null", "http://localhost.evil.example", "file://", "http://", "http://localhost\r\nOrigin: http://evil.example"]:
        attack(f"Origin {origin!r}", closing("/mcp", "POST", f"Origin: {origin}\r\nContent-Type: application/json\r\nContent-Length: 2\r\n", body=b"{}"), {403})
    for header in ["Authorization: Basic eDp5\r\n", "Authorization: Bearer\r\n", "Authorization: Bearer a\r\nAuthorization: Bearer b\r\n", "Authorization: bearer  \r\n"]:
        attack(f"{header!r}", closing("/v1/events", headers=header, token=""), {401})
    for number in range(200):
        attack_quietly(closing("/v1/events", token=f"rt_guess{number}"), {401, 429})


def attack_quietly(data, expect):
    global failures
    with connect() as sock:
        send(sock, data)
        got = split_answers(receive(sock))
    if [a[0] in expect for a in got] != [True]:
        failures += 1
        print(f"  FAIL  {data[:80]!r}: {got}", file=sys.stderr)


def bodies():
    deep = {"arrays": b"[" * 500_000, "closed arrays": b"[" * 300_000 + b"]" * 300_000, "objects": b'{"a":' * 150_000, "quotes": b'"' + b"\\" * 900_001,
            "a number": b"9" * 900_000, "a batch": b"[" + b"{}," * 300_000 + b"{}]", "no UTF-8": b'{"jsonrpc":"2.0","id":1,"method":"\xff\xfe"}', "NULs": b"\0" * 1000,
            "a deep parameter": b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"rowtrail_search_events","arguments":' + b'{"a":' * 100_000 + b"1" + b"}" * 100_000 + b"}}",
            "a deep id": b'{"jsonrpc":"2.0","id":' + b"[" * 100_000 + b"]" * 100_000 + b',"method":"ping"}', "nothing": b""}
    for path in ["/mcp", "/login", "/logout", "/v1/ask"]:
        for name, body in deep.items():
            data = closing(path, "POST", f"Content-Type: application/json\r\nAccept: application/json, text/event-stream\r\nContent-Length: {len(body)}\r\n", body=body)
            mcp = path == "/mcp"
            if not mcp:
                attack(f"{path}: {name}", data, {200, 202, 204, 400, 404, 405})
                continue
            mcp_attack(name, data)


def mcp_attack(name, data):
    """MCP answers errors as JSON-RPC."""
    global failures
    try:
        with connect() as sock:
            send(sock, data)
            got = split_answers(receive(sock))
        assert len(got) == 1 and got[0][0] in (200, 202, 400), got
        if got[0][2]:
            answer = json.loads(got[0][2])
            assert got[0][1][b"content-type"] == b"application/json", got[0][1]
            assert got[0][0] == 200 or "error" in answer or "status" in answer, answer
        print(f"  ok    /mcp: {name}: {got[0][0]} {got[0][2][:80].decode()}")
    except (AssertionError, Hung, ValueError) as wrong:
        failures += 1
        print(f"  FAIL  /mcp: {name}: {wrong}", file=sys.stderr)


def pipelining():
    global failures
    with connect() as sock:
        send(sock, b"".join(request("/livez") for _ in range(499)) + closing("/livez"))
        count = len(split_answers(receive(sock)))
    print(f"  {'ok  ' if count == 500 else 'FAIL'}  500 pipelined requests: {count} answers")
    failures += count != 500
    attack("a good request, then rubbish", request("/livez") + b"\x00\xff rubbish\r\n\r\n", {200, 400}, answers=2)
    attack("a request behind one that closes", closing("/livez") + request("/v1/events"), {200})


def half_closed():
    attack("half-closed at once", b"", {0})
    attack("half-closed within the request line", b"GET /v1/ev", {0})
    attack("half-closed within the headers", b"GET /v1/events HTTP/1.1\r\nHost: loc", {0})
    attack("half-closed within the body", request("/mcp", "POST", "Content-Type: application/json\r\nContent-Length: 100\r\n", b"half"), {0, 400})
    attack("half-closed behind a whole request", request("/v1/events?limit=1"), {200})
    attack("TLS", bytes.fromhex("16030102000100 01fc0303".replace(" ", "")) + os.urandom(500), {0, 400})
    attack("HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", {0, 400})
    for _ in range(200):  # reset instead of a close
        sock = connect()
        send(sock, request("/v1/events?limit=1000"))
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        sock.close()
    print("  ok    200 resets in the middle of an answer")


def slow():
    """Clients that say nothing, or a byte now and then, are let go; nobody else waits meanwhile."""
    global failures
    silent = [connect() for _ in range(300)]
    dripping = [connect() for _ in range(100)]
    whole = request("/mcp", "POST", "Content-Type: application/json\r\nContent-Length: 400\r\n")
    bodies_ = [connect() for _ in range(50)]
    for sock in bodies_:
        send(sock, whole)
    everyone = silent + dripping + bodies_
    open_ = set(everyone)
    started = time.monotonic()
    position = 0
    while open_ and time.monotonic() - started < PATIENCE:
        honest()
        for sock in list(open_):
            try:
                if sock in dripping:
                    sock.send(whole[position % 60:position % 60 + 1])
                elif sock in bodies_:
                    sock.send(b"x")
                sock.setblocking(False)
                while piece := sock.recv(4096):
                    assert piece.startswith(b"HTTP/1.1 4"), piece
                open_.discard(sock)
            except BlockingIOError:
                pass
            except OSError:
                open_.discard(sock)
        position += 1
        time.sleep(0.5)
    for sock in everyone:
        sock.close()
    print(f"  {'FAIL' if open_ else 'ok  '}  450 slow clients were let go while others were served")
    failures += bool(open_)


def crowd(number=10_000):
    """More connections than there may be: bounded, refused with an answer or a close, and over when they go."""
    global failures
    most_files = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(number + 200, most_files), most_files))
    socks, most = [], 0
    for i in range(number):
        sock = socket.socket()
        sock.setblocking(False)
        # An address has 28,000 ports, and the server a cap for each: several of loopback's.
        sock.bind((f"127.0.0.{2 + i % 4}", 0))
        try:
            sock.connect(("127.0.0.1", PORT))
        except OSError:
            pass
        socks.append(sock)
        if i % 500 == 0:
            most = max(most, descriptors())
            time.sleep(0.02)
    most = max(most, descriptors())
    for sock in socks:
        sock.close()
    after = settled_descriptors(base_descriptors + 5)
    honest()
    good = most <= 4096 + 64 + 128 and after <= base_descriptors + 5
    print(f"  {'ok  ' if good else 'FAIL'}  {number} connections: at most {most} descriptors in the server, {after} afterwards (before: {base_descriptors})")
    failures += not good


if __name__ == "__main__":
    honest()
    base_descriptors = descriptors()
    rounds = [smuggling, sizes, targets, names, bodies, pipelining, half_closed]
    for step in rounds:  # warms what is allocated once
        step()
        honest()
    warm = rss_kib()
    sys.stdout, loud = open(os.devnull, "w", encoding="utf-8"), sys.stdout
    for _ in range(int(os.environ.get("HOSTILE_ROUNDS", "3"))):
        for step in rounds:
            step()
    sys.stdout = loud
    honest()
    settled = settled_descriptors(base_descriptors + 5)
    now = rss_kib()
    flat = now <= warm * 1.15 + 4096
    print(f"  {'ok  ' if flat else 'FAIL'}  memory over more rounds of all that: {warm} → {now} KiB")
    failures += not flat
    slow()
    crowd()
    end = settled_descriptors(base_descriptors + 5)
    flat = rss_kib() <= warm * 1.5 + 16384
    print(f"  {'ok  ' if flat and end <= base_descriptors + 5 else 'FAIL'}  at the end {end} descriptors (before: {base_descriptors}), {rss_kib()} KiB")
    failures += not (flat and end <= base_descriptors + 5)
    sys.exit(1 if failures else 0)
