/* SPDX-License-Identifier: MIT */
#include "mail/addr.h"

#include <idn2.h>
#include <stdlib.h>
#include <string.h>
#include <unictype.h>
#include <uninorm.h>

enum { LABEL_MAX = 63, TEXT_MAX = 1000, DISPLAY_MAX = 255 };

/* What an octet may be. */
enum {
	ATEXT = 1, /* of an atom (RFC 5322 section 3.2.3) */
	LDH = 2, /* of a label: letter, digit, hyphen (RFC 5321 section 4.1.2) */
	DIGIT = 4,
};

static const unsigned char class_of[256] = {
	['0' ... '9'] = ATEXT | LDH | DIGIT,
	['A' ... 'Z'] = ATEXT | LDH,
	['a' ... 'z'] = ATEXT | LDH,
	['-'] = ATEXT | LDH,
	['!'] = ATEXT,
	['#' ... '\''] = ATEXT, /* # $ % & ' */
	['*'] = ATEXT,
	['+'] = ATEXT,
	['/'] = ATEXT,
	['='] = ATEXT,
	['?'] = ATEXT,
	['^' ... '`'] = ATEXT, /* ^ _ ` */
	['{' ... '~'] = ATEXT, /* { | } ~ */
};

static const char too_long[] = "more than 64 octets stand before the '@'";

static unsigned class_at(struct str s, size_t i)
{
	return class_of[(unsigned char)s.p[i]];
}

/* What is wrong with a local part, which may hold UTF-8; NULL when nothing is. */
static const char *local_fault(struct str local, bool *utf8)
{
	size_t last_dot = (size_t)-1; /* as if one stood in front */

	*utf8 = false;
	if (local.n == 0)
		return "nothing stands before the '@'";
	if (local.n > ADDR_LOCAL_MAX)
		return too_long;
	for (size_t i = 0; i < local.n; i++) {
		unsigned char c = (unsigned char)local.p[i];

		if (class_of[c] & ATEXT)
			continue;
		if (c >= 0x80) {
			*utf8 = true;
		} else if (c == '.') {
			if (i == last_dot + 1)
				return "a dot may not come first before the '@', nor after another";
			last_dot = i;
		} else if (c == '"') {
			return "quotes stand before the '@', which only quoted_local_parts = yes "
			       "allows";
		} else {
			return "a character before the '@' is not allowed there";
		}
	}
	return last_dot + 1 == local.n ? "a dot may not come right before the '@'" : NULL;
}

size_t addr_quoted(struct str s)
{
	size_t i = 1;

	if (s.n == 0 || s.p[0] != '"')
		return 0;
	while (i < s.n && s.p[i] != '"')
		i += s.p[i] == '\\' ? 2 : 1;
	return i < s.n ? i + 1 : 0;
}

struct str addr_domain(struct str email)
{
	const char *at = email.n ? memrchr(email.p, '@', email.n) : NULL;

	return at ? str_slice(email, (size_t)(at - email.p) + 1, email.n) : STR("");
}

/* The content of a Quoted-string, without backslashes, in `plain`. What is wrong with it; NULL when
 * nothing is. */
static const char *unquote_local(struct str local, char plain[ADDR_LOCAL_MAX], size_t *n)
{
	for (size_t i = *n = 0; ++i + 1 < local.n;) {
		bool pair = local.p[i] == '\\';
		unsigned char c = (unsigned char)local.p[i += pair];

		if (c < ' ' || c == 0x7f || (pair && c >= 0x80))
			return "a character in the quotes is not allowed there";
		plain[(*n)++] = (char)c;
	}
	return NULL;
}

/* Bring a Quoted-string to the spelling that has the fewest quotes and backslashes (RFC 5321 section
 * 4.1.2), in `room`. What is wrong with it; NULL when nothing is. */
static const char *quoted_fault(struct str *local, char room[ADDR_LOCAL_MAX], bool *utf8)
{
	char plain[ADDR_LOCAL_MAX];
	const char *fault;
	size_t n, m = 0;

	if (local->n > ADDR_LOCAL_MAX)
		return too_long;
	if (addr_quoted(*local) != local->n)
		return "the quotes before the '@' do not end there";
	if ((fault = unquote_local(*local, plain, &n)))
		return fault;
	if (!local_fault((struct str){plain, n}, utf8)) {
		memcpy(room, plain, n);
		*local = (struct str){room, n};
		return NULL;
	}
	*utf8 = false;
	room[m++] = '"';
	for (size_t i = 0; i < n; i++) {
		if (plain[i] == '"' || plain[i] == '\\')
			room[m++] = '\\';
		*utf8 |= (unsigned char)plain[i] >= 0x80;
		room[m++] = plain[i];
	}
	room[m++] = '"';
	*local = (struct str){room, m};
	return NULL;
}

