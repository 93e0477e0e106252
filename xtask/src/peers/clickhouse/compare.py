"""Compares ClickHouse's tables with the archive's files, row by row, by the engine itself (chdb) after its door is shut.

Usage: compare.py FOLDER ARCHIVE TABLE…  One line per table: `ok WHAT` or `differs WHAT: why`. A list that is null in a
file is empty in ClickHouse; nothing else may differ. Roll-ups are compared for the days that the archive has counted.
"""

import sys

from chdb.session import Session

FOLDER, ARCHIVE, TABLES = sys.argv[1], sys.argv[2], sys.argv[3:]
engine = Session(FOLDER)


def rows(sql):
    said = engine.query(sql, "TabSeparatedRaw").bytes().decode()
    return [line.split("\t") for line in said.splitlines()]


for table in TABLES:
    files = f"file('{ARCHIVE}/{table}/day=*/*.parquet', Parquet)"
    names = [name for name, *_ in rows(f"DESCRIBE {files} SETTINGS use_hive_partitioning = 0")]
    columns = ", ".join(names)
    days = ""
    if table.startswith("daily_"):
        days = f" WHERE day IN (SELECT toDate(first_received, 'UTC') FROM {files})"
    ours, theirs = f"SELECT {columns} FROM bailiwick.{table}{days}", f"SELECT {columns} FROM {files}"
    counts = [int(rows(f"SELECT count() FROM ({sql})")[0][0]) for sql in (ours, theirs)]
    missing = int(rows(f"SELECT count() FROM ({theirs} EXCEPT {ours})")[0][0])
    more = int(rows(f"SELECT count() FROM ({ours} EXCEPT {theirs})")[0][0])
    what = f"{table}: ClickHouse has the rows of the archive's files, {len(names)} columns of {counts[1]} rows"
    if counts[0] == counts[1] > 0 and missing == more == 0:
        print(f"ok {what}")
    else:
        print(f"differs {what}: {counts[0]} there, {missing} missing, {more} that are in no file")
    if table == "contacts":
        most = rows("SELECT max(n) FROM (SELECT count() AS n FROM bailiwick.contacts GROUP BY id)")
        print(f"{'ok' if most == [['1']] else 'differs'} contacts: every id is there once")
