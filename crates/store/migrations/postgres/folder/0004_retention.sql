-- What retention remembers of one data folder. The columns are SQLite's.
--
-- Which parts of which days were purged already: they are not looked for again unless something comes for the day.
CREATE TABLE purged_days (
    day  text NOT NULL,
    what text NOT NULL,                   -- part, case and name, as one line
    PRIMARY KEY (day, what)
);

-- Segments of the journal that are to be removed: a crash before that leaves them here, and the next pass goes on.
CREATE TABLE purged_segments (
    name text NOT NULL PRIMARY KEY        -- below DATA/journal
);

-- When retention was carried out last, to its end.
CREATE TABLE retention_pass (
    id    bigint  PRIMARY KEY CHECK (id = 0),
    ended bigint  NOT NULL                -- nanoseconds since the Unix epoch
);
