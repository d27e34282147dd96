/* SPDX-License-Identifier: MIT */
#include "columns.h"

#include "base/clock.h"
#include "base/enc.h"
#include "formula.h"
#include "mail/addr.h"
#include "stamp.h"
#include "standing.h"
#include "tags.h"

#include <jansson.h>
#include <string.h>

enum { VALUE_MAX = 64 * 1024, REASON_MAX = 100, QUOTED_MAX = 100, DAY = 86400, SHA512_SIZE = 64 };

/* A row on its way. */
struct reading {
	struct columns *c;
	struct arena *a;
	struct buf *scratch;
	const struct str *field;
	size_t n;
	struct tags tags;
	json_t *object; /* members of JSON cells */
	struct import_row *out;
};

static struct str value_of(const struct reading *r, enum column_kind kind)
{
	return r->c->of[kind] < r->n ? r->field[r->c->of[kind]] : STR("");
}

/* ---- address and names ---- */

/* Without the blanks that other tools leave: no-break spaces, zero-width ones, marks of byte order. */
static struct str trim_far(struct str s)
{
	static const char *const blanks[] = {"\xc2\xa0", "\xe2\x80\x8b", "\xef\xbb\xbf"};
	size_t before;

	do {
		s = str_trim(s);
		before = s.n;
		for (size_t i = 0; i < sizeof blanks / sizeof *blanks; i++) {
			struct str blank = str_of(blanks[i]);

			if (str_has_prefix(s, blank))
				s = str_slice(s, blank.n, s.n);
			if (str_has_suffix(s, blank))
				s.n -= blank.n;
		}
	} while (s.n < before);
	return s;
}

/* A name is one line. */
static struct str name_in(struct arena *a, struct str value)
{
	char *copy;

	value = trim_far(value);
	if (value.n == 0)
		return STR("");
	copy = arena_cstr(a, value);
	for (size_t i = 0; i < value.n; i++)
		if ((unsigned char)copy[i] < ' ' || copy[i] == 0x7f)
			copy[i] = ' ';
	return (struct str){copy, value.n};
}

/* Nobody is left to write to, but the hash of the address may be there: base64 of its SHA-512. */
static int read_erased(struct reading *r, struct err *e)
{
	struct columns *c = r->c;

	buf_reset(r->scratch);
	c->has_erased = dec_base64(r->scratch, str_trim(value_of(r, COLUMN_ERASED))) == 0 &&
			r->scratch->n == SHA512_SIZE;
	if (c->has_erased)
		memcpy(c->erased, r->scratch->p, sizeof c->erased);
	return err_set(e, ERR_INPUT, "the address was erased in %s: %s", c->format->title,
		c->has_erased ? "its hash stays here, so that no later import brings it back"
			      : "there is nobody left to write to");
}

static int read_address(struct reading *r, struct str *name, struct err *e)
{
	struct str value = trim_far(value_of(r, COLUMN_EMAIL));
	const struct format *f = r->c->format;
	struct mailbox mailbox = {0};

	if (!value.n && str_trim(value_of(r, COLUMN_ERASED)).n)
		return read_erased(r, e);
	if (memchr(value.p, '<', value.n)
			? mailbox_parse_as(r->a, value, r->c->rule, &mailbox, e) < 0
			: addr_parse_as(r->a, value, r->c->rule, &mailbox.addr, e) < 0)
		return -1;
	r->out->email = mailbox.addr.email;
	r->out->key = mailbox.addr.key;
	*name = mailbox.name;
	if (f->refused_suffix && str_has_suffix(r->out->key, str_of(f->refused_suffix)))
		return err_set(e, ERR_INPUT, "%s", f->refused_why);
	return 0;
}

static void read_names(struct reading *r, struct str whole)
{
	struct import_row *out = r->out;

	out->first_name = name_in(r->a, value_of(r, COLUMN_FIRST_NAME));
	out->last_name = name_in(r->a, value_of(r, COLUMN_LAST_NAME));
	/* One field for the whole name stays whole: where it would be cut differs by language. */
	if (!out->first_name.n && !out->last_name.n)
		out->first_name = name_in(r->a, value_of(r, COLUMN_NAME));
	if (!out->first_name.n && !out->last_name.n)
		out->first_name = name_in(r->a, whole);
}

