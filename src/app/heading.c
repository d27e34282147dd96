/* SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "base/enc.h"
#include "columns.h"
#include "formula.h"
#include "standing.h"

#include <inttypes.h>
#include <string.h>

/*
 * From a header to columns: which service wrote the file, what each column is, what the operator said about it.
 */
static const char *const kind_name[COLUMN_KIND_N] = {
	[COLUMN_DROPPED] = "-",
	[COLUMN_EMAIL] = "email",
	[COLUMN_FIRST_NAME] = "first_name",
	[COLUMN_LAST_NAME] = "last_name",
	[COLUMN_NAME] = "name",
	[COLUMN_STATUS] = "status",
	[COLUMN_TAGS] = "tags",
	[COLUMN_CREATED] = "created_at",
};

/* The first columns of our own exports. */
static const struct {
	const char *header;
	enum column_kind kind;
} own[] = {
	{"email", COLUMN_EMAIL}, {"first_name", COLUMN_FIRST_NAME}, {"last_name", COLUMN_LAST_NAME},
	{"status", COLUMN_STATUS}, {"suppressed", COLUMN_SUPPRESSED},
	{"created_at", COLUMN_CREATED}, {"escaped", COLUMN_ESCAPED}, /* not with --raw */
};
enum { OWN_N = sizeof own / sizeof *own, OWN_LEAST = OWN_N - 1 };

/* What is known while the header is read. */
struct heading {
	struct columns *c;
	const struct import_options *options;
	struct str name; /* of the file */
	struct str key[CSV_COLUMNS_MAX]; /* header_key() of each column */
	bool settled[CSV_COLUMNS_MAX]; /* its kind is known */
};

/* ---- names ---- */

struct str attribute_name(struct arena *a, struct str header)
{
	char *name = arena_alloc(a, header.n + 1);
	size_t n = 0;

	for (size_t i = 0; i < header.n; i++) {
		char c = header.p[i];

		if (c >= 'A' && c <= 'Z')
			c = (char)(c | 0x20);
		if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
			(unsigned char)c >= 0x80)
			name[n++] = c;
		else if (n && name[n - 1] != '_')
			name[n++] = '_';
	}
	while (n && name[n - 1] == '_')
		n--;
	return utf8_invalid_at((struct str){name, n}) == n ? (struct str){name, n} : STR("");
}

/* The header as it is, for messages. */
static const char *header_line(struct columns *c)
{
	struct buf line;
	const char *text;

	buf_init(&line, 400);
	for (size_t i = 0; i < c->n && !line.over; i++)
		buf_printf(&line, "%s%.*s", i ? ", " : "", STR_ARG(c->column[i].header));
	text = arena_printf(&c->a, "%s%s", buf_text(&line), line.over ? ", …" : "");
	buf_free(&line);
	return text;
}

/* Whether column `i` is the one that a table calls `header`, whose key is `key`. */
static bool is_called(const struct heading *h, size_t i, const char *header, struct str key)
{
	if (header[0] == '*') {
		struct str is = h->c->column[i].header, end = str_of(header + 1);

		return is.n > end.n && str_eq_nocase(str_slice(is, is.n - end.n, is.n), end);
	}
	return str_eq(h->key[i], key);
}

/* The first such column, or their number. */
static size_t find_column(struct heading *h, const char *header)
{
	struct str key = header_key(&h->c->a, str_of(header));
	size_t i = 0;

	while (i < h->c->n && !is_called(h, i, header, key))
		i++;
	return i;
}

/* ---- the format ---- */

static bool is_own(const struct columns *c)
{
	for (size_t i = 0; i < OWN_LEAST; i++)
		if (i >= c->n || !str_eq(c->column[i].header, str_of(own[i].header)))
			return false;
	return true;
}

static bool shows(struct heading *h, const struct format *f)
{
	if (f->own)
		return is_own(h->c);
	for (size_t s = 0; s < FORMAT_SIGNS_MAX && f->sign[s][0]; s++) {
		size_t k = 0;

		while (k < FORMAT_SIGN_COLUMNS_MAX && f->sign[s][k] &&
			find_column(h, f->sign[s][k]) < h->c->n &&
			(!f->in_order || find_column(h, f->sign[s][k]) == k))
			k++;
		if (k == FORMAT_SIGN_COLUMNS_MAX || !f->sign[s][k])
			return true;
	}
	return false;
}

