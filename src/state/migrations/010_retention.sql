-- Candles in blocks of a day, stored once by their content (a week of windows of one market differ in a few blocks): the bytes
-- are column by column, deflated. Filled from `candles` and `live_candles`, which then go.
CREATE TABLE candle_blocks (
    id      INTEGER PRIMARY KEY,
    sha256  BLOB    NOT NULL UNIQUE,
    candles BLOB    NOT NULL
) STRICT;

-- The candles that a cycle was computed from, by market: a JSON list of blocks.
CREATE TABLE windows (
    job    INTEGER NOT NULL REFERENCES jobs (id),
    period INTEGER NOT NULL,
    market INTEGER NOT NULL,
    blocks TEXT    NOT NULL,
    PRIMARY KEY (job, period, market)
) STRICT;

-- The live window of each source's symbol, by day.
CREATE TABLE live_blocks (
    source   TEXT    NOT NULL,
    symbol   TEXT    NOT NULL,
    start_ms INTEGER NOT NULL,
    block    INTEGER NOT NULL,
    PRIMARY KEY (source, symbol, start_ms)
) STRICT, WITHOUT ROWID;

CREATE INDEX cycles_with_evidence ON cycles (period) WHERE evidence IS NOT NULL AND evidence != 'pruned';
CREATE INDEX cycles_with_proof ON cycles (period) WHERE proof IS NOT NULL;
CREATE INDEX attempts_with_bytes ON attempts (period) WHERE raw != x'';
