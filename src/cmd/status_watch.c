/* SPDX-License-Identifier: MIT */
#include "base/buf.h"
#include "status.h"

#include <stdio.h>
#include <stdio_ext.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

enum { PICTURE_MAX = 1 << 20, COLUMNS = 80, ROWS = 24 };

struct window {
	size_t rows, columns;
	size_t row; /* the next one */
	struct buf out;
};

/* Begin a line; false when the window is full. */
static bool next_row(struct window *w)
{
	if (w->row == w->rows)
		return false;
	buf_cstr(&w->out, w->row++ ? "\033[K\n" : "\033[H");
	return true;
}

/* A line that shouts, in bold, as many rows as it needs. */
static void draw_shout(struct window *w, struct str line)
{
	const char *indent = "";
	size_t width, n;

	while (line.n && next_row(w)) {
		n = cmd_fit(line, w->columns - (*indent ? 2 : 0), &width);
		if (n < line.n) {
			size_t space = n;

			while (space > n / 2 && line.p[space] != ' ')
				space--;
			n = space > n / 2 ? space : n;
		}
		buf_printf(&w->out, "\033[1m%s%.*s\033[0m", indent, (int)n, line.p);
		line = str_slice(line, n, line.n);
		while (line.n && line.p[0] == ' ')
			line = str_slice(line, 1, line.n);
		indent = "  ";
	}
}

/* As much of the text as the window holds, from its top. */
static void draw(struct window *w, struct str text)
{
	struct str rest = text, line;
	size_t width;

	if (str_has_suffix(rest, STR("\n")))
		rest.n--;
	while (str_next(&rest, '\n', &line)) {
		if (w->row + 1 == w->rows && rest.p) {
			next_row(w);
			buf_cstr(&w->out, "... (more below: a taller window shows it)");
			break;
		}
		if (str_has_prefix(line, STR("! ")))
			draw_shout(w, line);
		else if (next_row(w))
			buf_add(&w->out, line.p, cmd_fit(line, w->columns, &width));
	}
	buf_cstr(&w->out, "\033[K\033[J");
}

/* What stands in stdout's buffer becomes a picture in the window. */
static void show_picture(const char *picture)
{
	struct winsize size = {0};
	struct window w = {.rows = ROWS, .columns = COLUMNS};

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 1 && size.ws_col > 10) {
		w.rows = size.ws_row;
		w.columns = size.ws_col;
	}
	buf_init(&w.out, 2 * PICTURE_MAX);
	draw(&w, (struct str){picture, __fpending(stdout)});
	__fpurge(stdout);
	fwrite(w.out.p, 1, w.out.n, stdout);
	fflush(stdout);
	buf_free(&w.out);
}

/* Each picture is drawn over the one before, in memory of its own. */
int status_watch(struct cmd *c, struct site *s, struct watch *w, struct err *e)
{
	static char picture[PICTURE_MAX];
	const struct timespec second = {1, 0};
	int rc = 0;

	w->screen = isatty(STDOUT_FILENO) && !c->json;
	setvbuf(stdout, picture, _IOFBF, sizeof picture);
	cmd_catch_signals();
	if (w->screen)
		printf("\033[H\033[J");
	fflush(stdout);
	while (rc == 0 && !cmd_stop) {
		struct arena kept = c->arena;

		c->arena = (struct arena){0};
		rc = status_show(c, s, w, e);
		if (w->screen)
			show_picture(picture);
		else
			fflush(stdout);
		arena_free(&c->arena);
		c->arena = kept;
		if (w->over)
			break;
		nanosleep(&second, NULL);
	}
	if (w->screen)
		printf("\n");
	return rc;
}
