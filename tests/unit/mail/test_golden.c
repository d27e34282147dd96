/* SPDX-License-Identifier: MIT */

/*
 * Golden files: what tests/golden/NAME.md becomes with the theme "sheet" (NAME-cards.md: "cards")
 * stands in NAME.html and NAME.txt beside it, with slots written readably (compose_fixture.h), and in NAME.slots
 * the table of these, with the lines that they come from. rtl.md is in Arabic. The files show in a review what a
 * change of the program or the theme does to a message. After a change that is meant,
 *
 *   make build/unit/mail/test_golden && GOLDEN=write build/unit/mail/test_golden
 *
 * writes them anew: read their diff before you commit it.
 */
#include "compose_fixture.h"

#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* Compare `got` with the file `path`, or write it there; false when they differ. */
static bool compare(struct fixture *f, const char *path, struct str got)
{
	const char *mode = getenv("GOLDEN");
	struct str expected;
	size_t at = 0, line = 1;

	if (mode && strcmp(mode, "write") == 0)
		return file_write(path, got, 0644, NULL) == 0;
	expected = fixture_file(&f->a, path);
	if (str_eq(expected, got))
		return true;
	for (; at < got.n && at < expected.n && got.p[at] == expected.p[at]; at++)
		line += got.p[at] == '\n';
	printf("# %s:%zu: expected '%.60s'\n# but it became '%.60s'\n", path, line, expected.p + at,
		got.p + at);
	return false;
}

/* The table of slots: number, what it does, name, comparison or default, place. */
static struct str show_slots(struct fixture *f)
{
	static const char *const ops[] = {"value", "if", "elsif", "else", "endif"};
	static const char *const tests[] = {"", "==", "!=", "contains"};
	struct buf out;
	struct str result;

	buf_init(&out, 1 << 20);
	for (size_t i = 0; i < f->out.slots.n; i++) {
		const struct liquid_slot *slot = &f->out.slots.slot[i];

		buf_printf(&out, "%zu %s%s", i, slot->negate ? "unless " : "", ops[slot->op]);
		if (slot->var >= 0)
			buf_printf(&out, " %.*s", STR_ARG(f->out.slots.vars[slot->var]));
		if (slot->text.n)
			buf_printf(&out, " %s \"%.*s\"",
				slot->op == LIQUID_VALUE ? "default" : tests[slot->test],
				STR_ARG(slot->text));
		buf_printf(&out, " (%s:%zu)\n", slot->file, slot->line);
	}
	result = arena_str(&f->a, buf_view(&out));
	buf_free(&out);
	return result;
}

static void test_golden(void **state)
{
	struct fixture f;
	glob_t found;
	bool same = true;

	(void)state;
	assert_int_equal(glob("tests/golden/*.md", 0, NULL, &found), 0);
	for (size_t i = 0; i < found.gl_pathc; i++) {
		const char *path = found.gl_pathv[i];
		int stem = (int)strlen(path) - 3;

		fixture_init(&f);
		if (strstr(path, "cards"))
			fixture_theme(&f, "cards");
		if (strstr(path, "rtl"))
			fixture_words(&f, "ar");
		if (fixture_compose(&f, path, fixture_file(&f.a, path)) < 0)
			fail_msg("%s", f.e.text);
		same = compare(&f, arena_printf(&f.a, "%.*s.html", stem, path),
			       fixture_show(&f, f.out.html)) &&
		       same;
		same = compare(&f, arena_printf(&f.a, "%.*s.txt", stem, path),
			       fixture_show(&f, f.out.text)) &&
		       same;
		same = compare(&f, arena_printf(&f.a, "%.*s.slots", stem, path), show_slots(&f)) &&
		       same;
		arena_free(&f.a);
	}
	globfree(&found);
	assert_true(same);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_golden),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
