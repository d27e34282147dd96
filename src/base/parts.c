/* SPDX-License-Identifier: MIT */
#include "base/parts.h"

/* A shorter text is copied: that costs less than another part. */
enum { REFERRED_MIN = 256 };

void parts_init(struct parts *p, size_t max)
{
	*p = (struct parts){0};
	buf_init(&p->made, max);
	buf_init(&p->list, SIZE_MAX);
}

void parts_free(struct parts *p)
{
	buf_free(&p->made);
	buf_free(&p->list);
	p->listed = p->n = 0;
}

void parts_reset(struct parts *p)
{
	buf_reset(&p->made);
	buf_reset(&p->list);
	p->listed = p->n = 0;
}

static void list(struct parts *p, const char *at, size_t n)
{
	const struct str part = {at, n};

	if (!n)
		return;
	if (p->made.over || n > p->made.max - p->n) {
		p->made.over = true;
		return;
	}
	buf_add(&p->list, &part, sizeof part);
	p->n += n;
}

/* What was made since the last part is one. It may move yet, so it has no address. */
static void list_made(struct parts *p)
{
	list(p, NULL, p->made.n - p->listed);
	p->listed = p->made.n;
}

void parts_refer(struct parts *p, struct str text)
{
	if (text.n < REFERRED_MIN) {
		buf_str(&p->made, text);
		return;
	}
	list_made(p);
	list(p, text.p, text.n);
}

void parts_append(struct parts *p, const struct parts *whole)
{
	const char *made = whole->made.p; /* what was made stands there in its order */
	size_t n;
	const struct str *part = parts_list(whole, &n);

	for (size_t i = 0; i < n; i++)
		if (part[i].p == made) {
			buf_str(&p->made, part[i]);
			made += part[i].n;
		} else {
			parts_refer(p, part[i]);
		}
}

void parts_end(struct parts *p)
{
	const char *made = p->made.p;
	struct str *part;
	size_t n;

	list_made(p);
	part = (struct str *)(void *)p->list.p;
	n = p->list.n / sizeof *part;
	for (size_t i = 0; i < n; i++)
		if (!part[i].p) {
			part[i].p = made;
			made += part[i].n;
		}
}

const struct str *parts_list(const struct parts *p, size_t *n)
{
	*n = p->list.n / sizeof(struct str);
	return (const struct str *)(const void *)p->list.p;
}

void parts_join(const struct parts *p, struct buf *out)
{
	size_t n;
	const struct str *part = parts_list(p, &n);

	for (size_t i = 0; i < n; i++)
		buf_str(out, part[i]);
}
