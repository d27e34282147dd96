/* SPDX-License-Identifier: MIT */
#include "seen.h"

#include <stdlib.h>

enum { SIZE_FIRST = 16 };

/* FNV-1a of the address whatever the case of its letters, its octets mixed at the end (the finaliser of MurmurHash3);
 * never 0. */
static uint64_t hash_of(struct str key)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < key.n; i++) {
		unsigned char c = (unsigned char)key.p[i];

		c += c >= 'A' && c <= 'Z' ? 'a' - 'A' : 0;
		h = (h ^ c) * UINT64_C(0x100000001b3);
	}
	h = (h ^ h >> 33) * UINT64_C(0xff51afd7ed558ccd);
	h = (h ^ h >> 33) * UINT64_C(0xc4ceb9fe1a85ec53);
	h ^= h >> 33;
	return h ? h : 1;
}

/* Where `h` is, or belongs. */
static uint64_t *place_of(const struct seen_part *p, uint64_t h)
{
	size_t at = h & (p->size - 1);

	while (p->slot[at] && p->slot[at] != h)
		at = (at + 1) & (p->size - 1);
	return &p->slot[at];
}

static int grow(struct seen_part *p)
{
	struct seen_part larger = {.size = p->size ? 2 * p->size : SIZE_FIRST, .n = p->n};

	larger.slot = calloc(larger.size, sizeof *larger.slot);
	if (!larger.slot)
		return -1;
	for (size_t at = 0; at < p->size; at++)
		if (p->slot[at])
			*place_of(&larger, p->slot[at]) = p->slot[at];
	free(p->slot);
	*p = larger;
	return 0;
}

int seen_add(struct seen *s, struct str key)
{
	uint64_t h = hash_of(key), *place;
	struct seen_part *p = &s->part[h >> 56];

	if (p->n >= p->size - p->size / 4 && grow(p) < 0)
		return -1;
	place = place_of(p, h);
	if (*place)
		return 0;
	*place = h;
	p->n++;
	return 1;
}

void seen_free(struct seen *s)
{
	for (size_t i = 0; i < SEEN_PARTS; i++)
		free(s->part[i].slot);
	*s = (struct seen){0};
}
