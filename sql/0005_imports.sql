-- The journal of imports: what each row did, so that an import that breaks off leaves nothing and one that was
-- a mistake can be undone.
ALTER TABLE imports ADD COLUMN state INTEGER NOT NULL DEFAULT 2; -- 0 = reading, 1 = applying, 2 = done, 3 = undoing, 4 = undone
ALTER TABLE imports ADD COLUMN passed INTEGER NOT NULL DEFAULT 0; -- the last subscriber whom "applying" or "undoing" has come past
ALTER TABLE imports ADD COLUMN event_id INTEGER NOT NULL DEFAULT 0; -- the last event before it
ALTER TABLE imports ADD COLUMN hash TEXT NOT NULL DEFAULT ''; -- SHA-256 of the file's text, hex
ALTER TABLE imports ADD COLUMN proof TEXT NOT NULL DEFAULT ''; -- why those who had left may come back; '' = they may not
ALTER TABLE imports ADD COLUMN report TEXT NOT NULL DEFAULT ''; -- what was read as what, JSON
CREATE INDEX imports_unfinished ON imports (id) WHERE state IN (0, 1, 3);

-- One row for each reader whom an import changed.
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

CREATE TABLE import_rejects (
	import_id INTEGER NOT NULL,
	n INTEGER NOT NULL, -- 1, 2, ... in the order of the file
	line INTEGER NOT NULL,
	reason TEXT NOT NULL,
	PRIMARY KEY (import_id, n)
) STRICT, WITHOUT ROWID;