static int find_format(struct heading *h, struct err *e)
{
	struct columns *c = h->c;
	const struct format *f;
	const char *candidates = "";

	if (h->options->format) {
		c->format = format_named(h->options->format);
		if (!c->format || !c->format->own || is_own(c))
			return 0;
		return err_set(e, ERR_INPUT,
			"this is no export of Lettermill: its first columns are not those of one");
	}
	c->format = format_at(0);
	if (is_own(c)) {
		c->format = format_named("lettermill");
		return 0;
	}
	for (size_t i = 1; (f = format_at(i)); i++) {
		if (!shows(h, f))
			continue;
		candidates = arena_printf(
			&c->a, "%s%s%s", candidates, candidates[0] ? " or " : "", f->name);
		if (c->format == format_at(0))
			c->format = f;
	}
	if (strstr(candidates, " or "))
		return err_set(e, ERR_INPUT,
			"the header may be of %s: say which with --format NAME, or --format plain",
			candidates);
	return 0;
}

/* ---- columns ---- */

static bool is_single(enum column_kind kind)
{
	return kind >= COLUMN_EMAIL;
}

static bool is_taken(const struct columns *c, enum column_kind kind)
{
	return is_single(kind) && c->of[kind] < CSV_COLUMNS_MAX;
}

static void settle(struct heading *h, size_t i, enum column_kind kind, const char *how)
{
	h->c->column[i].kind = kind;
	h->c->column[i].how = how;
	if (is_single(kind))
		h->c->of[kind] = i;
	h->settled[i] = true;
}

static int apply_map(struct heading *h, struct err *e)
{
	struct columns *c = h->c;

	for (size_t m = 0; m < h->options->map_n; m++) {
		struct str wanted = str_of(h->options->map[m].column);
		const char *field = h->options->map[m].field;
		enum column_kind kind = 0;
		size_t i = 0;

		while (i < c->n && !str_eq_nocase(c->column[i].header, wanted))
			i++;
		if (i == c->n)
			return err_set(e, ERR_INPUT, "there is no column '%.*s'; the header is: %s",
				STR_ARG(wanted), header_line(c));
		while (kind < COLUMN_KIND_N &&
			!(kind_name[kind] && strcmp(field, kind_name[kind]) == 0))
			kind++;
		if (kind == COLUMN_KIND_N) {
			kind = COLUMN_ATTRIBUTE;
			c->column[i].name = attribute_name(&c->a, str_of(field));
			if (!c->column[i].name.n)
				return err_set(e, ERR_INPUT,
					"'%s' is no name for an attribute: use letters and digits",
					field);
		}
		if (is_taken(c, kind) && c->of[kind] != i)
			return err_set(e, ERR_INPUT, "two columns are mapped to '%s'", field);
		settle(h, i, kind,
			kind == COLUMN_STATUS ? format_words
			: kind == COLUMN_TAGS ? ",;|"
					      : NULL);
	}
	return 0;
}

/* Names of attributes in our own exports are as they are; ":json" behind one says what its cells hold. */
static void settle_own(struct heading *h)
{
	struct columns *c = h->c;

	for (size_t i = 0; i < c->n; i++) {
		struct column *column = &c->column[i];
		struct str name = formula_unescape(column->header);

		if (h->settled[i])
			continue;
		if (i < OWN_N && str_eq(column->header, str_of(own[i].header))) {
			if (is_taken(c, own[i].kind))
				settle(h, i, COLUMN_DROPPED, NULL);
			else
				settle(h, i, own[i].kind, format_words);
			continue;
		}
		column->json = str_has_suffix(name, STR(":json"));
		column->name = column->json ? str_slice(name, 0, name.n - 5) : name;
		settle(h, i, COLUMN_ATTRIBUTE, NULL);
	}
}

