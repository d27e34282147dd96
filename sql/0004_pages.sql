-- The public pages: forms, confirmations, links.

-- A public list has a form to subscribe and an archive.
ALTER TABLE lists ADD COLUMN public INTEGER NOT NULL DEFAULT 1;

-- Who subscribes or leaves on the public pages gets a mail that says so.
ALTER TABLE lists ADD COLUMN welcome INTEGER NOT NULL DEFAULT 0;
ALTER TABLE lists ADD COLUMN goodbye INTEGER NOT NULL DEFAULT 0;

-- Clicks on the links of its issues are counted.
ALTER TABLE lists ADD COLUMN clicks INTEGER NOT NULL DEFAULT 0;

-- Until then the reader wants no issues; NULL = wants them.
ALTER TABLE subscribers ADD COLUMN paused_until INTEGER;

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
