-- The journal of an import, for the readers whom it made: by far the most, and one row of import_rows for each was a
-- tenth of an import's time. Those of a slice stand in one row here; src/store/import_pack.c has the form. Once more
-- is to be said of one of them than that he was made, all of them become rows of import_rows.
CREATE TABLE import_packs (
	last INTEGER PRIMARY KEY, -- number of the last of them
	n INTEGER NOT NULL,       -- numbers up to it; not each was given to somebody
	import_id INTEGER NOT NULL,
	rows BLOB NOT NULL
) STRICT;
