/* SPDX-License-Identifier: MIT */
#include "mail/render.h"

#include "mail/qp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "sample.h"

/* What leaves: CRLF only as a pair, printable ASCII, no long line, no dot in front. */
static void check_wire(struct str wire)
{
	assert_true(str_has_suffix(wire, STR("\r\n")));
	while (wire.n) {
		size_t n = str_search(wire, STR("\r\n"));
		struct str line = str_slice(wire, 0, n);

		assert_in_range(n, 0, 78);
		for (size_t i = 0; i < n; i++)
			assert_in_range(line.p[i], ' ', '~');
		if (n) {
			assert_int_not_equal(line.p[0], '.');
			assert_int_not_equal(line.p[n - 1], ' ');
		}
		wire = str_slice(wire, n + 2, wire.n);
	}
}

/* The part between the blank line behind its fields and the next boundary, decoded. */
static void wire_part(struct str wire, const char *type, struct buf *out)
{
	size_t at = str_search(wire, str_of(type));
	size_t end;

	assert_true(at < wire.n);
	wire = str_slice(wire, at, wire.n);
	wire = str_slice(wire, str_search(wire, STR("\r\n\r\n")) + 4, wire.n);
	end = str_search(wire, STR("\r\n--=_"));
	assert_true(end < wire.n);
	buf_reset(out);
	qp_decode(str_slice(wire, 0, end), out);
}

/* The names of the header fields, with commas. */
static void field_names(struct str wire, struct buf *out)
{
	struct str head = str_slice(wire, 0, str_search(wire, STR("\r\n\r\n")) + 1), line;

	buf_reset(out);
	while (str_next(&head, '\n', &line))
		if (line.n && line.p[0] != ' ') {
			buf_str(out, str_slice(line, 0, str_find(line, ':')));
			buf_char(out, ',');
		}
}

struct fixture {
	struct arena a;
	struct program program;
	struct buf out, part, other;
	struct err e;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);

	buf_init(&f->out, 1 << 20);
	buf_init(&f->part, 1 << 20);
	buf_init(&f->other, 1 << 20);
	*state = f;
	return sample_program(&f->a, sample_subject, sample_text, sample_html, &f->program, &f->e);
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	buf_free(&f->out);
	buf_free(&f->part);
	buf_free(&f->other);
	arena_free(&f->a);
	free(f);
	return 0;
}

/* What is referred to and what is made are the same message. */
static void check_parts(struct fixture *f, const struct render_copy *copy)
{
	struct parts parts;
	struct buf all;

	parts_init(&parts, f->out.max);
	buf_init(&all, f->out.max);
	assert_int_equal(render_parts(&f->program, copy, &parts, &f->e), 0);
	parts_join(&parts, &all);
	assert_int_equal(all.n, f->out.n);
	assert_memory_equal(all.p, f->out.p, all.n);
	parts_free(&parts);
	buf_free(&all);
}

static void render_with(struct fixture *f, struct str first_name, struct str city)
{
	struct render_copy copy = sample_copy(&f->a, &f->program, first_name, city);

	buf_reset(&f->out);
	assert_int_equal(render(&f->program, &copy, &f->out, &f->e), 0);
	check_wire(buf_view(&f->out));
	check_parts(f, &copy);
}

static void test_message(void **state)
{
	static const char head[] =
		"From: The Daily <daily@news.example.org>\r\n"
		"Reply-To: =?utf-8?Q?Zo=C3=AB?= <desk@news.example.org>\r\n"
		"To: <ann@reader.example>\r\n"
		"Subject: Hello friend\r\n"
		"Date: Mon, 03 Nov 2025 06:00:00 +0000\r\n"
		"Message-ID: <7cf235ef-712f-5bd7-8ae4-a8862d8e40e9@news.example.org>\r\n"
		"List-Unsubscribe: <https://news.example.org/u/abcdefghijklmnop>,\r\n"
		" <mailto:u+abcdefghijklmnop@bounces.example.org>\r\n"
		"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
		"List-Id: \"The Daily, Printed\" <daily.news.example.org>\r\n"
		"Precedence: bulk\r\n"
		"Feedback-ID: sample-issue:daily:dailynews\r\n"
		"MIME-Version: 1.0\r\n"
		"Content-Type: multipart/alternative; boundary=\"=_mill_";
	struct fixture *f = *state;

	render_with(f, STR(""), STR(""));
	assert_true(str_has_prefix(buf_view(&f->out), str_of(head)));
	wire_part(buf_view(&f->out), "text/plain", &f->part);
	assert_string_equal(buf_text(&f->part),
		"Dear friend,\nnowhere\n.end\nhttps://news.example.org/u/abc?x=1&y=2\n");
	wire_part(buf_view(&f->out), "text/html", &f->part);
	assert_string_equal(buf_text(&f->part),
		"<p title=\"\">friend.</p>\n<a href=\"https://x.example/?n=&amp;z\">x</a>\n"
		"<a href=https://news.example.org/u/abc?x=1&amp;y=2>leave</a>\n");
}

static void test_values(void **state)
{
	struct fixture *f = *state;

	render_with(f, STR("O'Hara & <Sons>\t\xff."), STR(""));
	wire_part(buf_view(&f->out), "text/plain", &f->part);
	assert_true(
		str_has_prefix(buf_view(&f->part), STR("Dear O'Hara & <Sons> \xef\xbf\xbd.,\n")));
	wire_part(buf_view(&f->out), "text/html", &f->part);
	assert_string_equal(buf_text(&f->part),
		"<p title=\"O&#39;Hara &amp; &lt;Sons&gt; \xef\xbf\xbd.\">O&#39;Hara &amp; "
		"&lt;Sons&gt; \xef\xbf\xbd..</p>\n<a href=\"https://x.example/"
		"?n=O%27Hara%20%26%20%3CSons%3E%20%EF%BF%BD.&amp;z\">x</a>\n"
		"<a href=https://news.example.org/u/abc?x=1&amp;y=2>leave</a>\n");
}

