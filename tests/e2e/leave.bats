# SPDX-License-Identifier: MIT
# Leaving by the links of a real copy: one-click as mail providers send it, the page and its button, and
# everything that must not count.

load ../lib

setup() {
	cd "$ROOT"
	source tests/smtpd/smtpd.bash
	source tests/serve.bash
	mkdir "$BATS_TEST_TMPDIR/mail"
	smtpd_start --maildir "$BATS_TEST_TMPDIR/mail" "${SMTPD_OPTIONS[@]}"
	make_site "$SMTP_PORT"
	mill -q subscriber add ana@example.org --first-name Ana --list daily
	mill -q subscriber add ben@example.org --list daily
	write_issue "$SITE/i.md"
}

teardown() {
	serve_stop
	smtpd_stop || :
}

# deliver_issue: schedule and deliver; TOKEN is that of ana's List-Unsubscribe.
deliver_issue() {
	mill -q issue schedule "$SITE/i.md"
	mill -q deliver
	TOKEN=$(token_of ana@example.org)
	[ -n "$TOKEN" ]
}

# token_of ADDRESS: from the List-Unsubscribe field of the copy.
token_of() {
	local file
	file=$(grep -rl "^To: <\?$1" "$BATS_TEST_TMPDIR/mail" | head -1)
	sed -nE '/^List-Unsubscribe:/,/^[^ ]/s|.*https://news\.example\.org/u/([a-z2-7]+)>.*|\1|p' "$file" | head -1
}

# status_of ADDRESS: of the subscription to daily.
status_of() {
	mill subscriber show --json "$1" | jq -r '.subscriptions[0].status'
}

@test "one-click, urlencoded, as Gmail sends it" {
	deliver_issue
	serve_start
	page "/u/$TOKEN" -X POST -H 'Content-Type: application/x-www-form-urlencoded' \
		-H 'User-Agent: Mozilla/5.0 (compatible; Google-Gmail-Unsubscribe)' \
		--data-binary 'List-Unsubscribe=One-Click'
	is "$status" 200
	run ! grep -iE '^(location|set-cookie):' <<<"$headers"
	is "$(status_of ana@example.org)" unsubscribed
	is "$(status_of ben@example.org)" subscribed
	has "$(mill why ana@example.org)" one-click
	# Again, and in a database that has it already: the same answer, and no change.
	unchanged page "/u/$TOKEN" --data-binary 'List-Unsubscribe=One-Click'
	is "$status" 200
}

@test "one-click, multipart, as Yahoo sends it" {
	deliver_issue
	serve_start
	printf -- '--2f5b8c\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--2f5b8c--\r\n' \
		>"$BATS_TEST_TMPDIR/body"
	page "/u/$TOKEN" -X POST -H 'Content-Type: multipart/form-data; boundary=2f5b8c' \
		--data-binary "@$BATS_TEST_TMPDIR/body"
	is "$status" 200
	is "$(status_of ana@example.org)" unsubscribed
}

@test "the page shows, and its button does" {
	deliver_issue
	serve_start
	unchanged page "/u/$TOKEN"
	is "$status" 200
	has "$body" '<form method="post"'
	has "$body" "<strong>Daily</strong>"
	has "$body" ana@example.org
	mill -q list add week
	mill -q subscriber add ana@example.org --list week
	page "/u/$TOKEN" -d all=yes
	is "$status" 200
	is "$(mill subscriber show --json ana@example.org | jq -r '[.subscriptions[].status] | join(" ")')" \
		"unsubscribed unsubscribed"
}

