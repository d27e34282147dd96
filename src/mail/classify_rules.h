/* SPDX-License-Identifier: MIT */
#ifndef SRC_MAIL_CLASSIFY_RULES_H
#define SRC_MAIL_CLASSIFY_RULES_H

#include "mail/classify.h"
#include "phrase.h"

/*
 * The policy about replies as data. The first rule that fits decides, and the order is phase → text →
 * enhanced code → code. To teach it a reply: add a phrase to the rule that means the same, or a rule in
 * the section of its reason, and the reply to tests/unit/mail/test_classify.c.
 */

/* What follows from a reason, by the class of the code. `hard`: a 5yz says that the address is dead. */
enum kind {
	KIND_DEAD,
	KIND_PERHAPS_DEAD, /* refused without a word why: only repetition tells */
	KIND_DOMAIN,
	KIND_DISABLED,
	KIND_FULL,
	KIND_GREYLIST,
	KIND_RATE, /* of ours, or of the domain */
	KIND_RATE_MAILBOX,
	KIND_BLOCK,
	KIND_AUTH,
	KIND_CONTENT,
	KIND_SIZE,
	KIND_SIZE_MAILBOX,
	KIND_SENDER,
	KIND_RELAY,
	KIND_PROTOCOL,
	KIND_TRANSIENT,
	KIND_N,
};

static const struct {
	enum reason reason;
	enum reaction on_4, on_5;
	bool hard;
} kinds[KIND_N] = {
	[KIND_DEAD] = {REASON_RECIPIENT, REACT_RETRY, REACT_SUPPRESS, true},
	[KIND_PERHAPS_DEAD] = {REASON_RECIPIENT, REACT_RETRY, REACT_FAIL, false},
	[KIND_DOMAIN] = {REASON_DOMAIN, REACT_RETRY, REACT_SUPPRESS, true},
	[KIND_DISABLED] = {REASON_DISABLED, REACT_RETRY, REACT_SUPPRESS, true},
	[KIND_FULL] = {REASON_FULL, REACT_RETRY, REACT_FAIL, false},
	[KIND_GREYLIST] = {REASON_GREYLIST, REACT_RETRY, REACT_FAIL, false},
	[KIND_RATE] = {REASON_RATE, REACT_THROTTLE, REACT_THROTTLE, false},
	[KIND_RATE_MAILBOX] = {REASON_RATE, REACT_RETRY, REACT_RETRY, false},
	[KIND_BLOCK] = {REASON_BLOCK, REACT_PAUSE_DOMAIN, REACT_PAUSE_DOMAIN, false},
	[KIND_AUTH] = {REASON_AUTH, REACT_PAUSE_ISSUE, REACT_PAUSE_ISSUE, false},
	[KIND_CONTENT] = {REASON_CONTENT, REACT_RETRY, REACT_FAIL, false},
	[KIND_SIZE] = {REASON_SIZE, REACT_RETRY, REACT_PAUSE_ISSUE, false},
	[KIND_SIZE_MAILBOX] = {REASON_SIZE, REACT_RETRY, REACT_FAIL, false},
	[KIND_SENDER] = {REASON_SENDER, REACT_RETRY, REACT_PAUSE_ISSUE, false},
	[KIND_RELAY] = {REASON_RELAY, REACT_PAUSE_RELAY, REACT_PAUSE_RELAY, false},
	[KIND_PROTOCOL] = {REASON_PROTOCOL, REACT_RETRY, REACT_FAIL, false},
	[KIND_TRANSIENT] = {REASON_TRANSIENT, REACT_RETRY, REACT_FAIL, false},
};

