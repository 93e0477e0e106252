#!/usr/bin/env python3
"""stix.py BUNDLE...: does OASIS's validator (strict) take each bundle, and does the stix2 library read it?

Needs: pip install stix2 stix2-validator. No network: the strict checks that look things up have no object to look up.
"""

import collections
import sys

import stix2
from stix2.v21 import Bundle
from stix2validator import ValidationOptions, validate_file

from checks import check, finish

OASIS = "identity--b3bca3c2-1f3d-4b54-b44f-dac42c3a8f01"  # made the TLP 2.0 extension; not ours to ship


def judge(path):
    options = ValidationOptions(strict=True, enforce_refs=True, version="2.1")
    results = validate_file(path, options)
    errors = [str(e) for r in results.object_results for e in [*r.errors, *r.warnings]]
    check(f"stix2-validator --strict {path}", results.is_valid and not errors, "; ".join(errors[:3]))
    with open(path, encoding="utf-8") as file:
        bundle = stix2.parse(file.read(), version="2.1")
    check(f"stix2.parse {path}", isinstance(bundle, Bundle), f"{len(bundle.objects)} objects")
    content(path, bundle.objects)


def content(path, objects):
    kinds = collections.Counter(o["type"] for o in objects)
    for kind in ["identity", "extension-definition", "marking-definition", "intrusion-set", "infrastructure",
                 "domain-name", "indicator", "relationship"]:
        check(f"has {kind} {path}", kinds[kind] > 0, str(kinds[kind]))
    for name in (o for o in objects if o["type"] == "domain-name"):
        same = stix2.v21.DomainName(value=name["value"]).id == name["id"]
        if not same:
            check(f"id of {name['value']} is the library's own", False, name["id"])
            return
    check(f"ids of domain names are the library's own {path}", True)
    known = {OASIS}
    for o in objects:
        for field, value in o.items():
            if not field.endswith(("_ref", "_refs")):
                continue
            missing = [v for v in (value if isinstance(value, list) else [value]) if str(v) not in known]
            if missing:
                check(f"references come first {path}", False, f"{o['id']} {field}")
                return
        known.add(o["id"])
    check(f"references come first {path}", True)


if len(sys.argv) < 2:
    sys.exit(__doc__)
for each in sys.argv[1:]:
    judge(each)
finish()
