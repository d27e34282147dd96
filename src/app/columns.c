/* SPDX-License-Identifier: MIT */
#include "columns.h"

#include "base/clock.h"
#include "base/enc.h"
#include "formula.h"
#include "mail/addr.h"

#include <inttypes.h>
#include <jansson.h>
#include <string.h>

enum { NAME_MAX_OCTETS = 64, VALUE_MAX = 64 * 1024, REASON_MAX = 100 };

/* ---- words ---- */

/* Headers, reduced to their ASCII letters and digits in lower case. */
static const struct {
	const char *word;
	enum column_kind kind;
} headers[] = {
	{"email", COLUMN_EMAIL},
	{"emailaddress", COLUMN_EMAIL},
	{"mail", COLUMN_EMAIL},
	{"mailaddress", COLUMN_EMAIL},
	{"emailadresse", COLUMN_EMAIL},
	{"courriel", COLUMN_EMAIL},
	{"firstname", COLUMN_FIRST_NAME},
	{"givenname", COLUMN_FIRST_NAME},
	{"fname", COLUMN_FIRST_NAME},
	{"vorname", COLUMN_FIRST_NAME},
	{"lastname", COLUMN_LAST_NAME},
	{"familyname", COLUMN_LAST_NAME},
	{"surname", COLUMN_LAST_NAME},
	{"lname", COLUMN_LAST_NAME},
	{"nachname", COLUMN_LAST_NAME},
	{"name", COLUMN_NAME},
	{"fullname", COLUMN_NAME},
	{"status", COLUMN_STATUS},
	{"subscriptionstatus", COLUMN_STATUS},
};

static const char *const kind_name[COLUMN_KIND_N] = {
	[COLUMN_DROPPED] = "-",
	[COLUMN_EMAIL] = "email",
	[COLUMN_FIRST_NAME] = "first_name",
	[COLUMN_LAST_NAME] = "last_name",
	[COLUMN_NAME] = "name",
	[COLUMN_STATUS] = "status",
};

/* Words of a status column. A word that is not here is no consent: its row is rejected. */
static const struct {
	const char *word;
	enum subscription_status status;
} statuses[] = {
	{"subscribed", SUBSCRIPTION_ACTIVE},
	{"active", SUBSCRIPTION_ACTIVE},
	{"confirmed", SUBSCRIPTION_ACTIVE},
	{"enabled", SUBSCRIPTION_ACTIVE},
	{"pending", SUBSCRIPTION_PENDING},
	{"unconfirmed", SUBSCRIPTION_PENDING},
	{"unsubscribed", SUBSCRIPTION_UNSUBSCRIBED},
	{"cancelled", SUBSCRIPTION_UNSUBSCRIBED},
	{"disabled", SUBSCRIPTION_UNSUBSCRIBED},
	{"inactive", SUBSCRIPTION_UNSUBSCRIBED},
	{"removed", SUBSCRIPTION_UNSUBSCRIBED},
	{"opted out", SUBSCRIPTION_UNSUBSCRIBED},
	{"bounced", SUBSCRIPTION_BOUNCED},
	{"cleaned", SUBSCRIPTION_BOUNCED},
	{"undeliverable", SUBSCRIPTION_BOUNCED},
	{"unreachable", SUBSCRIPTION_BOUNCED},
	{"complained", SUBSCRIPTION_COMPLAINED},
	{"spammy", SUBSCRIPTION_COMPLAINED},
	{"abuse", SUBSCRIPTION_COMPLAINED},
};

/* ---- the header ---- */

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

static bool is_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static enum column_kind kind_of_header(struct str header)
{
	char word[32];
	size_t n = 0;

	for (size_t i = 0; i < header.n; i++) {
		if (!is_alnum(lower(header.p[i])))
			continue;
		if (n == sizeof word)
			return COLUMN_ATTRIBUTE;
		word[n++] = lower(header.p[i]);
	}
	for (size_t i = 0; i < sizeof headers / sizeof *headers; i++)
		if (str_eq((struct str){word, n}, str_of(headers[i].word)))
			return headers[i].kind;
	return COLUMN_ATTRIBUTE;
}

/* The name by which templates call an attribute: lower case, what they could not read as "_". */
static struct str attribute_name(struct arena *a, struct str header)
{
	char *name = arena_alloc(a, header.n + 1);
	size_t n = 0;

