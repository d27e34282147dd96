/* SPDX-License-Identifier: MIT */
#include "base/embed.h"

#include <string.h>

struct str embedded_get(const struct embedded *table, const char *name)
{
	for (; table->name; table++)
		if (strcmp(table->name, name) == 0)
			return (struct str){table->data, table->n};
	return (struct str){NULL, 0};
}
