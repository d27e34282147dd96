# SPDX-License-Identifier: MIT
# Subscribing by the form: the mail that asks to confirm, the consent that is kept, and the ceilings.

load ../lib

setup() {
	cd "$ROOT"
	source tests/smtpd/smtpd.bash
	source tests/serve.bash
	mkdir "$BATS_TEST_TMPDIR/mail"
	smtpd_start --maildir "$BATS_TEST_TMPDIR/mail"
	make_site "$SMTP_PORT"
	serve_start
}

teardown() {
	serve_stop
	smtpd_stop || :
}

# stamp: a form's stamp that is old enough.
stamp() {
	/usr/bin/python3 - "$(head -1 "$SITE/secrets/token.key")" "${1:-60}" <<-'P'
		import base64, hashlib, hmac, sys, time
		def varint(n):
		    out = b""
		    while n > 127:
		        out += bytes([n & 127 | 128])
		        n >>= 7
		    return out + bytes([n])
		fields = bytes([1, 6]) + varint(int(time.time()) - int(sys.argv[2])) + bytes([1])
		mac = hmac.new(bytes.fromhex(sys.argv[1]), fields, hashlib.sha256).digest()[:16]
		print(base64.b32encode(fields + mac).decode().rstrip("=").lower())
	P
}

# ask ADDRESS [CURL OPTION...]: send the form.
ask() {
	local address=$1
	shift
	page /subscribe/daily --data-urlencode "email=$address" -d "stamp=$(stamp)" "$@"
}

# confirmation_of ADDRESS: the file of the newest mail to it.
confirmation_of() {
	grep -rl "^To: <\?$1" "$BATS_TEST_TMPDIR/mail" | xargs -r ls -t | head -1
}

