# SPDX-License-Identifier: MIT
# What readers decide and read: preferences, their data, issues in the browser, the archive and its feed.

load ../lib

setup() {
	cd "$ROOT"
	source tests/smtpd/smtpd.bash
	source tests/serve.bash
	mkdir "$BATS_TEST_TMPDIR/mail"
	smtpd_start --maildir "$BATS_TEST_TMPDIR/mail"
	make_site "$SMTP_PORT"
	mill -q list add week --name Weekly
	mill -q subscriber add ana@example.org --first-name Ana --list daily
	mill -q subscriber add ben@example.org --list daily
	write_issue "$SITE/i.md"
	mill -q issue schedule "$SITE/i.md"
	mill -q deliver
	serve_start
}

teardown() {
	serve_stop
	smtpd_stop || :
}

# link ADDRESS PREFIX: path of such a link in the copy of ADDRESS.
link() {
	local link
	link=$(link_in "$(grep -rl "^To: <\?$1" "$BATS_TEST_TMPDIR/mail" | head -1)" "https://news.example.org$2")
	echo "${link#https://news.example.org}"
}

lists_of() {
	mill subscriber show --json "$1" | jq -c '[.subscriptions[] | .list + " " + .status]'
}

# issue SLUG SUBJECT BODY: schedule and deliver one more.
issue() {
	printf -- '---\nsubject: %s\nslug: %s\npreheader: About %s\nlist: daily\n---\n\n%s\n' "$2" "$1" "$1" "$3" >"$SITE/more.md"
	mill -q issue schedule "$SITE/more.md"
	mill -q deliver
}

@test "preferences: lists, name, pause" {
	prefs=$(link ana@example.org /m/)
	unchanged page "$prefs"
	is "$status" 200
	has "$body" 'name="list-daily" value="yes" checked'
	has "$body" 'name="list-week" value="yes">'
	has "$body" 'value="Ana"'
	unchanged page "$prefs" -X POST
	page "$prefs" -d save=yes -d list-week=yes -d first_name=Anna -d last_name="O'Neill" -d pause=7
	is "$status" 200
	has "$body" 'role="status"'
	is "$(lists_of ana@example.org)" '["daily unsubscribed","week subscribed"]'
	is "$(mill subscriber show --json ana@example.org | jq -r '.first_name + " " + .last_name')" "Anna O'Neill"
	has "$body" "Paused until"
	# Nothing of a list leaves for somebody who pauses: neither what is scheduled now, nor what waits.
	printf -- '---\nsubject: Week\nlist: week\npreheader: x\n---\n\nHello.\n' >"$SITE/w.md"
	expect 0 issue schedule "$SITE/w.md"
	is "$(mill status --json 2 | jq .counts.queued)" 0
	page "$prefs" -d save=yes -d list-daily=yes -d list-week=yes -d pause=0
	is "$(lists_of ana@example.org)" '["daily subscribed","week subscribed"]'
	printf -- '---\nsubject: Week\nslug: w2\nlist: week\npreheader: x\n---\n\nHello.\n' >"$SITE/w.md"
	mill -q issue schedule "$SITE/w.md"
	page "$prefs" -d save=yes -d list-daily=yes -d list-week=yes -d pause=30
	mill -q deliver
	is "$(mill status --json 3 | jq -c '[.counts.sent, .counts.skipped]')" "[0,1]"
	has "$(mill why ana@example.org)" paused
	expect 0 db check
}

@test "who came back or complained does not choose" {
	prefs=$(link ana@example.org /m/)
	sql 'UPDATE subscriptions SET status = 3 WHERE subscriber_id = 1'
	page "$prefs"
	has "$body" disabled
	has "$body" editor@news.example.org
	page "$prefs" -d save=yes -d list-daily=yes -d list-week=yes
	is "$(lists_of ana@example.org)" '["daily bounced","week subscribed"]'
	mill -q subscriber suppress ana@example.org
	page "$prefs" -d save=yes -d list-daily=yes
	is "$(lists_of ana@example.org)" '["daily bounced","week subscribed"]'
}

