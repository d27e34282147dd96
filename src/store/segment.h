/* SPDX-License-Identifier: MIT */
#ifndef SRC_STORE_SEGMENT_H
#define SRC_STORE_SEGMENT_H

#include "db.h"
#include "store/segment.h"

/* Fill a set by SQL of the form SELECT id ..., with the parameters ?1 = `list`, ?2, ... = `v`. It may read what a
 * segment needs and nothing else: ERR_DENIED. */
struct segment_value {
	enum segment_type type;
	struct str text;
	double number; /* of SEGMENT_NUMBER */
};
int segment_fill(struct store *s, struct str sql, int64_t list, const struct segment_value *v,
	size_t n, enum segment_set set, struct err *e);

/* Make the table of the sets, and the SQL functions. */
int segment_register(struct store *s);

/* Whether `id` is in a set; for AUDIENCE: only those in the first. */
#define IN_SET(set, id) "EXISTS (SELECT 1 FROM temp.segments WHERE n = " #set " AND id = " id ")"
#define IN_SEGMENT      " AND " IN_SET(0, "subscriber_id")

#endif
