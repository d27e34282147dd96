/* SPDX-License-Identifier: MIT */
#include "batch.h"

static const char declaration[] =
	"CREATE TABLE batch (key, email, first_name, last_name, attributes, status, line,"
	" suppressed, found, created_at, suppress, lifted, detail, again)";
enum column {
	KEY,
	EMAIL,
	FIRST_NAME,
	LAST_NAME,
	ATTRIBUTES,
	STATUS,
	LINE,
	SUPPRESSED,
	FOUND,
	CREATED_AT,
	SUPPRESS,
	LIFTED,
	DETAIL,
	AGAIN,
};

struct table {
	sqlite3_vtab base;
	const struct batch *batch;
};

struct cursor {
	sqlite3_vtab_cursor base;
	const struct batch *batch;
	size_t at;
};

static int table_connect(
	sqlite3 *db, void *aux, int argc, const char *const *argv, sqlite3_vtab **out, char **why)
{
	struct table *t = sqlite3_malloc(sizeof *t);
	int rc;

	(void)argc, (void)argv, (void)why;
	if (!t)
		return SQLITE_NOMEM;
	*t = (struct table){.batch = aux};
	rc = sqlite3_declare_vtab(db, declaration);
	if (rc != SQLITE_OK) {
		sqlite3_free(t);
		return rc;
	}
	*out = &t->base;
	return SQLITE_OK;
}

static int table_disconnect(sqlite3_vtab *base)
{
	sqlite3_free(base);
	return SQLITE_OK;
}

/* Always read from first to last. */
static int table_best_index(sqlite3_vtab *base, sqlite3_index_info *info)
{
	(void)base;
	info->estimatedCost = 100000;
	info->estimatedRows = 100000;
	return SQLITE_OK;
}

static int cursor_open(sqlite3_vtab *base, sqlite3_vtab_cursor **out)
{
	struct cursor *c = sqlite3_malloc(sizeof *c);

	if (!c)
		return SQLITE_NOMEM;
	*c = (struct cursor){.batch = ((struct table *)base)->batch};
	*out = &c->base;
	return SQLITE_OK;
}

static int cursor_close(sqlite3_vtab_cursor *base)
{
	sqlite3_free(base);
	return SQLITE_OK;
}

static int cursor_filter(
	sqlite3_vtab_cursor *base, int plan, const char *name, int argc, sqlite3_value **argv)
{
	(void)plan, (void)name, (void)argc, (void)argv;
	((struct cursor *)base)->at = 0;
	return SQLITE_OK;
}

/* The texts of sorted rows lie anywhere in memory: they are on their way before they are asked for. */
enum { AHEAD = 4 };

static int cursor_next(sqlite3_vtab_cursor *base)
{
	struct cursor *c = (struct cursor *)base;

	if (++c->at + AHEAD < c->batch->n) {
		const struct import_row *row = &c->batch->row[c->at + AHEAD];

		__builtin_prefetch(row->key.p);
		__builtin_prefetch(row->first_name.p);
		__builtin_prefetch(row->attributes.p);
	}
	return SQLITE_OK;
}

static int cursor_eof(sqlite3_vtab_cursor *base)
{
	const struct cursor *c = (const struct cursor *)base;

	return c->at >= c->batch->n;
}

static int cursor_rowid(sqlite3_vtab_cursor *base, sqlite3_int64 *out)
{
	*out = (sqlite3_int64)((struct cursor *)base)->at;
	return SQLITE_OK;
}

static void text(sqlite3_context *to, struct str s)
{
	sqlite3_result_text64(to, s.p ? s.p : "", s.n, SQLITE_STATIC, SQLITE_UTF8);
}

static void text_or_null(sqlite3_context *to, struct str s, bool none)
{
	if (none || !s.n)
		sqlite3_result_null(to);
	else
		text(to, s);
}

static int cursor_column(sqlite3_vtab_cursor *base, sqlite3_context *to, int column)
{
	const struct cursor *c = (const struct cursor *)base;
	const struct import_row *row = &c->batch->row[c->at];
	const struct batch_mark *mark = &c->batch->mark[c->at];

	switch ((enum column)column) {
	case KEY:
		text(to, row->key);
		break;
	case EMAIL:
		text_or_null(to, row->email, str_eq(row->email, row->key));
		break;
	case FIRST_NAME:
		text(to, row->first_name);
		break;
	case LAST_NAME:
		text(to, row->last_name);
		break;
	case ATTRIBUTES:
		text_or_null(to, row->attributes, str_eq(row->attributes, STR("{}")));
		break;
	case STATUS:
		sqlite3_result_int(to, (int)row->status);
		break;
	case LINE:
		sqlite3_result_int64(to, (sqlite3_int64)row->line);
		break;
	case SUPPRESSED:
		sqlite3_result_int(to, mark->suppressed);
		break;
	case FOUND:
		sqlite3_result_int(to, mark->found);
		break;
	case CREATED_AT:
		if (row->created_at)
			sqlite3_result_int64(to, row->created_at);
		break;
	case AGAIN:
		sqlite3_result_int(to, row->again);
		break;
	case SUPPRESS:
		text_or_null(to, row->suppress, false);
		break;
	case LIFTED:
		text_or_null(to, mark->lifted, false);
		break;
	case DETAIL:
		text_or_null(to, row->detail, false);
		break;
	}
	return SQLITE_OK;
}

int batch_register(sqlite3 *db, const struct batch *b)
{
	static const sqlite3_module module = {
		.xConnect = table_connect,
		.xDisconnect = table_disconnect,
		.xBestIndex = table_best_index,
		.xOpen = cursor_open,
		.xClose = cursor_close,
		.xFilter = cursor_filter,
		.xNext = cursor_next,
		.xEof = cursor_eof,
		.xColumn = cursor_column,
		.xRowid = cursor_rowid,
	};

	return sqlite3_create_module_v2(db, "batch", &module, (void *)b, NULL);
}
