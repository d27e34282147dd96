/* SPDX-License-Identifier: MIT */
#include "mail/report.h"

#include "corpus.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

#include <cmocka.h>

/* What must be right, in thousandths of the rows that assert it. */
enum { SETS_MIN = 970, CLASSES_MIN = 960, SOFT_AS_HARD_MAX = 10, TRUNCATION_STEP = 100 };

struct row {
	struct str path, recipients, class, note;
};

struct tally {
	size_t sets, sets_right;
	size_t classes, classes_right;
	size_t soft, soft_as_hard;
	size_t called_bounce; /* automatic replies, delayed notices */
	size_t complaints, complaints_right;
};

/* ---- the table ---- */

static bool row_next(struct str *rest, struct row *out)
{
	struct str line, cell;

	if (!rest->n || !str_next(rest, '\n', &line) || !line.n)
		return false;
	*out = (struct row){0};
	for (int column = 0; str_next(&line, '\t', &cell); column++)
		*(column == 0         ? &out->path
			: column == 1 ? &out->recipients
			: column == 2 ? &out->class
			: column == 9 ? &out->note
				      : &(struct str){0}) = cell;
	return true;
}

/* The n-th of the pieces of `list`, or its last where it has only one. */
static struct str nth(struct str list, size_t n)
{
	struct str one = {0};

	for (size_t i = 0; i <= n; i++)
		if (!str_next(&list, ';', &one))
			break;
	return one;
}

static size_t count(struct str list)
{
	struct str one;
	size_t n = 0;

	while (str_next(&list, ';', &one))
		n++;
	return n;
}

static const struct report_recipient *find(const struct report *report, struct str address)
{
	for (size_t i = 0; i < report->recipient_n; i++)
		if (str_eq_nocase(report->recipient[i].address, address))
			return &report->recipient[i];
	return NULL;
}

/* Whether each of the two has all of the other. */
static bool same_set(const struct row *row, const struct report *report)
{
	size_t n = count(row->recipients), found = 0;

	for (size_t i = 0; i < n; i++)
		if (!find(report, nth(row->recipients, i)))
			return false;
	for (size_t k = 0; k < report->recipient_n; k++)
		for (size_t i = 0; i < n; i++)
			if (str_eq_nocase(nth(row->recipients, i), report->recipient[k].address)) {
				found++;
				break;
			}
	return found == report->recipient_n;
}

/* ---- the verdicts ---- */

static bool is_no_bounce(const struct row *row)
{
	return str_has_prefix(row->class, STR("auto-reply")) ||
	       str_has_prefix(row->class, STR("not-a-bounce")) ||
	       str_eq(row->class, STR("soft|not-a-bounce"));
}

static bool is_delayed(const struct row *row)
{
	return str_has_prefix(row->note, STR("Action: delayed")) ||
	       str_has_prefix(row->note, STR("temporary (delay"));
}

static void judge_classes(const struct row *row, const struct report *report, struct tally *t)
{
	for (size_t i = 0; i < count(row->recipients); i++) {
		struct str class = nth(row->class, i);
		bool hard = str_eq(class, STR("hard"));
		const struct report_recipient *p = find(report, nth(row->recipients, i));

		if (!hard && !str_eq(class, STR("soft")))
			continue;
		t->classes++;
		t->soft += !hard;
		t->classes_right += p && p->finding.rule && p->finding.hard == hard;
		t->soft_as_hard += p && !hard && p->finding.hard;
	}
}

/* Returns whether all is as expected. */
static bool judge(const struct row *row, const struct report *report, struct tally *t)
{
	struct tally before = *t;
	bool none = str_eq(row->recipients, STR("-"));

	if (is_no_bounce(row)) {
		t->sets++;
		t->sets_right += report->kind != REPORT_BOUNCE && report->kind != REPORT_COMPLAINT;
	} else if (none && str_search(row->note, STR("must be empty")) < row->note.n) {
		t->sets++;
		t->sets_right += !report->recipient_n;
	} else if (!none) {
		t->sets++;
		t->sets_right += same_set(row, report);
		judge_classes(row, report, t);
	}
	t->called_bounce += (is_no_bounce(row) || is_delayed(row)) && report->kind == REPORT_BOUNCE;
	if (str_has_prefix(row->class, STR("complaint"))) {
		t->complaints++;
		t->complaints_right += report->kind == REPORT_COMPLAINT;
	}
	return t->sets - before.sets == t->sets_right - before.sets_right &&
	       t->classes - before.classes == t->classes_right - before.classes_right &&
	       t->called_bounce == before.called_bounce &&
	       t->complaints - before.complaints == t->complaints_right - before.complaints_right;
}

