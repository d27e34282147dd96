-- Returned mail: each message once, what it said about a copy, and where a suppression came from.

CREATE TABLE arrivals (
	id INTEGER PRIMARY KEY,
	hash BLOB NOT NULL UNIQUE, -- SHA-256 of its octets
	at INTEGER NOT NULL,
	source TEXT NOT NULL,      -- "stdin", "maildir", "mbox", "imap", "pop3", "events"
	kind TEXT NOT NULL,        -- "bounce", "delayed", "complaint", "auto-reply", "unsubscribe", "none"
	rule TEXT NOT NULL,        -- by which it was found to be that
	fate INTEGER NOT NULL,     -- 0 = nothing to do, 1 = applied, 2 = filed
	key TEXT NOT NULL,         -- what named the copy: "verp", "envid", ...
	words TEXT NOT NULL,       -- why it was filed, or what it did
	issue_id INTEGER,
	subscriber_id INTEGER,
	raw BLOB NOT NULL          -- its octets, a long one cut
) STRICT;
CREATE INDEX arrivals_at ON arrivals (at);
CREATE INDEX arrivals_filed ON arrivals (id) WHERE fate = 2;
CREATE INDEX arrivals_subscriber ON arrivals (subscriber_id) WHERE subscriber_id IS NOT NULL;

-- What came back of a copy: at most one bounce and one complaint.
CREATE TABLE returns (
	subscriber_id INTEGER NOT NULL,
	issue_id INTEGER NOT NULL,
	kind INTEGER NOT NULL,       -- 0 = bounce, 1 = complaint
	at INTEGER NOT NULL,         -- when it was learnt
	sent_at INTEGER NOT NULL,    -- when the relay took the copy, or refused it
	arrival_id INTEGER,          -- NULL = the relay said it while sending
	state_before INTEGER,        -- of the delivery, where it was moved
	key TEXT NOT NULL,
	reason TEXT NOT NULL,
	hard INTEGER NOT NULL,
	counts_as TEXT NOT NULL,     -- the line of the policy; '' = never counts
	suppressed INTEGER NOT NULL, -- 1 = it made the address suppressed
	undone INTEGER NOT NULL,     -- 1 = taken back by the operator
	rule TEXT NOT NULL,
	code INTEGER NOT NULL,
	status TEXT NOT NULL,
	text TEXT NOT NULL,
	PRIMARY KEY (subscriber_id, issue_id, kind)
) STRICT, WITHOUT ROWID;
CREATE INDEX returns_at ON returns (at) WHERE undone = 0;
CREATE INDEX returns_arrival ON returns (arrival_id) WHERE arrival_id IS NOT NULL;

ALTER TABLE suppressions ADD COLUMN source TEXT NOT NULL DEFAULT '';

-- Suppressions of other sites, by hashes under their keys: an address that turns up here is looked for under
-- each key, and then becomes one of ours.
CREATE TABLE foreign_keys (
	id INTEGER PRIMARY KEY,
	secret TEXT NOT NULL UNIQUE
) STRICT;
CREATE TABLE foreign_suppressions (
	key_id INTEGER NOT NULL REFERENCES foreign_keys,
	hash BLOB NOT NULL,
	reason TEXT NOT NULL,
	at INTEGER NOT NULL,
	PRIMARY KEY (key_id, hash)
) STRICT, WITHOUT ROWID;
