-- The one row that every append locks and moves: how many facts there are, the right edge of their Merkle tree, and the
-- checkpoint over it. A ledger that is older than this table gets its row when it is opened.

CREATE TABLE ledger_head (
    id         INTEGER PRIMARY KEY CHECK (id = 0),
    next       INTEGER NOT NULL,          -- the next position, and the size of the tree
    frontier   BLOB    NOT NULL,          -- roots of the full subtrees, the largest first, 32 octets each
    checkpoint TEXT                       -- a signed note; NULL until a key has signed
) STRICT;
