/* SPDX-License-Identifier: MIT */
#include "import_report.h"

#include "base/buf.h"

#include <stdio.h>
#include <string.h>
#include <uniwidth.h>

/*
 * The screen that tells what an import made of its files: a paragraph a file, a line a subject, in 80 columns.
 */
enum { WIDTH = 79, LABEL = 14, TEXT_MAX = 64 * 1024 };

struct screen {
	struct cmd *c;
	const json_t *file;
	struct buf text; /* of the subject at hand; items end in LF */
};

/* ---- one subject ---- */

static const char *get(const json_t *o, const char *name)
{
	const char *text = json_string_value(json_object_get(o, name));

	return text ? text : "";
}

static int64_t count(const json_t *o, const char *name)
{
	return json_integer_value(json_object_get(o, name));
}

static const char *shown(struct screen *s, const json_t *o, const char *name)
{
	return cmd_text(s->c, str_of(get(o, name)));
}

static int width_of(struct str text)
{
	return u8_width((const uint8_t *)text.p, text.n, "UTF-8");
}

/* The items, with commas between, and the label in front of the first. */
static void put(struct screen *s, const char *label)
{
	struct str rest = buf_view(&s->text), item;
	int at = 0;

	while (rest.n && str_next(&rest, '\n', &item) && item.n) {
		int width = width_of(item) + (rest.n ? 1 : 0);

		if (at == 0 || at + 1 + width > WIDTH) {
			printf("%s  %-*s%.*s", at ? "\n" : "", LABEL - 2, at ? "" : label,
				STR_ARG(item));
			at = LABEL + width;
		} else {
			printf(" %.*s", STR_ARG(item));
			at += 1 + width;
		}
		printf("%s", rest.n ? "," : "");
	}
	if (at)
		printf("\n");
	buf_reset(&s->text);
}

/* A sentence, broken where it has blanks. */
static void put_words(struct screen *s, const char *label, const char *text)
{
	struct str rest = str_of(text), word;
	int at = 0;

	while (str_next(&rest, ' ', &word)) {
		int width = width_of(word);

		if (at == 0 || at + 1 + width > WIDTH) {
			printf("%s  %-*s%.*s", at ? "\n" : "", LABEL - 2, at ? "" : label,
				STR_ARG(word));
			at = LABEL + width;
		} else {
			printf(" %.*s", STR_ARG(word));
			at += 1 + width;
		}
	}
	printf("\n");
	(void)s;
}

/* ---- the subjects ---- */

static void put_columns(struct screen *s)
{
	static const char *const kinds[][2] = {{"email", "address"}, {"first_name", "first name"},
		{"last_name", "last name"}, {"name", "name"}, {"status", "status from"},
		{"suppression", "suppression"}, {"consent", "consent"}, {"tags", "tags"},
		{"attributes", "JSON"}, {"attribute", "attributes"}, {"-", "dropped"}};
	const json_t *columns = json_object_get(s->file, "columns"), *one;

	for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
		bool attributes = strcmp(kinds[k][0], "attribute") == 0;

		for (size_t i = 0; i < json_array_size(columns); i++) {
			const char *name;

			one = json_array_get(columns, i);
			name = shown(s, one, "name");
			if (!(attributes ? name[0] : !strcmp(get(one, "to"), kinds[k][0])) ||
				!get(one, "column")[0])
				continue;
			buf_cstr(&s->text, shown(s, one, "column"));
			if (attributes && strcmp(name, get(one, "column")) != 0)
				buf_printf(&s->text, " as %s", name);
			buf_char(&s->text, '\n');
		}
		put(s, kinds[k][1]);
	}
}

