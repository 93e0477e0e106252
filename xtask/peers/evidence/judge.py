"""Reads an X-ARF report with the format's own library, and a mail with Python's: judge.py xarf FILE | mail FILE."""

import email
import email.policy
import hashlib
import json
import pathlib
import sys

what, file = sys.argv[1], pathlib.Path(sys.argv[2])
if what == "xarf":
    import base64

    import xarf

    report = json.loads(file.read_text())
    errors = xarf.parse(report).errors
    assert not errors, errors
    for piece in report["evidence"]:
        assert piece["hash"] == "sha256:" + hashlib.sha256(base64.b64decode(piece["payload"])).hexdigest(), piece["description"]
    print(len(report["evidence"]), "pieces")
else:
    mail = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
    parts = {part.get_filename(): part.get_content() for part in mail.iter_attachments()}
    assert set(parts) == {"letter.html", "xarf.json"}, parts.keys()
    json.loads(parts["xarf.json"])
    print(json.dumps({"to": mail["to"], "from": mail["from"], "subject": mail["subject"], "defects": len(mail.defects),
                      "text": mail.get_body(("plain",)).get_content()}))
