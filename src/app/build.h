/* SPDX-License-Identifier: MIT */
#ifndef SRC_APP_BUILD_H
#define SRC_APP_BUILD_H

#include "app/publish.h"

/* The steps of publish_compile() that other things than an issue's file also need. */

/* Fill p->sender from p->source, p->list and the configuration. ERR_INPUT. */
int publish_sender(const struct site *s, struct publish *p, struct err *e);

/* Compile p->source with p->sender and `theme` into p->program; `how` is that of enum publish_how. ERR_INPUT. */
int publish_build(
	struct site *s, struct publish *p, const struct theme *theme, unsigned how, struct err *e);

#endif
