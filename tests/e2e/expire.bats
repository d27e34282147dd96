# SPDX-License-Identifier: MIT
# Copies that never get an answer come to an end, and hold nobody up meanwhile.

load ../lib

setup() {
	cd "$ROOT"
	source tests/smtpd/smtpd.bash
}

teardown() {
	[ -z "${mill_pid:-}" ] || kill -9 "$mill_pid" 2>/dev/null || :
	smtpd_stop || :
}

# schedule SUBJECT READER...: an issue to these and all from before.
schedule() {
	local subject=$1
	shift
	for one; do
		mill -q subscriber add "$one@example.org" --list daily
	done
	write_issue "$BATS_TEST_TMPDIR/issue.md" "$subject"
	mill -q issue schedule "$BATS_TEST_TMPDIR/issue.md"
}

counts() {
	mill status --json "$1" | jq -r '.counts | to_entries | map(select(.value > 0) | "\(.key)=\(.value)") | join(" ")'
}

attempts() {
	mill why --json "$1@example.org" "$2" | jq -r '.deliveries[0].attempts | map("\(.phase) \(.code) \(.state)") | join(",")'
}

# Pauses and waits are over.
time_passes() {
	sql 'UPDATE deliveries SET due_at = 1 WHERE state IN (0, 3); UPDATE relays SET paused_until = 0;
		UPDATE leases SET until = 1'
}

# days_pass N: all that is known happened so long ago.
days_pass() {
	sql "UPDATE issues SET due_at = due_at - $1 * 86400, word_at = word_at - $1 * 86400;
		UPDATE issue_care SET due_last = due_last - $1 * 86400;
		UPDATE relay_pace SET down_since = down_since - $1 * 86400"
}

@test "a lone copy that ends every session is put off, lets others pass, and expires" {
	for step in mail rcpt data; do
		rm -rf "$BATS_TEST_TMPDIR/site"
		# At MAIL its address stands in the signed sender alone: by occurrence there.
		case $step in
		mail) smtpd_start --rule 'mail n<=3 close' --rule 'mail n>=8 close' ;;
		*) smtpd_start --rule "$step ada@* close" ;;
		esac
		make_site "$SMTP_PORT"
		sed -i 's/connections = 4/connections = 1/' "$SITE/lettermill.conf"
		schedule First ada
		expect 75 deliver
		has "$stderr" "every relay is paused"
		is "$step $(counts 1)" "$step deferred=1"
		is "$(attempts ada 1)" "$step 0 deferred"
		# The pause is over: the others are tried, and leave.
		sql 'UPDATE relays SET paused_until = 0'
		mill -q subscriber unsubscribe ada@example.org --list daily
		schedule Second bob cy eve fay
		mill -q subscriber add ada@example.org --list daily --consent "asked again"
		expect 0 deliver
		is "$step $(counts 2)" "$step sent=4"
		time_passes
		days_pass 4
		mill -q deliver || :
		is "$step $(counts 1)" "$step expired=1"
		is "$(attempts ada 1)" "$step 0 deferred,$step 0 expired"
		smtpd_stop
	done
}

@test "a relay that is dead for longer than expire_after: what waits expires, untried, with the reason" {
	make_site # where nobody listens
	printf 'delivery {\n\tlate_after = 0\n}\n' >>"$SITE/lettermill.conf"
	schedule First ada bob cy
	expect 75 deliver
	is "$(counts 1)" "queued=3"
	days_pass 2
	expect 75 deliver
	is "$(counts 1)" "queued=3"
	days_pass 2
	expect 0 deliver
	is "$(counts 1)" "expired=3"
	is "$(mill status --json 1 | jq -r .state)" done
	is "$(attempts bob 1)" "connect 0 expired"
	expect 0 why bob@example.org
	has "$output" "no relay has taken mail for too long: connect: "
	expect 0 db check
}

@test "dead for long, but the operator has said 'send' since, or it was not dead all the time: it waits" {
	make_site
	printf 'delivery {\n\tlate_after = 0\n}\n' >>"$SITE/lettermill.conf"
	schedule First ada bob
	expect 75 deliver
	days_pass 4
	mill -q issue pause 1
	mill -q issue resume 1
	expect 75 deliver
	is "$(counts 1)" "queued=2"
	days_pass 4
	sql "UPDATE relay_pace SET down_since = $(date +%s) - 3600"
	expect 75 deliver
	is "$(counts 1)" "queued=2"
}

@test "resumed late: the first 4xx does not expire it" {
	smtpd_start --rule 'rcpt reply 451 4.3.0 later'
	make_site "$SMTP_PORT"
	schedule First ada
	mill -q issue pause 1
	days_pass 4
	mill -q issue resume 1
	expect 0 deliver
	is "$(counts 1)" "deferred=1"
	days_pass 4
	time_passes
	sql 'DELETE FROM lane_pace'
	expect 0 deliver
	is "$(counts 1)" "expired=1"
}

@test "an issue nothing can be made of is paused, with the reason, and the others leave" {
	smtpd_start
	make_site "$SMTP_PORT"
	schedule First ada bob
	schedule Second
	sql "UPDATE issues SET program = x'00' WHERE id = 1"
	expect 0 deliver
	is "$(counts 2)" "sent=2"
	is "$(counts 1)" "queued=2"
	is "$(mill issue show --json 1 | jq -r '.state + ": " + .reason')" \
		"paused: a compiled issue is of an unknown kind: schedule the issue again"
}

@test "--follow takes no lease while all that waits is put off" {
	smtpd_start --rule 'rcpt ada@* reply 451 4.3.0 later'
	make_site "$SMTP_PORT"
	schedule First ada
	"$LETTERMILL" -C "$SITE" -q deliver --follow 3>&- &
	mill_pid=$!
	put_off() { [ "$(counts 1)" = deferred=1 ]; }
	wait_for 20 put_off
	leases() { sql "SELECT seq FROM sqlite_sequence WHERE name = 'leases'"; }
	before=$(leases)
	# Meanwhile several of its looks go by; what comes due is taken up.
	write_issue "$BATS_TEST_TMPDIR/second.md" Second
	mill -q subscriber add bob@example.org --list daily
	mill -q issue schedule "$BATS_TEST_TMPDIR/second.md"
	sql "UPDATE issues SET due_at = $(date +%s) + 4 WHERE id = 2;
		UPDATE deliveries SET due_at = $(date +%s) + 4 WHERE issue_id = 2 AND state = 0"
	sent() { [ "$(sql 'SELECT count(*) FROM deliveries WHERE state = 5')" = 1 ]; }
	wait_for 30 sent
	[ $(($(leases) - before)) -le 3 ]
	kill "$mill_pid"
	wait "$mill_pid"
	mill_pid=
}
