#!/usr/bin/env python3
"""shadowserver.py REPORT [SCHEMA]: does IntelMQ's own Shadowserver parser read the victim report with 0 errors?

SCHEMA is Shadowserver's schema for IntelMQ (intelmq.json of The-Shadowserver-Foundation/report_schema). IntelMQ ships
only a test schema; without SCHEMA the columns of this one report are declared here, and IntelMQ's code still does all
the reading and checking. Needs: pip install intelmq. No network, no root, no running IntelMQ.
"""

import base64
import csv
import json
import logging
import os
import pathlib
import sys
import tempfile

from checks import check, finish

if len(sys.argv) not in (2, 3):
    sys.exit(__doc__)
REPORT = pathlib.Path(sys.argv[1])
ROOT = tempfile.mkdtemp(prefix="intelmq-")
os.environ["INTELMQ_ROOT_DIR"] = ROOT
STATE = pathlib.Path(ROOT) / "var/lib/bots"


def declared(columns):
    """The report as IntelMQ's schema would declare it: what has a field of IntelMQ's own goes there, the rest to extra."""
    required = [["time.source", "timestamp", "add_UTC_to_timestamp"], ["source.ip", "src_ip", "validate_ip"],
                ["source.port", "src_port", "convert_int"]]
    own = {
        "protocol": ["protocol.transport", "protocol"],
        "src_asn": ["source.asn", "src_asn", "invalidate_zero"],
        "src_geo": ["source.geolocation.cc", "src_geo"],
        "dst_ip": ["destination.ip", "dst_ip", "validate_ip"],
        "dst_port": ["destination.port", "dst_port", "convert_int"],
        "infection": ["malware.name", "infection", "validate_to_none"],
        "http_url": ["destination.url", "http_url", "convert_http_host_and_url", True],
        "http_host": ["destination.fqdn", "http_host", "validate_fqdn"],
    }
    rest = [c for c in columns if c not in {"timestamp", "src_ip", "src_port"}]
    optional = [own.get(c, ["extra.", c, "validate_to_none"]) for c in rest]
    constant = {"classification.taxonomy": "malicious-code", "classification.type": "infected-system"}
    return {"event_sinkhole_http": {"feed_name": "Sinkhole-Events-HTTP IPv4", "file_name": "event4_sinkhole_http",
                                    "constant_fields": constant, "required_fields": required, "optional_fields": optional,
                                    "url": "https://www.shadowserver.org/"}}


STATE.mkdir(parents=True)
CONTENT = REPORT.read_bytes()
ROWS = list(csv.DictReader(CONTENT.decode().splitlines(keepends=True)))
HEADER = next(csv.reader(CONTENT.decode().splitlines()))
SCHEMA = pathlib.Path(sys.argv[2]).read_text(encoding="utf-8") if len(sys.argv) == 3 else json.dumps(declared(HEADER))
(STATE / "shadowserver-schema.json").write_text(SCHEMA, encoding="utf-8")

from intelmq.bots.parsers.shadowserver.parser import ShadowserverParserBot  # noqa: E402  (reads its root folder)
from intelmq.lib.bot import BotLibSettings  # noqa: E402


class Heard(logging.Handler):
    """Keeps what the parser complains of."""

    def __init__(self):
        super().__init__(logging.WARNING)
        self.lines = []

    def emit(self, record):
        self.lines.append(record.getMessage())


bot = ShadowserverParserBot("bailiwick-judge", settings=BotLibSettings)
heard = Heard()
bot.logger.addHandler(heard)
report = {"feed.name": "bailiwick", "extra.file_name": REPORT.name, "raw": base64.b64encode(CONTENT).decode()}
state = bot.process_message(report)
problems = heard.lines + [str(error) for error in state.get("error", [])]
events = [dict(event) for event in state.get("output", [])]
check("39 columns", len(HEADER) == 39, str(len(HEADER)))
check("IntelMQ reads the report with 0 errors", not problems, "; ".join(problems[:3]))
check("one event for each row", len(events) == len(ROWS), f"{len(events)} events of {len(ROWS)} rows")
addresses = sorted(event.get("source.ip", "") for event in events)
check("the events are about the rows' addresses", addresses == sorted(row["src_ip"] for row in ROWS))
urls = [event.get("destination.url", "") for event in events]
check("each event has a URL", all(url.startswith("http") for url in urls), urls[0] if urls else "no rows")
check("times are UTC", all(event.get("time.source", "").endswith("+00:00") for event in events))
finish()
