/* SPDX-License-Identifier: MIT */
#ifndef APP_EXPORT_H
#define APP_EXPORT_H

#include "app/site.h"
#include "store/export.h"

/*
 * The people of a list as a file that `import` takes back, into an empty site without loss.
 *
 * CSV (RFC 4180, UTF-8, CRLF): email, first_name, last_name, status, suppressed (the reason),
 * created_at, then one column an attribute. One that has other values than texts, or a name that would be
 * understood otherwise, is called NAME:json, and its cells are JSON. A cell that a spreadsheet would take for a
 * formula gets an apostrophe in front, and the column `escaped` of its row says so; not with `raw`.
 *
 * NDJSON: one object a line with the same names, the attributes in `attributes`.
 */
struct export_options {
	struct export_query query;
	bool ndjson, raw;
	/* Takes the next octets of the file. Returns -1 with `e` set to end it. */
	int (*write)(void *user, struct str octets, struct err *e);
	void *user;
};
int export_file(struct site *s, const struct export_options *options, int64_t *rows, struct err *e);

#endif
