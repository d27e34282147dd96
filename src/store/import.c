/* SPDX-License-Identifier: MIT */
#include "import_run.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Beginning and ending an import. */

enum { ERASED_MAX = 64 * 1024 * 1024 };

static int begin(struct import *i, const struct import_start *start, struct err *e)
{
	if (i->dry_run)
		return 0;
	if (db_run(i->s,
		    "INSERT INTO imports (list_id, file, at, rows, added, updated, unchanged,"
		    " rejected, suppressed, state, event_id, proof)"
		    " VALUES (?1, ?2, ?3, 0, 0, 0, 0, 0, 0, ?4,"
		    " (SELECT coalesce(max(id), 0) FROM events), ?5)",
		    VALS(INT(i->list), TEXT(start->file), INT(i->now), INT(IMPORT_READING),
			    TEXT(i->proof)),
		    e) < 0)
		return -1;
	i->id = sqlite3_last_insert_rowid(i->s->db);
	return 0;
}

static void end(struct import *i)
{
	i->s->batch.n = 0;
	if (i->lock >= 0) {
		import_pace(i->s, true, NULL);
		close(i->lock);
	}
	arena_free(&i->a);
	arena_free(&i->names);
	buf_free(&i->erased);
	free(i->mark);
	free(i);
}

/* What an import needs that is to change something: nobody else's at the same time, nothing left of an earlier
 * one. */
static int begin_writing(struct import *i, struct err *e)
{
	bool finished;
	int64_t id;
	int rc;

	if (import_recover(i->s, i->now, &id, &finished, e) < 0)
		return -1;
	rc = import_lock(i->s, &i->lock, e);
	if (rc == 0)
		return err_set(e, ERR_BUSY,
			"another import is under way: wait until it has ended, 'lettermill import "
			"ls' then shows it");
	return rc < 0 ? -1 : 0;
}

int import_begin(
	struct store *s, const struct import_start *start, struct import **out, struct err *e)
{
	struct import *i = calloc(1, sizeof *i);

	*out = NULL;
	if (!i)
		return err_set(e, ERR_IO, "out of memory");
	*i = (struct import){.s = s,
		.list = start->list,
		.now = start->now,
		.dry_run = start->dry_run,
		.progress = start->progress,
		.user = start->user,
		.lock = -1};
	buf_init(&i->erased, ERASED_MAX);
	i->proof = arena_str(&i->names, start->proof);
	if ((!i->dry_run && begin_writing(i, e) < 0) || begin(i, start, e) < 0 ||
		(!i->dry_run && import_pace(s, false, e) < 0)) {
		end(i);
		return -1;
	}
	*out = i;
	return 0;
}

static int take_back(struct import *i, struct err *e)
{
	struct import_undone undone;

	if (i->dry_run)
		return 0;
	store_rollback(i->s);
	if (import_take_back(i->s, i->id, i->now, &undone, e) < 0)
		return -1;
	return import_forget(i->s, i->id, e);
}

void import_rollback(struct import *i, struct import_counts *out)
{
	if (!i)
		return;
	if (out)
		*out = i->counts;
	/* Should that fail, import_recover() does it. */
	take_back(i, NULL);
	end(i);
}

static int put_erased(struct import *i, struct err *e)
{
	struct suppression one = {.reason = STR("erased"), .at = i->now};

	for (size_t at = 0; at < i->erased.n; at += sizeof one.hash) {
		memcpy(one.hash, i->erased.p + at, sizeof one.hash);
		if (suppression_put_hash(i->s, SUPPRESSION_SHA512, &one, e) < 0)
			return -1;
	}
	return 0;
}

static int decide(struct import *i, struct str hash, struct str report, struct err *e)
{
	struct import_counts *c = &i->counts;

	if (import_pace(i->s, true, e) < 0 || store_begin(i->s, e) < 0)
		return -1;
	for (size_t at = 0; at < i->field_n; at++)
		if (field_add(i->s, i->field[at], e) < 0)
			return -1;
	if (db_run(i->s,
		    "UPDATE imports SET rows = ?2, added = ?3, updated = ?4, unchanged = ?5,"
		    " rejected = ?6, suppressed = ?7, state = ?8, hash = ?9, report = ?10 WHERE id "
		    "= ?1",
		    VALS(INT(i->id), INT(c->rows), INT(c->added), INT(c->updated),
			    INT(c->unchanged), INT(c->rejected), INT(c->suppressed),
			    INT(IMPORT_APPLYING), TEXT(hash), TEXT(report)),
		    e) < 0 ||
		put_erased(i, e) < 0)
		return -1;
	return store_commit(i->s, e);
}

int import_commit(struct import *i, struct str hash, struct str report, int64_t *id,
	struct import_counts *out, struct err *e)
{
	int rc = decide(i, hash, report, e);

	*id = i->id;
	*out = i->counts;
	if (rc < 0)
		take_back(i, NULL);
	else if (import_apply(i->s, i->id, i, e) < 0)
		rc = err_prefix(e, "the next command will finish import %lld: ", (long long)i->id);
	end(i);
	return rc;
}

int import_fields(struct import *i, const struct str *names, size_t n, struct err *e)
{
	struct str *field = arena_array(&i->names, i->field_n + n, sizeof *field);

	(void)e;
	if (i->field_n)
		memcpy(field, i->field, i->field_n * sizeof *field);
	if (n)
		memcpy(field + i->field_n, names, n * sizeof *field);
	i->field = field;
	i->field_n += n;
	return 0;
}

int import_reject(struct import *i, uint64_t line, struct str reason, struct err *e)
{
	i->counts.rows++;
	i->counts.rejected++;
	if (i->dry_run)
		return 0;
	return db_run(i->s,
		"INSERT INTO import_rejects (import_id, n, line, reason) VALUES (?1, ?2, ?3, ?4)",
		VALS(INT(i->id), INT(i->counts.rejected), INT((int64_t)line), TEXT(reason)), e);
}

int import_erased(struct import *i, const unsigned char hash[SUPPRESSION_HASH_SIZE], struct err *e)
{
	if (!i->dry_run)
		buf_add(&i->erased, hash, SUPPRESSION_HASH_SIZE);
	return i->erased.over ? err_set(e, ERR_INPUT, "the file has too many erased people") : 0;
}
