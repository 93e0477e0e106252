#!/usr/bin/env -S python3 -I
"""Check a case folder. In the folder: python3 -I verify.py KEY [OLDER-CHECKPOINT ...]
KEY is the line that the exporter gave you by another way (`bailiwick audit key`). Python's own library and openssl alone.
Each line printed is a fault and says where; exit status 1. If all holds: one line that begins with OK, and 0."""
import sys                                                          # part of Python itself: no file can stand in for it
if not sys.flags.isolated: sys.exit("Say `python3 -I verify.py`: without -I Python runs files of this folder that are called like its own library's")
import base64, hashlib, json, os, subprocess, tempfile

faults = []
fault = lambda where, what: faults.append(f"{where}: {what}")
sha = lambda *parts: hashlib.sha256(b"".join(parts)).digest()
read = lambda path: open(path, "rb").read()
node = lambda left, right: sha(b"\1", left, right)
FORMAT = "bailiwick case folder v1"
FILE_FIELDS = ["file", "report", "letter", "xarf", "message", "document", "actors", "token"]

def lines_of(octets):                                               # other signs that break a line stand within texts
    lines = octets.decode("utf-8", "replace").split("\n")
    return lines if lines[-1] else lines[:-1]

def pem_of(public):                                                 # RFC 8410
    text = base64.encodebytes(bytes.fromhex("302a300506032b6570032100") + public).decode()
    return f"-----BEGIN PUBLIC KEY-----\n{text}-----END PUBLIC KEY-----\n".encode()

def is_signed(text, signature):                                     # Ed25519, by openssl
    with tempfile.TemporaryDirectory() as place:
        paths = [os.path.join(place, name) for name in ("text", "sig", "key")]
        for path, octets in zip(paths, (text, signature, pem_of(public))):
            with open(path, "wb") as file: file.write(octets)
        words = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", paths[2], "-rawin", "-in", paths[0], "-sigfile", paths[1]]
        return subprocess.run(words, capture_output=True).returncode == 0

def checkpoint(where):                                              # c2sp.org/tlog-checkpoint: size and root
    text, _, lines = read(where).rpartition(b"\n\n")
    for line in lines_of(lines):
        signature = base64.b64decode(line.rpartition(" ")[2])
        if line.startswith(f"— {name} ") and signature[:4] == key_id and is_signed(text + b"\n", signature[4:]):
            origin, size, root = text.decode().split("\n")[:3]
            if origin == name: return int(size), base64.b64decode(root)
    fault(where, "not signed by the key, or changed")
    return 0, b""

def root_of(leaves):                                                # RFC 9162, 2.1.1
    if len(leaves) < 2: return leaves[0] if leaves else sha(b"")
    half = 1 << (len(leaves) - 1).bit_length() - 1
    return node(root_of(leaves[:half]), root_of(leaves[half:]))

def climbs(leaf, at, size, hashes, root):                           # RFC 9162, 2.1.3.2
    last = size - 1
    for beside in hashes:
        if at & 1 or at == last:
            leaf = node(beside, leaf)
            while not at & 1 and at: at, last = at >> 1, last >> 1
        else: leaf = node(leaf, beside)
        at, last = at >> 1, last >> 1
    return last == 0 and leaf == root

def check_list():                                                   # SHA256SUMS, its signature, key.pem
    if not is_signed(read("SHA256SUMS"), read("SHA256SUMS.sig")): fault("SHA256SUMS", "not signed by the key, or changed")
    if read("key.pem") != pem_of(public): fault("key.pem", "not the key that you were given")
    lines = (line.partition("  ") for line in lines_of(read("SHA256SUMS")))
    listed = {path: digest for digest, _, path in lines}
    there = set()
    for at, folders, files in os.walk(".", onerror=lambda error: fault(error.filename, "cannot be read")):
        there.update(os.path.relpath(os.path.join(at, file), ".") for file in files)
        for path in (os.path.relpath(os.path.join(at, one), ".") for one in folders + files):
            if os.path.islink(path): fault(path, "is a link")
            elif not os.path.isdir(path) and not os.path.isfile(path): raise OSError(f"{path} is no file")
        if not folders + files: fault(os.path.relpath(at, "."), "is an empty folder")
    for path in sorted(there - set(listed) - {"SHA256SUMS", "SHA256SUMS.sig", "key.pem"}): fault(path, "is not listed")
    for path, digest in sorted(listed.items()):
        if path not in there or os.path.islink(path): fault(path, "is missing")
        elif sha(read(path)).hex() != digest: fault(path, "is not the file that was listed")