	for (size_t i = 0; i < header.n; i++) {
		char c = lower(header.p[i]);

		if (is_alnum(c) || c == '-' || c == '.' || (unsigned char)c >= 0x80)
			name[n++] = c;
		else if (n && name[n - 1] != '_')
			name[n++] = '_';
	}
	while (n && name[n - 1] == '_')
		n--;
	return utf8_invalid_at((struct str){name, n}) == n ? (struct str){name, n} : STR("");
}

static enum column_kind kind_of_field(const char *field)
{
	for (int kind = 0; kind < COLUMN_KIND_N; kind++)
		if (kind_name[kind] && strcmp(field, kind_name[kind]) == 0)
			return (enum column_kind)kind;
	return COLUMN_ATTRIBUTE;
}

/* The header as it is, for messages. */
static const char *header_line(const struct columns *c, struct arena *a)
{
	struct buf line;
	const char *text;

	buf_init(&line, 400);
	for (size_t i = 0; i < c->n && !line.over; i++)
		buf_printf(&line, "%s%.*s", i ? ", " : "", STR_ARG(c->column[i].header));
	text = arena_printf(a, "%s%s", buf_text(&line), line.over ? ", …" : "");
	buf_free(&line);
	return text;
}

static int apply_map(
	struct columns *c, struct arena *a, const struct import_options *options, struct err *e)
{
	for (size_t m = 0; m < options->map_n; m++) {
		struct str wanted = str_of(options->map[m].column);
		const char *field = options->map[m].field;
		size_t i = 0;

		while (i < c->n && !str_eq_nocase(c->column[i].header, wanted))
			i++;
		if (i == c->n)
			return err_set(e, ERR_INPUT, "there is no column '%.*s'; the header is: %s",
				STR_ARG(wanted), header_line(c, a));
		c->column[i].kind = kind_of_field(field);
		c->column[i].name = attribute_name(a, str_of(field));
		if (c->column[i].kind == COLUMN_ATTRIBUTE) {
			if (!c->column[i].name.n)
				return err_set(e, ERR_INPUT,
					"'%s' is no name for an attribute: use letters and digits",
					field);
			continue;
		}
		if (c->column[i].kind != COLUMN_DROPPED && c->of[c->column[i].kind] < c->n)
			return err_set(e, ERR_INPUT, "two columns are mapped to '%s'", field);
		c->of[c->column[i].kind] = i;
	}
	return 0;
}

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

static bool is_own(const struct columns *c)
{
	for (size_t i = 0; i < OWN_LEAST; i++)
		if (i >= c->n || !str_eq(c->column[i].header, str_of(own[i].header)))
			return false;
	return true;
}

/* Names of attributes in our own exports are as they are; ":json" behind one says what its cells hold. */
static enum column_kind own_kind(struct columns *c, size_t i)
{
	struct str name = formula_unescape(c->column[i].header);

	if (i < OWN_N && str_eq(c->column[i].header, str_of(own[i].header)))
		return own[i].kind;
	c->column[i].json = str_has_suffix(name, STR(":json"));
	c->column[i].name = c->column[i].json ? str_slice(name, 0, name.n - 5) : name;
	return COLUMN_ATTRIBUTE;
}

/* Columns that the operator has said nothing about. */
static int guess(struct columns *c, struct arena *a, const bool *mapped, struct err *e)
{
	bool said[COLUMN_KIND_N];

	for (int kind = 0; kind < COLUMN_KIND_N; kind++)
		said[kind] = c->of[kind] < CSV_COLUMNS_MAX;
	for (size_t i = 0; i < c->n; i++) {
		enum column_kind kind = kind_of_header(c->column[i].header);

		if (mapped[i])
			continue;
		c->column[i].name = attribute_name(a, c->column[i].header);
		if (!c->column[i].header.n)
			kind = COLUMN_DROPPED; /* behind a comma at the end of each line */
		else if (said[kind])
			kind = COLUMN_ATTRIBUTE;
		if (c->own)
			kind = own_kind(c, i);
		c->column[i].kind = kind;
		if (kind == COLUMN_ATTRIBUTE && !c->column[i].name.n)
			return err_set(e, ERR_INPUT,
				"the column '%.*s' has no letter or digit in its name: rename it",
				STR_ARG(c->column[i].header));
		if (kind <= COLUMN_ATTRIBUTE)
			continue;
		if (c->of[kind] < CSV_COLUMNS_MAX)
			return err_set(e, ERR_INPUT,
				"the columns '%.*s' and '%.*s' both look like '%s': say which it "
				"is "
				"with --map COLUMN=%s",
				STR_ARG(c->column[c->of[kind]].header),
				STR_ARG(c->column[i].header), kind_name[kind], kind_name[kind]);
		c->of[kind] = i;
	}
	return 0;
}

