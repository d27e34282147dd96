/* SPDX-License-Identifier: MIT */
#include "compose_check.h"

#include "base/enc.h"

#include <string.h>

/* ---- conditions ---- */

/* A condition that is open: where, told by an address that no other place has. */
struct open {
	const void *place;
	const struct liquid_slot *slot;
};

enum { OPEN_MAX = 4 };

struct conditions {
	struct compose *c;
	struct open open[OPEN_MAX];
	int n;
};

enum liquid_op check_op(const struct compose *c, struct str text)
{
	enum liquid_context context;
	struct str before;
	int slot = liquid_next_mark(&text, &before, &context);

	return slot < 0 ? LIQUID_VALUE : c->out->slots.slot[slot].op;
}

static int check_marks(struct conditions *k, struct str text, const void *place)
{
	static const char *const tags[] = {
		[LIQUID_ELSIF] = "elsif", [LIQUID_ELSE] = "else", [LIQUID_ENDIF] = "endif"};
	enum liquid_context context;
	struct str before;
	int index;

	while ((index = liquid_next_mark(&text, &before, &context)) >= 0) {
		const struct liquid_slot *slot = &k->c->out->slots.slot[index];
		const struct open *open = k->n ? &k->open[k->n - 1] : NULL;

		if (slot->op == LIQUID_VALUE)
			continue;
		if (slot->op == LIQUID_IF && k->n < OPEN_MAX) {
			k->open[k->n++] = (struct open){place, slot};
			continue;
		}
		if (!open || open->place != place)
			return err_set(k->c->e, ERR_INPUT,
				"%s:%zu: this '{%% %s %%}' and its '{%% if %%}' on line %zu stand "
				"in different paragraphs, list items, containers or spans, put "
				"both "
				"into the same one or on lines of their own",
				slot->file, slot->line, tags[slot->op],
				open ? open->slot->line : slot->line);
		k->n -= slot->op == LIQUID_ENDIF;
	}
	return 0;
}

static int walk_conditions(struct conditions *k, const struct md_node *n)
{
	bool in_parent = n->kind == MD_TEXT || n->kind == MD_CONTROL;

	if (check_marks(k, n->text, in_parent ? (const void *)n->parent : &n->text) < 0 ||
		check_marks(k, n->href, &n->href) < 0 || check_marks(k, n->title, &n->title) < 0)
		return -1;
	for (const struct md_node *child = n->first; child; child = child->next)
		if (walk_conditions(k, child) < 0)
			return -1;
	return 0;
}

int check_conditions(struct compose *c, struct md_node *document)
{
	struct conditions k = {.c = c};

	if (walk_conditions(&k, document) < 0)
		return -1;
	if (k.n)
		return err_set(c->e, ERR_INPUT,
			"%s:%zu: the '{%% endif %%}' of this condition stands where it is not "
			"drawn",
			k.open[0].slot->file, k.open[0].slot->line);
	return 0;
}

/* ---- links ---- */

/* How an address may start. */
static const struct {
	const char *scheme;
	bool image; /* an image may come from there */
} schemes[] = {
	{"https://", true},
	{"cid:image", true},
	{"http://", true},
	{"mailto:", false},
	{"tel:", false},
};

/* Whether the address starts with a mark that is a whole URL. */
static bool starts_whole(struct compose *c, struct str href)
{
	enum liquid_context context;
	struct str before;
	const struct liquid_slot *slot;
	int index;

	while ((index = liquid_next_mark(&href, &before, &context)) >= 0 && !before.n) {
		slot = &c->out->slots.slot[index];
		if (slot->op == LIQUID_VALUE)
			return compose_whole_url(c->out->slots.vars[slot->var]);
	}
	return false;
}

static int check_address(struct compose *c, const struct md_node *n)
{
	struct str plain = compose_unmarked(c->a, n->href);

	if (starts_whole(c, n->href))
		return 0;
	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++)
		if (str_has_prefix_nocase(plain, str_of(schemes[i].scheme)) &&
			n->href.n > strlen(schemes[i].scheme) &&
			(n->kind != MD_IMAGE || schemes[i].image)) {
			if (str_eq(str_of(schemes[i].scheme), STR("http://")))
				compose_warn(c, n->line, "insecure-link",
					"this address starts with http://, use https://");
			return 0;
		}
	if (n->kind == MD_IMAGE)
		return err_set(c->e, ERR_INPUT,
			"%s:%zu: the image '%.*s' must be given by its whole address, https://…",
			c->in->issue->file, n->line, STR_ARG(plain));
	return err_set(c->e, ERR_INPUT,
		"%s:%zu: the link '%.*s' must start with https://, http://, mailto: or tel:",
		c->in->issue->file, n->line, STR_ARG(plain));
}

