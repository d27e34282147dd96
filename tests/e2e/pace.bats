# SPDX-License-Identifier: MIT
# Pacing, the whole product against scripted servers: shares, quotas that outlive a restart, failover,
# probes, lanes that go slower by themselves.

load ../lib

setup() {
	cd "$ROOT"
	source tests/smtpd/smtpd.bash
	A= B=
}

teardown() {
	for pid in $A $B; do kill "$pid" || :; done 2>/dev/null
}

# start_a / start_b [OPTION]...: a server; sets A and A_PORT, B and B_PORT. Its copies are told by copies_of.
start_a() {
	mkdir -p "$BATS_TEST_TMPDIR/a"
	BATS_TEST_TMPDIR=$BATS_TEST_TMPDIR/a SMTPD_PORT=${A_PORT:-0} smtpd_start "$@"
	A=$SMTPD_PID A_PORT=$SMTP_PORT
}
start_b() {
	mkdir -p "$BATS_TEST_TMPDIR/b"
	BATS_TEST_TMPDIR=$BATS_TEST_TMPDIR/b SMTPD_PORT=${B_PORT:-0} smtpd_start "$@"
	B=$SMTPD_PID B_PORT=$SMTP_PORT
}

# copies_of a|b: the recipients of that server's copies, in order of arrival.
copies_of() {
	SMTPD_LOG=$BATS_TEST_TMPDIR/$1/smtpd.log smtpd_copies
}
number_of() {
	copies_of "$1" | wc -l
}

# two_relays [A-SETTINGS] [B-SETTINGS]: a site with the relays "a" and "b".
two_relays() {
	make_site "$A_PORT"
	sed -i "s/relay \"main\" {/relay \"a\" {\n${1:-}/" "$SITE/lettermill.conf"
	printf 'relay "b" { host = 127.0.0.1 port = %s tls = none connections = 4 %s }\n' "$B_PORT" "${2:-}" \
		>>"$SITE/lettermill.conf"
}

# one_relay SETTINGS: a site with the relay "main", server a.
one_relay() {
	make_site "$A_PORT"
	sed -i "s/relay \"main\" {/relay \"main\" {\n$1/" "$SITE/lettermill.conf"
}

# schedule DOMAIN=NUMBER...: an issue to so many readers at each domain.
schedule() {
	local part
	{
		echo email
		for part in "$@"; do seq "${part#*=}" | sed "s/.*/reader&@${part%=*}/"; done
	} >"$BATS_TEST_TMPDIR/readers.csv"
	mill -q import "$BATS_TEST_TMPDIR/readers.csv" --list daily
	write_issue "$BATS_TEST_TMPDIR/issue.md" "${SUBJECT:-First light}"
	mill -q issue schedule "$BATS_TEST_TMPDIR/issue.md"
}

# counts [ISSUE]: the states that are not 0, such as "sent=9 deferred=1".
counts() {
	mill status --json "${1:-1}" |
		jq -r '.counts | to_entries | map(select(.value > 0) | "\(.key)=\(.value)") | join(" ")'
}

@test "two relays share by their weights" {
	start_a
	start_b
	two_relays 'weight = 3' ''
	sed -i 's/connections = 4/connections = 60/' "$SITE/lettermill.conf"
	schedule example.org=400
	expect 0 deliver
	is "$(counts)" "sent=400"
	is "$({ copies_of a; copies_of b; } | sort -u | wc -l)" 400
	echo "$(number_of a) by a"
	[ "$(number_of a)" -ge 290 ] && [ "$(number_of a)" -le 310 ]
}

