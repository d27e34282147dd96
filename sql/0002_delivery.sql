-- What pacing and care for reputation need: lanes, rates, stages.

-- Where copies queue up: a provider, whose number is its lane's (mail/provider.h, below 64), or a large
-- domain, in this table. Once a lane, always a lane. Lane 0 is that of all small domains.
CREATE TABLE lanes (
	id INTEGER PRIMARY KEY,
	name TEXT NOT NULL UNIQUE
) STRICT;

-- The relay it was last intended for: what is in doubt goes there again or nowhere.
ALTER TABLE deliveries ADD COLUMN relay_id INTEGER;
ALTER TABLE deliveries ADD COLUMN lane INTEGER NOT NULL DEFAULT 0;
-- What is due: queued and deferred.
DROP INDEX deliveries_due;
CREATE INDEX deliveries_due ON deliveries (issue_id, lane, due_at) WHERE state IN (0, 3);

-- deliveries by state and lane, brought up to date in the transaction that moves them.
ALTER TABLE issue_counts RENAME TO issue_counts_1;
CREATE TABLE issue_counts (
	issue_id INTEGER NOT NULL,
	state INTEGER NOT NULL,
	lane INTEGER NOT NULL,
	n INTEGER NOT NULL,
	PRIMARY KEY (issue_id, state, lane)
) STRICT, WITHOUT ROWID;
INSERT INTO issue_counts SELECT issue_id, state, 0, n FROM issue_counts_1;
DROP TABLE issue_counts_1;

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

INSERT INTO issue_care SELECT id, (SELECT count(*) FROM deliveries WHERE issue_id = id), due_at, 'UTC',
	'', 0, 9223372036854775807, '', 0, 0, NULL, NULL FROM issues;
