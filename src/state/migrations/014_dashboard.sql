-- When each stage of a cycle was reached, in order. Of cycles of before, only the beginning and the last change are known.
CREATE TABLE stage_times (
    job      INTEGER NOT NULL REFERENCES jobs (id),
    period   INTEGER NOT NULL,
    position INTEGER NOT NULL,
    stage    TEXT    NOT NULL,
    at_ms    INTEGER NOT NULL,
    PRIMARY KEY (job, period, position)
) STRICT, WITHOUT ROWID;
INSERT INTO stage_times SELECT job, period, 0, 'planned', started_ms FROM cycles;
INSERT INTO stage_times SELECT job, period, 1, stage, updated_ms FROM cycles WHERE stage != 'planned';

-- What an update did to each market that it moved, as its events tell it, with what held before and by which rules, as far as the
-- chain had the state of then. Which markets there are is the model's to say.
ALTER TABLE cycles ADD COLUMN has_parameters INTEGER NOT NULL DEFAULT 0;
CREATE INDEX cycles_without_parameters ON cycles (starts) WHERE stage = 'confirmed' AND NOT has_parameters;
CREATE TABLE policies (
    id    INTEGER PRIMARY KEY,
    rules TEXT    NOT NULL UNIQUE
) STRICT;
CREATE TABLE parameters (
    job                              INTEGER NOT NULL REFERENCES jobs (id),
    period                           INTEGER NOT NULL,
    market                           INTEGER NOT NULL,
    probability_high_bps             INTEGER NOT NULL,
    forecast_e9                      INTEGER NOT NULL,
    requested_e9                     INTEGER NOT NULL,
    applied_e9                       INTEGER NOT NULL,
    borrow_collateral_ratio_bps      INTEGER NOT NULL,
    liquidation_collateral_ratio_bps INTEGER NOT NULL,
    amm_fee_pips                     INTEGER NOT NULL,
    borrow_cap_factor_bps            INTEGER NOT NULL,
    effective_at                     INTEGER NOT NULL,
    before                           TEXT,
    policy                           INTEGER REFERENCES policies (id),
    PRIMARY KEY (job, period, market)
) STRICT, WITHOUT ROWID;

-- What followed a forecast, and what forecasters without a network had said: standard deviations of one-minute returns.
CREATE TABLE outcomes (
    job         INTEGER NOT NULL REFERENCES jobs (id),
    period      INTEGER NOT NULL,
    market      INTEGER NOT NULL,
    persistence REAL,
    har         REAL,
    realised    REAL,
    PRIMARY KEY (job, period, market)
) STRICT, WITHOUT ROWID;
