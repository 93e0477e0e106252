-- Which parts of which days were purged already: they are not looked for again unless something comes for the day.
CREATE TABLE purged_days (
    day  TEXT NOT NULL,
    what TEXT NOT NULL,                   -- part, case and name, as one line
    PRIMARY KEY (day, what)
) STRICT, WITHOUT ROWID;

-- Segments of the journal that are to be removed: a crash before that leaves them here, and the next pass goes on.
CREATE TABLE purged_segments (
    name TEXT NOT NULL PRIMARY KEY        -- below DATA/journal
) STRICT, WITHOUT ROWID;

-- When retention was carried out last, to its end.
CREATE TABLE retention_pass (
    id    INTEGER PRIMARY KEY CHECK (id = 0),
    ended INTEGER NOT NULL                -- nanoseconds since the Unix epoch
) STRICT;
