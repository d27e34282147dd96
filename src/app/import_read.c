/* SPDX-License-Identifier: MIT */
#include "csvtext.h"
#include "import_job.h"

#include <stdlib.h>
#include <string.h>

static int wait_for_room(struct job *j)
{
	bool stopped;

	pthread_mutex_lock(&j->lock);
	while (!j->stopped && j->filled - j->emptied == BATCHES)
		pthread_cond_wait(&j->changed, &j->lock);
	stopped = j->stopped;
	j->filling = &j->piece[j->filled % BATCHES];
	pthread_mutex_unlock(&j->lock);
	if (stopped)
		return -1;
	arena_reset(&j->filling->a);
	j->filling->row_n = j->filling->rejection_n = j->filling->text_n = 0;
	j->filling->full = j->taken < BATCH_FIRST  ? BATCH_FIRST
			   : j->taken < BATCH_ROWS ? j->taken
						   : BATCH_ROWS;
	return 0;
}

static int hand_over(struct job *j, struct err *e)
{
	struct piece *p = j->filling;

	j->taken += p->row_n;
	if (import_sort(j->sorter, p->row, &p->row_n, &p->a, e) < 0)
		return -1;
	p->octets = source_done(j->source);
	j->filling = NULL;
	pthread_mutex_lock(&j->lock);
	j->filled++;
	pthread_cond_signal(&j->changed);
	pthread_mutex_unlock(&j->lock);
	return 0;
}

/* ---- rows ---- */

/* In an archive, what has no addresses is something else, and is left out. */
static int read_header(
	struct job *j, const struct str *field, size_t n, uint64_t line, struct err *e)
{
	struct input *in = j->input;
	const char *member = in->member;

	in->has_header = true;
	if (in->csv.form == CSV_FORM_ADDRESSES) {
		if (columns_read_addresses(&in->columns, j->options, in->name, in->file, e) < 0)
			return -1;
	} else {
		if (member[0] && !j->options->map_n && !columns_has_address(field, n)) {
			in->left_out = true;
			return -1;
		}
		if (columns_read(&in->columns, field, n, j->options, in->name, in->file, line, e) <
			0)
			return -1;
	}
	in->columns.place = member;
	in->columns.rule = j->rule;
	if (in->columns.format->lax_quotes)
		csvfile_lax_quotes(&in->csv);
	return 0;
}

static const unsigned char *erased_hash(const struct columns *c, struct arena *a)
{
	const struct str hash = {(const char *)c->erased, sizeof c->erased};

	return c->has_erased ? (const unsigned char *)arena_str(a, hash).p : NULL;
}

static int take_row(void *user, const struct str *field, size_t n, uint64_t line, struct err *e)
{
	struct job *j = user;
	struct input *in = j->input;
	struct import_row *row;
	struct piece *p;
	struct err why;

	if (!in->has_header) {
		if (read_header(j, field, n, line, e) < 0)
			return -1;
		if (in->csv.form == CSV_FORM_TABLE)
			return 0;
	}
	if (!j->filling && wait_for_room(j) < 0)
		return -1;
	p = j->filling;
	row = &p->row[p->row_n];
	in->rows++;
	if (columns_row(&in->columns, &p->a, &j->scratch, field, n, line, row, &why) < 0) {
		in->rejected++;
		p->rejection[p->rejection_n++] = (struct rejection){in->member, line,
			arena_cstr(&p->a, str_of(why.text)), erased_hash(&in->columns, &p->a)};
	} else {
		tally_address(&in->tally, row->key);
		p->text_n += row->attributes.n + row->detail.n;
		p->row_n++;
	}
	for (size_t i = 0; i < n; i++)
		p->text_n += field[i].n;
	return p->row_n + p->rejection_n == p->full || p->text_n > BATCH_OCTETS ? hand_over(j, e)
										: 0;
}

/* ---- files ---- */

/* Names of files may be any octets; reports are JSON. */
static struct str as_utf8(struct job *j, struct str name)
{
	struct buf utf8;

