# SPDX-License-Identifier: MIT
# The whole product against the scripted server: whatever goes wrong, nobody is lost, and nobody gets a
# second copy but where the ledger says that the first was in doubt.

load ../lib

setup() {
	cd "$ROOT"
	source tests/smtpd/smtpd.bash
}

teardown() {
	[ -z "${mill_pid:-}" ] || kill -9 "$mill_pid" 2>/dev/null || :
	smtpd_stop || :
}

# site_for OPTION...: the server with these options, and a site that sends to it.
site_for() {
	smtpd_start "$@"
	make_site "$SMTP_PORT"
}

# conf OLD NEW: replace a text in lettermill.conf.
conf() {
	/usr/bin/python3 - "$SITE/lettermill.conf" "$@" <<-'P'
		import sys
		path, old, new = sys.argv[1:]
		text = open(path).read()
		assert old in text, text
		open(path, "w").write(text.replace(old, new))
	P
}

# schedule N: an issue to reader1@example.org, reader2@example.org, …
schedule() {
	{
		echo email,first_name
		seq "$1" | sed 's/.*/reader&@example.org,Reader &/'
	} >"$BATS_TEST_TMPDIR/readers.csv"
	mill -q import "$BATS_TEST_TMPDIR/readers.csv" --list daily
	write_issue "$BATS_TEST_TMPDIR/issue.md"
	mill -q issue schedule "$BATS_TEST_TMPDIR/issue.md"
}

# counts: the states of issue 1 that are not 0, such as "sent=9 deferred=1".
counts() {
	mill status --json 1 | jq -r '.counts | to_entries | map(select(.value > 0) | "\(.key)=\(.value)") | join(" ")'
}

# What waits for its time, or for a paused relay, or for a dead worker's lease, may go at once.
time_passes() {
	sql 'UPDATE deliveries SET due_at = 1 WHERE state IN (0, 3); UPDATE relays SET paused_until = 0;
		UPDATE leases SET until = 1'
}

# in_state NUMBER: addresses of the readers whose copy is in that state of the ledger, sorted.
in_state() {
	sql "SELECT email_key FROM deliveries JOIN subscribers ON id = subscriber_id WHERE state = $1" | sort
}

# attempts ADDRESS: what `why` tells, such as "rcpt 451 deferred,dot 250 sent".
attempts() {
	mill why --json "$1" | jq -r '.deliveries[0].attempts | map("\(.phase) \(.code) \(.state)") | join(",")'
}

# Every one of the N readers has exactly one copy.
once_each() {
	is "$(smtpd_copies | sort)" "$(seq -f 'reader%g@example.org' "$1" | sort)"
}

# No reader is without a copy; who has two was in doubt; all of a reader's copies are the same message.
none_lost() {
	is "$(smtpd_copies | sort -u)" "$(seq -f 'reader%g@example.org' "$1" | sort)"
	is "$(comm -23 <(smtpd_copies | sort | uniq -d) \
		<(sql 'SELECT email_key FROM deliveries JOIN subscribers ON id = subscriber_id WHERE doubts > 0' |
			sort))" ""
	is "$(jq -r 'select(.to) | .to + " " + .message_id' "$SMTPD_LOG" | sort -u | wc -l)" "$1"
	is "$(smtpd_copies | sort | uniq -c | awk '$1 > 2')" ""
}

# The client kept to the protocol.
well_behaved() {
	smtpd_stop || {
		smtpd_violations
		return 1
	}
}

has_copies() {
	[ "$(wc -l <"$SMTPD_LOG")" -ge "$1" ]
}

mill_is_gone() {
	! kill -0 "$mill_pid" 2>/dev/null
}

# deliver_until COPIES SIGNAL: start delivering, send the signal once so many copies are there. Sets
# `code`, the exit code.
deliver_until() {
	"$LETTERMILL" -C "$SITE" -q deliver 3>&- &
	mill_pid=$!
	wait_for 60 has_copies "$1"
	kill -s "$2" "$mill_pid"
	wait_for 10 mill_is_gone
	code=0
	wait "$mill_pid" || code=$?
	mill_pid=
}