/* No name twice, neither in the file nor among the attributes that come of it. */
static int refuse_twins(const struct columns *c, struct err *e)
{
	for (size_t i = 0; i < c->n; i++)
		for (size_t j = 0; j < i; j++) {
			bool attributes = c->column[i].kind == COLUMN_ATTRIBUTE &&
					  c->column[j].kind == COLUMN_ATTRIBUTE;

			if (!c->own && c->column[i].header.n &&
				str_eq_nocase(c->column[i].header, c->column[j].header))
				return err_set(e, ERR_INPUT, "the header has '%.*s' twice",
					STR_ARG(c->column[i].header));
			if (attributes && str_eq(c->column[i].name, c->column[j].name))
				return err_set(e, ERR_INPUT,
					"the columns '%.*s' and '%.*s' would both become "
					"'%.*s': rename one, or drop it with --map COLUMN=-",
					STR_ARG(c->column[j].header), STR_ARG(c->column[i].header),
					STR_ARG(c->column[i].name));
		}
	return 0;
}

static void prepare_members(struct columns *c, struct arena *a)
{
	struct buf member;

	buf_init(&member, CSV_ROW_MAX);
	for (size_t i = 0; i < c->n; i++) {
		if (c->column[i].kind != COLUMN_ATTRIBUTE)
			continue;
		buf_reset(&member);
		enc_json(&member, c->column[i].name);
		buf_char(&member, ':');
		c->column[i].member = arena_str(a, buf_view(&member));
	}
	buf_free(&member);
}

static int read_header(struct columns *c, struct arena *a, const struct str *field, size_t n,
	const struct import_options *options, struct err *e)
{
	bool mapped[CSV_COLUMNS_MAX];

	*c = (struct columns){.n = n};
	for (int kind = 0; kind < COLUMN_KIND_N; kind++)
		c->of[kind] = CSV_COLUMNS_MAX;
	for (size_t i = 0; i < n; i++) {
		c->column[i].header = arena_str(a, str_trim(field[i]));
		c->column[i].kind = COLUMN_KIND_N;
	}
	c->own = is_own(c);
	if (apply_map(c, a, options, e) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		mapped[i] = c->column[i].kind != COLUMN_KIND_N;
	if (guess(c, a, mapped, e) < 0 || refuse_twins(c, e) < 0)
		return -1;
	if (c->of[COLUMN_EMAIL] == CSV_COLUMNS_MAX)
		return err_set(e, ERR_INPUT,
			"no column holds the address: the first line must name one 'email' (or say "
			"which with --map COLUMN=email); it is: %s",
			header_line(c, a));
	prepare_members(c, a);
	return 0;
}

int columns_read(struct columns *c, struct arena *a, const struct str *field, size_t n,
	const struct import_options *options, const char *file, uint64_t line, struct err *e)
{
	if (read_header(c, a, field, n, options, e) < 0)
		return err_prefix(e, "%s:%" PRIu64 ": ", file, line);
	return 0;
}

/* ---- a row ---- */

static struct str value_of(
	const struct columns *c, enum column_kind kind, const struct str *field, size_t n)
{
	return c->of[kind] < n ? field[c->of[kind]] : STR("");
}

/* A name is one line. */
static struct str name_in(struct arena *a, struct str value)
{
	char *copy;

	value = str_trim(value);
	if (value.n == 0)
		return STR("");
	copy = arena_cstr(a, value);
	for (size_t i = 0; i < value.n; i++)
		if ((unsigned char)copy[i] < ' ' || copy[i] == 0x7f)
			copy[i] = ' ';
	return (struct str){copy, value.n};
}

static int read_status(struct str value, enum subscription_status *out, struct err *e)
{
	value = str_trim(value);
	for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++)
		if (str_eq_nocase(value, str_of(statuses[i].word))) {
			*out = statuses[i].status;
			return 0;
		}
	return err_set(e, ERR_INPUT, "the status '%.*s' is unknown: it is no consent",
		STR_ARG(str_slice(value, 0, 100)));
}

