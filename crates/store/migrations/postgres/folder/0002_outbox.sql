-- Files of the archive that ClickHouse has not acknowledged yet: of one data folder, as the files are. The columns are
-- SQLite's.

CREATE TABLE outbox_segments (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, -- rises in order of commit among those that wait
    path        text   NOT NULL UNIQUE,   -- below DATA/outbox
    tab         text   NOT NULL,
    day         text   NOT NULL,
    row_count   bigint NOT NULL,
    bytes       bigint NOT NULL,
    blocks_done bigint NOT NULL,          -- of a long file: how many blocks were acknowledged
    queued      bigint NOT NULL           -- nanoseconds since the Unix epoch
);

-- One row once somebody has asked for it, never taken out.
CREATE TABLE outbox_head (
    id           bigint PRIMARY KEY CHECK (id = 0),
    since        bigint NOT NULL,
    segments_in  bigint NOT NULL,
    rows_in      bigint NOT NULL,
    segments_out bigint NOT NULL,
    rows_out     bigint NOT NULL
);
