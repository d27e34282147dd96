/* SPDX-License-Identifier: MIT */
#include "import_job.h"

#include <inttypes.h>

/*
 * What was made of a file, as JSON: see app/import.h.
 */
static const char *const field_name[COLUMN_KIND_N] = {
	[COLUMN_DROPPED] = "-",
	[COLUMN_ATTRIBUTE] = "attribute",
	[COLUMN_STATUS] = "status",
	[COLUMN_TAGS] = "tags",
	[COLUMN_OBJECT] = "attributes",
	[COLUMN_REMARK] = "consent",
	[COLUMN_EMAIL] = "email",
	[COLUMN_FIRST_NAME] = "first_name",
	[COLUMN_LAST_NAME] = "last_name",
	[COLUMN_NAME] = "name",
	[COLUMN_CONFIRMED] = "consent",
	[COLUMN_SIGNED_UP] = "consent",
	[COLUMN_CREATED] = "consent",
	[COLUMN_CONFIRMED_IP] = "consent",
	[COLUMN_IP] = "consent",
	[COLUMN_ERASED] = "-",
	[COLUMN_SUPPRESSED] = "suppression",
	[COLUMN_ESCAPED] = "-",
};

static json_t *text(struct str s)
{
	return json_stringn(s.p ? s.p : "", s.n);
}

static json_t *columns_json(const struct columns *c)
{
	json_t *all = json_array();

	for (size_t i = 0; i < c->n; i++) {
		const struct column *column = &c->column[i];
		json_t *o = json_pack("{s:o, s:s}", "column", text(column->header), "to",
			field_name[column->kind]);

		if (column->member.n)
			json_object_set_new(o, "name", text(column->name));
		json_array_append_new(all, o);
	}
	return all;
}

static json_t *word_json(const struct columns *c, size_t column, struct str word, uint64_t rows)
{
	return json_pack("{s:o, s:o, s:I}", "column", text(c->column[column].header), "word",
		text(word), "rows", (json_int_t)rows);
}

static json_t *statuses_json(const struct columns *c)
{
	json_t *all = json_array(), *o;

	for (size_t i = 0; i < c->status_n; i++) {
		const struct column *column = &c->column[c->status[i]];

		for (size_t k = 0; k < column->word_n; k++) {
			const struct status_word *w = &column->word[k];
			enum standing standing =
				w->standing == STANDING_ASK ? c->base : w->standing;

			if (!w->rows)
				continue;
			o = word_json(c, c->status[i], w->word, w->rows);
			json_object_set_new(o, "status", json_string(standing_name(standing)));
			json_array_append_new(all, o);
		}
	}
	return all;
}

static json_t *became_json(const struct columns *c)
{
	json_t *all = json_object();

	for (int s = 0; s < STANDING_N; s++)
		if (c->rows_of[s])
			json_object_set_new(all, standing_name((enum standing)s),
				json_integer((json_int_t)c->rows_of[s]));
	return all;
}

static json_t *notes_json(const struct columns *c)
{
	json_t *all = json_array();

	if (c->format->note)
		json_array_append_new(all, json_string(c->format->note));
	if (c->no_zone)
		json_array_append_new(all, json_string("times without a zone were taken for UTC"));
	if (c->unreadable)
		json_array_append_new(all,
			json_sprintf("%" PRIu64 " %s could not be read: consents have the words of "
				     "the file",
				c->unreadable, c->unreadable == 1 ? "time" : "times"));
	return all;
}

json_t *import_report_file(const struct input *in)
{
	const struct columns *c = &in->columns;
	const char delimiter[2] = {in->csv.delimiter, '\0'};
	json_t *unknown = json_array(), *o;

	for (size_t i = 0; i < c->unknown_n; i++)
		json_array_append_new(unknown,
			word_json(c, c->unknown[i].column, c->unknown[i].word, c->unknown[i].rows));
	o = json_pack("{s:s%, s:s, s:s, s:s, s:s, s:I, s:I}", "file", in->file.p, in->file.n,
		"format", c->format->name, "title", c->format->title, "encoding", in->csv.encoding,
		"delimiter", delimiter, "rows", (json_int_t)in->rows, "rejected",
		(json_int_t)in->rejected);
	json_object_set_new(o, "columns", columns_json(c));
	json_object_set_new(o, "statuses", statuses_json(c));
	json_object_set_new(o, "unknown", unknown);
	json_object_set_new(o, "became", became_json(c));
	json_object_set_new(o, "base",
		json_pack("{s:s, s:s}", "status", standing_name(c->base), "why", c->base_why));
	tally_report(&in->tally, o);
	json_object_set_new(o, "converted",
		json_pack("{s:I, s:I}", "fields", (json_int_t)in->csv.converted, "line",
			(json_int_t)in->csv.converted_line));
	json_object_set_new(o, "notes", notes_json(c));
	return o;
}

char *import_report_text(struct job *j)
{
	json_t *left_out = json_array(), *all;
	struct str member;
	const char *why;
	char *out;

	for (size_t i = 0; i < source_left_out(j->source, i, &member, &why); i++)
		json_array_append_new(
			left_out, json_pack("{s:s%, s:s}", "file", member.p, member.n, "why", why));
	source_sum(j->source, j->sha256);
	all = json_pack(
		"{s:s, s:O, s:o}", "sha256", j->sha256, "files", j->files, "left_out", left_out);
	out = json_dumps(all, JSON_COMPACT);
	json_decref(all);
	return out;
}
