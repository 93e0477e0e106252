-- Ledger, sets of names, archive manifest and cursors share one database, so that "segment archived", "facts learned"
-- and "cursor moved" are one transaction. Times are nanoseconds since the Unix epoch.

CREATE TABLE facts (
    position   INTEGER PRIMARY KEY,      -- dense from 0
    version    INTEGER NOT NULL,
    time       INTEGER NOT NULL,
    kind       TEXT    NOT NULL,         -- the fact's tag, for people with a SQLite shell
    salt       BLOB    NOT NULL,         -- 32 random bytes
    commitment BLOB    NOT NULL,         -- SHA-256: the leaf
    body       BLOB    NOT NULL          -- the whole fact as canonical JSON (RFC 8785)
) STRICT;

-- A set of names in the lines over which its digest is taken: a million names are one row and one load.
CREATE TABLE name_sets (
    digest BLOB    NOT NULL UNIQUE,
    count  INTEGER NOT NULL,
    lines  BLOB    NOT NULL
) STRICT;

-- Which files of the archive count. A file without a row is an orphan.
CREATE TABLE archive_files (
    path      TEXT    NOT NULL PRIMARY KEY, -- below DATA/archive
    tab       TEXT    NOT NULL,
    day       TEXT    NOT NULL,
    row_count INTEGER NOT NULL,
    bytes     INTEGER NOT NULL,
    follower  TEXT    NOT NULL,
    committed INTEGER NOT NULL
) STRICT;
CREATE INDEX archive_files_by_day ON archive_files (tab, day);

CREATE TABLE cursors (
    follower TEXT NOT NULL PRIMARY KEY,
    place    TEXT NOT NULL               -- the cursor as JSON
) STRICT;
