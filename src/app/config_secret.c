/* SPDX-License-Identifier: MIT */
#include "app/config.h"
#include "base/buf.h"
#include "base/file.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SECRET_MAX = 64 * 1024 };

/* The credential of the secret `file`: systemd names it NAME when it is given alone, and FOLDER_NAME
 * when it loads the whole folder. NULL where neither is there. */
static const char *credential(struct arena *a, const char *file)
{
	const char *credentials = getenv("CREDENTIALS_DIRECTORY"), *name = file, *folder = file;
	const char *path;

	if (!credentials)
		return NULL;
	for (const char *p = file; *p; p++)
		if (*p == '/') {
			folder = name;
			name = p + 1;
		}
	path = arena_printf(a, "%s/%s", credentials, name);
	if (access(path, F_OK) < 0)
		path = arena_printf(a, "%s/%.*s_%s", credentials,
			name == file ? 0 : (int)(name - folder - 1), folder, name);
	return access(path, F_OK) < 0 ? NULL : path;
}

int config_secret(struct arena *a, const char *file, struct str *out, struct err *e)
{
	const char *path = credential(a, file);
	struct buf secret;
	int rc;

	buf_init(&secret, SECRET_MAX);
	rc = file_read_secret(path ? path : file, &secret, e);
	if (rc == 0)
		*out = arena_str(a, buf_view(&secret));
	if (secret.p)
		explicit_bzero(secret.p, secret.n);
	buf_free(&secret);
	return rc;
}

int config_relay_secrets(struct arena *a, struct config *c, struct err *e)
{
	for (size_t i = 0; i < c->relay_n; i++) {
		struct config_relay *r = &c->relay[i];
		struct str password;

		if (!r->password_file || r->relay.password)
			continue;
		if (config_secret(a, r->password_file, &password, e) < 0)
			return err_prefix(e, "password of relay '%s': ", r->relay.name);
		r->relay.password = password.p;
	}
	return 0;
}

int config_mailbox_secret(struct arena *a, struct config *c, struct err *e)
{
	struct str password;

	if (!c->mailbox.account.url)
		return err_set(e, ERR_CONFIG,
			"%s: no mailbox is configured: add mailbox { url = \"imaps://…\" }",
			c->file);
	if (config_secret(a, c->mailbox.password_file, &password, e) < 0)
		return err_prefix(e, "password of the mailbox: ");
	c->mailbox.account.password = password.p;
	return 0;
}
