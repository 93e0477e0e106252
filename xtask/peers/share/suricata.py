#!/usr/bin/env python3
"""suricata.py RULES [NAME]: does Suricata 7 take the rules, and does a replayed capture alert on NAME and only on it?

NAME is a name that the rules are about; by default the first one in them. Needs: suricata, python3. No network: the
capture is made here and read from a file.
"""

import json
import pathlib
import re
import subprocess
import sys
import tempfile

from checks import check, finish
from wire import Capture, hello

CONFIG = """%YAML 1.1
---
vars:
  address-groups: { HOME_NET: any, EXTERNAL_NET: any }
  port-groups: { HTTP_PORTS: "80" }
outputs:
  - eve-log: { enabled: yes, filetype: regular, filename: eve.json, types: [ { alert: { metadata: yes } } ] }
app-layer:
  protocols:
    tls: { enabled: yes, detection-ports: { dp: 443 } }
    http: { enabled: yes, libhtp: { default-config: { personality: IDS } } }
    dns: { udp: { enabled: yes, detection-ports: { dp: 53 } }, tcp: { enabled: yes, detection-ports: { dp: 53 } } }
"""


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    return done.returncode, done.stdout + done.stderr


def loads(rules, config, folder):
    code, said = run("suricata", "-T", "-v", "-S", rules, "-c", config, "-l", folder)
    loaded = re.search(r"(\d+) rules successfully loaded, (\d+) rules failed", said)
    count = sum(line.startswith(("alert ", "drop ")) for line in pathlib.Path(rules).read_text().splitlines())
    want = (str(count), "0")
    check(f"suricata -T takes {rules}", code == 0 and loaded and loaded.groups() == want,
          loaded.group(0) if loaded else said[-300:])


def replay(rules, config, folder, name):
    hits = [name, f"www.{name}", "".join(c.upper() if i % 2 else c for i, c in enumerate(name))]
    misses = [f"not{name}", f"{name}.example", "example.net"]
    pcap = folder + "/calls.pcap"
    with Capture(pcap) as capture:
        for each in hits + misses:
            capture.lookup(each)
            capture.conversation(443, hello(each))
            capture.conversation(80, f"GET /{each} HTTP/1.1\r\nHost: {each}\r\n\r\n".encode())
    code, said = run("suricata", "-r", pcap, "-S", rules, "-c", config, "-l", folder, "-k", "none")
    check("suricata reads the capture", code == 0, "" if code == 0 else said[-300:])
    alerts = [json.loads(line) for line in open(folder + "/eve.json", encoding="utf-8")]
    alerts = [alert for alert in alerts if alert["event_type"] == "alert"]
    for what, count in [("looked up", len(hits)), ("in a TLS hello", len(hits)), ("in an HTTP request", len(hits))]:
        found = [a for a in alerts if a["alert"]["signature"].endswith(what)]
        check(f"{name} {what} alerts, its likes do not", len(found) == count, f"{len(found)} alerts of {count}")
    others = [a["alert"]["signature"] for a in alerts if name.replace(".", "[.]") not in a["alert"]["signature"]]
    check("no other rule alerts", not others, "; ".join(others[:3]))


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    rules = sys.argv[1]
    listed = re.search(r'content:"\.([^"]+)"', pathlib.Path(rules).read_text())
    if not check("the rules name something", bool(listed)):
        finish()
    name = sys.argv[2] if len(sys.argv) > 2 else listed.group(1)
    with tempfile.TemporaryDirectory() as folder:
        config = folder + "/suricata.yaml"
        pathlib.Path(config).write_text(CONFIG)
        loads(rules, config, folder)
        replay(rules, config, folder, name)
    finish()


main()