/* ---- status ---- */

static int read_status(struct reading *r, struct err *e)
{
	static const enum subscription_status as[STANDING_N] = {
		[STANDING_SUBSCRIBED] = SUBSCRIPTION_ACTIVE,
		[STANDING_PENDING] = SUBSCRIPTION_PENDING,
		[STANDING_UNSUBSCRIBED] = SUBSCRIPTION_UNSUBSCRIBED,
		[STANDING_BOUNCED] = SUBSCRIPTION_BOUNCED,
		[STANDING_SUPPRESSED] = SUBSCRIPTION_UNSUBSCRIBED,
		[STANDING_COMPLAINED] = SUBSCRIPTION_COMPLAINED,
	};
	enum standing standing;
	struct str tag = STR("");

	if (standing_of(r->c, r->field, r->n, &standing, &tag, e) < 0)
		return -1;
	r->out->status = as[standing];
	if (standing == STANDING_SUPPRESSED && !r->out->suppress.n)
		r->out->suppress = STR("import");
	if (tag.n)
		tags_add(&r->tags, tag);
	return 0;
}

/* ---- how the consent came about ---- */

/* A time that may be one of a consent. */
static bool read_time(struct columns *c, struct str text, int64_t *t)
{
	bool zoned;

	if (!stamp_read(text, c->format->day_first, t, &zoned) || *t > c->now + DAY) {
		c->unreadable++;
		*t = 0;
		return false;
	}
	c->no_zone |= !zoned && *t;
	return true;
}

/* "confirmed 2018-02-05T19:28:23Z (CONFIRM_TIME)", or the words of the file where they are no time. */
static bool tell_time(
	struct reading *r, const char *what, size_t column, struct str text, int64_t *t)
{
	struct buf *to = r->scratch;
	char at[CLOCK_ISO_SIZE];

	if (!read_time(r->c, text, t))
		buf_printf(to, "%s%s '%.*s' (%.*s)", to->n ? "; " : "", what,
			STR_ARG(str_slice(text, 0, utf8_prefix(text, QUOTED_MAX))),
			STR_ARG(r->c->column[column].header));
	else if (*t)
		buf_printf(to, "%s%s %s (%.*s)", to->n ? "; " : "", what, clock_iso(*t, at),
			STR_ARG(r->c->column[column].header));
	else
		return false;
	return true;
}

static void tell_ip(struct reading *r, enum column_kind kind)
{
	struct str ip = str_trim(value_of(r, kind));

	if (ip.n)
		buf_printf(r->scratch, " from %.*s",
			STR_ARG(str_slice(ip, 0, utf8_prefix(ip, QUOTED_MAX))));
}

static void tell_consent(struct reading *r)
{
	static const struct {
		enum column_kind time, ip;
		const char *what;
	} kinds[] = {
		{COLUMN_CONFIRMED, COLUMN_CONFIRMED_IP, "confirmed"},
		{COLUMN_SIGNED_UP, COLUMN_IP, "signed up"},
		{COLUMN_CREATED, COLUMN_IP, "created"},
	};
	bool any = false;

	for (size_t k = 0; k < 3; k++) {
		size_t column = r->c->of[kinds[k].time];
		struct str text = str_trim(value_of(r, kinds[k].time));
		int64_t t = 0;

		any |= column < CSV_COLUMNS_MAX;
		if (!text.n || !tell_time(r, kinds[k].what, column, text, &t))
			continue;
		tell_ip(r, kinds[k].ip);
		if (!t)
			continue;
		r->out->created_at = t;
		return;
	}
	if (any && !r->scratch->n)
		buf_cstr(r->scratch, "no time given");
}

/* When and why somebody left, and what else is to be remembered. */
static void tell_rest(struct reading *r)
{
	const struct columns *c = r->c;
	int64_t t;

	for (size_t i = 0; i < c->status_n; i++) {
		size_t at = c->status[i];
		struct str text = at < r->n ? str_trim(r->field[at]) : STR("");

		if (text.n && c->column[at].any)
			tell_time(r, standing_name(c->column[at].any->standing), at, text, &t);
	}
	for (size_t i = 0; i < c->n && i < r->n; i++) {
		struct str how = str_of(c->column[i].how), word;

		if (c->column[i].kind != COLUMN_REMARK || !str_next(&how, '=', &word) ||
			!str_eq_nocase(str_trim(r->field[i]), word))
			continue;
		buf_printf(r->scratch, "%s%.*s", r->scratch->n ? "; " : "", STR_ARG(how));
	}
}

