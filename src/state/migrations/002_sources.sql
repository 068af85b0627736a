-- Where a cycle's candles came from: source, exchange, symbols, what failed before it, how far another exchange was.
ALTER TABLE cycles ADD COLUMN origin TEXT;

-- The live window: closed candles as each source last told them, so that only what is missing is asked for. Unlike the
-- candles of a cycle, these change when the exchange corrects them.
CREATE TABLE live_candles (
    source       TEXT    NOT NULL,
    symbol       TEXT    NOT NULL,
    open_time_ms INTEGER NOT NULL,
    candle       BLOB    NOT NULL,
    PRIMARY KEY (source, symbol, open_time_ms)
) STRICT, WITHOUT ROWID;
