/* SPDX-License-Identifier: MIT */
#include "mail/typo.h"

/* Where most private readers have their mailbox. Names that are near each other all stand here, so that none
 * of them is taken for a misspelling of another. */
static const char *const known[] = {"aol.com", "arcor.de", "att.net", "bluewin.ch", "bol.com.br",
	"btinternet.com", "comcast.net", "cox.net", "docomo.ne.jp", "earthlink.net", "email.com",
	"ezweb.ne.jp", "fastmail.com", "foxmail.com", "free.fr", "freenet.de", "gmail.com",
	"gmx.at", "gmx.ch", "gmx.com", "gmx.de", "gmx.net", "googlemail.com", "hey.com",
	"hotmail.co.uk", "hotmail.com", "hotmail.de", "hotmail.es", "hotmail.fr", "hotmail.it",
	"icloud.com", "laposte.net", "libero.it", "live.com", "live.fr", "mac.com", "mail.com",
	"mail.de", "mail.ru", "mailbox.org", "me.com", "msn.com", "naver.com", "orange.fr",
	"outlook.com", "outlook.de", "outlook.es", "outlook.fr", "outlook.jp", "pm.me", "posteo.de",
	"proton.me", "protonmail.com", "qq.com", "rocketmail.com", "sbcglobal.net", "sfr.fr",
	"sina.com", "softbank.ne.jp", "t-online.de", "telefonica.net", "terra.es", "tutanota.com",
	"uol.com.br", "verizon.net", "virgilio.it", "vodafone.de", "wanadoo.fr", "web.de",
	"xtra.co.nz", "yahoo.ca", "yahoo.co.in", "yahoo.co.jp", "yahoo.co.uk", "yahoo.com",
	"yahoo.com.br", "yahoo.de", "yahoo.es", "yahoo.fr", "yahoo.it", "yandex.com", "yandex.ru",
	"ymail.com", "zoho.com", "163.com", "126.com"};

enum { KNOWN_N = sizeof known / sizeof known[0], SHORT = 8 };

const char *typo_domain(struct str domain)
{
	const char *near = str_nearest(domain, known, KNOWN_N);

	for (size_t i = 0; i < KNOWN_N; i++)
		if (str_eq_nocase(domain, str_of(known[i])))
			return NULL;
	/* Short names are near many others: there the length and the first letter must be right. */
	if (!near ||
		(str_of(near).n <= SHORT && (near[0] != domain.p[0] || str_of(near).n != domain.n)))
		return NULL;
	return near;
}
