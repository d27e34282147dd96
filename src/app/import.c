/* SPDX-License-Identifier: MIT */
#include "app/import.h"

#include "base/clock.h"
#include "import_job.h"

#include <errno.h>
#include <stdlib.h>

/* ---- the writer ---- */

enum { WRITE_ROWS = 12500 }; /* between two looks at progress */

struct writing {
	struct site *site;
	const struct import_options *options;
	struct import_progress progress;
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

static void tell_given(void *user, int64_t done, int64_t all)
{
	struct writing *w = user;

	w->progress.given = done < all ? done : all;
	w->progress.people = all;
	if (w->options->progress)
		w->options->progress(w->options->user, &w->progress);
}

static int begin(struct job *j, struct writing *w, struct err *e)
{
	const struct import_start start = {.progress = tell_given,
		.user = w,
		.list = w->list.id,
		.file = str_of(source_name(j->source)),
		.proof = str_of(j->options->proof),
		.now = clock_now(),
		.dry_run = j->options->dry_run};

	return import_begin(w->site->store, &start, &w->import, e);
}

static int write_rejections(struct job *j, struct writing *w, struct piece *p, struct err *e)
{
	const struct import_options *o = j->options;

	for (size_t i = 0; i < p->rejection_n; i++) {
		const struct rejection *r = &p->rejection[i];
		const char *reason =
			*r->file ? arena_printf(&p->a, "%s: %s", r->file, r->reason) : r->reason;

		if (o->rejected)
			o->rejected(o->user, r->file, r->line, r->reason);
		if (import_reject(w->import, r->line, str_of(reason), e) < 0 ||
			(r->erased && import_erased(w->import, r->erased, e) < 0))
			return -1;
	}
	return 0;
}

static int write_rows(struct job *j, struct writing *w, struct piece *p, struct err *e)
{
	const uint64_t before = w->progress.octets, octets = p->octets - before;
	const struct import_options *o = j->options;
	size_t done = 0;

	do {
		size_t n = p->row_n - done < WRITE_ROWS ? p->row_n - done : WRITE_ROWS;

		if (n && import_batch(w->import, p->row + done, n, e) < 0)
			return -1;
		done += n;
		w->progress.octets = before + (p->row_n ? octets * done / p->row_n : octets);
		w->progress.rows += (int64_t)n;
		if (o->progress && !o->progress(o->user, &w->progress))
			return err_set(
				e, ERR_DENIED, "the import was stopped; nothing has changed");
	} while (done < p->row_n);
	return 0;
}

static int write_piece(struct job *j, struct writing *w, struct piece *p, struct err *e)
{
	struct store *s = w->site->store;
	bool own;

	if (!w->import && begin(j, w, e) < 0)
		return -1;
	own = p->rejection_n && !j->options->dry_run;
	if (own && store_begin(s, e) < 0)
		return -1;
	if (write_rejections(j, w, p, e) < 0) {
		store_rollback(s);
		return -1;
	}
	if (own && store_commit(s, e) < 0)
		return -1;
	return write_rows(j, w, p, e);
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
	if (!w->import && begin(j, w, e) < 0)
		return -1;
	if (j->options->report)
		j->options->report(j->options->user, str_of(j->report));
	return import_fields(w->import, j->attribute, j->attribute_n, e);
}

static int finish(struct job *j, struct writing *w, int rc, int64_t *id, struct import_counts *out,
	struct err *e)
{
	*out = (struct import_counts){0};
	*id = 0;
	if (rc == 0 && !j->options->dry_run)
		return import_commit(w->import, str_of(j->sha256), str_of(j->report), id, out, e);
	import_rollback(w->import, out);
	return rc;
}

/* ---- the file ---- */

static int open_job(struct job *j, const char *path, struct err *e)
{
	if (source_open(path, &j->source, e) < 0)
		return -1;
	j->files = json_array();
	j->input = malloc(sizeof *j->input);
	j->sorter = import_sorter_new();
	if (!j->input || !j->sorter)
		return err_set(e, ERR_IO, "out of memory");
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
	int rc = pthread_create(&thread, NULL, import_reader, j);

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
	for (size_t i = 0; i < BATCHES; i++) {
		free(j->piece[i].row);
		free(j->piece[i].rejection);
		arena_free(&j->piece[i].a);
	}
	source_close(j->source);
	import_sorter_free(j->sorter);
	free(j->input);
	free(j->attribute);
	free(j->report);
	json_decref(j->files);
	arena_free(&j->a);
	buf_free(&j->scratch);
	pthread_cond_destroy(&j->changed);
	pthread_mutex_destroy(&j->lock);
	free(j);
}

int import_file(struct site *s, const char *path, const struct import_options *options, int64_t *id,
	struct import_counts *out, struct err *e)
{
	struct writing w = {.site = s, .options = options};
	struct arena a = {0};
	struct job *j;
	int rc = -1;

	if (columns_check(options, e) < 0)
		return -1;
	j = calloc(1, sizeof *j);
	if (!j)
		return err_set(e, ERR_IO, "out of memory");
	j->options = options;
	j->rule = s->config.quoted_local_parts;
	pthread_mutex_init(&j->lock, NULL);
	pthread_cond_init(&j->changed, NULL);
	buf_init(&j->scratch, CSV_ROW_MAX);
	if (open_job(j, path, e) == 0 &&
		list_get(s->store, str_of(options->list), &a, &w.list, e) == 0) {
		w.progress.size = source_size(j->source);
		rc = run(j, &w, e);
	}
	rc = finish(j, &w, rc, id, out, e);
	close_job(j);
	arena_free(&a);
	return rc;
}
