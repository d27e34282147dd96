/* SPDX-License-Identifier: MIT */
#include "db.h"
#include "store/pages.h"

#include <string.h>

/* Issues as everybody may read them: those that have begun to leave. */

#define ARCHIVED                                                                                   \
	" FROM issues WHERE list_id = ?1 AND state IN (1, 3)"                                      \
	" AND NOT EXISTS (SELECT 1 FROM notices WHERE issue_id = issues.id)"

static void row(sqlite3_stmt *st, bool whole, struct arena *a, struct issue *out)
{
	struct str uuid = db_text(st, 3);

	*out = (struct issue){
		.id = sqlite3_column_int64(st, 0),
		.slug = db_copy(st, 1, a),
		.subject = db_copy(st, 2, a),
		.due_at = sqlite3_column_int64(st, 4),
	};
	if (uuid.n == sizeof out->uuid)
		memcpy(out->uuid, uuid.p, sizeof out->uuid);
	if (!whole)
		return;
	out->source = db_copy(st, 5, a);
	out->program = db_copy(st, 6, a);
}

static void like(struct str words, struct buf *out)
{
	buf_char(out, '%');
	for (size_t i = 0; i < words.n; i++) {
		if (words.p[i] == '%' || words.p[i] == '_' || words.p[i] == '\\')
			buf_char(out, '\\');
		buf_char(out, words.p[i]);
	}
	buf_char(out, '%');
}

int archive_get(struct store *s, int64_t list, struct str words, size_t skip, size_t limit,
	bool whole, struct arena *a, struct issue **out, size_t *n, struct err *e)
{
	static const char heads[] =
		"SELECT id, slug, subject, uuid, due_at" ARCHIVED
		" AND (?2 = '%%' OR subject LIKE ?2 ESCAPE '\\' OR source LIKE ?2 ESCAPE '\\')"
		" ORDER BY due_at DESC, id DESC LIMIT ?3 OFFSET ?4";
	static const char all[] =
		"SELECT id, slug, subject, uuid, due_at, source, program" ARCHIVED
		" AND (?2 = '%%' OR subject LIKE ?2 ESCAPE '\\' OR source LIKE ?2 ESCAPE '\\')"
		" ORDER BY due_at DESC, id DESC LIMIT ?3 OFFSET ?4";
	sqlite3_stmt *st;
	struct buf what;
	int rc = -1;

	*n = 0;
	*out = arena_array(a, limit, sizeof **out);
	buf_init(&what, 2 * words.n + 2);
	like(words, &what);
	if (db_query(s, whole ? all : heads,
		    VALS(INT(list), TEXT(buf_view(&what)), INT((int64_t)limit), INT((int64_t)skip)),
		    &st, e) == 0)
		while ((rc = db_row(s, st, e)) == 1)
			row(st, whole, a, &(*out)[(*n)++]);
	buf_free(&what);
	return rc;
}

int archive_issue(struct store *s, int64_t list, struct str slug, struct arena *a,
	struct issue *out, struct err *e)
{
	sqlite3_stmt *st;
	int rc;

	if (db_query(s,
		    "SELECT id, slug, subject, uuid, due_at, source, program" ARCHIVED
		    " AND slug = ?2",
		    VALS(INT(list), TEXT(slug)), &st, e) < 0)
		return -1;
	rc = db_row(s, st, e);
	if (rc == 1) {
		row(st, true, a, out);
		db_end(st);
	}
	return rc;
}