static void print(const char *what, size_t part, size_t all, const char *limit)
{
	print_message("# %s: %zu of %zu, %.1f %% (%s)\n", what, part, all,
		all ? 100.0 * (double)part / (double)all : 0.0, limit);
}

static void test_expected(void **state)
{
	struct buf table, message;
	struct arena a = {0};
	struct tally t = {0};
	struct row row;
	struct str rest;

	(void)state;
	buf_init(&table, 16 << 20);
	buf_init(&message, REPORT_BYTES_MAX);
	if (!corpus_read("expected.tsv", &table))
		skip();
	rest = buf_view(&table);
	row_next(&rest, &row); /* the names of the columns */
	while (row_next(&rest, &row)) {
		struct report report;

		buf_reset(&message);
		assert_true(corpus_read(arena_cstr(&a, row.path), &message));
		assert_int_equal(report_read(&a, buf_view(&message), &report, NULL), 0);
		if (!judge(&row, &report, &t))
			print_message("# not as labelled: %.*s\n", STR_ARG(row.path));
		arena_reset(&a);
	}
	print("exact recipients", t.sets_right, t.sets, "at least 97");
	print("hard or soft", t.classes_right, t.classes, "at least 96");
	print("soft called hard", t.soft_as_hard, t.soft, "at most 1");
	print("complaints", t.complaints_right, t.complaints, "all");
	print_message(
		"# replies and delayed notices called bounces: %zu (none)\n", t.called_bounce);
	assert_true(t.sets > 400 && t.classes > 300);
	assert_true(t.sets_right * 1000 >= t.sets * SETS_MIN);
	assert_true(t.classes_right * 1000 >= t.classes * CLASSES_MIN);
	assert_true(t.soft_as_hard * 1000 <= t.soft * SOFT_AS_HARD_MAX);
	assert_int_equal(t.complaints_right, t.complaints);
	assert_int_equal(t.called_bounce, 0);
	arena_free(&a);
	buf_free(&message);
	buf_free(&table);
}

/* ---- torn mail ---- */

static void read_torn(struct arena *a, struct str message)
{
	for (size_t n = 0; n < message.n; n += TRUNCATION_STEP) {
		/* In memory of its own, so that a read behind its end is seen. */
		char *part = malloc(n + 1);
		struct report report;

		memcpy(part, message.p, n);
		assert_int_equal(report_read(a, (struct str){part, n}, &report, NULL), 0);
		assert_in_range(report.kind, 0, REPORT_KIND_N - 1);
		assert_true(report.recipient_n <= REPORT_RECIPIENTS_MAX);
		arena_reset(a);
		free(part);
	}
}

static void test_truncated(void **state)
{
	struct buf table, message;
	struct arena a = {0};
	struct row row;
	struct str rest;

	(void)state;
	buf_init(&table, 16 << 20);
	buf_init(&message, REPORT_BYTES_MAX);
	if (!corpus_read("expected.tsv", &table))
		skip();
	rest = buf_view(&table);
	row_next(&rest, &row);
	while (row_next(&rest, &row)) {
		char path[256];

		snprintf(path, sizeof path, "%.*s", STR_ARG(row.path));
		buf_reset(&message);
		if (corpus_read(path, &message))
			read_torn(&a, buf_view(&message));
	}
	arena_free(&a);
	buf_free(&message);
	buf_free(&table);
}

/* Mail that tests readers of MIME, whole and torn: none of it is a bounce of ours to find, all of it has
 * to be survived. */
static void test_mime(void **state)
{
	const char *folder = getenv("LETTERMILL_CORPUS");
	struct arena a = {0};
	struct buf message;
	struct dirent *entry;
	char path[4096];
	DIR *dir;

	(void)state;
	snprintf(path, sizeof path, "%s/cpython-email", folder ? folder : "../shared/corpus");
	dir = opendir(path);
	if (!dir) {
		print_message("# skipped: no %s\n", path);
		skip();
	}
	buf_init(&message, REPORT_BYTES_MAX);
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		buf_reset(&message);
		if (corpus_read(arena_printf(&a, "cpython-email/%.200s", entry->d_name), &message))
			read_torn(&a, buf_view(&message));
	}
	closedir(dir);
	arena_free(&a);
	buf_free(&message);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_expected),
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_mime),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