static void read_consent(struct reading *r)
{
	buf_reset(r->scratch);
	tell_consent(r);
	tell_rest(r);
	if (r->c->place[0])
		buf_printf(r->scratch, "%sin %s", r->scratch->n ? ", " : "", r->c->place);
	if (r->scratch->n)
		r->out->detail = arena_str(r->a, buf_view(r->scratch));
}

/* ---- attributes ---- */

static bool is_of_column(const struct columns *c, const char *name)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->column[i].member.n && str_eq(c->column[i].name, str_of(name)))
			return true;
	return false;
}

static bool know_name(struct columns *c, struct str name)
{
	size_t i = 0;

	while (i < c->object_name_n && !str_eq(c->object_name[i], name))
		i++;
	if (i == OBJECT_NAMES_MAX)
		return false;
	if (i == c->object_name_n)
		c->object_name[c->object_name_n++] = arena_str(&c->a, name);
	return true;
}

static int read_members(struct reading *r, json_t *all, struct err *e)
{
	const char *key;
	json_t *value, *one;
	size_t i;

	json_object_foreach(all, key, value)
	{
		struct str name = attribute_name(r->a, str_of(key));

		if (str_eq(name, STR("tags")) && json_is_array(value)) {
			json_array_foreach(value, i, one)
			{
				if (json_is_string(one))
					tags_add(&r->tags,
						arena_str(r->a, str_of(json_string_value(one))));
			}
		} else if (name.n && !json_is_null(value) && !is_of_column(r->c, name.p)) {
			if (!know_name(r->c, name))
				return err_set(e, ERR_INPUT,
					"the file's JSON has more than %d attributes",
					OBJECT_NAMES_MAX);
			json_object_set(r->object, name.p, value);
		}
	}
	return 0;
}

static int read_objects(struct reading *r, struct err *e)
{
	for (size_t i = 0; i < r->c->object_n; i++) {
		size_t at = r->c->object[i];
		struct str text = at < r->n ? str_trim(r->field[at]) : STR("");
		json_error_t why;
		json_t *all;
		int rc;

		if (!text.n)
			continue;
		all = json_loadb(text.p, text.n, 0, &why);
		if (!json_is_object(all)) {
			json_decref(all);
			return err_set(e, ERR_INPUT, "the field '%.*s' is no JSON object",
				STR_ARG(r->c->column[at].header));
		}
		if (!r->object)
			r->object = json_object();
		rc = read_members(r, all, e);
		json_decref(all);
		if (rc < 0)
			return -1;
	}
	return 0;
}

static void write_objects(struct reading *r)
{
	const char *key;
	json_t *value;

	json_object_foreach(r->object, key, value)
	{
		char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);

		buf_char(r->scratch, r->scratch->n ? ',' : '{');
		enc_json(r->scratch, str_of(key));
		buf_char(r->scratch, ':');
		buf_cstr(r->scratch, text);
		free(text);
	}
}

static int read_attributes(struct reading *r, struct err *e)
{
	struct buf *to = r->scratch;

	buf_reset(to);
	for (size_t i = 0; i < r->n; i++) {
		const struct column *column = &r->c->column[i];
		struct str value;

		if (!column->member.n)
			continue;
		value = str_trim(r->field[i]);
		if (value.n == 0)
			continue;
		buf_char(to, to->n ? ',' : '{');
		buf_str(to, column->member);
		if (column->json)
			buf_str(to, value);
		else
			enc_json(to, value);
	}
	write_objects(r);
	if (r->tags.n) {
		r->c->tagged = true;
		buf_char(to, to->n ? ',' : '{');
		tags_write(&r->tags, to);
	}
	if (to->n == 0)
		return 0;
	buf_char(to, '}');
	if (to->over || r->tags.over)
		return err_set(e, ERR_INPUT, "the row's attributes are too large");
	r->out->attributes = arena_str(r->a, buf_view(to));
	return 0;
}

