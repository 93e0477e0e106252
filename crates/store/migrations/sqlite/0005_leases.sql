-- Work that one of several processes does: whoever holds the row does it, until the time that stands there, by this
-- database's clock.

CREATE TABLE leases (
    name   TEXT    NOT NULL PRIMARY KEY,
    holder TEXT    NOT NULL,
    ends   INTEGER NOT NULL               -- nanoseconds since the Unix epoch
) STRICT;
