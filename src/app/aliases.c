/* SPDX-License-Identifier: MIT */
#include "format.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unicase.h>
#include <unictype.h>
#include <uninorm.h>

/* Where cells of a column say whether somebody is on the list, and not which word describes them. */
#define YES_NO                                                                                     \
	"true=subscribed|1=subscribed|yes=subscribed|false=unsubscribed|0=unsubscribed|no="        \
	"unsubscribed"
#define NO_YES                                                                                     \
	"false=subscribed|0=subscribed|no=subscribed|true=unsubscribed|1=unsubscribed|yes="        \
	"unsubscribed"

/* A mark that only some rows have. */
#define MARK(status)                                                                               \
	"=subscribed|false=subscribed|0=subscribed|no=subscribed|true=" status "|1=" status        \
	"|yes=" status "|x=" status

const char format_words[] =
	"subscribed=subscribed|active=subscribed|enabled=subscribed|"
	"confirmed=subscribed|regular=subscribed|premium=subscribed|"
	"gifted=subscribed|trialed=subscribed|churning=subscribed|"
	"cold=subscribed+cold|"
	"pending=pending|unconfirmed=pending|unactivated=pending|"
	"nonsubscribed=pending|non-subscribed=pending|needs approval=pending|"
	"unsubscribed=unsubscribed|cancelled=unsubscribed|canceled=unsubscribed|"
	"removed=unsubscribed|disabled=unsubscribed|inactive=unsubscribed|"
	"opted out=unsubscribed|opted-out=unsubscribed|"
	"bounced=bounced|cleaned=bounced|undeliverable=bounced|"
	"unreachable=bounced|complained=complained|spammy=complained|"
	"abuse=complained|suppressed=suppressed|blocklisted=suppressed|"
	"blacklisted=suppressed";