@test "nothing goes wrong: one copy each, and nothing is left" {
	site_for
	schedule 300
	expect 0 deliver
	is "$(counts)" "sent=300"
	once_each 300
	is "$(mill status --json 1 | jq -r .state)" done
	expect 0 deliver
	once_each 300
	well_behaved
}

@test "4xx, then 2xx: one copy, two attempts recorded" {
	site_for --rule 'rcpt reader3@* once reply 451 4.7.1 greylisted, come back later' \
		--rule 'dot reader5@* once reply 452 4.3.1 no room' --rule 'data reader7@* once reply 451 4.3.0 wait' \
		--rule 'mail n=9 reply 452 4.3.1 busy'
	schedule 20
	expect 0 deliver
	is "$(counts)" "deferred=4 sent=16"
	expect 0 deliver
	is "$(counts)" "deferred=4 sent=16"
	is "$(attempts reader3@example.org)" "rcpt 451 deferred"
	time_passes
	expect 0 deliver
	is "$(counts)" "sent=20"
	once_each 20
	is "$(attempts reader3@example.org)" "rcpt 451 deferred,dot 250 sent"
	is "$(attempts reader5@example.org)" "dot 452 deferred,dot 250 sent"
	is "$(attempts reader7@example.org)" "data 451 deferred,dot 250 sent"
	is "$(mill why --json reader3@example.org | jq -r '.deliveries[0].attempts[0] | .status + " " + .text')" \
		"4.7.1 greylisted, come back later"
	well_behaved
}

@test "5xx at RCPT for one of many in a pipeline: the others are unaffected" {
	site_for --rule 'rcpt reader1@* reply 550 5.1.1 no such user' \
		--rule 'rcpt reader11@* reply 550 5.1.1 no such user' \
		--rule 'rcpt reader12@* reply 550 5.1.1 no such user' \
		--rule 'rcpt reader40@* reply 550 5.1.1 no such user'
	conf 'connections = 4' 'connections = 1'
	schedule 40
	expect 0 deliver -v
	is "$(counts)" "sent=36 failed=4"
	is "$(in_state 6 | tr '\n' ' ')" \
		"reader11@example.org reader12@example.org reader1@example.org reader40@example.org "
	is "$(attempts reader11@example.org)" "rcpt 550 failed"
	has "$stderr" "code=550 status=5.1.1 reason=recipient"
	has "$(mill why reader11@example.org)" "no such user  [recipient, rule user-unknown]"
	is "$(mill why --json reader11@example.org | jq -c '.deliveries[0].attempts[0]|[.reason,.rule]')" \
		'["recipient","user-unknown"]'
	is "$(smtpd_copies | sort)" "$(in_state 5)"
	well_behaved
	is "$(jq .connections "$SMTPD_SUMMARY")" 1
}

@test "issue show --failed names the copies that will not arrive, and why" {
	site_for --rule 'rcpt reader3@* reply 550 5.1.1 no such user' --rule 'dot reader5@* reply 554 5.6.0 not this'
	schedule 6
	mill -q deliver || :
	expect 0 issue show --failed 1
	has "$output" "reader3@example.org: failed at rcpt: 550 5.1.1 no such user"
	expect 0 issue show --failed --json 1
	is "$(jq -r 'select(.email == "reader3@example.org") | "\(.state) \(.phase) \(.code) \(.status) \(.attempts)"' <<<"$output")" \
		"failed rcpt 550 5.1.1 1"
	mill -q subscriber erase reader3@example.org
	expect 0 issue show --failed 1
	has "$output" "(erased): failed at rcpt: 550 5.1.1 "
	run ! grep -q reader3 <<<"$output"
}

