"""python-mysql-replication: prints every row as JSON (print) or only counts them (count), until the table named
STOP gets a row.   peer.py print|count PORT FILE STOP"""
import base64
import datetime
import decimal
import json
import os
import sys

from pymysqlreplication import BinLogStreamReader
from pymysqlreplication.row_event import DeleteRowsEvent, UpdateRowsEvent, WriteRowsEvent

mode, port, file, stop = sys.argv[1:]


def plain(value):
    if isinstance(value, (bytes, bytearray)):
        return base64.b64encode(value).decode()
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    if isinstance(value, datetime.timedelta):
        micros = value // datetime.timedelta(microseconds=1)
        seconds, part = divmod(abs(micros), 1000000)
        return f"{'-' if micros < 0 else ''}{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{part:06}"
    if isinstance(value, dict):
        return {plain(k) if not isinstance(k, bytes) else k.decode(): plain(v) for k, v in value.items()}
    return value if isinstance(value, (int, float, str, list, type(None))) else str(value)


stream = BinLogStreamReader(
    connection_settings={"host": "127.0.0.1", "port": int(port), "user": "root", "passwd": os.environ["PEER_PASSWORD"]},
    server_id=9101, blocking=True, resume_stream=True, log_file=file, log_pos=4,
    only_events=[WriteRowsEvent, UpdateRowsEvent, DeleteRowsEvent])
rows = 0
for event in stream:
    for row in event.rows:
        rows += 1
        if mode == "print":
            new = row.get("after_values", row.get("values"))
            print(json.dumps({"t": event.table, "op": type(event).__name__, "new": {k: plain(v) for k, v in new.items()}}))
    if event.table == stop:
        break
print(f"rows {rows}")
os._exit(0)