@test "a relay in trouble: the other takes all, and one message probes the first when it has rested" {
	start_a --rule 'mail reply 454 4.7.0 temporary authentication failure'
	start_b
	two_relays
	schedule example.org=60
	expect 0 deliver
	is "$(counts)" "sent=60"
	is "$(number_of a) $(number_of b)" "0 60"
	is "$(sql 'SELECT sum(attempts) FROM deliveries')" 60
	expect 0 status
	has "$output" "relay 'a' rests until "
	has "$output" "temporary authentication failure"
	# Nobody asks it while it rests.
	asked=$(wc -l <"$BATS_TEST_TMPDIR/a/smtpd.transcript")
	SUBJECT="Second light" schedule example.org=60
	expect 0 deliver
	is "$(number_of b)" 120
	is "$(wc -l <"$BATS_TEST_TMPDIR/a/smtpd.transcript")" "$asked"
	# It has rested and is well again: a probe, then its share.
	kill "$A"
	wait "$A" || :
	start_a --reply-delay 20
	kill "$B"
	wait "$B" || :
	start_b --reply-delay 20
	sql 'UPDATE relays SET paused_until = 1'
	SUBJECT="Third light" schedule example.org=200
	expect 0 deliver
	is "$(counts 3)" "sent=200"
	[ "$(number_of a)" -ge 10 ]
	is "$(grep -c -m2 'MAIL FROM' <(sed '/S 250 .*kept as/q' "$BATS_TEST_TMPDIR/a/smtpd.transcript"))" 1
	is "$(sql "SELECT failures FROM relays WHERE name = 'a'")" 0
}

@test "what comes back when nothing else is left leaves in the same run" {
	start_a --rule 'mail delay 150ms reply 454 4.7.0 temporary authentication failure'
	start_b
	two_relays
	schedule example.org=60
	expect 0 deliver
	is "$(counts)" "sent=60"
	is "$(number_of b)" 60
}

@test "a last copy in doubt is sent again in the same run" {
	start_a --rule 'after-dot reader3@example.org once delay 150ms close'
	one_relay ''
	schedule example.org=60
	expect 0 deliver
	is "$(counts)" "sent=60"
	is "$(number_of a)" 61
}

@test "a probe that fails doubles the rest" {
	start_a --rule 'auth reply 535 5.7.8 no' --rule 'mail reply 530 5.7.0 log in first'
	one_relay ''
	schedule example.org=5
	expect 75 deliver
	sql 'UPDATE relays SET paused_until = 1'
	expect 75 deliver
	is "$(sql "SELECT failures, paused_until - unixepoch() BETWEEN 50 AND 60 FROM relays")" "2|1"
	is "$(counts)" "queued=5"
	is "$(sql 'SELECT sum(attempts) FROM deliveries')" 0
}

@test "what was in doubt at one relay does not go to the other" {
	start_a --rule 'after-dot reader7@example.org once close'
	start_b
	two_relays 'weight = 1000' ''
	schedule example.org=20
	sql "INSERT INTO relays (name, paused_until, failures, reason) VALUES ('b', unixepoch() + 900, 1, 'away')"
	echo 'delivery { in_doubt = hold }' >>"$SITE/lettermill.conf"
	expect 0 deliver
	is "$(counts)" "in_doubt=1 sent=19"
	sed -i 's/in_doubt = hold/in_doubt = resend-once/' "$SITE/lettermill.conf"
	mill -q issue resume 1 || :
	sql "UPDATE issues SET state = 1, done_at = NULL; UPDATE relays SET paused_until = 0, failures = 0, reason = '';
		UPDATE relays SET paused_until = unixepoch() + 900, failures = 1, reason = 'away' WHERE name = 'a'"
	expect 0 deliver
	is "$(number_of b)" 0
	is "$(counts)" "queued=1 sent=19"
	sql "UPDATE relays SET paused_until = 1; UPDATE deliveries SET due_at = 1 WHERE state = 0"
	expect 0 deliver
	is "$(counts)" "sent=20"
	is "$(number_of b)" 0
	is "$(copies_of a | grep -c '^reader7@')" 2
}

@test "in doubt at a relay that is gone: it stays so, until the operator has it sent by another" {
	start_a --rule 'after-dot reader7@example.org close'
	start_b
	one_relay ''
	schedule example.org=10
	echo 'delivery { in_doubt = hold }' >>"$SITE/lettermill.conf"
	expect 0 deliver
	is "$(counts)" "in_doubt=1 sent=9"
	sed -i 's/in_doubt = hold/in_doubt = resend-once/' "$SITE/lettermill.conf"
	sql "UPDATE issues SET state = 1, done_at = NULL"
	sed -i "s/relay \"main\"/relay \"new\"/; s/port = .*/port = $B_PORT/" "$SITE/lettermill.conf"
	expect 0 deliver
	has "$stderr" "there is no such relay any more"
	is "$(counts)" "in_doubt=1 sent=9"
	is "$(number_of b)" 0
	expect 0 issue resolve --as resend --all 1
	expect 0 deliver
	is "$(counts)" "sent=10"
	is "$(copies_of b)" reader7@example.org
	expect 0 db check
}