@test "a refusal of our address or a spent quota fails nobody, whatever the code and the phase" {
	site_for --rule 'rcpt reader3@* once reply 550 5.7.1 Client host [192.0.2.1] blocked using a list' \
		--rule 'dot reader5@* once reply 550 5.4.5 Daily sending limit exceeded'
	schedule 5
	run --separate-stderr mill deliver -v
	has "$stderr" "reason=block"
	has "$stderr" "relay 'main' paused"
	is "$(mill status --json 1 | jq -c '[.counts.failed, .counts.expired, .counts.in_doubt]')" "[0,0,0]"
	is "$(attempts reader3@example.org)" "rcpt 550 deferred"
	is "$(attempts reader5@example.org)" ""
}

@test "535: nobody loses an attempt, and after the repair all is delivered" {
	site_for --auth news:secret
	conf 'tls = none' $'tls = none\n\tusername = "news"\n\tpassword_file = "secrets/relay"'
	echo wrong >"$SITE/secrets/relay"
	chmod 600 "$SITE/secrets/relay"
	schedule 50
	expect 75 deliver
	has "$stderr" 535
	is "$(counts)" "queued=50"
	is "$(sql 'SELECT count(*) FROM attempts')" 0
	expect 75 deliver
	is "$(smtpd_copies)" ""
	echo secret >"$SITE/secrets/relay"
	time_passes
	expect 0 deliver
	is "$(counts)" "sent=50"
	is "$(sql 'SELECT max(attempts) FROM deliveries')" 1
	once_each 50
	jq -se 'all(.auth)' "$SMTPD_LOG"
	well_behaved
}

@test "421 in the middle: the rest goes over new connections, nobody gets two" {
	site_for --rule 'mail msg=8 reply 421 4.7.0 too many messages on this connection'
	schedule 100
	for run in 1 2 3; do
		mill -q deliver || :
		time_passes
	done
	is "$(counts)" "sent=100"
	once_each 100
	well_behaved
}

@test "421 to the dot: deferred or sent again, nobody gets two" {
	site_for --rule 'dot n=5 reply 421 4.3.2 shutting down' --rule 'rcpt n=30 reply 421 4.3.2 shutting down'
	schedule 60
	for run in 1 2 3; do
		mill -q deliver || :
		time_passes
	done
	is "$(counts)" "sent=60"
	once_each 60
	well_behaved
}

@test "the connection is lost, at every step and in three ways: nobody is lost" {
	for step in connect ehlo mail rcpt data 'body bytes=200' dot after-dot; do
		for way in close reset garbage; do
			[ "$step:$way" != "body bytes=200:garbage" ] || continue
			rm -rf "$BATS_TEST_TMPDIR/site"
			site_for --rule "$step n=2 $way"
			schedule 12
			for run in 1 2 3 4; do
				mill -q deliver 2>/dev/null || :
				time_passes
			done
			is "$step $way: $(counts)" "$step $way: sent=12"
			none_lost 12
			[ "$step" = after-dot ] || once_each 12
			smtpd_stop || :
		done
	done
}

@test "the answer to the dot is lost: in doubt, sent once more with the same Message-ID" {
	site_for --rule 'after-dot reader4@* n=1 close'
	schedule 8
	mill -q deliver || :
	time_passes
	mill -q deliver || :
	is "$(counts)" "sent=8"
	none_lost 8
	is "$(smtpd_copies | sort | uniq -d)" reader4@example.org
	has "$(attempts reader4@example.org)" "in_doubt,dot 250 sent"
	well_behaved
}

@test "many copies that a doubt binds to their relay leave in one run" {
	site_for
	schedule 300
	mill -q deliver
	write_issue "$BATS_TEST_TMPDIR/second.md" "A second one"
	mill -q issue schedule "$BATS_TEST_TMPDIR/second.md"
	sql 'UPDATE deliveries SET doubts = 1, attempts = 1, relay_id = 1 WHERE issue_id = 2'
	expect 0 deliver
	is "$(mill status --json 2 | jq -c '[.state, .counts.sent]')" '["done",300]'
}

