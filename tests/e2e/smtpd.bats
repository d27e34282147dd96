#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The scripted SMTP server itself: what it promises in tests/smtpd/README.md.

bats_require_minimum_version 1.5.0

setup() {
	cd "$BATS_TEST_DIRNAME/../.."
	. tests/smtpd/smtpd.bash
}

teardown() {
	smtpd_stop || :
}

# talk [CA]: the dialogue on stdin; what the server said is in $said.
talk() {
	said=$(tests/smtpd/talk "$SMTP_PORT" "$@")
}

# says TEXT: the server's last dialogue holds this line.
says() {
	grep -qxF -- "$1" <<< "$said" || {
		printf 'no line "%s" in:\n%s\n' "$1" "$said"
		return 1
	}
}

# One message to the recipients, with Python's own client.
send() {
	/usr/bin/python3 - "$SMTP_PORT" "$@" <<'P'
import smtplib, sys
s = smtplib.SMTP("127.0.0.1", int(sys.argv[1]))
try:
    refused = s.sendmail("a@example.org", sys.argv[2:],
        "Message-ID: <one@example.org>\r\nSubject: x\r\n\r\n.dot\r\nend\r\n", ["SIZE=60"])
    print(sorted(refused))
    s.quit()
except (smtplib.SMTPException, OSError) as e:
    print(type(e).__name__, getattr(e, "smtp_code", ""))
P
}

