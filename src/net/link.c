/* SPDX-License-Identifier: MIT */
#include "link.h"

#include "base/clock.h"
#include "door.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

/* The dialogue while libcurl leads it. */
struct talk {
	const struct relay *relay;
	const atomic_bool *give_up;
	struct link *link;
	enum smtp_phase phase;
	struct reply_reader reader;
	bool garbage; /* what came is no reply */
	struct reply refusal; /* the relay's last 4yz or 5yz in this phase */
	int64_t connect_until;
};

void relay_show(const struct relay *relay, char direction, struct str line)
{
	if (relay->on_dialogue)
		relay->on_dialogue(relay->user, direction, line);
}

static void talk_line(void *user, struct str line)
{
	struct talk *t = user;

	relay_show(t->relay, '<', line);
	/* The first line of the reply to EHLO is a greeting. */
	if (t->phase == PHASE_EHLO && t->reader.lines)
		smtp_caps_line(&t->link->caps, line);
}

/* libcurl hands over each line that the relay has sent. */
static size_t talk_header(char *p, size_t size, size_t n, void *user)
{
	struct talk *t = user;
	struct str in = {p, size * n};

	if (t->phase == PHASE_CONNECT)
		t->phase = PHASE_BANNER;
	while (in.n) {
		enum reply_result result = reply_read(&t->reader, &in);
		const struct reply *reply = &t->reader.reply;

		if (result == REPLY_BAD) {
			t->garbage = true;
			return 0;
		}
		if (result == REPLY_MORE)
			continue;
		if (reply->code >= 400)
			t->refusal = *reply;
		else if (t->phase == PHASE_BANNER)
			memcpy(t->link->greeting, reply->text, sizeof(t->link->greeting));
		else if (t->phase == PHASE_AUTH && reply->code == 235)
			t->link->authenticated = true;
	}
	return size * n;
}

/* A command of libcurl's. What belongs to AUTH is not shown. */
static void talk_command(struct talk *t, struct str line)
{
	static const struct {
		struct str verb;
		enum smtp_phase phase;
	} verbs[] = {
		{STR("EHLO "), PHASE_EHLO},
		{STR("HELO "), PHASE_EHLO},
		{STR("STARTTLS"), PHASE_STARTTLS},
		{STR("AUTH "), PHASE_AUTH},
	};
	size_t verb = 0;

	line = str_trim(line);
	while (verb < 4 && (t->phase == PHASE_AUTH || !str_has_prefix(line, verbs[verb].verb)))
		verb++;
	if (verb < 4) {
		if (t->phase !=
			verbs[verb].phase) /* HELO after a refused EHLO leaves the first word */
			t->refusal.code = 0;
		t->phase = verbs[verb].phase;
		if (t->phase == PHASE_EHLO)
			t->link->caps = (struct smtp_caps){0};
	}
	if (t->phase == PHASE_AUTH)
		line = verb < 4 ? str_slice(line, 0, 5 + str_find(str_slice(line, 5, line.n), ' '))
				: STR("(secret)");
	relay_show(t->relay, '>', line);
}

static int talk_debug(CURL *curl, curl_infotype type, char *p, size_t n, void *user)
{
	static const struct str using = STR("SSL connection using ");
	struct talk *t = user;
	struct str s = str_trim((struct str){p, n});

	(void)curl;
	if (type == CURLINFO_HEADER_OUT) {
		talk_command(t, s);
	} else if (type == CURLINFO_TEXT && str_has_prefix(s, STR("Connected to "))) {
		t->phase = PHASE_BANNER;
	} else if (type == CURLINFO_TEXT && str_has_prefix(s, using)) {
		size_t slash = str_search(s, STR(" / "));
		struct str version = str_slice(s, using.n, slash),
			   cipher = str_slice(s, slash + 3, s.n);

		snprintf(t->link->tls_version, sizeof(t->link->tls_version), "%.*s",
			STR_ARG(version));
		snprintf(t->link->tls_cipher, sizeof(t->link->tls_cipher), "%.*s", STR_ARG(cipher));
	}
	return 0;
}

