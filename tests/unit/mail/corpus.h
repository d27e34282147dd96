/* SPDX-License-Identifier: MIT */
#ifndef TESTS_CORPUS_H
#define TESTS_CORPUS_H

#include "base/buf.h"
#include "base/file.h"

#include <stdio.h>
#include <stdlib.h>

#include <jansson.h>

/* Read `name` of the corpus beside the repository into `out`. False, with a word about it, where the
 * corpus is absent. */
static inline bool corpus_read(const char *name, struct buf *out)
{
	const char *dir = getenv("LETTERMILL_CORPUS");
	char path[512];

	snprintf(path, sizeof path, "%s/%s", dir ? dir : "../shared/corpus", name);
	if (file_read(path, out, NULL) == 0)
		return true;
	printf("# skipped: no %s\n", path);
	return false;
}

/* Decode one JSON string of a corpus table into `out`. */
static inline void corpus_json(struct str json, struct buf *out)
{
	json_t *v = json_loadb(json.p, json.n, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);

	buf_reset(out);
	buf_add(out, json_string_value(v), json_string_length(v));
	json_decref(v);
}

#endif
