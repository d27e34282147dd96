-- The first schema. Instants are Unix seconds (UTC). Numbers of states and statuses are those of
-- mail/verdict.h, store/ledger.h and store/people.h. In every table that grows with the audience the
-- columns that are usually empty cost one octet each.

CREATE TABLE settings (
	name TEXT PRIMARY KEY,
	value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- ---- people ----

CREATE TABLE lists (
	id INTEGER PRIMARY KEY,
	slug TEXT NOT NULL UNIQUE,
	name TEXT NOT NULL,
	"from" TEXT NOT NULL,
	reply_to TEXT NOT NULL,
	theme TEXT NOT NULL,
	double_opt_in INTEGER NOT NULL,
	created_at INTEGER NOT NULL
) STRICT;

-- AUTOINCREMENT: Message-IDs derive from the number, so an erased reader's is never given again.
CREATE TABLE subscribers (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	email_key TEXT NOT NULL UNIQUE, -- normalised: what makes the address unique
	email TEXT,                     -- as it goes on the wire; NULL = equal to email_key
	first_name TEXT NOT NULL,
	last_name TEXT NOT NULL,
	attributes TEXT,                -- JSON object; NULL = none
	suppressed INTEGER NOT NULL,    -- 1 = the hash of email_key is in suppressions, or its domain suppressed
	created_at INTEGER NOT NULL
) STRICT;

-- Names of attributes, for {{ subscriber.NAME }}.
CREATE TABLE fields (
	name TEXT PRIMARY KEY
) STRICT, WITHOUT ROWID;

-- How a consent came about, in words: "hand", "import 7".
CREATE TABLE sources (
	id INTEGER PRIMARY KEY,
	words TEXT NOT NULL UNIQUE
) STRICT;

-- Where people stand now; how that came about is the consent that it names.
CREATE TABLE subscriptions (
	list_id INTEGER NOT NULL REFERENCES lists,
	subscriber_id INTEGER NOT NULL REFERENCES subscribers,
	status INTEGER NOT NULL,
	consent_id INTEGER NOT NULL,
	PRIMARY KEY (list_id, subscriber_id)
) STRICT, WITHOUT ROWID;

-- Each consent there ever was, withdrawals too. Only added to: each hash covers the one before
-- (src/store/consent.c), so that nothing can be changed, taken out or put in between unseen. Of an
-- erased reader the numbers stay.
CREATE TABLE consents (
	id INTEGER PRIMARY KEY, -- 1, 2, 3, ... without a gap
	subscriber_id INTEGER NOT NULL,
	list_id INTEGER NOT NULL REFERENCES lists,
	status INTEGER NOT NULL, -- -1 = the subscription was removed
	at INTEGER NOT NULL,
	source_id INTEGER NOT NULL REFERENCES sources,
	line INTEGER,     -- of the imported file
	previous INTEGER, -- what the subscription named before; NULL = there was none
	detail TEXT,      -- such as where a form was sent from and what it said; dropped by an erasure
	hash BLOB NOT NULL
) STRICT;
-- The first ones, the most by far, are found through those that followed, or the subscription.
CREATE INDEX consents_later ON consents (subscriber_id) WHERE previous IS NOT NULL;
CREATE TRIGGER consents_stay BEFORE DELETE ON consents
BEGIN
	SELECT raise(ABORT, 'consents are only added to');
END;
CREATE TRIGGER consents_stand BEFORE UPDATE OF id, subscriber_id, list_id, status, at, source_id, line,
	previous, hash ON consents
BEGIN
	SELECT raise(ABORT, 'consents are only added to');
END;

-- By a keyed hash of email_key, so that it outlives the erasure of the address.
CREATE TABLE suppressions (
	hash BLOB PRIMARY KEY, -- HMAC-SHA-256 by settings.hash_key, first 16 octets
	reason TEXT NOT NULL,
	at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- No mail for anybody there. The mark on the subscriber tells of these, too.
CREATE TABLE suppressed_domains (
	domain TEXT PRIMARY KEY, -- A-labels, lower case
	reason TEXT NOT NULL,
	at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE imports (
	id INTEGER PRIMARY KEY,
	list_id INTEGER NOT NULL REFERENCES lists,
	file TEXT NOT NULL,
	at INTEGER NOT NULL,
	rows INTEGER NOT NULL,
	added INTEGER NOT NULL,
	updated INTEGER NOT NULL,
	unchanged INTEGER NOT NULL,
	rejected INTEGER NOT NULL,
	suppressed INTEGER NOT NULL
) STRICT;

-- What happened; append-only but for the erasure of a reader.
CREATE TABLE events (
	id INTEGER PRIMARY KEY,
	at INTEGER NOT NULL,
	what TEXT NOT NULL,
	subscriber_id INTEGER,
	detail TEXT NOT NULL
) STRICT;
CREATE INDEX events_subscriber ON events (subscriber_id) WHERE subscriber_id IS NOT NULL;

-- ---- issues and the ledger ----

-- An issue never changes but for its state; the large columns stand last, so that reading the others
-- does not touch them.
CREATE TABLE issues (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	list_id INTEGER NOT NULL REFERENCES lists,
	slug TEXT NOT NULL,
	subject TEXT NOT NULL,
	state INTEGER NOT NULL,
	created_at INTEGER NOT NULL,
	due_at INTEGER NOT NULL,
	word_at INTEGER NOT NULL, -- when the operator last said "send": by scheduling or resuming
	done_at INTEGER,
	uuid BLOB NOT NULL,
	hash TEXT NOT NULL, -- SHA-256 of source and program, hex
	pause_reason TEXT NOT NULL,
	segment TEXT NOT NULL DEFAULT '', -- who of the list it is for; '' = all
	source TEXT NOT NULL,
	program BLOB NOT NULL,
	UNIQUE (list_id, slug)
) STRICT;
CREATE INDEX issues_state ON issues (state);

CREATE TABLE leases (
	id INTEGER PRIMARY KEY AUTOINCREMENT, -- a stale worker's number is never given again
	until INTEGER NOT NULL
) STRICT;

CREATE TABLE relays (
	id INTEGER PRIMARY KEY,
	name TEXT NOT NULL UNIQUE,
	paused_until INTEGER NOT NULL, -- 0 = not paused
	failures INTEGER NOT NULL,     -- pauses since the last success
	reason TEXT NOT NULL
) STRICT;

-- The ledger: one row for each (issue, subscriber). subscriber_id is no foreign key: the row outlives
-- an erased reader.
CREATE TABLE deliveries (
	issue_id INTEGER NOT NULL,
	subscriber_id INTEGER NOT NULL,
	state INTEGER NOT NULL,
	due_at INTEGER NOT NULL,
	lease INTEGER NOT NULL DEFAULT 0,    -- of the worker that holds it; 0 at rest
	attempts INTEGER NOT NULL DEFAULT 0,
	doubts INTEGER NOT NULL DEFAULT 0,   -- the first may be sent again, the second holds
	settled_at INTEGER,
	reason INTEGER,                      -- why it was skipped
	PRIMARY KEY (issue_id, subscriber_id)
) STRICT, WITHOUT ROWID;
-- What is due: queued and deferred.
CREATE INDEX deliveries_due ON deliveries (issue_id, due_at) WHERE state IN (0, 3);
-- What a worker holds: as many rows as are in flight.
CREATE INDEX deliveries_leased ON deliveries (lease) WHERE lease > 0;
-- What is in doubt for the first time.
CREATE INDEX deliveries_doubted ON deliveries (issue_id) WHERE state = 4 AND doubts = 1;

CREATE TABLE attempts (
	issue_id INTEGER NOT NULL,
	subscriber_id INTEGER NOT NULL,
	n INTEGER NOT NULL, -- 1, 2, ...
	at INTEGER NOT NULL,
	relay_id INTEGER, -- of relays (unchecked: db check sees to it); NULL = the worker ended before it could say
	phase INTEGER NOT NULL,
	code INTEGER NOT NULL,
	state INTEGER NOT NULL, -- of the delivery after it
	took_ms INTEGER NOT NULL,
	due_at INTEGER,         -- of a deferred delivery
	status TEXT NOT NULL,   -- enhanced code
	text TEXT NOT NULL,
	PRIMARY KEY (issue_id, subscriber_id, n)
) STRICT, WITHOUT ROWID;

-- deliveries by state, brought up to date in the transaction that moves them.
CREATE TABLE issue_counts (
	issue_id INTEGER NOT NULL,
	state INTEGER NOT NULL,
	n INTEGER NOT NULL,
	PRIMARY KEY (issue_id, state)
) STRICT, WITHOUT ROWID;
