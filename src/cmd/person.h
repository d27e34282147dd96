/* SPDX-License-Identifier: MIT */
#ifndef SRC_CMD_PERSON_H
#define SRC_CMD_PERSON_H

#include "cmd.h"
#include "mail/addr.h"
#include "store/people.h"

/* What `subscriber show` and `why` tell alike: who somebody is, lists, suppression. */
struct person {
	struct addr addr;
	bool known; /* false: only a suppression is left of them */
	struct subscriber who;
	struct subscription *subscription;
	size_t subscription_n;
	bool suppressed;
	struct str suppression; /* its reason */
	int64_t suppressed_at;
};

/* Look all of it up. ERR_MISSING for an address that is neither known nor suppressed; ERR_INPUT. */
int person_get(
	struct cmd *c, struct site *s, const char *address, struct person *out, struct err *e);

/* Print it in words, or make the members of a JSON object of it. */
void person_print(struct cmd *c, const struct person *p);
json_t *person_json(const struct person *p);

/* Only what the subscriber's own row says. */
json_t *person_row_json(const struct subscriber *who);

/* First and last name with a space between. */
const char *person_name(struct cmd *c, const struct subscriber *who);

/* `subscriber tag` (subscriber_tag.c). */
int subscriber_tag_command(struct cmd *c, struct err *e);

/* One consent as an object (consent.c). */
json_t *consent_json(struct cmd *c, const struct consent *x);

#endif
