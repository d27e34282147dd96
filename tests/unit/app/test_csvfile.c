/* SPDX-License-Identifier: MIT */
#include "../../../src/app/csvfile.h"
#include "../mail/corpus.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

/* ---- reading into one text ---- */

/* Rows as "LINE:[field][field]\n". */
static int write_row(void *user, const struct str *field, size_t n, uint64_t line, struct err *e)
{
	struct buf *to = user;

	(void)e;
	buf_printf(to, "%d:", (int)line);
	for (size_t i = 0; i < n; i++)
		buf_printf(to, "[%.*s]", STR_ARG(field[i]));
	buf_char(to, '\n');
	return 0;
}

/* Read `csv` in pieces of `step` octets. The error's text or NULL; rows in `rows`. */
static const char *read_in(struct str csv, size_t step, struct buf *rows, struct err *e)
{
	struct csvfile c;
	int rc = 0;

	buf_reset(rows);
	csvfile_init(&c, "f.csv", write_row, rows);
	for (size_t i = 0; rc == 0 && i < csv.n; i += step)
		rc = csvfile_feed(&c, str_slice(csv, i, i + step), e);
	if (rc == 0)
		rc = csvfile_end(&c, e);
	csvfile_free(&c);
	return rc < 0 ? e->text : NULL;
}

/* The same rows, or the same error, in whatever pieces the file comes. */
static void reads(struct str csv, const char *expected, const char *fault)
{
	struct buf rows;

	buf_init(&rows, 8 * CSV_ROW_MAX);
	for (size_t step = 1; step < csv.n + 2; step += step < 8 ? 1 : csv.n) {
		struct err e = {0};
		const char *text = read_in(csv, step, &rows, &e);

		if (fault) {
			assert_non_null(text);
			assert_int_equal(e.code, ERR_INPUT);
			if (!strstr(text, fault) || strncmp(text, "f.csv:", 6) != 0)
				fail_msg("expected '%s', got '%s'", fault, text);
		} else {
			if (text)
				fail_msg("%s", text);
			assert_string_equal(buf_text(&rows), expected);
		}
	}
	buf_free(&rows);
}

/* ---- what is read ---- */

static void test_rows(void **state)
{
	(void)state;
	reads(STR(""), "", NULL);
	reads(STR("a,b\n1,2\n"), "1:[a][b]\n2:[1][2]\n", NULL);
	reads(STR("a,b\r\n1,2\r\n"), "1:[a][b]\n2:[1][2]\n", NULL);
	reads(STR("a,b\r1,2\r"), "1:[a][b]\n2:[1][2]\n", NULL);
	reads(STR("a,b\n1,2"), "1:[a][b]\n2:[1][2]\n", NULL);
	reads(STR("\xef\xbb\xbf\"a\",b\n"), "1:[a][b]\n", NULL);
	reads(STR("a,,\n,,\n"), "1:[a][][]\n2:[][][]\n", NULL);
	reads(STR(" a , b c \n"), "1:[a][b c]\n", NULL);
	reads(STR("\"a \"\"b\"\"\",\" c \"\n"), "1:[a \"b\"][ c ]\n", NULL);
	reads(STR("\"\"\n"), "1:[]\n", NULL);
}

/* A row's line is where it begins, whatever came before. */
static void test_lines(void **state)
{
	(void)state;
	reads(STR("a\n\n\nb\n"), "1:[a]\n4:[b]\n", NULL);
	reads(STR("a\r\n\r\n\r\nb\r\n"), "1:[a]\n4:[b]\n", NULL);
	reads(STR("a\r\rb\r"), "1:[a]\n3:[b]\n", NULL);
	reads(STR("\"a\nb\",c\nd\n"), "1:[a\nb][c]\n3:[d]\n", NULL);
	reads(STR("\"a\r\nb\r\n\"\r\nd\r\n"), "1:[a\r\nb\r\n]\n4:[d]\n", NULL);
	reads(STR("x,\"\n\n\"\n\n  \nd\n"), "1:[x][\n\n]\n6:[d]\n", NULL);
}

static void test_broken_form(void **state)
{
	(void)state;
	reads(STR("a,b\nx\"y,2\n"), NULL, "f.csv:2: a quote stands where none may");
	reads(STR("a,b\n\"x\"y,2\n"), NULL, "f.csv:2: a quote stands");
	reads(STR("a,b\n\"1\n2\n\"x\n"), NULL, "f.csv:4: a quote stands");
	reads(STR("a,b\n1,2\n3,\"x\ny\n"), NULL, "f.csv:3: the quote that opens here");
	reads(STR("a,b\n1,\"x\n\",2\n3,\"x\ny\n"), NULL, "f.csv:4: the quote that opens here");
	reads(STR("a,b\n1,2\0\n"), NULL, "f.csv:2: the file holds a NUL");
}

