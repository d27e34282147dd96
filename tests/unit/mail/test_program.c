/* SPDX-License-Identifier: MIT */
#include "mail/program.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "sample.h"

struct fixture {
	struct arena a;
	struct program program;
	struct buf packed, again;
	struct err e;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);

	buf_init(&f->packed, 1 << 20);
	buf_init(&f->again, 1 << 20);
	*state = f;
	if (sample_program(&f->a, sample_subject, sample_text, sample_html, &f->program, &f->e))
		return -1;
	program_pack(&f->program, &f->packed);
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	buf_free(&f->packed);
	buf_free(&f->again);
	arena_free(&f->a);
	free(f);
	return 0;
}

static void render_one(struct fixture *f, const struct program *p, struct buf *out)
{
	struct render_copy copy = sample_copy(&f->a, p, STR("Zo\xc3\xab"), STR("New York"));

	assert_int_equal(render(p, &copy, out, &f->e), 0);
}

static void test_round_trip(void **state)
{
	struct fixture *f = *state;
	struct program back;
	struct buf one, two;

	assert_int_equal(program_unpack(&f->a, buf_view(&f->packed), &back, &f->e), 0);
	program_pack(&back, &f->again);
	assert_true(str_eq(buf_view(&f->packed), buf_view(&f->again)));
	buf_init(&one, 1 << 20);
	buf_init(&two, 1 << 20);
	render_one(f, &f->program, &one);
	render_one(f, &back, &two);
	assert_true(str_eq(buf_view(&one), buf_view(&two)));
	buf_free(&one);
	buf_free(&two);
}

static void test_cut_short(void **state)
{
	struct fixture *f = *state;

	for (size_t n = 0; n < f->packed.n; n++) {
		struct err e = {0};
		struct program back;

		assert_int_equal(
			program_unpack(&f->a, str_slice(buf_view(&f->packed), 0, n), &back, &e),
			-1);
		assert_int_equal(e.code, ERR_INPUT);
	}
	buf_char(&f->packed, '\0');
	assert_int_equal(
		program_unpack(&f->a, buf_view(&f->packed), &(struct program){0}, NULL), -1);
}

/* Whatever is in the database, it is refused or renders in bounds (under ASan: `make check`). */
static void test_changed(void **state)
{
	struct fixture *f = *state;
	size_t taken = 0;

	for (size_t n = 4; n < f->packed.n; n++)
		for (int bit = 0; bit < 8; bit++) {
			struct arena a = {0};
			struct program back;
			struct buf out;

			f->packed.p[n] ^= (char)(1 << bit);
			buf_init(&out, 1 << 20);
			if (program_unpack(&a, buf_view(&f->packed), &back, NULL) == 0) {
				struct render_copy copy =
					sample_copy(&a, &back, STR("x"), STR("y"));

				render(&back, &copy, &out, NULL);
				taken++;
			}
			f->packed.p[n] ^= (char)(1 << bit);
			buf_free(&out);
			arena_free(&a);
		}
	assert_int_not_equal(taken, 0);
}

/* A program with the one operation `op` in its text and the one variable `x`. */
static int unpack_op(struct program_op op)
{
	struct str var = STR("x");
	struct program p = {.var = &var, .var_n = 1, .text = {&op, 1}}, back;
	struct arena a = {0};
	struct buf packed;
	int rc;

	buf_init(&packed, 1024);
	program_pack(&p, &packed);
	rc = program_unpack(&a, buf_view(&packed), &back, NULL);
	buf_free(&packed);
	arena_free(&a);
	return rc;
}

static void test_indexes(void **state)
{
	(void)state;
	assert_int_equal(unpack_op((struct program_op){.code = OP_SLOT, .var = 0}), 0);
	assert_int_equal(unpack_op((struct program_op){.code = OP_SLOT, .var = 1}), -1);
	assert_int_equal(unpack_op((struct program_op){.code = OP_JUMP, .target = 1}), 0);
	assert_int_equal(unpack_op((struct program_op){.code = OP_JUMP, .target = 0}), -1);
	assert_int_equal(unpack_op((struct program_op){.code = OP_JUMP, .target = 2}), -1);
	assert_int_equal(unpack_op((struct program_op){.code = OP_JUMP_UNLESS, .target = 1}), 0);
	assert_int_equal(unpack_op((struct program_op){.code = OP_JUMP_UNLESS, .target = 0}), -1);
	assert_int_equal(
		unpack_op((struct program_op){.code = OP_JUMP_UNLESS, .var = 1, .target = 1}), -1);
	assert_int_equal(unpack_op((struct program_op){.code = OP_JUMP_UNLESS,
				 .target = 1,
				 .test = PROGRAM_NEGATED | LIQUID_CONTAINS}),
		0);
	assert_int_equal(unpack_op((struct program_op){.test = LIQUID_CONTAINS + 1}), -1);
	assert_int_equal(unpack_op((struct program_op){.code = OP_JUMP + 1}), -1);
	assert_int_equal(unpack_op((struct program_op){.context = CONTEXT_TEXT + 1}), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_round_trip, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cut_short, setup, teardown),
		cmocka_unit_test_setup_teardown(test_changed, setup, teardown),
		cmocka_unit_test(test_indexes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
