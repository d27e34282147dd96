/* SPDX-License-Identifier: MIT */
#include "base/buf.h"
#include "base/clock.h"
#include "cmd.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_MAX = 64 * 1024 };

/* Controls, and the characters that turn the writing direction or hide text. */
static bool is_unsafe(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c <= 0x9f) || (c >= 0x200b && c <= 0x200f) ||
	       (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) || c == 0xfeff;
}

const char *cmd_text_in(struct arena *a, struct str s)
{
	struct buf out;
	const char *text;

	buf_init(&out, TEXT_MAX);
	while (s.n) {
		size_t n = utf8_len(s);

		if (n == 0 || is_unsafe(utf8_code_point(s)))
			buf_char(&out, '?');
		else
			buf_add(&out, s.p, n);
		s = str_slice(s, n ? n : 1, s.n);
	}
	text = arena_cstr(a, buf_view(&out));
	buf_free(&out);
	return text;
}

const char *cmd_text(struct cmd *c, struct str s)
{
	return cmd_text_in(&c->arena, s);
}

const char *cmd_time(struct cmd *c, int64_t t)
{
	char iso[CLOCK_ISO_SIZE];

	if (!t)
		return "-";
	clock_iso(t, iso);
	return arena_printf(&c->arena, "%.10s %.8s", iso, iso + 11);
}

const char *cmd_minute(struct cmd *c, int64_t t)
{
	return arena_printf(&c->arena, "%.16s", cmd_time(c, t));
}

const char *cmd_number(struct cmd *c, int64_t n)
{
	char digits[24], *out = arena_alloc(&c->arena, 32), *p = out;
	size_t count = (size_t)snprintf(digits, sizeof digits, "%" PRId64, n < 0 ? -n : n);

	if (n < 0)
		*p++ = '-';
	for (size_t i = 0; i < count; i++) {
		if (i && (count - i) % 3 == 0)
			*p++ = ',';
		*p++ = digits[i];
	}
	return out;
}

const char *cmd_count(struct cmd *c, int64_t n, const char *one, const char *many)
{
	return arena_printf(&c->arena, "%s %s", cmd_number(c, n), n == 1 ? one : many);
}

json_t *cmd_json_text(struct str s)
{
	struct buf valid;
	json_t *text;

	if (utf8_invalid_at(s) == s.n)
		return json_stringn(s.p ? s.p : "", s.n);
	buf_init(&valid, 3 * s.n);
	while (s.n) {
		size_t n = utf8_len(s);

		if (n)
			buf_add(&valid, s.p, n);
		else
			buf_cstr(&valid, "\xef\xbf\xbd");
		s = str_slice(s, n ? n : 1, s.n);
	}
	text = json_stringn(valid.p, valid.n);
	buf_free(&valid);
	return text;
}

json_t *cmd_json_time(int64_t t)
{
	char iso[CLOCK_ISO_SIZE];

	return t ? json_string(clock_iso(t, iso)) : json_null();
}

void cmd_json(json_t *o)
{
	char *text = o ? json_dumps(o, JSON_COMPACT) : NULL;

	if (!text)
		abort(); /* memory is gone, or one of our own format strings is wrong */
	puts(text);
	free(text);
	json_decref(o);
}
