/* SPDX-License-Identifier: MIT */
#include "mail/liquid.h"

#include "liquid_tag.h"

#include <string.h>

enum { DEPTH_MAX = 4 };

/* One `if` or `unless` that is open. */
struct frame {
	size_t line;
	bool around_live; /* the text around it goes out */
	bool marked; /* a mark IF went out, so ELSE and ENDIF are due */
	bool decided; /* a branch known to hold has been seen: the rest is dropped */
	bool last; /* {% else %} has been seen */
	bool unless;
};

struct expansion {
	struct arena *a;
	const struct liquid_source *in;
	const struct liquid_scope *scope;
	void (*escape)(struct buf *, struct str);
	struct liquid_slots *slots;
	struct buf *out;
	struct err *e;
	size_t at; /* offset in in->text */
	size_t line; /* of `at` */
	bool live; /* false inside a branch that is known not to hold */
	struct frame frame[DEPTH_MAX];
	int depth;
};

/* ---- marks ---- */

static const char mark_open[] = "\xee\x80\x80", mark_close[] = "\xee\x80\x81";

void liquid_mark(struct buf *out, enum liquid_context context, int index)
{
	buf_printf(out, "%s%c%d%s", mark_open, (char)context, index, mark_close);
}

int liquid_next_mark(struct str *rest, struct str *before, enum liquid_context *context)
{
	struct str s = *rest, number;
	int64_t index = -1;

	for (size_t from = 0; from < s.n;) {
		size_t at = from + str_search(str_slice(s, from, s.n), STR("\xee\x80\x80"));
		size_t end = at + str_search(str_slice(s, at, s.n), STR("\xee\x80\x81"));

		if (end >= s.n)
			break;
		number = str_slice(s, at + 4, end);
		if (at + 4 < end && memchr("hutc", s.p[at + 3], 4) &&
			str_to_int(number, 0, INT32_MAX, &index)) {
			*context = (enum liquid_context)s.p[at + 3];
			*before = str_slice(s, 0, at);
			*rest = str_slice(s, end + 3, s.n);
			return (int)index;
		}
		from = at + 3;
	}
	*before = s;
	*rest = (struct str){NULL, 0};
	return -1;
}

/* ---- names ---- */

static const char subscriber[] = "subscriber.";

static const struct liquid_name *known_name(const struct liquid_scope *scope, struct str name)
{
	for (size_t i = 0; i < scope->known_n; i++)
		if (str_eq(name, str_of(scope->known[i].name)))
			return &scope->known[i];
	return NULL;
}

static bool recipient_name(const struct liquid_scope *scope, struct str name)
{
	for (size_t i = 0; i < scope->recipient_n; i++)
		if (str_eq(name, str_of(scope->recipient[i])))
			return true;
	if (!str_has_prefix(name, str_of(subscriber)))
		return false;
	name = str_slice(name, sizeof(subscriber) - 1, name.n);
	for (size_t i = 0; i < scope->fields_n; i++)
		if (str_eq(name, str_of(scope->fields[i])))
			return true;
	return false;
}

/* The sentence for a name that does not exist: with the nearest that does, by spelling or by being the
 * same word in another place ("first_name" for subscriber.first_name). */
static int unknown_name(struct expansion *x, struct str name)
{
	const struct liquid_scope *scope = x->scope;
	size_t n = 0;
	const char **all = arena_array(
		x->a, scope->known_n + scope->recipient_n + scope->fields_n + 1, sizeof(*all));
	const char *near;

	for (size_t i = 0; i < scope->known_n; i++)
		all[n++] = scope->known[i].name;
	for (size_t i = 0; i < scope->recipient_n; i++)
		all[n++] = scope->recipient[i];
	for (size_t i = 0; i < scope->fields_n; i++)
		all[n++] = arena_printf(x->a, "%s%s", subscriber, scope->fields[i]);
	near = str_nearest(name, all, n);
	for (size_t i = 0; !near && i < n; i++)
		if (str_has_suffix(
			    str_of(all[i]), str_of(arena_printf(x->a, ".%.*s", STR_ARG(name)))))
			near = all[i];
	if (near)
		return err_set(x->e, ERR_INPUT, "%s:%zu: unknown name '%.*s', did you mean '%s'?",
			x->in->file, x->line, STR_ARG(name), near);
	return err_set(x->e, ERR_INPUT, "%s:%zu: unknown name '%.*s'", x->in->file, x->line,
		STR_ARG(name));
}

/* ---- slots ---- */

