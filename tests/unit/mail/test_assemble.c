/* SPDX-License-Identifier: MIT */
#include "mail/compile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "sample.h"

/* The decoded text part for a first name and a city. */
static void text_is(
	const char *text, const char *first_name, const char *city, const char *expected)
{
	struct arena a = {0};
	struct program p;
	struct render_copy copy;
	struct buf out;
	struct err e = {0};

	buf_init(&out, 1 << 20);
	assert_int_equal(sample_program(&a, "s", text, "<p>", &p, &e), 0);
	copy = sample_copy(&a, &p, str_of(first_name), str_of(city));
	assert_int_equal(render_part(&p, &copy, "text/plain", &out, &e), 0);
	assert_string_equal(buf_text(&out), expected);
	buf_free(&out);
	arena_free(&a);
}

static void test_branches(void **state)
{
	static const char nested[] =
		"a{% if subscriber.city %}b{% if subscriber.first_name == \"x\" %}c"
		"{% unless subscriber.city contains \"z\" %}d{% else %}e{% endunless %}f"
		"{% else %}g{% endif %}h{% endif %}i\n";
	static const char empty[] = "{% if subscriber.city %}{% else %}{% endif %}";
	static const char chain[] = "{% if subscriber.city == \"1\" %}one"
				    "{% elsif subscriber.city == \"2\" %}two"
				    "{% elsif subscriber.city != \"3\" %}other{% endif %}\n";

	(void)state;
	text_is(nested, "x", "", "ai\n");
	text_is(nested, "x", "y", "abcdfhi\n");
	text_is(nested, "x", "yz", "abcefhi\n");
	text_is(nested, "", "y", "abghi\n");
	text_is(empty, "", "", "\n");
	text_is(empty, "", "y", "\n");
	text_is(chain, "", "1", "one\n");
	text_is(chain, "", "2", "two\n");
	text_is(chain, "", "3", "\n");
	text_is(chain, "", "", "other\n");
	text_is("", "", "", "\n");
	text_is("no line end", "", "", "no line end\n");
	text_is("{{ subscriber.city }}", "", "y", "y\n");
}

static void test_subject(void **state)
{
	struct arena a = {0};
	struct program p;

	(void)state;
	assert_int_equal(sample_program(&a, "Grüße", "x", "x", &p, NULL), 0);
	assert_true(str_eq(p.subject_field, STR("Subject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?=\r\n")));
	assert_int_equal(p.subject.n, 1);
	assert_int_equal(sample_program(&a, "Hi {{ subscriber.city }}", "x", "x", &p, NULL), 0);
	assert_int_equal(p.subject_field.n, 0);
	assert_int_equal(p.subject.n, 2);
	arena_free(&a);
}

/* Marks made by hand, as compose() would have moved them about. */
static int assemble_slots(struct arena *a, const enum liquid_op *op, size_t n, struct err *e)
{
	struct compile_input in = {.issue = &sample_issue, .sender = &sample_sender};
	struct str var = STR("subscriber.city");
	struct composed c = {.subject = STR("s"), .html = STR("h")};
	struct liquid_slot slot[32] = {0};
	struct program p;
	struct buf text;
	int rc;

	buf_init(&text, 4096);
	for (size_t i = 0; i < n; i++) {
		slot[i] = (struct liquid_slot){.op = op[i], .file = "x.md", .line = 7};
		liquid_mark(&text, LIQUID_CONTROL, (int)i);
	}
	c.text = buf_view(&text);
	c.slots = (struct liquid_slots){.slot = slot, .n = n, .vars = &var, .vars_n = 1};
	rc = assemble(a, &in, &c, &p, e);
	buf_free(&text);
	return rc;
}

static void test_unbalanced(void **state)
{
	static const struct {
		enum liquid_op op[4];
		size_t n;
	} bad[] = {
		{{LIQUID_IF}, 1},
		{{LIQUID_ELSE}, 1},
		{{LIQUID_ELSIF}, 1},
		{{LIQUID_ENDIF}, 1},
		{{LIQUID_IF, LIQUID_ENDIF, LIQUID_ENDIF}, 3},
		{{LIQUID_IF, LIQUID_IF, LIQUID_ENDIF}, 3},
		{{LIQUID_IF, LIQUID_ELSE, LIQUID_ELSE, LIQUID_ENDIF}, 4},
		{{LIQUID_IF, LIQUID_ELSE, LIQUID_ELSIF, LIQUID_ENDIF}, 4},
	};
	enum liquid_op deep[32] = {0};
	struct arena a = {0};
	struct err e = {0};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		e = (struct err){0};
		assert_int_equal(assemble_slots(&a, bad[i].op, bad[i].n, &e), -1);
		assert_int_equal(e.code, ERR_INPUT);
	}
	for (size_t i = 0; i < 32; i++)
		deep[i] = LIQUID_IF;
	assert_int_equal(assemble_slots(&a, deep, 32, &e), -1);
	assert_int_equal(
		assemble_slots(&a, (enum liquid_op[]){LIQUID_IF, LIQUID_ELSE, LIQUID_ENDIF}, 3, &e),
		0);
	arena_free(&a);
}

static void test_limits(void **state)
{
	char *html = malloc(102002);
	struct arena a = {0};
	struct program p;
	struct err e = {0};

	(void)state;
	memset(html, 'x', 102001);
	html[102001] = '\0';
	assert_int_equal(sample_program(&a, "s", "t", html, &p, &e), -1);
	assert_int_equal(e.code, ERR_INPUT);
	assert_true(str_has_prefix(str_of(e.text), STR("sample.md: ")));
	html[102000] = '\0';
	assert_int_equal(sample_program(&a, "s", "t", html, &p, &e), 0);
	free(html);
	arena_free(&a);
}

static void test_pure(void **state)
{
	struct arena a = {0};
	struct buf packed[3];
	struct program p;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		buf_init(&packed[i], 1 << 20);
		assert_int_equal(sample_program(&a, sample_subject, sample_text,
					 i < 2 ? sample_html : "<p>", &p, NULL),
			0);
		program_pack(&p, &packed[i]);
	}
	assert_true(str_eq(buf_view(&packed[0]), buf_view(&packed[1])));
	assert_false(str_eq(buf_view(&packed[0]), buf_view(&packed[2])));
	for (size_t i = 0; i < 3; i++)
		buf_free(&packed[i]);
	arena_free(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_branches),
		cmocka_unit_test(test_subject),
		cmocka_unit_test(test_unbalanced),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_pure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
