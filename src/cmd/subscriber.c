/* SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "person.h"
#include "store/segment.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- show and find ---- */

static int show(struct cmd *c, struct err *e)
{
	struct person person;
	struct site s;
	int rc;

	if (cmd_options(c, NULL, 1, 1, e) < 0 || cmd_site(c, &s, e) < 0)
		return -1;
	rc = person_get(c, &s, c->argv[0], &person, e);
	if (rc == 0 && c->json)
		cmd_json(person_json(&person));
	else if (rc == 0)
		person_print(c, &person);
	site_close(&s);
	return rc;
}

struct search {
	struct cmd *c;
	struct table table;
	size_t n, limit;
};

static bool add_found(void *user, const struct subscriber *who)
{
	struct search *f = user;
	struct cmd *c = f->c;

	if (f->n++ == f->limit)
		return false;
	if (c->json)
		cmd_json(person_row_json(who));
	else
		table_add(&f->table, (const char *[]){arena_printf(&c->arena, "%" PRId64, who->id),
					     cmd_text(c, who->email), person_name(c, who)});
	return true;
}

/* Those in a segment, of the whole site. */
static int find_segment(
	struct cmd *c, struct site *s, const char *text, struct search *f, struct err *e)
{
	const struct segment *segment;
	int64_t n;

	if (segment_parse(&c->arena, str_of(text), &segment, e) < 0 ||
		segment_find(s->store, segment, 0, SEGMENT_FIRST, &n, e) < 0)
		return -1;
	return segment_each(s->store, SEGMENT_FIRST, f->limit + 1, add_found, f, e);
}

static int find(struct cmd *c, struct err *e)
{
	static const char *const head[] = {">SUBSCRIBER", "ADDRESS", "NAME"};
	struct search f = {.c = c, .limit = 100};
	const char *limit = "100", *segment = NULL;
	const struct cmd_option options[] = {
		{"limit", "N", "show at most N, else 100", .text = &limit},
		{"segment", "EXPRESSION", "those in this segment", .text = &segment},
		{0},
	};
	struct site s;
	int64_t n;
	int rc;

	if (cmd_options(c, options, 0, 1, e) < 0)
		return -1;
	if ((c->argc == 1) == (segment != NULL))
		return err_set(e, ERR_USAGE, "%s: give a TEXT to look for, or --segment", c->path);
	if (!str_to_int(str_of(limit), 1, INT32_MAX, &n))
		return err_set(e, ERR_USAGE, "--limit is '%s': give a number from 1", limit);
	f.limit = (size_t)n;
	if (cmd_site(c, &s, e) < 0)
		return -1;
	table_init(&f.table, &c->arena, head, 3);
	rc = segment ? find_segment(c, &s, segment, &f, e)
		     : subscriber_find(s.store, str_of(c->argv[0]), f.limit + 1, add_found, &f, e);
	if (rc == 0 && f.n && !c->json)
		table_print(&f.table);
	if (rc == 0 && f.n > f.limit && !c->quiet)
		fprintf(stderr, "lettermill: there are more than %zu: %s, or use --limit\n",
			f.limit, segment ? "narrow the segment" : "look for more letters");
	site_close(&s);
	return rc < 0 ? rc : f.n ? 0 : EXIT_NO;
}

/* ---- add and set ---- */

struct wishes {
	const char *first_name, *last_name, *consent;
	struct cmd_texts set, lists;
	bool takes_away; /* an empty name or value does; else it says nothing */
};

/* --set NAME=VALUE as a JSON object; null for what is to be taken away. */
static int make_attributes(struct cmd *c, const struct wishes *w, struct str *out, struct err *e)
{
	json_t *all = json_object();
	const char *name, *value;
	char *text;

	for (size_t i = 0; i < w->set.n; i++) {
		if (cmd_split(c, "set", w->set.text[i], &name, &value, e) < 0) {
			json_decref(all);
			return -1;
		}
		if (*value)
			json_object_set_new(all, name, cmd_json_text(str_of(value)));
		else if (w->takes_away)
			json_object_set_new(all, name, json_null());
	}
	text = json_dumps(all, JSON_COMPACT);
	*out = arena_str(&c->arena, str_of(text));
	free(text);
	json_decref(all);
	return 0;
}

static struct str name_of(const struct wishes *w, const char *name)
{
	return name && (*name || w->takes_away) ? str_of(name) : (struct str){0};
}

static int put(struct cmd *c, struct site *s, const struct addr *addr, const struct wishes *w,
	struct subscriber *who, struct err *e)
{
	struct str key = addr->key;
	int respelled = subscriber_respell(s->store, &c->arena, &key, e);
	bool added;

	if (respelled < 0)
		return -1;
	*who = (struct subscriber){
		.email = respelled ? (struct str){0} : addr->email, /* theirs stays */
		.first_name = name_of(w, w->first_name),
		.last_name = name_of(w, w->last_name),
	};
	if (utf8_invalid_at(who->first_name) != who->first_name.n ||
		utf8_invalid_at(who->last_name) != who->last_name.n)
		return err_set(e, ERR_USAGE, "%s: a name is not valid UTF-8", c->path);
	if (make_attributes(c, w, &who->attributes, e) < 0)
		return -1;
	return subscriber_put(s->store, who, key, clock_now(), &added, e);
}

