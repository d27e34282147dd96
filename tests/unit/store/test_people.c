/* SPDX-License-Identifier: MIT */
#include "fixture.h"

/* ---- lists ---- */

static bool count_lists(void *user, const struct list *list)
{
	int *n = user;

	assert_true(list->slug.n > 0);
	(*n)++;
	return *n < 2;
}

static void test_lists(void **state)
{
	struct fixture *f = *state;
	struct list list = {
		.slug = STR("weekly"), .name = STR("Weekly"), .from = STR("a@b.example")};
	struct list found;
	int n = 0;

	OK(f, list_add(f->s, &list, 5, &f->e));
	FAILS(f, ERR_EXISTS, list_add(f->s, &list, 5, &f->e));
	OK(f, list_get(f->s, STR("weekly"), &f->a, &found, &f->e));
	assert_int_equal(found.id, list.id);
	assert_text(found.from, "a@b.example");
	assert_int_equal(found.subscribed, 0);
	found.name = STR("Every week");
	found.double_opt_in = true;
	OK(f, list_update(f->s, &found, &f->e));
	OK(f, list_get(f->s, STR("weekly"), &f->a, &found, &f->e));
	assert_text(found.name, "Every week");
	assert_true(found.double_opt_in);
	FAILS(f, ERR_MISSING, list_get(f->s, STR("weeky"), &f->a, &found, &f->e));
	assert_non_null(strstr(f->e.text, "'weekly'"));
	FAILS(f, ERR_MISSING, list_get(f->s, STR("quite-another"), &f->a, &found, &f->e));
	found.id = 99;
	FAILS(f, ERR_MISSING, list_update(f->s, &found, &f->e));
	reader(f, 1);
	OK(f, list_get(f->s, STR("daily"), &f->a, &found, &f->e));
	assert_int_equal(found.subscribed, 1);
	OK(f, list_each(f->s, count_lists, &n, &f->e));
	assert_int_equal(n, 2);
}

/* ---- subscribers ---- */

static int64_t put(struct fixture *f, const char *first, const char *attributes, bool *added)
{
	struct subscriber p = {.email = STR("ada@example.com"),
		.first_name = str_of(first),
		.attributes = str_of(attributes)};

	OK(f, subscriber_put(f->s, &p, STR("ada@example.com"), 10, added, &f->e));
	return p.id;
}

static void test_put_and_get(void **state)
{
	struct fixture *f = *state;
	struct subscriber p;
	const char **field;
	bool added;
	size_t n;
	int64_t id = put(f, "Ada", "{\"city\":\"London\",\"n\":1}", &added);

	assert_true(added);
	assert_int_equal(put(f, NULL, "{\"city\":\"Paris\",\"pet\":\"cat\"}", &added), id);
	assert_false(added);
	OK(f, subscriber_get(f->s, STR("ada@example.com"), &f->a, &p, &f->e));
	assert_text(p.first_name, "Ada");
	assert_text(p.attributes, "{\"city\":\"Paris\",\"n\":1,\"pet\":\"cat\"}");
	assert_int_equal(p.created_at, 10);
	put(f, "Augusta", NULL, &added);
	OK(f, subscriber_get(f->s, STR("ada@example.com"), &f->a, &p, &f->e));
	assert_text(p.first_name, "Augusta");
	OK(f, fields_get(f->s, &f->a, &field, &n, &f->e));
	assert_int_equal(n, 3);
	assert_string_equal(field[0], "city");
	assert_string_equal(field[2], "pet");
	put(f, "", "{\"city\":null,\"other\":null}", &added);
	OK(f, subscriber_get(f->s, STR("ada@example.com"), &f->a, &p, &f->e));
	assert_text(p.first_name, "");
	assert_text(p.attributes, "{\"n\":1,\"pet\":\"cat\"}");
	OK(f, fields_get(f->s, &f->a, &field, &n, &f->e));
	assert_int_equal(n, 3);
	p.attributes = STR("[1]");
	FAILS(f, ERR_INPUT, subscriber_put(f->s, &p, STR("ada@example.com"), 10, &added, &f->e));
	p.attributes = STR("{\"a\":");
	FAILS(f, ERR_INPUT, subscriber_put(f->s, &p, STR("new@example.com"), 10, &added, &f->e));
	FAILS(f, ERR_MISSING, subscriber_get(f->s, STR("new@example.com"), &f->a, &p, &f->e));
	assert_sound(f);
}

