/* SPDX-License-Identifier: MIT */
#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

static void clean(char *text)
{
	for (char *p = text; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = '?';
}

static void fill(struct err *e, enum err_code code, const char *fmt, va_list ap)
{
	char text[sizeof e->text]; /* `e->text` may be one of the arguments */

	vsnprintf(text, sizeof text, fmt, ap);
	clean(text);
	memcpy(e->text, text, sizeof text);
	e->code = code;
}

int err_set(struct err *e, enum err_code code, const char *fmt, ...)
{
	va_list ap;

	if (!e)
		return -1;
	va_start(ap, fmt);
	fill(e, code, fmt, ap);
	va_end(ap);
	return -1;
}

int err_sys(struct err *e, const char *fmt, ...)
{
	int saved = errno;
	enum err_code code = ERR_IO;
	va_list ap;
	size_t n;

	if (!e)
		return -1;
	if (saved == ENOENT)
		code = ERR_MISSING;
	else if (saved == EACCES || saved == EPERM)
		code = ERR_DENIED;
	else if (saved == EEXIST)
		code = ERR_EXISTS;
	va_start(ap, fmt);
	fill(e, code, fmt, ap);
	va_end(ap);
	n = strlen(e->text);
	snprintf(e->text + n, sizeof e->text - n, ": %s", strerror(saved));
	return -1;
}

int err_prefix(struct err *e, const char *fmt, ...)
{
	char text[sizeof e->text];
	va_list ap;
	size_t n;

	if (!e)
		return -1;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	clean(text);
	n = strlen(text);
	/* What no longer fits is the end of the sentence, not the place it speaks of. */
	snprintf(text + n, sizeof text - n, "%s", e->text);
	memcpy(e->text, text, sizeof text);
	return -1;
}

int err_exit_code(enum err_code code)
{
	static const int exit_code[] = {
		[ERR_NONE] = EX_OK,
		[ERR_USAGE] = EX_USAGE,
		[ERR_INPUT] = EX_DATAERR,
		[ERR_MISSING] = EX_NOINPUT,
		[ERR_EXISTS] = EX_CANTCREAT,
		[ERR_CONFIG] = EX_CONFIG,
		[ERR_DENIED] = EX_NOPERM,
		[ERR_BUSY] = EX_TEMPFAIL,
		[ERR_RELAY] = EX_TEMPFAIL,
		[ERR_IO] = EX_IOERR,
		[ERR_BUG] = EX_SOFTWARE,
	};

	return exit_code[code];
}
