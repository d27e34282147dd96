/* SPDX-License-Identifier: MIT */
#include "source.h"

#include <stdint.h>

/* Ranges of characters that no source holds, and what to call them. */
static const struct {
	uint32_t first, last;
	const char *what;
} refused[] = {
	{0x00, 0x08, "a control character"},
	{0x0b, 0x1f, "a control character"},
	{0x7f, 0x9f, "a control character"},
	{0x202a, 0x202e, "an invisible character that turns the direction of text"},
	{0xe000, 0xf8ff, "a private-use character"},
	{0xf0000, 0x10ffff, "a private-use character"},
};

int source_check(const char *file, struct str s, struct err *e)
{
	size_t line = 1, n;

	for (size_t i = 0; i < s.n; i += n) {
		struct str rest = str_slice(s, i, s.n);
		uint32_t c;

		n = utf8_len(rest);
		if (!n)
			return err_set(e, ERR_INPUT,
				"%s:%zu: this line is not valid UTF-8, save the file as UTF-8",
				file, line);
		c = utf8_code_point(rest);
		line += c == '\n';
		for (size_t k = 0; k < sizeof(refused) / sizeof(refused[0]); k++)
			if (c >= refused[k].first && c <= refused[k].last)
				return err_set(e, ERR_INPUT,
					"%s:%zu: there is %s (U+%04X) on this line, take it out",
					file, line, refused[k].what, (unsigned)c);
	}
	return 0;
}

struct str source_lines(struct arena *a, struct str source)
{
	char *out = arena_alloc(a, source.n + 1);
	size_t n = 0, i = str_has_prefix(source, STR("\xef\xbb\xbf")) ? 3 : 0;

	for (; i < source.n; i++)
		if (source.p[i] != '\r' || i + 1 == source.n || source.p[i + 1] != '\n')
			out[n++] = source.p[i];
	return (struct str){out, n};
}
