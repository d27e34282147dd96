/* SPDX-License-Identifier: MIT */
#include "base/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static _Atomic int log_level = LOG_LEVEL_WARNING;

void log_set_level(enum log_level level)
{
	log_level = (int)level;
}

static bool dropped(const struct log_line *l)
{
	return (int)l->level > log_level;
}

static void add_char(struct log_line *l, char c)
{
	/* One octet stays free for the line's end. */
	if (l->n < sizeof l->text - 1)
		l->text[l->n++] = c;
}

static void add_text(struct log_line *l, const char *s)
{
	while (*s)
		add_char(l, *s++);
}

static void add_key(struct log_line *l, const char *key)
{
	add_char(l, ' ');
	add_text(l, key);
	add_char(l, '=');
}

void log_begin(struct log_line *l, enum log_level level, const char *event)
{
	l->level = level;
	l->n = 0;
	if (dropped(l))
		return;
	if (getenv("JOURNAL_STREAM")) {
		char priority[8];

		snprintf(priority, sizeof priority, "<%d>", (int)level);
		add_text(l, priority);
	}
	add_text(l, "event=");
	add_text(l, event);
}

void log_str(struct log_line *l, const char *key, struct str value)
{
	bool quote = value.n == 0;

	if (dropped(l))
		return;
	for (size_t i = 0; i < value.n && !quote; i++)
		quote = (unsigned char)value.p[i] <= ' ' || value.p[i] == '=' ||
			value.p[i] == '"' || value.p[i] == '\\' || value.p[i] == 0x7f;
	add_key(l, key);
	if (quote)
		add_char(l, '"');
	for (size_t i = 0; i < value.n; i++) {
		unsigned char c = (unsigned char)value.p[i];

		if (c < 0x20 || c == 0x7f) {
			char escape[8];

			snprintf(escape, sizeof escape, "\\x%02x", c);
			add_text(l, escape);
			continue;
		}
		if (c == '"' || c == '\\')
			add_char(l, '\\');
		add_char(l, (char)c);
	}
	if (quote)
		add_char(l, '"');
}

void log_int(struct log_line *l, const char *key, int64_t value)
{
	char text[24];

	if (dropped(l))
		return;
	snprintf(text, sizeof text, "%lld", (long long)value);
	add_key(l, key);
	add_text(l, text);
}

void log_end(struct log_line *l)
{
	ssize_t written;

	if (dropped(l))
		return;
	l->text[l->n++] = '\n';
	/* Nothing can be done about a log that cannot be written. */
	written = write(STDERR_FILENO, l->text, l->n);
	(void)written;
}

void log_msg(enum log_level level, const char *event, const char *fmt, ...)
{
	char text[1024];
	struct log_line l;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	log_begin(&l, level, event);
	log_str(&l, "msg", str_of(text));
	log_end(&l);
}
