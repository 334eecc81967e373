-- Times are microseconds since 1970-01-01T00:00:00Z. JSON is canonical text: hashes are made over it.
CREATE TABLE delivery (
    id          TEXT    NOT NULL PRIMARY KEY,  -- the sender's: SNS MessageId, EventBridge id
    transition  TEXT    NOT NULL,              -- alarm, state and time: copies by other ways have the same
    source      TEXT    NOT NULL,              -- sns, eventbridge, sqs, reconciler, manual
    received_at BIGINT NOT NULL,
    event       TEXT    NOT NULL,
    state       TEXT    NOT NULL,              -- waiting, done, quarantined
    attempts    BIGINT NOT NULL DEFAULT 0,
    outcome     TEXT
);
CREATE INDEX delivery_waiting ON delivery (received_at) WHERE state = 'waiting';
CREATE INDEX delivery_transition ON delivery (transition);

CREATE TABLE investigation (
    id          TEXT    NOT NULL PRIMARY KEY,
    opened_at   BIGINT NOT NULL,
    resource    TEXT    NOT NULL,
    title       TEXT    NOT NULL,
    status      TEXT    NOT NULL,              -- open, ended
    ended_at    BIGINT,
    next_at     BIGINT,                       -- when there is work; null: it waits for somebody
    lease_owner TEXT,
    lease_until BIGINT NOT NULL DEFAULT 0,
    fence       BIGINT NOT NULL DEFAULT 0,    -- grows with every claim: late writes of an old owner are refused
    last_seq    BIGINT NOT NULL DEFAULT 0,
    last_hash   TEXT    NOT NULL
);
CREATE INDEX investigation_work ON investigation (next_at) WHERE next_at IS NOT NULL;
CREATE INDEX investigation_opened ON investigation (opened_at DESC, id);

CREATE TABLE item (
    investigation TEXT    NOT NULL REFERENCES investigation (id),
    seq           BIGINT NOT NULL,
    recorded_at   BIGINT NOT NULL,
    body          TEXT    NOT NULL,
    PRIMARY KEY (investigation, seq)
);

CREATE FUNCTION item_never_changes() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'feed items are never changed'; END $$;
CREATE TRIGGER item_never_changes BEFORE UPDATE ON item FOR EACH ROW EXECUTE FUNCTION item_never_changes();

CREATE TABLE decision (
    seq        BIGINT NOT NULL PRIMARY KEY,   -- order of triage decisions, from 1
    decided_at BIGINT NOT NULL,
    body       TEXT    NOT NULL
);

CREATE TABLE role_lease (
    name  TEXT    NOT NULL PRIMARY KEY,        -- work that one node does for all: triage
    owner TEXT    NOT NULL,
    held_until BIGINT NOT NULL,
    fence BIGINT NOT NULL
);

CREATE TABLE token (
    hash       TEXT    NOT NULL PRIMARY KEY,   -- SHA-256; the token itself is shown once and never stored
    name       TEXT    NOT NULL,
    role       TEXT    NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    revoked_at BIGINT
);
