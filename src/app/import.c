/* SPDX-License-Identifier: MIT */
#include "app/import.h"

#include "base/clock.h"
#include "columns.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * Two threads: one reads, checks and sorts a batch while the other writes the one before it.
 * Sorting by address is what makes the writing fast, and it wants large batches.
 */
enum {
	BATCH_ROWS = 100000,
	BATCH_OCTETS = 32 * 1024 * 1024, /* of text; such rows are rare */
	BATCHES = 2,
	PIECE = 256 * 1024,
};

struct rejection {
	uint64_t line;
	const char *reason;
};

struct piece {
	struct import_row *row;
	struct rejection *rejection;
	size_t row_n, rejection_n;
	uint64_t octets; /* of the file, up to here */
	struct arena a;
	size_t text_n; /* in `a`, about */
};

struct job {
	const struct import_options *options;
	const char *name; /* of the file, for messages */
	int fd;
	uint64_t size;

	/* the reader's */
	struct csvfile csv;
	struct columns columns;
	bool has_header;
	struct buf scratch;
	uint64_t octets;
	struct piece *filling;
	struct err e;

	/* under the lock */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct piece piece[BATCHES];
	size_t filled, emptied; /* pieces handed over, and given back, in all */
	bool ended; /* the reader has: with `failed`, for the reason in `e` */
	bool failed;
	bool stopped; /* the writer has: nobody takes pieces any more */
};

/* ---- the reader ---- */

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
	return 0;
}

static void hand_over(struct job *j)
{
	import_sort(j->filling->row, j->filling->row_n);
	j->filling->octets = j->octets;
	j->filling = NULL;
	pthread_mutex_lock(&j->lock);
	j->filled++;
	pthread_cond_signal(&j->changed);
	pthread_mutex_unlock(&j->lock);
}

static int read_header(
	struct job *j, const struct str *field, size_t n, uint64_t line, struct err *e)
{
	const char *slash = strrchr(j->name, '/');
	struct str name = str_of(slash ? slash + 1 : j->name);

	if (j->csv.form == CSV_FORM_ADDRESSES)
		return columns_read_addresses(&j->columns, j->options, j->name, name, e);
	if (columns_read(&j->columns, field, n, j->options, j->name, name, line, e) < 0)
		return -1;
	if (j->columns.format->lax_quotes)
		csvfile_lax_quotes(&j->csv);
	return 0;
}

static int take_row(void *user, const struct str *field, size_t n, uint64_t line, struct err *e)
{
	struct job *j = user;
	struct piece *p;
	struct err why;

	if (!j->has_header) {
		j->has_header = true;
		if (read_header(j, field, n, line, e) < 0)
			return -1;
		if (j->csv.form == CSV_FORM_TABLE)
			return 0;
	}
	if (!j->filling && wait_for_room(j) < 0)
		return -1;
	p = j->filling;
	if (columns_row(&j->columns, &p->a, &j->scratch, field, n, line, &p->row[p->row_n], &why) <
		0)
		p->rejection[p->rejection_n++] =
			(struct rejection){line, arena_cstr(&p->a, str_of(why.text))};
	else
		p->text_n += p->row[p->row_n++].attributes.n;
	for (size_t i = 0; i < n; i++)
		p->text_n += field[i].n;
	if (p->row_n + p->rejection_n == BATCH_ROWS || p->text_n > BATCH_OCTETS)
		hand_over(j);
	return 0;
}

/* A whole piece unless the file ends: a pipe gives what it has. */
static ssize_t read_piece(int fd, char *to, size_t max)
{
	size_t n = 0;

	while (n < max) {
		ssize_t got = read(fd, to + n, max - n);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -1;
		if (got == 0)
			break;
		n += (size_t)got;
	}
	return (ssize_t)n;
}

