# SPDX-License-Identifier: MIT
# What comes back of a real issue: bounces, complaints and unsubscribes by mail, webhooks' events, and how each
# is taken back. The way through a real mail server is in loop.bats.

load ../lib

setup() {
	cd "$ROOT"
	source tests/smtpd/smtpd.bash
	mkdir "$BATS_TEST_TMPDIR/mail"
	smtpd_start --maildir "$BATS_TEST_TMPDIR/mail"
	make_site "$SMTP_PORT"
	for name in ana ben eva; do
		mill -q subscriber add $name@example.org --list daily
	done
	write_issue "$SITE/i.md"
	mill -q issue schedule "$SITE/i.md"
	mill -q deliver
}

teardown() {
	smtpd_stop || :
}

# envelope ADDRESS: the envelope sender of the copy.
envelope() {
	jq -r --arg to "$1" 'select(.to == $to) | .from' "$SMTPD_LOG"
}

# report ADDRESS RETURN-PATH STATUS WORDS: a delivery status notification.
report() {
	cat <<-END
		From: MAILER-DAEMON@mx.example.net
		To: $2
		Subject: Undelivered Mail Returned to Sender
		MIME-Version: 1.0
		Content-Type: multipart/report; report-type=delivery-status; boundary="b"

		--b
		Content-Type: text/plain

		Your message could not be delivered.

		--b
		Content-Type: message/delivery-status

		Reporting-MTA: dns; mx.example.net

		Final-Recipient: rfc822; $1
		Action: failed
		Status: $3
		Diagnostic-Code: smtp; 550 $3 $4

		--b--
	END
}

# ingest: standard input, as a pipe of a mail server; sets output.
ingest() {
	run --separate-stderr mill bounce ingest --json "$@"
	is "$status" 0
}

state_of() {
	mill why --json "$1" | jq -r '.deliveries[0].state'
}

suppressed() {
	sql "SELECT suppressed FROM subscribers WHERE email_key = '$1'"
}

@test "a dead address is suppressed at once, and a hundred times the same report is one event" {
	report ana@example.org "$(envelope ana@example.org)" 5.1.1 "no such user" >"$BATS_TEST_TMPDIR/dsn"
	ingest <"$BATS_TEST_TMPDIR/dsn"
	is "$(jq -c '[.read,.bounces,.suppressed]' <<<"$output")" '[1,1,1]'
	is "$(state_of ana@example.org)" bounced
	is "$(suppressed ana@example.org)" 1
	for i in $(seq 20); do ingest <"$BATS_TEST_TMPDIR/dsn"; done
	is "$(jq -c '[.read,.known,.bounces]' <<<"$output")" '[1,1,0]'
	is "$(sql 'SELECT count(*) FROM returns')" 1
	has "$(mill why ana@example.org)" "user-unknown"
	is "$(suppressed ben@example.org)" 0
	expect 0 db check
}

@test "forged, unsigned and other people's reports change nothing and are filed" {
	real=$(envelope ana@example.org)
	flipped=${real:0:12}$([ "${real:12:1}" = a ] && echo b || echo a)${real:13}
	for to in "$flipped" editor@news.example.org; do
		report ana@example.org "$to" 5.1.1 "no such user" | { ingest; is "$(jq -c '[.bounces,.filed]' <<<"$output")" '[0,1]'; }
	done
	is "$(state_of ana@example.org)" sent
	is "$(suppressed ana@example.org)" 0
}

@test "a full mailbox gets another chance; blocks and authentication never suppress" {
	report ana@example.org "$(envelope ana@example.org)" 5.2.2 "mailbox full" | mill -q bounce ingest
	report ben@example.org "$(envelope ben@example.org)" 5.7.1 "blocked using a blocklist" | mill -q bounce ingest
	report eva@example.org "$(envelope eva@example.org)" 5.7.26 "unauthenticated mail, DMARC policy" | mill -q bounce ingest
	is "$(sql 'SELECT group_concat(suppressed) FROM subscribers')" 0,0,0
	is "$(sql 'SELECT count(*) FROM returns')" 3
}

