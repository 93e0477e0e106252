-- How often the rows of a file were merged: 0 as a follower wrote it, 1 to 99 gathered within a day, 100 compacted for good.
ALTER TABLE archive_files ADD COLUMN level INTEGER NOT NULL DEFAULT 0;

-- Files that other files stand for now, until they are removed: a crash in between leaves them here, and no orphans.
CREATE TABLE archive_replaced (
    path     TEXT    NOT NULL PRIMARY KEY, -- below DATA/archive
    replaced INTEGER NOT NULL              -- nanoseconds since the Unix epoch
) STRICT;