static int read_all(struct job *j)
{
	char *piece = malloc(PIECE);
	ssize_t n;
	int rc = -1;

	if (!piece)
		return err_set(&j->e, ERR_IO, "out of memory");
	while ((n = read_piece(j->fd, piece, PIECE)) > 0) {
		j->octets += (uint64_t)n;
		if (csvfile_feed(&j->csv, (struct str){piece, (size_t)n}, &j->e) < 0)
			goto out;
	}
	if (n < 0) {
		err_sys(&j->e, "cannot read '%s'", j->name);
		goto out;
	}
	if (csvfile_end(&j->csv, &j->e) < 0)
		goto out;
	if (!j->has_header) {
		err_set(&j->e, ERR_INPUT,
			"%s:1: the file is empty: its first line must name the columns", j->name);
		goto out;
	}
	if (j->filling)
		hand_over(j);
	rc = 0;
out:
	free(piece);
	return rc;
}

static void *reader(void *user)
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

/* ---- the writer ---- */

struct writing {
	struct site *site;
	struct list list;
	struct import
		*import; /* begun with the first piece: until then nobody waits for the lock */
};

/* The next piece; NULL when the reader has ended and all is taken, or when it has failed: what came
 * before would be undone. */
static struct piece *next_piece(struct job *j)
{
	struct piece *p = NULL;

	pthread_mutex_lock(&j->lock);
	while (!j->ended && j->filled == j->emptied)
		pthread_cond_wait(&j->changed, &j->lock);
	if (!j->failed && j->filled > j->emptied)
		p = &j->piece[j->emptied % BATCHES];
	pthread_mutex_unlock(&j->lock);
	return p;
}

static void give_back(struct job *j)
{
	pthread_mutex_lock(&j->lock);
	j->emptied++;
	pthread_cond_signal(&j->changed);
	pthread_mutex_unlock(&j->lock);
}

static int begin(struct job *j, struct writing *w, struct err *e)
{
	const struct import_start start = {.list = w->list.id,
		.file = str_of(j->name),
		.proof = str_of(j->options->proof),
		.now = clock_now(),
		.dry_run = j->options->dry_run};
	struct str name[CSV_COLUMNS_MAX];
	size_t n = 0;

	for (size_t i = 0; i < j->columns.n; i++)
		if (j->columns.column[i].member.n)
			name[n++] = j->columns.column[i].name;
	if (import_begin(w->site->store, &start, &w->import, e) < 0)
		return -1;
	return import_fields(w->import, name, n, e);
}

static int write_rejections(struct job *j, struct writing *w, const struct piece *p, struct err *e)
{
	const struct import_options *o = j->options;

	for (size_t i = 0; i < p->rejection_n; i++) {
		if (o->rejected)
			o->rejected(o->user, p->rejection[i].line, p->rejection[i].reason);
		if (import_reject(
			    w->import, p->rejection[i].line, str_of(p->rejection[i].reason), e) < 0)
			return -1;
	}
	return 0;
}

static int write_piece(struct job *j, struct writing *w, struct piece *p, struct err *e)
{
	const struct import_options *o = j->options;
	struct store *s = w->site->store;

	if (!w->import && begin(j, w, e) < 0)
		return -1;
	if (p->rejection_n && !o->dry_run) {
		if (store_begin(s, e) < 0)
			return -1;
		if (write_rejections(j, w, p, e) < 0) {
			store_rollback(s);
			return -1;
		}
		if (store_commit(s, e) < 0)
			return -1;
	} else if (write_rejections(j, w, p, e) < 0) {
		return -1;
	}
	if (p->row_n && import_batch(w->import, p->row, p->row_n, e) < 0)
		return -1;
	if (o->progress && !o->progress(o->user, p->octets, j->size))
		return err_set(e, ERR_DENIED, "the import was stopped; nothing has changed");
	return 0;
}

