/* SPDX-License-Identifier: MIT */
#ifndef APP_SITE_H
#define APP_SITE_H

#include "app/config.h"
#include "mail/token.h"
#include "store/store.h"

/*
 * A site: a configuration, its database and its key, opened together. What every command but `init`
 * starts from.
 */
struct site {
	struct arena arena; /* lives as long as the site */
	struct config config;
	struct store *store;
	struct token_key key; /* filled by site_load_key() */
	struct token_key *old_key; /* retired ones, whose tokens are still accepted */
	size_t old_key_n;
};

/* Find lettermill.conf (`file`, else `folder`/lettermill.conf, else ./lettermill.conf, else
 * /etc/lettermill/lettermill.conf), read it and open its database. ERR_MISSING, ERR_CONFIG,
 * ERR_BUSY. */
int site_open(struct site *s, const char *folder, const char *file, struct err *e);

/* As site_open() without opening the database: for `db migrate`, `relay check`. */
int site_open_config(struct site *s, const char *folder, const char *file, struct err *e);

/* Read the key that signs tokens, and the retired ones below it in the file. ERR_DENIED, ERR_CONFIG. */
int site_load_key(struct site *s, struct err *e);

/* As token_read(), by any of the site's keys: retired ones keep the tokens of mail already sent alive. */
bool site_token_read(
	const struct site *s, enum token_purpose purpose, struct str text, struct token *out);

/* Free; a zeroed site is allowed. */
void site_close(struct site *s);

/* Make a new site in `folder` (created when missing): lettermill.conf, database, token key (0600),
 * list "daily", sample issue, templates to edit. ERR_EXISTS where one of them is there already;
 * nothing is overwritten. */
int site_init(const char *folder, struct err *e);

#endif
