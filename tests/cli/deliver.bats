# SPDX-License-Identifier: MIT
# deliver, and what status and why tell of it.

load ../lib
load ../smtpd/smtpd

setup() {
	make_site
	ISSUE=$BATS_TEST_TMPDIR/light.md
	write_issue "$ISSUE"
	for name in ana bob cy; do
		mill subscriber add --first-name "${name^}" --list daily "$name@example.org"
	done
}

teardown() {
	smtpd_stop || :
}

# schedule_and_serve [OPTION]...: an issue is due, and a server with these options takes it.
schedule_and_serve() {
	smtpd_start "$@"
	use_relay "$SMTP_PORT"
	mill issue schedule -q "$ISSUE"
}

@test "nothing is due: no word but on a terminal, no change, exit code 0" {
	unchanged expect 0 deliver
	is "$output$stderr" ""
	unchanged expect 0 deliver --json --dry-run
	is "$output" '{"due":0,"dry_run":true}'
	run script -qec "stty cols 80; '$LETTERMILL' -C '$SITE' deliver" /dev/null
	is "${output%$'\r'}" "nothing to send now: 'lettermill status' tells what waits"
}

@test "deliver sends one copy to each, and tells" {
	schedule_and_serve
	unchanged expect 0 deliver --dry-run
	is "$output" "would send 3 copies (dry run, nothing was sent)"
	is "$(smtpd_copies)" ""
	expect 0 deliver
	has "$output" "3 sent in "
	is "$stderr" ""
	is "$(smtpd_copies | sort)" $'ana@example.org\nbob@example.org\ncy@example.org'
	is "$(mill status --json 1)" '{"issue":1,"state":"done","counts":{"queued":0,"claimed":0,"sending":0,"deferred":0,"in_doubt":0,"sent":3,"failed":0,"expired":0,"cancelled":0,"skipped":0,"bounced":0,"complained":0}}'
	expect 0 deliver
	is "$output" ""
	smtpd_stop
	is "$(smtpd_violations)" ""
}

@test "the log has a line for each attempt, always with the same keys and no address" {
	schedule_and_serve --rule 'rcpt bob@example.org reply 550 nobody here' --rule 'dot cy@example.org once close'
	expect 0 deliver -v
	attempts=$(grep event=attempt <<<"$stderr")
	is "$(wc -l <<<"$attempts")" "$(sql 'SELECT count(*) FROM attempts')"
	is "$(sed -E 's/"[^"]*"//g; s/=[^ ]*//g' <<<"$attempts" | sort -u)" \
		"event issue subscriber lane state relay phase code status reason ms"
	has "$attempts" 'lane=other state=failed relay=main phase=rcpt code=550 status="" reason=recipient ms='
	has "$attempts" 'state=sent relay=main phase=dot code=250 status=2.0.0 reason="" ms='
	run ! grep -q '@' <<<"$attempts"
}

@test "--json has the sums" {
	schedule_and_serve --rule 'rcpt bob@example.org reply 550 5.1.1 nobody here' \
		--rule 'rcpt cy@example.org reply 451 4.3.0 later'
	expect 0 deliver --json
	is "$(jq -c 'del(.milliseconds)' <<<"$output")" '{"sent":1,"deferred":1,"failed":1,"expired":0,"in_doubt":0,"recovered":0,"known_sent":0,"known_in_doubt":0,"left":1}'
	expect 0 status
	is "$(wc -l <<<"$output")" 2
	has "$output" "delivering"
	expect 0 status first-light
	has "$output" "sent                1  ##########....................   33.3 %"
	has "$output" "copies              3"
	is "$(mill status --json)" "$(mill status --json first-light)"
}

@test "why tells the story of each" {
	schedule_and_serve --rule 'rcpt bob@example.org reply 550 5.1.1 nobody here' \
		--rule $'dot *@example.org n=1 reply 451 4.3.0 l\xe4ter\e[31m'
	mill deliver -q
	expect 0 why --json bob@example.org
	is "$(jq -c '.deliveries[0] | [.issue,.slug,.state,.skip_reason]' <<<"$output")" '[1,"first-light","failed",null]'
	is "$(jq -c '.deliveries[0].attempts[0] | [.relay,.phase,.code,.status,.state]' <<<"$output")" '["main","rcpt",550,"5.1.1","failed"]'
	is "$(jq -c '[.email,.subscriptions[0].status,.suppression.reason]' <<<"$output")" '["bob@example.org","subscribed","bounce"]'
	expect 0 why bob@example.org first-light
	has "$output" "Bob <bob@example.org>, subscriber 2 since "
	has "$output" "issue 1, first-light: First light"
	has "$output" "failed: was refused for good at "
	has "$output" "main  rcpt  550 5.1.1  "
	has "$output" "nobody here"
	expect 0 why ana@example.org
	run ! grep -q $'\e' <<<"$output"
	unchanged expect 66 why nobody@example.org
	unchanged expect 66 why bob@example.org last-light
	unchanged expect 65 why nobody
}

@test "a relay that is not there: exit code 75, nobody loses an attempt, status says so" {
	mill issue schedule -q "$ISSUE"
	expect 75 deliver
	has "$stderr" "main"
	is "$(mill status --json 1 | jq -c '[.state, .counts.queued]')" '["delivering",3]'
	is "$(sql 'select count(*) from attempts where code > 0')" 0
	expect 0 status
	has "$(head -1 <<<"$output")" "! relay 'main' rests until "
	expect 75 deliver
	is "$output" ""
}

@test "somebody who leaves after the freeze gets no copy, and why says so" {
	schedule_and_serve
	mill subscriber unsubscribe -q bob@example.org
	mill subscriber suppress cy@example.org
	expect 0 deliver
	is "$(smtpd_copies)" ana@example.org
	is "$(mill why --json bob@example.org | jq -c '.deliveries[0] | [.state,.skip_reason]')" '["skipped","unsubscribed"]'
	is "$(mill why --json cy@example.org | jq -c '.deliveries[0] | [.state,.skip_reason]')" '["skipped","suppressed"]'
	expect 0 why bob@example.org
	has "$output" "skipped: was not sent: unsubscribed"
	has "$output" "unsubscribed"
}

@test "an issue that is far too late is held, and status shouts" {
	schedule_and_serve
	sql "update issues set due_at = due_at - 30000, word_at = word_at - 30000; update deliveries set due_at = due_at - 30000"
	expect 0 deliver
	is "$(smtpd_copies)" ""
	expect 0 status
	has "$(head -1 <<<"$output")" "! issue 1 is held"
	has "$(head -1 <<<"$output")" "lettermill issue resume 1"
	mill issue resume 1
	expect 0 deliver
	is "$(smtpd_copies | wc -l)" 3
}

@test "SIGTERM stops --follow" {
	schedule_and_serve
	"$LETTERMILL" -C "$SITE" deliver --follow 3>&- &
	pid=$!
	copies() { [ "$(smtpd_copies | wc -l)" = 3 ]; }
	wait_for 20 copies
	kill -TERM "$pid"
	wait "$pid"
}

@test "status of nothing" {
	expect 0 status
	has "$output" "no issue was scheduled yet"
	expect 0 status --json
	is "$output" ""
	unchanged expect 66 status 1
}
