"""An HTTP door to ClickHouse's engine, chdb. Usage: door.py FOLDER PORT KEY [before|after N]

Settings come by parameters and hold for the one statement. It can die at its Nth INSERT: with half the body read, or
with the block stored and nobody told."""
import os, sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qsl, urlsplit

from chdb.session import Session

FOLDER, PORT, KEY = sys.argv[1], int(sys.argv[2]), sys.argv[3]
DIES, AT = (sys.argv[4], int(sys.argv[5])) if len(sys.argv) > 4 else (None, 0)
OF_HTTP = {"query", "database", "default_format", "wait_end_of_query"}
engine, inserts = Session(FOLDER), 0


def answer(sql, asked, rows):
    settings = ", ".join(f"{name} = '{value}'" for name, value in asked.items() if name not in OF_HTTP)
    settings = settings and f"\nSETTINGS {settings}"
    if asked.get("database"):
        engine.query(f"USE {asked['database']}")
    if rows is None:
        return engine.query(sql + settings, asked.get("default_format", "TabSeparated")).bytes()
    body = f"{FOLDER}/body"
    with open(body, "wb") as file:
        file.write(rows)
    head, form = sql.rsplit(" FORMAT ", 1)
    engine.query(f"{head} FROM INFILE '{body}'{settings} FORMAT {form}")
    return b""


class Door(BaseHTTPRequestHandler):
    def do_POST(self):
        global inserts
        asked, length = dict(parse_qsl(urlsplit(self.path).query)), int(self.headers["Content-Length"])
        is_insert = "query" in asked
        inserts += is_insert
        if is_insert and DIES == "before" and inserts == AT:
            self.rfile.read(length // 2)
            os._exit(9)
        body = self.rfile.read(length)
        if self.headers["X-ClickHouse-Key"] != KEY or len(body) < length:
            return self.say(403, b"Code: 516. DB::Exception: Authentication failed")
        try:
            said = answer(asked["query"], asked, body) if is_insert else answer(body.decode(), asked, None)
        except Exception as error:
            return self.say(500, str(error).encode())
        if is_insert and DIES == "after" and inserts == AT:
            os._exit(9)
        self.say(200, said)

    def say(self, status, said):
        self.send_response(status)
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    log_message = lambda *_: None


HTTPServer(("127.0.0.1", PORT), Door).serve_forever()
