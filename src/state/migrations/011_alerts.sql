-- What a webhook was told is about a job by its name, or about what jobs share: a JSON object. What was told before is the
-- node's, so that its end is told.
ALTER TABLE alerts RENAME TO alerts_of_jobs;
CREATE TABLE alerts (
    subject    TEXT    NOT NULL,
    key        TEXT    NOT NULL,
    occurrence TEXT    NOT NULL,
    code       TEXT    NOT NULL,
    text       TEXT    NOT NULL,
    since_ms   INTEGER NOT NULL,
    told_ms    INTEGER NOT NULL,
    PRIMARY KEY (subject, key)
) STRICT;
INSERT OR REPLACE INTO alerts
    SELECT '{}', key, occurrence, code, text, since_ms, told_ms FROM alerts_of_jobs ORDER BY told_ms;
DROP TABLE alerts_of_jobs;
