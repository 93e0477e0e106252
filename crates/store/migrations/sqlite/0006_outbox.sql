-- Files of the archive that ClickHouse has not acknowledged yet. Each lies in DATA/outbox under a second name, so that
-- compaction may replace it in the archive meanwhile. Files enter in the transaction in which they begin to count.
CREATE TABLE outbox_segments (
    id          INTEGER PRIMARY KEY,         -- rises in order of commit among those that wait
    path        TEXT    NOT NULL UNIQUE,     -- below DATA/outbox
    tab         TEXT    NOT NULL,
    day         TEXT    NOT NULL,
    row_count   INTEGER NOT NULL,
    bytes       INTEGER NOT NULL,
    blocks_done INTEGER NOT NULL,            -- of a long file: how many blocks were acknowledged
    queued      INTEGER NOT NULL             -- nanoseconds since the Unix epoch
) STRICT;

-- One row once somebody has asked for it, never taken out: from then on everything that is committed enters. What came in
-- is what went out and what waits.
CREATE TABLE outbox_head (
    id           INTEGER PRIMARY KEY CHECK (id = 0),
    since        INTEGER NOT NULL,
    segments_in  INTEGER NOT NULL,
    rows_in      INTEGER NOT NULL,
    segments_out INTEGER NOT NULL,
    rows_out     INTEGER NOT NULL
) STRICT;
