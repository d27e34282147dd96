/* SPDX-License-Identifier: MIT */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#include <sys/types.h>

/* Append the whole file `path` to `out`. ERR_MISSING, ERR_DENIED, ERR_IO; ERR_INPUT when it is a
 * directory or larger than the buffer's ceiling. `out` may hold a part of it after an error. */
int file_read(const char *path, struct buf *out, struct err *e);

/* Write `content` to `path` so that either the old or the new content is there whatever happens:
 * temporary file beside it, fsync, rename, fsync of the folder. ERR_IO, ERR_DENIED. */
int file_write(const char *path, struct str content, mode_t mode, struct err *e);

/* As file_write(), but refuses with ERR_EXISTS where `path` exists already. */
int file_create(const char *path, struct str content, mode_t mode, struct err *e);

/* Read a secret into `out`, without the line end behind it. Refuses with ERR_DENIED a file that
 * others than its owner and group may read, and with ERR_CONFIG an empty one; the message never
 * holds the content. */
int file_read_secret(const char *path, struct buf *out, struct err *e);

#endif
