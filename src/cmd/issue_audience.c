/* SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "issue.h"
#include "person.h"
#include "store/segment.h"

#include <inttypes.h>
#include <stdio.h>

/* One of the two segments: what was given, and how it was understood. */
struct side {
	const char *text;
	const char *understood;
};

static int find_side(struct cmd *c, struct site *s, int64_t list, enum segment_set set,
	struct side *side, struct err *e)
{
	const struct segment *segment = NULL;
	struct buf out;
	int64_t n;

	if (side->text) {
		if (segment_parse(&c->arena, str_of(side->text), &segment, e) < 0)
			return -1;
		buf_init(&out, 4 * SEGMENT_MAX);
		segment_print(segment, &out);
		side->understood = arena_cstr(&c->arena, buf_view(&out));
		buf_free(&out);
	}
	return segment_find(s->store, segment, list, set, &n, e);
}

struct sample {
	struct cmd *c;
	struct table table;
	json_t *people;
};

static bool add_person(void *user, const struct subscriber *who)
{
	struct sample *to = user;

	json_array_append_new(to->people, person_row_json(who));
	table_add(&to->table, (const char *[]){arena_printf(&to->c->arena, "%" PRId64, who->id),
				      cmd_text(to->c, who->email), person_name(to->c, who)});
	return true;
}

static json_t *text_or_null(const char *text)
{
	return text ? cmd_json_text(str_of(text)) : json_null();
}

static void print_audience(struct cmd *c, const struct list *list, const struct side side[2],
	const struct audience *n, struct sample *sample)
{
	int64_t first = n->both + n->first, second = n->both + n->second;
	const char *slug = cmd_text(c, list->slug);

	if (c->json) {
		cmd_json(json_pack("{s:o, s:o, s:I, s:o, s:o, s:o}", "list",
			cmd_json_text(list->slug), "segment", text_or_null(side[0].understood),
			"count", (json_int_t)first, "against", text_or_null(side[1].understood),
			"compared",
			side[1].text ? json_pack("{s:I, s:I, s:I, s:I}", "count",
					       (json_int_t)second, "both", (json_int_t)n->both,
					       "first_alone", (json_int_t)n->first, "second_alone",
					       (json_int_t)n->second)
				     : json_null(),
			"sample", json_incref(sample->people)));
		return;
	}
	printf("%s of '%s' %s%s\n", cmd_count(c, first, "reader", "readers"), slug,
		side[0].text ? "in " : "would get an issue now",
		side[0].text ? cmd_text(c, str_of(side[0].understood)) : "");
	if (side[1].text) {
		printf("%s of '%s' in %s\n", cmd_count(c, second, "reader", "readers"), slug,
			cmd_text(c, str_of(side[1].understood)));
		printf("  in both            %s\n", cmd_number(c, n->both));
		printf("  in the first only  %s\n", cmd_number(c, n->first));
		printf("  in the second only %s\n", cmd_number(c, n->second));
	}
	if (json_array_size(sample->people)) {
		printf("\n");
		table_print(&sample->table);
	}
}

static int look(struct cmd *c, struct site *s, const char *slug, struct side side[2], size_t most,
	struct sample *sample, struct err *e)
{
	int64_t now = clock_now();
	struct audience n;
	struct list list;

	if (list_get(s->store, str_of(slug), &c->arena, &list, e) < 0 ||
		find_side(c, s, list.id, SEGMENT_FIRST, &side[0], e) < 0 ||
		(side[1].text && find_side(c, s, list.id, SEGMENT_SECOND, &side[1], e) < 0) ||
		audience_count(s->store, list.id, now, &n, e) < 0 ||
		audience_sample(s->store, list.id, now, most, add_person, sample, e) < 0)
		return -1;
	print_audience(c, &list, side, &n, sample);
	return n.both + n.first ? 0 : EXIT_NO;
}

int issue_audience_command(struct cmd *c, struct err *e)
{
	static const char *const head[] = {">SUBSCRIBER", "ADDRESS", "NAME"};
	const char *slug = NULL, *most = "10";
	struct side side[2] = {{0}};
	const struct cmd_option options[] = {
		{"list", "SLUG", "of this list", .text = &slug},
		{"segment", "EXPRESSION", "those in this segment, else all", .text = &side[0].text},
		{"against", "EXPRESSION", "compare with this segment", .text = &side[1].text},
		{"sample", "N", "show N of them, else 10", .text = &most},
		{0},
	};
	struct sample sample = {.c = c};
	struct site s;
	int64_t n;
	int rc;

	if (cmd_options(c, options, 0, 0, e) < 0)
		return -1;
	if (!slug)
		return err_set(e, ERR_USAGE, "%s: --list SLUG is missing", c->path);
	if (!str_to_int(str_of(most), 0, 10000, &n))
		return err_set(e, ERR_USAGE, "--sample is '%s': give a number up to 10000", most);
	if (cmd_site(c, &s, e) < 0)
		return -1;
	sample.people = json_array();
	table_init(&sample.table, &c->arena, head, 3);
	rc = look(c, &s, slug, side, (size_t)n, &sample, e);
	json_decref(sample.people);
	site_close(&s);
	return rc;
}