static void read_tags(struct reading *r)
{
	for (size_t i = 0; i < r->c->tags_n; i++) {
		size_t at = r->c->tags[i];

		if (at < r->n)
			tags_read(&r->tags, r->a, r->c->column[at].how, r->c->column[at].header,
				str_trim(r->field[at]));
	}
}

/* ---- the row ---- */

static int check_size(const struct columns *c, const struct str *field, size_t *n, struct err *e)
{
	for (size_t i = 0; i < *n; i++) {
		if (i >= c->n && field[i].n)
			return err_set(e, ERR_INPUT,
				"the row has %zu fields where the header has %zu", *n, c->n);
		if (field[i].n > VALUE_MAX)
			return err_set(e, ERR_INPUT, "the field '%.*s' is larger than 64 KB",
				STR_ARG(c->column[i].header));
	}
	if (*n > c->n)
		*n = c->n;
	return 0;
}

/* What our own exports have beside others'. */
static int read_own(struct reading *r, struct err *e)
{
	struct str suppressed = value_of(r, COLUMN_SUPPRESSED);
	struct str created = value_of(r, COLUMN_CREATED);

	if (suppressed.n > REASON_MAX)
		return err_set(e, ERR_INPUT, "the reason of the suppression is too long");
	r->out->suppress = arena_str(r->a, suppressed);
	if (created.n && !clock_parse(created, &r->out->created_at))
		return err_set(e, ERR_INPUT, "created_at is '%.*s', which is no time",
			STR_ARG(str_slice(created, 0, utf8_prefix(created, 40))));
	for (size_t i = 0; i < r->n; i++) {
		json_error_t why;
		json_t *value;

		if (!r->c->column[i].json || !str_trim(r->field[i]).n)
			continue;
		value = json_loadb(r->field[i].p, r->field[i].n,
			JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, &why);
		if (!value)
			return err_set(e, ERR_INPUT, "the field '%.*s' is no JSON",
				STR_ARG(r->c->column[i].header));
		json_decref(value);
	}
	return 0;
}

/* The apostrophe that a service put before what a spreadsheet would run. */
static struct str unguarded(struct str cell)
{
	size_t at = cell.n > 2 && cell.p[1] == ' ' ? 2 : 1;

	return cell.n > at && cell.p[0] == '\'' && strchr("=+-@", cell.p[at])
		       ? str_slice(cell, at, cell.n)
		       : cell;
}

/* The cells as they were before somebody made them safe; in `plain` when they differ. */
static void take_guards_off(struct reading *r, struct str plain[CSV_COLUMNS_MAX])
{
	const bool own = r->c->format->own;
	bool guarded = false;

	if (own && !value_of(r, COLUMN_ESCAPED).n)
		return;
	for (size_t i = 0; i < r->n; i++)
		guarded |= r->field[i].n && r->field[i].p[0] == '\'';
	if (!guarded)
		return;
	for (size_t i = 0; i < r->n; i++)
		plain[i] = own ? formula_unescape(r->field[i]) : unguarded(r->field[i]);
	r->field = plain;
}

int columns_row(struct columns *c, struct arena *a, struct buf *scratch, const struct str *field,
	size_t n, uint64_t line, struct import_row *out, struct err *e)
{
	struct reading r = {.c = c, .a = a, .scratch = scratch, .field = field, .out = out};
	struct str plain[CSV_COLUMNS_MAX], whole = STR("");
	int rc = -1;

	*out = (struct import_row){.line = line};
	c->has_erased = false;
	if (check_size(c, field, &n, e) < 0)
		return -1;
	r.n = n;
	take_guards_off(&r, plain);
	if ((c->format->own && read_own(&r, e) < 0) || read_address(&r, &whole, e) < 0 ||
		read_objects(&r, e) < 0)
		goto out;
	read_tags(&r);
	if (read_status(&r, e) < 0)
		goto out;
	read_names(&r, whole);
	if (!c->format->own)
		read_consent(&r);
	rc = read_attributes(&r, e);
out:
	json_decref(r.object);
	return rc;
}
