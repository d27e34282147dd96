/* SPDX-License-Identifier: MIT */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/str.h"

#include <stdint.h>

/*
 * One logfmt line an event on stderr: `event=attempt issue=3 …`. Under systemd (JOURNAL_STREAM set)
 * each line starts with the journal's priority "<6>". Values are quoted when they hold a space, '='
 * or '"'; control bytes become escapes. No addresses at LOG_LEVEL_INFO or above.
 */
enum log_level {
	LOG_LEVEL_ERROR = 3,
	LOG_LEVEL_WARNING = 4,
	LOG_LEVEL_INFO = 6,
	LOG_LEVEL_DEBUG = 7
};

struct log_line {
	enum log_level level;
	unsigned n;
	char text[2048];
};

/* Lines above `level` are dropped; the default is LOG_LEVEL_WARNING. */
void log_set_level(enum log_level level);

/* Start a line, add fields, write it with one write(2); a line that is too long is cut.
 * Thread-safe: the line is the caller's. */
void log_begin(struct log_line *l, enum log_level level, const char *event);
void log_str(struct log_line *l, const char *key, struct str value);
void log_int(struct log_line *l, const char *key, int64_t value);
void log_end(struct log_line *l);

/* A line with the one field `msg`. */
void log_msg(enum log_level level, const char *event, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