def check_ledger(older):                                            # the tree, each act, each older checkpoint
    size, root = checkpoint("ledger/checkpoint")
    number = lambda path: int("".join(c for c in path.split(".p")[0] if c.isdigit()))
    tiles = [os.path.join(at, file) for at, _, files in os.walk("ledger/tile/entries") for file in files]
    entries = b"".join(read(path) for path in sorted(tiles, key=number))
    leaves = [sha(b"\0", entries[at + 2:at + 34]) for at in range(0, len(entries), 34)]
    if len(leaves) != size or root_of(leaves) != root: fault("ledger/tile", f"{len(leaves)} entries are not the signed tree of {size}")
    kept = sorted(os.listdir("ledger/anchors")) if os.path.isdir("ledger/anchors") else []
    for path in older + [os.path.join("ledger/anchors", file) for file in kept]:
        old, old_root = checkpoint(path)
        if old > len(leaves) or root_of(leaves[:old]) != old_root: fault(path, f"the tree does not go on from its {old} acts")
    acts = {}
    for number, line in enumerate(lines_of(read("ledger/facts.jsonl")), 1):
        where = f"ledger/facts.jsonl, line {number}"
        try: at, salt = json.loads(line)["position"], bytes.fromhex(json.loads(line)["salt"])
        except (ValueError, KeyError, TypeError): fault(where, "is no act"); continue
        fact = line[line.index('"fact":') + 7:-1]
        leaf, proof = sha(b"\0", sha(b"bailiwick fact v1\0", salt, fact.encode())), f"ledger/proofs/{at:06}.tlog-proof"
        if json.loads(fact)["position"] != at or at >= len(leaves) or leaves[at] != leaf: fault(where, f"is not what was signed as act {at}")
        hashes = read(proof).split(b"\n\n")[0].splitlines()[2:] if os.path.exists(proof) else []
        if not climbs(leaf, at, size, [base64.b64decode(hash) for hash in hashes], root): fault(proof, f"does not lead from act {at} to the signed root")
        acts[at] = fact
    return acts, leaves

def named(value):                                                   # the files that an act names
    for key, one in value.items() if isinstance(value, dict) else enumerate(value):
        if key in FILE_FIELDS and isinstance(one, str) and len(one) == 64 and not set(one) - set("0123456789abcdef"): yield one
        elif isinstance(one, (dict, list)): yield from named(one)

def check_sheets(place):                                            # an appendix is what its manifest lists
    lines = (line.split("  ", 2) for line in lines_of(read(f"{place}/manifest"))[2:] if line.count("  ") > 1)
    listed = {path: digest for digest, _, path in lines}
    there = {os.path.relpath(os.path.join(at, file), place) for at, _, files in os.walk(place) for file in files} - {"manifest"}
    for path in sorted(there | set(listed)):
        if path not in there or sha(read(f"{place}/{path}")).hex() != listed.get(path): fault(f"{place}/{path}", "is not what the appendix's manifest lists")

def check_contents(acts, leaves):                                   # what acts name is here, or said not to be; what is shown is all
    contents = json.loads(read("contents.json"))
    for field, known in (("format", FORMAT), ("key", sys.argv[1].strip()), ("ledger", len(leaves))):
        if contents[field] != known: fault("contents.json", f"its {field} is {contents[field]}, and not {known}")
    for at in sorted(set(contents["shown"]) ^ set(acts)): fault("ledger/facts.jsonl", f"act {at} is missing or too much")
    for one in contents["withheld"]:
        if leaves[one["fact"]:one["fact"] + 1] != [sha(b"\0", bytes.fromhex(one["commitment"]))]: fault("contents.json", f"the withheld act {one['fact']} has another commitment")
    for one in contents["files"]:
        if not os.path.exists(one["path"]) or sha(read(one["path"])).hex() != one["sha256"]: fault(one["path"], f"is not the file that act {one['fact']} names")
    for one in contents["files"] + contents["missing"]:
        if f'"{one["sha256"]}"' not in acts.get(one["fact"], ""): fault(one.get("path", "contents.json"), f"act {one['fact']} does not name {one['sha256']}")
        if one.get("path", "").endswith("/manifest"): check_sheets(os.path.dirname(one["path"]))
    told = {(one["fact"], one["sha256"]) for one in contents["files"] + contents["missing"]}
    every = {(at, digest) for at, fact in acts.items() for digest in named(json.loads(fact)["body"])}
    for at, digest in sorted(every - told): fault("contents.json", f"act {at} names {digest}, which is not here, nor said to be missing")
    return (f"case {contents['case']} as of {contents['made']}, of a ledger of {len(leaves)} acts: {len(acts)} acts, {len(contents['files'])} files that they name, "
            f"{len(contents['withheld'])} acts withheld, {len(contents['missing'])} files not here; SHA256SUMS {sha(read('SHA256SUMS')).hex()}")

if len(sys.argv) < 2: sys.exit(__doc__)
name, shown_id, key = sys.argv[1].split("+", 2)
public = base64.b64decode(key)[1:]
key_id = sha(name.encode(), b"\n\1", public)[:4]
if key_id.hex() != shown_id: sys.exit("KEY is not whole: its parts do not belong together")
said = ""
try:
    check_list()
    said = check_contents(*check_ledger(sys.argv[2:]))
except (OSError, ValueError, KeyError, IndexError) as error: fault("folder", f"cannot be read: {error}")
print("\n".join(ascii(one)[1:-1] for one in faults) if faults else f"OK: {ascii(said)[1:-1]}; list, acts, tree and files fit together, and the key signed them")
sys.exit(bool(faults))