@test "a quota an hour holds over restarts and two workers, and the hour slides" {
	start_a
	one_relay 'per_hour = 10'
	schedule example.org=25
	mill deliver -q &
	mill deliver -q
	wait $!
	is "$(number_of a)" 10
	expect 0 deliver
	is "$(number_of a)" 10
	is "$(counts)" "queued=15 sent=10"
	sql 'UPDATE relay_counts SET slot = slot - 25 WHERE span = 0'
	expect 0 deliver
	is "$(number_of a)" 20
	is "$(sql 'SELECT sum(n) FROM relay_counts WHERE span = 1')" 20
}

@test "where one relay has used up its quota, the other goes on" {
	start_a
	start_b
	two_relays 'weight = 1000 per_day = 7' ''
	schedule example.org=30
	expect 0 deliver
	is "$(number_of a) $(number_of b)" "7 23"
}

@test "a warm-up: a cap a day, which grows when it was used" {
	start_a
	one_relay 'warm_up = "10 +50%"'
	schedule example.org=40
	expect 0 deliver
	is "$(number_of a)" 10
	sql 'UPDATE relay_pace SET warm_day = warm_day - 3'
	expect 0 deliver
	is "$(number_of a)" 25
	sql 'UPDATE relay_pace SET warm_day = warm_day - 1'
	expect 0 deliver
	is "$(counts)" "sent=40"
}

@test "per_second spaces messages evenly" {
	start_a
	one_relay 'per_second = 20'
	schedule example.org=21
	started=$(date +%s%3N)
	expect 0 deliver
	is "$(counts)" "sent=21"
	[ $(($(date +%s%3N) - started)) -ge 900 ]
}

@test "a lane that is told to wait waits, the others go on, and nobody loses an attempt" {
	start_a --rule 'rcpt *@yahoo.com n<=8 reply 451 4.7.0 [TSS04] Messages temporarily deferred due to user complaints'
	one_relay ''
	schedule yahoo.com=40 gmail.com=20 example.org=20
	expect 0 deliver
	is "$(counts | tr ' ' '\n' | grep sent)" "sent=40"
	is "$(copies_of a | grep -c yahoo)" 0
	# Those that were on their way when the first reply came, and no more.
	[ "$(grep -c 'RCPT TO:<.*@yahoo' "$BATS_TEST_TMPDIR/a/smtpd.transcript")" -le 8 ]
	is "$(sql 'SELECT sum(attempts) FROM deliveries')" 40
	is "$(sql 'SELECT wait_until - acted_at FROM lane_pace WHERE lane = 3')" 7200
	# A restart does not forget.
	expect 0 deliver
	is "$(copies_of a | grep -c yahoo)" 0
	kill "$A"
	wait "$A" || :
	start_a
	sql 'UPDATE lane_pace SET wait_until = 1, hold_until = 1, per_minute = 0; UPDATE deliveries SET due_at = 1 WHERE state IN (0, 3)'
	expect 0 deliver
	is "$(counts)" "sent=80"
	is "$(copies_of a | sort -u | wc -l)" 40
}

@test "three words about the rate within an hour make a lane slower, two do not" {
	start_a --rule 'rcpt *@gmx.de n<=2 reply 450 4.7.0 slow down' \
		--rule 'rcpt *@web.de n<=4 reply 450 4.7.0 slow down'
	one_relay ''
	schedule gmx.de=2 icloud.com=4
	expect 0 deliver
	is "$(sql 'SELECT count(*) FROM lane_pace WHERE per_minute > 0')" 0
	sed -i 's/^tls = none/&\n\tmessages_per_connection = 1/' "$SITE/lettermill.conf"
	SUBJECT="Second light" schedule web.de=4
	timeout 30 "$LETTERMILL" -C "$SITE" deliver -q || :
	is "$(sql 'SELECT count(*) FROM lane_pace WHERE per_minute > 0')" 1
}