@test "nothing but the right POST changes anything" {
	deliver_issue
	serve_start
	before=$(database)
	for method in GET HEAD OPTIONS PUT DELETE PATCH TRACE; do
		curl -s -o /dev/null -X "$method" ${method/#HEAD/--head} "$PAGES/u/$TOKEN" \
			-H 'Content-Type: application/x-www-form-urlencoded' || :
	done
	page "/u/$TOKEN?List-Unsubscribe=One-Click&leave=list"
	page "/u/$TOKEN" -X POST
	is "$status" 400
	page "/u/$TOKEN" -d 'x=y'
	page "/u/$TOKEN" -H 'Content-Type: application/json' -d '{"List-Unsubscribe":"One-Click"}'
	page "/u/$TOKEN" -H 'Content-Type: text/plain' -d 'List-Unsubscribe=One-Click'
	page "/u/$TOKEN" -d 'List-Unsubscribe=One-click'
	is "$(database)" "$before"
}

@test "every bit of a token flipped, and tokens for something else, are refused alike" {
	deliver_issue
	serve_start
	before=$(database)
	page "/u/nothing" -d 'List-Unsubscribe=One-Click'
	is "$status" 404
	wrong=$body
	/usr/bin/python3 - "$PAGES" "$TOKEN" <<-'P' >"$BATS_TEST_TMPDIR/answers"
		import http.client, sys, urllib.parse
		host = sys.argv[1].removeprefix("http://")
		token = sys.argv[2].encode()
		http_ = http.client.HTTPConnection(host)
		for bit in range(8 * len(token)):
		    t = bytearray(token)
		    t[bit // 8] ^= 1 << bit % 8
		    http_.request("POST", "/u/" + urllib.parse.quote(bytes(t)), b"List-Unsubscribe=One-Click",
		                  {"Content-Type": "application/x-www-form-urlencoded"})
		    r = http_.getresponse()
		    r.read()
		    print(r.status)
	P
	is "$(sort -u "$BATS_TEST_TMPDIR/answers")" 404
	is "$(wc -l <"$BATS_TEST_TMPDIR/answers")" "$((8 * ${#TOKEN}))"
	file=$(grep -rl '^To: <\?ana@' "$BATS_TEST_TMPDIR/mail" | head -1)
	for prefix in m v; do
		other=$(link_in "$file" "https://news.example.org/$prefix/")
		[ -n "$other" ]
		page "/u/${other##*/}" -d 'List-Unsubscribe=One-Click'
		is "$status" 404
		is "$body" "$wrong"
	done
	is "$(database)" "$before"
}

@test "a reader who was erased, and a key that was replaced" {
	deliver_issue
	serve_start
	mill -q subscriber erase ben@example.org
	token=$(token_of ben@example.org)
	page "/u/$token" -d 'List-Unsubscribe=One-Click'
	is "$status" 200
	serve_stop
	key=$(cat "$SITE/secrets/token.key")
	printf '2 %s\n%s\n' "$(tr 0-9a-f f0-9a-e <<<"$key")" "$key" >"$SITE/secrets/token.key"
	serve_start
	page "/u/$TOKEN" -d 'List-Unsubscribe=One-Click'
	is "$status" 200
	is "$(status_of ana@example.org)" unsubscribed
}

@test "copies of a running issue that have not left are skipped" {
	sed -i 's/connections = 4/connections = 1/' "$SITE/lettermill.conf"
	smtpd_stop
	# The second copy waits for a signal: the relay puts it off for now.
	SMTPD_PORT=$SMTP_PORT smtpd_start --maildir "$BATS_TEST_TMPDIR/mail" \
		--rule 'rcpt ben@example.org n=1 reply 451 4.3.0 later'
	deliver_issue
	is "$(mill status --json 1 | jq -c '[.counts.sent, .counts.deferred]')" "[1,1]"
	serve_start
	# ben's link is that of the copy which the relay put off; it is made from the same key.
	page "/u/$(ben_token)" -d 'List-Unsubscribe=One-Click'
	is "$status" 200
	sql 'UPDATE deliveries SET due_at = 1 WHERE state = 3'
	mill -q deliver
	is "$(mill status --json 1 | jq -c '[.counts.sent, .counts.skipped, .state]')" '[1,1,"done"]'
	is "$(smtpd_copies)" ana@example.org
}

# The token of subscriber 2 for list 1, by an independent hand.
ben_token() {
	/usr/bin/python3 - "$(head -1 "$SITE/secrets/token.key")" <<-'P'
		import base64, hashlib, hmac, sys
		fields = bytes([1, 2, 1, 2])
		mac = hmac.new(bytes.fromhex(sys.argv[1]), fields, hashlib.sha256).digest()[:16]
		print(base64.b32encode(fields + mac).decode().rstrip("=").lower())
	P
}

@test "security headers, a healthy answer, an orderly end" {
	serve_start
	page /u/nothing
	has "$headers" "content-security-policy: default-src 'none'; style-src 'self'"
	has "$headers" "frame-ancestors 'none'"
	has "$headers" "referrer-policy: no-referrer"
	has "$headers" "x-content-type-options: nosniff"
	run ! grep -q '^set-cookie' <<<"$headers"
	page /healthz
	is "$status $body" $'200 ok'
	unchanged page /healthz
	serve_stop
}

@test "due copies that nobody delivers make it unwell" {
	mill -q issue schedule "$SITE/i.md"
	serve_start
	page /healthz
	is "$status" 200
	sql 'UPDATE deliveries SET due_at = due_at - 2000'
	page /healthz
	is "$status" 503
	has "$body" "nothing delivers them"
	mill -q deliver
	page /healthz
	is "$status" 200
}