/* What the format says, column by column of its row. */
static void settle_format(struct heading *h)
{
	const struct format *f = h->c->format;

	for (size_t k = 0; k < FORMAT_COLUMNS_MAX && f->column[k].header; k++) {
		const struct format_column *is = &f->column[k];
		struct str key = header_key(&h->c->a, str_of(is->header));

		for (size_t i = 0; i < h->c->n; i++)
			if (!h->settled[i] && is_called(h, i, is->header, key) &&
				!is_taken(h->c, is->kind))
				settle(h, i, is->kind, is->how);
	}
}

/* Which of two columns is the address must not be guessed. */
static int refuse_second_address(struct heading *h, size_t i, struct err *e)
{
	const struct columns *c = h->c;

	for (size_t m = 0; m < h->options->map_n; m++)
		if (strcmp(h->options->map[m].field, "email") == 0)
			return 0;
	return err_set(e, ERR_INPUT,
		"the columns '%.*s' and '%.*s' both look like 'email': say which it is with --map "
		"COLUMN=email",
		STR_ARG(c->column[c->of[COLUMN_EMAIL]].header), STR_ARG(c->column[i].header));
}

static int settle_aliases(struct heading *h, struct err *e)
{
	struct columns *c = h->c;
	/* A service that has a status of its own has no other column that means it. */
	bool known = c->format != format_at(0);

	for (size_t k = 0; k < format_aliases_n; k++) {
		const struct format_column *alias = &format_aliases[k];

		struct str key = header_key(&c->a, str_of(alias->header));

		if (known && alias->kind == COLUMN_STATUS)
			continue;
		for (size_t i = 0; i < c->n; i++) {
			if (h->settled[i] || !is_called(h, i, alias->header, key))
				continue;
			if (!is_taken(c, alias->kind)) {
				c->column[i].kept = alias->kind >= COLUMN_CONFIRMED &&
						    alias->kind <= COLUMN_CREATED;
				settle(h, i, alias->kind, alias->how);
			} else if (alias->kind == COLUMN_EMAIL &&
				   refuse_second_address(h, i, e) < 0) {
				return -1;
			}
		}
	}
	return 0;
}

static int settle_rest(struct heading *h, struct err *e)
{
	struct columns *c = h->c;

	if (c->format->first_is_email && !is_taken(c, COLUMN_EMAIL) && !h->settled[0])
		settle(h, 0, COLUMN_EMAIL, NULL);
	for (size_t i = 0; i < c->n; i++) {
		struct column *column = &c->column[i];

		if (!h->settled[i] && !column->header.n)
			settle(h, i, COLUMN_DROPPED, NULL); /* behind a comma at the line's end */
		else if (!h->settled[i])
			settle(h, i, COLUMN_ATTRIBUTE, NULL);
		if (column->kind != COLUMN_ATTRIBUTE && !column->kept)
			continue;
		if (!column->name.n)
			column->name = attribute_name(&c->a, column->header);
		if (!column->name.n)
			return err_set(e, ERR_INPUT,
				"the column '%.*s' has no letter or digit in its name: rename it, "
				"or leave it out with --skip",
				STR_ARG(column->header));
	}
	return 0;
}

static bool is_attribute(const struct column *column)
{
	return column->kind == COLUMN_ATTRIBUTE || column->kept;
}

/* The second of two attributes of one name gets a number. */
static void number_twins(struct columns *c)
{
	for (size_t i = 0; i < c->n; i++) {
		struct str name = c->column[i].name;
		int number = 1;

		for (size_t j = 0; is_attribute(&c->column[i]) && j < i;) {
			if (!is_attribute(&c->column[j]) ||
				!str_eq(c->column[j].name, c->column[i].name)) {
				j++;
				continue;
			}
			c->column[i].name =
				str_of(arena_printf(&c->a, "%.*s_%d", STR_ARG(name), ++number));
			j = 0;
		}
	}
}

/* ---- what rows need ---- */

