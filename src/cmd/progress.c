/* SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "cmd.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* What takes less than this needs no bar. */
enum { PATIENCE_MS = 500, BAR_MAX = 40 };

volatile sig_atomic_t cmd_stop;

static void note_signal(int number)
{
	cmd_stop = number;
}

void cmd_catch_signals(void)
{
	/* Without SA_RESTART: what waits shall wake up. */
	struct sigaction action = {.sa_handler = note_signal};

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

void progress_init(struct progress *p, const struct cmd *c, const char *what)
{
	*p = (struct progress){.what = what, .started_ms = clock_mono_ms()};
	p->wanted = !c->quiet && !c->verbose && isatty(STDERR_FILENO);
}

double progress_seconds(const struct progress *p)
{
	return (double)(clock_mono_ms() - p->started_ms + 1) / 1e3;
}

static int terminal_width(void)
{
	struct winsize size = {0};

	return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col ? size.ws_col : 80;
}

static void draw_bar(int64_t done, int64_t all, int width)
{
	int filled = (int)((double)done / (double)all * width);

	fputs(" [", stderr);
	for (int i = 0; i < width; i++)
		fputc(i < filled ? '#' : '.', stderr);
	fputc(']', stderr);
}

void progress_draw(struct progress *p, int64_t done, int64_t all, const char *rate)
{
	int64_t ms = clock_mono_ms() - p->started_ms, left_s;
	int room, words = (int)strlen(rate);

	if (!p->wanted || ms < PATIENCE_MS)
		return;
	p->drawn = true;
	if (done > all)
		done = all;
	if (all <= 0) {
		fprintf(stderr, "\r\033[K%s  %s", p->what, rate);
		return;
	}
	fprintf(stderr, "\r\033[K%s", p->what);
	room = terminal_width() - (int)(strlen(p->what) + strlen(" [] 100 %    99:59:59 left ")) -
	       words;
	if (room >= 10)
		draw_bar(done, all, room < BAR_MAX ? room : BAR_MAX);
	/* One line, whatever it says. */
	if (room < 0 && words > -room)
		words += room;
	while (words > 0 && ((unsigned char)rate[words] & 0xc0) == 0x80)
		words--;
	fprintf(stderr, " %3d %%  %.*s", (int)(100.0 * (double)done / (double)all), words, rate);
	if (done == 0)
		return;
	left_s = (int64_t)((double)ms * (double)(all - done) / (double)done / 1000.0);
	if (left_s >= 3600)
		fprintf(stderr, "  %" PRId64 ":%02d:%02d left", left_s / 3600,
			(int)(left_s / 60 % 60), (int)(left_s % 60));
	else
		fprintf(stderr, "  %d:%02d left", (int)(left_s / 60), (int)(left_s % 60));
}

void progress_clear(struct progress *p)
{
	if (p->drawn)
		fputs("\r\033[K", stderr);
	p->drawn = false;
}
