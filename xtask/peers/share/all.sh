#!/bin/sh
# all.sh DIR PYTHON [SCHEMA]: shows every file of a feed folder to the software that has to accept it.
#
# DIR     holds *.stix.json, *.rpz.zone, *.rules and *event4_sinkhole_http*.csv
#         (`cargo run -p bailiwick-share --example golden -- OUT` writes OUT/exercise and OUT/order)
# PYTHON  is a Python with `pip install stix2==3.0.2 stix2-validator==3.3.2 intelmq==3.5.0`
# SCHEMA  is Shadowserver's intelmq.json; without it the columns are declared by the script
#
# Needs unbound (bookworm) and suricata (bookworm-backports). Exits non-zero if any check failed.
set -u
here=$(dirname "$0")
[ $# -ge 2 ] || { sed -n '2,9p' "$0"; exit 2; }
dir=$1 python=$2
shift 2
failed=0
"$python" "$here/stix.py" "$dir"/*.stix.json || failed=1
for zone in "$dir"/*.rpz.zone; do python3 "$here/rpz.py" "$zone" || failed=1; done
for rules in "$dir"/*.rules; do python3 "$here/suricata.py" "$rules" || failed=1; done
for report in "$dir"/*event4_sinkhole_http*.csv; do "$python" "$here/shadowserver.py" "$report" "$@" || failed=1; done
exit $failed