const struct format_column format_aliases[] = {
	{"Email", COLUMN_EMAIL, NULL},
	{"Email address", COLUMN_EMAIL, NULL},
	{"Mail", COLUMN_EMAIL, NULL},
	{"Mail address", COLUMN_EMAIL, NULL},
	{"Subscriber email", COLUMN_EMAIL, NULL},
	{"E-Mail-Adresse", COLUMN_EMAIL, NULL},
	{"Mailadresse", COLUMN_EMAIL, NULL},
	{"Deine E-Mail Adresse", COLUMN_EMAIL, NULL},
	{"Deine E-Mail-Adresse", COLUMN_EMAIL, NULL},
	{"Ihre E-Mail-Adresse", COLUMN_EMAIL, NULL},
	{"Courriel", COLUMN_EMAIL, NULL},
	{"Adresse e-mail", COLUMN_EMAIL, NULL},
	{"Adresse mail", COLUMN_EMAIL, NULL},
	{"Adresse électronique", COLUMN_EMAIL, NULL},
	{"Adresse de courriel", COLUMN_EMAIL, NULL},
	{"Correo", COLUMN_EMAIL, NULL},
	{"Correo electrónico", COLUMN_EMAIL, NULL},
	{"Dirección de correo electrónico", COLUMN_EMAIL, NULL},
	{"Indirizzo email", COLUMN_EMAIL, NULL},
	{"Posta elettronica", COLUMN_EMAIL, NULL},
	{"Endereço de e-mail", COLUMN_EMAIL, NULL},
	{"Correio eletrônico", COLUMN_EMAIL, NULL},
	{"Correio eletrónico", COLUMN_EMAIL, NULL},
	{"E-mailadres", COLUMN_EMAIL, NULL},
	{"E-post", COLUMN_EMAIL, NULL},
	{"E-postadress", COLUMN_EMAIL, NULL},
	{"E-postadresse", COLUMN_EMAIL, NULL},
	{"Sähköposti", COLUMN_EMAIL, NULL},
	{"Sähköpostiosoite", COLUMN_EMAIL, NULL},
	{"Adres e-mail", COLUMN_EMAIL, NULL},
	{"E-mailová adresa", COLUMN_EMAIL, NULL},
	{"E-posta", COLUMN_EMAIL, NULL},
	{"E-posta adresi", COLUMN_EMAIL, NULL},
	{"Электронная почта", COLUMN_EMAIL, NULL},
	{"Эл. почта", COLUMN_EMAIL, NULL},
	{"Адрес электронной почты", COLUMN_EMAIL, NULL},
	{"メールアドレス", COLUMN_EMAIL, NULL},
	{"Eメール", COLUMN_EMAIL, NULL},
	{"メール", COLUMN_EMAIL, NULL},
	{"电子邮件", COLUMN_EMAIL, NULL},
	{"电子邮件地址", COLUMN_EMAIL, NULL},
	{"电子邮箱", COLUMN_EMAIL, NULL},
	{"邮箱", COLUMN_EMAIL, NULL},
	{"電子郵件", COLUMN_EMAIL, NULL},
	{"이메일", COLUMN_EMAIL, NULL},
	{"이메일 주소", COLUMN_EMAIL, NULL},
	{"전자우편", COLUMN_EMAIL, NULL},

	{"First name", COLUMN_FIRST_NAME, NULL},
	{"Given name", COLUMN_FIRST_NAME, NULL},
	{"Forename", COLUMN_FIRST_NAME, NULL},
	{"FNAME", COLUMN_FIRST_NAME, NULL},
	{"Vorname", COLUMN_FIRST_NAME, NULL},
	{"Prénom", COLUMN_FIRST_NAME, NULL},
	{"Nombre", COLUMN_FIRST_NAME, NULL},
	{"Nome", COLUMN_FIRST_NAME, NULL},
	{"Voornaam", COLUMN_FIRST_NAME, NULL},
	{"Förnamn", COLUMN_FIRST_NAME, NULL},
	{"Fornavn", COLUMN_FIRST_NAME, NULL},
	{"Etunimi", COLUMN_FIRST_NAME, NULL},
	{"Imię", COLUMN_FIRST_NAME, NULL},
	{"Jméno", COLUMN_FIRST_NAME, NULL},
	{"Křestní jméno", COLUMN_FIRST_NAME, NULL},
	{"Ad", COLUMN_FIRST_NAME, NULL},
	{"Adı", COLUMN_FIRST_NAME, NULL},
	{"Имя", COLUMN_FIRST_NAME, NULL},
	{"名", COLUMN_FIRST_NAME, NULL},
	{"名字", COLUMN_FIRST_NAME, NULL},

	{"Last name", COLUMN_LAST_NAME, NULL},
	{"Surname", COLUMN_LAST_NAME, NULL},
	{"Family name", COLUMN_LAST_NAME, NULL},
	{"LNAME", COLUMN_LAST_NAME, NULL},
	{"Nachname", COLUMN_LAST_NAME, NULL},
	{"Familienname", COLUMN_LAST_NAME, NULL},
	{"Nom", COLUMN_LAST_NAME, NULL},
	{"Nom de famille", COLUMN_LAST_NAME, NULL},
	{"Apellido", COLUMN_LAST_NAME, NULL},
	{"Apellidos", COLUMN_LAST_NAME, NULL},
	{"Cognome", COLUMN_LAST_NAME, NULL},
	{"Sobrenome", COLUMN_LAST_NAME, NULL},
	{"Apelido", COLUMN_LAST_NAME, NULL},
	{"Achternaam", COLUMN_LAST_NAME, NULL},
	{"Efternamn", COLUMN_LAST_NAME, NULL},
	{"Efternavn", COLUMN_LAST_NAME, NULL},
	{"Etternavn", COLUMN_LAST_NAME, NULL},
	{"Sukunimi", COLUMN_LAST_NAME, NULL},
	{"Nazwisko", COLUMN_LAST_NAME, NULL},
	{"Příjmení", COLUMN_LAST_NAME, NULL},
	{"Soyad", COLUMN_LAST_NAME, NULL},
	{"Soyadı", COLUMN_LAST_NAME, NULL},
	{"Фамилия", COLUMN_LAST_NAME, NULL},
	{"姓", COLUMN_LAST_NAME, NULL},
	{"성", COLUMN_LAST_NAME, NULL},

	{"Name", COLUMN_NAME, NULL},
	{"Full name", COLUMN_NAME, NULL},
	{"Vollständiger Name", COLUMN_NAME, NULL},
	{"Nom complet", COLUMN_NAME, NULL},
	{"Nombre completo", COLUMN_NAME, NULL},
	{"Nome completo", COLUMN_NAME, NULL},
	{"Naam", COLUMN_NAME, NULL},
	{"Namn", COLUMN_NAME, NULL},
	{"Navn", COLUMN_NAME, NULL},
	{"Nimi", COLUMN_NAME, NULL},
	{"Imię i nazwisko", COLUMN_NAME, NULL},
	{"Jméno a příjmení", COLUMN_NAME, NULL},
	{"Ad soyad", COLUMN_NAME, NULL},
	{"ФИО", COLUMN_NAME, NULL},
	{"氏名", COLUMN_NAME, NULL},
	{"名前", COLUMN_NAME, NULL},
	{"お名前", COLUMN_NAME, NULL},
	{"姓名", COLUMN_NAME, NULL},
	{"이름", COLUMN_NAME, NULL},
	{"성명", COLUMN_NAME, NULL},

	/* Not "State", "Estado", "Stan": where people live. */
	{"Status", COLUMN_STATUS, format_words},
	{"Subscription status", COLUMN_STATUS, format_words},
	{"Subscription state", COLUMN_STATUS, format_words},
	{"Subscriber status", COLUMN_STATUS, format_words},
	{"Email status", COLUMN_STATUS, format_words},
	{"Statut", COLUMN_STATUS, format_words},
	{"Tila", COLUMN_STATUS, format_words},
	{"Stav", COLUMN_STATUS, format_words},
	{"Durum", COLUMN_STATUS, format_words},
	{"Статус", COLUMN_STATUS, format_words},
	{"ステータス", COLUMN_STATUS, format_words},
	{"状态", COLUMN_STATUS, format_words},
	{"상태", COLUMN_STATUS, format_words},
	{"Subscribed", COLUMN_STATUS, YES_NO},
	{"Unsubscribed", COLUMN_STATUS, NO_YES},
	{"Opt in", COLUMN_STATUS, YES_NO},
	{"Opted in", COLUMN_STATUS, YES_NO},
	{"Email opt in", COLUMN_STATUS, YES_NO},
	{"Accepts marketing", COLUMN_STATUS, YES_NO},
	{"Accepts email marketing", COLUMN_STATUS, YES_NO},
	{"Opt out", COLUMN_STATUS, MARK("unsubscribed")},
	{"Opted out", COLUMN_STATUS, MARK("unsubscribed")},
	{"Email opt out", COLUMN_STATUS, MARK("unsubscribed")},
	{"Do not email", COLUMN_STATUS, MARK("unsubscribed")},
	{"Do not mail", COLUMN_STATUS, MARK("unsubscribed")},
	{"Bounced", COLUMN_STATUS, MARK("bounced")},
	{"Complained", COLUMN_STATUS, MARK("complained")},
	{"Blacklisted", COLUMN_STATUS, MARK("suppressed")},
	{"Blocklisted", COLUMN_STATUS, MARK("suppressed")},
	{"Unsubscribed at", COLUMN_STATUS, "*=unsubscribed"},
	{"Bounced at", COLUMN_STATUS, "*=bounced"},

	{"Tags", COLUMN_TAGS, ",;|"},
	{"Labels", COLUMN_TAGS, ",;|"},

	{"Confirmed at", COLUMN_CONFIRMED, NULL},
	{"Confirm time", COLUMN_CONFIRMED, NULL},
	{"Subscribed at", COLUMN_SIGNED_UP, NULL},
	{"Optin time", COLUMN_SIGNED_UP, NULL},
	{"Signup date", COLUMN_SIGNED_UP, NULL},
	{"Signed up at", COLUMN_SIGNED_UP, NULL},
	{"Subscription date", COLUMN_SIGNED_UP, NULL},
	{"Created at", COLUMN_CREATED, NULL},
	{"Date added", COLUMN_CREATED, NULL},
	{"Date created", COLUMN_CREATED, NULL},
	{"Date registered", COLUMN_CREATED, NULL},
	{"Confirm IP", COLUMN_CONFIRMED_IP, NULL},
	{"Optin IP", COLUMN_IP, NULL},
	{"Signup IP", COLUMN_IP, NULL},
	{"IP address", COLUMN_IP, NULL},
	{"IP", COLUMN_IP, NULL},
};
const size_t format_aliases_n = sizeof format_aliases / sizeof *format_aliases;

