-- Times are microseconds since 1970-01-01T00:00:00Z. JSON is canonical text: hashes are made over it.
CREATE TABLE delivery (
    id          TEXT    NOT NULL PRIMARY KEY,  -- the sender's: SNS MessageId, EventBridge id
    transition  TEXT    NOT NULL,              -- alarm, state and time: copies by other ways have the same
    source      TEXT    NOT NULL,              -- sns, eventbridge, sqs, reconciler, manual
    received_at INTEGER NOT NULL,
    event       TEXT    NOT NULL,
    state       TEXT    NOT NULL,              -- waiting, done, quarantined
    attempts    INTEGER NOT NULL DEFAULT 0,
    outcome     TEXT
);
CREATE INDEX delivery_waiting ON delivery (received_at) WHERE state = 'waiting';
CREATE INDEX delivery_transition ON delivery (transition);

CREATE TABLE investigation (
    id          TEXT    NOT NULL PRIMARY KEY,
    opened_at   INTEGER NOT NULL,
    resource    TEXT    NOT NULL,
    title       TEXT    NOT NULL,
    status      TEXT    NOT NULL,              -- open, ended
    ended_at    INTEGER,
    next_at     INTEGER,                       -- when there is work; null: it waits for somebody
    lease_owner TEXT,
    lease_until INTEGER NOT NULL DEFAULT 0,
    fence       INTEGER NOT NULL DEFAULT 0,    -- grows with every claim: late writes of an old owner are refused
    last_seq    INTEGER NOT NULL DEFAULT 0,
    last_hash   TEXT    NOT NULL
);
CREATE INDEX investigation_work ON investigation (next_at) WHERE next_at IS NOT NULL;
CREATE INDEX investigation_opened ON investigation (opened_at DESC, id);

CREATE TABLE item (
    investigation TEXT    NOT NULL REFERENCES investigation (id),
    seq           INTEGER NOT NULL,
    recorded_at   INTEGER NOT NULL,
    body          TEXT    NOT NULL,
    PRIMARY KEY (investigation, seq)
) WITHOUT ROWID;
CREATE TRIGGER item_never_changes BEFORE UPDATE ON item
BEGIN SELECT RAISE(ABORT, 'feed items are never changed'); END;

CREATE TABLE decision (
    seq        INTEGER NOT NULL PRIMARY KEY,   -- order of triage decisions, from 1
    decided_at INTEGER NOT NULL,
    body       TEXT    NOT NULL
);

CREATE TABLE role_lease (
    name  TEXT    NOT NULL PRIMARY KEY,        -- work that one node does for all: triage
    owner TEXT    NOT NULL,
    held_until INTEGER NOT NULL,
    fence INTEGER NOT NULL
);

CREATE TABLE token (
    hash       TEXT    NOT NULL PRIMARY KEY,   -- SHA-256; the token itself is shown once and never stored
    name       TEXT    NOT NULL,
    role       TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    revoked_at INTEGER
);
