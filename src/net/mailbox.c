/* SPDX-License-Identifier: MIT */
#include "net/mailbox.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	CONNECT_S = 30,
	STALL_S = 60,
	LISTING_MAX = 16 * 1024 * 1024,
	COMMAND_MAX = 256,
	URL_MAX_OCTETS = 1024,
};

struct mailbox_link {
	CURL *curl;
	const struct mailbox_account *account;
	bool imap;
	struct mailbox_message *message;
	char error[CURL_ERROR_SIZE];
};

static size_t take(char *p, size_t size, size_t n, void *user)
{
	struct buf *out = user;

	buf_add(out, p, size * n);
	return out->over ? 0 : size * n;
}

const char *mailbox_protocol(const struct mailbox_link *m)
{
	return m->imap ? "imap" : "pop3";
}

static int fail(struct mailbox_link *m, CURLcode rc, struct err *e)
{
	return err_set(e, ERR_RELAY, "the mailbox '%s' failed: %s", m->account->url,
		m->error[0] ? m->error : curl_easy_strerror(rc));
}

/* One command at the folder (`more` follows the URL); what it answers goes to `out`. */
static CURLcode perform(struct mailbox_link *m, const char *more, const char *command, bool no_body,
	struct buf *out)
{
	char url[URL_MAX_OCTETS];

	if (snprintf(url, sizeof url, "%s%s", m->account->url, more) >= (int)sizeof url)
		return CURLE_URL_MALFORMAT;
	m->error[0] = '\0';
	curl_easy_setopt(m->curl, CURLOPT_URL, url);
	curl_easy_setopt(m->curl, CURLOPT_CUSTOMREQUEST, command);
	curl_easy_setopt(m->curl, CURLOPT_NOBODY, no_body ? 1L : 0L);
	curl_easy_setopt(m->curl, CURLOPT_WRITEDATA, out);
	return curl_easy_perform(m->curl);
}

/* A command whose answer is of no interest. */
static CURLcode say(struct mailbox_link *m, const char *command)
{
	struct buf out;
	CURLcode rc;

	buf_init(&out, LISTING_MAX);
	rc = perform(m, "", command, !m->imap, &out);
	buf_free(&out);
	return rc;
}

