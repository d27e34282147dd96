/* SPDX-License-Identifier: MIT */
#include "seen.h"

#include <stdlib.h>

enum { SIZE_FIRST = 1024 };

/* FNV-1a, its octets mixed at the end (the finaliser of MurmurHash3); never 0. */
static uint64_t hash_of(struct str key)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < key.n; i++)
		h = (h ^ (unsigned char)key.p[i]) * UINT64_C(0x100000001b3);
	h = (h ^ h >> 33) * UINT64_C(0xff51afd7ed558ccd);
	h = (h ^ h >> 33) * UINT64_C(0xc4ceb9fe1a85ec53);
	h ^= h >> 33;
	return h ? h : 1;
}

/* Where `h` is, or belongs. */
static uint64_t *place_of(const struct seen *s, uint64_t h)
{
	size_t at = h & (s->size - 1);

	while (s->slot[at] && s->slot[at] != h)
		at = (at + 1) & (s->size - 1);
	return &s->slot[at];
}

static int grow(struct seen *s)
{
	struct seen larger = {.size = s->size ? 2 * s->size : SIZE_FIRST, .n = s->n};

	larger.slot = calloc(larger.size, sizeof *larger.slot);
	if (!larger.slot)
		return -1;
	for (size_t at = 0; at < s->size; at++)
		if (s->slot[at])
			*place_of(&larger, s->slot[at]) = s->slot[at];
	free(s->slot);
	*s = larger;
	return 0;
}

int seen_add(struct seen *s, struct str key)
{
	uint64_t h = hash_of(key), *place;

	if (s->n >= s->size - s->size / 4 && grow(s) < 0)
		return -1;
	place = place_of(s, h);
	if (*place)
		return 0;
	*place = h;
	s->n++;
	return 1;
}

void seen_free(struct seen *s)
{
	free(s->slot);
	*s = (struct seen){0};
}
