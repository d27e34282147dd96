/* SPDX-License-Identifier: MIT */
#ifndef SRC_APP_CONFIG_FILE_H
#define SRC_APP_CONFIG_FILE_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The grammar of lettermill.conf: libconfuse takes the file apart by a table of blocks and keys, and
 * what comes out is text with its line. What the text means is the business of config.c.
 */
enum config_type {
	CONFIG_TEXT, /* any printable text of min to max octets */
	CONFIG_NAME, /* min to max of a-z A-Z 0-9 . _ - */
	CONFIG_HOST, /* name or IP address */
	CONFIG_DOMAIN, /* mail domain; kept as A-labels */
	CONFIG_MAILBOX, /* user@host or Name <user@host> */
	CONFIG_URL, /* https://…; http:// only for this machine */
	CONFIG_MAIL_URL, /* imaps://, imap://, pop3s://, pop3:// */
	CONFIG_PATH, /* relative to the file's folder */
	CONFIG_NUMBER, /* min to max */
	CONFIG_DURATION, /* min to max seconds, written as 90s, 30m, 72h, 3d */
	CONFIG_GROWTH, /* "200 +50%": a struct pace_growth */
	CONFIG_TIMES, /* now, never, or N in DURATION: a struct policy_line */
	CONFIG_CHOICE, /* one of `choice`; kept as its index */
};

struct config_key {
	const char *name;
	enum config_type type;
	size_t at, size; /* of the field in the block's struct; the size tells how it is kept */
	const char *fallback; /* value when absent; NULL = the field stays zero */
	bool needed;
	int64_t min, max;
	const char *const *choice; /* ends with NULL */
};

struct config_block {
	const char *name; /* "" = the top level */
	const struct config_key *key;
	size_t key_n;
	bool titled; /* any number of them, each with a title of its own */
};

/* A value as it stands in the file. */
struct config_entry {
	const struct config_key *key;
	struct str value; /* NUL-terminated behind its end */
	int line;
	const void *owner; /* for config_file_parse() itself */
	struct config_entry *next;
};

/* A block as it stands in the file, or an empty one of line 0 where an untitled one is absent. */
struct config_section {
	const struct config_block *block;
	const char *title; /* NULL when untitled */
	int line; /* of its end */
	struct config_entry *entry; /* in the file's order */
	struct config_section *next;
};

/* Take `text`, the content of `path`, apart by `block[n]`, whose first is the top level. Sections come
 * in the order of `block`. ERR_CONFIG, starting "FILE:LINE: ". Everything lives in `a`. */
int config_file_parse(struct arena *a, const char *path, const char *text,
	const struct config_block *block, size_t n, struct config_section **out, struct err *e);

/* The entry of key `name`, or NULL. */
const struct config_entry *config_entry_get(const struct config_section *s, const char *name);

#endif
