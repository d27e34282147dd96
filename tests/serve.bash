# SPDX-License-Identifier: MIT
# For tests of the public pages: a server on a free port. Call these in the test's own shell.

# serve_start: serve $SITE; sets SERVE_PID, PAGES (the address of its pages) and METRICS.
serve_start() {
	grep -q '^web {' "$SITE/lettermill.conf" ||
		printf 'web {\n\tlisten = "127.0.0.1:0"\n\tmetrics = "127.0.0.1:0"\n}\n' >>"$SITE/lettermill.conf"
	rm -f "$SITE/serve.json"
	"$LETTERMILL" -C "$SITE" --json serve >"$SITE/serve.json" 2>"$SITE/serve.log" 3>&- &
	SERVE_PID=$!
	until [ -s "$SITE/serve.json" ]; do
		kill -0 "$SERVE_PID" || { cat "$SITE/serve.log"; return 1; }
		read -rt 0.02 <> <(:) || :
	done
	PAGES=http://127.0.0.1:$(jq -r .port "$SITE/serve.json")
	METRICS=http://127.0.0.1:$(jq -r .metrics_port "$SITE/serve.json")/metrics
}

# serve_stop: end it; its exit code is the function's.
serve_stop() {
	local pid=${SERVE_PID:-}
	SERVE_PID=
	[ -n "$pid" ] || return 0
	kill "$pid" 2>/dev/null || :
	wait "$pid" || return
	! grep -E "event=page msg=" "$SITE/serve.log" # a template that does not fit, a failed statement
}

# page PATH [CURL OPTION...]: ask; sets status, headers (lower case names) and body.
page() {
	local path=$1
	shift
	body=$(curl -s --max-time 30 -D "$BATS_TEST_TMPDIR/headers" -w '\n%{http_code}' "$@" "$PAGES$path")
	status=${body##*$'\n'}
	body=${body%$'\n'*}
	body=${body%$'\n'}
	headers=$(tr -d '\r' <"$BATS_TEST_TMPDIR/headers" | sed -E '1d; s/^[^:]*/\L&/')
}

# copies_of ADDRESS: the messages that the SMTP server took for it, one JSON line each.
copies_of() {
	jq -c --arg to "$1" 'select(.to == $to)' "$SMTPD_LOG"
}

# link_in MESSAGE_FILE PREFIX: the first link to PREFIX in a message as it was sent.
link_in() {
	/usr/bin/python3 - "$@" <<-'P'
		import email, email.policy, re, sys
		m = email.message_from_binary_file(open(sys.argv[1], "rb"), policy=email.policy.default)
		text = m.get_body(("plain",)).get_content()
		found = re.search(re.escape(sys.argv[2]) + r"[a-z2-7]+", text)
		print(found.group(0) if found else "")
	P
}