static void prepare(struct columns *c)
{
	struct buf member;

	buf_init(&member, CSV_ROW_MAX);
	for (size_t i = 0; i < c->n; i++) {
		struct column *column = &c->column[i];

		if (column->kind == COLUMN_STATUS) {
			c->status[c->status_n++] = i;
			standing_prepare(c, column);
		} else if (column->kind == COLUMN_TAGS) {
			c->tags[c->tags_n++] = i;
		} else if (column->kind == COLUMN_OBJECT) {
			c->object[c->object_n++] = i;
		}
		if (!is_attribute(column))
			continue;
		buf_reset(&member);
		enc_json(&member, column->name);
		buf_char(&member, ':');
		column->member = arena_str(&c->a, buf_view(&member));
	}
	buf_free(&member);
}

/* ---- the whole header ---- */

int columns_check(const struct import_options *options, struct err *e)
{
	struct arena a = {0};
	int rc = 0;

	if (options->format && !format_named(options->format))
		rc = err_set(e, ERR_USAGE, "there is no format '%s': it is one of %s",
			options->format, format_names(&a));
	else if (options->status && standing_named(str_of(options->status)) == STANDING_N)
		rc = err_set(e, ERR_USAGE,
			"'%s' is no status: it is subscribed, pending, unsubscribed, bounced, "
			"suppressed or complained",
			options->status);
	arena_free(&a);
	return rc;
}

static int read_header(struct heading *h, struct err *e)
{
	const struct format_hint *hint = NULL;
	struct columns *c = h->c;

	if (find_format(h, e) < 0 || apply_map(h, e) < 0)
		return -1;
	if (c->format->own)
		settle_own(h);
	settle_format(h);
	if (settle_aliases(h, e) < 0 || settle_rest(h, e) < 0)
		return -1;
	if (!is_taken(c, COLUMN_EMAIL))
		return err_set(e, ERR_INPUT,
			"no column holds the address: the first line must name one 'email' (or say "
			"which with --map COLUMN=email); it is: %s",
			header_line(c));
	number_twins(c);
	prepare(c);
	for (size_t i = 0; i < format_hints_n && !hint; i++)
		if (strcmp(format_hints[i].format, c->format->name) == 0 &&
			find_column(h, format_hints[i].column) < c->n)
			hint = &format_hints[i];
	return standing_base(c, h->options, h->name, hint, e);
}

static void start(
	struct heading *h, struct columns *c, const struct import_options *options, struct str name)
{
	*h = (struct heading){.c = c, .options = options, .name = name};
	*c = (struct columns){.a = c->a, .place = "", .now = clock_now()};
	for (int kind = 0; kind < COLUMN_KIND_N; kind++)
		c->of[kind] = CSV_COLUMNS_MAX;
}

int columns_read(struct columns *c, const struct str *field, size_t n,
	const struct import_options *options, const char *file, struct str name, uint64_t line,
	struct err *e)
{
	struct heading h;

	start(&h, c, options, name);
	c->n = n;
	for (size_t i = 0; i < n; i++) {
		c->column[i].header = arena_str(&c->a, str_trim(field[i]));
		h.key[i] = header_key(&c->a, c->column[i].header);
	}
	if (read_header(&h, e) < 0)
		return err_prefix(e, "%s:%" PRIu64 ": ", file, line);
	return 0;
}

int columns_read_addresses(struct columns *c, const struct import_options *options,
	const char *file, struct str name, struct err *e)
{
	struct heading h;

	start(&h, c, options, name);
	c->n = 1;
	c->format = format_named("addresses");
	c->column[0].header = STR("");
	settle(&h, 0, COLUMN_EMAIL, NULL);
	return standing_base(c, options, name, NULL, e) < 0 ? err_prefix(e, "%s: ", file) : 0;
}

bool columns_has_address(const struct str *field, size_t n)
{
	static const struct import_options none;
	struct columns c = {0};
	struct heading h;
	struct err e;
	bool has;

	start(&h, &c, &none, STR(""));
	c.n = n;
	for (size_t i = 0; i < n; i++) {
		c.column[i].header = str_trim(field[i]);
		h.key[i] = header_key(&c.a, c.column[i].header);
	}
	has = read_header(&h, &e) == 0 || is_taken(&c, COLUMN_EMAIL);
	columns_free(&c);
	return has;
}

void columns_free(struct columns *c)
{
	arena_free(&c->a);
}