static int read_address(
	struct arena *a, struct str value, struct import_row *out, struct str *name, struct err *e)
{
	struct mailbox mailbox = {0};

	if (memchr(value.p, '<', value.n) ? mailbox_parse(a, value, &mailbox, e) < 0
					  : addr_parse(a, value, &mailbox.addr, e) < 0)
		return -1;
	out->email = mailbox.addr.email;
	out->key = mailbox.addr.key;
	*name = mailbox.name;
	return 0;
}

static struct str read_attributes(const struct columns *c, struct arena *a, struct buf *scratch,
	const struct str *field, size_t n)
{
	buf_reset(scratch);
	for (size_t i = 0; i < n; i++) {
		struct str value = str_trim(field[i]);

		if (c->column[i].kind != COLUMN_ATTRIBUTE || value.n == 0)
			continue;
		buf_char(scratch, scratch->n ? ',' : '{');
		buf_str(scratch, c->column[i].member);
		if (c->column[i].json)
			buf_str(scratch, value);
		else
			enc_json(scratch, value);
	}
	if (scratch->n == 0)
		return STR("");
	buf_char(scratch, '}');
	return arena_str(a, buf_view(scratch));
}

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
static int read_own(const struct columns *c, struct arena *a, const struct str *field, size_t n,
	struct import_row *out, struct err *e)
{
	struct str suppressed = value_of(c, COLUMN_SUPPRESSED, field, n);
	struct str created = value_of(c, COLUMN_CREATED, field, n);

	if (suppressed.n > REASON_MAX)
		return err_set(e, ERR_INPUT, "the reason of the suppression is too long");
	out->suppress = arena_str(a, suppressed);
	if (created.n && !clock_parse(created, &out->created_at))
		return err_set(e, ERR_INPUT, "created_at is '%.*s', which is no time",
			STR_ARG(str_slice(created, 0, 40)));
	for (size_t i = 0; i < n; i++) {
		json_error_t why;
		json_t *value;

		if (!c->column[i].json || !str_trim(field[i]).n)
			continue;
		value = json_loadb(
			field[i].p, field[i].n, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, &why);
		if (!value)
			return err_set(e, ERR_INPUT, "the field '%.*s' is no JSON",
				STR_ARG(c->column[i].header));
		json_decref(value);
	}
	return 0;
}

int columns_row(const struct columns *c, struct arena *a, struct buf *scratch,
	const struct str *field, size_t n, uint64_t line, struct import_row *out, struct err *e)
{
	struct str plain[CSV_COLUMNS_MAX];

	struct str whole;

	*out = (struct import_row){.line = line, .status = SUBSCRIPTION_ACTIVE};
	if (check_size(c, field, &n, e) < 0)
		return -1;
	if (value_of(c, COLUMN_ESCAPED, field, n).n) {
		for (size_t i = 0; i < n; i++)
			plain[i] = formula_unescape(field[i]);
		field = plain;
	}
	if ((c->own && read_own(c, a, field, n, out, e) < 0) ||
		read_address(a, value_of(c, COLUMN_EMAIL, field, n), out, &whole, e) < 0)
		return -1;
	if (c->of[COLUMN_STATUS] < CSV_COLUMNS_MAX &&
		read_status(value_of(c, COLUMN_STATUS, field, n), &out->status, e) < 0)
		return -1;
	out->first_name = name_in(a, value_of(c, COLUMN_FIRST_NAME, field, n));
	out->last_name = name_in(a, value_of(c, COLUMN_LAST_NAME, field, n));
	/* One field for the whole name stays whole: where it would be cut differs by language. */
	if (!out->first_name.n && !out->last_name.n)
		out->first_name = name_in(a, value_of(c, COLUMN_NAME, field, n));
	if (!out->first_name.n && !out->last_name.n)
		out->first_name = name_in(a, whole);
	out->attributes = read_attributes(c, a, scratch, field, n);
	if (scratch->over)
		return err_set(e, ERR_INPUT, "the row's attributes are too large");
	return 0;
}
