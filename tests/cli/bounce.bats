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
	has "$stderr" "--reply is missing"
	run --separate-stderr -64 "$LETTERMILL" bounce classify --reply --phase rctp
	has "$stderr" "there is no phase 'rctp' of SMTP: did you mean 'rcpt'?"
}
