/* SPDX-License-Identifier: MIT */
#ifndef COMPOSE_CHECK_H
#define COMPOSE_CHECK_H

#include "compose.h"

/* What the one mark in `text` does; VALUE where there is none. */
enum liquid_op check_op(const struct compose *c, struct str text);

/* Every condition must open and close in the same container, paragraph or span, so that each branch is
 * whole in HTML and in text. ERR_INPUT. */
int check_conditions(struct compose *c, struct md_node *document);

/* Every link and image needs an address that works in a mail, a button a paragraph of its own; write the
 * addresses as URIs (RFC 3986 section 2). ERR_INPUT; warnings for what is only unwise. */
int check_links(struct compose *c, struct md_node *n);

#endif