static void test_branches(void **state)
{
	static const struct {
		const char *city, *text;
	} c[] = {
		{"Oslo", "Dear x,\n.cold\n.end\n"},
		{"New York", "Dear x,\nFrom work\n.end\n"},
		{"oslo", "Dear x,\nelsewhere: oslo\n.end\n"},
		{"", "Dear x,\nnowhere\n.end\n"},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof c / sizeof *c; i++) {
		render_with(f, STR("x"), str_of(c[i].city));
		wire_part(buf_view(&f->out), "text/plain", &f->part);
		assert_true(str_has_prefix(buf_view(&f->part), str_of(c[i].text)));
	}
}

static void test_nasty(void **state)
{
	struct fixture *f = *state;

	render_with(f, STR("x"), STR("y"));
	field_names(buf_view(&f->out), &f->other);
	for (size_t i = 0; i < SAMPLE_NASTY; i++)
		for (size_t j = 0; j < SAMPLE_NASTY; j++) {
			struct str rest;
			size_t boundaries = 0;

			render_with(f, sample_nasty[i], sample_nasty[j]);
			field_names(buf_view(&f->out), &f->part);
			assert_string_equal(buf_text(&f->part), buf_text(&f->other));
			for (rest = buf_view(&f->out); rest.n; boundaries++) {
				size_t at = str_search(rest, STR("\r\n--=_"));

				if (at == rest.n)
					break;
				rest = str_slice(rest, at + 6, rest.n);
			}
			assert_int_equal(boundaries, 3);
		}
}

/* What the preview shows is what the parts of the message decode to. */
static void test_preview(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < SAMPLE_NASTY; i++) {
		struct render_copy copy =
			sample_copy(&f->a, &f->program, sample_nasty[i], sample_nasty[i]);
		static const char *const part[] = {"text/plain", "text/html"};

		render_with(f, sample_nasty[i], sample_nasty[i]);
		for (size_t j = 0; j < 2; j++) {
			buf_reset(&f->other);
			assert_int_equal(
				render_part(&f->program, &copy, part[j], &f->other, &f->e), 0);
			wire_part(buf_view(&f->out), part[j], &f->part);
			assert_true(str_eq(buf_view(&f->part), buf_view(&f->other)));
		}
	}
	buf_reset(&f->other);
	assert_int_equal(render_part(&f->program,
				 &(struct render_copy){.value = (struct str[4]){{"Zo\xc3\xab", 4}}},
				 "subject", &f->other, &f->e),
		0);
	assert_string_equal(buf_text(&f->other), "Hello Zo\xc3\xab");
	assert_int_equal(
		render_part(&f->program, &(struct render_copy){0}, "x", &f->other, &f->e), -1);
}

static void test_long_values(void **state)
{
	char *many = malloc(400000);
	struct fixture *f = *state;

	for (size_t i = 0; i < 100000; i++)
		memcpy(many + 4 * i, "\xf0\x9f\x8e\x89", 4);
	render_with(f, (struct str){many, 400000}, STR(""));
	wire_part(buf_view(&f->out), "text/plain", &f->part);
	assert_int_equal(str_search(buf_view(&f->part), STR(",\n")), 5 + 4 * RENDER_VALUE_MAX);
	memset(many, 'x', 400000);
	render_with(f, (struct str){many, 400000}, STR(""));
	memset(many, '"', 400000);
	render_with(f, (struct str){many, 400000}, STR(""));
	free(many);
}

static void test_unsubscribe(void **state)
{
	struct fixture *f = *state;
	struct render_copy copy = sample_copy(&f->a, &f->program, STR("x"), STR("y"));

	copy.unsubscribe_url = STR("");
	buf_reset(&f->out);
	assert_int_equal(render(&f->program, &copy, &f->out, &f->e), 0);
	assert_int_equal(str_search(buf_view(&f->out), STR("-Post:")), f->out.n);
	assert_true(str_search(buf_view(&f->out),
			    STR("\r\nList-Unsubscribe: "
				"<mailto:u+abcdefghijklmnop@bounces.example.org>\r\n")) < f->out.n);
	copy.unsubscribe_mailto = STR("");
	buf_reset(&f->out);
	assert_int_equal(render(&f->program, &copy, &f->out, &f->e), 0);
	assert_int_equal(str_search(buf_view(&f->out), STR("List-Unsubscribe")), f->out.n);
	copy.unsubscribe_url = STR("http://localhost:8080/u/x"); /* RFC 8058 asks for https */
	buf_reset(&f->out);
	assert_int_equal(render(&f->program, &copy, &f->out, &f->e), 0);
	assert_int_equal(str_search(buf_view(&f->out), STR("-Post:")), f->out.n);
}

static void test_ceiling(void **state)
{
	struct fixture *f = *state;
	struct render_copy copy = sample_copy(&f->a, &f->program, STR("x"), STR("y"));
	struct buf small;

	buf_init(&small, 600);
	assert_int_equal(render(&f->program, &copy, &small, &f->e), -1);
	assert_int_equal(f->e.code, ERR_INPUT);
	buf_free(&small);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_message, setup, teardown),
		cmocka_unit_test_setup_teardown(test_values, setup, teardown),
		cmocka_unit_test_setup_teardown(test_branches, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nasty, setup, teardown),
		cmocka_unit_test_setup_teardown(test_preview, setup, teardown),
		cmocka_unit_test_setup_teardown(test_long_values, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unsubscribe, setup, teardown),
		cmocka_unit_test_setup_teardown(test_ceiling, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