static void test_encodings(void **state)
{
	(void)state;
	/* What is no UTF-8 is Windows-1252, field by field. */
	reads(STR("a,\xc3\xbc\n1,J\xfcrgen \x80\x81\n"),
		"1:[a][\xc3\xbc]\n2:[1][J\xc3\xbcrgen \xe2\x82\xac\xef\xbf\xbd]\n", NULL);
	reads(STR("a,\xc0\xaf\n"), "1:[a][\xc3\x80\xc2\xaf]\n", NULL);
	/* UTF-16 by its mark, and by its NULs; a pair of halves. */
	reads(STR("\xff\xfe"
		  "a\0,\0\x3d\xd8\x00\xde\n\0b\0"),
		"1:[a][\xf0\x9f\x98\x80]\n2:[b]\n", NULL);
	reads(STR("\xfe\xff\0a\0;\0b\0\r\0\n\x20\xac\0;\0d"), "1:[a][b]\n2:[\xe2\x82\xac][d]\n",
		NULL);
	reads(STR("a\0,\0b\0\n\0001\0,\0002\0\n\0"), "1:[a][b]\n2:[1][2]\n", NULL);
	reads(STR("\0a\0,\0b\0\n\0001\0,\0002"), "1:[a][b]\n2:[1][2]\n", NULL);
	reads(STR("\xff\xfe"
		  "a\0\n\0\x00\xde,\0"),
		NULL, "f.csv:2: the text is not valid UTF-16");
	reads(STR("\xff\xfe"
		  "a\0\n\0b"),
		NULL, "f.csv:2: the text is not valid UTF-16: it ends");
	reads(STR("\xff\xfe"
		  "a\0\0\0b\0"),
		NULL, "f.csv:1: the file holds a NUL");
}

static void test_delimiters(void **state)
{
	(void)state;
	reads(STR("a;b;c,d\n1;2\n"), "1:[a][b][c,d]\n2:[1][2]\n", NULL);
	reads(STR("a\tb\n 1\t\t2\n"), "1:[a][b]\n2:[1][][2]\n", NULL);
	reads(STR("\r\n\r\na|b\n1|2\n"), "3:[a][b]\n4:[1][2]\n", NULL);
	reads(STR("\"a;b;c\",d\n1,2\n"), "1:[a;b;c][d]\n2:[1][2]\n", NULL);
	reads(STR("\xef\xbb\xbf"
		  "Sep=;\r\na,b,c;d\r\n1;2\r\n"),
		"2:[a,b,c][d]\n3:[1][2]\n", NULL);
	reads(STR("\"sep=|\"\na,b|d\n"), "2:[a,b][d]\n", NULL);
	reads(STR("sep=;"), "1:[sep=][]\n", NULL);
}

static void test_addresses(void **state)
{
	(void)state;
	reads(STR("a@example.com\n\n \"b@example.com\" \r\nBo, Peep <c@example.com>"),
		"1:[a@example.com]\n3:[b@example.com]\n4:[Bo, Peep <c@example.com>]\n", NULL);
	reads(STR("\"Peep, Bo\" <a@example.com>\rb@example.com\r"),
		"1:[\"Peep, Bo\" <a@example.com>]\n2:[b@example.com]\n", NULL);
	reads(STR("a@example.com,Ada\n"), "1:[a@example.com][Ada]\n", NULL);
}

static void test_ceilings(void **state)
{
	struct buf csv;

	(void)state;
	buf_init(&csv, 4 * CSV_ROW_MAX);
	/* Closed or not, a field of 2 MB is refused, and no more of it is kept than that. */
	buf_cstr(&csv, "a,b\n1,\"");
	while (csv.n < 2 * CSV_FIELD_MAX)
		buf_cstr(&csv, "0123456789abcdef\n");
	reads(buf_view(&csv), NULL, "f.csv:2: a field is larger than 1 MB");
	buf_cstr(&csv, "\"\n");
	reads(buf_view(&csv), NULL, "f.csv:2: a field is larger than 1 MB");
	buf_reset(&csv);
	for (int i = 0; i < CSV_COLUMNS_MAX; i++)
		buf_cstr(&csv, i ? ",x" : "x");
	buf_cstr(&csv, ",x\n");
	reads(buf_view(&csv), NULL, "f.csv:1: the row has more than 256 columns");
	buf_reset(&csv);
	for (int i = 0; i < 6; i++) {
		for (size_t k = 0; k < CSV_FIELD_MAX - 1; k += 15)
			buf_cstr(&csv, "0123456789abcde");
		buf_char(&csv, ',');
	}
	reads(buf_view(&csv), NULL, "f.csv:1: the row is larger than 4 MB");
	buf_free(&csv);
}

