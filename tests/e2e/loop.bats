# SPDX-License-Identifier: MIT
# The loop through real servers: Postfix takes the issue, refuses, bounces later and warns; what it sends back
# goes to a mailbox of Dovecot, which is read by IMAP and POP3.

load ../lib

setup() {
	[ "$(id -u)" = 0 ] || skip "Postfix and Dovecot need root"
	[ -x /usr/lib/postfix/sbin/master ] && command -v dovecot >/dev/null || skip "Postfix or Dovecot is not installed"
	cd "$ROOT"
	source tests/smtpd/smtpd.bash
	source tests/e2e/postfix.bash
	source tests/e2e/dovecot.bash
	relay=$(mktemp -d "${TMPDIR:-/tmp}/loop.XXXXXX")
	chmod 755 "$relay"
	tests/smtpd/make-certs "$relay"
	dovecot_start "$relay" ana bounces full:'*:bytes=10'
	extra >"$relay/extra.cf"
	postfix_start "$relay" || { cat "$relay/master.out" "$relay/log"; return 1; }
	make_site "$POSTFIX_PORT"
	settings
	for who in ana@readers.test nobody@readers.test gone@readers.test full@readers.test slow@slow.test; do
		mill -q subscriber add "$who" --list daily
	done
	write_issue "$SITE/i.md"
	mill -q issue schedule "$SITE/i.md"
}

teardown() {
	[ -z "${relay:-}" ] || {
		postfix_stop
		dovecot_stop
		rm -rf "$relay"
	}
}

# Postfix knows of `gone`, Dovecot does not; nobody listens for slow.test. Returned mail has one mailbox.
extra() {
	cat <<-M
		virtual_mailbox_domains = readers.test
		virtual_mailbox_maps = inline:{ ana@readers.test=x, gone@readers.test=x, full@readers.test=x, bounces@readers.test=x }
		virtual_transport = lmtp:inet:127.0.0.1:$LMTP_PORT
		default_transport = error
		transport_maps = inline:{ slow.test=smtp:[127.0.0.1]:9 }
		virtual_alias_domains = news.example.org
		virtual_alias_maps = regexp:$relay/aliases
		delay_warning_time = 1s
		queue_run_delay = 1s
		minimal_backoff_time = 1s
		maximal_backoff_time = 2s
		smtpd_relay_restrictions = permit_sasl_authenticated, permit_mynetworks, reject
		smtpd_tls_security_level = may
		mynetworks = 127.0.0.0/8
		lmtp_tls_security_level = none
		smtp_connection_cache_on_demand = no
		lmtp_connection_cache_on_demand = no
	M
	echo '/@news\.example\.org$/ bounces@readers.test' >"$relay/aliases"
}

settings() {
	/usr/bin/python3 - "$SITE/lettermill.conf" "$relay/ca.pem" "$IMAPS_PORT" <<-'P'
		import sys
		conf, ca, port = sys.argv[1:]
		text = open(conf).read()
		text = text.replace("host = 127.0.0.1", "host = localhost").replace("tls = none",
		    f'tls = starttls\n\tca_file = "{ca}"\n\tusername = "news@lettermill.test"\n'
		    '\tpassword_file = "secrets/relay"')
		text += f'''mailbox {{
			url = "imaps://localhost:{port}/INBOX"
			username = "bounces"
			password_file = "secrets/mailbox"
			ca_file = "{ca}"
		}}
		'''
		open(conf, "w").write(text)
	P
	(umask 077 && echo 'correct horse' >"$SITE/secrets/relay" && echo 'open-sesame' >"$SITE/secrets/mailbox")
}

mails() {
	find "$relay/people/bounces/Maildir"/{new,cur} -type f 2>/dev/null
}

came_back() {
	[ "$(mails | wc -l)" -ge "$1" ]
}

arrived() {
	[ -n "$(find "$relay/people/ana/Maildir/new" -type f 2>/dev/null)" ]
}

state_of() {
	mill why --json "$1" | jq -r '.deliveries[0].state'
}

suppressed() {
	sql "SELECT group_concat(email_key) FROM (SELECT email_key FROM subscribers WHERE suppressed = 1 ORDER BY 1)"
}

@test "refused, bounced, full and late: the ledger and the suppressions are right, and why tells it" {
	expect 0 deliver
	is "$(state_of nobody@readers.test)" failed
	wait_for 40 came_back 3 || { cat "$relay/log" "$relay/dovecot/log"; false; }
	expect 0 bounce ingest --mailbox --json
	is "$(jq -c '[.bounces,.ignored >= 1,.filed]' <<<"$output")" '[2,true,0]'
	is "$(state_of ana@readers.test)" sent
	is "$(state_of gone@readers.test)" bounced
	is "$(state_of full@readers.test)" bounced
	is "$(state_of slow@slow.test)" sent
	is "$(suppressed)" gone@readers.test,nobody@readers.test
	is "$(mails)" ""
	expect 0 why gone@readers.test
	has "$output" "bounced"
	has "$output" "5.1.1"
	expect 0 why full@readers.test
	has "$output" "full"
	expect 0 bounce ingest --mailbox --json
	is "$(jq .read <<<"$output")" 0
	expect 0 db check
}

@test "unsubscribed by mail, read by POP3; what is not understood stays there" {
	expect 0 deliver
	wait_for 40 arrived
	file=$(find "$relay/people/ana/Maildir/new" -type f | head -1)
	to=$(tr -d '\r\n\t ' <"$file" | grep -o 'mailto:unsubscribe[^>]*' | head -1)
	to=${to#mailto:}
	[ -n "$to" ]
	for subject in unsubscribe hello; do
		[ $subject = unsubscribe ] || to=letters@news.example.org
		swaks --silent 3 --server 127.0.0.1 --port "$POSTFIX_PORT" --from ana@readers.test --to "${to%%\?*}" --header "Subject: $subject" </dev/null
	done
	sed -i "s|imaps://localhost:[0-9]*/INBOX|pop3s://localhost:$POP3S_PORT/|" "$SITE/lettermill.conf"
	wait_for 20 eval 'mails | xargs -r grep -l "Subject: hello"' >/dev/null
	wait_for 20 eval 'mails | xargs -r grep -l "Subject: unsubscribe"' >/dev/null
	expect 0 bounce ingest --mailbox --json
	is "$(jq .unsubscribes <<<"$output")" 1
	is "$(mill subscriber show --json ana@readers.test | jq -r '.subscriptions[0].status')" unsubscribed
	is "$(mails | xargs grep -l 'Subject: unsubscribe' | wc -l)" 0
	is "$(mails | xargs grep -l 'Subject: hello' | wc -l)" 1
}

@test "a wrong password, and a server that others could pretend to be, are refused" {
	echo wrong >"$SITE/secrets/mailbox"
	expect 75 bounce ingest --mailbox
	echo 'open-sesame' >"$SITE/secrets/mailbox"
	sed -i '/mailbox {/,/}/s/ca_file = .*//' "$SITE/lettermill.conf"
	expect 75 bounce ingest --mailbox
	run ! grep -q 'open-sesame' <<<"$stderr"
}
