/* SPDX-License-Identifier: MIT */
#include "mail/role.h"

#include <string.h>

/* In the order of bytes. */
static const char *const roles[] = {"abuse", "accounting", "accounts", "admin", "administrator",
	"all", "billing", "bookings", "buchhaltung", "careers", "compliance", "contact",
	"contact-us", "contato", "do-not-reply", "donotreply", "editor", "enquiries", "everyone",
	"feedback", "finance", "ftp", "hello", "help", "helpdesk", "hostmaster", "hr", "info",
	"inquiries", "jobs", "kontakt", "legal", "list", "mail", "mailer-daemon", "marketing",
	"media", "news", "newsletter", "no-reply", "noc", "noreply", "office", "orders", "phish",
	"phishing", "postmaster", "presse", "privacy", "reception", "redaktion", "registrar",
	"root", "sales", "secretary", "security", "service", "spam", "staff", "subscribe",
	"support", "sysadmin", "team", "tech", "undisclosed-recipients", "unsubscribe", "usenet",
	"uucp", "vertrieb", "webmaster", "www"};

enum { ROLE_MAX = 24 };

bool role_local(struct str local)
{
	size_t low = 0, high = sizeof roles / sizeof *roles, plus = str_find(local, '+');
	char text[ROLE_MAX];
	struct str name;

	local = str_slice(local, 0, plus);
	if (!local.n || local.n > ROLE_MAX)
		return false;
	for (size_t i = 0; i < local.n; i++)
		text[i] = local.p[i] >= 'A' && local.p[i] <= 'Z' ? (char)(local.p[i] | 0x20)
								 : local.p[i];
	name = (struct str){text, local.n};
	while (low < high) {
		size_t middle = (low + high) / 2;
		int order = str_cmp(name, str_of(roles[middle]));

		if (order == 0)
			return true;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return false;
}