static bool collect(void *user, const struct subscriber *p)
{
	char *all = user;

	snprintf(all + strlen(all), 200 - strlen(all), "%.*s ", STR_ARG(p->email));
	return true;
}

static void found(struct fixture *f, const char *text, size_t limit, const char *expected)
{
	char all[200] = "";

	OK(f, subscriber_find(f->s, str_of(text), limit, collect, all, &f->e));
	assert_string_equal(all, expected);
}

static void test_find(void **state)
{
	struct fixture *f = *state;
	struct subscriber p = {.email = STR("per_cent@example.com"), .last_name = STR("100%")};
	bool added;

	reader(f, 1);
	OK(f, subscriber_put(f->s, &p, p.email, 1, &added, &f->e));
	found(f, "", 10, "reader1@example.com per_cent@example.com ");
	found(f, "", 1, "reader1@example.com ");
	found(f, "EADER", 10, "reader1@example.com ");
	found(f, "ada", 10, "reader1@example.com ");
	found(f, "%", 10, "per_cent@example.com ");
	found(f, "r_c", 10, "per_cent@example.com ");
	found(f, "' OR 1", 10, "");
}

/* ---- subscriptions ---- */

static enum subscription_status status(struct fixture *f, int64_t who)
{
	struct subscription *s;
	size_t n;

	OK(f, subscriber_subscriptions(f->s, who, &f->a, &s, &n, &f->e));
	assert_int_equal(n, 1);
	return s[0].status;
}

static int subscribe(struct fixture *f, int64_t who, enum subscription_status to, bool proof)
{
	return subscription_put(f->s, who, f->list, to, STR("hand"), STR(""), proof, 30, &f->e);
}

static void test_who_left_stays_away(void **state)
{
	static const enum subscription_status ended[] = {
		SUBSCRIPTION_UNSUBSCRIBED, SUBSCRIPTION_BOUNCED, SUBSCRIPTION_COMPLAINED};
	struct fixture *f = *state;
	int64_t who = reader(f, 1);

	for (size_t i = 0; i < 3; i++) {
		OK(f, subscribe(f, who, ended[i], false));
		FAILS(f, ERR_DENIED, subscribe(f, who, SUBSCRIPTION_ACTIVE, false));
		FAILS(f, ERR_DENIED, subscribe(f, who, SUBSCRIPTION_PENDING, false));
		assert_int_equal(status(f, who), ended[i]);
		OK(f, subscribe(f, who, SUBSCRIPTION_ACTIVE, true));
		assert_int_equal(status(f, who), SUBSCRIPTION_ACTIVE);
	}
	FAILS(f, ERR_MISSING, subscribe(f, 99, SUBSCRIPTION_ACTIVE, true));
	FAILS(f, ERR_MISSING,
		subscription_put(
			f->s, who, 99, SUBSCRIPTION_ACTIVE, STR("x"), STR(""), true, 1, &f->e));
	assert_sound(f);
}

static void test_unsubscribe(void **state)
{
	struct fixture *f = *state;
	struct list other = {.slug = STR("weekly"), .name = STR("Weekly")};
	int64_t who = reader(f, 1);

	OK(f, list_add(f->s, &other, 1, &f->e));
	OK(f, subscription_put(f->s, who, other.id, SUBSCRIPTION_PENDING, STR("page"), STR(""),
		      false, 11, &f->e));
	assert_int_equal(
		OK(f, subscriber_unsubscribe(f->s, who, f->list, STR("link"), 20, &f->e)), 1);
	assert_int_equal(
		OK(f, subscriber_unsubscribe(f->s, who, f->list, STR("link"), 21, &f->e)), 0);
	assert_int_equal(OK(f, subscriber_unsubscribe(f->s, who, 0, STR("link"), 22, &f->e)), 1);
	assert_int_equal(OK(f, subscriber_unsubscribe(f->s, who, 0, STR("link"), 23, &f->e)), 0);
}