/* Who is suppressed does not come back by being added. */
static int refuse_suppressed(struct cmd *c, struct site *s, const struct addr *addr, struct err *e)
{
	struct str reason;
	int64_t at;
	int rc = suppression_get(s->store, addr->key, &c->arena, &reason, &at, e);

	if (rc <= 0)
		return rc;
	return err_set(e, ERR_DENIED,
		"'%.*s' is suppressed since %s (%.*s): 'lettermill subscriber suppress --lift' "
		"takes that back",
		STR_ARG(addr->email), cmd_time(c, at), STR_ARG(reason));
}

static int subscribe(struct cmd *c, struct site *s, int64_t subscriber, const char *slug,
	const char *consent, struct err *e)
{
	struct list list;

	if (list_get(s->store, str_of(slug), &c->arena, &list, e) < 0)
		return -1;
	if (subscription_put(s->store, subscriber, list.id, SUBSCRIPTION_ACTIVE, STR("by hand"),
		    str_of(consent), consent != NULL, clock_now(), e) == 0)
		return 0;
	if (e->code == ERR_DENIED)
		err_set(e, ERR_DENIED,
			"'%s' has left the list '%s': say with --consent how they agreed to come "
			"back",
			c->argv[0], slug);
	return -1;
}

static int put_on_lists(struct cmd *c, struct site *s, const struct addr *addr,
	const struct wishes *w, struct err *e)
{
	struct subscriber who;

	if (refuse_suppressed(c, s, addr, e) < 0 || put(c, s, addr, w, &who, e) < 0)
		return -1;
	for (size_t i = 0; i < w->lists.n; i++)
		if (subscribe(c, s, who.id, w->lists.text[i], w->consent, e) < 0)
			return -1;
	return 0;
}

/* All of it or nothing. */
static int add_in_transaction(struct cmd *c, struct site *s, const struct wishes *w, struct err *e)
{
	struct addr addr;

	if (addr_parse_as(&c->arena, str_of(c->argv[0]), s->config.quoted_local_parts, &addr, e) <
			0 ||
		store_begin(s->store, e) < 0)
		return -1;
	if (put_on_lists(c, s, &addr, w, e) < 0) {
		store_rollback(s->store);
		return -1;
	}
	return store_commit(s->store, e);
}

static int show_if_json(struct cmd *c, struct site *s, struct err *e)
{
	struct person person;

	if (!c->json)
		return 0;
	if (person_get(c, s, c->argv[0], &person, e) < 0)
		return -1;
	cmd_json(person_json(&person));
	return 0;
}

#define NAME_OPTIONS                                                                               \
	{"first-name", "NAME", "first name", .text = &w.first_name},                               \
		{"last-name", "NAME", "last name", .text = &w.last_name},                          \
	{                                                                                          \
		"set", "NAME=VALUE", "an attribute, for {{ subscriber.NAME }}", .many = &w.set     \
	}

static int add(struct cmd *c, struct err *e)
{
	struct wishes w = {0};
	const struct cmd_option options[] = {
		NAME_OPTIONS,
		{"list", "SLUG", "put them on this list", .many = &w.lists},
		{"consent", "WORDS", "how they agreed: also brings back who has left",
			.text = &w.consent},
		{0},
	};
	struct site s;
	int rc = -1;

	if (cmd_options(c, options, 1, 1, e) < 0 || cmd_site(c, &s, e) < 0)
		return -1;
	if (add_in_transaction(c, &s, &w, e) == 0)
		rc = show_if_json(c, &s, e);
	site_close(&s);
	return rc;
}

static int set(struct cmd *c, struct err *e)
{
	struct wishes w = {.takes_away = true};
	const struct cmd_option options[] = {NAME_OPTIONS, {0}};
	struct subscriber who;
	struct addr addr;
	struct site s;
	int rc = -1;

	if (cmd_options(c, options, 1, 1, e) < 0 || cmd_site(c, &s, e) < 0)
		return -1;
	if (cmd_subscriber(c, &s, c->argv[0], &addr, &who, e) == 0 &&
		put(c, &s, &addr, &w, &who, e) == 0)
		rc = show_if_json(c, &s, e);
	site_close(&s);
	return rc;
}

/* ---- leaving ---- */

static int unsubscribe(struct cmd *c, struct err *e)
{
	const char *slug = NULL;
	const struct cmd_option options[] = {
		{"list", "SLUG", "from this list only, else from all", .text = &slug},
		{0},
	};
	struct list list = {0};
	struct subscriber who;
	struct addr addr;
	struct site s;
	int n = -1;

	if (cmd_options(c, options, 1, 1, e) < 0 || cmd_site(c, &s, e) < 0)
		return -1;
	if (cmd_subscriber(c, &s, c->argv[0], &addr, &who, e) == 0 &&
		(!slug || list_get(s.store, str_of(slug), &c->arena, &list, e) == 0))
		n = subscriber_unsubscribe(
			s.store, who.id, list.id, STR("by hand"), clock_now(), e);
	site_close(&s);
	if (n < 0)
		return -1;
	if (c->json)
		cmd_json(json_pack(
			"{s:o, s:i}", "email", cmd_json_text(addr.email), "unsubscribed", n));
	else if (!c->quiet)
		printf("%s: unsubscribed from %s\n", cmd_text(c, addr.email),
			cmd_count(c, n, "list", "lists"));
	return 0;
}

