/* SPDX-License-Identifier: MIT */
#include "app/site.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/enc.h"
#include "base/file.h"
#include "base/log.h"
#include "store/import.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { OLD_KEYS_MAX = 8 };

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

/* What an import left that broke off. Who may not write here leaves it to somebody who may. */
static void recover_import(struct site *s)
{
	struct err why = {0};
	bool finished;
	int64_t id;

	if (import_recover(s->store, clock_now(), &id, &finished, &why) == 0 && id)
		log_msg(LOG_LEVEL_WARNING, "import", "import %lld had broken off: it was %s",
			(long long)id,
			finished ? "finished now" : "taken back, nothing of it is left");
}

int site_open(struct site *s, const char *folder, const char *file, struct err *e)
{
	if (site_open_config(s, folder, file, e) < 0)
		return -1;
	if (store_open(s->config.database, &s->store, e) < 0) {
		site_close(s);
		return -1;
	}
	recover_import(s);
	return 0;
}

/* One line of the key's file: 32 octets in hexadecimal, with the key's number in front where it is not 1. */
static bool key_decode(struct str line, struct token_key *key)
{
	static const char digits[] = "0123456789abcdef";
	size_t space = str_find(line, ' ');
	int64_t id = 1;

	if (space < line.n) {
		if (!str_to_int(str_slice(line, 0, space), 1, 255, &id))
			return false;
		line = str_slice(line, space + 1, line.n);
	}
	if (line.n != 2 * TOKEN_KEY_SIZE)
		return false;
	key->id = (uint8_t)id;
	for (size_t i = 0; i < line.n; i++) {
		const char *digit = line.p[i] ? strchr(digits, line.p[i]) : NULL;

		if (!digit)
			return false;
		key->key[i / 2] = (unsigned char)(key->key[i / 2] << 4 | (digit - digits));
	}
	return true;
}

int site_load_key(struct site *s, struct err *e)
{
	struct str rest, line;
	bool good;

	if (config_secret(&s->arena, s->config.token_key_file, &rest, e) < 0)
		return err_prefix(e, "token key: ");
	s->old_key = arena_array(&s->arena, OLD_KEYS_MAX, sizeof *s->old_key);
	s->old_key_n = 0;
	good = str_next(&rest, '\n', &line) && key_decode(str_trim(line), &s->key);
	while (good && str_next(&rest, '\n', &line))
		good = s->old_key_n < OLD_KEYS_MAX &&
		       key_decode(str_trim(line), &s->old_key[s->old_key_n++]);
	if (!good)
		return err_set(e, ERR_CONFIG,
			"the token key '%s' is not %d hexadecimal digits: put the file back that "
			"'lettermill init' wrote, or links in mail already sent stop working",
			s->config.token_key_file, 2 * TOKEN_KEY_SIZE);
	return 0;
}

bool site_token_read(
	const struct site *s, enum token_purpose purpose, struct str text, struct token *out)
{
	bool good = token_read(&s->key, purpose, text, out);

	for (size_t i = 0; !good && i < s->old_key_n; i++)
		good = token_read(&s->old_key[i], purpose, text, out);
	return good;
}

void site_close(struct site *s)
{
	store_close(s->store);
	explicit_bzero(&s->key, sizeof s->key);
	if (s->old_key)
		explicit_bzero(s->old_key, OLD_KEYS_MAX * sizeof *s->old_key);
	arena_free(&s->arena);
	*s = (struct site){0};
}
