/* SPDX-License-Identifier: MIT */
#include "standing.h"

#include <string.h>

void standing_prepare(struct columns *c, struct column *column)
{
	struct str rest = str_of(column->how), one, word;

	column->word = arena_array(&c->a, 1 + strlen(column->how), sizeof *column->word);
	while (str_next(&rest, '|', &one)) {
		struct status_word *w = &column->word[column->word_n++];
		size_t plus;

		str_next(&one, '=', &word);
		plus = str_find(one, '+');
		*w = (struct status_word){.word = word,
			.tag = str_slice(one, plus + 1, one.n),
			.standing = standing_named(str_slice(one, 0, plus))};
		if (str_eq(word, STR("*")))
			column->any = w;
	}
}

/* ---- what all rows are ---- */

/* The name may only be stricter than the `hint` of the header: who never opted in is in a file like any other. */
static bool by_file_name(struct columns *c, struct str name, const struct format_hint *hint)
{
	static const struct {
		const char *begin;
		enum standing standing;
	} begins[] = {
		{"subscribed", STANDING_SUBSCRIBED},
		{"unsubscribed", STANDING_UNSUBSCRIBED},
		{"cleaned", STANDING_BOUNCED},
		{"bounced", STANDING_BOUNCED},
		{"nonsubscribed", STANDING_PENDING},
		{"non-subscribed", STANDING_PENDING},
	};

	for (size_t i = 0; i < sizeof begins / sizeof *begins; i++)
		if (str_has_prefix_nocase(name, str_of(begins[i].begin))) {
			if (hint && begins[i].standing <= c->base)
				return true;
			c->base = begins[i].standing;
			c->base_why = "as the file's name says";
			return true;
		}
	return false;
}

/* A word that waits for the operator's. */
static bool asks(const struct columns *c)
{
	for (size_t i = 0; i < c->status_n; i++)
		for (size_t k = 0; k < c->column[c->status[i]].word_n; k++)
			if (c->column[c->status[i]].word[k].standing == STANDING_ASK)
				return true;
	return false;
}

int standing_base(struct columns *c, const struct import_options *options, struct str name,
	const struct format_hint *hint, struct err *e)
{
	enum standing said = options->status ? standing_named(str_of(options->status)) : STANDING_N;
	bool known = hint;

	c->base = STANDING_SUBSCRIBED;
	c->base_why = c->status_n ? "no column says otherwise" : "the file has no status";
	if (hint) {
		c->base = hint->standing;
		c->base_why = arena_printf(&c->a, "the file has %s", hint->column);
	}
	if (!c->status_n || c->format->wants_status)
		known |= by_file_name(c, name, hint);
	if (said < STANDING_N && said >= c->base) {
		c->base = said;
		c->base_why = "--status says so";
	}
	if (c->format->wants_status && !known && said == STANDING_N)
		return err_set(e, ERR_INPUT,
			"nothing in this file of %s says whether its people are subscribed: say it "
			"with --status subscribed, unsubscribed, pending or bounced",
			c->format->title);
	if (said == STANDING_N && asks(c))
		return err_set(e, ERR_INPUT,
			"%s: import an export of those who have left with --status unsubscribed "
			"first, then this file with --status subscribed",
			c->format->note);
	return 0;
}

/* ---- what one row is ---- */

static struct status_word *find_word(struct column *column, struct str said)
{
	for (size_t k = 0; k < column->word_n; k++)
		if (&column->word[k] != column->any && str_eq_nocase(said, column->word[k].word))
			return &column->word[k];
	return said.n ? column->any : NULL;
}

static int refuse_word(struct columns *c, size_t column, struct str said, struct err *e)
{
	struct str word = str_slice(said, 0, utf8_prefix(said, 100));
	size_t k = 0;

	while (k < c->unknown_n &&
		!(c->unknown[k].column == column && str_eq(c->unknown[k].word, word)))
		k++;
	if (k == c->unknown_n && k < UNKNOWN_WORDS_MAX) {
		c->unknown_n++;
		c->unknown[k].column = column;
		c->unknown[k].word = arena_str(&c->a, word);
	}
	if (k < UNKNOWN_WORDS_MAX)
		c->unknown[k].rows++;
	if (!word.n)
		return err_set(e, ERR_INPUT, "'%.*s' is empty: no status is no consent",
			STR_ARG(c->column[column].header));
	if (c->column[column].word == NULL || strcmp(c->column[column].how, format_words) == 0)
		return err_set(e, ERR_INPUT, "the status '%.*s' is unknown: it is no consent",
			STR_ARG(word));
	return err_set(e, ERR_INPUT, "'%.*s' in '%.*s' is no status that %s has: it is no consent",
		STR_ARG(word), STR_ARG(c->column[column].header), c->format->title);
}

int standing_of(struct columns *c, const struct str *field, size_t n, enum standing *out,
	struct str *tag, struct err *e)
{
	struct status_word *said[CSV_COLUMNS_MAX];

	*out = c->base;
	for (size_t i = 0; i < c->status_n; i++) {
		size_t at = c->status[i];
		struct str text = at < n ? str_trim(field[at]) : STR("");

		said[i] = find_word(&c->column[at], text);
		if (!said[i] && (text.n || !c->column[at].any))
			return refuse_word(c, at, text, e);
		if (said[i] && said[i]->standing < STANDING_N && said[i]->standing > *out)
			*out = said[i]->standing;
		if (said[i] && said[i]->tag.n)
			*tag = said[i]->tag;
	}
	for (size_t i = 0; i < c->status_n; i++)
		if (said[i])
			said[i]->rows++;
	c->rows_of[*out]++;
	return 0;
}
