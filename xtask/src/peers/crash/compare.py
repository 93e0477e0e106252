"""What clients saw answered, what the journal holds, and what the archive holds, compared call by call by DuckDB."""

import sys

import duckdb

JOURNAL, ANSWERED, ARCHIVE, OUTCOMES = sys.argv[1:]
SHOWN = 5
CALL = "'t[0-9]+-[0-9]+-[0-9]+'"

db = duckdb.connect()
db.execute(f"""CREATE TABLE journal AS SELECT id, kind, regexp_extract(coalesce(asked, ''), {CALL}) AS call
    FROM read_csv('{JOURNAL}', header = true, all_varchar = true)""")
db.execute(f"""CREATE TABLE answered AS SELECT call
    FROM read_csv('{ANSWERED}', header = false, columns = {{'call': 'VARCHAR'}})""")
for table in ["contacts", "outcomes", "verdicts"]:
    db.execute(f"CREATE VIEW {table} AS SELECT * FROM read_parquet('{ARCHIVE}/{table}/**/*.parquet')")
db.execute(f"""CREATE TABLE archive AS
    SELECT id, kind, regexp_extract(coalesce(qname, target, ''), {CALL}) AS call FROM contacts""")

NONE_OF = {
    "every call that was answered is in the journal":
        "SELECT call FROM answered EXCEPT SELECT call FROM journal",
    "no call was answered twice, and none is in the journal twice":
        """SELECT call FROM answered GROUP BY call HAVING count(*) > 1 UNION ALL
           SELECT call FROM journal WHERE call <> '' GROUP BY call HAVING count(*) > 1""",
    "no contact has the id of another":
        "SELECT id FROM journal GROUP BY id HAVING count(*) > 1",
    "the archive holds the journal's contacts, each once":
        """(FROM journal EXCEPT ALL FROM archive) UNION ALL (FROM archive EXCEPT ALL FROM journal)""",
    "and a verdict on each":
        "SELECT id FROM archive EXCEPT SELECT contact_id FROM verdicts",
    "and as many outcomes as the journal":
        f"SELECT count(*) FROM outcomes HAVING count(*) <> {OUTCOMES}",
}

for promise, sql in NONE_OF.items():
    wrong = db.execute(sql).fetchall()
    print(f"ok {promise}" if not wrong else f"FAIL {promise}: {len(wrong)}, such as {wrong[:SHOWN]}")
counts = [db.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in ["answered", "journal", "outcomes"]]
print("told {} calls answered, {} contacts and {} outcomes on disk".format(*counts))
