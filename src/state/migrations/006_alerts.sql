-- What the webhook was told and is not over yet, so that a restart repeats nothing.
CREATE TABLE alerts (
    key        TEXT    NOT NULL PRIMARY KEY,
    occurrence TEXT    NOT NULL,
    code       TEXT    NOT NULL,
    text       TEXT    NOT NULL,
    since_ms   INTEGER NOT NULL,
    told_ms    INTEGER NOT NULL
) STRICT;
