-- What sensors sent to this data folder, whose files lie on one machine. The columns are SQLite's.
--
-- What sensors sent. A segment counts once its row is here; its file was synced before. Lanes say what comes next, and how
-- far the archive has read, so that "read" is in the transaction of the rows that were made of it.

CREATE TABLE received_segments (
    sensor       bigint  NOT NULL,
    boot         bigint  NOT NULL,
    lane         bigint  NOT NULL,
    segment      bigint  NOT NULL,
    digest       bytea   NOT NULL,         -- SHA-256 of the file
    octets       bigint  NOT NULL,
    end_seq      bigint,                   -- frames from this number on do not count; NULL: all do
    received     bigint  NOT NULL,         -- nanoseconds since the Unix epoch, by our clock
    clock_offset bigint,                   -- nanoseconds by which the sensor's clock was ahead of ours; NULL: not said
    PRIMARY KEY (sensor, boot, lane, segment)
);

CREATE TABLE received_lanes (
    sensor       bigint  NOT NULL,
    boot         bigint  NOT NULL,
    lane         bigint  NOT NULL,
    start        bigint  NOT NULL,         -- which start of the program wrote this boot; 0: it did not say
    next         bigint  NOT NULL,         -- the number of the segment that must come
    read_segment bigint  NOT NULL,         -- the segment that is read next
    read_offset  bigint  NOT NULL,
    read_seq     bigint  NOT NULL,
    PRIMARY KEY (sensor, boot, lane)
);
CREATE INDEX received_lanes_unread ON received_lanes (sensor, boot, lane) WHERE read_segment < next;

-- What contradicts what is kept, each once, with how often it came.
CREATE TABLE sensor_contradictions (
    sensor  bigint  NOT NULL,
    segment text    NOT NULL,
    sent    bytea   NOT NULL,
    times   bigint  NOT NULL,
    PRIMARY KEY (sensor, segment, sent)
);

-- What each sensor was told last and has confirmed. `until` is written before the lease leaves.
CREATE TABLE sensor_leases (
    sensor    bigint  NOT NULL PRIMARY KEY,
    seen      bigint  NOT NULL,            -- when it asked last
    confirmed bigint  NOT NULL,            -- the version that it serves
    told      bigint  NOT NULL,            -- the version of the last lease
    until     bigint  NOT NULL             -- when the latest of its leases ends
);