@test "an accepted copy is recorded for each recipient, without dot-stuffing" {
	smtpd_start --sha256 --maildir "$BATS_TEST_TMPDIR/mail"
	run send x@example.org y@example.org
	[ "$output" = "[]" ]
	smtpd_stop
	[ "$(smtpd_copies)" = $'x@example.org\ny@example.org' ]
	jq -se '.[0] | .to == "x@example.org" and .message_id == "<one@example.org>" and .bytes == 56
		and .from == "a@example.org" and .tls == false' "$SMTPD_LOG"
	sum=$(printf 'Message-ID: <one@example.org>\r\nSubject: x\r\n\r\n.dot\r\nend\r\n' | sha256sum)
	[ "$(jq -r 'select(.to == "y@example.org") | .sha256' "$SMTPD_LOG")" = "${sum%% *}" ]
	file=$(grep -l 'Delivered-To: y@example.org' "$BATS_TEST_TMPDIR"/mail/new/*)
	printf 'Return-Path: <a@example.org>\nDelivered-To: y@example.org\n%s\n%s\n\n.dot\nend\n' \
		'Message-ID: <one@example.org>' 'Subject: x' | cmp - "$file"
	jq -e '.copies == 2 and .messages == 1 and .violations == 0' "$SMTPD_SUMMARY"
}

@test "the record is on disk before the reply" {
	smtpd_start --rule 'after-dot stall'
	talk <<'T'
<
> EHLO c
<
> MAIL FROM:<a@example.org>
<
> RCPT TO:<x@example.org>
<
> DATA
<
= Subject: x\r\n\r\nbody\r\n.\r\n
?
T
	says SILENCE
	[ "$(smtpd_copies)" = x@example.org ]
}

@test "rules choose by recipient, pattern, occurrence, every and once" {
	smtpd_start --rule 'rcpt bad@example.org reply 550 5.1.1 no such user' \
		--rule 'rcpt *@slow.example once reply 451 4.3.0 later' \
		--rule 'rcpt n=6..7 reply 452 4.2.2 full' --rule 'rcpt every=9 reply 554 5.7.1 ninth'
	talk <<'T'
<
> EHLO c
<
> MAIL FROM:<a@example.org>
<
= RCPT TO:<BAD@example.org>\r\nRCPT TO:<a@slow.example>\r\nRCPT TO:<a@slow.example>\r\n
<
<
<
= RCPT TO:<x@example.org>\r\n * 6
<
<
<
<
<
<
T
	[ "$(sed -n '/sender ok/,$p' <<< "$said" | cut -c1-9 | tail -n +2 | tr '\n' ,)" = \
		"550 5.1.1,451 4.3.0,250 2.1.5,250 2.1.5,250 2.1.5,452 4.2.2,452 4.2.2,250 2.1.5,554 5.7.1," ]
}

@test "conditions on connection and message" {
	smtpd_start --rule 'mail conn=2 msg=2 reply 421 4.7.0 enough'
	for i in 1 2; do
		talk <<'T'
<
> EHLO c
<
> MAIL FROM:<a@example.org>
<
> RSET
<
> MAIL FROM:<a@example.org>
<
?
T
		[ $i = 1 ] && says SILENCE
	done
	says '421 4.7.0 enough'
	says EOF
}

@test "each step can be refused, closed and reset" {
	for step in connect ehlo mail rcpt data dot after-dot; do
		smtpd_start --rule "$step n=1 reply 451 4.3.0 at $step" --rule "$step n=2 close" \
			--rule "$step n=3 reset" --rule "$step n=4 close reply 451 4.3.0 and away"
		for n in 1 2 3 4; do
			talk <<'T' || :
<
> EHLO c
<
> MAIL FROM:<a@example.org>
<
> RCPT TO:<x@example.org>
<
> DATA
<
= Subject: x\r\n\r\nbody\r\n.\r\n
<
?
T
			case $n in
			1) says "451 4.3.0 at $step" ;;
			2) says EOF ;;
			4) says "451 4.3.0 and away" && says EOF ;;
			esac
		done 2> "$BATS_TEST_TMPDIR/errors"
		smtpd_stop || :
		case $step in
		after-dot) [ "$(smtpd_copies | wc -l)" = 4 ] ;;
		*) [ "$(smtpd_copies | wc -l)" = 0 ] ;;
		esac
	done
}

@test "reset is a TCP reset" {
	smtpd_start --rule 'rset reset'
	talk <<'T'
<
> EHLO c
<
> RSET
<
T
	says RESET
}

@test "body: close in the middle of the message; garbage; an endless reply" {
	smtpd_start --rule 'body bytes=5000 n=1 close' \
		--rule 'dot n=1 garbage' --rule 'ehlo n=3 endless'
	talk <<'T'
<
> EHLO c
<
= MAIL FROM:<a@example.org>\r\nRCPT TO:<x@example.org>\r\nDATA\r\n
<
<
<
= body body body\r\n * 400
<
T
	says EOF
	talk <<'T'
<
> EHLO c
<
= MAIL FROM:<a@example.org>\r\nRCPT TO:<x@example.org>\r\nDATA\r\n
<
<
<
= body\r\n.\r\n
<
T
	grep -q 999 <<< "$said"
	[ "$(printf '<\n> EHLO c\n<\n' | tests/smtpd/talk "$SMTP_PORT" | head -n 2000 | wc -l)" = 2000 ]
	[ -z "$(smtpd_copies)" ]
}

@test "delays: a rule's, and the emulated round trip, which pipelined commands share" {
	smtpd_start --reply-delay 150 --rule 'rcpt slow@example.org delay 1500ms'
	talk <<'T'
<
> EHLO c
<
= MAIL FROM:<a@example.org>\r\nRCPT TO:<slow@example.org>\r\n
<
?
<
T
	[ "$(grep -c SILENCE <<< "$said")" = 1 ]
	says '250 2.1.5 recipient ok'
}

@test "extensions are withheld, and then not to be used" {
	smtpd_start --no PIPELINING --no 8bitmime --no DSN --no ENHANCEDSTATUSCODES --size 1000
	talk <<'T'
<
> EHLO c
<
> MAIL FROM:<a@example.org> BODY=8BITMIME
<
> MAIL FROM:<a@example.org> SIZE=1001
<
> MAIL FROM:<a@example.org> SIZE=9
<
> RCPT TO:<x@example.org>
<
> DATA
<
= 0123456789\r\n * 200
> .
<
T
	says '250-SIZE 1000'
	run -1 grep -E 'PIPELINING|8BITMIME|DSN|ENHANCED' <<< "$said"
	says '555 parameter not recognised'
	[ "$(grep -c '552 message too large' <<< "$said")" = 2 ]
	[ -z "$(smtpd_copies)" ]
	[ "$(smtpd_violations)" = 'parameter not offered: BODY=8BITMIME' ]
}

@test "a server that knows HELO only" {
	smtpd_start --rule 'ehlo reply 502 5.5.1 not implemented'
	run send x@example.org
	[ "$(smtpd_copies)" = x@example.org ] || {
		echo "$output"
		cat "$SMTPD_TRANSCRIPT" "$SMTPD_LOG"
		return 1
	}
}

@test "STARTTLS, AUTH behind it, and a wrong password" {
	tests/smtpd/make-certs "$BATS_TEST_TMPDIR"
	smtpd_start --cert "$BATS_TEST_TMPDIR/server.pem" --require-tls --auth news:secret
	talk "$BATS_TEST_TMPDIR/ca.pem" <<T
<
> EHLO c
<
> MAIL FROM:<a@example.org>
<
> STARTTLS
<
tls
> EHLO c
<
> MAIL FROM:<a@example.org>
<
> AUTH PLAIN $(printf '\0news\0wrong' | base64)
<
> AUTH PLAIN $(printf '\0news\0secret' | base64)
<
> MAIL FROM:<a@example.org>
<
T
	says '530 5.7.0 STARTTLS first'
	says TLSv1.3
	says '530 5.7.0 AUTH first'
	says '250-AUTH PLAIN LOGIN'
	[ "$(grep -c AUTH <<< "$(sed '/TLSv1/q' <<< "$said")")" = 0 ]
	says '535 5.7.8 user name or password is wrong'
	says '235 2.7.0 welcome'
	says '250 2.1.0 sender ok'
	smtpd_stop
}

@test "AUTH LOGIN, with a scripted 535 first" {
	smtpd_start --auth news:secret --rule 'auth n<=1 reply 535 5.7.8 not now'
	for i in 1 2; do
		talk <<T
<
> EHLO c
<
> AUTH LOGIN
<
> $(printf news | base64)
<
> $(printf secret | base64)
<
T
		[ $i = 2 ] || says '535 5.7.8 not now'
	done
	says '235 2.7.0 welcome'
	smtpd_stop
}

@test "implicit TLS" {
	tests/smtpd/make-certs "$BATS_TEST_TMPDIR"
	smtpd_start --cert "$BATS_TEST_TMPDIR/server.pem" --implicit-tls
	talk "$BATS_TEST_TMPDIR/ca.pem" <<'T'
tls
<
> EHLO c
<
= MAIL FROM:<a@example.org>\r\nRCPT TO:<x@example.org>\r\nDATA\r\n
<
<
<
= line of a message\r\n * 10000
> .
<
T
	says '250 2.0.0 kept as 1'
	run -1 grep STARTTLS <<< "$said"
	jq -e '.tls and .bytes == 190000' "$SMTPD_LOG"
}

@test "STARTTLS with an injected reply, and with a broken handshake" {
	tests/smtpd/make-certs "$BATS_TEST_TMPDIR"
	smtpd_start --cert "$BATS_TEST_TMPDIR/server.pem" --rule 'starttls n=1 reply 220 go\n250 injected' \
		--rule 'tls garbage'
	talk "$BATS_TEST_TMPDIR/ca.pem" <<'T'
<
> EHLO c
<
> STARTTLS
<
<
T
	says '250 injected'
	talk "$BATS_TEST_TMPDIR/ca.pem" <<'T'
<
> EHLO c
<
> STARTTLS
<
tls
T
	grep -q 'TLS FAILED' <<< "$said"
}

@test "BDAT in chunks" {
	smtpd_start --maildir "$BATS_TEST_TMPDIR/mail"
	talk <<'T'
<
> EHLO c
<
= MAIL FROM:<a@example.org> ENVID=e+2B1 RET=HDRS\r\nRCPT TO:<x@example.org> NOTIFY=FAILURE\r\n
<
<
= BDAT 12\r\nSubject: x\r\nBDAT 8 LAST\r\n\r\n.\r\na\r\n
<
<
> MAIL FROM:<a@example.org>
<
= BDAT 3 LAST\r\nabcNOOP\r\n
<
<
T
	says '250 2.0.0 kept as 1'
	says '503 5.5.1 no valid recipients'
	says '250 2.0.0 ok'
	tail -n +3 "$BATS_TEST_TMPDIR"/mail/new/* | cmp - <(printf 'Subject: x\n\n.\na\n')
	jq -e '.envid == "e+2B1" and .ret == "HDRS" and .notify == "FAILURE"' "$SMTPD_LOG"
	smtpd_stop
}

@test "what breaks the protocol is noted, and the exit code tells" {
	smtpd_start
	talk <<'T'
<
= EHLO c\r\nNOOP\r\n
<
<
= MAIL FROM:<a@example.org>\r\nRCPT TO:<x@example.org>\r\nDATA\r\nearly\r\n
<
<
<
= bare\nfeed\r\n.\n\n.\r\na bare\rreturn\r\nnul\x00\r\n\xc3\xa9\r\n
= x * 1200
= \r\n.\r\n
<
> MAIL FROM:<ü@example.org>
<
> MAIL TO:<a@example.org>
<
> WHAT
<
T
	code=0
	smtpd_stop || code=$?
	[ $code = 3 ]
	for v in 'sent without waiting for the reply: EHLO' 'sent without waiting for the reply: DATA' \
		'bare LF' 'bare CR' NUL 'line too long' '8-bit message without BODY' \
		'8-bit address without SMTPUTF8' 'syntax: TO:' 'unknown command: WHAT'; do
		smtpd_violations | grep -qF "$v" || {
			echo "not noted: $v"
			smtpd_violations
			return 1
		}
	done
	[ "$(jq '.messages' "$SMTPD_SUMMARY")" = 1 ]
}

@test "pipelining where it is not offered is noted" {
	smtpd_start --no PIPELINING
	talk <<'T'
<
> EHLO c
<
= MAIL FROM:<a@example.org>\r\nRCPT TO:<x@example.org>\r\n
<
<
T
	code=0
	smtpd_stop || code=$?
	[ $code = 3 ]
	[ "$(smtpd_violations)" = 'sent without waiting for the reply: MAIL' ]
}

@test "what follows STARTTLS in clear is noted" {
	tests/smtpd/make-certs "$BATS_TEST_TMPDIR"
	smtpd_start --cert "$BATS_TEST_TMPDIR/server.pem"
	talk <<'T'
<
> EHLO c
<
= STARTTLS\r\nMAIL FROM:<a@example.org>\r\n
<
T
	code=0
	smtpd_stop || code=$?
	[ $code = 3 ]
	[[ "$(smtpd_violations)" = 'sent behind STARTTLS: MAIL'* ]]
}

@test "a message with content, dot and the next envelope in one write is no violation" {
	smtpd_start
	talk <<'T'
<
> EHLO c
<
= MAIL FROM:<a@example.org>\r\nRCPT TO:<x@example.org>\r\nDATA\r\n
<
<
<
= Subject: 1\r\n\r\none\r\n.\r\nMAIL FROM:<a@example.org>\r\nRCPT TO:<y@example.org>\r\nDATA\r\n
<
<
<
<
= Subject: 2\r\n\r\n..\r\n.\r\nQUIT\r\n
<
<
T
	smtpd_stop
	[ "$(smtpd_copies)" = $'x@example.org\ny@example.org' ]
}

@test "swaks is served" {
	smtpd_start
	run -0 swaks --server "127.0.0.1:$SMTP_PORT" --from a@example.org --to x@example.org --silent 2
	smtpd_stop
	[ "$(smtpd_copies)" = x@example.org ]
}

@test "wrong rules and options are refused" {
	run -64 "$SMTPD" --rule 'rctp reply 550 x'
	[[ "$output" = *"'rctp' is no step"* ]]
	run -64 "$SMTPD" --rule 'rcpt n=x reply 550 x'
	[[ "$output" = *"'n=x' is no condition"* ]]
	run -64 "$SMTPD" --rule 'rcpt n=3'
	[[ "$output" = *"has no action"* ]]
	printf '# fine\n\nrcpt delay soon\n' > "$BATS_TEST_TMPDIR/script"
	run -64 "$SMTPD" --script "$BATS_TEST_TMPDIR/script"
	[[ "$output" = *"script:3: "* ]]
	run -0 "$SMTPD" --help
}

@test "it ends with its parent" {
	bash -c '. tests/smtpd/smtpd.bash; BATS_TEST_TMPDIR=$1; smtpd_start; echo "$SMTPD_PID" > "$1/pid"' \
		- "$BATS_TEST_TMPDIR"
	gone() { ! kill -0 "$(cat "$BATS_TEST_TMPDIR/pid")" 2> /dev/null; }
	wait_for 10 gone
}

@test "it is killed after --max-seconds" {
	run -142 "$SMTPD" --max-seconds 1
}
