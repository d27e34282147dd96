/* SPDX-License-Identifier: MIT */
#include "app/import.h"
#include "base/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct fixture {
	char folder[64], db[96], csv[96];
	struct site site;
	struct arena a;
	struct err e;
	struct import_map map[4];
	struct import_options options;
	struct import_counts n;
	int64_t id;
	struct buf rejected; /* "LINE: reason\n" */
	int64_t given; /* by the last stop_late() */
};

static void note_rejected(void *user, const char *file, uint64_t line, const char *reason)
{
	struct fixture *f = user;

	(void)file;
	buf_printf(&f->rejected, "%d: %s\n", (int)line, reason);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	struct list list = {.slug = STR("daily"), .name = STR("Daily")};

	snprintf(f->folder, sizeof f->folder, "%s/lettermill-test-XXXXXX",
		access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	if (!mkdtemp(f->folder))
		return -1;
	snprintf(f->db, sizeof f->db, "%s/site.db", f->folder);
	snprintf(f->csv, sizeof f->csv, "%s/f.csv", f->folder);
	buf_init(&f->rejected, 1 << 20);
	f->options = (struct import_options){
		.list = "daily", .map = f->map, .rejected = note_rejected, .user = f};
	*state = f;
	return store_create(f->db, &f->site.store, &f->e) < 0 ||
			       list_add(f->site.store, &list, 1, &f->e) < 0
		       ? -1
		       : 0;
}

static int teardown(void **state)
{
	static const char *const ends[] = {"", "-wal", "-shm", "-import"};
	struct fixture *f = *state;
	char path[128];
	int rc;

	store_close(f->site.store);
	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
		snprintf(path, sizeof path, "%s%s", f->db, ends[i]);
		unlink(path);
	}
	unlink(f->csv);
	rc = rmdir(f->folder);
	arena_free(&f->a);
	buf_free(&f->rejected);
	free(f);
	return rc;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static int import(struct fixture *f, struct str csv)
{
	buf_reset(&f->rejected);
	f->e = (struct err){0};
	assert_int_equal(file_write(f->csv, csv, 0600, &f->e), 0);
	return import_file(&f->site, f->csv, &f->options, &f->id, &f->n, &f->e);
}

static void imports(struct fixture *f, struct str csv)
{
	if (import(f, csv) < 0)
		fail_msg("%s", f->e.text);
	assert_int_equal(f->n.rows,
		f->n.added + f->n.updated + f->n.unchanged + f->n.rejected + f->n.suppressed);
}

static bool count_people(void *user, const struct subscriber *person)
{
	(void)person;
	++*(int *)user;
	return true;
}

static int people(struct fixture *f)
{
	int n = 0;

	assert_int_equal(
		subscriber_find(f->site.store, STR(""), 1000000, count_people, &n, &f->e), 0);
	return n;
}

static struct subscriber person(struct fixture *f, const char *key)
{
	struct subscriber p = {0};

	if (subscriber_get(f->site.store, str_of(key), &f->a, &p, &f->e) < 0)
		fail_msg("%s", f->e.text);
	return p;
}

static void assert_text(struct str s, const char *expected)
{
	char text[1024];

	snprintf(text, sizeof text, "%.*s", STR_ARG(s));
	assert_string_equal(text, expected);
}

/* ---- what is read ---- */

static void test_columns(void **state)
{
	struct fixture *f = *state;
	struct subscriber p;
	const char **field;
	size_t n;

	imports(f,
		STR("E-Mail, First Name ,Last Name,ZIP Code,Ort\r\n"
		    "ada@Example.COM,Ada,\"Love\nlace\",\"a \"\"b\"\" \\\",\xc3\x96rlinghausen\r\n"
		    " b\xc3\xb6@m\xc3\xbcnchen.example ,,,,\r\n"));
	assert_int_equal(f->n.rows, 2);
	assert_int_equal(f->n.added, 2);
	p = person(f, "ada@example.com");
	assert_text(p.email, "ada@example.com");
	assert_text(p.first_name, "Ada");
	assert_text(p.last_name, "Love lace");
	assert_text(p.attributes,
		"{\"zip_code\":\"a \\\"b\\\" \\\\\",\"ort\":\"\xc3\x96rlinghausen\"}");
	p = person(f, "b\xc3\xb6@xn--mnchen-3ya.example");
	assert_text(p.attributes, "{}");
	assert_int_equal(fields_get(f->site.store, &f->a, &field, &n, &f->e), 0);
	assert_int_equal(n, 2);
	assert_string_equal(field[0], "ort");
	assert_string_equal(field[1], "zip_code");
}

static void test_names_and_mailboxes(void **state)
{
	struct fixture *f = *state;

	imports(f, STR("name,email\nMary Ann Evans,a@example.com\n"
		       ",Bo Peep <b@example.com>\nEve,\"\"\"Peep, Bo\"\" <c@example.com>\"\n"));
	assert_text(person(f, "a@example.com").first_name, "Mary Ann Evans");
	assert_text(person(f, "b@example.com").first_name, "Bo Peep");
	assert_text(person(f, "c@example.com").first_name, "Eve");
}

static void test_twins(void **state)
{
	struct fixture *f = *state;

	imports(f, STR("email,a b,A_B,a b 2\na@example.com,1,2,3\n"));
	assert_text(person(f, "a@example.com").attributes,
		"{\"a_b\":\"1\",\"a_b_2\":\"2\",\"a_b_2_2\":\"3\"}");
}

static void test_map(void **state)
{
	struct fixture *f = *state;
	const char **field;
	size_t n;

	f->map[0] = (struct import_map){"contact", "email"};
	f->map[1] = (struct import_map){"EMAIL", "-"};
	f->map[2] = (struct import_map){"Salary", "-"};
	f->map[3] = (struct import_map){"Wohnort", "city"};
	f->options.map_n = 4;
	imports(f, STR("Email,Contact,Salary,Wohnort\nx,a@example.com,9,Ulm\n"));
	assert_text(person(f, "a@example.com").attributes, "{\"city\":\"Ulm\"}");
	assert_int_equal(fields_get(f->site.store, &f->a, &field, &n, &f->e), 0);
	assert_int_equal(n, 1);
	f->map[2].column = "Nowhere";
	assert_int_equal(
		import(f, STR("Email,Contact,Salary,Wohnort\nx,a@example.com,9,Ulm\n")), -1);
	assert_int_equal(f->e.code, ERR_INPUT);
	assert_non_null(strstr(f->e.text, "there is no column 'Nowhere'; the header is: Email, "));
}

static void test_status(void **state)
{
	struct fixture *f = *state;
	struct subscription *s;
	struct list list;
	size_t n;

	imports(f, STR("email,Status\na@example.com,Active\nb@example.com,unsubscribed\n"
		       "c@example.com,paid\nd@example.com,\n"));
	assert_int_equal(f->n.added, 2);
	assert_int_equal(f->n.rejected, 2);
	assert_string_equal(buf_text(&f->rejected),
		"4: the status 'paid' is unknown: it is no consent\n"
		"5: 'Status' is empty: no status is no consent\n");
	assert_int_equal(list_get(f->site.store, STR("daily"), &f->a, &list, &f->e), 0);
	assert_int_equal(list.subscribed, 1);
	assert_int_equal(subscriber_subscriptions(f->site.store, person(f, "b@example.com").id,
				 &f->a, &s, &n, &f->e),
		0);
	assert_int_equal(s->status, SUBSCRIPTION_UNSUBSCRIBED);
	assert_text(s->source, "import 1 line 3");
}

/* ---- all or nothing ---- */

static void refuses(struct fixture *f, struct str csv, const char *words)
{
	assert_int_equal(import(f, csv), -1);
	assert_int_equal(f->e.code, ERR_INPUT);
	if (!strstr(f->e.text, words))
		fail_msg("expected '%s', got '%s'", words, f->e.text);
	assert_int_equal(people(f), 0);
	assert_int_equal(f->id, 0);
}

static void test_broken_files_change_nothing(void **state)
{
	static char big[3 * 1024 * 1024];
	struct fixture *f = *state;
	size_t n;

	refuses(f, STR("email\na@example.com\n\"b@example.com\n"), "f.csv:3: the quote that opens");
	refuses(f, STR("email\na@example.com\nb\"c@example.com\n"), "f.csv:3: a quote stands");
	refuses(f, STR("email\na@example.com\nb\0@example.com\n"), "f.csv:3: the file holds a NUL");
	refuses(f, STR("a@example.com,Ada\nb@example.com,Bo\n"),
		"f.csv:1: no column holds the address");
	assert_non_null(strstr(f->e.text, "a@example.com, Ada"));
	refuses(f, STR(""), "f.csv:1: the file is empty");
	refuses(f, STR("\n\nname\nx\n"), "f.csv:3: no column holds");
	refuses(f, STR("email,mail\na@example.com,b@example.com\n"), "--map");
	refuses(f, STR("email,???\na@example.com,1\n"), "no letter or digit");
	n = (size_t)snprintf(big, sizeof big, "email,notes\na@example.com,\"");
	memset(big + n, 'x', 2 * 1024 * 1024);
	n += 2 * 1024 * 1024;
	n += (size_t)snprintf(big + n, sizeof big - n, "\"\n");
	refuses(f, (struct str){big, n}, "f.csv:2: a field is larger than 1 MB");
}

static void test_rejected_rows(void **state)
{
	static char big[200 * 1024];
	struct fixture *f = *state;
	size_t n = (size_t)snprintf(big, sizeof big,
		"email,notes\nnot an address,\n,\na@example.com,1,\nb@example.com,1,2\n"
		"c@example.com\nd@example.com,");

	memset(big + n, 'x', 65 * 1024);
	n += 65 * 1024;
	n += (size_t)snprintf(big + n, sizeof big - n, "\n\ne@example.com,fine\n");
	imports(f, (struct str){big, n});
	assert_int_equal(f->n.rows, 7);
	assert_int_equal(f->n.added, 3); /* a, c, e */
	assert_int_equal(f->n.rejected, 4);
	assert_non_null(strstr(buf_text(&f->rejected), "2: "));
	assert_non_null(strstr(buf_text(&f->rejected), "\n3: "));
	assert_non_null(
		strstr(buf_text(&f->rejected), "\n5: the row has 3 fields where the header has 2\n"
					       "7: the field 'notes' is larger than 64 KB\n"));
}

static void test_same_file_twice(void **state)
{
	static const struct str csv = STR("email,first_name,city\na@example.com,Ada,Rome\n"
					  "b@example.com,,\nc@example.com,Cleo,\n");
	struct fixture *f = *state;

	imports(f, csv);
	assert_int_equal(f->n.added, 3);
	assert_int_equal(subscriber_unsubscribe(f->site.store, person(f, "b@example.com").id, 0,
				 STR("link"), 5, &f->e),
		1);
	imports(f, csv);
	assert_int_equal(f->n.unchanged, 2);
	assert_int_equal(f->n.suppressed, 1);
	assert_int_equal(f->id, 2);
}

static void test_dry_run(void **state)
{
	struct fixture *f = *state;

	f->options.dry_run = true;
	imports(f, STR("email\na@example.com\nx\n"));
	assert_int_equal(f->n.added, 1);
	assert_int_equal(f->n.rejected, 1);
	assert_int_equal(f->n.rows, 2);
	assert_int_equal(f->id, 0);
	assert_int_equal(people(f), 0);
	f->options.dry_run = false;
	imports(f, STR("email\n")); /* a header alone is an import of nobody */
	assert_int_equal(f->id, 1);
	assert_int_equal(f->n.rows, 0);
}

static void test_missing(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(
		import_file(&f->site, "/tmp/no-such-file.csv", &f->options, &f->id, &f->n, &f->e),
		-1);
	assert_int_equal(f->e.code, ERR_MISSING);
	assert_int_equal(import_file(&f->site, f->folder, &f->options, &f->id, &f->n, &f->e), -1);
	assert_int_equal(f->e.code, ERR_INPUT);
	f->options.list = "dayly";
	assert_int_equal(import(f, STR("email\na@example.com\n")), -1);
	assert_int_equal(f->e.code, ERR_MISSING);
	assert_non_null(strstr(f->e.text, "'daily'"));
}

/* ---- more than the threads hold at once ---- */

static bool stop_at_once(void *user, const struct import_progress *p)
{
	(void)user;
	assert_true(p->octets > 0 && p->octets <= p->size && p->rows > 0);
	assert_int_equal(p->people, 0);
	return false;
}

/* Once the list gets its people, nothing stops it. */
static bool stop_late(void *user, const struct import_progress *p)
{
	struct fixture *f = user;

	f->given = p->given;
	assert_true(p->given <= p->people);
	return !p->people;
}

static void write_many(struct buf *csv, int n)
{
	buf_cstr(csv, "email,first_name\n");
	for (int i = 0; i < n; i++)
		buf_printf(csv, "p%d@example.com,P%d\n", (int)(i * 7919LL % n), i);
}

static void test_many_batches(void **state)
{
	enum { MANY = 350000 };
	struct fixture *f = *state;
	struct buf csv;

	buf_init(&csv, 64 << 20);
	write_many(&csv, MANY);
	f->options.progress = stop_at_once;
	assert_int_equal(import(f, buf_view(&csv)), -1);
	assert_int_equal(f->e.code, ERR_DENIED);
	assert_int_equal(people(f), 0);
	f->options.progress = NULL;
	buf_cstr(&csv, "\"");
	refuses(f, buf_view(&csv), "350002: the quote that opens");
	buf_cstr(&csv, "\"\n");
	f->options.progress = stop_late;
	imports(f, buf_view(&csv));
	f->options.progress = NULL;
	assert_int_equal(f->given, people(f));
	assert_int_equal(f->n.added, MANY);
	assert_int_equal(f->n.rejected, 1); /* the empty address at the end */
	assert_int_equal(store_check(f->site.store, false, NULL, NULL, &f->e), 0);
	buf_free(&csv);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_columns),
		TEST(test_names_and_mailboxes),
		TEST(test_twins),
		TEST(test_map),
		TEST(test_status),
		TEST(test_broken_files_change_nothing),
		TEST(test_rejected_rows),
		TEST(test_same_file_twice),
		TEST(test_dry_run),
		TEST(test_missing),
		TEST(test_many_batches),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
