/* SPDX-License-Identifier: MIT */
#include "tags.h"

#include "base/enc.h"

#include <string.h>

void tags_add(struct tags *t, struct str tag)
{
	size_t i = 0;

	tag = str_trim(tag);
	while (i < t->n && !str_eq_nocase(t->tag[i], tag))
		i++;
	if (!tag.n || i < t->n)
		return;
	if (t->n == TAGS_MAX)
		t->over = true;
	else
		t->tag[t->n++] = tag;
}

/* Take the quoted text that starts `*rest`, with doubled quotes inside, as in CSV. */
static struct str take_quoted(struct arena *a, struct str *rest)
{
	char *text = arena_alloc(a, rest->n + 1);
	size_t n = 0, i;

	for (i = 1; i < rest->n; i++) {
		if (rest->p[i] == '"' && !(i + 1 < rest->n && rest->p[i + 1] == '"'))
			break;
		i += rest->p[i] == '"';
		text[n++] = rest->p[i];
	}
	*rest = str_slice(*rest, i + 1, rest->n);
	return (struct str){text, n};
}

/* A list, whose items may be in quotes. */
static void read_list(struct tags *t, struct arena *a, const char *separators, struct str rest)
{
	while ((rest = str_trim(rest)).n) {
		size_t n = 0;

		if (rest.p[0] == '"') {
			tags_add(t, take_quoted(a, &rest));
			while (rest.n && !strchr(separators, rest.p[0]))
				rest = str_slice(rest, 1, rest.n);
		} else {
			while (n < rest.n && !strchr(separators, rest.p[n]))
				n++;
			tags_add(t, str_slice(rest, 0, n));
		}
		rest = str_slice(rest, n + 1, rest.n);
	}
}

void tags_read(struct tags *t, struct arena *a, const char *how, struct str header, struct str cell)
{
	struct str tag = str_of(how), word = STR("");
	char separators[8] = "";
	size_t none = str_find(tag, '~');

	if (str_find(tag, '=') < tag.n) {
		str_next(&tag, '=', &word);
		if (str_eq_nocase(cell, word))
			tags_add(t, str_eq(tag, STR("*")) ? header : tag);
	} else if (!tag.n) {
		tags_add(t, cell);
	} else if (!str_eq_nocase(cell, str_slice(tag, none + 1, tag.n))) {
		memcpy(separators, how, none < sizeof separators ? none : sizeof separators - 1);
		read_list(t, a, separators, cell);
	}
}

void tags_write(const struct tags *t, struct buf *out)
{
	buf_cstr(out, "\"tags\":[");
	for (size_t i = 0; i < t->n; i++) {
		if (i)
			buf_char(out, ',');
		enc_json(out, t->tag[i]);
	}
	buf_char(out, ']');
}