/* Most headers are ASCII; nothing of it changes in a decomposition. */
static bool ascii_key(struct str header, char *key, size_t *n)
{
	*n = 0;
	for (size_t i = 0; i < header.n; i++) {
		char c = header.p[i];

		if ((unsigned char)c >= 0x80)
			return false;
		if (c >= 'A' && c <= 'Z')
			c = (char)(c | 0x20);
		if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
			key[(*n)++] = c;
	}
	return true;
}

struct str header_key(struct arena *a, struct str header)
{
	char *key = arena_alloc(a, header.n + 1);
	size_t n, out = 0;
	uint8_t *folded;
	struct str rest;

	if (ascii_key(header, key, &n))
		return (struct str){key, n};
	folded = u8_casefold((const uint8_t *)header.p, header.n, NULL, UNINORM_NFKD, NULL, &n);
	if (!folded) /* no memory, or no UTF-8: as it is */
		return header;
	key = arena_alloc(a, n + 1);
	for (rest = (struct str){(const char *)folded, n}; rest.n;) {
		size_t length = utf8_len(rest);

		if (uc_is_general_category_withtable(
			    utf8_code_point(rest), UC_CATEGORY_MASK_L | UC_CATEGORY_MASK_N)) {
			memcpy(key + out, rest.p, length);
			out += length;
		}
		rest = str_slice(rest, length, rest.n);
	}
	free(folded);
	return (struct str){key, out};
}
