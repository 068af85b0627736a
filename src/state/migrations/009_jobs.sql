-- One database, many jobs: a model's updates of one contract on one chain. Chain 0 stands for a contract that a version of
-- before did not note; nothing was ever signed for it.
CREATE TABLE jobs (
    id       INTEGER PRIMARY KEY,
    chain_id INTEGER NOT NULL,
    contract TEXT    NOT NULL,
    manifest TEXT    NOT NULL,
    UNIQUE (chain_id, contract, manifest)
) STRICT;

-- `cycle_contract` is read from the transactions of those that are here already.
INSERT INTO jobs (chain_id, contract, manifest)
    SELECT chain_id, address, manifest FROM temp.cycle_contract GROUP BY chain_id, address, manifest ORDER BY min(period);

ALTER TABLE cycles RENAME TO old_cycles;
CREATE TABLE cycles (
    job            INTEGER NOT NULL REFERENCES jobs (id),
    period         INTEGER NOT NULL,
    stage          TEXT    NOT NULL,
    started_ms     INTEGER NOT NULL,
    updated_ms     INTEGER NOT NULL,
    candles        TEXT    NOT NULL DEFAULT '[]',
    forecast       TEXT,
    proof          TEXT,
    prove_ms       INTEGER,
    landed         TEXT,
    miss           TEXT,
    origin         TEXT,
    is_final       INTEGER NOT NULL DEFAULT 0,
    witness_sha256 TEXT,
    evidence       TEXT,
    retrying       TEXT,
    untold         INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (job, period)
) STRICT;
INSERT INTO cycles
    SELECT jobs.id, old.period, stage, started_ms, updated_ms, candles, forecast, proof, prove_ms, landed, miss, origin,
           is_final, witness_sha256, evidence, retrying, untold
    FROM old_cycles AS old
    JOIN temp.cycle_contract AS of ON of.manifest = old.manifest AND of.period = old.period
    JOIN jobs ON jobs.chain_id = of.chain_id AND jobs.contract = of.address AND jobs.manifest = of.manifest
    ORDER BY old.rowid;

ALTER TABLE candles RENAME TO old_candles;
CREATE TABLE candles (
    job    INTEGER NOT NULL REFERENCES jobs (id),
    period INTEGER NOT NULL,
    market INTEGER NOT NULL,
    rows   BLOB    NOT NULL,
    PRIMARY KEY (job, period, market)
) STRICT;
INSERT INTO candles
    SELECT jobs.id, old.period, market, rows
    FROM old_candles AS old
    JOIN temp.cycle_contract AS of ON of.manifest = old.manifest AND of.period = old.period
    JOIN jobs ON jobs.chain_id = of.chain_id AND jobs.contract = of.address AND jobs.manifest = of.manifest;

-- Signed transactions, by chain, wallet and nonce: whichever job they are for.
ALTER TABLE attempts RENAME TO old_attempts;
CREATE TABLE attempts (
    id        INTEGER PRIMARY KEY,
    chain_id  INTEGER NOT NULL,
    wallet    TEXT    NOT NULL,
    nonce     INTEGER NOT NULL,
    hash      TEXT    NOT NULL,
    job       INTEGER NOT NULL REFERENCES jobs (id),
    period    INTEGER NOT NULL,
    raw       BLOB    NOT NULL,
    max_fee_per_gas_wei TEXT NOT NULL,
    priority_fee_wei    TEXT NOT NULL,
    purpose   TEXT    NOT NULL,
    signed_ms INTEGER NOT NULL,
    UNIQUE (chain_id, wallet, nonce, hash)
) STRICT;
INSERT OR IGNORE INTO attempts (chain_id, wallet, nonce, hash, job, period, raw, max_fee_per_gas_wei, priority_fee_wei, purpose, signed_ms)
    SELECT of.chain_id, wallet, nonce, hash, jobs.id, old.period, raw, max_fee_per_gas_wei, priority_fee_wei, purpose, signed_ms
    FROM old_attempts AS old
    JOIN temp.cycle_contract AS of ON of.manifest = old.manifest AND of.period = old.period
    JOIN jobs ON jobs.chain_id = of.chain_id AND jobs.contract = of.address AND jobs.manifest = of.manifest
    ORDER BY old.rowid;

-- What a webhook was told is one job's, too; what holds now was told of the newest cycle's.
ALTER TABLE alerts RENAME TO old_alerts;
CREATE TABLE alerts (
    job        INTEGER NOT NULL REFERENCES jobs (id),
    key        TEXT    NOT NULL,
    occurrence TEXT    NOT NULL,
    code       TEXT    NOT NULL,
    text       TEXT    NOT NULL,
    since_ms   INTEGER NOT NULL,
    told_ms    INTEGER NOT NULL,
    PRIMARY KEY (job, key)
) STRICT;
INSERT INTO alerts
    SELECT newest.job, key, occurrence, code, text, since_ms, told_ms FROM old_alerts
    JOIN (SELECT job FROM cycles ORDER BY period DESC, started_ms DESC, job DESC LIMIT 1) AS newest;

DROP TABLE old_alerts;
DROP TABLE old_attempts;
DROP TABLE old_candles;
DROP TABLE old_cycles;
DROP TABLE contract;
DROP TABLE temp.cycle_contract;

CREATE INDEX cycles_by_period ON cycles (period, started_ms);
CREATE INDEX cycles_open ON cycles (period) WHERE stage NOT IN ('confirmed', 'already_by_other', 'missed');
CREATE INDEX cycles_not_final ON cycles (period) WHERE stage IN ('confirmed', 'already_by_other') AND NOT is_final;
CREATE INDEX cycles_without_evidence ON cycles (period) WHERE stage = 'confirmed' AND evidence IS NULL;
CREATE INDEX cycles_untold ON cycles (period) WHERE untold;
CREATE INDEX attempts_of_cycle ON attempts (job, period);
