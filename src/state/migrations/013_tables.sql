-- What a cycle was computed from that is made from tables: a snapshot's bytes, deflated, so that a later revision by the
-- publisher cannot change a proven input; and where it came from, with the tables' editions.
CREATE TABLE snapshots (
    job    INTEGER NOT NULL REFERENCES jobs (id),
    period INTEGER NOT NULL,
    bytes  BLOB    NOT NULL,
    PRIMARY KEY (job, period)
) STRICT;

ALTER TABLE cycles ADD COLUMN tables TEXT;
