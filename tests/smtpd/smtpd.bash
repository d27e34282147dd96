# SPDX-License-Identifier: MIT
# For tests that need the scripted SMTP server. Call these in the test's own shell, not in a subshell:
# the server ends with its parent.

SMTPD=${SMTPD:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)/build/smtpd}

# smtpd_start [OPTION]...: a server on a free port. Sets SMTP_PORT, SMTPD_PID; its records are
# $SMTPD_LOG (a JSON line a copy), $SMTPD_TRANSCRIPT and, once stopped, $SMTPD_SUMMARY.
smtpd_start() {
	local dir=$BATS_TEST_TMPDIR
	SMTPD_LOG=$dir/smtpd.log SMTPD_TRANSCRIPT=$dir/smtpd.transcript
	SMTPD_SUMMARY=$dir/smtpd.summary
	local port=$dir/smtpd.port
	rm -f "$port"
	: > "$SMTPD_LOG"
	: > "$SMTPD_TRANSCRIPT"
	"$SMTPD" --max-seconds 600 --port "${SMTPD_PORT:-0}" --port-file "$port" --log "$SMTPD_LOG" \
		--transcript "$SMTPD_TRANSCRIPT" "$@" > "$SMTPD_SUMMARY" 3>&- &
	SMTPD_PID=$!
	until [ -s "$port" ]; do
		kill -0 "$SMTPD_PID" || return 1
		read -rt 0.01 <> <(:) || :
	done
	SMTP_PORT=$(cat "$port")
}

# smtpd_stop: end it; its exit code is the function's (3: the client broke the protocol).
smtpd_stop() {
	local pid=$SMTPD_PID
	SMTPD_PID=
	[ -n "$pid" ] || return 0
	kill "$pid" 2> /dev/null || :
	wait "$pid"
}

# smtpd_copies: the recipients of all accepted copies, one a line, in order of arrival.
smtpd_copies() {
	jq -r 'select(.to) | .to' "$SMTPD_LOG"
}

# smtpd_violations: what the client did against the protocol, one a line.
smtpd_violations() {
	jq -r 'select(.violation) | .violation + ": " + .detail' "$SMTPD_LOG"
}

# wait_for SECONDS COMMAND...: until the command succeeds; fails when the time is over.
wait_for() {
	local until=$((SECONDS + $1))
	shift
	until "$@"; do
		[ "$SECONDS" -lt "$until" ] || return 1
		read -rt 0.05 <> <(:) || :
	done
}
