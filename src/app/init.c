/* SPDX-License-Identifier: MIT */
#include "app/site.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/embed.h"
#include "base/enc.h"
#include "base/file.h"
#include "store/people.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

/* What this run has made, newest first: taken away again when it fails. */
struct made {
	const char *path;
	bool folder;
	struct made *next;
};

struct init {
	struct arena arena;
	const char *folder;
	struct made *made;
};

static void note(struct init *i, const char *path, bool folder)
{
	struct made *m = arena_alloc(&i->arena, sizeof *m);

	*m = (struct made){path, folder, i->made};
	i->made = m;
}

static void undo(const struct init *i)
{
	for (const struct made *m = i->made; m; m = m->next)
		if (m->folder)
			rmdir(m->path);
		else
			unlink(m->path);
}

/* The folder `path` and those above it, as far as they are missing. */
static int make_folders(struct init *i, const char *path, struct err *e)
{
	char *part = arena_cstr(&i->arena, str_of(path));
	char *slash = part;

	while (slash) {
		slash = strchr(slash + 1, '/');
		if (slash)
			*slash = '\0';
		if (mkdir(part, 0755) == 0)
			note(i, arena_cstr(&i->arena, str_of(part)), true);
		else if (errno != EEXIST)
			return err_sys(e, "cannot make the folder '%s'", part);
		if (slash)
			*slash = '/';
	}
	return 0;
}

/* The file `name` of the site, with the folders it needs. */
static int make_file(
	struct init *i, const char *name, struct str content, mode_t mode, struct err *e)
{
	const char *path = arena_printf(&i->arena, "%s/%s", i->folder, name);
	struct str folder = {path, (size_t)(strrchr(path, '/') - path)};

	if (make_folders(i, arena_cstr(&i->arena, folder), e) < 0 ||
		file_create(path, content, mode, e) < 0) {
		if (e && e->code == ERR_EXISTS)
			err_set(e, ERR_EXISTS,
				"there is a '%s' already: a new site is made only where nothing of "
				"it stands",
				path);
		return -1;
	}
	note(i, path, false);
	return 0;
}

static int make_key(struct init *i, struct err *e)
{
	unsigned char key[TOKEN_KEY_SIZE];
	struct buf hex;
	int rc;

	if (getrandom(key, sizeof key, 0) != (ssize_t)sizeof key)
		return err_sys(e, "cannot get random octets for the token key");
	buf_init(&hex, 2 * sizeof key + 1);
	enc_hex(&hex, (struct str){(const char *)key, sizeof key});
	buf_char(&hex, '\n');
	rc = make_file(i, "secrets/token.key", buf_view(&hex), 0600, e);
	if (rc == 0 && chmod(arena_printf(&i->arena, "%s/secrets", i->folder), 0700) < 0)
		rc = err_sys(e, "cannot close the folder 'secrets' to others");
	explicit_bzero(key, sizeof key);
	explicit_bzero(hex.p, hex.n);
	buf_free(&hex);
	return rc;
}

/* Where the configuration has it. */
static int make_database(struct init *i, struct err *e)
{
	const char *config_path = arena_printf(&i->arena, "%s/lettermill.conf", i->folder);
	struct list daily = {
		.slug = STR("daily"), .name = STR("Daily"), .double_opt_in = true, .public = true};
	struct config config;
	struct store *store;
	const char *path;
	struct str folder;
	int rc;

	if (config_read(&i->arena, config_path, &config, e) < 0)
		return -1;
	path = config.database;
	folder = (struct str){path, (size_t)(strrchr(path, '/') - path)};
	if (make_folders(i, arena_cstr(&i->arena, folder), e) < 0 ||
		store_create(path, &store, e) < 0)
		return -1;
	note(i, path, false);
	note(i, arena_printf(&i->arena, "%s-wal", path), false);
	note(i, arena_printf(&i->arena, "%s-shm", path), false);
	rc = list_add(store, &daily, clock_now(), e);
	store_close(store);
	return rc;
}

/* The built-in theme, to edit. */
static int make_templates(struct init *i, struct err *e)
{
	for (const struct embedded *f = embedded_templates; f->name; f++) {
		const char *name = arena_printf(&i->arena, "mail-templates/%s", f->name);

		if (str_has_prefix(str_of(f->name), STR("sheet/")) &&
			make_file(i, name, (struct str){f->data, f->n}, 0644, e) < 0)
			return -1;
	}
	return 0;
}

/* Samples for the proxy that does TLS for the public pages. */
static int make_proxies(struct init *i, struct err *e)
{
	return make_file(i, "proxy/Caddyfile", embedded_get(embedded_templates, "sample/Caddyfile"),
		       0644, e) < 0 ||
			       make_file(i, "proxy/nginx.conf",
				       embedded_get(embedded_templates, "sample/nginx.conf"), 0644,
				       e) < 0
		       ? -1
		       : 0;
}

int site_init(const char *folder, struct err *e)
{
	struct init i = {.folder = folder};
	struct str config = embedded_get(embedded_templates, "sample/lettermill.conf");
	struct str issue = embedded_get(embedded_templates, "sample/issue.md");
	int rc = -1;

	if (make_folders(&i, folder, e) < 0 ||
		make_file(&i, "lettermill.conf", config, 0644, e) < 0 || make_key(&i, e) < 0 ||
		make_file(&i, "issues/sample.md", issue, 0644, e) < 0 || make_proxies(&i, e) < 0 ||
		make_templates(&i, e) < 0 || make_database(&i, e) < 0)
		undo(&i);
	else
		rc = 0;
	arena_free(&i.arena);
	return rc;
}
