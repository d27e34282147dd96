-- What pacing and care for reputation need: lanes, rates, stages.

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
INSERT INTO issue_care SELECT id, (SELECT count(*) FROM deliveries WHERE issue_id = id), due_at, 'UTC',
	'', 0, 9223372036854775807, '', 0, 0, NULL, NULL FROM issues;
