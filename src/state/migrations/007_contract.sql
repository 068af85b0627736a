-- The contract whose cycles these are, and its chain: written with the first of them.
CREATE TABLE contract (
    id       INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    chain_id INTEGER NOT NULL,
    address  TEXT    NOT NULL
) STRICT;

-- The wallet that signed a transaction: nonces are one wallet's own. Read from the bytes of those that are here already.
ALTER TABLE attempts ADD COLUMN wallet TEXT NOT NULL DEFAULT '0x0000000000000000000000000000000000000000';

-- Up to which nonce a wallet's transactions on a chain are known that belong to no cycle, such as a deployment's.
CREATE TABLE other_transactions (
    chain_id   INTEGER NOT NULL,
    wallet     TEXT    NOT NULL,
    next_nonce INTEGER NOT NULL,
    PRIMARY KEY (chain_id, wallet)
) STRICT;

-- The manifest of each model that cycles are of, by its digest: what is open of a model that was replaced needs it.
CREATE TABLE manifests (
    sha256 TEXT NOT NULL PRIMARY KEY,
    json   BLOB NOT NULL
) STRICT;

-- Why the stage that a cycle is at is tried again, and since when.
ALTER TABLE cycles ADD COLUMN retrying TEXT;

-- Whether somebody has yet to be told how the cycle ended.
ALTER TABLE cycles ADD COLUMN untold INTEGER NOT NULL DEFAULT 0;