/* Each consent there ever was is told, in order. */
static void test_history(void **state)
{
	static const char *const told[][2] = {
		{"subscribed", "list daily, hand"},
		{"note", "something"},
		{"unsubscribed", "list daily, link"},
		{"subscribed", "list daily, confirmed"},
	};
	struct fixture *f = *state;
	int64_t who = reader(f, 1);
	struct event *event;
	size_t n;

	OK(f, store_event(f->s, 12, "note", who, STR("something"), &f->e));
	OK(f, subscriber_unsubscribe(f->s, who, 0, STR("link"), 20, &f->e));
	OK(f, subscription_put(f->s, who, f->list, SUBSCRIPTION_ACTIVE, STR("confirmed"), STR(""),
		      true, 30, &f->e));
	OK(f, subscriber_events(f->s, who, &f->a, &event, &n, &f->e));
	assert_int_equal(n, 4);
	for (size_t i = 0; i < n; i++) {
		assert_text(event[i].what, told[i][0]);
		assert_text(event[i].detail, told[i][1]);
	}
}

/* ---- suppressions ---- */

static void test_suppressions(void **state)
{
	struct fixture *f = *state;
	const struct str key = STR("reader1@example.com");
	struct str reason;
	int64_t at;

	assert_int_equal(OK(f, suppression_get(f->s, key, &f->a, &reason, &at, &f->e)), 0);
	OK(f, suppression_add(f->s, key, "complaint", 5, &f->e));
	OK(f, suppression_add(f->s, key, "hand", 6, &f->e)); /* the first reason stays */
	reader(f, 1); /* who comes later is marked all the same */
	assert_int_equal(peek(f, "SELECT suppressed FROM subscribers"), 1);
	assert_int_equal(OK(f, suppression_get(f->s, key, &f->a, &reason, &at, &f->e)), 1);
	assert_text(reason, "complaint");
	assert_int_equal(at, 5);
	assert_int_equal(peek(f, "SELECT count(*) FROM suppressions WHERE length(hash) = 16"), 1);
	assert_sound(f);
	OK(f, suppression_remove(f->s, key, &f->e));
	assert_int_equal(peek(f, "SELECT suppressed FROM subscribers"), 0);
	FAILS(f, ERR_MISSING, suppression_remove(f->s, key, &f->e));
	assert_sound(f);
}

/* ---- erasure ---- */

/* Whether any file of the database still holds the text. */
static bool left_on_disk(struct fixture *f, const char *text)
{
	static const char *const ends[] = {"", "-wal"};
	bool there = false;
	char path[128];
	long n;

	for (size_t i = 0; i < 2; i++) {
		FILE *file;
		char *all;

		snprintf(path, sizeof path, "%s%s", f->path, ends[i]);
		file = fopen(path, "rb");
		if (!file)
			continue;
		fseek(file, 0, SEEK_END);
		n = ftell(file);
		rewind(file);
		all = calloc(1, (size_t)n + 1);
		assert_int_equal(fread(all, 1, (size_t)n, file), n);
		there |= memmem(all, (size_t)n, text, strlen(text)) != NULL;
		free(all);
		fclose(file);
	}
	return there;
}

static void test_erase(void **state)
{
	struct fixture *f = *state;
	const struct str key = STR("reader1@example.com");
	int64_t who = reader(f, 1), other = reader(f, 2), at;
	struct delivery *d;
	struct subscriber p;
	struct str reason;
	size_t n;

	issue(f, "first", 50, 20);
	OK(f, store_event(f->s, 12, "note", who, STR("reader1@example.com wrote"), &f->e));
	OK(f, subscriber_unsubscribe(f->s, who, 0, STR("link"), 20, &f->e));
	assert_true(left_on_disk(f, "reader1@example.com"));
	OK(f, subscriber_erase(f->s, who, key, 60, &f->e));
	FAILS(f, ERR_MISSING, subscriber_get(f->s, key, &f->a, &p, &f->e));
	assert_false(left_on_disk(f, "reader1@example.com"));
	assert_true(left_on_disk(f, "reader2@example.com"));
	OK(f, subscriber_deliveries(f->s, who, 0, &f->a, &d, &n, &f->e));
	assert_int_equal(n, 1);
	assert_int_equal(d->state, DELIVERY_SKIPPED);
	assert_text(d->skip_reason, "erased");
	assert_int_equal(OK(f, suppression_get(f->s, key, &f->a, &reason, &at, &f->e)), 1);
	assert_text(reason, "erased");
	assert_sound(f);
	/* The number is not given again, though it was the last but one. */
	OK(f, subscriber_erase(f->s, other, STR("reader2@example.com"), 61, &f->e));
	assert_true(reader(f, 3) > other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_lists),
		TEST(test_put_and_get),
		TEST(test_find),
		TEST(test_who_left_stays_away),
		TEST(test_unsubscribe),
		TEST(test_history),
		TEST(test_suppressions),
		TEST(test_erase),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
