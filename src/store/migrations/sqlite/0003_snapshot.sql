-- The state of triage at one decision, so that a start need not fold all that ever was decided, and old ones can go.
CREATE TABLE snapshot (
    name     TEXT    NOT NULL PRIMARY KEY,     -- of what: triage
    seq      INTEGER NOT NULL,                 -- the last decision in it
    taken_at INTEGER NOT NULL,
    body     BLOB    NOT NULL                  -- JSON, zstd
);
CREATE INDEX decision_decided ON decision (decided_at);
