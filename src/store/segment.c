/* SPDX-License-Identifier: MIT */
#include "segment.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SQL_MAX = 256 * 1024 };

/* ---- the guard ---- */

/* What SQL of a segment may read. */
static const struct {
	const char *table, *columns;
} readable[] = {
	{"subscribers", " id email email_key first_name last_name attributes created_at "},
	{"subscriptions", " list_id subscriber_id status "},
	{"lists", " id slug "},
	{"issues", " id slug list_id state "},
	{"notices", " issue_id "},
	{"deliveries", " issue_id subscriber_id state "},
	{"clicks", " issue_id subscriber_id robot "},
	{"json_each", " value json root "},
};

static bool is_readable(const char *table, const char *column)
{
	char word[64];

	snprintf(word, sizeof word, " %s ", column);
	for (size_t i = 0; i < sizeof readable / sizeof *readable; i++)
		if (strcmp(table, readable[i].table) == 0)
			return !column[0] || strstr(readable[i].columns, word);
	return false;
}

static bool is_callable(const char *function)
{
	static const char functions[] =
		" coalesce date instr json_each json_extract length lower replace"
		" rtrim segment_day segment_number substr ";
	char word[64];

	snprintf(word, sizeof word, " %s ", function);
	return strstr(functions, word) != NULL;
}

static int guard(void *user, int action, const char *a, const char *b, const char *database,
	const char *trigger)
{
	bool ours = !database || strcmp(database, "main") == 0;

	(void)user, (void)trigger;
	switch (action) {
	case SQLITE_SELECT:
		return SQLITE_OK;
	case SQLITE_READ:
		return ours && is_readable(a, b) ? SQLITE_OK : SQLITE_DENY;
	case SQLITE_FUNCTION:
		return is_callable(b) ? SQLITE_OK : SQLITE_DENY;
	}
	return SQLITE_DENY;
}

/* One SELECT, and nothing behind it. */
static int prepare(struct store *s, struct str sql, sqlite3_stmt **st, struct err *e)
{
	const char *tail = NULL;
	int rc;

	*st = NULL;
	sqlite3_set_authorizer(s->db, guard, NULL);
	rc = sqlite3_prepare_v2(s->db, sql.p, (int)sql.n, st, &tail);
	sqlite3_set_authorizer(s->db, NULL, NULL);
	if (rc == SQLITE_OK && *st && tail == sql.p + sql.n && sqlite3_stmt_readonly(*st))
		return 0;
	sqlite3_finalize(*st);
	*st = NULL;
	return err_set(e, ERR_DENIED, "the database refused the SQL of a segment: %s",
		rc == SQLITE_OK ? "it is more than one SELECT" : sqlite3_errmsg(s->db));
}

static int bind(sqlite3_stmt *st, int64_t list, const struct segment_value *v, size_t n)
{
	int rc = sqlite3_bind_parameter_count(st) ? sqlite3_bind_int64(st, 1, list) : SQLITE_OK;

	for (size_t i = 0; i < n && rc == SQLITE_OK; i++)
		rc = v[i].type == SEGMENT_NUMBER
			     ? sqlite3_bind_double(st, (int)i + 2, v[i].number)
			     : sqlite3_bind_text64(st, (int)i + 2, v[i].text.p ? v[i].text.p : "",
				       v[i].text.n, SQLITE_STATIC, SQLITE_UTF8);
	return rc;
}

int segment_fill(struct store *s, struct str sql, int64_t list, const struct segment_value *v,
	size_t n, enum segment_set set, struct err *e)
{
	sqlite3_stmt *st = NULL;
	int rc = -1, step;
	bool own;

	if (tx_open(s, &own, e) < 0)
		return -1;
	if (db_run(s, "DELETE FROM temp.segments WHERE n = ?1", VALS(INT(set)), e) < 0 ||
		prepare(s, sql, &st, e) < 0)
		goto out;
	step = bind(st, list, v, n) == SQLITE_OK ? SQLITE_ROW : SQLITE_ERROR;
	while (step == SQLITE_ROW && (step = sqlite3_step(st)) == SQLITE_ROW)
		if (db_run(s, "INSERT INTO temp.segments (n, id) VALUES (?1, ?2)",
			    VALS(INT(set), INT(sqlite3_column_int64(st, 0))), e) < 0)
			goto out;
	rc = step == SQLITE_DONE ? 0 : db_fail(s, e);
out:
	sqlite3_finalize(st);
	return tx_close(s, own, rc, e);
}

