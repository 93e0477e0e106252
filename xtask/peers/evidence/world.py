"""Whatever a capture and a report meet, on loopback: a phishing page over HTTP and HTTPS, RDAP, a resolver over HTTPS that
asks the program's own name server, a time-stamping authority (`openssl ts`), and a mail server that keeps what it gets.

Usage: world.py FOLDER DNS_PORT. Prints its ports as one line of JSON once all of it listens."""

import http.server
import json
import pathlib
import socket
import ssl
import subprocess
import sys
import threading

from aiosmtpd.controller import Controller

FOLDER = pathlib.Path(sys.argv[1])
DNS_PORT = int(sys.argv[2])
NAME = "login-harbour.test"
# One after the other: they share two files and the serial number.
STAMPING = threading.Lock()
PAGE = b"""<!doctype html><title>Harbour sign-in</title><body style="background:#036;color:#fff;font:40px sans-serif">
<h1>Harbour</h1><form action=/in method=post><input name=user><input name=pin type=password><button>Sign in</button></form>
<script>document.body.append('drawn by script');</script>"""
RDAP = {
    "objectClassName": "domain",
    "ldhName": NAME,
    "entities": [{
        "objectClassName": "entity",
        "roles": ["registrar"],
        "vcardArray": ["vcard", [["version", {}, "text", "4.0"], ["fn", {}, "text", "Quay Registrar"]]],
        "entities": [{
            "objectClassName": "entity",
            "roles": ["abuse"],
            "vcardArray": ["vcard", [["version", {}, "text", "4.0"], ["email", {}, "text", "abuse@quay.example"]]],
        }],
    }],
}


def stamp(query):
    ask, reply = FOLDER / "ask.tsq", FOLDER / "reply.tsr"
    words = ["openssl", "ts", "-reply", "-config", "tsa.cnf", "-queryfile", str(ask), "-out", str(reply)]
    with STAMPING:
        ask.write_bytes(query)
        subprocess.run(words, cwd=FOLDER, check=True, capture_output=True)
        return reply.read_bytes()


def resolve(query):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
        asker.settimeout(20)
        asker.sendto(query, ("127.0.0.1", DNS_PORT))
        return asker.recv(4096)


class Site(http.server.BaseHTTPRequestHandler):
    def answer(self, body, kind, status=200, **more):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in more.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        with (FOLDER / "asked.log").open("a") as log:
            log.write(f"{self.headers.get('Host')} {self.path}\n")
        if self.path.startswith("/rdap/domain/"):
            self.answer(json.dumps(RDAP).encode(), "application/rdap+json")
        elif self.path == "/hop":
            self.answer(b"", "text/plain", 302, Location="/landing")
        elif self.path == "/big":
            self.answer(b"x" * (2 << 20), "text/plain")
        else:
            self.answer(PAGE, "text/html; charset=utf-8", **{"X-Kit": "<b>harbour</b>"})

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/tsa":
            self.answer(stamp(body), "application/timestamp-reply")
        else:
            self.answer(resolve(body), "application/dns-message")

    def log_message(self, *_):
        pass


class Keep:
    def __init__(self):
        self.count = 0

    async def handle_DATA(self, server, session, envelope):
        self.count += 1
        (FOLDER / f"mail-{self.count}.eml").write_bytes(envelope.original_content)
        (FOLDER / f"mail-{self.count}.json").write_text(json.dumps([envelope.mail_from, envelope.rcpt_tos]))
        return f"250 kept as {self.count}"


def serve(context=None):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Site)
    if context:
        # Each connection shakes hands in its own thread: one that says nothing keeps nobody else out.
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_address[1]


def free():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


(FOLDER / "page.html").write_bytes(PAGE)
tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
tls.load_cert_chain(FOLDER / "site.pem", FOLDER / "site.key")
smtp = free()
Controller(Keep(), hostname="127.0.0.1", port=smtp, ready_timeout=60).start()
print(json.dumps({"http": serve(), "https": serve(tls), "smtp": smtp, "closed": free()}), flush=True)
threading.Event().wait()
