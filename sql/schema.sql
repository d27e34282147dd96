-- The newest schema: the sum of the numbered migrations beside it (a test compares them). Instants are
-- Unix seconds (UTC). Numbers of states and statuses are those of mail/verdict.h, store/ledger.h and
-- store/people.h. In every table that grows with the audience the columns that are usually empty cost
-- one octet each.

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
, public INTEGER NOT NULL DEFAULT 1, welcome INTEGER NOT NULL DEFAULT 0, goodbye INTEGER NOT NULL DEFAULT 0, clicks INTEGER NOT NULL DEFAULT 0) STRICT; -- public: it has a form to subscribe and an
-- archive; welcome, goodbye: who comes or leaves gets a mail; clicks: those on its links are counted

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
, paused_until INTEGER) STRICT; -- paused_until: the reader wants no issues before; NULL = wants them
-- Other spellings of an address: those with capitals, by what they are without.
CREATE INDEX subscribers_cased ON subscribers (lower(email_key)) WHERE email_key <> lower(email_key);

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
, source TEXT NOT NULL DEFAULT '') STRICT, WITHOUT ROWID; -- source: what it came from, in words

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
, state INTEGER NOT NULL DEFAULT 2, passed INTEGER NOT NULL DEFAULT 0, event_id INTEGER NOT NULL DEFAULT 0, hash TEXT NOT NULL DEFAULT '', proof TEXT NOT NULL DEFAULT '', report TEXT NOT NULL DEFAULT '') STRICT; -- state: 0 = reading,
-- 1 = applying, 2 = done, 3 = undoing, 4 = undone; passed: the last subscriber whom "applying" or "undoing" has come past;
-- event_id: the last event before it; hash: SHA-256 of the file's text, hex; proof: why those who had left may come
-- back, '' = they may not; report: what was read as what, JSON

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

-- Where copies queue up: a provider, whose number is its lane's (mail/provider.h, below 64), or a large
-- domain, in this table. Once a lane, always a lane. Lane 0 is that of all small domains.
CREATE TABLE lanes (
	id INTEGER PRIMARY KEY,
	name TEXT NOT NULL UNIQUE
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
	reason INTEGER, relay_id INTEGER, lane INTEGER NOT NULL DEFAULT 0,                      -- why it was skipped
	PRIMARY KEY (issue_id, subscriber_id)
) STRICT, WITHOUT ROWID;
-- What is due: queued and deferred.
CREATE INDEX deliveries_due ON deliveries (issue_id, lane, due_at) WHERE state IN (0, 3);
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

-- deliveries by state and lane, brought up to date in the transaction that moves them.
CREATE TABLE issue_counts (
	issue_id INTEGER NOT NULL,
	state INTEGER NOT NULL,
	lane INTEGER NOT NULL,
	n INTEGER NOT NULL,
	PRIMARY KEY (issue_id, state, lane)
) STRICT, WITHOUT ROWID;

-- ---- returned mail ----

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

-- What care for reputation knows of an issue: its window, its stages. Written at the freeze.
CREATE TABLE issue_care (
	issue_id INTEGER PRIMARY KEY,
	copies INTEGER NOT NULL,
	due_last INTEGER NOT NULL,   -- the latest due_at of a copy at the freeze
	zone TEXT NOT NULL,          -- time zone of the window
	hours TEXT NOT NULL,         -- the window, "06:00-22:00"; empty = none
	open_from INTEGER NOT NULL,  -- copies leave from then ...
	open_until INTEGER NOT NULL, -- ... until then; then the next window is looked up
	shares TEXT NOT NULL,        -- sizes of the stages, "1%,10%"
	stage_wait INTEGER NOT NULL, -- seconds between them
	stage INTEGER NOT NULL,
	ceiling INTEGER,             -- copies that may have been begun in this stage; NULL = all
	settled_at INTEGER           -- when the last copy of the stage had its answer
) STRICT;

