/* SPDX-License-Identifier: MIT */
#ifndef SRC_APP_CONFIG_VALUE_H
#define SRC_APP_CONFIG_VALUE_H

#include "config_file.h"

/* Check the text `value` by key->type and write it to its place in `block`, memory from `a`, relative
 * paths made to begin with `folder`. ERR_CONFIG: what is wrong and what would be right, without FILE:LINE. */
int config_value_set(struct arena *a, const char *folder, const struct config_key *key,
	struct str value, void *block, struct err *e);

/* Whether `host` is this machine: localhost, 127.0.0.0/8, ::1. */
bool config_is_loopback(struct str host);

#endif
