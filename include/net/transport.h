/* SPDX-License-Identifier: MIT */
#ifndef NET_TRANSPORT_H
#define NET_TRANSPORT_H

#include "base/err.h"
#include "base/parts.h"
#include "base/str.h"
#include "mail/classify.h"
#include "mail/reply.h"
#include "mail/verdict.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The door to the network: hand in rendered messages, get one outcome each. One transport drives all relays
 * at once; two kinds of sessions stand behind it.
 *
 *   curl   sessions opened by libcurl (names, TCP, TLS, EHLO, AUTH), transactions by an own pipelined state
 *          machine, all in one epoll thread: content, final dot and the next envelope in one write, so
 *          that a message costs one round trip and at most one a connection is in doubt
 *   esmtp  libesmtp in threads of its own: for an MTA on loopback without TLS, refused elsewhere
 *
 * The caller has committed the intent to send before it submits, and never submits more for a relay than
 * transport_room() allows: TRANSPORT_DEPTH messages a connection, of which one is on its way. The others are
 * what a caller that commits many at once needs, so that the next are here when these have gone: with two
 * it commits twice as often, and most envelopes leave alone that could leave with a content.
 */
enum { TRANSPORT_DEPTH = 4 };

enum relay_tls {
	RELAY_TLS_STARTTLS, /* required: STARTTLS must be offered and succeed */
	RELAY_TLS_IMPLICIT, /* TLS from the first octet (RFC 8314) */
	RELAY_TLS_NONE, /* plain text: only where configuration says so in so many words */
};

enum relay_transport { RELAY_CURL, RELAY_ESMTP };

struct relay {
	const char *name; /* its title in lettermill.conf */
	const char *host;
	uint16_t port;
	enum relay_transport transport;
	enum relay_tls tls;
	const char *ca_file; /* PEM to verify against; NULL = the system's */
	const char *username; /* NULL = no AUTH */
	const char *password; /* NULL = no AUTH; never logged */
	const char *helo; /* name given in EHLO; NULL = the host's own */
	unsigned connections; /* at once, 1 to 1000 */
	unsigned messages_per_connection; /* 0 = no limit */
	unsigned timeout_s; /* ceiling for every wait, 0 = RFC 5321 section 4.5.3.2's own */
	/* Called for each line of the dialogue when not NULL: direction '>' (ours) or '<' (the
	 * relay's). Never with a password in it. Any thread. */
	void (*on_dialogue)(void *user, char direction, struct str line);
	void *user;
};

struct submission {
	uint64_t id; /* comes back in the outcome */
	unsigned relay; /* by which: its index in transport_open() */
	struct str sender; /* envelope sender, past addr_parse() */
	struct str recipient; /* past addr_parse_as() */
	bool utf8; /* the recipient's local part is not ASCII: needs SMTPUTF8 (RFC 6531) */
	struct str envid; /* for DSN (RFC 3461) where offered; printable ASCII, may be empty */
	const struct parts *message; /* as render() writes it; stays the caller's, unchanged until
					the outcome */
	bool dotless; /* no line of it begins with a dot: it need not be looked through */
	atomic_uchar *stage; /* NULL, or where its enum flight_stage is kept, from submission on */
};

struct outcome {
	uint64_t id;
	unsigned relay;
	enum verdict_action action;
	enum smtp_phase phase; /* where it was decided */
	struct finding finding; /* what the reply says beside that; FINDING_NONE for a copy sent */
	struct reply reply; /* code 0 and a sentence in `text` when the relay said nothing */
	int64_t took_ms; /* from submission */
};

struct transport;

/* Start a transport for the relays `relay[0]` to `relay[relay_n - 1]`; the array and what its fields point to
 * must outlive it. No connection is made yet. ERR_CONFIG for esmtp with TLS, AUTH or a host that is not a
 * loopback address, and for a password in clear to another machine, with the reason. */
int transport_open(
	const struct relay *relay, size_t relay_n, struct transport **out, struct err *e);

/* How many messages may be submitted for a relay now: TRANSPORT_DEPTH a connection that it may have, less those whose
 * outcome has not been fetched; 0 once the relay is in trouble, or the transport is stopping. What the
 * caller has promised to other threads and these have not submitted yet is for the caller to take off. */
size_t transport_room(struct transport *t, size_t relay);

/* Submit `n` messages, for each relay no more than its room. Never blocks; any thread may call it. What
 * comes for a relay that is in trouble by now comes back with VERDICT_AGAIN. */
void transport_submit(struct transport *t, const struct submission *s, size_t n);

/* Wait until outcomes are there, and then a moment for others that come with them, or until `timeout_ms` is over
 * (0 = only look); take up to `max`. Returns their number. After one with VERDICT_PAUSE_RELAY that relay is in
 * trouble: everything that still waits for it comes back with VERDICT_AGAIN, whatever is in flight with its own
 * outcome, and its connections end. The other relays go on, and so does a relay that refuses one message or one
 * sender. */
size_t transport_wait(struct transport *t, int timeout_ms, struct outcome *out, size_t max);

/* Use a relay again after its trouble, or use more or less of it: with at most `connections` at once, 0 =
 * as many as are configured. 1 is a probe. */
void transport_resume(struct transport *t, size_t relay, unsigned connections);

/* From `until_ms` (clock_mono_ms()) on no message is begun, until it is put off: what waits then comes back with
 * VERDICT_AGAIN. At first there is no such time. */
void transport_until(struct transport *t, int64_t until_ms);

/* Begin to stop: what is in flight gets `grace_ms` to finish, the rest comes back with
 * VERDICT_AGAIN, connections end with QUIT. Outcomes are still fetched with transport_wait(). */
void transport_stop(struct transport *t, int grace_ms);

/* Stop at once and free; outcomes not fetched are lost, so fetch them first. Sessions without a message
 * have about a second for their QUIT. NULL is allowed. */
void transport_close(struct transport *t);

/* What a relay shows of itself. */
struct relay_facts {
	char greeting[REPLY_TEXT_MAX];
	struct smtp_caps caps; /* after TLS */
	char tls_version[32]; /* "TLSv1.3", or "" */
	char tls_cipher[64];
	char certificate_subject[256], certificate_issuer[256];
	char certificate_expires[64];
	bool authenticated;
};

/* Connect, say EHLO (STARTTLS, AUTH), note what the relay offers, QUIT. Sends no mail. ERR_RELAY
 * with phase and reply in the sentence. */
int relay_probe(const struct relay *relay, struct relay_facts *out, struct err *e);

#endif