/* ---- SQL functions ---- */

static struct str value_text(sqlite3_value *v)
{
	const char *p = (const char *)sqlite3_value_text(v);

	return (struct str){p ? p : "", p ? (size_t)sqlite3_value_bytes(v) : 0};
}

/* What reads as a number is one: "42", " 4.5 ". */
static void number(sqlite3_context *to, int argc, sqlite3_value **argv)
{
	struct str text = str_trim(value_text(argv[0]));
	char copy[40], *end;
	double d;

	(void)argc;
	if (!text.n || text.n >= sizeof copy || strspn(text.p, "+-.0123456789eE") < text.n)
		return;
	memcpy(copy, text.p, text.n);
	copy[text.n] = '\0';
	d = strtod(copy, &end);
	if (*end == '\0')
		sqlite3_result_double(to, d);
}

/* The day that a text begins with. */
static void day(sqlite3_context *to, int argc, sqlite3_value **argv)
{
	struct str text = value_text(argv[0]);
	int64_t part;

	(void)argc;
	if (text.n >= 10 && text.p[4] == '-' && text.p[7] == '-' &&
		str_to_int(str_slice(text, 0, 4), 0, 9999, &part) &&
		str_to_int(str_slice(text, 5, 7), 1, 12, &part) &&
		str_to_int(str_slice(text, 8, 10), 1, 31, &part))
		sqlite3_result_text(to, text.p, 10, SQLITE_TRANSIENT);
}

int segment_register(struct store *s)
{
	const int flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY;

	if (sqlite3_create_function(s->db, "segment_number", 1, flags, NULL, number, NULL, NULL) !=
			SQLITE_OK ||
		sqlite3_create_function(s->db, "segment_day", 1, flags, NULL, day, NULL, NULL) !=
			SQLITE_OK)
		return SQLITE_ERROR;
	/* json_each comes into being at its first use, by means that the guard refuses. */
	return sqlite3_exec(s->db,
		"CREATE TEMP TABLE segments (n INTEGER, id INTEGER, PRIMARY KEY (n, id))"
		" WITHOUT ROWID; SELECT 1 FROM json_each('[]')",
		NULL, NULL, NULL);
}

/* ---- from the tree to SQL ---- */

struct making {
	struct store *s;
	struct arena *a;
	int64_t list;
	struct buf sql;
	struct segment_value value[2 * SEGMENT_TESTS_MAX];
	size_t n;
	struct err *e;
};

/* The place of a parameter that has that value. */
static size_t parameter(struct making *m, enum segment_type type, struct str text)
{
	m->value[m->n] = (struct segment_value){type, text, 0};
	if (type == SEGMENT_NUMBER)
		m->value[m->n].number = strtod(arena_cstr(m->a, text), NULL);
	return 2 + m->n++;
}

/* Fields that are no attributes. */
static const struct {
	const char *name, *sql;
} fields[] = {
	{"email", "coalesce(s.email, s.email_key)"},
	{"domain", DOMAIN_OF("s.email_key")},
	{"first_name", "s.first_name"},
	{"last_name", "s.last_name"},
	{"created_at", "date(s.created_at, 'unixepoch')"},
	/* A file may have had it, which created_at does not follow once somebody is known. */
	{"signup_date", "coalesce(json_extract(s.attributes, '$.signup_date'),"
			" date(s.created_at, 'unixepoch'))"},
};
enum { FIELDS_N = sizeof fields / sizeof *fields };

