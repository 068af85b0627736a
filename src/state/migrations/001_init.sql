CREATE TABLE cycles (
    manifest    TEXT    NOT NULL,
    period      INTEGER NOT NULL,
    stage       TEXT    NOT NULL,
    started_ms  INTEGER NOT NULL,
    updated_ms  INTEGER NOT NULL,
    candles     TEXT    NOT NULL DEFAULT '[]',
    forecast    TEXT,
    proof       TEXT,
    prove_ms    INTEGER,
    landed      TEXT,
    miss        TEXT,
    PRIMARY KEY (manifest, period)
) STRICT;

-- The candles that a cycle was computed from, so that a later correction by the exchange cannot change a proven input.
CREATE TABLE candles (
    manifest    TEXT    NOT NULL,
    period      INTEGER NOT NULL,
    market      INTEGER NOT NULL,
    rows        BLOB    NOT NULL,
    PRIMARY KEY (manifest, period, market)
) STRICT;

-- Signed transactions, written before they are sent.
CREATE TABLE attempts (
    manifest    TEXT    NOT NULL,
    period      INTEGER NOT NULL,
    nonce       INTEGER NOT NULL,
    hash        TEXT    NOT NULL,
    raw         BLOB    NOT NULL,
    max_fee_per_gas_wei TEXT NOT NULL,
    priority_fee_wei    TEXT NOT NULL,
    PRIMARY KEY (manifest, period, hash)
) STRICT;