/* "@example.com": a whole domain. */
static int suppress_domain(struct cmd *c, bool lift, struct err *e)
{
	const char *name = c->argv[0] + 1;
	struct addr addr;
	int64_t n = 0;
	struct site s;
	int rc;

	/* What may stand behind the sign of an address is a domain. */
	if (addr_parse(&c->arena, str_of(arena_printf(&c->arena, "a@%s", name)), &addr, e) < 0 ||
		cmd_site(c, &s, e) < 0)
		return -1;
	rc = lift ? suppression_remove_domain(s.store, addr.domain, &n, e)
		  : suppression_put_domain(s.store, addr.domain, "hand", clock_now(), &n, e);
	site_close(&s);
	if (rc == 0 && c->json)
		cmd_json(json_pack("{s:o, s:b, s:I}", "domain", cmd_json_text(addr.domain),
			"suppressed", !lift, "subscribers", (json_int_t)n));
	else if (rc == 0 && !c->quiet)
		printf("@%s: %s, which concerns %s\n", cmd_text(c, addr.domain),
			lift ? "suppression lifted" : "suppressed",
			cmd_count(c, n, "subscriber", "subscribers"));
	return rc;
}

static int suppress(struct cmd *c, struct err *e)
{
	bool lift = false;
	const struct cmd_option options[] = {
		{"lift", NULL, "take the suppression back", .flag = &lift},
		{0},
	};
	struct addr addr;
	struct site s;
	int rc;

	if (cmd_options(c, options, 1, 1, e) < 0)
		return -1;
	if (c->argv[0][0] == '@')
		return suppress_domain(c, lift, e);
	if (addr_parse_as(&c->arena, str_of(c->argv[0]), ADDR_QUOTED, &addr, e) < 0 ||
		cmd_site(c, &s, e) < 0)
		return -1;
	if (lift)
		rc = suppression_remove(s.store, addr.key, e);
	else
		rc = suppression_add(s.store, addr.key, "hand", clock_now(), e);
	site_close(&s);
	if (rc == 0 && c->json)
		cmd_json(json_pack(
			"{s:o, s:b}", "email", cmd_json_text(addr.email), "suppressed", !lift));
	return rc;
}

static int erase(struct cmd *c, struct err *e)
{
	bool dry_run = false;
	const struct cmd_option options[] = {
		{"dry-run", NULL, "tell who would be erased, change nothing", .flag = &dry_run},
		{0},
	};
	struct subscriber who;
	struct addr addr;
	struct site s;
	int rc;

	if (cmd_options(c, options, 1, 1, e) < 0 || cmd_site(c, &s, e) < 0)
		return -1;
	rc = cmd_subscriber(c, &s, c->argv[0], &addr, &who, e);
	if (rc == 0 && !dry_run)
		rc = subscriber_erase(s.store, who.id, addr.key, clock_now(), e);
	site_close(&s);
	if (rc == 0 && c->json)
		cmd_json(json_pack(
			"{s:I, s:b}", "subscriber", (json_int_t)who.id, "erased", !dry_run));
	else if (rc == 0 && dry_run)
		printf("would erase subscriber %" PRId64 ", %s (dry run, nothing has changed)\n",
			who.id, cmd_text(c, who.email));
	return rc;
}

#define NAME_USAGE "[--first-name NAME] [--last-name NAME] [--set NAME=VALUE]... "

const struct command subscriber_commands[] = {
	{"add", NAME_USAGE "[--list SLUG]... [--consent WORDS] [--json] ADDRESS",
		"Add somebody, and put them on lists", add, NULL},
	{"show", "[--json] ADDRESS", "Show somebody and their lists", show, NULL},
	{"find", "[--limit N] [--json] {TEXT | --segment EXPRESSION}",
		"Find people by a part of address or name", find, NULL},
	{"set", NAME_USAGE "[--json] ADDRESS", "Change somebody's names and attributes", set, NULL},
	{"tag", "[--remove] [--json] ADDRESS TAG...", "Give somebody tags, or take them away",
		subscriber_tag_command, NULL},
	{"unsubscribe", "[--list SLUG] [--json] ADDRESS", "Take somebody off a list, or off all",
		unsubscribe, NULL},
	{"suppress", "[--lift] [--json] {ADDRESS | @DOMAIN}",
		"Never mail an address, or a domain, again", suppress, NULL},
	{"erase", "[--dry-run] [--json] ADDRESS", "Forget somebody; the address stays suppressed",
		erase, NULL},
	{0},
};
