/* SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "person.h"

#include <stdlib.h>

enum { TAG_MAX = 100 };

static bool is_tag(struct str tag)
{
	return tag.n && tag.n <= TAG_MAX && utf8_invalid_at(tag) == tag.n &&
	       str_find(tag, ',') == tag.n && str_trim(tag).n == tag.n;
}

/* The tags there are: an array, or a text with commas from a file. */
static json_t *tags_of(struct str attributes)
{
	json_t *all = json_loadb(attributes.p, attributes.n, 0, NULL);
	json_t *found = json_object_get(all, "tags"), *tags = json_array();
	struct str text = {NULL, 0}, one;

	if (json_is_array(found))
		json_array_extend(tags, found);
	else if (json_is_string(found))
		text = (struct str){json_string_value(found), json_string_length(found)};
	while (str_next(&text, ',', &one))
		if (str_trim(one).n)
			json_array_append_new(tags, cmd_json_text(str_trim(one)));
	json_decref(all);
	return tags;
}

/* As segments compare: without regard to the case of ASCII letters. */
static size_t place_of(const json_t *tags, struct str tag)
{
	json_t *one;
	size_t i;

	json_array_foreach(tags, i, one)
	{
		if (json_is_string(one) && str_eq_nocase(str_of(json_string_value(one)), tag))
			return i;
	}
	return json_array_size(tags);
}

static int change(struct cmd *c, json_t *tags, bool remove, struct err *e)
{
	for (int i = 1; i < c->argc; i++) {
		struct str tag = str_of(c->argv[i]);
		size_t at;

		if (!is_tag(tag))
			return err_set(e, ERR_USAGE,
				"'%s' is no tag: it has up to 100 octets, no comma and no blank at "
				"its ends",
				c->argv[i]);
		at = place_of(tags, tag);
		if (remove)
			json_array_remove(tags, at);
		else if (at == json_array_size(tags))
			json_array_append_new(tags, cmd_json_text(tag));
	}
	return 0;
}

static int put(struct cmd *c, struct site *s, bool remove, struct err *e)
{
	struct subscriber who, put = {0};
	json_t *tags, *all;
	struct addr addr;
	char *text = NULL;
	bool added;
	int rc;

	if (cmd_subscriber(c, s, c->argv[0], &addr, &who, e) < 0)
		return -1;
	tags = tags_of(who.attributes);
	rc = change(c, tags, remove, e);
	all = json_pack("{s:o}", "tags", tags);
	if (rc == 0) {
		text = json_dumps(all, JSON_COMPACT);
		put.attributes = str_of(text);
		rc = subscriber_put(s->store, &put, addr.key, clock_now(), &added, e);
	}
	free(text);
	json_decref(all);
	return rc;
}

int subscriber_tag_command(struct cmd *c, struct err *e)
{
	bool remove = false;
	const struct cmd_option options[] = {
		{"remove", NULL, "take the tags away", .flag = &remove},
		{0},
	};
	struct person person;
	struct site s;
	int rc = -1;

	if (cmd_options(c, options, 2, 1000, e) < 0 || cmd_site(c, &s, e) < 0)
		return -1;
	if (store_begin(s.store, e) == 0 && put(c, &s, remove, e) == 0)
		rc = store_commit(s.store, e);
	if (rc == 0 && c->json) {
		rc = person_get(c, &s, c->argv[0], &person, e);
		if (rc == 0)
			cmd_json(person_json(&person));
	}
	site_close(&s);
	return rc;
}
