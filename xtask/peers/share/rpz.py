#!/usr/bin/env python3
"""rpz.py ZONE: does Unbound load the policy zone, block what is to be blocked, and let through and log what is ours?

Needs: unbound, python3. No network: Unbound runs on loopback, and whatever it asks goes to a server of this script
that answers 192.0.2.1 to everything.
"""

import pathlib
import random
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time

from checks import check, finish
from wire import ask, dns_answer

REAL = "192.0.2.1"
NXDOMAIN = 3


def free_port():
    """Below those that the kernel gives to whoever asks something, so that nobody takes it before Unbound does."""
    for port in random.sample(range(12_000, 16_000), 100):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            try:
                sock.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    sys.exit("no port is free")


def world():
    """The tiny server that stands for the rest of the world; its port."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("127.0.0.1", 0))

    def serve():
        while True:
            query, peer = sock.recvfrom(4096)
            sock.sendto(dns_answer(query, REAL), peer)

    threading.Thread(target=serve, daemon=True).start()
    return sock.getsockname()[1]


def configuration(folder, zone, port):
    text = (pathlib.Path(__file__).parent / "unbound.conf").read_text()
    values = {"@FOLDER@": folder, "@ZONE@": str(pathlib.Path(zone).resolve()), "@WORLD@": str(world()), "@PORT@": str(port)}
    # `interface: address@port` is Unbound's own syntax: only the marks are replaced.
    for mark, value in values.items():
        text = text.replace(mark, value)
    path = pathlib.Path(folder) / "unbound.conf"
    path.write_text(text)
    return str(path)


def wait_until_it_answers(server):
    for _ in range(600):
        try:
            if ask(server, "ready.example", timeout=1)[0] == 0:
                return True
        except (TimeoutError, ConnectionRefusedError):
            pass
        time.sleep(0.1)
    return False


def blocked(server, names):
    for name in names:
        for asked in [name, f"a.b.{name}"]:
            rcode, _, _ = ask(server, asked)
            check(f"blocked: {asked}", rcode == NXDOMAIN, f"rcode {rcode}")


def let_through(server, names, log):
    for name in names:
        for asked in [name, f"a.b.{name}"]:
            rcode, count, reply = ask(server, asked)
            real = rcode == 0 and count == 1 and socket.inet_aton(REAL) in reply
            check(f"let through: {asked}", real, f"rcode {rcode}, {count} answers")
            said = log_says(log, asked)
            check(f"logged with who asked: {asked}", bool(said), said)


def log_says(log, name):
    """Unbound writes the line after it has answered."""
    for _ in range(300):
        lines = [l for l in log.read_text().splitlines() if "rpz" in l and "bailiwick" in l and f" {name}. " in l]
        if lines and "127.0.0.1@" in lines[0]:
            return lines[0].split("info: ", 1)[-1]
        time.sleep(0.1)
    return ""


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    zone = pathlib.Path(sys.argv[1])
    named = re.findall(r"^([a-z0-9][^ ]*) CNAME (\S+)$", zone.read_text(), re.MULTILINE)
    block = [name for name, target in named if target == "."][:3]
    detect = [name for name, target in named if target == "rpz-passthru."][:3]
    check("the zone has names", bool(block or detect), f"{len(named)} names")
    gardens = [name for name, target in named if target not in (".", "rpz-passthru.")]
    check("no name leads to a walled garden", not gardens, ", ".join(gardens[:3]))
    bare = [name for name, _ in named if f"\n*.{name} CNAME" not in zone.read_text()]
    check("every name stands with all below it", not bare, ", ".join(bare[:3]))
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        config = configuration(folder, zone, port)
        done = subprocess.run(["unbound-checkconf", config], capture_output=True, text=True)
        check("unbound-checkconf", done.returncode == 0, (done.stdout + done.stderr).strip()[-200:])
        log = pathlib.Path(folder) / "log"
        with open(log, "w") as file, subprocess.Popen(["unbound", "-d", "-c", config], stdout=file, stderr=file) as unbound:
            try:
                server = ("127.0.0.1", port)
                check("unbound answers with the zone loaded", wait_until_it_answers(server))
                blocked(server, block)
                let_through(server, detect, log)
                rcode, _, _ = ask(server, "notoutlook-verify.example")
                check("other names are not touched", rcode == 0, f"rcode {rcode}")
            finally:
                unbound.terminate()
        errors = [l for l in log.read_text().splitlines() if "error" in l.lower()]
        check("unbound reports no error", not errors, "; ".join(errors[:2]))
    finish()


main()
