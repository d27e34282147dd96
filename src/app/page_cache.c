/* SPDX-License-Identifier: MIT */
#include "page_cache.h"

bool page_cache_get(struct page_cache *c, struct str key, int64_t now_ms, struct http_reply *out)
{
	for (size_t i = 0; i < PAGE_CACHE_N; i++) {
		const struct page_cached *entry = &c->entry[i];
		struct buf body = out->body;

		if (entry->until_ms <= now_ms || !str_eq(entry->key, key))
			continue;
		*out = entry->reply;
		out->body = body;
		buf_str(&out->body, entry->body);
		return true;
	}
	return false;
}

void page_cache_put(
	struct page_cache *c, struct str key, int64_t now_ms, const struct http_reply *reply)
{
	struct page_cached *oldest = &c->entry[0];

	if (reply->body.over || reply->body.n > PAGE_CACHE_LARGEST)
		return;
	for (size_t i = 1; i < PAGE_CACHE_N; i++)
		if (c->entry[i].until_ms < oldest->until_ms)
			oldest = &c->entry[i];
	arena_free(&oldest->arena);
	oldest->key = arena_str(&oldest->arena, key);
	oldest->until_ms = now_ms + PAGE_CACHE_MS;
	oldest->body = arena_str(&oldest->arena, buf_view(&reply->body));
	oldest->reply = *reply;
	oldest->reply.body = (struct buf){0};
	for (size_t i = 0; i < reply->header_n; i++) {
		oldest->reply.header[i].name =
			arena_cstr(&oldest->arena, str_of(reply->header[i].name));
		oldest->reply.header[i].value =
			arena_cstr(&oldest->arena, str_of(reply->header[i].value));
	}
}

void page_cache_free(struct page_cache *c)
{
	for (size_t i = 0; i < PAGE_CACHE_N; i++)
		arena_free(&c->entry[i].arena);
}