static int write_all(struct job *j, struct writing *w, struct err *e)
{
	struct piece *p;

	while ((p = next_piece(j))) {
		if (write_piece(j, w, p, e) < 0)
			return -1;
		give_back(j);
	}
	if (j->failed)
		return err_set(e, j->e.code, "%s", j->e.text);
	/* A file of nothing but a header is an import too. */
	return w->import ? 0 : begin(j, w, e);
}

static int finish(struct job *j, struct writing *w, int rc, int64_t *id, struct import_counts *out,
	struct err *e)
{
	*out = (struct import_counts){0};
	*id = 0;
	if (rc == 0 && !j->options->dry_run)
		return import_commit(w->import, STR(""), STR(""), id, out, e);
	import_rollback(w->import, out);
	return rc;
}

/* ---- the file ---- */

static int open_file(struct job *j, const char *path, struct err *e)
{
	struct stat st;

	j->name = strcmp(path, "-") ? path : "standard input";
	j->fd = strcmp(path, "-") ? open(path, O_RDONLY | O_CLOEXEC) : dup(STDIN_FILENO);
	if (j->fd < 0 || fstat(j->fd, &st) < 0)
		return err_sys(e, "cannot read '%s'", j->name);
	if (S_ISDIR(st.st_mode))
		return err_set(e, ERR_INPUT, "'%s' is a folder", j->name);
	if (S_ISREG(st.st_mode))
		j->size = (uint64_t)st.st_size;
	return 0;
}

static int open_pieces(struct job *j, struct err *e)
{
	for (size_t i = 0; i < BATCHES; i++) {
		struct piece *p = &j->piece[i];

		p->row = malloc(BATCH_ROWS * sizeof *p->row);
		p->rejection = malloc(BATCH_ROWS * sizeof *p->rejection);
		if (!p->row || !p->rejection)
			return err_set(e, ERR_IO, "out of memory");
	}
	return 0;
}

static int run(struct job *j, struct writing *w, struct err *e)
{
	pthread_t thread;
	int rc = pthread_create(&thread, NULL, reader, j);

	if (rc != 0) {
		errno = rc;
		return err_sys(e, "cannot start a thread");
	}
	rc = write_all(j, w, e);
	pthread_mutex_lock(&j->lock);
	j->stopped = true;
	pthread_cond_signal(&j->changed);
	pthread_mutex_unlock(&j->lock);
	pthread_join(thread, NULL);
	return rc;
}

static void close_job(struct job *j)
{
	if (j->fd >= 0)
		close(j->fd);
	for (size_t i = 0; i < BATCHES; i++) {
		free(j->piece[i].row);
		free(j->piece[i].rejection);
		arena_free(&j->piece[i].a);
	}
	csvfile_free(&j->csv);
	buf_free(&j->scratch);
	columns_free(&j->columns);
	pthread_cond_destroy(&j->changed);
	pthread_mutex_destroy(&j->lock);
	free(j);
}

int import_file(struct site *s, const char *path, const struct import_options *options, int64_t *id,
	struct import_counts *out, struct err *e)
{
	struct writing w = {.site = s};
	struct arena a = {0};
	struct job *j;
	int rc = -1;

	if (columns_check(options, e) < 0)
		return -1;
	j = calloc(1, sizeof *j);
	if (!j)
		return err_set(e, ERR_IO, "out of memory");
	j->options = options;
	pthread_mutex_init(&j->lock, NULL);
	pthread_cond_init(&j->changed, NULL);
	buf_init(&j->scratch, CSV_ROW_MAX);
	if (open_file(j, path, e) == 0 && open_pieces(j, e) == 0 &&
		list_get(s->store, str_of(options->list), &a, &w.list, e) == 0) {
		csvfile_init(&j->csv, j->name, take_row, j);
		if (options->format)
			j->csv.form = strcmp(options->format, "addresses") ? CSV_FORM_TABLE
									   : CSV_FORM_ADDRESSES;
		rc = run(j, &w, e);
	}
	rc = finish(j, &w, rc, id, out, e);
	close_job(j);
	arena_free(&a);
	return rc;
}