@test "a second doubt holds, and in_doubt = hold holds the first" {
	site_for --rule 'after-dot reader4@* close'
	schedule 8
	for run in 1 2 3; do
		mill -q deliver || :
		time_passes
	done
	is "$(counts)" "in_doubt=1 sent=7"
	is "$(smtpd_copies | grep -c reader4@)" 2

	smtpd_stop
	rm -rf "$BATS_TEST_TMPDIR/site"
	site_for --rule 'after-dot reader4@* close'
	printf 'delivery {\n\tin_doubt = hold\n}\n' >>"$SITE/lettermill.conf"
	schedule 8
	for run in 1 2 3; do
		mill -q deliver || :
		time_passes
	done
	is "$(counts)" "in_doubt=1 sent=7"
	once_each 8
	well_behaved
}

@test "a stop leaves the only copy in doubt: the next run takes it up" {
	site_for --rule 'after-dot n=1 stall'
	schedule 1
	"$LETTERMILL" -q -C "$SITE" deliver 3>&- &
	mill_pid=$!
	arrived() { [ "$(smtpd_copies | wc -l)" = 1 ]; }
	wait_for 20 arrived
	kill -TERM $mill_pid
	wait $mill_pid || :
	mill_pid=
	is "$(counts)" in_doubt=1
	expect 0 deliver
	is "$(counts)" sent=1
	is "$(smtpd_copies | wc -l)" 2
	is "$(mill status --json 1 | jq -r .state)" done
}

@test "trouble on one connection does not cut short what others have in flight" {
	site_for --rule 'dot reader1@* once delay 9s' --rule 'mail n=4 reply 530 5.7.0 not now'
	schedule 8
	expect 75 deliver
	is "$(sql 'SELECT count(*) FROM deliveries WHERE state = 4')" 0
	is "$(sql 'SELECT failures FROM relays')" 1
	time_passes
	expect 0 deliver
	once_each 8
}

@test "SIGTERM in the middle: it stops within 10 s, and ledger and server agree" {
	for signal in TERM INT; do
		rm -rf "$BATS_TEST_TMPDIR/site"
		site_for --dot-delay 20
		schedule 1000
		deliver_until 100 $signal
		is "$(smtpd_copies | sort)" "$(in_state 5)"
		has "$(counts)" queued=
		is "$(sql 'SELECT count(*) FROM deliveries WHERE state IN (1, 2, 3, 4)')" 0
		expect 0 deliver
		once_each 1000
		is "$(counts)" sent=1000
		well_behaved
	done
}

@test "kill -9 in the middle, three times: nobody is lost, doubles only where in doubt" {
	site_for --dot-delay 5
	schedule 2000
	for copies in 150 600 1100; do
		deliver_until $copies KILL
		time_passes
	done
	expect 0 deliver
	time_passes
	expect 0 deliver
	is "$(counts)" sent=2000
	none_lost 2000
	expect 0 db check
	well_behaved
}

@test "two workers at once send nothing twice" {
	site_for --dot-delay 2
	schedule 1000
	mill -q deliver 3>&- &
	mill_pid=$!
	mill -q deliver
	wait "$mill_pid"
	mill_pid=
	is "$(counts)" sent=1000
	once_each 1000
	well_behaved
}

@test "a worker that cannot reach the relay loses nothing" {
	make_site
	schedule 10
	expect 75 deliver
	is "$(counts)" "queued=10"
	is "$(sql 'SELECT count(*) FROM attempts')" 0
}

@test "nothing is used that the relay does not offer" {
	for no in PIPELINING SIZE 8BITMIME SMTPUTF8 DSN ENHANCEDSTATUSCODES; do
		rm -rf "$BATS_TEST_TMPDIR/site"
		site_for --no $no
		schedule 20
		expect 0 deliver
		is "$no: $(counts)" "$no: sent=20"
		once_each 20
		well_behaved
	done
}

@test "a relay that knows HELO only" {
	site_for --rule 'ehlo reply 502 5.5.1 not implemented'
	schedule 20
	expect 0 deliver
	once_each 20
	well_behaved
}