@test "no provider gets a burst: lanes take turns" {
	start_a
	one_relay ''
	sed -i 's/connections = 4/connections = 1/' "$SITE/lettermill.conf"
	schedule gmail.com=120 gmx.de=40 example.org=40
	expect 0 deliver
	is "$(counts)" "sent=200"
	# Of any ten copies, six are Gmail's by its share.
	copies_of a | awk '{ n += $0 ~ /gmail/; was[NR] = $0 ~ /gmail/; n -= was[NR - 10]
		if (NR >= 10 && (n < 4 || n > 8)) { print NR, n; bad = 1 } } END { exit bad }'
}

@test "at_once holds a lane down" {
	start_a --reply-delay 5
	one_relay ''
	echo 'lane "gmail" { at_once = 1 }' >>"$SITE/lettermill.conf"
	schedule gmail.com=12
	expect 0 deliver
	is "$(counts)" "sent=12"
	# The next RCPT comes only behind the answer to the last message.
	awk '/C RCPT TO/ { open++ } /S 250 .*kept as/ { open-- } open > 1 { exit 1 }' "$BATS_TEST_TMPDIR/a/smtpd.transcript"
}

@test "a canary: stage after stage, with a pause between, and told" {
	start_a
	one_relay ''
	echo 'delivery { canary_wait = 2s }' >>"$SITE/lettermill.conf"
	schedule example.org=8000 gmail.com=4000
	expect 0 deliver
	is "$(counts)" "queued=11880 sent=120"
	is "$(copies_of a | grep -c gmail)" "$(sql "SELECT sum(n) FROM issue_counts WHERE lane = 1 AND state = 5")"
	expect 0 status 1
	has "$output" "stage 1 of 3: the first 120 of 12,000 copies, the next at "
	sleep 2
	expect 0 deliver
	is "$(counts)" "queued=10800 sent=1200"
	expect 0 issue show 1
	has "$output" "  stage      2 of 3: the first 1,200 of 12,000 copies, the next at "
	sleep 2
	expect 0 deliver
	is "$(counts)" "sent=12000"
	is "$(copies_of a | sort -u | wc -l)" 12000
}

@test "a canary that meets dead addresses, blocks or complaints stops by itself, and says so once" {
	for reply in '550 5.1.1 no such user' '550 5.7.1 Service unavailable, client host blocked using Spamhaus'; do
		rm -rf "$BATS_TEST_TMPDIR/site" "$BATS_TEST_TMPDIR/a"
		start_a --rule "rcpt *[37]@* reply $reply"
		one_relay ''
		schedule {a,b,c,d,e,f,g,h,i,j,k,l}.example.org=900
		expect 0 deliver
		kill "$A"
		wait "$A" || :
		A= A_PORT=
		is "$(mill status --json 1 | jq -r .state)" paused
		is "$(grep -c event=issue-paused <<<"$stderr")" 1
		[ "$(number_of a)" -le 108 ]
		expect 0 status 1
		[[ $output =~ "! issue 1 is paused: "[12][0-9].[0-9]" % "(dead addresses|refusals of our address or reputation)": " ]]
		expect 0 deliver
		[ "$(number_of a)" -le 108 ]
	done
}

@test "slowed by 452 4.5.3 at MAIL: the terminal says what it waits for, in one line" {
	command -v script >/dev/null || skip "there is no script(1)"
	start_a --rule 'mail n>=3 reply 452 4.5.3 too many recipients'
	one_relay
	schedule gmail.com=40
	script -qec "stty cols 100; exec $LETTERMILL -C $SITE deliver" /dev/null \
		>"$BATS_TEST_TMPDIR/terminal" </dev/null 3>&- &
	terminal=$!
	says() { grep -Eaq "gmail goes at [0-9]+ a minute: mail: 452 4.5.3" "$BATS_TEST_TMPDIR/terminal"; }
	wait_for 30 says
	kill "$terminal"
	wait "$terminal" || :
	is "$(tr '\r' '\n' <"$BATS_TEST_TMPDIR/terminal" | grep -a delivering | sed 's/event=.*//' | awk 'length($0) > 103')" ""
}
