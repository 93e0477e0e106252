"""Compares the reports of the program with DuckDB and pandas, which read the archive's folders as they are.

Usage: compare.py ARCHIVE ANSWERS.json. One line per comparison: `ok WHAT` or `differs WHAT: why`.
Each question is written anew here, by hand: nothing is taken from the program's own SQL.
"""

import json
import sys
from datetime import datetime, timezone

import duckdb
import pandas

ROOT, ANSWERS = sys.argv[1], sys.argv[2]
db = duckdb.connect()
db.execute("SET TimeZone = 'UTC'")
for table in ["contacts", "outcomes", "verdicts"]:
    folders = f"{ROOT}/{table}/**/*.parquet"
    db.execute(f"CREATE VIEW {table} AS SELECT * FROM read_parquet('{folders}', hive_partitioning = 1)")
db.execute("""
CREATE TABLE seen AS
SELECT c.id, CAST(c.received AS TIMESTAMP_NS) AS received, c.day, c.source, c.kind, c.case_id, c.apex, c.user_agent, c.ja4,
       c.client_subnet, c.forwarded, coalesce(c.repeats, 0) + 1 AS stands_for,
       v.label, v.asn, v.as_name, v.country, coalesce(v.withheld, true) AS withheld
FROM contacts c
LEFT JOIN (SELECT * FROM verdicts QUALIFY row_number() OVER (PARTITION BY contact_id ORDER BY judged DESC) = 1) v
  ON v.contact_id = c.id
""")

FIRST_LAST = "epoch_ns(min(received)), epoch_ns(max(received))"
UNDER_COVER = """NOT withheld AND source NOT IN (
    SELECT source FROM seen WHERE {window} AND label IS NOT NULL AND withheld
    AND client_subnet IS NULL AND forwarded IS NULL)"""

QUESTIONS = {
    "top-names": f"""SELECT apex, sum(stands_for), count(DISTINCT source), {FIRST_LAST} FROM seen
        WHERE {{where}} AND apex IS NOT NULL GROUP BY apex ORDER BY 2 DESC, 1""",
    "unique-sources": """WITH per AS (
            SELECT day, apex, source, sum(stands_for) AS n,
              count(DISTINCT coalesce(user_agent, 'none')) FILTER (kind = 'request') AS agents,
              count(DISTINCT coalesce(ja4, 'none')) FILTER (kind = 'hello') AS hellos
            FROM seen WHERE {where} AND apex IS NOT NULL GROUP BY ALL)
        SELECT CAST(day AS VARCHAR), apex, sum(n), count(*), sum(greatest(agents, hellos, 1)) FROM per
        GROUP BY day, apex ORDER BY day DESC, 4 DESC, apex""",
    "timeline": """SELECT CAST(day AS VARCHAR), sum(stands_for), count(DISTINCT source) FROM seen
        WHERE {where} GROUP BY day ORDER BY day""",
    "timeline-by-hour": """SELECT epoch_ns(received) // 3600000000000 * 3600000000000 AS hour, sum(stands_for), count(DISTINCT source)
        FROM seen WHERE {where} GROUP BY hour ORDER BY hour""",
    "by-network": f"""SELECT asn, as_name, country, sum(stands_for), count(DISTINCT source), count(DISTINCT apex) FROM seen
        WHERE {{where}} AND {UNDER_COVER} GROUP BY ALL
        ORDER BY 4 DESC, asn NULLS LAST, as_name NULLS LAST, country NULLS LAST""",
    "source-history": f"""SELECT CAST(day AS VARCHAR), apex, kind, label, sum(stands_for), {FIRST_LAST} FROM seen
        WHERE {{where}} GROUP BY day, apex, kind, label
        ORDER BY day, apex NULLS LAST, kind, label NULLS LAST""",
    "victims": f"""SELECT case_id, apex, source, asn, as_name, country, sum(stands_for), {FIRST_LAST} FROM seen
        WHERE {{where}} AND label = 'victim' AND {UNDER_COVER} GROUP BY ALL
        ORDER BY max(received) DESC, case_id NULLS LAST, apex NULLS LAST, source, asn NULLS LAST,
                 as_name NULLS LAST, country NULLS LAST""",
}


def where(wish):
    window = ["true"]
    if wish.get("since"):
        window.append(f"received >= CAST('{wish['since'].rstrip('Z')}' AS TIMESTAMP_NS)")
    if wish.get("until"):
        window.append(f"received < CAST('{wish['until'].rstrip('Z')}' AS TIMESTAMP_NS)")
    more = [f"{column} = '{wish[key]}'" for key, column in
            [("case", "case_id"), ("name", "apex"), ("source", "source")] if wish.get(key)]
    return " AND ".join(window), " AND ".join(window + more)


def nanos(text):
    head, _, fraction = text.rstrip("Z").partition(".")
    whole = datetime.fromisoformat(head).replace(tzinfo=timezone.utc)
    return int(whole.timestamp()) * 1_000_000_000 + int((fraction + "000000000")[:9])


def plain(answer):
    units = [column["unit"] for column in answer["columns"]]
    cell = lambda unit, value: nanos(value) if unit == "time" and value is not None else value
    return [tuple(cell(unit, value) for unit, value in zip(units, row)) for row in answer["rows"]]


def compare(what, ours, theirs):
    if ours == theirs:
        print(f"ok {what}: {len(ours)} rows")
        return
    at = next((n for n, (a, b) in enumerate(zip(ours, theirs)) if a != b), min(len(ours), len(theirs)))
    print(f"differs {what}: {len(ours)} and {len(theirs)} rows, the first other one is {at}: "
          f"{ours[at:at + 1]} and {theirs[at:at + 1]}")


for answer in json.load(open(ANSWERS)):
    wish = answer["wish"]
    by_hour = answer["report"] == "timeline" and wish["by"] == "hour"
    question = QUESTIONS["timeline-by-hour" if by_hour else answer["report"]]
    window, conditions = where(wish)
    theirs = db.execute(question.replace("{where}", conditions).replace("{window}", window)).fetchall()
    told = {key: wish[key] for key in ["since", "until", "case", "name", "source"] if wish[key]}
    compare(f"DuckDB: {answer['report']} {told or 'of everything'}{' by hour' if by_hour else ''}", plain(answer), theirs)

# pandas reads the folder as one table, the day a column.
frame = pandas.read_parquet(f"{ROOT}/contacts", columns=["source", "received", "repeats", "day"])
frame["stands_for"] = frame["repeats"].fillna(0).astype("int64") + 1
days = frame.groupby("day", observed=True).agg(contacts=("stands_for", "sum"), addresses=("source", "nunique"))
theirs = [(str(day), int(row.contacts), int(row.addresses)) for day, row in days.sort_index().iterrows()]
whole = next(a for a in json.load(open(ANSWERS)) if a["report"] == "timeline" and not a["wish"]["since"])
compare("pandas: timeline of everything", plain(whole), theirs)
in_folder = (frame["received"].dt.strftime("%Y-%m-%d") == frame["day"].astype(str)).all()
compare("pandas: every row lies in its day's folder", [bool(in_folder)], [True])
