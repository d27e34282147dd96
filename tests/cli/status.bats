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
	has "$output" "gmail       2     1        0         0       1         0          0  -"
	has "$output" "yahoo       1     0        0         1       0         0          1  waits until "
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

@test "--watch fits its window: what shouts and the bar are on top, the rest as far as there is room" {
	command -v script >/dev/null || skip "there is no script(1)"
	for domain in hotmail.com gmx.de icloud.com t-online.de free.fr orange.fr comcast.net proton.me zoho.com cox.net; do
		mill -q subscriber add --list daily "eve@$domain"
	done
	smtpd_stop
	smtpd_start --rule 'rcpt *@yahoo.com reply 451 4.7.0 [TSS04] Messages temporarily deferred' \
		--rule 'after-dot bob@gmail.com close'
	use_relay "$SMTP_PORT"
	write_issue "$BATS_TEST_TMPDIR/more.md" "More light"
	mill issue cancel 1
	mill issue schedule -q "$BATS_TEST_TMPDIR/more.md"
	expect 0 deliver
	sql "UPDATE issues SET state = 2, pause_reason = 'for the sake of a test with a reason that is long' WHERE id = 2"
	for columns in 80 60; do
		timeout -s INT 3 script -qec "stty rows 18 cols $columns; exec $LETTERMILL -C $SITE status --watch 2" \
			/dev/null </dev/null 3>&- >"$BATS_TEST_TMPDIR/raw" || :
		/usr/bin/python3 - "$BATS_TEST_TMPDIR/raw" 18 "$columns" <<-'P'
			import re, sys
			path, rows, columns = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
			raw = open(path, encoding="utf-8", newline="").read()
			pictures = [p for p in raw.split("\x1b[H") if "issue 2" in p]
			assert len(pictures) >= 2, raw
			lines = re.sub("\x1b\\[[0-9?]*[A-Za-z]", "", pictures[0]).split("\r\n")
			print("\n".join(lines))
			assert [line for line in lines if len(line) > columns] == []
			assert len(lines) == rows, len(lines)
			top = " ".join(line.strip() for line in lines[:9])
			wanted = ["! issue 2 is paused: for the sake", "issue resume 2", "1 copy is in doubt", "issue resolve 2", "[####", " 92.9 %"]
			assert [words for words in wanted if words not in top] == []
			yahoo = [line for line in lines if line.startswith("yahoo")]
			assert len(yahoo) == 1 and " waits until " in yahoo[0], yahoo
			assert "taller window" in lines[-1]
		P
	done
}

@test "hours, stage and readers' own times are told, by status and issue show" {
	sed -i '1i timezone = Europe/Berlin' "$SITE/lettermill.conf"
	from=$(TZ=Europe/Berlin date -d '+3 hours' +%H:00) until=$(TZ=Europe/Berlin date -d '+5 hours' +%H:00)
	write_issue "$BATS_TEST_TMPDIR/later.md" "In some hours"
	mill issue schedule -q --window "$from-$until" "$BATS_TEST_TMPDIR/later.md"
	for command in "status" "issue show"; do
		expect 0 $command 2
		[[ $output =~ hours\ +"$from-$until Europe/Berlin, closed until "[0-9-]+\ [0-9:]+" UTC" ]]
		run ! grep -q 'stage' <<<"$output"
	done
	expect 0 why ana@gmail.com 2
	has "$output" "the issue: hours $from-$until Europe/Berlin, closed until "
	mill issue pause 2 --reason "a wrong link"
	expect 0 why ana@gmail.com 2
	has "$output" "the issue is paused: a wrong link"
	expect 0 issue forecast 2
	has "$output" "! issue 2 is paused: a wrong link; this is as if it went on now"
	mill deliver
	expect 0 why cy@yahoo.com 1
	[[ $output =~ "its lane, yahoo: waits until "[0-9:]+": rcpt: 451 4.7.0 [TSS04]" ]]
	mill subscriber add --list daily kim@example.org --set timezone=Pacific/Auckland
	write_issue "$BATS_TEST_TMPDIR/local.md" "By their clocks"
	mill issue schedule -q --at "2090-01-10 06:00 local" "$BATS_TEST_TMPDIR/local.md"
	expect 0 status 3
	has "$output" "due 2090-01-09 17:00:00 UTC"
	has "$output" "last due 2090-01-10 05:00:00 UTC, by readers' own clocks"
	unchanged expect 0 issue forecast 3
	has "$output" "all are done by 2090-01-10 05:0"
}

@test "metrics_file has it for Prometheus" {
	sed -i "1i metrics_file = metrics.prom" "$SITE/lettermill.conf"
	expect 0 deliver
	prom=$(cat "$SITE/metrics.prom")
	has "$prom" 'lettermill_copies{issue="1",state="sent"} 2'
	has "$prom" 'lettermill_issue_state{issue="1",state="delivering"} 1'
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
