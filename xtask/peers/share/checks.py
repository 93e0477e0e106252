"""One line per check, and an exit code: what the scripts in this folder share."""

import sys

failed = []


def check(name, passed, detail=""):
    """Says what was checked; a failure is remembered."""
    print(f"{'ok  ' if passed else 'FAIL'} {name}" + (f": {detail}" if detail else ""), flush=True)
    if not passed:
        failed.append(name)
    return passed


def finish():
    sys.exit(1 if failed else 0)
