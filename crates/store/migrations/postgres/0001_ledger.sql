-- What all who share a ledger share: facts, head, sets of names, named zones, leases. The columns are SQLite's. Times are
-- nanoseconds since the Unix epoch.

CREATE TABLE bailiwick.facts (
    position   bigint PRIMARY KEY,        -- dense from 0
    version    bigint NOT NULL,
    time       bigint NOT NULL,
    kind       text   NOT NULL,           -- the fact's tag, for people with a database shell
    salt       bytea  NOT NULL,           -- 32 random octets
    commitment bytea  NOT NULL,           -- SHA-256: the leaf
    body       bytea  NOT NULL            -- the whole fact as canonical JSON (RFC 8785)
);

-- A set of names in the lines over which its digest is taken: a million names are one row and one load.
CREATE TABLE bailiwick.name_sets (
    digest bytea  NOT NULL UNIQUE,
    count  bigint NOT NULL,
    lines  bytea  NOT NULL
);

-- The one row that every append locks and moves: how many facts there are, the right edge of their Merkle tree, and the
-- newest checkpoint.
CREATE TABLE bailiwick.ledger_head (
    id         bigint PRIMARY KEY CHECK (id = 0),
    next       bigint NOT NULL,           -- the next position, and the size of the tree
    frontier   bytea  NOT NULL,           -- roots of the full subtrees, the largest first, 32 octets each
    checkpoint text                       -- a signed note; NULL until a key has signed
);
INSERT INTO bailiwick.ledger_head (id, next, frontier) VALUES (0, 0, '');

-- Whoever listens hears of an append when it is committed, and not before.
CREATE FUNCTION bailiwick.tell() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_catalog.pg_notify('bailiwick_ledger', NEW.next::text);
    RETURN NULL;
END
$$;
CREATE TRIGGER tell AFTER UPDATE ON bailiwick.ledger_head
    FOR EACH ROW WHEN (OLD.next <> NEW.next) EXECUTE FUNCTION bailiwick.tell();

CREATE TABLE bailiwick.named_zones (
    id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    origin  bytea  NOT NULL UNIQUE,       -- wire form, lower case, with the root's label
    serial  bigint NOT NULL,              -- 32 bits, RFC 1982
    changed bigint NOT NULL
);

-- A record is its owner's labels, the root's label, type (2 octets), TTL (4 octets) and data; numbers big-endian.
CREATE TABLE bailiwick.named_records (
    zone   bigint NOT NULL,
    record bytea  NOT NULL,
    PRIMARY KEY (zone, record)
);

-- Records here stand one behind the other, each after its length in 4 octets.
CREATE TABLE bailiwick.named_differences (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, -- rises with time
    zone        bigint NOT NULL,
    from_serial bigint NOT NULL,
    to_serial   bigint NOT NULL,
    changed     bigint NOT NULL,
    removed     bytea  NOT NULL,
    added       bytea  NOT NULL
);
CREATE INDEX named_differences_by_zone ON bailiwick.named_differences (zone, id);

-- Work that one of several processes does: whoever holds the row does it, until the time that stands there, by this
-- database's clock.
CREATE TABLE bailiwick.leases (
    name   text   PRIMARY KEY,
    holder text   NOT NULL,
    ends   bigint NOT NULL
);
