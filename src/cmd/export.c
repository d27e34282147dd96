/* SPDX-License-Identifier: MIT */
#include "app/export.h"
#include "cmd.h"
#include "store/segment.h"

#include <stdio.h>
#include <string.h>

static int write_out(void *user, struct str octets, struct err *e)
{
	(void)user;
	if (fwrite(octets.p, 1, octets.n, stdout) != octets.n)
		return err_set(e, ERR_IO, "cannot write to standard output");
	return 0;
}

static int read_status(const char *word, int *out, struct err *e)
{
	const char *names[SUBSCRIPTION_STATUS_N], *near;

	*out = -1;
	if (!word)
		return 0;
	for (int i = 0; i < SUBSCRIPTION_STATUS_N; i++) {
		names[i] = subscription_status_name((enum subscription_status)i);
		if (strcmp(word, names[i]) == 0) {
			*out = i;
			return 0;
		}
	}
	near = str_nearest(str_of(word), names, SUBSCRIPTION_STATUS_N);
	return err_set(e, ERR_USAGE, "there is no status '%s'%s%s%s", word,
		near ? ": did you mean '" : "", near ? near : "", near ? "'?" : "");
}

static int run(struct cmd *c, struct site *s, const char *slug, const char *text,
	struct export_options *options, struct err *e)
{
	const struct segment *segment;
	struct list list;
	int64_t rows, n;

	if (list_get(s->store, str_of(slug), &c->arena, &list, e) < 0)
		return -1;
	options->query.list = list.id;
	options->query.segment = text != NULL;
	if (text && (segment_parse(&c->arena, str_of(text), &segment, e) < 0 ||
			    segment_find(s->store, segment, list.id, SEGMENT_FIRST, &n, e) < 0))
		return -1;
	if (export_file(s, options, &rows, e) < 0)
		return -1;
	return rows ? 0 : EXIT_NO;
}

int cmd_export(struct cmd *c, struct err *e)
{
	const char *slug = NULL, *status = NULL, *segment = NULL;
	struct export_options options = {.write = write_out};
	const struct cmd_option table[] = {
		{"list", "SLUG", "the list whose people are wanted", .text = &slug},
		{"status", "WORD", "only those of this status", .text = &status},
		{"segment", "EXPRESSION", "only those in this segment", .text = &segment},
		{"raw", NULL, "leave alone what a spreadsheet would take for a formula",
			.flag = &options.raw},
		{0},
	};
	struct site s;
	int rc;

	if (cmd_options(c, table, 0, 0, e) < 0 || read_status(status, &options.query.status, e) < 0)
		return -1;
	if (!slug)
		return err_set(e, ERR_USAGE, "export: --list SLUG is missing");
	if (cmd_site(c, &s, e) < 0)
		return -1;
	options.ndjson = c->json;
	rc = run(c, &s, slug, segment, &options, e);
	site_close(&s);
	return rc;
}