@test "one's data, and to be forgotten" {
	prefs=$(link ana@example.org /m/)
	unchanged page "$prefs/data"
	has "$headers" 'content-disposition: attachment'
	is "$(jq -c '[.email, .first_name, .subscriptions[0].list, .mails[0].state]' <<<"$body")" \
		'["ana@example.org","Ana","daily","sent"]'
	run ! grep -q ben@example.org <<<"$body"
	unchanged page "$prefs/erase"
	has "$body" 'name="erase"'
	unchanged page "$prefs/erase" -X POST
	unchanged page "$prefs/data" -d erase=yes
	page "$prefs/erase" -d erase=yes
	has "$body" Erased
	has "$(mill subscriber show ana@example.org)" "is not among the subscribers"
	unchanged page "$prefs" -d save=yes -d list-week=yes
	is "$status" 410
	page "$(link ana@example.org /v/)"
	is "$status" 404
	expect 0 db check
}

@test "an issue in the browser, as its reader got it" {
	unchanged page "$(link ana@example.org /v/)"
	is "$status" 200
	has "$body" "Good morning, Ana!"
	has "$body" ana@example.org
	has "$headers" "cache-control: no-store"
	has "$headers" "x-robots-tag: noindex"
	has "$headers" "content-security-policy: default-src 'none'"
	run ! grep -q "script" <<<"$headers"
	other=$(link ana@example.org /m/)
	page "/v/${other#/m/}"
	is "$status" 404
}

@test "the archive: list, issue, search, feed" {
	issue harbour 'A <b>harbour</b> & more' 'The tide waits for 50% of nobody.'
	issue later 'Later {{ subscriber.first_name | default: "reader" }}' 'Something else.'
	mill -q issue schedule --at 2099-01-01T00:00:00Z <(sed 's/slug: later/slug: future/; s/Later/Future/' "$SITE/more.md") || :
	unchanged page /archive/daily
	is "$status" 200
	has "$body" 'A &lt;b&gt;harbour&lt;/b&gt; &amp; more'
	has "$body" 'Later reader'
	has "$body" '/archive/daily/first-light'
	run ! grep -q Future <<<"$body"
	page '/archive/daily?q=50%25'
	has "$body" harbour
	run ! grep -q first-light <<<"$body"
	page '/archive/daily?q=h_rbour'
	run ! grep -q first-light <<<"$body"
	page '/archive/daily?q=nowhere'
	has "$body" "Nothing to be found"
	page /archive/daily/first-light
	is "$status" 200
	has "$body" "Good morning!"
	run ! grep -qE 'ana@|ben@|/u/[a-z2-7]{20}|/m/|/v/' <<<"$body"
	has "$body" 'property="og:title" content="First light"'
	has "$body" 'href="https://news.example.org/subscribe/daily"'
	has "$headers" "cache-control: public"
	page /archive/daily/feed.xml
	has "$headers" "content-type: application/atom+xml"
	printf %s "$body" >"$BATS_TEST_TMPDIR/feed.xml"
	/usr/bin/python3 - "$BATS_TEST_TMPDIR/feed.xml" <<-'P'
		import sys, xml.etree.ElementTree as E
		n = "{http://www.w3.org/2005/Atom}"
		f = E.parse(sys.argv[1]).getroot()
		e = f.findall(n + "entry")
		assert len(e) == 3, e
		assert e[1].find(n + "title").text == "A <b>harbour</b> & more"
		assert "The tide waits" in e[1].find(n + "content").text
		assert len({x.find(n + "id").text for x in e}) == 3
		assert all(x.find(n + "updated").text.endswith("Z") for x in e)
	P
	for missing in /archive /archive/ /archive/nothing /archive/daily/ /archive/daily/nothing /archive/daily/../week; do
		page "$missing" --path-as-is
		is "$status" 404
	done
	mill -q list set daily --public no
	sleep_until_cold
	page /archive/daily
	is "$status" 404
	page /archive/daily/first-light
	is "$status" 404
	page "$(link ana@example.org /v/)"
	is "$status" 200
}