int mailbox_open(const struct mailbox_account *account, struct mailbox_link **out, struct err *e)
{
	struct mailbox_link *m = calloc(1, sizeof *m);

	*out = NULL;
	if (!m)
		return err_set(e, ERR_IO, "out of memory");
	m->account = account;
	m->imap = strncmp(account->url, "imap", 4) == 0;
	m->curl = curl_easy_init();
	if (!m->curl) {
		free(m);
		return err_set(e, ERR_IO, "out of memory");
	}
	curl_easy_setopt(m->curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(m->curl, CURLOPT_ERRORBUFFER, m->error);
	curl_easy_setopt(m->curl, CURLOPT_PROTOCOLS_STR, "imap,imaps,pop3,pop3s");
	curl_easy_setopt(m->curl, CURLOPT_USERNAME, account->username);
	curl_easy_setopt(m->curl, CURLOPT_PASSWORD, account->password);
	curl_easy_setopt(m->curl, CURLOPT_USE_SSL, (long)CURLUSESSL_ALL);
	curl_easy_setopt(m->curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	if (account->ca_file)
		curl_easy_setopt(m->curl, CURLOPT_CAINFO, account->ca_file);
	curl_easy_setopt(m->curl, CURLOPT_PROXY, "");
	curl_easy_setopt(m->curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_S);
	curl_easy_setopt(m->curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
	curl_easy_setopt(m->curl, CURLOPT_LOW_SPEED_TIME, (long)STALL_S);
	curl_easy_setopt(m->curl, CURLOPT_WRITEFUNCTION, take);
	*out = m;
	return 0;
}

void mailbox_close(struct mailbox_link *m)
{
	if (!m)
		return;
	curl_easy_cleanup(m->curl);
	free(m->message);
	free(m);
}

/* The number behind `word` in a line, or -1. */
static int64_t number_behind(struct str line, struct str word)
{
	size_t at = str_search(line, word);
	struct str digits = str_slice(line, at + word.n, line.n);
	int64_t v;

	if (at == line.n)
		return -1;
	for (size_t i = 0; i < digits.n; i++)
		if (digits.p[i] < '0' || digits.p[i] > '9')
			digits.n = i;
	return str_to_int(digits, 0, INT64_MAX, &v) ? v : -1;
}

/* IMAP: "* 3 FETCH (UID 7 RFC822.SIZE 4321 FLAGS (\Seen))"; POP3: "3 4321". */
static bool read_line(const struct mailbox_link *m, struct str line, struct mailbox_message *out)
{
	size_t space = str_find(line, ' ');

	if (!m->imap)
		return str_to_int(str_slice(line, 0, space), 1, INT32_MAX, &out->id) &&
		       str_to_int(
			       str_trim(str_slice(line, space, line.n)), 0, INT64_MAX, &out->size);
	out->id = number_behind(line, STR("UID "));
	out->size = number_behind(line, STR("RFC822.SIZE "));
	return str_has_prefix(line, STR("* ")) && out->id > 0 && out->size >= 0 &&
	       str_search(line, STR("\\Deleted")) == line.n;
}

int mailbox_list(struct mailbox_link *m, struct mailbox_message **out, size_t *n, struct err *e)
{
	struct str rest, line;
	struct buf listing;
	size_t lines = 1;
	CURLcode rc;

	*n = 0;
	buf_init(&listing, LISTING_MAX);
	rc = perform(m, "", m->imap ? "UID FETCH 1:* (RFC822.SIZE FLAGS)" : NULL, false, &listing);
	if (rc != CURLE_OK) {
		buf_free(&listing);
		return fail(m, rc, e);
	}
	rest = buf_view(&listing);
	for (size_t i = 0; i < rest.n; i++)
		lines += rest.p[i] == '\n';
	free(m->message);
	m->message = calloc(lines, sizeof *m->message);
	if (!m->message) {
		buf_free(&listing);
		return err_set(e, ERR_IO, "out of memory");
	}
	while (str_next(&rest, '\n', &line))
		*n += read_line(m, line, &m->message[*n]);
	buf_free(&listing);
	*out = m->message;
	return 0;
}

int mailbox_fetch(struct mailbox_link *m, int64_t id, struct buf *out, struct err *e)
{
	char more[48];
	CURLcode rc;

	snprintf(more, sizeof more, "%s%lld", m->imap ? ";UID=" : "", (long long)id);
	rc = perform(m, more, NULL, false, out);
	if (out->over)
		return err_set(e, ERR_INPUT, "message %lld is larger than %zu octets",
			(long long)id, out->max);
	return rc == CURLE_OK ? 0 : fail(m, rc, e);
}

int mailbox_remove(struct mailbox_link *m, int64_t id, struct err *e)
{
	char command[COMMAND_MAX];
	CURLcode rc;

	if (!m->imap) {
		snprintf(command, sizeof command, "DELE %lld", (long long)id);
		rc = say(m, command);
		return rc == CURLE_OK ? 0 : fail(m, rc, e);
	}
	snprintf(
		command, sizeof command, "UID STORE %lld +FLAGS.SILENT (\\Deleted)", (long long)id);
	rc = say(m, command);
	if (rc != CURLE_OK)
		return fail(m, rc, e);
	snprintf(command, sizeof command, "UID EXPUNGE %lld", (long long)id);
	say(m, command); /* refused without UIDPLUS: the mark stays */
	return 0;
}

int mailbox_file(struct mailbox_link *m, int64_t id, struct err *e)
{
	char copy[COMMAND_MAX], create[COMMAND_MAX];
	CURLcode rc;

	if (!m->imap)
		return 0;
	snprintf(copy, sizeof copy, "UID COPY %lld \"%s\"", (long long)id, m->account->filed);
	rc = say(m, copy);
	if (rc == CURLE_QUOTE_ERROR) {
		snprintf(create, sizeof create, "CREATE \"%s\"", m->account->filed);
		say(m, create);
		rc = say(m, copy);
	}
	return rc == CURLE_OK ? mailbox_remove(m, id, e) : fail(m, rc, e);
}