/* The address with everything percent-encoded that a URI cannot hold; marks stay. */
static struct str as_uri(struct compose *c, struct str href)
{
	struct buf out;
	struct str before, result;
	enum liquid_context context;
	int slot;

	buf_init(&out, 3 * href.n + 16);
	do {
		slot = liquid_next_mark(&href, &before, &context);
		for (size_t i = 0; i < before.n; i++) {
			unsigned char o = (unsigned char)before.p[i];

			if (o <= ' ' || o >= 0x7f || strchr("\"<>\\^`{|}", o))
				buf_printf(&out, "%%%02X", o);
			else
				buf_char(&out, (char)o);
		}
		if (slot >= 0)
			liquid_mark(&out, context, slot);
	} while (slot >= 0);
	result = arena_str(c->a, buf_view(&out));
	buf_free(&out);
	return result;
}

/* Whether links to the host of `href` are to be counted by the site that they lead to. */
static bool is_counted(const struct compose *c, struct str href)
{
	struct str hosts = c->in->sender->utm_hosts, host, one;
	size_t at = str_search(href, STR("://")), n = 0;

	host = at < href.n ? str_slice(href, at + 3, href.n) : STR("");
	while (n < host.n && !strchr("/?#:", host.p[n]))
		n++;
	host = str_slice(host, 0, n);
	while (host.n && str_next(&hosts, '|', &one))
		if (str_eq_nocase(str_trim(one), host))
			return true;
	return false;
}

/* `href` with UTM parameters in front of its fragment, where it has none of its own. */
static struct str with_utm(struct compose *c, struct str href)
{
	const struct compile_sender *sender = c->in->sender;
	const struct issue_source *issue = c->in->issue;
	size_t end = str_find(href, '#');
	struct buf out;
	struct str result;

	if (!sender->utm_source.n || !is_counted(c, href) || str_search(href, STR("utm_")) < href.n)
		return href;
	buf_init(&out, COMPOSE_MAX);
	buf_str(&out, str_slice(href, 0, end));
	buf_cstr(&out, str_find(href, '?') < end ? "&utm_source=" : "?utm_source=");
	enc_url(&out, sender->utm_source);
	buf_cstr(&out, "&utm_medium=");
	enc_url(&out, sender->utm_medium);
	buf_cstr(&out, "&utm_campaign=");
	enc_url(&out, issue->utm_campaign.n ? issue->utm_campaign : issue->slug);
	buf_str(&out, str_slice(href, end, href.n));
	result = arena_str(c->a, buf_view(&out));
	buf_free(&out);
	return result;
}

static bool has_words(const struct md_node *n)
{
	struct buf words;
	bool yes;

	buf_init(&words, COMPOSE_MAX);
	compose_words(n, true, &words);
	yes = str_trim(buf_view(&words)).n > 0;
	buf_free(&words);
	return yes;
}

int check_links(struct compose *c, struct md_node *n)
{
	bool link = n->kind == MD_LINK || n->kind == MD_IMAGE || (n->kind == MD_ITEM && n->href.n);

	if (link && check_address(c, n) < 0)
		return -1;
	if (link)
		n->href = as_uri(c, n->href);
	if (link && n->kind != MD_IMAGE)
		n->href = with_utm(c, n->href);
	if (n->button && !n->look)
		return err_set(c->e, ERR_INPUT,
			"%s:%zu: a {.button} needs a paragraph of its own, put blank lines around "
			"it",
			c->in->issue->file, n->line);
	if (n->kind == MD_IMAGE && !n->decorative && !has_words(n))
		compose_warn(c, n->line, "image-without-alt",
			"describe the image in its square brackets for readers who do not see it, "
			"or "
			"say {.decorative} behind it");
	if (n->kind == MD_HEADING && n->level == 1)
		compose_warn(c, n->line, "top-heading",
			"the subject is the title, start sections with '##'");
	for (struct md_node *child = n->first; child; child = child->next)
		if (check_links(c, child) < 0)
			return -1;
	return 0;
}