/* What is wrong with a domain of ASCII labels; NULL when nothing is. */
static const char *domain_fault(struct str domain)
{
	size_t labels = 0, start = 0;

	if (domain.n == 0)
		return "nothing stands after the '@'";
	if (domain.p[0] == '[')
		return "address literals are not mailed";
	for (;;) {
		unsigned all = DIGIT;
		size_t i = start;

		for (; i < domain.n && class_at(domain, i) & LDH; i++)
			all &= class_at(domain, i);
		if (i < domain.n && domain.p[i] != '.')
			return domain.p[i] == '@'
				       ? "it holds more than one '@'"
				       : "a character after the '@' is not allowed there";
		if (i == start)
			return "a label of the domain is empty";
		if (i - start > LABEL_MAX)
			return "a label of the domain is longer than 63 octets";
		if (domain.p[start] == '-' || domain.p[i - 1] == '-')
			return "a label of the domain starts or ends with a hyphen";
		labels++;
		if (i == domain.n) {
			if (labels == 1)
				return "the domain has no dot";
			return all ? "the domain ends with a number" : NULL;
		}
		start = i + 1;
	}
}

/* The domain's A-labels (RFC 5891, mapped by UTS 46), malloc'd; NULL with `*fault`. */
static char *domain_to_ascii(struct str domain, const char **fault)
{
	char text[TEXT_MAX + 1];
	uint8_t *ascii = NULL;
	int rc;

	memcpy(text, domain.p, domain.n);
	text[domain.n] = '\0';
	rc = idn2_lookup_u8((const uint8_t *)text, &ascii, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
	if (rc == IDN2_OK)
		return (char *)ascii;
	*fault = rc == IDN2_TOO_BIG_DOMAIN || rc == IDN2_TOO_BIG_LABEL
			 ? "the domain is too long"
			 : "the domain is no internationalised domain name";
	return NULL;
}

/* The local part in NFC, in `text`; NULL with `*fault`. */
static const char *normalise_local(
	struct str local, char text[TEXT_MAX], size_t *n, const char **fault)
{
	struct str rest;
	uint8_t *nfc;

	*n = TEXT_MAX;
	nfc = u8_normalize(UNINORM_NFC, (const uint8_t *)local.p, local.n, (uint8_t *)text, n);
	if (nfc != (uint8_t *)text) { /* grew past the buffer, or no memory */
		free(nfc);
		*fault = too_long;
		return NULL;
	}
	for (rest = (struct str){text, *n}; rest.n; rest = str_slice(rest, utf8_len(rest), rest.n))
		if (rest.p[0] != ' ' && uc_is_general_category_withtable(utf8_code_point(rest),
						UC_CATEGORY_MASK_C | UC_CATEGORY_MASK_Z)) {
			*fault = "an invisible character stands before the '@'";
			return NULL;
		}
	return text;
}

/* Put the two halves together in `a`. */
static const char *join(
	struct arena *a, struct str local, struct str domain, enum addr_rule rule, struct addr *out)
{
	bool quoted = rule == ADDR_QUOTED && local.n && local.p[0] == '"', utf8;
	const char *fault;
	char room[ADDR_LOCAL_MAX], *p;

	fault = quoted ? quoted_fault(&local, room, &utf8) : local_fault(local, &utf8);
	if (fault || (fault = domain_fault(domain)))
		return fault;
	if (local.n + 1 + domain.n > ADDR_MAX)
		return "it is longer than 254 octets";
	p = arena_alloc(a, local.n + 1 + domain.n + 1);
	memcpy(p, local.p, local.n);
	p[local.n] = '@';
	for (size_t i = 0; i < domain.n; i++) {
		char c = domain.p[i];

		p[local.n + 1 + i] = c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
	}
	out->email = out->key = (struct str){p, local.n + 1 + domain.n};
	out->local = str_slice(out->email, 0, local.n);
	out->domain = str_slice(out->email, local.n + 1, out->email.n);
	out->utf8 = utf8;
	return NULL;
}

/* The same for halves that are not ASCII. Normalisation comes first: it may yield ASCII specials. */
static const char *join_international(
	struct arena *a, struct str local, struct str domain, enum addr_rule rule, struct addr *out)
{
	char text[TEXT_MAX], *ascii = NULL;
	const char *fault = NULL;
	size_t n;

	if (memchr(local.p, '\0', local.n) || memchr(domain.p, '\0', domain.n))
		return "it holds a NUL";
	if (!normalise_local(local, text, &n, &fault) || !(ascii = domain_to_ascii(domain, &fault)))
		return fault;
	fault = join(a, (struct str){text, n}, str_of(ascii), rule, out);
	idn2_free(ascii);
	return fault;
}

static const char *parse(struct arena *a, struct str text, enum addr_rule rule, struct addr *out)
{
	size_t quoted = rule == ADDR_QUOTED ? addr_quoted(text) : 0, foreign = 0;
	size_t at = quoted + str_find(str_slice(text, quoted, text.n), '@');
	struct str local = str_slice(text, 0, at), domain = str_slice(text, at + 1, text.n);

	if (text.n == 0)
		return "it is empty";
	if (text.n > TEXT_MAX)
		return "it is longer than 254 octets";
	if (at == text.n)
		return "it has no '@'";
	for (size_t i = 0; i < text.n; i++)
		foreign |= (unsigned char)text.p[i] & 0x80;
	if (!foreign)
		return join(a, local, domain, rule, out);
	if (utf8_invalid_at(text) != text.n)
		return "it is not valid UTF-8";
	return join_international(a, local, domain, rule, out);
}

/* Without the blanks at both ends. Line ends stay and are refused: where they come from a file, the
 * file was cut up wrongly. */
static struct str trim_blanks(struct str s)
{
	while (s.n && (s.p[0] == ' ' || s.p[0] == '\t'))
		s = str_slice(s, 1, s.n);
	while (s.n && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
		s.n--;
	return s;
}

int addr_parse_as(
	struct arena *a, struct str text, enum addr_rule rule, struct addr *out, struct err *e)
{
	struct addr addr = {0};
	const char *fault;

	text = trim_blanks(text);
	fault = parse(a, text, rule, &addr);
	if (fault)
		return err_set(e, ERR_INPUT, "'%.*s' is not an address: %s",
			STR_ARG(str_slice(text, 0, utf8_prefix(text, 100))), fault);
	*out = addr;
	return 0;
}

int addr_parse(struct arena *a, struct str text, struct addr *out, struct err *e)
{
	return addr_parse_as(a, text, ADDR_PLAIN, out, e);
}

/* Read the quoted string that starts `*rest` (RFC 5322 section 3.2.4) into `name`, which has room for
 * all of it. False when it does not end. */
static bool unquote(struct str *rest, char *name, size_t *n)
{
	size_t i = 1;

	for (*n = 0; i < rest->n && rest->p[i] != '"'; i++) {
		if (rest->p[i] == '\\' && i + 1 < rest->n)
			i++;
		name[(*n)++] = rest->p[i];
	}
	if (i >= rest->n)
		return false;
	*rest = str_slice(*rest, i + 1, rest->n);
	return true;
}

/* Whether a display name may be shown: valid UTF-8 without control characters. */
static bool name_is_sound(struct str name)
{
	if (utf8_invalid_at(name) != name.n)
		return false;
	for (size_t i = 0; i < name.n; i++) {
		unsigned char c = (unsigned char)name.p[i];
		bool c1 = c == 0xc2 && (unsigned char)name.p[i + 1] < 0xa0;

		if (c < 0x20 || c == 0x7f || c1)
			return false;
	}
	return true;
}

/* Take the display name from the front of `*rest`, through `room` where it is quoted; what is wrong with
 * it, or NULL. */
static const char *take_name(struct str *rest, char room[TEXT_MAX], struct str *name)
{
	size_t angle = str_find(*rest, '<');

	*name = (struct str){0};
	if (rest->n && rest->p[0] == '"') {
		name->p = room;
		if (!unquote(rest, room, &name->n))
			return "a quote does not end";
		*rest = trim_blanks(*rest);
		if (rest->n == 0 || rest->p[0] != '<')
			return "the address belongs in angle brackets behind the name";
	} else if (angle < rest->n) {
		*name = trim_blanks(str_slice(*rest, 0, angle));
		*rest = str_slice(*rest, angle, rest->n);
		for (size_t i = 0; i < name->n; i++)
			if (strchr("()[]:;@\\,>\"", name->p[i]))
				return "a name with punctuation belongs in double quotes, and one "
				       "address is all there may be";
	}
	if (name->n > DISPLAY_MAX)
		return "the name is longer than 255 octets";
	return name_is_sound(*name) ? NULL : "the name holds control characters or invalid UTF-8";
}

/* Whether it is a bare address whose local part is quoted, and no name in quotes. */
static bool is_quoted_address(struct str text)
{
	size_t n = addr_quoted(text);

	return n && n < text.n && text.p[n] == '@';
}

int mailbox_parse_as(
	struct arena *a, struct str text, enum addr_rule rule, struct mailbox *out, struct err *e)
{
	char room[TEXT_MAX];
	struct str rest, name = {0};
	const char *fault;
	struct addr addr;

	rest = text = trim_blanks(text);
	if (text.n > TEXT_MAX)
		return err_set(e, ERR_INPUT, "a mailbox of %zu octets is too long", text.n);
	fault = is_quoted_address(rest) ? NULL : take_name(&rest, room, &name);
	if (!fault && rest.n && rest.p[0] == '<') {
		if (rest.p[rest.n - 1] == '>')
			rest = str_slice(rest, 1, rest.n - 1);
		else
			fault = "it does not end with the '>' of its address";
	}
	if (fault)
		return err_set(e, ERR_INPUT, "'%.*s' is not a mailbox: %s", STR_ARG(text), fault);
	if (addr_parse_as(a, rest, rule, &addr, e) < 0)
		return -1;
	out->name = arena_str(a, name);
	out->addr = addr;
	return 0;
}

int mailbox_parse(struct arena *a, struct str text, struct mailbox *out, struct err *e)
{
	return mailbox_parse_as(a, text, ADDR_PLAIN, out, e);
}
