# SPDX-License-Identifier: MIT
# status shows lanes, relays, and what goes on; metrics_file has the same as figures.

load ../lib
load ../smtpd/smtpd

setup() {
	make_site
	write_issue "$BATS_TEST_TMPDIR/light.md"
	for address in ana@gmail.com bob@gmail.com cy@yahoo.com di@example.org; do
		mill subscriber add --list daily "$address"
	done
	smtpd_start --rule 'rcpt *@yahoo.com reply 451 4.7.0 [TSS04] Messages temporarily deferred' \
		--rule 'rcpt bob@gmail.com reply 550 5.1.1 no such user'
	use_relay "$SMTP_PORT"
	sed -i 's/connections = 4/&\n\tper_hour = 500/' "$SITE/lettermill.conf"
	mill issue schedule -q "$BATS_TEST_TMPDIR/light.md"
}

teardown() {
	smtpd_stop || :
}

@test "lanes and relays stand below an issue" {
	expect 0 deliver
	expect 0 status 1
	has "$output" "]  75.0 %  3 of 4"
	has "$output" "gmail       2     1        0         0       1          0  -"
	has "$output" "yahoo       1     0        0         1       0          1  waits until "
	has "$output" "rcpt: 451 4.7.0 [TSS04] Messages temporarily deferred"
	has "$output" "main   in use    4 of 500"
	run ! grep -q ' $' <<<"$output"
}

@test "--watch goes on until the issue is over, as a terminal or not" {
	sed -i 's/\[TSS04\].*//' "$SITE/lettermill.conf"
	sql "UPDATE issues SET state = 3"
	expect 0 status --watch 1
	has "$output" "0/s"
	has "$output" "list daily, done"
	expect 0 status --watch --json 1
	is "$(jq .issue <<<"$output")" 1
	sql "UPDATE issues SET state = 0"
	"$LETTERMILL" -C "$SITE" status --watch >"$BATS_TEST_TMPDIR/seen" 3>&- &
	pid=$!
	twice() { [ "$(grep -c scheduled "$BATS_TEST_TMPDIR/seen")" -ge 2 ]; }
	wait_for 20 twice
	kill -TERM "$pid"
	wait "$pid"
}

@test "metrics_file has it for Prometheus" {
	sed -i "1i metrics_file = metrics.prom" "$SITE/lettermill.conf"
	expect 0 deliver
	prom=$(cat "$SITE/metrics.prom")
	has "$prom" 'lettermill_copies{issue="1",state="sent"} 2'
	has "$prom" 'lettermill_relay_messages{relay="main",within="hour"} 4'
	has "$prom" 'lettermill_relay_limit{relay="main",within="hour"} 500'
	has "$prom" 'lettermill_lane_throttled_total{lane="yahoo"} 1'
	has "$prom" 'lettermill_lane_waiting{lane="yahoo"} 1'
	run ! grep -vE '^(#.*|lettermill_[a-z_]+\{[a-z]+="[^"]*"(,[a-z]+="[^"]*")?\} -?[0-9]+)$' "$SITE/metrics.prom"
	# What cannot be written stops no mail.
	sed -i "1s/.*/metrics_file = nowhere\/metrics.prom/" "$SITE/lettermill.conf"
	expect 0 deliver
	has "$stderr" "nowhere/metrics.prom"
}

@test "issue forecast: when each lane is done, and which quota falls short" {
	echo 'lane "gmail" { per_minute = 1 }' >>"$SITE/lettermill.conf"
	sed -i 's/per_hour = 500/per_hour = 3/' "$SITE/lettermill.conf"
	unchanged expect 0 issue forecast 1
	has "$output" "LANE   LEFT  DONE BY"
	has "$output" "relay 'main': per_hour falls short"
	has "$output" "all are done by "
	unchanged expect 0 issue forecast --json first-light
	is "$(jq -c '[.issue, .short, [.lanes[].left]]' <<<"$output")" '[1,[{"relay":"main","limit":"per_hour"}],[1,2,1]]'
	is "$(jq '[.done_at, .lanes[].done_at] | map(fromdate) | .[0] == (.[1:] | max)' <<<"$output")" true
	expect 66 issue forecast 9
}
