/* SPDX-License-Identifier: MIT */
#include "app/export.h"

#include "base/clock.h"
#include "base/enc.h"
#include "formula.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum { ROW_MAX = 16 * 1024 * 1024 };

struct exporting {
	const struct export_options *options;
	struct arena a; /* lives as long as the fields */
	const struct export_field *field;
	size_t field_n;
	struct buf row;
	int64_t rows;
};

static int hand_over(struct exporting *x, struct err *e)
{
	if (x->row.over)
		return err_set(e, ERR_INPUT, "a row would be larger than %d octets", ROW_MAX);
	return x->options->write(x->options->user, buf_view(&x->row), e);
}

/* ---- CSV ---- */

static bool wants_quotes(struct str cell)
{
	for (size_t i = 0; i < cell.n; i++)
		if (strchr("\",;\t\r\n", cell.p[i]))
			return true;
	return cell.n && (cell.p[0] == ' ' || cell.p[cell.n - 1] == ' ');
}

static void add_cell(struct exporting *x, struct str cell)
{
	bool escape = !x->options->raw && formula_begins(cell);

	if (x->row.n)
		buf_char(&x->row, ',');
	if (!wants_quotes(cell)) {
		buf_cstr(&x->row, escape ? "'" : "");
		buf_str(&x->row, cell);
		return;
	}
	buf_cstr(&x->row, escape ? "\"'" : "\"");
	for (size_t i = 0; i < cell.n; i++) {
		if (cell.p[i] == '"')
			buf_char(&x->row, '"');
		buf_char(&x->row, cell.p[i]);
	}
	buf_char(&x->row, '"');
}

static int csv_fields(void *user, const struct export_field *field, size_t n, struct err *e)
{
	static const char *const names[] = {
		"email", "first_name", "last_name", "status", "suppressed", "created_at"};
	struct exporting *x = user;
	struct export_field *copy = arena_array(&x->a, n + 1, sizeof *copy);

	buf_reset(&x->row);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		add_cell(x, str_of(names[i]));
	if (!x->options->raw)
		add_cell(x, STR("escaped"));
	for (size_t i = 0; i < n; i++) {
		struct str name = field[i].name;

		copy[i] = field[i];
		copy[i].name = arena_str(&x->a, name);
		/* A header is read without the blanks around it. */
		copy[i].plain = field[i].plain && !str_eq(name, STR("escaped")) &&
				str_trim(name).n == name.n && !str_has_suffix(name, STR(":json"));
		add_cell(x, copy[i].plain
				    ? name
				    : str_of(arena_printf(&x->a, "%.*s:json", STR_ARG(name))));
	}
	buf_cstr(&x->row, "\r\n");
	x->field = copy;
	x->field_n = n;
	return hand_over(x, e);
}

/* The cells of the attributes, in x->a behind the fields. */
static void attribute_cells(
	struct exporting *x, const json_t *attributes, struct arena *a, struct str *cell)
{
	for (size_t i = 0; i < x->field_n; i++) {
		const struct export_field *f = &x->field[i];
		const json_t *value = json_object_getn(attributes, f->name.p, f->name.n);
		char *text;

		cell[i] = (struct str){"", 0};
		if (!value)
			continue;
		if (f->plain) {
			cell[i] = (struct str){json_string_value(value), json_string_length(value)};
			continue;
		}
		text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
		cell[i] = arena_str(a, str_of(text));
		free(text);
	}
}

static int csv_row(void *user, const struct export_row *r, struct err *e)
{
	struct exporting *x = user;
	const struct subscriber *p = &r->person;
	json_t *attributes = json_loadb(p->attributes.p, p->attributes.n, 0, NULL);
	struct arena a = {0};
	char at[CLOCK_ISO_SIZE];
	struct str *cell = arena_array(&a, 6 + x->field_n, sizeof *cell);
	bool escaped = false;

	cell[0] = p->email;
	cell[1] = p->first_name;
	cell[2] = p->last_name;
	cell[3] = str_of(subscription_status_name(r->status));
	cell[4] = r->suppressed;
	cell[5] = str_of(clock_iso(p->created_at, at));
	attribute_cells(x, attributes, &a, cell + 6);
	for (size_t i = 0; i < 6 + x->field_n; i++)
		escaped |= formula_begins(cell[i]);
	buf_reset(&x->row);
	for (size_t i = 0; i < 6 + x->field_n; i++) {
		if (i == 6 && !x->options->raw)
			add_cell(x, escaped ? STR("yes") : STR(""));
		add_cell(x, cell[i]);
	}
	if (x->field_n == 0 && !x->options->raw)
		add_cell(x, escaped ? STR("yes") : STR(""));
	buf_cstr(&x->row, "\r\n");
	x->rows++;
	json_decref(attributes);
	arena_free(&a);
	return hand_over(x, e);
}

/* ---- NDJSON ---- */

static int json_fields(void *user, const struct export_field *field, size_t n, struct err *e)
{
	(void)user, (void)field, (void)n, (void)e;
	return 0;
}

static void member(struct exporting *x, const char *name, struct str value)
{
	buf_printf(&x->row, "%c\"%s\":", x->row.n ? ',' : '{', name);
	enc_json(&x->row, value);
}

static int json_row(void *user, const struct export_row *r, struct err *e)
{
	struct exporting *x = user;
	const struct subscriber *p = &r->person;
	char at[CLOCK_ISO_SIZE];

	buf_reset(&x->row);
	member(x, "email", p->email);
	member(x, "first_name", p->first_name);
	member(x, "last_name", p->last_name);
	member(x, "status", str_of(subscription_status_name(r->status)));
	member(x, "suppressed", r->suppressed);
	member(x, "created_at", str_of(clock_iso(p->created_at, at)));
	buf_cstr(&x->row, ",\"attributes\":");
	buf_str(&x->row, p->attributes);
	buf_cstr(&x->row, "}\n");
	x->rows++;
	return hand_over(x, e);
}

int export_file(struct site *s, const struct export_options *options, int64_t *rows, struct err *e)
{
	struct exporting x = {.options = options};
	int rc;

	buf_init(&x.row, ROW_MAX);
	rc = options->ndjson
		     ? export_people(s->store, &options->query, json_fields, json_row, &x, e)
		     : export_people(s->store, &options->query, csv_fields, csv_row, &x, e);
	*rows = x.rows;
	buf_free(&x.row);
	arena_free(&x.a);
	return rc;
}
