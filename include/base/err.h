/* SPDX-License-Identifier: MIT */
#ifndef BASE_ERR_H
#define BASE_ERR_H

/*
 * Errors: few codes, told apart by what the caller can do about them, and one sentence for a
 * person.
 *
 * The sentence starts in lower case, has no full stop at its end, quotes its subject ('x') and,
 * where input from a file is at fault, begins with FILE:LINE. A function that fails fills the
 * struct and returns -1 (or NULL); a function that succeeds leaves it untouched, so calls can be
 * chained.
 */
enum err_code {
	ERR_NONE,
	ERR_USAGE, /* the command line is wrong: call again, corrected */
	ERR_INPUT, /* a file's or a field's content is wrong: mend the input */
	ERR_MISSING, /* what was named does not exist */
	ERR_EXISTS, /* what was to be created is there already */
	ERR_CONFIG, /* lettermill.conf, or a file it names, is wrong */
	ERR_DENIED, /* permissions, or a rule of the program, forbid it */
	ERR_BUSY, /* somebody else is at it, try again later */
	ERR_RELAY, /* the relay or the way to it fails, try again later */
	ERR_IO, /* disk, memory or operating system trouble */
	ERR_BUG, /* what must not happen happened */
};

struct err {
	enum err_code code;
	char text[1024];
};

/* Fill `e` (which may be NULL) with `code` and the formatted sentence; control bytes in it become
 * '?' so that hostile input cannot drive a terminal. Always returns -1, for `return err_set(…)`. */
int err_set(struct err *e, enum err_code code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* As err_set() with code ERR_IO (ERR_MISSING for ENOENT, ERR_DENIED for EACCES and EPERM), with
 * ": " and the text of the current errno appended. Always returns -1. */
int err_sys(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Put a formatted prefix such as "issue.md:12: " before the sentence that `e` holds. Returns -1. */
int err_prefix(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The exit code of sysexits.h for a code: ERR_USAGE 64, ERR_INPUT 65, ERR_MISSING 66, ERR_EXISTS
 * 73, ERR_CONFIG 78, ERR_DENIED 77, ERR_BUSY and ERR_RELAY 75, ERR_IO 74, ERR_BUG 70, ERR_NONE 0.
 */
int err_exit_code(enum err_code code);

#endif