-- Outcomes since the operator last said "send", by lane; lane -1 is the whole issue.
CREATE TABLE care (
	issue_id INTEGER NOT NULL,
	lane INTEGER NOT NULL,
	tries INTEGER NOT NULL,
	blocked INTEGER NOT NULL,
	sent INTEGER NOT NULL,
	refused INTEGER NOT NULL,
	hard INTEGER NOT NULL,
	complaints INTEGER NOT NULL,
	recent BLOB NOT NULL,        -- the last outcomes (mail/care.h)
	PRIMARY KEY (issue_id, lane)
) STRICT, WITHOUT ROWID;

-- All refusals and reports by reason (mail/classify.h); reason -1 is a complaint.
CREATE TABLE issue_reasons (
	issue_id INTEGER NOT NULL,
	reason INTEGER NOT NULL,
	n INTEGER NOT NULL,
	PRIMARY KEY (issue_id, reason)
) STRICT, WITHOUT ROWID;

-- What pacing remembers of a relay beside its pauses (mail/pacer.h).
CREATE TABLE relay_pace (
	relay_id INTEGER PRIMARY KEY REFERENCES relays,
	probe_until INTEGER NOT NULL, -- a worker tries it after a pause; 0 = nobody does
	free_us INTEGER NOT NULL,     -- when its rate lets the next message go, microseconds
	warm_day INTEGER NOT NULL,    -- days since 1970 of its last message
	warm_used INTEGER NOT NULL,   -- messages on that day
	warm_level INTEGER NOT NULL,  -- how often its cap has grown
	down_since INTEGER NOT NULL   -- when the first of its pauses without a success in between began
) STRICT;

-- Messages of a relay within its last hour (span 0, slots of 150 s) and day (span 1, 900 s).
CREATE TABLE relay_counts (
	relay_id INTEGER NOT NULL REFERENCES relays,
	span INTEGER NOT NULL,
	slot INTEGER NOT NULL,        -- Unix time / length of the slot
	n INTEGER NOT NULL,
	PRIMARY KEY (relay_id, span, slot)
) STRICT, WITHOUT ROWID;

-- What pacing remembers of a lane.
CREATE TABLE lane_pace (
	lane INTEGER PRIMARY KEY,
	free_us INTEGER NOT NULL,
	strike_1 INTEGER NOT NULL,    -- when the last replies about rate or block came, 0 = never
	strike_2 INTEGER NOT NULL,
	strike_3 INTEGER NOT NULL,
	acted_at INTEGER NOT NULL,    -- when it last became slower
	wait_until INTEGER NOT NULL,
	hold_until INTEGER NOT NULL,  -- until then it goes at per_minute, then faster
	per_minute INTEGER NOT NULL,  -- 0 = not slowed
	at_once INTEGER NOT NULL,
	at_once_until INTEGER NOT NULL,
	blocks INTEGER NOT NULL,      -- pauses for a block since it was free
	throttled INTEGER NOT NULL,   -- replies about rate or block, ever
	refused_at INTEGER NOT NULL,  -- the last reply that refused a copy or put it off; 0 = none
	refused_code INTEGER NOT NULL,
	refused_words TEXT NOT NULL
) STRICT;

-- How far the database has seen the send journal of an issue (store/journal.h).
CREATE TABLE journals (
	issue_id INTEGER PRIMARY KEY,
	file BLOB NOT NULL,    -- which file it was: a random number in its head
	seen INTEGER NOT NULL  -- octets of it
) STRICT;

-- ---- public pages ----

-- Issues that are no issues: their copies ask readers to confirm, or welcome them, or say goodbye. One for each
-- kind, list, language and day, and for the first, second, ... request to confirm that a reader gets on that day.
CREATE TABLE notices (
	issue_id INTEGER PRIMARY KEY,
	kind INTEGER NOT NULL, -- 1 = confirm, 2 = welcome, 3 = goodbye
	list_id INTEGER NOT NULL REFERENCES lists,
	lang TEXT NOT NULL,
	day INTEGER NOT NULL, -- since 1970-01-01
	n INTEGER NOT NULL,
	UNIQUE (kind, list_id, lang, day, n)
) STRICT;

