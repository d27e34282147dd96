/* SPDX-License-Identifier: MIT */
#include "app/site.h"
#include "base/buf.h"
#include "base/enc.h"
#include "base/file.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The configuration to use: what was asked for, else the first of the usual places that is there. */
static const char *find_config(struct arena *a, const char *folder, const char *file, struct err *e)
{
	static const char *const usual[] = {"lettermill.conf", "/etc/lettermill/lettermill.conf"};

	if (file)
		return file;
	if (folder)
		return arena_printf(a, "%s/%s", folder, usual[0]);
	for (size_t i = 0; i < sizeof usual / sizeof usual[0]; i++)
		if (access(usual[i], F_OK) == 0)
			return usual[i];
	err_set(e, ERR_MISSING,
		"there is neither './%s' nor '%s': make a site with 'lettermill init', or name one "
		"with -C",
		usual[0], usual[1]);
	return NULL;
}

int site_open_config(struct site *s, const char *folder, const char *file, struct err *e)
{
	const char *path;

	*s = (struct site){0};
	path = find_config(&s->arena, folder, file, e);
	if (!path || config_read(&s->arena, path, &s->config, e) < 0) {
		site_close(s);
		return -1;
	}
	return 0;
}

int site_open(struct site *s, const char *folder, const char *file, struct err *e)
{
	if (site_open_config(s, folder, file, e) < 0)
		return -1;
	if (store_open(s->config.database, &s->store, e) < 0) {
		site_close(s);
		return -1;
	}
	return 0;
}

/* The key's file holds 32 octets in hexadecimal. */
static bool key_decode(struct str hex, unsigned char key[TOKEN_KEY_SIZE])
{
	static const char digits[] = "0123456789abcdef";

	if (hex.n != 2 * TOKEN_KEY_SIZE)
		return false;
	for (size_t i = 0; i < hex.n; i++) {
		const char *digit = hex.p[i] ? strchr(digits, hex.p[i]) : NULL;

		if (!digit)
			return false;
		key[i / 2] = (unsigned char)(key[i / 2] << 4 | (digit - digits));
	}
	return true;
}

int site_load_key(struct site *s, struct err *e)
{
	struct str hex;

	if (config_secret(&s->arena, s->config.token_key_file, &hex, e) < 0)
		return err_prefix(e, "token key: ");
	s->key.id = 1;
	if (!key_decode(hex, s->key.key))
		return err_set(e, ERR_CONFIG,
			"the token key '%s' is not %d hexadecimal digits: put the file back that "
			"'lettermill init' wrote, or links in mail already sent stop working",
			s->config.token_key_file, 2 * TOKEN_KEY_SIZE);
	return 0;
}

void site_close(struct site *s)
{
	store_close(s->store);
	explicit_bzero(&s->key, sizeof s->key);
	arena_free(&s->arena);
	*s = (struct site){0};
}
