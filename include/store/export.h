/* SPDX-License-Identifier: MIT */
#ifndef STORE_EXPORT_H
#define STORE_EXPORT_H

#include "store/people.h"

/* The people of a list as they go out: all of one moment, while others write. */
struct export_field {
	struct str name; /* of an attribute */
	bool plain; /* all its values are texts that are not empty, with no blank at their ends */
};
struct export_row {
	struct subscriber person;
	enum subscription_status status;
	struct str suppressed; /* the reason; empty = is not */
};
struct export_query {
	int64_t list;
	int status; /* of enum subscription_status; -1 = any */
	bool segment; /* only who is in the first set (store/segment.h) */
};

/* First `fields` gets the attributes of these people by name, then `row` each of them by id. A callback that
 * returns -1 (with `e` set) ends it. */
int export_people(struct store *s, const struct export_query *query,
	int (*fields)(void *user, const struct export_field *field, size_t n, struct err *e),
	int (*row)(void *user, const struct export_row *row, struct err *e), void *user,
	struct err *e);

#endif