# confirm_link ADDRESS: path of the link in that mail.
confirm_link() {
	local link
	link=$(link_in "$(confirmation_of "$1")" https://news.example.org/confirm/)
	echo "${link#https://news.example.org}"
}

status_of() {
	mill subscriber show --json "$1" | jq -r '.subscriptions[0].status'
}

@test "who asks with other capitals is the reader who is there" {
	mill subscriber add Ana@example.org
	ask ana@example.org
	is "$status" 200
	is "$(status_of Ana@example.org)" pending
	is "$(mill subscriber find --json ana@ | wc -l)" 1
}

@test "ask, confirm, and the issue comes; the consent is told" {
	ask ana@example.org -d name=Ana -H 'X-Forwarded-For: 10.9.9.9, 203.0.113.7'
	is "$status" 200
	has "$body" "Check your mail"
	is "$(status_of ana@example.org)" pending
	mill -q deliver
	file=$(confirmation_of ana@example.org)
	grep -q '^Subject: Confirm your subscription to Daily' "$file"
	grep -q '^Auto-Submitted: auto-generated' "$file"
	run ! grep -iE '^(List-Unsubscribe|Precedence|List-Id)' "$file"
	link=$(confirm_link ana@example.org)
	[ -n "$link" ]
	unchanged page "$link"
	is "$status" 200
	has "$body" '<button name="confirm"'
	unchanged page "$link" -X POST
	page "$link" -d confirm=yes -H 'X-Forwarded-For: 203.0.113.8'
	is "$status" 200
	has "$body" "Welcome!"
	is "$(mill subscriber show --json ana@example.org | jq -c '[.first_name, .subscriptions[0].status, .subscriptions[0].source]')" \
		'["Ana","subscribed","web form, confirmed by mail"]'
	story=$(mill why ana@example.org)
	has "$story" 203.0.113.7
	has "$story" 203.0.113.8
	has "$story" "form /subscribe/daily (en)"
	has "$story" "Send me Daily by e-mail."
	unchanged page "$link" -d confirm=yes
	is "$status" 200
	write_issue "$SITE/i.md"
	mill -q issue schedule "$SITE/i.md"
	mill -q deliver
	is "$(smtpd_copies | grep -c ana@example.org)" 2
	is "$(mill issue ls --json | jq -s length)" 1
	expect 0 db check
}

@test "a link works once: who has left since is not brought back by it" {
	ask ana@example.org
	mill -q deliver
	link=$(confirm_link ana@example.org)
	page "$link" -d confirm=yes
	mill -q subscriber unsubscribe ana@example.org
	unchanged page "$link" -d confirm=yes
	is "$status" 410
	# Asking anew does.
	ask ana@example.org
	sql 'UPDATE asks SET at = at - 700'
	is "$(status_of ana@example.org)" unsubscribed
	ask ana@example.org
	mill -q deliver
	other=$(confirm_link ana@example.org)
	[ "$link" != "$other" ]
	page "$other" -d confirm=yes
	is "$(status_of ana@example.org)" subscribed
}

@test "who is on the list, bounced, complained or was suppressed gets nothing and the same answer" {
	ask new@example.org
	answer=${body//new@example.org/X}
	mill -q subscriber add on@example.org --list daily
	mill -q subscriber suppress gone@example.org
	mill -q subscriber add bounced@example.org --list daily
	mill -q subscriber add angry@example.org --list daily
	sql "UPDATE subscriptions SET status = 3 WHERE subscriber_id = (SELECT id FROM subscribers WHERE email_key = 'bounced@example.org');
		UPDATE subscriptions SET status = 4 WHERE subscriber_id = (SELECT id FROM subscribers WHERE email_key = 'angry@example.org')"
	before=$(sql 'SELECT * FROM subscriptions; SELECT * FROM subscribers')
	for who in on gone bounced angry; do
		ask "$who@example.org"
		is "$status" 200
		is "${body//$who@example.org/X}" "$answer"
	done
	is "$(sql 'SELECT * FROM subscriptions; SELECT * FROM subscribers')" "$before"
	mill -q deliver
	is "$(smtpd_copies)" new@example.org
}

@test "an erased reader may come back by an own word, and only so" {
	mill -q subscriber add ana@example.org --list daily
	mill -q subscriber erase ana@example.org
	ask ana@example.org
	mill -q deliver
	expect 0 db check
	printf 'email\nana@example.org\n' >"$SITE/people.csv"
	mill -q import "$SITE/people.csv" --list daily
	write_issue "$SITE/i.md"
	expect 66 issue schedule "$SITE/i.md"
	page "$(confirm_link ana@example.org)" -d confirm=yes
	is "$(status_of ana@example.org)" subscribed
	mill -q issue schedule "$SITE/i.md"
	mill -q deliver
	is "$(smtpd_copies | wc -l)" 2
	expect 0 db check
}

@test "ceilings: one address, one network, all" {
	for i in $(seq 30); do
		ask ana@example.org -H "X-Forwarded-For: 198.51.100.$i"
		sql 'UPDATE asks SET at = at - 700'
	done
	mill -q deliver
	is "$(smtpd_copies | wc -l)" 3
	sql 'DELETE FROM asks'
	for i in $(seq 25); do
		ask "reader$i@example.org" -H 'X-Forwarded-For: 2001:db8:0:1::'$i
		codes+=" $status"
	done
	is "$(tr ' ' '\n' <<<"$codes" | sort | uniq -c | tr -s ' \n' ' ')" " 1 20 200 5 429 "
	serve_stop
	printf 'web {\n\tforms_per_hour = 22\n\tlisten = "127.0.0.1:0"\n}\n' >"$BATS_TEST_TMPDIR/web"
	sed -i '/^web {/,$d' "$SITE/lettermill.conf"
	cat "$BATS_TEST_TMPDIR/web" >>"$SITE/lettermill.conf"
	serve_start
	codes=
	for i in $(seq 4); do
		ask "other$i@example.org" -H "X-Forwarded-For: 192.0.2.$i"
		codes+=" $status"
	done
	is "$codes" " 200 200 429 429"
}

@test "robots: the field nobody sees, the form nobody has seen" {
	before=$(database)
	ask ana@example.org -d website=https://spam.example/
	is "$status" 200
	has "$body" "Check your mail"
	page /subscribe/daily -d email=ana@example.org
	has "$body" "Please press the button"
	has "$body" 'value="ana@example.org"'
	page /subscribe/daily -d email=ana@example.org -d "stamp=$(stamp 0)"
	has "$body" "Please press the button"
	page /subscribe/daily -d email=ana@example.org -d "stamp=$(stamp 90000)"
	has "$body" "Please press the button"
	page /subscribe/nothing
	is "$status" 404
	mill -q list set daily --public no
	page /subscribe/daily
	is "$status" 404
	mill -q list set daily --public yes
	is "$(database)" "$before"
}

@test "wrong and mistyped addresses" {
	for address in '' ana 'ana@' 'a b@example.org' $'ana@example.org\r\nBcc: b@example.org' 'ana@example.org,b@example.org'; do
		unchanged ask "$address"
		is "$status" 422
		has "$body" 'role="alert"'
	done
	unchanged ask ana@gmial.com
	is "$status" 200
	has "$body" "Did you mean"
	has "$body" 'value="ana@gmail.com"'
	ask ana@gmial.com -d keep=yes
	is "$(status_of ana@gmial.com)" pending
	ask ana@gmial.com -d hint=ben@gmail.com
	is "$(status_of ben@gmail.com)" pending
}

@test "quotes before the @ are taken where the configuration says so" {
	unchanged ask '"ann lee"@example.org'
	is "$status" 422
	page /subscribe/daily
	has "$body" 'type="email"'
	serve_stop
	sed -i '1i quoted_local_parts = yes' "$SITE/lettermill.conf"
	serve_start
	page /subscribe/daily
	has "$body" '<input type="text" inputmode="email" id="email"' # browsers refuse quotes in type="email"
	ask '"ann lee"@example.org'
	is "$status" 200
	mill -q deliver
	page "$(confirm_link '"ann lee"@')" -d confirm=yes
	is "$(status_of '"ann lee"@example.org')" subscribed
	ask '"ann lee"@gmial.com'
	has "$body" 'value="&quot;ann lee&quot;@gmail.com"'
}

@test "JSON from other sites" {
	json() { page /subscribe/daily -H 'Content-Type: application/json' -H 'Origin: https://site.example' -d "$1"; }
	json '{"email":"ana@example.org","name":"Ana","words":"Get our letter"}'
	is "$status $body" '200 {"status":"check-mail"}'
	has "$headers" "access-control-allow-origin: *"
	mill -q deliver
	page "$(confirm_link ana@example.org)" -d confirm=yes
	has "$(mill why ana@example.org)" "JSON of https://site.example, which said: Get our letter"
	json '{"email":"ana@gmial.com"}'
	is "$status $body" '409 {"status":"hint","hint":"ana@gmail.com"}'
	json '{"email":"nobody"}'
	is "$status $body" '422 {"status":"invalid"}'
	json '["email"]'
	is "$status" 400
	page /subscribe/daily -X OPTIONS -H 'Origin: https://site.example' -H 'Access-Control-Request-Method: POST'
	is "$status" 204
	has "$headers" "access-control-allow-headers: Content-Type"
}

@test "the form for other sites leads to a page with a button" {
	page /subscribe/daily/embed
	is "$status" 200
	has "$body" 'action="https://news.example.org/subscribe/daily"'
	unchanged page /subscribe/daily -d email=ana@example.org -d name=Ana
	has "$body" 'value="Ana"'
}

@test "a list that wants no confirmation" {
	mill -q list set daily --opt-in single
	ask ana@example.org
	has "$body" "Welcome!"
	is "$(status_of ana@example.org)" subscribed
	mill -q subscriber unsubscribe ana@example.org
	ask ana@example.org
	is "$(status_of ana@example.org)" unsubscribed
	mill -q deliver
	page "$(confirm_link ana@example.org)" -d confirm=yes
	is "$(status_of ana@example.org)" subscribed
}

@test "the visitor's language, in page and mail" {
	ask ana@example.org -H 'Accept-Language: tlh, de-AT;q=0.8, en;q=0.3'
	has "$body" '<html lang="de" dir="ltr">'
	mill -q deliver
	grep -q 'lang=3D"de"' "$(confirmation_of ana@example.org)"
}

nobody_is_known() {
	[ "$(sql 'SELECT (SELECT count(*) FROM subscribers) + (SELECT count(*) FROM asks) +
		(SELECT count(*) FROM subscriptions) + (SELECT count(*) FROM events WHERE subscriber_id)')" = 0 ]
}

@test "nobody answers: forgotten after a week" {
	ask ana@example.org
	mill -q deliver
	link=$(confirm_link ana@example.org)
	sql 'UPDATE asks SET at = at - 605000'
	unchanged page "$link" -d confirm=yes
	is "$status" 410
	serve_stop
	serve_start
	wait_for 10 nobody_is_known
	expect 0 db check
}

@test "hostile values in every field are inert" {
	payload='"><script>alert(1)</script>{{ publication.name }}{% raw %}'
	page /subscribe/daily --data-urlencode "email=$payload" --data-urlencode "name=$payload"
	run ! grep -q '<script' <<<"$body"
	run ! grep -q 'The Daily Press{%' <<<"$body"
	has "$body" '{{ publication.name }}'
	ask ana@example.org --data-urlencode "name=$payload" -H $'User-Agent: x' \
		-H "X-Forwarded-For: $payload" -H "Accept-Language: $payload"
	mill -q deliver
	run ! grep -q '<script\|alert(1)' "$(confirmation_of ana@example.org)"
	page /subscribe/daily --data-urlencode $'email=x@example.org' --data-urlencode $'name=A\r\nBcc: b@example.org'
	run ! grep -q 'Bcc' <<<"$body"
	page "/subscribe/daily?email=$(printf %s "$payload" | jq -sRr @uri)"
	run ! grep -q 'alert' <<<"$body"
}

@test "a welcome and a goodbye, where the list says so" {
	mill -q list set --welcome yes --goodbye yes daily
	ask ana@example.org -H 'Accept-Language: de'
	mill -q deliver
	page "$(confirm_link ana@example.org)" -d confirm=yes -H 'Accept-Language: de'
	mill -q deliver
	welcome=$(grep -rl '^Subject: Willkommen bei Daily' "$BATS_TEST_TMPDIR/mail")
	grep -q '^List-Unsubscribe:' "$welcome"
	leave=$(link_in "$welcome" https://news.example.org/u/)
	[ -n "$leave" ]
	page "$(confirm_link ana@example.org)" -d confirm=yes # again: no second welcome
	page "${leave#https://news.example.org}" -d leave=list -H 'Accept-Language: de'
	is "$status" 200
	mill -q deliver
	goodbye=$(grep -rl '^Subject: Daily ist abbestellt' "$BATS_TEST_TMPDIR/mail")
	grep -q '^Auto-Submitted: auto-generated' "$goodbye"
	page "${leave#https://news.example.org}" -d leave=list -H 'Accept-Language: de'
	mill -q deliver
	is "$(copies_of ana@example.org | wc -l)" 3
	is "$(status_of ana@example.org)" unsubscribed
	is "$(mill issue ls --json)" ""
}

@test "no goodbye to who says it in the mail program, or has come back" {
	mill -q list set --goodbye yes --opt-in single --welcome yes daily
	ask ana@example.org
	ask ben@example.org
	mill -q deliver
	is "$(copies_of ana@example.org | wc -l)" 1 # single opt-in: the welcome alone
	leave=$(link_in "$(confirmation_of ana@example.org)" https://news.example.org/u/)
	page "${leave#https://news.example.org}" -d List-Unsubscribe=One-Click
	is "$(status_of ana@example.org)" unsubscribed
	leave=$(link_in "$(confirmation_of ben@example.org)" https://news.example.org/u/)
	page "${leave#https://news.example.org}" -d leave=list
	is "$(sql "SELECT count(*) FROM deliveries WHERE state = 0")" 1
	mill -q subscriber add ben@example.org --list daily --consent "by telephone"
	mill -q deliver
	is "$(copies_of ana@example.org | wc -l) $(copies_of ben@example.org | wc -l)" "1 1"
}
