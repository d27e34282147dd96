/* SPDX-License-Identifier: MIT */
#include "cmd.h"

#include <stdio.h>
#include <wchar.h>

enum { COLUMNS_MAX = 16 };

struct table_row {
	const char *const *cell;
	struct table_row *next;
};

void table_init(struct table *t, struct arena *a, const char *const *head, size_t columns)
{
	*t = (struct table){.arena = a, .head = head, .columns = columns};
	t->last = &t->first;
}

void table_add(struct table *t, const char *const *cell)
{
	struct table_row *row = arena_alloc(t->arena, sizeof *row);
	const char **copy = arena_array(t->arena, t->columns, sizeof *copy);

	for (size_t i = 0; i < t->columns; i++)
		copy[i] = cell[i] ? cell[i] : "";
	row->cell = copy;
	*t->last = row;
	t->last = &row->next;
}

/* Columns that `text`, which is valid UTF-8, takes on a terminal. */
static size_t width_of(const char *text)
{
	struct str s = str_of(text);
	size_t width = 0;

	while (s.n) {
		size_t n = utf8_len(s);
		int w = n ? wcwidth((wchar_t)utf8_code_point(s)) : 1;

		width += w > 0 ? (size_t)w : 0;
		s = str_slice(s, n ? n : 1, s.n);
	}
	return width;
}

static const char *title(const char *head)
{
	return head[0] == '>' ? head + 1 : head;
}

static void print_row(const struct table *t, const size_t *width, const char *const *cell)
{
	for (size_t i = 0; i < t->columns; i++) {
		const char *text = cell[i];
		int pad = (int)(width[i] - width_of(text));
		bool right = t->head[i][0] == '>', last = i + 1 == t->columns;

		printf("%*s%s%*s%s", right ? pad : 0, "", text, right || last ? 0 : pad, "",
			last ? "\n" : "  ");
	}
}

void table_print(const struct table *t)
{
	const char *head[COLUMNS_MAX];
	size_t width[COLUMNS_MAX];

	for (size_t i = 0; i < t->columns; i++) {
		head[i] = title(t->head[i]);
		width[i] = width_of(head[i]);
		for (const struct table_row *r = t->first; r; r = r->next)
			if (width_of(r->cell[i]) > width[i])
				width[i] = width_of(r->cell[i]);
	}
	print_row(t, width, head);
	for (const struct table_row *r = t->first; r; r = r->next)
		print_row(t, width, r->cell);
}