static int var_index(struct expansion *x, struct str name)
{
	struct liquid_slots *s = x->slots;

	for (size_t i = 0; i < s->vars_n; i++)
		if (str_eq(s->vars[i], name))
			return (int)i;
	if (s->vars_n == s->vars_cap) {
		size_t cap = s->vars_cap ? s->vars_cap * 2 : 16;
		struct str *more = arena_array(x->a, cap, sizeof(*more));

		if (s->vars_n)
			memcpy(more, s->vars, s->vars_n * sizeof(*more));
		s->vars = more;
		s->vars_cap = cap;
	}
	s->vars[s->vars_n] = arena_str(x->a, name);
	return (int)s->vars_n++;
}

/* Add a slot and write its mark. `tag` is NULL for ELSE and ENDIF. */
static void put_slot(struct expansion *x, enum liquid_op op, const struct liquid_tag *tag)
{
	struct liquid_slots *s = x->slots;
	struct liquid_slot *slot;

	if (s->n == s->cap) {
		size_t cap = s->cap ? s->cap * 2 : 32;
		struct liquid_slot *more = arena_array(x->a, cap, sizeof(*more));

		if (s->n)
			memcpy(more, s->slot, s->n * sizeof(*more));
		s->slot = more;
		s->cap = cap;
	}
	slot = &s->slot[s->n];
	slot->op = op;
	slot->var = tag ? var_index(x, tag->name) : -1;
	slot->test = tag ? tag->test : LIQUID_PRESENT;
	slot->negate = tag && tag->kind == TAG_UNLESS;
	slot->text = tag ? arena_str(x->a, tag->text) : (struct str){NULL, 0};
	slot->line = x->line;
	slot->file = x->in->file;
	liquid_mark(x->out, op == LIQUID_VALUE ? LIQUID_TEXT : LIQUID_CONTROL, (int)s->n++);
}

/* ---- tags ---- */

static bool holds(const struct liquid_tag *tag, struct str value)
{
	bool yes = value.n > 0;

	if (tag->test == LIQUID_EQUAL)
		yes = str_eq(value, tag->text);
	else if (tag->test == LIQUID_NOT_EQUAL)
		yes = !str_eq(value, tag->text);
	else if (tag->test == LIQUID_CONTAINS)
		yes = str_search(value, tag->text) < value.n;
	return yes != (tag->kind == TAG_UNLESS);
}

static int expand_value(struct expansion *x, const struct liquid_tag *tag)
{
	const struct liquid_name *known = known_name(x->scope, tag->name);

	if (!known && !recipient_name(x->scope, tag->name))
		return unknown_name(x, tag->name);
	if (!x->live)
		return 0;
	if (!known)
		put_slot(x, LIQUID_VALUE, tag);
	else if (known->raw && known->value.n)
		buf_str(x->out, known->value);
	else
		x->escape(x->out, known->value.n ? known->value : tag->text);
	return 0;
}

/* A branch of the innermost frame begins: decide it now, or leave a mark. */
static int expand_branch(struct expansion *x, const struct liquid_tag *tag)
{
	struct frame *f = &x->frame[x->depth - 1];
	const struct liquid_name *known = known_name(x->scope, tag->name);
	bool yes;

	if (!known && !recipient_name(x->scope, tag->name))
		return unknown_name(x, tag->name);
	x->live = f->around_live && !f->decided;
	if (!x->live)
		return 0;
	if (!known) {
		put_slot(x, f->marked ? LIQUID_ELSIF : LIQUID_IF, tag);
		f->marked = true;
		return 0;
	}
	yes = holds(tag, known->value);
	if (yes && f->marked)
		put_slot(x, LIQUID_ELSE, NULL);
	f->decided = yes;
	x->live = yes;
	return 0;
}

static int expand_if(struct expansion *x, const struct liquid_tag *tag)
{
	if (x->depth == DEPTH_MAX)
		return err_set(x->e, ERR_INPUT,
			"%s:%zu: conditions are nested more than %d deep, simplify them",
			x->in->file, x->line, DEPTH_MAX);
	x->frame[x->depth++] = (struct frame){
		.line = x->line, .around_live = x->live, .unless = tag->kind == TAG_UNLESS};
	return expand_branch(x, tag);
}

/* {% elsif %}, {% else %}, {% endif %} and {% endunless %}, spelled `text`. */
static int expand_rest(struct expansion *x, const struct liquid_tag *tag, struct str text)
{
	struct frame *f = x->depth ? &x->frame[x->depth - 1] : NULL;
	bool end = tag->kind == TAG_ENDIF || tag->kind == TAG_ENDUNLESS;

	if (!f)
		return err_set(x->e, ERR_INPUT, "%s:%zu: '%.*s' has no '{%% if … %%}' before it",
			x->in->file, x->line, STR_ARG(text));
	if (end ? f->unless != (tag->kind == TAG_ENDUNLESS) : f->last)
		return err_set(x->e, ERR_INPUT,
			"%s:%zu: '%.*s' does not fit the condition that starts on line %zu",
			x->in->file, x->line, STR_ARG(text), f->line);
	if (tag->kind == TAG_ELSIF)
		return expand_branch(x, tag);
	if (end) {
		x->live = f->around_live;
		x->depth--;
	} else {
		x->live = f->around_live && !f->decided;
		f->last = true;
	}
	if (x->live && f->marked)
		put_slot(x, end ? LIQUID_ENDIF : LIQUID_ELSE, NULL);
	return 0;
}