/* What is asked of other tables; %zu is the place of the value. */
static const struct question {
	const char *name, *sql;
	const char *known; /* finds whether there is such a thing; NULL = any value will do */
} questions[] = {
	{"tag",
		"(EXISTS (SELECT 1 FROM json_each(s.attributes, '$.tags') WHERE lower(value) ="
		" lower(?%zu)) OR instr(',' || replace(lower(json_extract(s.attributes, '$.tags')),"
		" ', ', ',') || ',', ',' || lower(?%zu) || ',') > 0)",
		NULL},
	{"list",
		"EXISTS (SELECT 1 FROM lists JOIN subscriptions AS p ON p.list_id = lists.id"
		" WHERE lists.slug = ?%zu AND p.subscriber_id = s.id AND p.status = 1)",
		"SELECT 1 FROM lists WHERE slug = ?1"},
	{"status",
		"EXISTS (SELECT 1 FROM lists JOIN subscriptions AS p ON p.list_id = lists.id"
		" WHERE ?1 IN (0, lists.id) AND p.subscriber_id = s.id AND p.status = ?%zu)",
		NULL},
	{"received",
		"EXISTS (SELECT 1 FROM issues JOIN deliveries AS d ON d.issue_id = issues.id"
		" WHERE issues.slug = ?%zu AND d.subscriber_id = s.id AND d.state = 5)",
		"SELECT 1 FROM issues WHERE slug = ?1 LIMIT 1"},
	{"clicked",
		"EXISTS (SELECT 1 FROM issues JOIN clicks AS c ON c.issue_id = issues.id"
		" WHERE issues.slug = ?%zu AND c.subscriber_id = s.id AND c.robot = 0)",
		"SELECT 1 FROM issues WHERE slug = ?1 LIMIT 1"},
	{"clicked_any",
		"EXISTS (SELECT 1 FROM (SELECT id FROM issues WHERE ?1 IN (0, list_id) AND state "
		"<> 5"
		" AND id NOT IN (SELECT issue_id FROM notices) ORDER BY id DESC LIMIT ?%zu)"
		" AS last JOIN clicks AS c ON c.issue_id = last.id"
		" WHERE c.subscriber_id = s.id AND c.robot = 0)",
		NULL},
};
enum { QUESTIONS_N = sizeof questions / sizeof *questions };

