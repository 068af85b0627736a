-- Periods are numbered on a grid that is the model's: those of before are slots of four hours. When a period begins and ends
-- stands with what is of it, in Unix seconds, so that periods of different lengths have one order.
ALTER TABLE jobs ADD COLUMN period_seconds INTEGER NOT NULL DEFAULT 14400;
ALTER TABLE jobs ADD COLUMN offset_seconds INTEGER NOT NULL DEFAULT 0;

ALTER TABLE cycles ADD COLUMN starts INTEGER NOT NULL DEFAULT 0;
ALTER TABLE cycles ADD COLUMN ends INTEGER NOT NULL DEFAULT 0;
UPDATE cycles SET starts = period * 14400, ends = (period + 1) * 14400;

ALTER TABLE promises ADD COLUMN ends INTEGER NOT NULL DEFAULT 0;
UPDATE promises SET ends = (period + 1) * 14400;

DROP INDEX cycles_by_period;
DROP INDEX cycles_open;
DROP INDEX cycles_not_final;
DROP INDEX cycles_without_evidence;
DROP INDEX cycles_untold;
DROP INDEX cycles_with_evidence;
DROP INDEX cycles_with_proof;
DROP INDEX attempts_with_bytes;
CREATE INDEX cycles_by_start ON cycles (starts, started_ms);
CREATE INDEX cycles_open ON cycles (starts) WHERE stage NOT IN ('confirmed', 'already_by_other', 'missed');
CREATE INDEX cycles_not_final ON cycles (starts) WHERE stage IN ('confirmed', 'already_by_other') AND NOT is_final;
CREATE INDEX cycles_without_evidence ON cycles (starts) WHERE stage = 'confirmed' AND evidence IS NULL;
CREATE INDEX cycles_untold ON cycles (starts) WHERE untold;
CREATE INDEX cycles_with_evidence ON cycles (starts) WHERE evidence IS NOT NULL AND evidence != 'pruned';
CREATE INDEX cycles_with_proof ON cycles (ends) WHERE proof IS NOT NULL;
CREATE INDEX attempts_with_bytes ON attempts (job, period) WHERE raw != x'';
