-- Zones with a name of their own (policy zones, the catalog) as they were told last, and the steps that led there. They
-- lie beside the ledger, so that records, serial and difference are one transaction.

CREATE TABLE named_zones (
    id      INTEGER PRIMARY KEY,
    origin  BLOB    NOT NULL UNIQUE,      -- wire form, lower case, with the root's label
    serial  INTEGER NOT NULL,             -- 32 bits, RFC 1982
    changed INTEGER NOT NULL              -- nanoseconds since the Unix epoch
) STRICT;

-- A record is its owner's labels, the root's label, type (2 octets), TTL (4 octets) and data; numbers big-endian.
CREATE TABLE named_records (
    zone   INTEGER NOT NULL,
    record BLOB    NOT NULL,
    PRIMARY KEY (zone, record)
) STRICT, WITHOUT ROWID;

-- Records here stand one behind the other, each after its length in 4 octets.
CREATE TABLE named_differences (
    id          INTEGER PRIMARY KEY,      -- rises with time
    zone        INTEGER NOT NULL,
    from_serial INTEGER NOT NULL,
    to_serial   INTEGER NOT NULL,
    changed     INTEGER NOT NULL,
    removed     BLOB    NOT NULL,
    added       BLOB    NOT NULL
) STRICT;
CREATE INDEX named_differences_by_zone ON named_differences (zone, id);