# Pages for everybody may be a few seconds old.
sleep_until_cold() {
	serve_stop
	serve_start
}

@test "images of issues, and nothing else of the disk" {
	mkdir -p "$SITE/media/0123456789abcdef"
	printf '\x89PNG\r\n' >"$SITE/media/0123456789abcdef/a b.png"
	echo secret >"$SITE/media/0123456789abcdef/x.txt"
	page '/media/0123456789abcdef/a%20b.png' -o /dev/null
	is "$(grep -c '^content-type: image/png' <<<"$headers")" 1
	has "$headers" immutable
	for path in /media/0123456789abcdef/x.txt /media/../secrets/token.key /media/..%2fsecrets/token.key \
		'/media/0123456789abcdef/..%2f..%2fx.png' '/media/0123456789abcdef/.x.png' /media/0123456789abcdef/ /media/x; do
		page "$path" --path-as-is
		is "$status" 404
	done
}

@test "a thousand GETs and HEADs over every link of an issue change nothing" {
	file=$(grep -rl '^To: <\?ana@' "$BATS_TEST_TMPDIR/mail" | head -1)
	before=$(database)
	/usr/bin/python3 - "$PAGES" "$file" <<-'P' >"$BATS_TEST_TMPDIR/codes"
		import email, email.policy, http.client, re, sys
		m = email.message_from_binary_file(open(sys.argv[2], "rb"), policy=email.policy.default)
		text = "".join(p.get_content() for p in m.walk() if p.get_content_maintype() == "text")
		text += str(m["List-Unsubscribe"])
		paths = sorted(set(re.findall(r"https://news\.example\.org(/[^\s\"<>)]*)", text)))
		paths += [p + "/data" for p in paths if p.startswith("/m/")] + ["/subscribe/daily", "/archive/daily"]
		assert len([p for p in paths if p[:3] in ("/u/", "/m/", "/v/")]) >= 3, paths
		c = http.client.HTTPConnection(sys.argv[1].removeprefix("http://"))
		for i in range(1000):
		    c.request(("GET", "HEAD")[i % 2], paths[i // 2 % len(paths)], headers={"User-Agent": "scanner"})
		    r = c.getresponse()
		    r.read()
		    print(r.status)
	P
	is "$(wc -l <"$BATS_TEST_TMPDIR/codes")" 1000
	is "$(database)" "$before"
}

@test "an image that travels in the mail has an address on the web" {
	/usr/bin/python3 -c 'import struct, sys; sys.stdout.buffer.write(b"\x89PNG\r\n\x1a\n"
		+ struct.pack(">I4sIIBB", 13, b"IHDR", 900, 500, 8, 2))' >"$SITE/harbour.png"
	write_issue "$SITE/picture.md" "A picture"
	echo $'\n![A harbour](harbour.png)' >>"$SITE/picture.md"
	mill -q issue schedule --embed "$SITE/picture.md"
	mill -q deliver
	file=$(grep -rl 'Subject: A picture' "$BATS_TEST_TMPDIR/mail" | head -1)
	has "$(tr -d '\r' <"$file" | sed 's/=$//' | tr -d '\n')" "cid:image1@daily.news.example.org"
	page /archive/daily/a-picture
	is "$status" 200
	run ! grep -o 'cid:[^"]*' <<<"$body"
	src=$(grep -o '"https://news.example.org/media/[^"]*harbour.png"' <<<"$body" | tr -d '"')
	page "${src#https://news.example.org}" -o /dev/null
	is "$status" 200
}