@test "a local part beyond ASCII needs SMTPUTF8" {
	for option in --sha256 '--no SMTPUTF8'; do
		rm -rf "$BATS_TEST_TMPDIR/site"
		site_for $option
		printf 'email\nελπίδα@example.org\nplain@bücher.example\n' >"$BATS_TEST_TMPDIR/two.csv"
		mill -q import "$BATS_TEST_TMPDIR/two.csv" --list daily
		write_issue "$BATS_TEST_TMPDIR/issue.md"
		mill -q issue schedule "$BATS_TEST_TMPDIR/issue.md"
		expect 0 deliver
		if [ "$option" = --sha256 ]; then
			is "$(smtpd_copies | sort)" $'plain@xn--bcher-kva.example\nελπίδα@example.org'
			is "$(jq -r 'select(.smtputf8) | .to' "$SMTPD_LOG")" "ελπίδα@example.org"
		else
			is "$(smtpd_copies)" "plain@xn--bcher-kva.example"
			is "$(counts)" "sent=1 failed=1"
		fi
		well_behaved
	done
}

@test "a quoted local part, where allowed, leaves as it is in command and header, by both transports" {
	local csv=$BATS_TEST_TMPDIR/quoted.csv transport
	local expected=('"ann lee"@example.org' '"a@b> <c\"d"@example.org' plain@example.org)
	# As Python's email package reads the field To.
	addressees() {
		/usr/bin/python3 - "$BATS_TEST_TMPDIR"/mail/new/* <<-'P' | sort
			import email, email.policy, sys
			for path in sys.argv[1:]:
			    copy = email.message_from_binary_file(open(path, "rb"), policy=email.policy.default)
			    for address in copy["to"].addresses:
			        print(address.addr_spec)
		P
	}
	cat >"$csv" <<-'END'
		email
		"""ann lee""@Example.org"
		"""a@b> <c\""d""@example.org"
		"""plain""@example.org"
		plain@example.org
	END
	for transport in curl esmtp; do
		rm -rf "$BATS_TEST_TMPDIR/site" "$BATS_TEST_TMPDIR/mail"
		mkdir "$BATS_TEST_TMPDIR/mail"
		site_for --maildir "$BATS_TEST_TMPDIR/mail"
		conf 'tls = none' "tls = none
			transport = $transport"
		mill -q import "$csv" --list daily
		is "$(sql 'SELECT count(*) FROM subscribers')" 1
		sed -i '1i quoted_local_parts = yes' "$SITE/lettermill.conf"
		is "$(mill import --json "$csv" --list daily | tail -1 | jq -c '[.added, .unchanged, .rejected]')" '[2,2,0]'
		write_issue "$BATS_TEST_TMPDIR/issue.md"
		mill -q issue schedule "$BATS_TEST_TMPDIR/issue.md"
		expect 0 deliver
		has "$(cat "$SMTPD_TRANSCRIPT")" 'RCPT TO:<"ann lee"@example.org> NOTIFY=FAILURE,DELAY ORCPT=rfc822;"ann+20lee"@example.org'
		has "$(cat "$SMTPD_TRANSCRIPT")" 'RCPT TO:<"a@b> <c\"d"@example.org> NOTIFY'
		is "$(smtpd_copies | sort)" "$(printf '%s
' "${expected[@]}" | sort)"
		is "$(addressees)" "$(printf '%s
' "${expected[@]}" | sort)"
		well_behaved
	done
}

@test "STARTTLS with AUTH behind it; a certificate of somebody else's gets no password and no mail" {
	mkdir "$BATS_TEST_TMPDIR"/{ours,theirs}
	tests/smtpd/make-certs "$BATS_TEST_TMPDIR/ours"
	tests/smtpd/make-certs "$BATS_TEST_TMPDIR/theirs"
	site_for --cert "$BATS_TEST_TMPDIR/ours/server.pem" --auth news:secret
	conf 'tls = none' "tls = starttls
		ca_file = \"$BATS_TEST_TMPDIR/theirs/ca.pem\"
		username = news
		password_file = \"secrets/relay\""
	(umask 077 && echo secret >"$SITE/secrets/relay")
	schedule 20
	expect 75 deliver
	is "$(grep -E '^[0-9]+ C (AUTH|MAIL)' "$SMTPD_TRANSCRIPT")" ""
	is "$(counts)" queued=20
	conf theirs/ca.pem ours/ca.pem
	time_passes
	expect 0 deliver
	once_each 20
	jq -se 'all(.tls and .auth)' "$SMTPD_LOG"
}

# certificate NAME DAYS: bad.pem of that name, valid from two days ago for so many days, by the authority here.
certificate() {
	local name=$1 from until
	from=$(date -u -d '-2 days' +%Y%m%d%H%M%SZ) until=$(date -u -d "-2 days +$2 days" +%Y%m%d%H%M%SZ)
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$name" -keyout bad.key -out bad.csr 2>/dev/null
	printf 'subjectAltName=DNS:%s\n' "$name" >bad.ext
	: >index.txt
	printf '%s\n' '[ca]' 'default_ca = it' '[it]' 'database = index.txt' 'new_certs_dir = .' 'default_md = sha256' \
		'policy = any' 'rand_serial = yes' 'unique_subject = no' '[any]' 'commonName = supplied' >ca.cnf
	openssl ca -batch -notext -config ca.cnf -cert ca.pem -keyfile ca.key -in bad.csr -extfile bad.ext \
		-startdate "$from" -enddate "$until" -out bad.crt 2>/dev/null
	cat bad.key bad.crt >bad.pem
}

@test "a certificate that is over, of another name, or signed by itself: nothing leaves, in either way of TLS" {
	cd "$BATS_TEST_TMPDIR"
	"$ROOT/tests/smtpd/make-certs" .
	for bad in "localhost 1" "mail.example.net 30" itself; do
		if [ "$bad" = itself ]; then
			openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost \
				-addext 'subjectAltName=DNS:localhost,IP:127.0.0.1' -keyout bad.key -out bad.crt 2>/dev/null
			cat bad.key bad.crt >bad.pem
		else
			certificate $bad
		fi
		for how in starttls implicit; do
			rm -rf "$BATS_TEST_TMPDIR/site"
			implicit=()
			[ "$how" = starttls ] || implicit=(--implicit-tls)
			site_for --cert "$BATS_TEST_TMPDIR/bad.pem" --auth news:secret "${implicit[@]}"
			conf 'host = 127.0.0.1' 'host = localhost'
			conf 'tls = none' "tls = $how
				ca_file = \"$BATS_TEST_TMPDIR/ca.pem\"
				username = news
				password_file = \"secrets/relay\""
			(umask 077 && echo secret >"$SITE/secrets/relay")
			schedule 5
			expect 75 deliver
			is "$bad $how: $(counts)" "$bad $how: queued=5"
			is "$(grep -E '^[0-9]+ C (AUTH|MAIL)' "$SMTPD_TRANSCRIPT")" ""
			smtpd_stop || :
		done
	done
}

@test "implicit TLS" {
	tests/smtpd/make-certs "$BATS_TEST_TMPDIR"
	site_for --cert "$BATS_TEST_TMPDIR/server.pem" --implicit-tls
	conf 'tls = none' "tls = implicit
		ca_file = \"$BATS_TEST_TMPDIR/ca.pem\""
	schedule 200
	expect 0 deliver
	once_each 200
	well_behaved
}

@test "TLS is required: a relay without it, an injected reply, a broken handshake get no mail" {
	tests/smtpd/make-certs "$BATS_TEST_TMPDIR"
	for rule in '' 'starttls reply 220 go\n250 AUTH PLAIN' 'tls garbage' 'starttls reply 454 4.7.0 not now'; do
		rm -rf "$BATS_TEST_TMPDIR/site"
		if [ -n "$rule" ]; then
			site_for --cert "$BATS_TEST_TMPDIR/server.pem" --rule "$rule"
		else
			site_for
		fi
		conf 'tls = none' "tls = starttls
			ca_file = \"$BATS_TEST_TMPDIR/ca.pem\""
		schedule 5
		expect 75 deliver
		is "$rule: $(counts)" "$rule: queued=5"
		is "$(grep -E '^[0-9]+ C (AUTH|MAIL)' "$SMTPD_TRANSCRIPT")" ""
		smtpd_stop || :
	done
}

# deliver_to_all ISSUE: that issue to the 1,000 readers of the tests, judged by Python's email package.
deliver_to_all() {
	site_for --maildir "$BATS_TEST_TMPDIR/mail"
	mill import "$ROOT/tests/data/subscribers.csv" --list daily --json |
		tail -n 1 | jq -e '.added == 1000 and .rejected == 0'
	mill -q issue schedule "$1"
	expect 0 deliver
	is "$(counts)" sent=1000
	tests/e2e/check-copies "$BATS_TEST_TMPDIR/mail" tests/data/subscribers.csv
	well_behaved
}

@test "the sample issue to 1,000 readers: judged by Python's email package and SpamAssassin" {
	deliver_to_all "$ROOT/mail-templates/sample/issue.md"
	for file in $(ls -d "$BATS_TEST_TMPDIR"/mail/new/* | awk 'NR % 400 == 1'); do
		not_spam "$file"
	done
}

@test "the real issue to 1,000 readers: judged by Python's email package and SpamAssassin" {
	issue=$ROOT/../shared/design/issue.md
	[ -r "$issue" ] || issue=$LETTERMILL_CORPUS/../design/issue.md
	[ -r "$issue" ] || skip "the real issue is not here"
	deliver_to_all "$issue"
	not_spam "$(ls -d "$BATS_TEST_TMPDIR"/mail/new/* | head -n 1)"
}

# not_spam FILE: SpamAssassin, offline, gives it no more than 1.0.
not_spam() {
	local score
	score=$(spamassassin -L -t <"$1" | sed -n 's/^X-Spam-Status: .*score=\([-0-9.]*\).*/\1/p')
	awk -v s="$score" 'BEGIN { exit !(s != "" && s <= 1.0) }' || {
		spamassassin -L -t <"$1" | sed -n '/^Content analysis/,$p'
		return 1
	}
}

@test "issue resolve: what is held in doubt arrived, did not, or is sent again" {
	site_for --rule 'after-dot reader1@* n=1 close' --rule 'after-dot reader2@* n=1 close' \
		--rule 'after-dot reader3@* n=1 close'
	printf 'delivery {\n\tin_doubt = hold\n}\n' >>"$SITE/lettermill.conf"
	schedule 9
	for run in 1 2 3 4; do
		mill -q deliver || :
		time_passes
	done
	is "$(counts)" "in_doubt=3 sent=6"
	is "$(mill status --json 1 | jq -r .state)" done
	unchanged expect 0 issue resolve 1 --all --as resend --dry-run
	has "$output" "3 copies in doubt would be queued again"
	unchanged expect 64 issue resolve 1 --all --as lost
	unchanged expect 64 issue resolve 1 --as sent
	unchanged expect 64 issue resolve 1 --all --address reader1@example.org --as sent
	unchanged expect 77 issue resolve 1 --address reader9@example.org --as sent
	has "$stderr" "is sent, not in doubt"

	expect 0 issue resolve 1 --address reader1@example.org --as sent
	expect 0 issue resolve 1 --address reader2@example.org --as failed
	is "$(counts)" "in_doubt=1 sent=7 failed=1"
	has "$(mill why reader2@example.org)" "resolved by hand: it did not arrive and stays unsent"
	is "$(mill issue resolve 1 --all --as resend --json | jq -c .)" \
		'{"issue":1,"as":"resend","resolved":1,"dry_run":false}'
	is "$(mill status --json 1 | jq -r .state)" delivering
	expect 0 deliver
	is "$(counts)" "sent=8 failed=1"
	is "$(smtpd_copies | sort | uniq -d)" reader3@example.org
	is "$(jq -r 'select(.to == "reader3@example.org") | .message_id' "$SMTPD_LOG" | uniq | wc -l)" 1
	is "$(attempts reader3@example.org)" "dot 0 in_doubt,dot 0 queued,dot 250 sent"
	expect 0 db check
	well_behaved
}