static void put_statuses(struct screen *s)
{
	const json_t *became = json_object_get(s->file, "became");
	const json_t *base = json_object_get(s->file, "base"), *all, *one;
	const char *status;

	json_object_foreach((json_t *)became, status, one)
	{
		buf_printf(&s->text, "%s %s", cmd_number(s->c, json_integer_value(one)), status);
		if (strcmp(status, get(base, "status")) == 0 &&
			!json_array_size(json_object_get(s->file, "statuses")))
			buf_printf(&s->text, " (%s)", shown(s, base, "why"));
		buf_char(&s->text, '\n');
	}
	put(s, "status");
	all = json_object_get(s->file, "statuses");
	for (size_t i = 0; i < json_array_size(all); i++) {
		one = json_array_get(all, i);
		if (strcmp(get(one, "word"), "*") == 0)
			buf_printf(&s->text, "%s is filled", shown(s, one, "column"));
		else
			buf_printf(&s->text, "%s '%s'", shown(s, one, "column"),
				shown(s, one, "word"));
		buf_printf(&s->text, " = %s: %s\n", get(one, "status"),
			cmd_number(s->c, count(one, "rows")));
	}
	put(s, "words");
	all = json_object_get(s->file, "unknown");
	for (size_t i = 0; i < json_array_size(all); i++) {
		one = json_array_get(all, i);
		buf_printf(&s->text, "%s '%s': %s\n", shown(s, one, "column"),
			shown(s, one, "word"),
			cmd_count(s->c, count(one, "rows"), "row rejected", "rows rejected"));
	}
	put(s, "no status");
}

static void put_addresses(struct screen *s)
{
	const json_t *typos = json_object_get(s->file, "typos");
	const json_t *roles = json_object_get(s->file, "roles"), *examples, *one;

	for (size_t i = 0; i < json_array_size(typos); i++) {
		one = json_array_get(typos, i);
		buf_printf(&s->text, "%s (%s?): %s\n", shown(s, one, "domain"), get(one, "meant"),
			cmd_count(s->c, count(one, "rows"), "row", "rows"));
	}
	put(s, "mistyped?");
	if (!count(roles, "rows"))
		return;
	examples = json_object_get(roles, "examples");
	buf_printf(&s->text, "%s of an office and not a person:",
		cmd_count(s->c, count(roles, "rows"), "address", "addresses"));
	for (size_t i = 0; i < json_array_size(examples); i++)
		buf_printf(&s->text, "%s %s", i ? "," : "",
			cmd_text(s->c, str_of(json_string_value(json_array_get(examples, i)))));
	if (count(roles, "rows") > (int64_t)json_array_size(examples))
		buf_cstr(&s->text, ", …");
	put_words(s, "roles", buf_text(&s->text));
	buf_reset(&s->text);
}

static void put_notes(struct screen *s)
{
	const json_t *converted = json_object_get(s->file, "converted");
	const json_t *notes = json_object_get(s->file, "notes");

	if (count(converted, "fields"))
		put_words(s, "warning",
			arena_printf(&s->c->arena,
				"%s not UTF-8, first in line %s: read as Windows-1252, see whether "
				"names are right",
				cmd_count(
					s->c, count(converted, "fields"), "field is", "fields are"),
				cmd_number(s->c, count(converted, "line"))));
	for (size_t i = 0; i < json_array_size(notes); i++)
		put_words(s, "note", json_string_value(json_array_get(notes, i)));
}

static void put_file(struct screen *s)
{
	const char *encoding = get(s->file, "encoding"), *delimiter = get(s->file, "delimiter");

	printf("%s: %s, %s", shown(s, s->file, "file"), get(s->file, "title"),
		cmd_count(s->c, count(s->file, "rows"), "row", "rows"));
	if (strcmp(encoding, "UTF-8") != 0)
		printf(", %s", encoding);
	if (strcmp(delimiter, ",") != 0)
		printf(", parted by %s", strcmp(delimiter, "\t") == 0
						 ? "tabs"
						 : arena_printf(&s->c->arena, "'%s'", delimiter));
	printf("\n");
	put_columns(s);
	put_statuses(s);
	put_addresses(s);
	put_notes(s);
}

void import_report_print(struct cmd *c, struct str text)
{
	json_t *report = json_loadb(text.p, text.n, 0, NULL), *one;
	const json_t *files = json_object_get(report, "files");
	const json_t *left_out = json_object_get(report, "left_out");
	struct screen s = {.c = c};

	buf_init(&s.text, TEXT_MAX);
	for (size_t i = 0; i < json_array_size(files); i++) {
		s.file = one = json_array_get(files, i);
		if (c->json)
			cmd_json(json_incref(one));
		else
			put_file(&s);
	}
	for (size_t i = 0; i < json_array_size(left_out); i++) {
		one = json_array_get(left_out, i);
		if (c->json)
			cmd_json(json_pack("{s:s, s:s}", "file", get(one, "file"), "left_out",
				get(one, "why")));
		else
			printf("%s: left out: %s\n", shown(&s, one, "file"), get(one, "why"));
	}
	json_decref(report);
	buf_free(&s.text);
}
