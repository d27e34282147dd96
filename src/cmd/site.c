/* SPDX-License-Identifier: MIT */
#include "base/log.h"
#include "cmd.h"
#include "mail/addr.h"
#include "store/people.h"

int cmd_site(struct cmd *c, struct site *s, struct err *e)
{
	if (c->verbose)
		log_set_level(LOG_LEVEL_INFO);
	return site_open(s, NULL, c->config, e);
}

int cmd_subscriber(struct cmd *c, struct site *s, const char *address, struct addr *addr,
	struct subscriber *out, struct err *e)
{
	struct err why = {0};

	if (addr_parse_as(&c->arena, str_of(address), ADDR_QUOTED, addr, e) < 0 ||
		subscriber_respell(s->store, &c->arena, &addr->key, e) < 0)
		return -1;
	if (subscriber_get(s->store, addr->key, &c->arena, out, &why) == 0) {
		addr->email = out->email;
		return 0;
	}
	if (why.code == ERR_MISSING)
		return err_set(e, ERR_MISSING,
			"nobody with the address '%s' is known: 'lettermill subscriber find' "
			"looks for parts of one",
			address);
	return err_set(e, why.code, "%s", why.text);
}
