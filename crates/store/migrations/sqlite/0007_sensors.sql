-- What sensors sent. A segment counts once its row is here; its file was synced before. Lanes say what comes next, and how
-- far the archive has read, so that "read" is in the transaction of the rows that were made of it.

CREATE TABLE received_segments (
    sensor       INTEGER NOT NULL,
    boot         INTEGER NOT NULL,
    lane         INTEGER NOT NULL,
    segment      INTEGER NOT NULL,
    digest       BLOB    NOT NULL,         -- SHA-256 of the file
    octets       INTEGER NOT NULL,
    end_seq      INTEGER,                  -- frames from this number on do not count; NULL: all do
    received     INTEGER NOT NULL,         -- nanoseconds since the Unix epoch, by our clock
    clock_offset INTEGER,                  -- nanoseconds by which the sensor's clock was ahead of ours; NULL: not said
    PRIMARY KEY (sensor, boot, lane, segment)
) STRICT, WITHOUT ROWID;

CREATE TABLE received_lanes (
    sensor       INTEGER NOT NULL,
    boot         INTEGER NOT NULL,
    lane         INTEGER NOT NULL,
    start        INTEGER NOT NULL,         -- which start of the program wrote this boot; 0: it did not say
    next         INTEGER NOT NULL,         -- the number of the segment that must come
    read_segment INTEGER NOT NULL,         -- the segment that is read next
    read_offset  INTEGER NOT NULL,
    read_seq     INTEGER NOT NULL,
    PRIMARY KEY (sensor, boot, lane)
) STRICT, WITHOUT ROWID;
CREATE INDEX received_lanes_unread ON received_lanes (sensor, boot, lane) WHERE read_segment < next;

-- What contradicts what is kept, each once, with how often it came.
CREATE TABLE sensor_contradictions (
    sensor  INTEGER NOT NULL,
    segment TEXT    NOT NULL,
    sent    BLOB    NOT NULL,
    times   INTEGER NOT NULL,
    PRIMARY KEY (sensor, segment, sent)
) STRICT, WITHOUT ROWID;

-- What each sensor was told last and has confirmed. `until` is written before the lease leaves.
CREATE TABLE sensor_leases (
    sensor    INTEGER NOT NULL PRIMARY KEY,
    seen      INTEGER NOT NULL,            -- when it asked last
    confirmed INTEGER NOT NULL,            -- the version that it serves
    told      INTEGER NOT NULL,            -- the version of the last lease
    until     INTEGER NOT NULL             -- when the latest of its leases ends
) STRICT;