static int refuse_second(
	void *user, const struct str *field, size_t n, uint64_t line, struct err *e)
{
	int *calls = user;

	(void)field, (void)n;
	(*calls)++;
	return line == 2 ? err_set(e, ERR_DENIED, "no more") : 0;
}

static void test_row_may_end_it(void **state)
{
	struct csvfile c;
	struct err e = {0};
	int calls = 0;

	(void)state;
	csvfile_init(&c, "f.csv", refuse_second, &calls);
	assert_int_equal(csvfile_feed(&c, STR("a\nb\nc\nd\n"), &e), 0);
	assert_int_equal(csvfile_end(&c, &e), -1);
	assert_int_equal(e.code, ERR_DENIED);
	assert_int_equal(calls, 2);
	csvfile_free(&c);
}

/* ---- outside vectors ---- */

struct vector {
	json_t *rows, *header;
};

static int collect_row(void *user, const struct str *field, size_t n, uint64_t line, struct err *e)
{
	struct vector *v = user;
	json_t *row = v->header ? json_object() : json_array();

	(void)line, (void)e;
	for (size_t i = 0; i < n; i++) {
		json_t *value = json_stringn(field[i].p, field[i].n);

		if (v->header)
			json_object_set_new(
				row, json_string_value(json_array_get(v->header, i)), value);
		else
			json_array_append_new(row, value);
	}
	if (v->header)
		json_array_append_new(v->rows, row);
	else
		v->header = row;
	return 0;
}

static void check_vector(const char *name)
{
	struct vector v = {.rows = json_array()};
	struct buf csv, json;
	struct csvfile c;
	struct err e = {0};
	char path[128];
	json_t *expected;

	buf_init(&csv, 1 << 20);
	buf_init(&json, 1 << 20);
	snprintf(path, sizeof path, "csv-spectrum/csvs/%s.csv", name);
	assert_true(corpus_read(path, &csv));
	snprintf(path, sizeof path, "csv-spectrum/json/%s.json", name);
	assert_true(corpus_read(path, &json));
	expected = json_loadb(json.p, json.n, 0, NULL);
	assert_non_null(expected);
	csvfile_init(&c, name, collect_row, &v);
	assert_int_equal(csvfile_feed(&c, buf_view(&csv), &e), 0);
	assert_int_equal(csvfile_end(&c, &e), 0);
	csvfile_free(&c);
	if (!json_equal(v.rows, expected))
		fail_msg("%s: %s", name, json_dumps(v.rows, JSON_COMPACT));
	json_decref(expected);
	json_decref(v.rows);
	json_decref(v.header);
	buf_free(&csv);
	buf_free(&json);
}

/* Quotes inside a field without quotes: against RFC 4180, and its own answer is of other data. */
static void check_refused_vector(void)
{
	struct buf csv;

	buf_init(&csv, 1 << 20);
	assert_true(corpus_read("csv-spectrum/csvs/location_coordinates.csv", &csv));
	reads(buf_view(&csv), NULL, "f.csv:2: a quote stands where none may");
	buf_free(&csv);
}

static void test_csv_spectrum(void **state)
{
	static const char *const names[] = {"comma_in_quotes", "empty", "empty_crlf",
		"escaped_quotes", "json", "newlines", "newlines_crlf", "quotes_and_newlines",
		"simple", "simple_crlf", "utf8"};
	struct buf probe;
	bool there;

	(void)state;
	buf_init(&probe, 1 << 20);
	there = corpus_read("csv-spectrum/csvs/simple.csv", &probe);
	buf_free(&probe);
	if (!there)
		skip();
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		check_vector(names[i]);
	check_refused_vector();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_broken_form),
		cmocka_unit_test(test_encodings),
		cmocka_unit_test(test_delimiters),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_ceilings),
		cmocka_unit_test(test_row_may_end_it),
		cmocka_unit_test(test_csv_spectrum),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