static int talk_progress(void *user, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
	const struct talk *t = user;

	(void)a, (void)b, (void)c, (void)d;
	if (t->phase == PHASE_CONNECT && clock_mono_ms() >= t->connect_until)
		return 1;
	return atomic_load(t->give_up);
}

/* The URL says where to, and in its path the name for EHLO. NULL when the host is none. */
static CURLU *link_url(const struct relay *relay)
{
	CURLU *url = curl_url();
	char host[300], port[8], helo[300];
	bool v6 = strchr(relay->host, ':') != NULL;

	snprintf(host, sizeof(host), v6 ? "[%s]" : "%s", relay->host);
	snprintf(port, sizeof(port), "%u", relay->port);
	snprintf(helo, sizeof(helo), "/%s", relay->helo ? relay->helo : "");
	if (url &&
		!curl_url_set(url, CURLUPART_SCHEME,
			relay->tls == RELAY_TLS_IMPLICIT ? "smtps" : "smtp", 0) &&
		!curl_url_set(url, CURLUPART_HOST, host, 0) &&
		!curl_url_set(url, CURLUPART_PORT, port, 0) &&
		!curl_url_set(url, CURLUPART_PATH, helo, CURLU_URLENCODE))
		return url;
	curl_url_cleanup(url);
	return NULL;
}

static void link_setup(
	CURL *curl, const struct relay *relay, struct talk *talk, CURLU *url, char *error)
{
	int64_t reply_ms = phase_limit_ms(relay, PHASE_BANNER);
	long total_ms = (long)(phase_limit_ms(relay, PHASE_CONNECT) + reply_ms);

	curl_easy_setopt(curl, CURLOPT_CURLU, url);
	curl_easy_setopt(curl, CURLOPT_CONNECT_ONLY, 1L);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_PROXY, ""); /* none, whatever the environment says */
	curl_easy_setopt(curl, CURLOPT_QUICK_EXIT, 1L);
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, error);
	/* libcurl's limit for connecting includes everything up to AUTH. */
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, total_ms);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, total_ms);
	curl_easy_setopt(curl, CURLOPT_SERVER_RESPONSE_TIMEOUT, (long)(reply_ms / 1000));
	curl_easy_setopt(curl, CURLOPT_USE_SSL,
		relay->tls == RELAY_TLS_NONE ? (long)CURLUSESSL_NONE : (long)CURLUSESSL_ALL);
	curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	if (relay->ca_file) {
		curl_easy_setopt(curl, CURLOPT_CAINFO, relay->ca_file);
		curl_easy_setopt(curl, CURLOPT_CAPATH, NULL);
	}
	if (relay->username) {
		curl_easy_setopt(curl, CURLOPT_USERNAME, relay->username);
		curl_easy_setopt(curl, CURLOPT_PASSWORD, relay->password);
		curl_easy_setopt(curl, CURLOPT_LOGIN_OPTIONS, "AUTH=PLAIN;AUTH=LOGIN");
	}
	curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, talk_header);
	curl_easy_setopt(curl, CURLOPT_HEADERDATA, talk);
	curl_easy_setopt(curl, CURLOPT_VERBOSE, 1L);
	curl_easy_setopt(curl, CURLOPT_DEBUGFUNCTION, talk_debug);
	curl_easy_setopt(curl, CURLOPT_DEBUGDATA, talk);
	curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, talk_progress);
	curl_easy_setopt(curl, CURLOPT_XFERINFODATA, talk);
}

/* What made curl_easy_perform() end with `rc`, in our terms. */
static void link_blame(
	const struct talk *t, CURLcode rc, const char *error, struct link_trouble *why)
{
	why->phase = t->phase;
	if (rc == CURLE_USE_SSL_FAILED || rc == CURLE_PEER_FAILED_VERIFICATION ||
		rc == CURLE_SSL_CONNECT_ERROR || rc == CURLE_SSL_CACERT_BADFILE)
		why->phase = PHASE_STARTTLS;
	else if (rc == CURLE_LOGIN_DENIED)
		why->phase = PHASE_AUTH;
	if (t->refusal.code)
		why->reply = t->refusal;
	else if (t->garbage)
		why->reply = reply_ours("", "what the relay sent is no SMTP reply");
	else if (rc == CURLE_ABORTED_BY_CALLBACK)
		why->reply = reply_ours(
			"", "no connection to %s:%u in time", t->relay->host, t->relay->port);
	else if (rc == CURLE_USE_SSL_FAILED)
		why->reply = reply_ours("", "the relay does not offer STARTTLS");
	else if (rc == CURLE_LOGIN_DENIED)
		why->reply = reply_ours("", "the relay offers no AUTH PLAIN or LOGIN");
	else
		why->reply = reply_ours("", "%s", error[0] ? error : curl_easy_strerror(rc));
}

