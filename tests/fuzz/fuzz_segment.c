/* SPDX-License-Identifier: MIT */
/*
 * Segments: what is understood prints so that it is understood the same; the database takes the SQL that is
 * made of it behind its guard, finds what a reader of the tree finds in the same people, and `not` finds the
 * others.
 */
#include "../../src/store/segment.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PEOPLE = 4 };
static const char *const emails[PEOPLE] = {
	"ana@example.org", "bob@example.com", "eve@example.org", "x'y@example.net"};
static const char *const cities[PEOPLE] = {"Lisbon", "", "porto", "' OR 1=1 --"};

static char folder[] = "/tmp/fuzz-segment-XXXXXX";

static void clean(void)
{
	static const char *const names[] = {"db", "db-wal", "db-shm"};
	char path[64];

	for (size_t i = 0; i < 3; i++) {
		snprintf(path, sizeof path, "%s/%s", folder, names[i]);
		unlink(path);
	}
	rmdir(folder);
}

static struct store *site(void)
{
	static struct store *s;
	char db[64];
	struct list daily = {.slug = STR("daily"), .name = STR("D")};
	struct arena a = {0};
	struct err e;
	bool added;

	if (s)
		return s;
	snprintf(db, sizeof db, "%s/db", mkdtemp(folder) ? folder : "");
	atexit(clean);
	if (store_create(db, &s, &e) < 0 || list_add(s, &daily, 1, &e) < 0)
		abort();
	for (size_t i = 0; i < PEOPLE; i++) {
		struct subscriber who = {.email = str_of(emails[i])};

		if (cities[i][0])
			who.attributes = str_of(
				arena_printf(&a, "{\"city\":\"%s\",\"tags\":[\"t\"]}", cities[i]));
		if (subscriber_put(s, &who, who.email, 1, &added, &e) < 0)
			abort();
	}
	arena_free(&a);
	return s;
}

/* Person `i` by the tree, read without a database: -1 where it asks for more than this knows. */
static int is_in(const struct segment *s, size_t i)
{
	const char *have;
	int left, right;
	bool same;

	if (s->kind == SEGMENT_NOT || s->kind == SEGMENT_AND || s->kind == SEGMENT_OR) {
		left = is_in(s->left, i);
		right = s->right ? is_in(s->right, i) : 0;
		if (left < 0 || right < 0)
			return -1;
		return s->kind == SEGMENT_NOT   ? !left
		       : s->kind == SEGMENT_AND ? left && right
						: left || right;
	}
	if (s->kind == SEGMENT_CALL || s->op > SEGMENT_NE || s->type != SEGMENT_TEXT)
		return -1;
	have = str_eq(s->name, STR("city"))    ? cities[i]
	       : str_eq(s->name, STR("email")) ? emails[i]
	       : str_eq(s->name, STR("tag"))   ? (cities[i][0] ? "t" : NULL)
					       : "?";
	if (have && have[0] == '?')
		return -1;
	same = have && str_eq_nocase(s->value, str_of(have));
	return same == (s->op == SEGMENT_EQ);
}

static bool finds(struct store *s, const struct segment *segment, bool found[PEOPLE])
{
	struct err e = {0};
	sqlite3_stmt *st;
	int64_t n;

	memset(found, 0, PEOPLE * sizeof *found);
	if (segment_find(s, segment, 0, SEGMENT_FIRST, &n, &e) < 0) {
		if (e.code != ERR_INPUT)
			abort();
		return false;
	}
	if (db_query(s, "SELECT id FROM temp.segments WHERE n = 0", NULL, &st, &e) < 0)
		abort();
	while (db_row(s, st, &e) == 1)
		found[sqlite3_column_int64(st, 0) - 1] = true;
	return true;
}

static void compare(struct store *s, const struct segment *segment)
{
	const struct segment not = {.kind = SEGMENT_NOT, .left = segment};
	bool found[PEOPLE], others[PEOPLE];

	if (!finds(s, segment, found))
		return;
	if (!finds(s, &not, others))
		abort();
	for (size_t i = 0; i < PEOPLE; i++) {
		int expected = is_in(segment, i);

		if (found[i] == others[i] || (expected >= 0 && found[i] != (expected == 1)))
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = {(const char *)data, size};
	const struct segment *segment, *again;
	struct buf first, second;
	struct arena a = {0};
	struct err e;

	buf_init(&first, 1 << 20);
	buf_init(&second, 1 << 20);
	if (segment_parse(&a, text, &segment, &e) == 0) {
		segment_print(segment, &first);
		/* Parentheses of its own may take a printed one over the ceilings. */
		if (segment_parse(&a, buf_view(&first), &again, &e) == 0) {
			segment_print(again, &second);
			if (!str_eq(buf_view(&first), buf_view(&second)))
				abort();
		} else if (!strstr(e.text, "deeply") && !strstr(e.text, "longer")) {
			abort();
		}
		compare(site(), segment);
	} else if (!e.text[0] || e.code != ERR_INPUT) {
		abort();
	}
	buf_free(&first);
	buf_free(&second);
	arena_free(&a);
	return 0;
}