	if (utf8_invalid_at(name) == name.n)
		return name;
	buf_init(&utf8, 4 * 1024);
	csvtext_windows_1252(&utf8, name);
	name = arena_str(&j->a, buf_view(&utf8));
	buf_free(&utf8);
	return name;
}

static void begin_input(struct job *j)
{
	struct str member = source_member(j->source);
	struct input *in = j->input;
	const char *slash;

	*in = (struct input){.member = arena_cstr(&j->a, member)};
	in->name = member.n ? arena_printf(&j->a, "%s:%s", source_name(j->source), in->member)
			    : source_name(j->source);
	slash = strrchr(member.n ? in->member : in->name, '/');
	in->file = as_utf8(j, str_of(slash ? slash + 1 : member.n ? in->member : in->name));
	csvfile_init(&in->csv, in->name, take_row, j);
	if (j->options->format)
		in->csv.form = strcmp(j->options->format, "addresses") ? CSV_FORM_TABLE
								       : CSV_FORM_ADDRESSES;
}

static int read_text(struct job *j)
{
	char *piece = malloc(PIECE);
	ssize_t n;
	int rc = -1;

	if (!piece)
		return err_set(&j->e, ERR_IO, "out of memory");
	while ((n = source_read(j->source, piece, PIECE, &j->e)) > 0)
		if (csvfile_feed(&j->input->csv, (struct str){piece, (size_t)n}, &j->e) < 0)
			goto out;
	if (n == 0)
		rc = csvfile_end(&j->input->csv, &j->e);
out:
	free(piece);
	return rc;
}

/* What the other thread and the report need of a file that was read. */
static void keep_outcome(struct job *j)
{
	struct columns *c = &j->input->columns;
	struct str *all =
		realloc(j->attribute, (j->attribute_n + c->n + c->object_name_n + 1) * sizeof *all);

	if (!all) /* unlikely as it is: fields are known by name only */
		return;
	j->attribute = all;
	for (size_t i = 0; i < c->n; i++)
		if (c->column[i].member.n)
			all[j->attribute_n++] = arena_str(&j->a, c->column[i].name);
	for (size_t i = 0; i < c->object_name_n; i++)
		all[j->attribute_n++] = arena_str(&j->a, c->object_name[i]);
	if (c->tagged)
		all[j->attribute_n++] = STR("tags");
	json_array_append_new(j->files, import_report_file(j->input));
}

static int read_input(struct job *j)
{
	struct input *in = j->input;
	int rc;

	begin_input(j);
	rc = read_text(j);
	if (rc == 0 && in->has_header)
		keep_outcome(j);
	else if (in->left_out || (rc == 0 && in->member[0])) {
		source_leave_out(j->source, source_member(j->source),
			in->left_out ? "no column of it holds an address" : "it is empty");
		rc = 0;
	} else if (rc == 0)
		rc = err_set(&j->e, ERR_INPUT,
			"%s:1: the file is empty: its first line must name the columns", in->name);
	csvfile_free(&in->csv);
	columns_free(&in->columns);
	arena_free(&in->tally.a);
	return rc;
}

static int read_all(struct job *j)
{
	int rc;

	while ((rc = source_next(j->source, &j->e)) > 0)
		if (read_input(j) < 0)
			return -1;
	if (rc < 0)
		return -1;
	if (!json_array_size(j->files))
		return err_set(&j->e, ERR_INPUT,
			"%s:1: the file is empty: its first line must name the columns",
			source_name(j->source));
	if (j->filling && hand_over(j, &j->e) < 0)
		return -1;
	j->report = import_report_text(j);
	return j->report ? 0 : err_set(&j->e, ERR_IO, "out of memory");
}

void *import_reader(void *user)
{
	struct job *j = user;
	int rc = read_all(j);

	pthread_mutex_lock(&j->lock);
	j->ended = true;
	j->failed = rc < 0;
	pthread_cond_signal(&j->changed);
	pthread_mutex_unlock(&j->lock);
	return NULL;
}
