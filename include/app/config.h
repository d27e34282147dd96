/* SPDX-License-Identifier: MIT */
#ifndef APP_CONFIG_H
#define APP_CONFIG_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"
#include "mail/addr.h"
#include "mail/pacer.h"
#include "mail/policy.h"
#include "net/mailbox.h"
#include "net/transport.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * lettermill.conf (libconfuse), read once and never changed: see lettermill.conf(5), which
 * documents every key, as does the file that `init` writes. Paths in it are relative to its own
 * folder.
 */
struct config_relay {
	struct relay relay; /* `password` is filled by config_relay_secrets() */
	const char *password_file; /* NULL = none */
	bool allow_plaintext; /* tls = none over the network is meant */
	struct pace_relay_limits limit;
};

struct config_dkim {
	struct str selector, domain;
	const char *key_file;
};

struct config_lane {
	struct str name; /* of a provider (mail/provider.h), or a mail domain */
	struct pace_lane_limits limit;
};

struct config {
	const char *file; /* as opened */
	const char *folder; /* where it stands; made absolute */
	const char
		*database; /* lettermill.db in `folder`; in /var/lib/NAME for a folder /etc/NAME */
	const char *media; /* folder of the images of issues, served at web.url/media/ */
	const char *templates; /* folder that overrides the built-in mail-templates */

	struct {
		struct str name, tagline, address, lang, url; /* url without a slash at its end */
		struct mailbox from, reply_to; /* reply_to.addr.email empty = none */
		struct str list_domain; /* right side of List-Id and Message-ID */
		struct str sender_id; /* last part of Feedback-ID */
		struct str accent_label, callout_label; /* "|" between several */
		bool raw_html; /* issues may hold `::: html` */
	} publication;

	struct config_relay *relay;
	size_t relay_n;

	struct config_lane *lane;
	size_t lane_n;

	struct {
		int64_t expire_after; /* seconds */
		int64_t late_after; /* seconds, 0 = never */
		bool resend_in_doubt; /* in_doubt = resend-once */
		int lease; /* seconds */
		struct str canary; /* shares of an audience that go first (mail/care.h) */
		int64_t canary_wait; /* seconds */
	} delivery;

	struct config_dkim *dkim; /* each makes a signature; none: the relay signs */
	size_t dkim_n;

	struct {
		struct str domain; /* of the envelope sender */
		struct str prefix; /* local part before the token: "b-" */
		struct str unsubscribe; /* mailbox for mail unsubscribes: local part before
					   "+TOKEN"; may be empty */
		int64_t keep; /* seconds for which what came back is kept for replay */
	} bounce;

	struct policy suppress; /* whom returned mail suppresses, after how much of it */

	struct {
		struct mailbox_account account; /* url NULL = none; `password` by
						   config_mailbox_secret() */
		const char *password_file;
	} mailbox;

	struct {
		struct str source, medium; /* empty source = links are not tagged */
		struct str hosts; /* "|" between several */
	} utm;

	struct {
		struct str url; /* where the public pages are; publication.url unless set */
		int64_t forms_per_hour; /* to subscribe, from everywhere */
		const char *metrics; /* HOST:PORT for /metrics; NULL = not served */
		const char *listen; /* HOST:PORT, behind the operator's proxy */
	} web;

	const char *token_key_file;
	const char *metrics_file; /* for Prometheus; NULL = none */
	enum addr_rule quoted_local_parts; /* of addresses that are taken in */
	struct str timezone; /* of windows, and of readers who have none */
};

/* Read `path` into `*out` (all in `a`). ERR_MISSING; ERR_CONFIG, starting "FILE:LINE: ", for an
 * unknown key (with the nearest known one), a value of the wrong type or out of range, a section
 * without a needed key. Opens no other file. */
int config_read(struct arena *a, const char *path, struct config *out, struct err *e);

/* The bytes of the secret FOLDER/NAME of the configuration: from $CREDENTIALS_DIRECTORY/NAME or
 * /FOLDER_NAME where systemd provides that file, else from `file` itself. Refuses what others may read
 * (base/file.h). In `a`. */
int config_secret(struct arena *a, const char *file, struct str *out, struct err *e);

/* Read the relays' passwords. ERR_CONFIG, ERR_DENIED. */
int config_relay_secrets(struct arena *a, struct config *c, struct err *e);

/* Read the password of the mailbox for returned mail. ERR_CONFIG where none is configured; ERR_DENIED. */
int config_mailbox_secret(struct arena *a, struct config *c, struct err *e);

/* The relay of that name, or the first for NULL. ERR_MISSING, naming the nearest; ERR_CONFIG when there
 * is none at all. */
int config_relay_get(
	const struct config *c, const char *name, const struct config_relay **out, struct err *e);

/* The limits of the lane `name`: its block's, else its provider's own. */
struct pace_lane_limits config_lane_limits(const struct config *c, struct str name);

/* The names of every key there is, by number from 0: `*block` is "" at the top level. False behind the
 * last one. */
bool config_key_name(size_t i, const char **block, const char **key);

#endif
