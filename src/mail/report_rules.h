/* SPDX-License-Identifier: MIT */
#ifndef SRC_MAIL_REPORT_RULES_H
#define SRC_MAIL_REPORT_RULES_H

#include "report_lines.h"

/*
 * What lines of reports say, in words that many programs use; see phrase.h for the patterns. A rule is
 * matched within one line and within two that follow each other. To teach a new shape: a phrase in the
 * row that means the same. No name, host or date of one message has a place here.
 */
struct line_rule {
	const char *name; /* what the record shows as the rule that found a recipient */
	unsigned says;
	const char *text;
};

/* clang-format off */
static const struct line_rule line_rules[] = {
	/* ---- the addresses that failed follow ---- */
	{"names-following", SAYS_NAMES | SAYS_FAILED,
		"following address/addresses/addresse/recipient/recipients/user/users (es) (s) .. "
			"failed/fatal/error/errors/problem/problems/undeliverable/rejected/aborted/unknown/affected/invalid;"
		"deliver/delivered/delivery/delevery/send/sent/reach/transmitted .. following "
			"address/addresses/recipient/recipients/user/users/mailbox/list/destination/destinations;"
		"following destination/destinations/recipient/recipients/address/addresses .. not .. delivered;"
		"following address/addresses .. could not;"
		"undeliverable/undelivered/failed/rejected .. following;"
		"following mail/message/messages .. could not be delivered to;"
		"list of recipients;failed recipient/recipients $;addresses have delivery notifications;recipients of your message;following address/addresses/recipient/recipients .. not reached/reachable;following address/addresses/recipient/recipients .. not receive;failure reason/reasons $;recipients/recipient of this message .. failed;"
		"address/addresses had permanent/transient/delivery/fatal;had delivery problems/errors;"
		"recipients/addresses .. could not be reached/delivered;"
		"address/recipient to which .. not .. delivered;"
		"could not/cannot be delivered to (the) (following) (address/addresses/recipient/recipients) $;"
		"was/were not delivered to $;not be delivered to $;"
		"unable to deliver .. to (the) (following) (address/addresses) (es) $;"
		"permanent fatal errors;transient non fatal errors;"
		"adresse/adressen/empfänger .. fehlgeschlagen;konnte .. nicht zugestellt;nicht zugestellt werden .. an;"
		"destinatario/destinatarios/destinataires/destinataire/destinatari siguientes/suivants/suivant/seguenti;"
		"siguientes destinatarios/direcciones;следующим адрес*;одному или нескольким получателям;"
		"не .. доставлено .. получател*"},

	/* ---- the address in these words failed ---- */
	{"name-undeliverable", SAYS_NAME | SAYS_FAILED,
		"undeliverable/undelivered to #addr;delivery (to) #addr failed;delivery failed (#num) (attempts) #addr;"
		"delivery failed to #addr;deliver/delivering/delivered (your) (the) (this) (mail/message/email) to #addr;"
		"not (be) delivered to #addr;not be sent to #addr;could not .. deliver .. to #addr;"
		"unable to deliver .. to #addr;delivery to #addr .. failed/rejected;invalid .. userid #addr;"
		"^ (original/final/failed/intended) recipient/recipients/address/addressee (address) #addr;"
		"^ addressed to #addr;failed to send to (identified) (host) #addr;smtp #addr;"
		"originally addressed to #addr;message .. to #addr .. not/rejected/failed/undeliverable;"
		"mail .. to #addr .. not/rejected/failed/undeliverable;"
		"addressed #addr did not .. match;gateway for #addr;user #addr .. unknown/not"},

	/* ---- where one may have been meant ---- */
	{"fails", SAYS_FAILED,
		"user/recipient/mailbox/address/account unknown;unknown user/recipient/mailbox/address/account/or;"
		"no such user/recipient/mailbox/address/account/person;not a valid/known;no mailbox;"
		"user/mailbox/recipient/address/account .. not .. found/exist/exists/listed/known/recognized;"
		"user .. doesnt exist/have;does not have;mailbox (is) full;over quota;quota exceeded;disk quota;"
		"invalid recipient/address/mailbox/user;addresses failed;delivery failed/failure/error;"
		"not deliverable/delivered;rcpt to #addr;undeliverable;undelivered;"
		"could not be delivered;cannot be delivered;unable to deliver;refused/rejected;no longer;"
		"account .. disabled/suspended/locked/closed/inactive;permanent error/failure;returned mail;"
		"mail delivery failed/failure;delivery status notification failure/failed;message .. not .. delivered;failure notice;"
		"non delivery;non remis;unzustellbar;nicht zugestellt;no entregado;non consegnato;"
		"名前 .. 存在;配信できません;送信できません"},

	{"fails-perhaps", SAYS_WEAK,
		"failed/failure/expired/error/errors/bounced/bounce/undelivered/rejected/bad/unknown/unreachable"},

	/* ---- not yet ---- */
	{"later", SAYS_LATER,
		"not yet been delivered;has been delayed;been delayed;delivery (status) (notification) delay/delayed;"
		"message .. delayed;delayed #num;still being retried;will be retried;will retry;retried for;"
		"will (continue) (to) try;keep trying;continue to (be) try/retry/retried/attempted;"
		"delivery attempts will continue;warning message only;still trying;not need to resend;"
		"do not resend;could not send (message/mail) for past;will be returned to you;"
		"warning could not;transient non fatal;action delayed;temporarily deferred;"
		"delivery .. delayed;noch nicht zugestellt;verzögert;retardé;retrasad*"},
	{"final", SAYS_FINAL,
		"permanent error/failure/fatal;failed permanently;ive given up;giving up;gave up;given up;"
		"returning message;returned to sender;returned mail;could not be delivered;undeliverable;"
		"have been unable;cannot be delivered;delivery .. failed;failure notice"},

	/* ---- nobody's bounce ---- */
	{"challenge", SAYS_CHALLENGE,
		"waitlisted;waiting list .. message;guest list;verify/confirm/prove .. you are .. human/person/spammer;"
		"confirm/verify/authenticate/validate .. your .. address .. deliver*;"
		"challenge response;sender verification .. click/link/reply;click .. link .. to .. deliver/release .. message;"
		"one time .. verification/confirmation/authentication;"
		"reply to this message .. confirm/deliver*/authenticat*;approved sender/senders list;"
		"add yourself to .. list;awaiting .. verification/confirmation .. sender;whitelist request;"
		"message .. held until .. confirm/verify"},
	{"away", SAYS_AWAY,
		"out of (the) office;out of town;outofoffice;autoreply;auto reply/response/responder/antwort;autoresponse;"
		"automatic/automated reply/response;automatische antwort;automatisch*;abwesend;abwesenheit*;"
		"absence;absent;on vacation/holiday/leave;vacation reply/message/notice;am/is away;away from;"
		"réponse automatique;reponse automatique;respuesta automatica/automática;fuera de .. oficina;"
		"risposta automatica;assente;afwezig*;frånvaro*;ferie;urlaub;semesterstängt;"
		"thank you for your message/email/mail;we have received your;自動返信;不在"},

	{"daemon", SAYS_DAEMON,
		"mailer daemon;mail delivery system/subsystem/service;mail administrator;mail deliver system;"
		"system administrator;delivery subsystem;^ postmaster;mailerdaemon;mail system/subsystem"},

	/* ---- the copy of the message follows ---- */
	{"copy", SAYS_COPY,
		"copy of the/your/my (original) message;original message follows/headers;original message text;"
		"original message as received;original message (headers) below;original message $;"
		"message header/headers/body follow/follows;header/headers of the original;"
		"enclosed is a copy;message header follows;"
		"body of (the) message;unsent message below/follows;unsent message;"
		"text of (the) (original) message;returned message follows;returned message below;"
		"undelivered message you sent follows;original mail (as) follows;message you sent follows;"
		"message/mail (reads/read) in part;old message;your message reads;^ attached message $;"
		"rejected message;^ returned message $;received message follows;"
		"original headers;message contents/content follow/follows;"
		"fehlerhafte nachricht;ursprüngliche nachricht;original nachricht;mensaje original;message d origine"},
};
/* clang-format on */

#endif
