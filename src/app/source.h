/* SPDX-License-Identifier: MIT */
#ifndef SRC_APP_SOURCE_H
#define SRC_APP_SOURCE_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * Where the text of an import comes from: a file or standard input, as it is, gzipped, or in a zip with several
 * members (libarchive). Of a zip, files that end in .csv, .tsv or .txt are taken, in their order. What is larger
 * unpacked than any real file of people would be is refused.
 */
enum { SOURCE_MEMBERS_MAX = 100, SOURCE_SUM_SIZE = 65 };

struct source;

/* Open `path`, "-" = standard input; messages and `name` call it by that. ERR_MISSING, ERR_DENIED, ERR_INPUT. */
int source_open(const char *path, struct source **out, struct err *e);

/* Go to the next member. 1, 0 when there is none left, or -1 (ERR_INPUT). */
int source_next(struct source *s, struct err *e);

/* The member's name; empty where the file itself is all there is. Valid as long as the source. */
struct str source_member(const struct source *s);

/* Fill `to` with octets of the member, less than `max` only at its end. -1 with ERR_INPUT or ERR_IO. */
ssize_t source_read(struct source *s, char *to, size_t max, struct err *e);

/* The file as messages call it; octets of it that were read; its size, 0 = unknown. */
const char *source_name(const struct source *s);
uint64_t source_done(const struct source *s);
uint64_t source_size(const struct source *s);

/* SHA-256 over all text that was read, unpacked, in lower-case hexadecimal. */
void source_sum(struct source *s, char out[SOURCE_SUM_SIZE]);

/* Note that a member was left out, and why (which lasts). */
void source_leave_out(struct source *s, struct str member, const char *why);

/* The left out member `i`; returns how many there are. */
size_t source_left_out(const struct source *s, size_t i, struct str *member, const char **why);

/* Close; NULL is allowed. */
void source_close(struct source *s);

#endif
