/* SPDX-License-Identifier: MIT */
#include "person.h"

#include <stdio.h>
#include <stdlib.h>

/* The subscriber of p->addr, as far as there is one. */
static int find(struct cmd *c, struct site *s, struct person *p, struct err *e)
{
	struct err why = {0};

	if (subscriber_get(s->store, p->addr.key, &c->arena, &p->who, &why) < 0) {
		if (why.code == ERR_MISSING)
			return 0;
		return err_set(e, why.code, "%s", why.text);
	}
	p->known = true;
	return subscriber_subscriptions(
		s->store, p->who.id, &c->arena, &p->subscription, &p->subscription_n, e);
}

int person_get(
	struct cmd *c, struct site *s, const char *address, struct person *out, struct err *e)
{
	int suppressed;

	*out = (struct person){0};
	if (addr_parse_as(&c->arena, str_of(address), ADDR_QUOTED, &out->addr, e) < 0 ||
		subscriber_respell(s->store, &c->arena, &out->addr.key, e) < 0 ||
		find(c, s, out, e) < 0)
		return -1;
	suppressed = suppression_get(
		s->store, out->addr.key, &c->arena, &out->suppression, &out->suppressed_at, e);
	if (suppressed < 0)
		return -1;
	out->suppressed = suppressed;
	if (!out->known && !suppressed)
		return err_set(e, ERR_MISSING,
			"nobody with the address '%s' is known: 'lettermill subscriber find' "
			"looks for parts of one",
			address);
	return 0;
}

const char *person_name(struct cmd *c, const struct subscriber *who)
{
	const char *space = who->first_name.n && who->last_name.n ? " " : "";

	return arena_printf(&c->arena, "%s%s%s", cmd_text(c, who->first_name), space,
		cmd_text(c, who->last_name));
}

/* "city = Lisbon", one a line; an attribute's text as it is, other values as JSON writes them. */
static void print_attributes(struct cmd *c, struct str attributes)
{
	json_t *all = json_loadb(attributes.p, attributes.n, 0, NULL), *value;
	const char *name;

	json_object_foreach(all, name, value)
	{
		char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);

		printf("  %s = %s\n", cmd_text(c, str_of(name)),
			cmd_text(c, json_is_string(value) ? (struct str){json_string_value(value),
								    json_string_length(value)}
							  : str_of(text)));
		free(text);
	}
	json_decref(all);
}

static void print_subscriptions(struct cmd *c, const struct person *p)
{
	static const char *const head[] = {"  LIST", "STATUS", "SINCE (UTC)", "BY"};
	struct table t;

	if (!p->subscription_n) {
		printf("\non no list\n");
		return;
	}
	printf("\n");
	table_init(&t, &c->arena, head, 4);
	for (size_t i = 0; i < p->subscription_n; i++) {
		const struct subscription *s = &p->subscription[i];

		table_add(
			&t, (const char *[]){arena_printf(&c->arena, "  %s", cmd_text(c, s->list)),
				    subscription_status_name(s->status), cmd_time(c, s->changed_at),
				    cmd_text(c, s->source)});
	}
	table_print(&t);
}

void person_print(struct cmd *c, const struct person *p)
{
	const char *email = cmd_text(c, p->known ? p->who.email : p->addr.email);

	if (p->known) {
		const char *name = person_name(c, &p->who);

		printf("%s%s%s%s, subscriber %lld since %s UTC\n", name, name[0] ? " <" : "", email,
			name[0] ? ">" : "", (long long)p->who.id, cmd_time(c, p->who.created_at));
		print_attributes(c, p->who.attributes);
		print_subscriptions(c, p);
	} else {
		printf("%s is not among the subscribers\n", email);
	}
	if (p->suppressed)
		printf("\nsuppressed since %s UTC (%s): gets no mail, and no import brings it "
		       "back\n",
			cmd_time(c, p->suppressed_at), cmd_text(c, p->suppression));
}

json_t *person_row_json(const struct subscriber *who)
{
	json_t *attributes = json_loadb(who->attributes.p, who->attributes.n, 0, NULL);

	return json_pack("{s:I, s:o, s:o, s:o, s:o, s:o}", "subscriber", (json_int_t)who->id,
		"email", cmd_json_text(who->email), "first_name", cmd_json_text(who->first_name),
		"last_name", cmd_json_text(who->last_name), "attributes",
		attributes ? attributes : json_object(), "created_at",
		cmd_json_time(who->created_at));
}

json_t *person_json(const struct person *p)
{
	json_t *o = p->known ? person_row_json(&p->who) : json_object(), *lists = json_array();

	if (!p->known) {
		json_object_set_new(o, "subscriber", json_null());
		json_object_set_new(o, "email", cmd_json_text(p->addr.email));
	}
	for (size_t i = 0; i < p->subscription_n; i++) {
		const struct subscription *s = &p->subscription[i];

		json_array_append_new(lists,
			json_pack("{s:o, s:s, s:o, s:o}", "list", cmd_json_text(s->list), "status",
				subscription_status_name(s->status), "since",
				cmd_json_time(s->changed_at), "source", cmd_json_text(s->source)));
	}
	json_object_set_new(o, "subscriptions", lists);
	json_object_set_new(o, "suppression",
		p->suppressed ? json_pack("{s:o, s:o}", "reason", cmd_json_text(p->suppression),
					"since", cmd_json_time(p->suppressed_at))
			      : json_null());
	return o;
}
