-- What belongs to one data folder: which of its files count, and how far its followers have come. It lies in a schema of its
-- own, which stands first on the path of that folder's connections.

CREATE TABLE archive_files (
    path      text   PRIMARY KEY,         -- below DATA/archive
    tab       text   NOT NULL,
    day       text   NOT NULL,
    row_count bigint NOT NULL,
    bytes     bigint NOT NULL,
    follower  text   NOT NULL,
    committed bigint NOT NULL,
    level     bigint NOT NULL DEFAULT 0,  -- 0 as a follower wrote it, 1 to 99 gathered within a day, 100 compacted for good
    rowid     bigint GENERATED ALWAYS AS IDENTITY -- in order of commit, as SQLite counts by itself
);
CREATE INDEX archive_files_by_day ON archive_files (tab, day);

CREATE TABLE archive_replaced (
    path     text   PRIMARY KEY,          -- below DATA/archive
    replaced bigint NOT NULL
);

CREATE TABLE cursors (
    follower text PRIMARY KEY,
    place    text NOT NULL                -- the cursor as JSON
);
