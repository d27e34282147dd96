/* SPDX-License-Identifier: MIT */
#include "../../src/app/columns.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* What is made of a file: its rows as they become subscribers, or the reason why not. */
struct reading {
	struct columns columns;
	bool has_header;
	struct arena a;
	struct buf scratch, out;
};

static int take(void *user, const struct str *field, size_t n, uint64_t line, struct err *e)
{
	static const struct import_options options = {.list = "daily"};
	struct reading *r = user;
	struct import_row row;
	struct err why;

	if (!r->has_header) {
		r->has_header = true;
		return columns_read(
			&r->columns, field, n, &options, "f.csv", STR("f.csv"), line, e);
	}
	if (columns_row(&r->columns, &r->a, &r->scratch, field, n, line, &row, &why) < 0) {
		buf_printf(&r->out, "%zu: %s\n", (size_t)line, why.text);
		return 0;
	}
	if (row.key.n == 0 || memchr(row.first_name.p, '\n', row.first_name.n))
		abort();
	if (row.attributes.n) {
		json_t *object = json_loadb(row.attributes.p, row.attributes.n,
			JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES, NULL);

		if (!json_is_object(object))
			abort();
		json_decref(object);
	}
	buf_printf(&r->out, "%zu: ", (size_t)line);
	buf_str(&r->out, row.key);
	buf_str(&r->out, row.first_name);
	buf_str(&r->out, row.attributes);
	return 0;
}

static void read_in(struct reading *r, struct str csv, size_t step)
{
	struct csvfile c;
	struct err e = {0};
	int rc = 0;

	memset(r, 0, sizeof *r);
	buf_init(&r->scratch, CSV_ROW_MAX);
	buf_init(&r->out, 64 << 20);
	csvfile_init(&c, "f.csv", take, r);
	for (size_t i = 0; rc == 0 && i < csv.n; i += step)
		rc = csvfile_feed(&c, str_slice(csv, i, i + step), &e);
	if (rc == 0)
		rc = csvfile_end(&c, &e);
	if (rc < 0 && (e.code != ERR_INPUT || strncmp(e.text, "f.csv:", 6) != 0))
		abort();
	buf_cstr(&r->out, e.text);
	csvfile_free(&c);
}

static void reading_free(struct reading *r)
{
	columns_free(&r->columns);
	arena_free(&r->a);
	buf_free(&r->scratch);
	buf_free(&r->out);
}

/* The first octet says in what pieces the file comes: the outcome must not depend on it. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct reading whole, pieces;
	struct str csv;

	if (n == 0)
		return 0;
	csv = (struct str){(const char *)data + 1, n - 1};
	read_in(&whole, csv, csv.n + 1);
	read_in(&pieces, csv, 3u + data[0]);
	if (!str_eq(buf_view(&whole.out), buf_view(&pieces.out)))
		abort();
	reading_free(&whole);
	reading_free(&pieces);
	return 0;
}
