/* SPDX-License-Identifier: MIT */
#ifndef SRC_APP_IMPORT_JOB_H
#define SRC_APP_IMPORT_JOB_H

#include "app/import.h"
#include "columns.h"
#include "csvfile.h"
#include "source.h"
#include "tally.h"

#include <jansson.h>
#include <pthread.h>

/*
 * Two threads: one reads, checks and sorts a batch while the other writes the one before it.
 * Sorting by address is what makes the writing fast, and it wants large batches.
 */
enum {
	BATCH_FIRST =
		25000, /* then each as large as all before it, so that the writer is soon at work */
	BATCH_ROWS = 200000,
	BATCH_OCTETS = 32 * 1024 * 1024, /* of text; such rows are rare */
	BATCHES = 2,
	PIECE = 256 * 1024,
};

struct rejection {
	const char *file; /* member of an archive, or "" */
	uint64_t line;
	const char *reason;
	const unsigned char *erased; /* SHA-512 of an address that was erased elsewhere, or NULL */
};

struct piece {
	struct import_row *row;
	struct rejection *rejection;
	size_t row_n, rejection_n;
	size_t full; /* rows and rejections it takes */
	uint64_t octets; /* of the file, up to here */
	struct arena a;
	size_t text_n; /* in `a`, about */
};

/* A file, or a member of an archive, while it is read. */
struct input {
	struct str file; /* its own name, without folders */
	const char *member; /* in an archive, or "" */
	const char *name; /* for messages */
	struct csvfile csv;
	struct columns columns;
	struct tally tally;
	uint64_t rows, rejected;
	bool has_header, left_out;
};

struct job {
	const struct import_options *options;
	enum addr_rule rule; /* of addresses */

	/* the reader's, until it has ended */
	struct source *source;
	struct input *input;
	struct arena a; /* lives as long as the job */
	struct str *attribute; /* names of all that rows have */
	size_t attribute_n;
	json_t *files; /* reports of those that were read */
	struct buf scratch;
	struct import_sorter *sorter;
	size_t taken; /* rows, in all pieces before `filling` */
	struct piece *filling;
	struct err e;
	char sha256
		[SOURCE_SUM_SIZE]; /* of all that was read, in hex; when it has ended well, as the next */
	char *report; /* when it has ended well, see app/import.h; of malloc() */

	/* under the lock */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct piece piece[BATCHES];
	size_t filled, emptied; /* pieces handed over, and given back, in all */
	bool ended; /* the reader has: with `failed`, for the reason in `e` */
	bool failed;
	bool stopped; /* the writer has: nobody takes pieces any more */
};

/* The thread that reads; `user` is the job. */
void *import_reader(void *user);

/* The report of a file that was read, and that of them all; the caller frees both. */
json_t *import_report_file(const struct input *in);
char *import_report_text(struct job *j);

#endif