/* ---- text between tags ---- */

static void put_text(struct expansion *x, size_t to)
{
	for (size_t i = x->at; i < to; i++) {
		bool newline = x->in->text.p[i] == '\n';

		x->line += newline;
		if (x->live || (newline && x->in->keep_lines))
			buf_char(x->out, x->in->text.p[i]);
	}
	x->at = to;
}

/* Widen the extent of a tag to its whole line, when nothing else stands on it. */
static bool alone_on_line(struct str s, size_t *from, size_t *to)
{
	size_t begin = *from, end = *to;

	while (begin > 0 && (s.p[begin - 1] == ' ' || s.p[begin - 1] == '\t'))
		begin--;
	while (end < s.n && (s.p[end] == ' ' || s.p[end] == '\t'))
		end++;
	if ((begin > 0 && s.p[begin - 1] != '\n') || (end < s.n && s.p[end] != '\n'))
		return false;
	*from = begin;
	*to = end < s.n ? end + 1 : end;
	return true;
}

/* Find `{% endraw %}` at or behind `from`: its extent. False when there is none. */
static bool find_endraw(struct str s, size_t from, size_t *begin, size_t *end)
{
	for (size_t at = from;; at = *end) {
		at += str_search(str_slice(s, at, s.n), STR("endraw"));
		if (at >= s.n)
			return false;
		for (*begin = at; *begin > from && s.p[*begin - 1] == ' ';)
			--*begin;
		for (*end = at + 6; *end < s.n && s.p[*end] == ' ';)
			++*end;
		if (*begin >= from + 2 && str_has_suffix(str_slice(s, from, *begin), STR("{%")) &&
			str_has_prefix(str_slice(s, *end, s.n), STR("%}"))) {
			*begin -= 2;
			*end += 2;
			return true;
		}
	}
}

static int expand_raw(struct expansion *x)
{
	size_t begin, end;

	if (!find_endraw(x->in->text, x->at, &begin, &end))
		return err_set(x->e, ERR_INPUT,
			"%s:%zu: '{%% raw %%}' is not closed by '{%% endraw %%}'", x->in->file,
			x->line);
	put_text(x, begin);
	x->at = end;
	return 0;
}

/* The tag that starts at `x->at`. */
static int expand_tag(struct expansion *x)
{
	struct str s = x->in->text;
	struct liquid_tag tag;
	size_t begin = x->at, end;
	int rc = 0;

	if (liquid_tag_read(str_slice(s, x->at, s.n), x->in->file, x->line, &tag, x->e) < 0)
		return -1;
	end = x->at + tag.n;
	if (tag.kind != TAG_VALUE && !x->in->keep_lines && alone_on_line(s, &begin, &end) &&
		x->live && !x->out->over)
		x->out->n -= x->at - begin;
	if (tag.kind == TAG_VALUE)
		rc = expand_value(x, &tag);
	else if (tag.kind == TAG_IF || tag.kind == TAG_UNLESS)
		rc = expand_if(x, &tag);
	else if (tag.kind != TAG_RAW)
		rc = expand_rest(x, &tag, str_slice(s, x->at, x->at + tag.n));
	if (rc < 0)
		return -1;
	for (; x->at < end; x->at++)
		x->line += s.p[x->at] == '\n';
	return tag.kind == TAG_RAW ? expand_raw(x) : 0;
}

/* Offset of the next "{{" or "{%" at or behind `at`. */
static size_t next_tag(struct str s, size_t at)
{
	for (;; at++) {
		at += str_find(str_slice(s, at, s.n), '{');
		if (at + 1 >= s.n)
			return s.n;
		if (s.p[at + 1] == '{' || s.p[at + 1] == '%')
			return at;
	}
}

int liquid_expand(struct arena *a, const struct liquid_source *in, const struct liquid_scope *scope,
	void (*escape)(struct buf *, struct str), struct liquid_slots *slots, struct buf *out,
	struct err *e)
{
	struct expansion x = {.a = a,
		.in = in,
		.scope = scope,
		.escape = escape,
		.slots = slots,
		.out = out,
		.e = e,
		.line = in->line,
		.live = true};

	while (x.at < in->text.n) {
		put_text(&x, next_tag(in->text, x.at));
		if (x.at < in->text.n && expand_tag(&x) < 0)
			return -1;
	}
	if (x.depth)
		return err_set(e, ERR_INPUT,
			"%s:%zu: this condition is not closed by '{%% endif %%}'", in->file,
			x.frame[x.depth - 1].line);
	return 0;
}
