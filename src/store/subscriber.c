/* SPDX-License-Identifier: MIT */
#include "db.h"
#include "store/people.h"

#include <jansson.h>
#include <stdlib.h>

/* ---- attributes ---- */

static json_t *object_of(struct str text, struct err *e)
{
	json_error_t why;
	json_t *object = json_loadb(text.p ? text.p : "", text.n, JSON_REJECT_DUPLICATES, &why);

	if (json_is_object(object))
		return object;
	err_set(e, ERR_INPUT, "the attributes '%.*s' are no JSON object", STR_ARG(text));
	json_decref(object);
	return NULL;
}

int attributes_merge(struct arena *a, struct str old, struct str add, struct str *out,
	bool *changed, struct err *e)
{
	json_t *whole = NULL, *more = NULL, *before = NULL, *value;
	const char *name;
	char *text = NULL;
	int rc = -1;

	*out = old;
	*changed = false;
	if (!add.n || str_eq(old, add))
		return 0;
	more = object_of(add, e);
	whole = more ? object_of(old.n ? old : STR("{}"), e) : NULL;
	before = whole ? json_copy(whole) : NULL;
	if (!before || json_object_update(whole, more) < 0)
		goto out;
	json_object_foreach(more, name, value)
	{
		if (json_is_null(value))
			json_object_del(whole, name);
	}
	rc = 0;
	*changed = !json_equal(before, whole);
	if (!*changed)
		goto out;
	text = json_dumps(whole, JSON_COMPACT);
	*out = arena_str(a, str_of(text));
out:
	free(text);
	json_decref(before);
	json_decref(whole);
	json_decref(more);
	return rc;
}

struct val attributes_val(struct str attributes)
{
	return db_text_or_null(str_eq(attributes, STR("{}")) ? STR("") : attributes);
}

int field_add(struct store *s, struct str name, struct err *e)
{
	return db_run(s, "INSERT INTO fields (name) VALUES (?1) ON CONFLICT DO NOTHING",
		VALS(TEXT(name)), e);
}

int fields_note(struct store *s, struct str attributes, struct err *e)
{
	json_t *object, *value;
	const char *name;
	int rc = 0;

	if (!attributes.n)
		return 0;
	object = object_of(attributes, e);
	if (!object)
		return -1;
	json_object_foreach(object, name, value)
	{
		if (rc == 0 && !json_is_null(value))
			rc = field_add(s, str_of(name), e);
	}
	json_decref(object);
	return rc;
}

int fields_get(struct store *s, struct arena *a, const char ***out, size_t *n, struct err *e)
{
	sqlite3_stmt *st;
	int64_t count = 0;
	int rc;

	*n = 0;
	if (db_int(s, "SELECT count(*) FROM fields", NULL, &count, e) < 0 ||
		db_query(s, "SELECT name FROM fields ORDER BY name LIMIT ?1", VALS(INT(count)), &st,
			e) < 0)
		return -1;
	*out = arena_array(a, (size_t)count + 1, sizeof **out);
	while ((rc = db_row(s, st, e)) == 1)
		(*out)[(*n)++] = arena_cstr(a, db_text(st, 0));
	return rc;
}

/* ---- reading ---- */

#define SUBSCRIBER_COLUMNS                                                                         \
	"SELECT id, coalesce(email, email_key), first_name, last_name,"                            \
	" coalesce(attributes, '{}'), created_at FROM subscribers"

static void subscriber_row(sqlite3_stmt *st, struct subscriber *out)
{
	*out = (struct subscriber){
		.id = sqlite3_column_int64(st, 0),
		.email = db_text(st, 1),
		.first_name = db_text(st, 2),
		.last_name = db_text(st, 3),
		.attributes = db_text(st, 4),
		.created_at = sqlite3_column_int64(st, 5),
	};
}

/* 1, 0 when there is none, or -1. */
static int look_up(
	struct store *s, struct str key, struct arena *a, struct subscriber *out, struct err *e)
{
	sqlite3_stmt *st;
	int rc;

	if (db_query(s, SUBSCRIBER_COLUMNS " WHERE email_key = ?1", VALS(TEXT(key)), &st, e) < 0)
		return -1;
	rc = db_row(s, st, e);
	if (rc != 1)
		return rc;
	subscriber_row(st, out);
	out->email = arena_str(a, out->email);
	out->first_name = arena_str(a, out->first_name);
	out->last_name = arena_str(a, out->last_name);
	out->attributes = arena_str(a, out->attributes);
	db_end(st);
	return 1;
}

int subscriber_get(
	struct store *s, struct str key, struct arena *a, struct subscriber *out, struct err *e)
{
	int rc = look_up(s, key, a, out, e);

	if (rc == 0)
		err_set(e, ERR_MISSING, "there is no subscriber '%.*s'", STR_ARG(key));
	return rc == 1 ? 0 : -1;
}

