# SPDX-License-Identifier: MIT
# What the bounce commands say.

load ../lib

classify() {
	"$LETTERMILL" bounce classify --reply "$@"
}

@test "bounce classify --reply: one JSON object a line, with exactly these keys" {
	is "$(echo '550 5.1.1 No such user' | classify --phase rcpt --json)" \
		'{"reply":"550 5.1.1 No such user","class":"hard","reason":"recipient","action":"suppress"}'
	is "$(printf '%s\n' '450 4.2.0 Greylisted' '' '250 OK' | classify --json | jq -c '[.reason,.action]')" \
		'["greylist","retry"]
[null,null]'
}

@test "bounce classify --reply: the phase decides whose fault it is" {
	for row in rcpt:recipient:suppress mail:sender:pause-issue dot:recipient:fail auth:relay:pause-relay; do
		IFS=: read -r phase reason action <<<"$row"
		is "$(echo '550 5.1.1 No such user' | classify --phase "$phase" --json | jq -r '.reason + ":" + .action')" \
			"$reason:$action"
	done
}

@test "bounce classify --reply: words for people name the rule" {
	run --separate-stderr classify < <(echo "550 no such user (in reply to RCPT TO command)")
	is "$status" 0
	[[ $output =~ ^hard\ +recipient\ +suppress\ +user-unknown\ +550\ no\ such\ user ]]
}

@test "bounce classify --reply: hostile lines stay one line each" {
	run --separate-stderr classify < <(printf '550 \e[31mred\r\n'; head -c 100000 /dev/zero | tr '\0' x; echo; echo '451 hm')
	is "$status" 0
	is "${#lines[@]}" 3
	[[ $output != *$'\e'* ]]
}

@test "bounce classify: what is wrong is said" {
	run --separate-stderr -64 "$LETTERMILL" bounce classify
	has "$stderr" "name files, or give --reply and no file"
	run --separate-stderr -64 "$LETTERMILL" bounce classify --phase rcpt file
	has "$stderr" "--phase goes with --reply"
	run --separate-stderr -64 "$LETTERMILL" bounce classify --reply --phase rctp
	has "$stderr" "there is no phase 'rctp' of SMTP: did you mean 'rcpt'?"
}

# A report of RFC 3464 about $1, whose server said $2.
report() {
	printf '%s\n' 'Return-Path: <>' 'From: MAILER-DAEMON@mx.example.org' 'To: news@example.net' \
		'Subject: Undelivered' 'MIME-Version: 1.0' \
		'Content-Type: multipart/report; report-type=delivery-status; boundary=b' '' '--b' '' \
		'It did not work.' '' '--b' 'Content-Type: message/delivery-status' '' \
		'Reporting-MTA: dns; mx.example.org' '' "Final-Recipient: rfc822; $1" 'Action: failed' \
		'Status: 5.0.0' "Diagnostic-Code: smtp; $2" '' '--b--'
}

@test "bounce classify FILE: one JSON object a file, with exactly these keys" {
	report anna@Example.COM '550 5.1.1 No such user' >"$BATS_TEST_TMPDIR/one"
	echo 'Subject: hello' >"$BATS_TEST_TMPDIR/two"
	cd "$BATS_TEST_TMPDIR"
	is "$("$LETTERMILL" bounce classify one two --json)" \
		'{"file":"one","kind":"bounce","recipients":[{"address":"anna@example.com","class":"hard","status":"5.1.1","reply":"550","reason":"recipient"}]}
{"file":"two","kind":"none","recipients":[]}'
}

@test "bounce classify FILE: words for people name the rules; control octets are masked" {
	report anna@example.com $'552 5.2.2 Mailbox full \e[31m' >"$BATS_TEST_TMPDIR/one"
	run --separate-stderr "$LETTERMILL" bounce classify - <"$BATS_TEST_TMPDIR/one"
	is "$status" 0
	is "${lines[0]}" "-: bounce (delivery-status)"
	[[ ${lines[1]} =~ anna@example.com\ +soft\ +full\ +mailbox-full\ +552 ]]
	[[ $output != *$'\e'* ]]
}

@test "bounce classify FILE: a file that cannot be read does not stop the others" {
	report anna@example.com '550 5.1.1 No such user' >"$BATS_TEST_TMPDIR/one"
	truncate -s 33M "$BATS_TEST_TMPDIR/large"
	cd "$BATS_TEST_TMPDIR"
	run --separate-stderr -65 "$LETTERMILL" bounce classify missing one large
	has "$stderr" "cannot open 'missing'"
	has "$stderr" "'large' is larger than 33554432 octets"
	has "$output" anna@example.com
}
