/* SPDX-License-Identifier: MIT */
#ifndef SRC_APP_PAGE_CACHE_H
#define SRC_APP_PAGE_CACHE_H

#include "net/http.h"

/*
 * Answers that are the same for everybody, for a moment: a thread's own, so without locks. What is asked for
 * often (the newest issue, just after it left) is made once in PAGE_CACHE_MS.
 */
enum { PAGE_CACHE_N = 32, PAGE_CACHE_MS = 2000, PAGE_CACHE_LARGEST = 1024 * 1024 };

struct page_cache {
	struct page_cached {
		struct arena arena; /* holds all of the below */
		struct str key;
		int64_t until_ms;
		struct http_reply reply;
		struct str body;
	} entry[PAGE_CACHE_N];
};

/* Answer from the cache; false where it has nothing fresh. The reply's views live until the next
 * page_cache_put(). */
bool page_cache_get(struct page_cache *c, struct str key, int64_t now_ms, struct http_reply *out);

/* Keep a copy of an answer. */
void page_cache_put(
	struct page_cache *c, struct str key, int64_t now_ms, const struct http_reply *reply);

/* Free what it holds. */
void page_cache_free(struct page_cache *c);

#endif