int subscriber_respell(struct store *s, struct arena *a, struct str *key, struct err *e)
{
	sqlite3_stmt *st;
	int rc;

	if (db_query(s,
		    "SELECT email_key FROM subscribers WHERE email_key IN (?1, lower(?1))"
		    " OR (lower(email_key) = lower(?1) AND email_key <> lower(email_key))"
		    " ORDER BY email_key <> ?1, id LIMIT 1",
		    VALS(TEXT(*key)), &st, e) < 0)
		return -1;
	rc = db_row(s, st, e);
	if (rc != 1)
		return rc;
	rc = !str_eq(db_text(st, 0), *key);
	if (rc)
		*key = db_copy(st, 0, a);
	db_end(st);
	return rc;
}

int subscriber_find(struct store *s, struct str text, size_t limit,
	bool (*each)(void *user, const struct subscriber *person), void *user, struct err *e)
{
	struct subscriber person;
	sqlite3_stmt *st;
	struct buf like;
	int rc = -1;

	buf_init(&like, text.n * 2 + 2);
	buf_char(&like, '%');
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] == '%' || text.p[i] == '_' || text.p[i] == '\\')
			buf_char(&like, '\\');
		buf_char(&like, text.p[i]);
	}
	buf_char(&like, '%');
	if (db_query(s,
		    SUBSCRIBER_COLUMNS
		    " WHERE email_key LIKE ?1 ESCAPE '\\' OR email LIKE ?1 ESCAPE '\\'"
		    " OR first_name || ' ' || last_name LIKE ?1 ESCAPE '\\' ORDER BY id LIMIT ?2",
		    VALS(TEXT(buf_view(&like)), INT((int64_t)limit)), &st, e) < 0)
		goto out;
	while ((rc = db_row(s, st, e)) == 1) {
		subscriber_row(st, &person);
		if (!each(user, &person))
			break;
	}
	db_end(st);
out:
	buf_free(&like);
	return rc < 0 ? -1 : 0;
}

/* ---- writing ---- */

static int add(struct store *s, struct subscriber *person, struct str key, int64_t now,
	struct arena *a, struct err *e)
{
	struct str reason, attributes;
	int64_t at;
	bool some;
	int suppressed = suppression_get(s, key, a, &reason, &at, e);

	if (suppressed < 0 ||
		attributes_merge(a, STR(""), person->attributes, &attributes, &some, e) < 0 ||
		db_run(s,
			"INSERT INTO subscribers (email_key, email, first_name, last_name,"
			" attributes, suppressed, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
			VALS(TEXT(key),
				TEXT_OR_NULL(str_eq(person->email, key) ? STR("") : person->email),
				TEXT(person->first_name), TEXT(person->last_name),
				attributes_val(attributes), INT(suppressed), INT(now)),
			e) < 0)
		return -1;
	person->id = sqlite3_last_insert_rowid(s->db);
	return 0;
}

/* A change is an event: what an import wrote is not taken back when something was changed since. */
static int update(struct store *s, const struct subscriber *old, struct subscriber *person,
	struct str key, int64_t now, struct arena *a, struct err *e)
{
	struct str email = person->email.n ? person->email : old->email;
	struct str first = person->first_name.p ? person->first_name : old->first_name;
	struct str last = person->last_name.p ? person->last_name : old->last_name;
	struct str attributes;
	bool changed, named;

	person->id = old->id;
	if (attributes_merge(a, old->attributes, person->attributes, &attributes, &changed, e) < 0)
		return -1;
	named = !str_eq(email, old->email) || !str_eq(first, old->first_name) ||
		!str_eq(last, old->last_name);
	if (!named && !changed)
		return 0;
	if (db_run(s,
		    "UPDATE subscribers SET email = ?2, first_name = ?3, last_name = ?4,"
		    " attributes = ?5 WHERE id = ?1",
		    VALS(INT(old->id), TEXT_OR_NULL(str_eq(email, key) ? STR("") : email),
			    TEXT(first), TEXT(last), attributes_val(attributes)),
		    e) < 0)
		return -1;
	return store_event(s, now, "update", old->id,
		named && changed ? STR("name and attributes")
		: named          ? STR("name")
				 : STR("attributes"),
		e);
}

int subscriber_put(struct store *s, struct subscriber *person, struct str key, int64_t now,
	bool *added, struct err *e)
{
	struct subscriber old;
	struct arena a = {0};
	bool own;
	int rc;

	if (tx_open(s, &own, e) < 0)
		return -1;
	/* First the names: they are refused before anything is written. */
	rc = fields_note(s, person->attributes, e);
	if (rc == 0)
		rc = look_up(s, key, &a, &old, e);
	if (rc >= 0) {
		*added = rc == 0;
		rc = *added ? add(s, person, key, now, &a, e)
			    : update(s, &old, person, key, now, &a, e);
	}
	arena_free(&a);
	return tx_close(s, own, rc, e);
}