/* An attribute by the place of its JSON path, which is a parameter. */
static int attribute(struct making *m, struct str name, char sql[64])
{
	const char **known, *near;
	size_t n;

	if (fields_get(m->s, m->a, &known, &n, m->e) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		if (str_eq(name, str_of(known[i]))) {
			snprintf(sql, 64, "json_extract(s.attributes, ?%zu)",
				parameter(m, SEGMENT_TEXT,
					str_of(arena_printf(m->a, "$.\"%.*s\"", STR_ARG(name)))));
			return 0;
		}
	near = str_nearest(name, known, n);
	return err_set(m->e, ERR_INPUT, "nobody has the field '%.*s' that the segment names%s%s%s",
		STR_ARG(name), near ? ": did you mean '" : "", near ? near : "", near ? "'?" : "");
}

static void compare(struct making *m, const struct segment *t, const char *field)
{
	static const char *const op[SEGMENT_OP_N] = {"=", "=", "<", "<=", ">", ">=", ""};
	size_t at = parameter(m, t->type, t->value);

	if (t->op == SEGMENT_NE)
		buf_cstr(&m->sql, "NOT ");
	if (t->op == SEGMENT_CONTAINS)
		buf_printf(&m->sql, "(instr(lower(coalesce(%s, '')), lower(?%zu)) > 0)", field, at);
	else if (t->type == SEGMENT_TEXT)
		buf_printf(&m->sql, "(coalesce(%s, '') || '' %s ?%zu COLLATE NOCASE)", field,
			op[t->op], at);
	else
		buf_printf(&m->sql, "coalesce(%s(%s) %s ?%zu, 0)",
			t->type == SEGMENT_DAY ? "segment_day" : "segment_number", field, op[t->op],
			at);
}

static int status_number(struct making *m, struct str word, struct str *number_text)
{
	for (int i = 0; i < SUBSCRIPTION_STATUS_N; i++)
		if (str_eq(word, str_of(subscription_status_name((enum subscription_status)i)))) {
			*number_text = str_of(arena_printf(m->a, "%d", i));
			return 0;
		}
	return err_set(m->e, ERR_INPUT,
		"there is no status '%.*s': the segment can ask for pending, subscribed, "
		"unsubscribed, bounced and complained",
		STR_ARG(word));
}

static int ask(struct making *m, const struct segment *t, const struct question *q)
{
	enum segment_type type = t->type;
	struct str value = t->value;
	int64_t one;
	size_t at;
	int rc = 1;

	if (q->known)
		rc = db_int(m->s, q->known, VALS(TEXT(value)), &one, m->e);
	if (rc == 0)
		return err_set(m->e, ERR_INPUT, "there is no %s '%.*s', which the segment names",
			str_eq(t->name, STR("list")) ? "list" : "issue", STR_ARG(value));
	if (str_eq(t->name, STR("status"))) {
		type = SEGMENT_NUMBER;
		rc = status_number(m, value, &value) < 0 ? -1 : 1;
	}
	if (rc < 0)
		return -1;
	at = parameter(m, type, value);
	if (t->op == SEGMENT_NE)
		buf_cstr(&m->sql, "NOT ");
	buf_cstr(&m->sql, "coalesce(");
	/* The pieces have one place or two, of the same value. */
	for (const char *p = q->sql, *end; *p; p = end) {
		end = strstr(p, "%zu");
		end = end ? end : p + strlen(p);
		buf_add(&m->sql, p, (size_t)(end - p));
		if (*end) {
			buf_printf(&m->sql, "%zu", at);
			end += 3;
		}
	}
	buf_cstr(&m->sql, ", 0)");
	return 0;
}

static int test(struct making *m, const struct segment *t)
{
	char sql[64];

	for (size_t i = 0; i < QUESTIONS_N; i++)
		if (str_eq(t->name, str_of(questions[i].name)))
			return ask(m, t, &questions[i]);
	for (size_t i = 0; i < FIELDS_N; i++)
		if (str_eq(t->name, str_of(fields[i].name))) {
			compare(m, t, fields[i].sql);
			return 0;
		}
	if (attribute(m, t->name, sql) < 0)
		return -1;
	compare(m, t, sql);
	return 0;
}

static int make(struct making *m, const struct segment *t)
{
	if (t->kind == SEGMENT_TEST || t->kind == SEGMENT_CALL)
		return test(m, t);
	buf_cstr(&m->sql, t->kind == SEGMENT_NOT ? "NOT (" : "(");
	if (make(m, t->left) < 0)
		return -1;
	if (t->kind != SEGMENT_NOT) {
		buf_cstr(&m->sql, t->kind == SEGMENT_AND ? " AND " : " OR ");
		if (make(m, t->right) < 0)
			return -1;
	}
	buf_char(&m->sql, ')');
	return 0;
}

int segment_find(struct store *s, const struct segment *segment, int64_t list, enum segment_set set,
	int64_t *n, struct err *e)
{
	struct arena a = {0};
	struct making m = {.s = s, .a = &a, .list = list, .e = e};
	int rc;

	buf_init(&m.sql, SQL_MAX);
	buf_cstr(&m.sql, "SELECT s.id FROM subscribers AS s");
	if (segment)
		buf_cstr(&m.sql, " WHERE ");
	rc = segment ? make(&m, segment) : 0;
	if (rc == 0)
		rc = segment_fill(s, buf_view(&m.sql), list, m.value, m.n, set, e);
	if (rc == 0 && db_int(s, "SELECT count(*) FROM temp.segments WHERE n = ?1", VALS(INT(set)),
			       n, e) < 0)
		rc = -1;
	buf_free(&m.sql);
	arena_free(&a);
	return rc;
}
