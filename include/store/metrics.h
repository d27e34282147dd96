/* SPDX-License-Identifier: MIT */
#ifndef STORE_METRICS_H
#define STORE_METRICS_H

#include "store/store.h"

/* One number about the site. */
struct metric {
	const char *name, *help;
	const char *label; /* NULL = has none */
	struct str value_of_label;
	int64_t value;
};

/* Give the numbers that the database knows to `each`, those of one name together. */
int metrics_each(struct store *s, int64_t now, void (*each)(void *user, const struct metric *m),
	void *user, struct err *e);

#endif