/* Phases a rule holds in; PHASE_N is a report that names none. */
#define AT(phase) (1u << (phase))
enum {
	BEFORE_MAIL = AT(PHASE_CONNECT) | AT(PHASE_BANNER) | AT(PHASE_EHLO) | AT(PHASE_STARTTLS) |
		      AT(PHASE_AUTH),
	AFTER_DOT = AT(PHASE_RSET) | AT(PHASE_QUIT),
	OF_MESSAGE = AT(PHASE_DATA) | AT(PHASE_BODY) | AT(PHASE_DOT),
	/* Once a recipient has been named. */
	PAST_RCPT = AT(PHASE_RCPT) | OF_MESSAGE | AT(PHASE_N),
};

struct rule {
	const char *name;
	enum kind kind;
	/* What must fit; 0 and NULL fit all. */
	unsigned phases;
	int digit; /* first one of the code: 4 or 5 */
	enum phrase_where where;
	const char *text; /* see phrase.h */
	const char
		*status; /* enhanced codes, a space between; "5.6.*" all that begin so, "-" none */
	const char *code; /* "552 452", in the same way */
	/* What the provider wants, see struct finding. */
	int wait_s, per_minute, connections;
};

enum { MINUTE = 60, HOUR = 60 * MINUTE };

/* clang-format off */
static const struct rule rules[] = {
	/* ---- phase ---- */
	{"before-mail", KIND_RELAY, .phases = BEFORE_MAIL},
	{"after-message", KIND_TRANSIENT, .phases = AFTER_DOT},

	/* ---- text: providers' own tags ---- */
	{"yahoo-complaints", KIND_BLOCK, .text = "tss04 .. .. complaints", .wait_s = 2 * HOUR},
	{"charter-rate", KIND_RATE, .text = "aup in 13*", .wait_s = HOUR},
	{"block-tag", KIND_BLOCK,
		.text = "s3140;s3150;s3113;tss07;tss09;tss11;tss7;tss9;bl20/bl21/bl22/bl23/bl24/bl25/bl26/bl27;"
			"as16012*;sc 00*;ou 00*;dy 00*;rtr sc/bl;cxbl;cdrbl;ipbl*;bl;"
			"ofr*_102/ofr*_103;ofr_102/ofr_103"},
	{"yahoo-2h", KIND_RATE, .text = "tss04;tss4;ts04;ipts04", .wait_s = 2 * HOUR},
	{"yahoo-4h", KIND_RATE, .text = "tss05;ts05;ipts05", .wait_s = 4 * HOUR},
	{"yahoo-1-per-minute", KIND_RATE, .text = "ts02", .wait_s = HOUR, .per_minute = 1},
	{"yahoo-10-per-minute", KIND_RATE, .text = "ts01;ts03", .wait_s = HOUR, .per_minute = 10},
	{"rate-tag", KIND_RATE, .text = "rp 00*;rl0000*;hcm1;bs02;vs98 ip0*"},
	{"frequency-tag", KIND_RATE, .text = "sender/ip/domain/connection frequency limited"},

	/* ---- text: what would be mistaken for something else comes first ---- */
	{"greylisted", KIND_GREYLIST, .digit = 4,
		.text = "greylist*;graylist*;grey/gray list/listed/listing;postgrey"},
	{"header-fault", KIND_CONTENT,
		.text = "header/headers .. too large/long/big;header/headers error/errors/missing;"
			"size of the .. header;duplicate header/headers;missing .. message id;"
			"message id .. missing;data in .. header;invalid/malformed/missing .. header/headers;"
			"not (in) compliant/compliance .. rfc;rfc .. compliant/noncompliant;"
			"not rfc (5322/5321/2822/822) compliant"},
	{"not-an-rfc-address", KIND_CONTENT, .phases = PAST_RCPT, .text = "sender .. not (a) valid rfc"},

	/* Our login and our relay's limits. */
	{"login-text", KIND_RELAY,
		.text = "unauthenticated sender/senders/user/users/client/clients/connection/connections/commands;"
			"authentication/auth/authorization (is) required;authrequired;"
			"authentication/auth/login failed/failure/unsuccessful/rejected/denied;"
			"invalid/bad/wrong/incorrect credentials/login/password/username;"
			"credentials .. invalid/rejected;username and password not accepted;"
			"password required;not logged in;must/need/please/should login/authenticate/auth;"
			"must/need/please/should (to) log in;authenticate/login/auth first;not authenticated $;"
			"authentication/auth credentials"},
	{"relay-denied", KIND_RELAY,
		.text = "relay/relaying (access) (is) denied/prohibited/disallowed/forbidden/refused;"
			"relay/relaying (is) not allowed/permitted/authorized/authorised;"
			"not allowed/permitted/authorized/authorised to relay;"
			"unable/cannot/refuse/refused/refusing (to) relay;no relaying;we do not relay"},
	{"account-quota", KIND_RELAY,
		.text = "daily .. limit/quota (is) (was) (has) (been) exceeded/reached;"
			"exceeded .. daily .. limit/quota/sending;"
			"sending/sender/message/messages/user/account quota/limit/limits (for) (the) (day) (is) "
			"(has) (been) exceeded/reached;credits exceeded/exhausted/used;"
			"sending (is) (has) (been) paused/suspended/disabled/blocked .. account;"
			"your account .. disabled/suspended/locked/blocked/paused"},
	{"unverified-identity", KIND_RELAY,
		.text = "email address/identity/domain (is) (has) not (been) verified;identities failed;"
			"address/domain/identity not verified"},
	{"tls-wanted", KIND_RELAY,
		.text = "tls (is) required/needed;requires/require/needs tls/starttls/encryption;"
			"encryption (is) required/needed;not sent over .. tls;wasnt sent over .. tls;"
			"not support/offer tls/starttls;must issue/use (a) .. tls/starttls;tls not available"},

	{"sender-text", KIND_SENDER,
		.text = "sender (address) (is) (was) (not) rejected/denied/refused/invalid/unknown/unverified/found;"
			"sender verify/verification failed;domain of sender;invalid sender;bad sender;"
			"sender (address) domain .. not/invalid;sender (address) .. does not exist;"
			"sender (address) .. doesnt exist;purported responsible address;"
			"mail from domain .. not exist/resolve/found;from (address) .. (is) invalid;from domain .. (is) "
			"invalid"},
	{"sender-access", KIND_SENDER, .phases = AT(PHASE_MAIL) | AT(PHASE_N), .status = "5.7.1",
		.text = "^ #addr access denied"},

	/* Who we say we are. */
	{"auth-tag", KIND_AUTH, .text = "hme1"},
	{"auth-text", KIND_AUTH,
		.text = "dmarc;spf;dkim;sender policy framework;unauthenticated;authenticate with;"
			"authentication checks/information/results;not aligned;isnt aligned;mismatches client;"
			"ptr;rdns;reverse dns/lookup/hostname/name/resolution;forward dns;"
			"fcrdns;no reverse;cannot find your reverse/hostname"},

	/* Lists of domains in the message's text, not of senders' addresses. One that says it is our domain that is
	 * on the list would refuse every copy: they wait until it is off. */
	{"domain-listed", KIND_BLOCK, .text = "domain (is) present/listed .. dbl/uribl/surbl"},
	{"domain-list-host", KIND_CONTENT, .where = IN_HOSTS, .text = "dbl;uribl;surbl;ivmuri"},
	{"domain-list", KIND_CONTENT, .text = "dbl;uribl;surbl"},

	/* ---- text: address and reputation ---- */
	{"block-list", KIND_BLOCK,
		.text = "blocklist*;blacklist*;denylist*;block/black/deny list/lists/listed;dnsbl*;rbl/rbls/drbl/"
			"xbl/sbl/pbl/cbl;spamhaus/spamcop/sorbs/barracuda/cloudmark/spamrats/senderscore/mailspike;"
			"proofpoint .. blocked;spammer/spammers list"},
	{"reputation", KIND_BLOCK, .text = "reputation"},
	{"unsolicited-rate", KIND_BLOCK, .text = "rate of unsolicited"},
	{"rate-of-ours", KIND_BLOCK, .text = "unusual rate of .. originating", .wait_s = 30 * MINUTE,
		.per_minute = 10},
	{"address-blocked", KIND_BLOCK,
		.text = "blocked using/by;listed at/in/on/by/with #host;#ip .. (is) blocked/banned/listed/blacklisted;"
			"ip/address/host/server .. (is) listed/banned/blacklisted;"
			"#ip (was) (has) (been) rejected/refused/denied;"
			"banned sender/sending/send/ip/host;bad/blocked ip;ip (address) (is) (was) (has) (been) "
			"blocked/rejected/refused/denied/banned;^ blocked;ip/client/host not in whitelist;"
			"client (host) blocked/rejected;connections/connection .. not (be) accepted;"
			"not allowed to connect;access .. system .. rejected;denial of service;"
			"blocked for spamming/spam/abuse;smtp server of your isp;"
			"source bloquee;your ip/host/server (address) .. blocked/rejected/refused/denied;"
			"#ip/ip/ips (address) .. not allowed/accepted/permitted;traffic not accepted;"
			"#ip problem occurred;#ip a problem occurred;due to (user) complaints"},
	{"access-denied", KIND_DEAD, .phases = PAST_RCPT, .status = "5.4.1", .text = "access denied"},

	/* ---- text: too much, too fast ---- */
	{"mailbox-rate", KIND_RATE_MAILBOX, .phases = PAST_RCPT,
		.text = "receiving mail (too) quickly;receiving mail at a rate;thread limit exceeded",
		.wait_s = HOUR},
	{"unusual-rate", KIND_RATE, .text = "unusual rate", .wait_s = 30 * MINUTE, .per_minute = 10},
	{"connection-limit", KIND_RATE,
		.text = "too many .. connections/sessions;connection/connections/concurrency (rate) limit;"
			"maximum/max/number .. connections/sessions;exceed* .. connections/sessions;"
			"trop de connexions;maxconn*",
		.wait_s = HOUR, .connections = 1},
	{"rate-limited", KIND_RATE, .text = "rate limit*;ratelimit*", .wait_s = 30 * MINUTE},
	{"rate-text", KIND_RATE,
		.text = "too many .. messages/emails/mails/message;too many recipients .. hour/day/minute;"
			"too many recipients this;maximum/max message/messages/number .. per;"
			"number of .. per hour/minute/day/connection/session;slow/slower down;"
			"server (is) busy;excessive volume/rate;volume .. exceed*;unexpected volume;"
			"peak .. limit exceeded;sending rate;throttl*;too fast/quickly"},

	/* ---- text: the mailbox ---- */
	{"our-transaction", KIND_TRANSIENT, .digit = 4, .text = "per transaction;separate transaction"},
	{"server-space", KIND_TRANSIENT,
		.text = "disk space;insufficient system storage/resources/space;disk (is) full;queue file;"
			"couldnt/cannot/cant (to) create/lock"},
	{"disabled-tag", KIND_DISABLED, .phases = PAST_RCPT, .text = "disableduser;overquotaperm;554 30"},
	{"full-for-long", KIND_DISABLED, .phases = PAST_RCPT, .status = "5.2.2", .text = "inactive"},
	{"mailbox-full", KIND_FULL, .phases = PAST_RCPT,
		.text = "over quota;overquota*;quota (is) (has) (been) exceeded/full;exceed* .. quota;"
			"mailbox/inbox/maildir/account (is) (currently) full;mailbox .. (is) full;out of storage;"
			"exceed* .. storage;storage .. exceed*;storage allocation;not enough .. space/storage;"
			"insufficient .. space/storage;"
			"mailbox size limit;mailbox exceed* .. limit;boite .. pleine;postfach .. voll;buzon/buzón .. lleno;ofr_417/ofr*_417;"
			"casella .. piena"},
	{"inactive-address", KIND_DEAD, .phases = PAST_RCPT, .text = "inactive email address"},
	{"mailbox-disabled", KIND_DISABLED, .phases = PAST_RCPT,
		.text = "account/mailbox/user/recipient/address/box .. disabled/suspended/inactive/terminated/frozen/"
			"closed/deactivated/blocked/locked/discontinued;"
			"disabled/deactivated/suspended/inactive/frozen/closed/locked/expired "
			"recipient/mailbox/account/user/address;"
			"mailbox/account/user .. not active;no longer accept/accepts/accepting;no longer valid/active/in;compte .. bloque/desactive"},

	/* ---- text: the domain ---- */
	{"null-mx", KIND_DOMAIN, .phases = PAST_RCPT,
		.text = "null mx;nullmx;domain/host (#host) (does) (not) (accept) (accepts) no mail;"
			"domain/host/#host does not accept .. mail;doesnt accept .. mail"},
	{"name-server", KIND_TRANSIENT, .phases = PAST_RCPT,
		.text = "not found try again;malformed .. name server;name server .. timeout/failure;dns .. timeout/timed"},
	{"domain-unknown", KIND_DOMAIN, .phases = PAST_RCPT,
		.text = "host/domain/hostname (name) (#host) (is) (was) unknown;host/domain/hostname (name) (#host) (was) "
			"not found;unknown host/domain;domain .. does not exist;domain .. doesnt exist;#host does not exist;"
			"name or service not known;unrouteable/unroutable (mail) address/domain;no such domain/host;"
			"domain name not found;nxdomain;no mx;no mail server/servers/exchanger;non existent domain;"
			"nonexistent domain;non existent/nonexistent host/hosts;domain (#host) couldnt be found;invalid domain name .. recipient;bad destination system"},

	/* ---- text: the message ---- */
	{"virus", KIND_CONTENT, .text = "virus*;malware;infected;trojan;phishing"},

	/* ---- text: nobody there ---- */
	{"address-probe", KIND_TRANSIENT, .digit = 4, .text = "unverified address;verification in progress"},
	{"user-unknown", KIND_DEAD, .phases = PAST_RCPT,
		.text = "user/recipient/addressee/mailbox/address/alias/account/usuario/destinataire (address) (name) (#addr) "
			"(is) (was) unknown/desconocido/inconnu;"
			"unknown user/users/recipient/mailbox/address/account/alias/local/addressee/or/utilisateur;"
			"no such user/users/recipient/mailbox/person/id/address/account/local/alias/email/customer;"
			"user/mailbox/address/recipient/account/addressee/person .. does not exist;"
			"user/mailbox/address/recipient/account/addressee/person .. doesnt exist;"
			"user/mailbox/address/recipient/account/#addr (does) (do) not exist/exists;"
			"user/mailbox/address/recipient/account/#addr (could) (can) (was) not (be) found;cannot find .. "
			"user/recipient/mailbox/account;couldnt find .. user/recipient/mailbox/account;"
			"invalid/nonexistent mailbox/recipient/address/user/account/destination;"
			"non existent mailbox/recipient/address/user/account;"
			"not a known/valid/existing user/mailbox/recipient/address;not our customer;no mailbox here;"
			"recipient no longer;user/customer/person .. no longer;mailbox has moved;no forwarding address;"
			"user doesnt have;does not have a/an .. account/mailbox;has no mailbox/account;"
			"recipientnotfound;recipnotfound;ofr_416/ofr*_416;lpn_416/lpn*_416;user not here/local/listed;"
			"no account;not a customer;bad destination mailbox;badrcptto;mail box (is) not found;"
			"address/recipient couldnt be found;destination addresses (were) unknown;invalid .. userid;recipient/user name (is) not recognized/recognised;"
			"no valid recipients for;user .. not listed/registered;not an active address/user/mailbox/account;mailbox not available $;"
			"benutzer/empfänger/empfaenger unbekannt;utente sconosciuto;adresse .. inconnue;"
			"recipient .. not (a) valid rfc;adresse .. inexistante;usuario .. no existe;no existe .. usuario/buzon"},
	{"mailbox-unavailable", KIND_DEAD, .phases = PAST_RCPT, .digit = 5, .text = "mailbox (is) unavailable"},

	/* ---- text: the message ---- */
	{"mailbox-size", KIND_SIZE_MAILBOX, .phases = PAST_RCPT,
		.text = "recipsizelimit;too large/big for this/the recipient/user/mailbox;limit set by recipient;"
			"size .. (allowed) (by) (the) recipient"},
	{"message-size", KIND_SIZE,
		.text = "size limit;too large/big;exceed* .. size;size .. exceed*;length .. exceed*;"
			"maximum .. size;max size"},
	{"content-tag", KIND_CONTENT, .text = "cs01;ph01"},
	{"content-text", KIND_CONTENT,
		.text = "spam/spammy/unsolicited/suspicious/prohibited/junk/bulk;content/message/mail (was) (has) (been) "
			"rejected/denied/refused .. content;content (was) (is) rejected/denied/refused;"
			"illegal attachment/attachments;attachment .. not/blocked/rejected;"
			"policy/policies;objectionable/inappropriate/offensive content;scored as;looks like"},

	{"block-list-link", KIND_BLOCK, .where = IN_LINKS,
		.text = "spamhaus/spamcop/sorbs/barracudacentral/barracudanetworks/cloudmark/spamrl"},
	{"blocked", KIND_BLOCK, .text = "blocked"},

	/* ---- text: on the wire, and in the machines ---- */
	{"transaction-failed", KIND_TRANSIENT,
		.text = "transaction failed;system/internal/server/configuration error;internal system/server;"
			"mailer error;hop count;mail loop;too many hops;exceeded .. hops;loop detected;"
			"service (is) (currently) (temporarily) unavailable;service not available;"
			"temporar* failure/error/problem/unavailable;local error/problem;insufficient permission/"
			"permissions;timeout;timed out;lookup failure;out of memory;shutting down;"
			"multiple destination domains"},
	{"command-fault", KIND_PROTOCOL,
		.text = "syntax error;bad/improper/wrong/invalid sequence;out of sequence;"
			"command .. not recognized/recognised/implemented/understood;unrecognized/unknown/invalid/"
			"unimplemented command;badcr;bare lf/cr;line too long;no data after;stray cr/lf/newline"},

	/* Weak: said of everything. */
	{"rate-status", KIND_RATE,
		.status = "4.7.28 5.7.28 4.5.3 4.7.5* 4.7.6*", .digit = 4},
	{"try-again", KIND_GREYLIST, .digit = 4, .status = "4.7.* 4.2.* -",
		.text = "try again later/in/after/shortly;temporarily rejected/deferred;retry later/in/after;"
			"try your message again;come back later"},
	{"address-refused-dead", KIND_DEAD, .phases = PAST_RCPT, .digit = 5, .status = "5.1.1",
		.text = "recipient (address) rejected/refused $;^ #addr rejected/refused $"},
	{"address-refused", KIND_PERHAPS_DEAD, .phases = PAST_RCPT, .digit = 5,
		.text = "recipient (address) rejected/refused $;^ #addr rejected/refused $;"
			"recipient (address) rejected/refused in reply to"},

	/* ---- enhanced code, with the code where one means two things ---- */
	{"login-code", KIND_RELAY, .code = "530 534 535 538"},
	{"login-later", KIND_RELAY, .code = "454"},
	{"security-sequence", KIND_RELAY, .code = "503", .status = "5.7.0"},
	{"relay-status", KIND_RELAY,
		.status = "5.7.3 5.7.8 5.7.57 5.7.64 5.4.5 4.7.29 5.7.29 4.7.10 5.7.10"},
	{"security-status", KIND_RELAY, .status = "5.7.4 5.7.5 5.7.6 5.7.11"},
	{"sender-status", KIND_SENDER, .status = "5.1.7 5.1.8 5.7.2 4.1.7 4.1.8"},
	{"recipient-status", KIND_DEAD, .phases = PAST_RCPT, .status = "5.1.1 5.1.3 5.1.6 5.7.17 4.1.1 4.1.3 4.1.6"},
	{"domain-status", KIND_DOMAIN, .phases = PAST_RCPT, .status = "5.1.2 5.1.10 5.4.4 4.1.2 4.4.4"},
	{"disabled-status", KIND_DISABLED, .phases = PAST_RCPT, .status = "5.2.1 5.7.13"},
	{"full-status", KIND_FULL, .phases = PAST_RCPT, .status = "5.2.2 4.2.2"},
	{"mailbox-rate-status", KIND_RATE_MAILBOX, .phases = PAST_RCPT, .status = "4.2.1 5.2.121 5.2.122 4.2.121",
		.wait_s = HOUR},
	{"mailbox-size-status", KIND_SIZE_MAILBOX, .phases = PAST_RCPT, .status = "5.2.3 4.2.3"},
	{"size-status", KIND_SIZE, .status = "5.3.4 4.3.4"},
	{"rate-closing", KIND_RATE, .status = "4.7.0", .code = "421"},
	{"block-status", KIND_BLOCK, .status = "5.7.511 5.7.606 5.7.607 5.7.608 5.7.609 5.7.61* 5.7.62* 5.7.63* "
		"5.7.64* 5.7.28"},
	{"auth-status", KIND_AUTH,
		.status = "4.7.23 4.7.24 4.7.25 4.7.26 4.7.27 4.7.30 4.7.31 4.7.32 5.7.23 5.7.24 5.7.25 5.7.26 "
			"5.7.27 5.7.30 5.7.31 5.7.32 5.7.9 5.7.509 5.7.515"},
	{"greylist-status", KIND_GREYLIST, .digit = 4, .status = "4.7.0 4.7.1 4.2.0", .code = "450 451"},
	{"form-status", KIND_CONTENT,
		.status = "5.6.0 5.6.1 5.6.2 5.6.3 5.6.4 5.6.5 5.6.6 5.6.7 5.6.8 5.6.9", .digit = 5},
	{"policy-status", KIND_CONTENT, .phases = PAST_RCPT, .status = "5.7.*", .digit = 5},
	{"protocol-status", KIND_PROTOCOL, .phases = PAST_RCPT, .status = "5.6.11 5.5.1 5.5.2 5.5.4 5.5.5"},

	/* ---- code ---- */
	{"message-too-large", KIND_SIZE, .phases = AT(PHASE_MAIL), .code = "552"},
	{"storage-exceeded", KIND_FULL, .phases = PAST_RCPT, .code = "552"},
	{"disabled-code", KIND_DISABLED, .phases = PAST_RCPT, .code = "525"},
	{"no-mail-host", KIND_DOMAIN, .phases = PAST_RCPT, .code = "521 556"},
	{"protocol-code", KIND_PROTOCOL, .code = "500 501 502 503 504"},
	{"sender-refused", KIND_SENDER, .phases = AT(PHASE_MAIL), .digit = 5},
	{"recipient-refused", KIND_PERHAPS_DEAD, .phases = AT(PHASE_RCPT), .digit = 5},
	{"message-refused", KIND_CONTENT, .phases = OF_MESSAGE, .digit = 5},
	{"refused", KIND_TRANSIENT, .digit = 5},
	{"later", KIND_TRANSIENT, .digit = 0},
};
/* clang-format on */

#endif
