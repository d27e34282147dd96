/* SPDX-License-Identifier: MIT */
#include "cmd.h"

#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

enum { COLUMNS_MAX = 16, NO_LIMIT = 1 << 20, LEAST = 8 };

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

size_t cmd_fit(struct str text, size_t room, size_t *width)
{
	struct str s = text;

	*width = 0;
	while (s.n) {
		size_t n = utf8_len(s);
		int w = wcwidth((wchar_t)utf8_code_point(s));

		if (w > 0 && *width + (size_t)w > room)
			break;
		*width += w > 0 ? (size_t)w : 0;
		s = str_slice(s, n, s.n);
	}
	return (size_t)(s.p - text.p);
}

size_t cmd_columns(void)
{
	struct winsize size = {0};

	return isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col
										     : 0;
}

static size_t width_of(const char *text)
{
	size_t width;

	cmd_fit(str_of(text), NO_LIMIT, &width);
	return width;
}

static const char *title(const char *head)
{
	return head[0] == '>' ? head + 1 : head;
}

static void print_last(const char *text, size_t pad, size_t room)
{
	size_t width, n;

	room = room < LEAST ? LEAST : room;
	if (width_of(text) <= room) {
		printf("%*s%s\n", (int)pad, "", text);
		return;
	}
	n = cmd_fit(str_of(text), room - 1, &width);
	printf("%.*s…\n", (int)n, text);
}

static void print_row(
	const struct table *t, const size_t *width, const char *const *cell, size_t room)
{
	for (size_t i = 0; i < t->columns; i++) {
		const char *text = cell[i];
		int pad = (int)(width[i] - width_of(text));
		bool right = t->head[i][0] == '>';

		if (i + 1 < t->columns)
			printf("%*s%s%*s  ", right ? pad : 0, "", text, right ? 0 : pad, "");
		else
			print_last(text, right ? (size_t)pad : 0, room);
		room -= room > width[i] + 2 ? width[i] + 2 : room;
	}
}

void table_print(const struct table *t)
{
	const char *head[COLUMNS_MAX];
	size_t width[COLUMNS_MAX], room = cmd_columns();

	if (!room)
		room = NO_LIMIT;
	for (size_t i = 0; i < t->columns; i++) {
		head[i] = title(t->head[i]);
		width[i] = width_of(head[i]);
		for (const struct table_row *r = t->first; r; r = r->next)
			if (width_of(r->cell[i]) > width[i])
				width[i] = width_of(r->cell[i]);
	}
	print_row(t, width, head, room);
	for (const struct table_row *r = t->first; r; r = r->next)
		print_row(t, width, r->cell, room);
}