-- Forms that were sent: what confirmations are counted by, and where the consent comes from when they
-- are answered. The unanswered ones are dropped after a while.
CREATE TABLE asks (
	id INTEGER PRIMARY KEY,
	at INTEGER NOT NULL,
	list_id INTEGER NOT NULL REFERENCES lists,
	subscriber_id INTEGER,    -- NULL = of an address that is not to be written to
	issue_id INTEGER,         -- of the confirmation; NULL = none was sent
	used_at INTEGER,          -- when it was answered
	client TEXT NOT NULL,     -- address of the browser
	network TEXT NOT NULL,    -- what counts as one client
	first_name TEXT NOT NULL,
	form TEXT NOT NULL,       -- which form, in which language
	words TEXT NOT NULL       -- what it said
) STRICT;
CREATE INDEX asks_at ON asks (at);
CREATE INDEX asks_network ON asks (network, at);
CREATE INDEX asks_subscriber ON asks (subscriber_id, at) WHERE subscriber_id IS NOT NULL;

-- Where the links of an issue lead whose list counts clicks.
CREATE TABLE links (
	issue_id INTEGER NOT NULL REFERENCES issues,
	n INTEGER NOT NULL, -- from 1, in the order of the issue
	url TEXT NOT NULL,
	PRIMARY KEY (issue_id, n)
) STRICT, WITHOUT ROWID;

-- One row for each reader and link, however often it is followed.
CREATE TABLE clicks (
	issue_id INTEGER NOT NULL,
	n INTEGER NOT NULL,
	subscriber_id INTEGER NOT NULL,
	at INTEGER NOT NULL,    -- the last one
	robot INTEGER NOT NULL, -- 1 = nothing but robots was seen
	PRIMARY KEY (issue_id, subscriber_id, n)
) STRICT, WITHOUT ROWID;

-- ---- the journal of imports ----

CREATE INDEX imports_unfinished ON imports (id) WHERE state IN (0, 1, 3);

-- One row for each reader whom an import changed, but for those in import_packs.
CREATE TABLE import_rows (
	import_id INTEGER NOT NULL,
	subscriber_id INTEGER NOT NULL,
	line INTEGER NOT NULL,
	created INTEGER NOT NULL, -- 1 = the import made the subscriber
	status INTEGER,           -- that it gives on its list; NULL = that stays
	status_before INTEGER,    -- NULL = was not on the list
	detail TEXT,              -- for the consent
	suppress TEXT,            -- the reason for which it suppresses the address
	lifted TEXT,              -- the reason of the suppression that it lifts
	before TEXT,              -- the reader's own data before it, JSON; NULL = that stays
	kept INTEGER,             -- after undoing: what was left as it is, and why, in bits (src/store/import_undo.c)
	PRIMARY KEY (import_id, subscriber_id)
) STRICT, WITHOUT ROWID;

-- The same of the readers whom an import made, those of a slice in one row; src/store/import_pack.c has the form.
CREATE TABLE import_packs (
	last INTEGER PRIMARY KEY, -- number of the last of them
	n INTEGER NOT NULL,       -- numbers up to it; not each was given to somebody
	import_id INTEGER NOT NULL,
	rows BLOB NOT NULL
) STRICT;

CREATE TABLE import_rejects (
	import_id INTEGER NOT NULL,
	n INTEGER NOT NULL, -- 1, 2, ... in the order of the file
	line INTEGER NOT NULL,
	reason TEXT NOT NULL,
	PRIMARY KEY (import_id, n)
) STRICT, WITHOUT ROWID;

-- The rows of an import of which nothing came, because the reader had left or the address is suppressed.
CREATE TABLE import_left (
	import_id INTEGER NOT NULL,
	n INTEGER NOT NULL, -- 1, 2, ... in the order of the slices
	rows TEXT NOT NULL, -- those of a slice, JSON: [[line, "unsubscribed"], [line, "suppressed (bounce)"], ...]
	PRIMARY KEY (import_id, n)
) STRICT;