int link_open(const struct relay *relay, const atomic_bool *give_up, bool certificate,
	struct link *out, struct link_trouble *why)
{
	struct talk talk = {.relay = relay, .give_up = give_up, .link = out};
	CURLU *url = link_url(relay);
	char error[CURL_ERROR_SIZE] = "";
	curl_socket_t fd = CURL_SOCKET_BAD;
	CURLcode rc;

	*out = (struct link){.curl = curl_easy_init(), .tls = relay->tls != RELAY_TLS_NONE};
	*why = (struct link_trouble){.phase = PHASE_CONNECT};
	if (!url || !out->curl) {
		why->reply = reply_ours("", "'%s' is no host name", relay->host);
		goto out;
	}
	reply_init(&talk.reader);
	talk.reader.on_line = talk_line;
	talk.reader.user = &talk;
	talk.connect_until = clock_mono_ms() + phase_limit_ms(relay, PHASE_CONNECT);
	link_setup(out->curl, relay, &talk, url, error);
	if (certificate)
		curl_easy_setopt(out->curl, CURLOPT_CERTINFO, 1L);
	rc = curl_easy_perform(out->curl);
	if (rc == CURLE_OK && relay->username && !out->authenticated)
		rc = CURLE_LOGIN_DENIED;
	if (rc == CURLE_OK)
		rc = curl_easy_getinfo(out->curl, CURLINFO_ACTIVESOCKET, &fd);
	if (rc != CURLE_OK)
		link_blame(&talk, rc, error, why);
	/* What follows must not reach into this function's variables. */
	curl_easy_setopt(out->curl, CURLOPT_VERBOSE, 0L);
	curl_easy_setopt(out->curl, CURLOPT_NOPROGRESS, 1L);
	curl_easy_setopt(out->curl, CURLOPT_ERRORBUFFER, NULL);
	curl_easy_setopt(out->curl, CURLOPT_CURLU, NULL);
	out->fd = (int)fd;
out:
	curl_url_cleanup(url);
	if (fd != CURL_SOCKET_BAD)
		return 0;
	link_close(out);
	return -1;
}

void link_close(struct link *l)
{
	curl_easy_cleanup(l->curl);
	l->curl = NULL;
}

/* Without TLS libcurl would only pass the octets on to the socket, and look the connection up for that. */
static long of_socket(ssize_t n)
{
	if (n > 0)
		return n;
	return n < 0 && (errno == EAGAIN || errno == EINTR) ? LINK_AGAIN : LINK_LOST;
}

long link_send_parts(struct link *l, const struct iovec *part, size_t n)
{
	struct msghdr m = {.msg_iov = (struct iovec *)part, .msg_iovlen = n};

	return of_socket(sendmsg(l->fd, &m, MSG_NOSIGNAL));
}

long link_send(struct link *l, const char *p, size_t n)
{
	size_t sent = 0;
	CURLcode rc = curl_easy_send(l->curl, p, n, &sent);

	if (rc == CURLE_OK)
		return (long)sent;
	return rc == CURLE_AGAIN ? LINK_AGAIN : LINK_LOST;
}

long link_recv(struct link *l, char *p, size_t max)
{
	size_t got = 0;
	CURLcode rc;

	if (!l->tls)
		return of_socket(recv(l->fd, p, max, 0));
	rc = curl_easy_recv(l->curl, p, max, &got);
	if (rc == CURLE_OK)
		return got ? (long)got : LINK_LOST;
	return rc == CURLE_AGAIN ? LINK_AGAIN : LINK_LOST;
}
