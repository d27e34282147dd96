-- The rows of an import of which nothing came, because the reader had left or the address is suppressed.
CREATE TABLE import_left (
	import_id INTEGER NOT NULL,
	n INTEGER NOT NULL, -- 1, 2, ... in the order of the slices
	rows TEXT NOT NULL, -- those of a slice, JSON: [[line, "unsubscribed"], [line, "suppressed (bounce)"], ...]
	PRIMARY KEY (import_id, n)
) STRICT;