@test "unsubscribed by mail, with the token of the List-Unsubscribe" {
	file=$(grep -rl '^To: <\?ana@' "$BATS_TEST_TMPDIR/mail")
	to=$(tr -d '\r\n\t ' <"$file" | grep -o 'mailto:unsubscribe[^>]*' | head -1)
	to=${to#mailto:}
	printf 'From: ana@example.org\nTo: %s\nSubject: unsubscribe\n\n' "${to%%\?*}" | { ingest; is "$(jq .unsubscribes <<<"$output")" 1; }
	is "$(mill subscriber show --json ana@example.org | jq -r '.subscriptions[0].status')" unsubscribed
	printf 'From: x@example.org\nTo: unsubscribe+aaaabbbbccccdddd@news.example.org\nSubject: x\n\n' | { ingest; is "$(jq -c '[.unsubscribes,.filed]' <<<"$output")" '[0,1]'; }
	mill bounce replay --json
	is "$(mill subscriber show --json ana@example.org | jq -r '.subscriptions[0].status')" unsubscribed
}

@test "undo takes suppressions back; replay applies a new policy to what is kept" {
	report ana@example.org "$(envelope ana@example.org)" 5.1.1 "no such user" | mill -q bounce ingest
	report ben@example.org "$(envelope ben@example.org)" 5.2.2 "mailbox full" | mill -q bounce ingest
	expect 64 bounce undo --since 2020-01-01T00:00:00Z
	unchanged expect 0 bounce undo --dry-run --since 2020-01-01T00:00:00Z --reason recipient
	expect 0 bounce undo --json --since 2020-01-01T00:00:00Z --reason recipient
	is "$(jq -c '[.returns,.lifted]' <<<"$output")" '[1,1]'
	is "$(suppressed ana@example.org)" 0
	printf 'suppress {\n\tfull = now\n}\n' >>"$SITE/lettermill.conf"
	expect 0 bounce replay --json
	is "$(suppressed ben@example.org)" 1
	is "$(suppressed ana@example.org)" 0
	before=$(sql "SELECT * FROM returns; SELECT * FROM suppressions; SELECT * FROM deliveries")
	expect 0 bounce replay
	is "$(sql "SELECT * FROM returns; SELECT * FROM suppressions; SELECT * FROM deliveries")" "$before"
	expect 0 db check
}

@test "events of webhooks: SES through SNS, Postmark, SendGrid, Mailgun, our own" {
	ses='{"notificationType":"Bounce","bounce":{"bounceType":"Permanent","bouncedRecipients":[{"emailAddress":"ana@example.org","status":"5.1.1","diagnosticCode":"smtp; 550 5.1.1 user unknown"}]},"mail":{"source":"'$(envelope ana@example.org)'","destination":["ana@example.org"]}}'
	jq -nc --arg m "$ses" '{Type:"Notification",Message:$m}' | { ingest --events; is "$(jq -c '[.bounces,.suppressed]' <<<"$output")" '[1,1]'; }
	is "$(state_of ana@example.org)" bounced
	echo '[{"sg_event_id":"1","event":"delivered","email":"ben@example.org"},{"sg_event_id":"2","event":"spamreport","email":"ben@example.org"}]' |
		{ ingest --events; is "$(jq -c '[.read,.complaints,.ignored]' <<<"$output")" '[2,1,1]'; }
	is "$(state_of ben@example.org)" complained
	echo '{"RecordType":"Bounce","Type":"SoftBounce","Email":"eva@example.org","BouncedAt":"2026-01-01","Details":"mailbox full"}' |
		{ ingest --events; is "$(jq -c '[.bounces,.suppressed]' <<<"$output")" '[1,0]'; }
	echo '{"event-data":{"event":"failed","severity":"permanent","recipient":"eva@example.org","delivery-status":{"code":550,"message":"5.1.1 no such user"}}}' |
		{ ingest --events; is "$(jq -c '[.bounces,.suppressed]' <<<"$output")" '[1,1]'; }
	echo '{"event":"bounce","address":"nobody@example.org","text":"x"}' | { ingest --events; is "$(jq .filed <<<"$output")" 1; }
	echo 'no json' | { ingest --events; is "$(jq .filed <<<"$output")" 1; }
	is "$(sql 'SELECT count(*) FROM suppressions')" 3
}

@test "a Maildir: what is understood goes, the rest is filed; killed amid it, each counts once" {
	mkdir -p "$BATS_TEST_TMPDIR/box/new" "$BATS_TEST_TMPDIR/box/cur" "$BATS_TEST_TMPDIR/box/tmp"
	for name in ana ben eva; do
		report $name@example.org "$(envelope $name@example.org)" 5.1.1 "no such user" >"$BATS_TEST_TMPDIR/box/new/$name"
	done
	for i in $(seq 300); do
		printf 'From: a@example.org\nSubject: hello %d\n\nwords\n' "$i" >"$BATS_TEST_TMPDIR/box/new/$i"
	done
	for i in 1 2 3 4 5; do
		mill -q bounce ingest --maildir "$BATS_TEST_TMPDIR/box" 3>&- &
		sleep 0.0$((i * 2)) # somewhere amid it
		kill -9 $! 2>/dev/null || :
		wait $! || :
	done
	expect 0 bounce ingest --maildir "$BATS_TEST_TMPDIR/box"
	is "$(ls "$BATS_TEST_TMPDIR/box/new" | wc -l)" 0
	is "$(find "$BATS_TEST_TMPDIR/box/.Filed" -type f | wc -l)" 300
	is "$(sql 'SELECT count(*), count(DISTINCT hash) FROM arrivals')" "303|303"
	is "$(sql 'SELECT count(*) FROM returns')" 3
	is "$(sql 'SELECT sum(suppressed) FROM subscribers')" 3
}

@test "more than the cap: its beginning is read, and the mail server gets no failure" {
	{ report ana@example.org "$(envelope ana@example.org)" 5.1.1 "no such user"; head -c 40000000 /dev/zero | tr '\0' x; } >"$BATS_TEST_TMPDIR/large"
	ingest <"$BATS_TEST_TMPDIR/large"
	is "$(jq .bounces <<<"$output")" 1
	mv "$SITE/lettermill.db" "$SITE/away.db"
	run mill bounce ingest </dev/null
	is "$status" 75
}

@test "5.7.26 for everybody at once: nobody is suppressed, the issue is paused, and status says why" {
	for i in $(seq 60); do echo "reader$i@example.org"; done | sed '1i email' >"$BATS_TEST_TMPDIR/people.csv"
	mill -q import --list daily "$BATS_TEST_TMPDIR/people.csv"
	write_issue "$SITE/i.md" "Second light"
	mill -q issue schedule --window "$(date -u +%H:00)-$(date -u -d '+2 hours' +%H:00)" "$SITE/i.md"
	smtpd_stop
	smtpd_start --rule 'mail msg>=41 reply 421 4.3.2 come back' --rule 'mail conn>=2 reply 421 4.3.2 come back'
	use_relay "$SMTP_PORT"
	sed -i 's/connections = 4/connections = 1/' "$SITE/lettermill.conf"
	run mill deliver
	is "$(sql 'SELECT state FROM issues WHERE id = 2')" 1
	[ "$(sql 'SELECT count(*) FROM deliveries WHERE issue_id = 2 AND state = 5')" -ge 40 ]
	jq -r 'select(.to) | .to + " " + .from' "$SMTPD_LOG" | while read -r to from; do
		report "$to" "$from" 5.7.26 "This mail is unauthenticated, DMARC policy of news.example.org is reject" |
			mill -q bounce ingest
	done
	is "$(sql 'SELECT count(*) FROM suppressions')" 0
	is "$(sql 'SELECT sum(suppressed) FROM subscribers')" 0
	expect 0 status --json 2
	is "$(jq -r .state <<<"$output")" paused
	expect 0 status 2
	has "$output" "auth"
	expect 0 db check
}
