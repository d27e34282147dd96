# SPDX-License-Identifier: MIT

load ../lib
load ../smtpd/smtpd

setup() {
	make_site
	ISSUE=$BATS_TEST_TMPDIR/light.md
	write_issue "$ISSUE"
	mill subscriber add --first-name Ana --list daily ana@example.org
	mill subscriber add --list daily bob@example.org
}

teardown() {
	smtpd_stop || :
}

@test "check says all right, or what is wrong and where" {
	expect 0 issue check "$ISSUE"
	has "$output" "$ISSUE: all right, for 2 subscribers of 'daily': First light"
	expect 0 issue check -q "$ISSUE"
	is "$output" ""
	expect 0 issue check --json "$ISSUE"
	is "$(jq -c '[.ok,.slug,.list,.subject,.subscribed,.remarks]' <<<"$output")" '[true,"first-light","daily","First light",2,[]]'

	sed -i 's/first_name }}/frist_name }}/' "$ISSUE"
	unchanged expect 65 issue check "$ISSUE"
	[[ $stderr == "$ISSUE:6: "*"'subscriber.first_name'"* ]]
	is "$(wc -l <<<"$stderr")" 1
	expect 65 issue check --json "$ISSUE"
	is "$(jq -c '[.ok, .error]' <<<"$output")" "$(jq -nc --arg e "$stderr" '[false, $e]')"
	expect 66 issue check /nonexistent.md
}

@test "check counts who would get the issue: in the segment, and not suppressed" {
	mill subscriber add --list daily cy@example.org
	mill subscriber suppress bob@example.org
	expect 0 issue check "$ISSUE"
	has "$output" "all right, for 2 subscribers of 'daily'"
	sed -i "1a segment: 'first_name = \"Ana\"'" "$ISSUE"
	expect 0 issue check "$ISSUE"
	has "$output" "all right, for 1 subscriber of 'daily'"
	expect 0 issue check --json "$ISSUE"
	is "$(jq -c '[.subscribed,.audience]' <<<"$output")" '[3,1]'
	sed -i 's/^segment:.*/segment: frist_name = "Ana"/' "$ISSUE"
	expect 65 issue check "$ISSUE"
	has "$stderr" "$ISSUE: nobody has the field 'frist_name'"
}

@test "remarks go to standard error, one a line, and stop nothing" {
	echo '![](https://example.org/a.png)' >>"$ISSUE"
	expect 0 issue check "$ISSUE"
	has "$stderr" "$ISSUE:11: "
	expect 0 issue check --json "$ISSUE"
	is "$(jq -r '.remarks[0] | "\(.line) \(.level) \(.rule)"' <<<"$output")" '11 warning image-without-alt'
	is "$stderr" ""
	expect 65 issue check --strict "$ISSUE"
	has "$stderr" "things to mend before this can be sent"
}

@test "what may not leave is not scheduled; a gap is counted over the audience" {
	echo '![A drawing](https://news.example.org/a.svg)' >>"$ISSUE"
	expect 65 issue check "$ISSUE"
	has "$stderr" "$ISSUE:11: error image-format "
	unchanged expect 65 issue schedule "$ISSUE"
	write_issue "$ISSUE"
	echo 'Dear {{ subscriber.last_name }}, and {{ subscriber.first_name | default: "you" }}' >>"$ISSUE"
	expect 0 issue check "$ISSUE"
	has "$stderr" "'subscriber.last_name' is empty for 2 of 2 subscribers"
	expect 0 issue schedule "$ISSUE"
}

@test "preview writes three files and says where" {
	cd "$BATS_TEST_TMPDIR"
	unchanged expect 0 issue preview --output "$BATS_TEST_TMPDIR/out" "$ISSUE"
	is "$output" "$BATS_TEST_TMPDIR/out/first-light.html
$BATS_TEST_TMPDIR/out/first-light.txt
$BATS_TEST_TMPDIR/out/first-light.eml"
	has "$(cat out/first-light.html)" "Good morning!"
	has "$(cat out/first-light.txt)" "Good morning!"
	has "$(cat out/first-light.eml)" "Subject: First light"
	run ! grep -qi '^List-Unsubscribe:' out/first-light.eml

	expect 0 issue preview --as ana@example.org --output "$BATS_TEST_TMPDIR/out" --json "$ISSUE"
	is "$(jq -r .txt <<<"$output")" "$BATS_TEST_TMPDIR/out/first-light.txt"
	has "$(cat out/first-light.txt)" "Good morning, Ana!"
	has "$(cat out/first-light.eml)" "ana@example.org"
	expect 65 issue preview --as nobody "$ISSUE"
	expect 73 issue preview --output /dev/null/x "$ISSUE" || expect 74 issue preview --output /dev/null/x "$ISSUE"
}

@test "schedule freezes the audience" {
	unchanged expect 0 issue schedule --dry-run "$ISSUE"
	has "$output" "would schedule 'first-light' for "
	has "$output" ": 2 copies (dry run, nothing has changed)"
	unchanged expect 0 issue schedule --dry-run --json "$ISSUE"
	is "$(jq -c '[.issue,.slug,.list,.copies,.dry_run]' <<<"$output")" '[null,"first-light","daily",2,true]'
	expect 0 issue schedule --at "2030-01-31 06:00" "$ISSUE"
	has "$output" "issue 1, 'first-light', is scheduled for 2030-01-31 06:00:00 UTC: 2 copies"
	mill subscriber add --list daily cy@example.org
	is "$(mill status --json 1)" '{"issue":1,"state":"scheduled","counts":{"queued":2,"claimed":0,"sending":0,"deferred":0,"in_doubt":0,"sent":0,"failed":0,"expired":0,"cancelled":0,"skipped":0,"bounced":0,"complained":0}}'
	unchanged expect 73 issue schedule "$ISSUE"
}

@test "--at takes the usual ways of writing a time" {
	due() {
		mill issue schedule --dry-run --json --at "$1" "$ISSUE" | jq -r .due_at
	}
	is "$(due 2030-01-31T06:00:00Z)" 2030-01-31T06:00:00Z
	is "$(due 2030-01-31T06:00:00+01:00)" 2030-01-31T05:00:00Z
	is "$(due "2030-01-31 06:00")" 2030-01-31T06:00:00Z
	[[ $(due now) == 2* ]]
	for time in tomorrow "" 2030-02-30T06:00:00Z 25:00 1; do
		unchanged expect 64 issue schedule --at "$time" "$ISSUE"
		has "$stderr" "--at: '$time' is no time"
	done
	for time in 2021-01-31T06:00:00Z "2021-01-31 06:00 Europe/Berlin" "2021-01-31 06:00 local"; do
		unchanged expect 64 issue schedule --at "$time" "$ISSUE"
		has "$stderr" "--at: '$time' is over: write 'now' to send at once"
	done
	expect 0 issue schedule --dry-run --at "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$ISSUE"
	sed -i '2i send_at: 2031-01-31T06:00:00Z' "$ISSUE"
	is "$(mill issue schedule --dry-run --json "$ISSUE" | jq -r .due_at)" 2031-01-31T06:00:00Z
	is "$(due 2030-01-31T06:00:00Z)" 2030-01-31T06:00:00Z
	sed -i 's/^send_at: 2031/send_at: 2021/' "$ISSUE"
	unchanged expect 65 issue schedule "$ISSUE"
	has "$stderr" "send_at '2021-01-31T06:00:00Z' is over"
	[[ $(due now) == 2* ]]
}

@test "nobody on the list" {
	mill list add empty
	sed -i 's/list: daily/list: empty/' "$ISSUE"
	unchanged expect 66 issue schedule "$ISSUE"
	has "$stderr" "nobody is on the list 'empty'"
}

@test "show, ls, by number or slug" {
	mill issue schedule -q --at 2030-01-31T06:00:00Z "$ISSUE"
	for name in 1 first-light; do
		expect 0 issue show --json "$name"
		is "$(jq -c '[.issue,.slug,.list,.state,.subject,.due_at,.done_at,.reason]' <<<"$output")" \
			'[1,"first-light","daily","scheduled","First light","2030-01-31T06:00:00Z",null,null]'
	done
	expect 0 issue show 1
	has "$output" "issue 1, first-light: First light"
	has "$output" "due        2030-01-31 06:00:00 UTC"
	expect 0 issue ls
	has "$output" "first-light"
	is "$(mill issue ls --json)" "$(mill issue show --json 1)"
	for command in show pause resume cancel; do
		unchanged expect 66 issue "$command" 2
		unchanged expect 66 issue "$command" last-light
	done
}

@test "pause, resume, cancel" {
	mill issue schedule -q --at 2030-01-31T06:00:00Z "$ISSUE"
	unchanged expect 77 issue resume 1
	expect 0 issue pause --reason "a mistake in the title" 1
	is "$output" ""
	expect 0 issue show --json 1
	is "$(jq -c '[.state,.reason]' <<<"$output")" '["paused","a mistake in the title"]'
	expect 0 status
	has "$(head -1 <<<"$output")" "! issue 1 is paused: a mistake in the title"
	expect 0 issue resume --json 1
	is "$(jq -r .state <<<"$output")" scheduled
	unchanged expect 0 issue cancel --dry-run 1
	has "$output" "would cancel issue 1 and drop 2 copies"
	expect 0 issue cancel 1
	is "$output" "issue 1 is cancelled, 2 copies dropped"
	is "$(mill status --json 1 | jq -c '[.state, .counts.cancelled, .counts.queued]')" '["cancelled",2,0]'
	unchanged expect 77 issue cancel 1
	unchanged expect 77 issue cancel --dry-run 1
	unchanged expect 73 issue schedule "$ISSUE"
	has "$stderr" "issue 1 of this list (cancelled) has the slug 'first-light' already: add a line 'slug: …'"
	unchanged expect 77 issue pause 1
}

@test "test sends one proof and shows the dialogue" {
	smtpd_start
	use_relay "$SMTP_PORT"
	unchanged expect 0 issue test --to me@example.com --dry-run "$ISSUE"
	has "$output" "would send a proof to me@example.com through main, 127.0.0.1:$SMTP_PORT"
	is "$(smtpd_copies)" ""
	unchanged expect 0 issue test --to me@example.com "$ISSUE"
	has "$output" "main took a proof for me@example.com: 250"
	is "$stderr" ""
	is "$(smtpd_copies)" me@example.com
	unchanged expect 0 issue test -v --to ana@example.org "$ISSUE"
	has "$stderr" "> EHLO "
	has "$stderr" "> RCPT TO:<ana@example.org>"
	has "$stderr" "< 354"
	unchanged expect 0 issue test --json --to ana@example.org "$ISSUE"
	is "$(jq -c '[.to,.relay,.code]' <<<"$output")" '["ana@example.org","main",250]'
	is "$(smtpd_copies | wc -l)" 3
	unchanged expect 65 issue test --to "me@example.com, you@example.com" "$ISSUE"
	unchanged expect 66 issue test --relay mian --to me@example.com "$ISSUE"
	smtpd_stop
}

@test "a relay that is not there, or refuses, is exit code 75" {
	unchanged expect 75 issue test --to me@example.com "$ISSUE"
	has "$stderr" "main"
	smtpd_start --rule 'rcpt reply 550 5.1.1 nobody here'
	use_relay "$SMTP_PORT"
	unchanged expect 75 issue test --to me@example.com "$ISSUE"
	has "$stderr" "nobody here"
}

@test "an issue leaves in a named zone, or in each reader's own, within its window" {
	printf '%s\n' email,timezone a@example.org,Asia/Tokyo b@example.org,America/New_York \
		c@example.org,Nowhere/Here >"$BATS_TEST_TMPDIR/zones.csv"
	expect 0 import "$BATS_TEST_TMPDIR/zones.csv" --list daily
	write_issue "$BATS_TEST_TMPDIR/one.md" "Issue one"
	expect 0 issue schedule --json --at "2030-12-01 06:00 Europe/Berlin" "$BATS_TEST_TMPDIR/one.md"
	is "$(jq -r .due_at <<<"$output")" 2030-12-01T05:00:00Z
	write_issue "$BATS_TEST_TMPDIR/two.md" "Issue two"
	expect 0 issue schedule --json --at "2030-12-01 05:00 local" --window 06:00-22:00 "$BATS_TEST_TMPDIR/two.md"
	is "$(sql "SELECT group_concat(t) FROM (SELECT datetime(due_at, 'unixepoch') AS t FROM deliveries
		WHERE issue_id = 2 ORDER BY subscriber_id DESC LIMIT 3)")" \
		"2030-12-01 06:00:00,2030-12-01 11:00:00,2030-11-30 21:00:00"
	expect 64 issue schedule --at "2030-12-01 06:00 Nowhere/Here" "$BATS_TEST_TMPDIR/two.md"
	expect 64 issue schedule --window 06:00 "$BATS_TEST_TMPDIR/two.md"
}

# A picture of WIDTH x HEIGHT pixels, of which only the head is one.
picture() { # FILE WIDTH HEIGHT
	/usr/bin/python3 -c 'import struct, sys
sys.stdout.buffer.write(b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sIIBB", 13, b"IHDR", int(sys.argv[1]), int(sys.argv[2]), 8, 2))' \
		"$2" "$3" >"$1"
}

@test "local images are checked, put where readers find them, or embedded" {
	mkdir "$BATS_TEST_TMPDIR/media"
	echo '![A harbour](media/harbour.png){width=300}' >>"$ISSUE"
	expect 65 issue check "$ISSUE"
	has "$stderr" "$ISSUE:11: the image 'media/harbour.png': "
	picture "$BATS_TEST_TMPDIR/media/harbour.png" 600 400
	expect 0 issue check "$ISSUE"
	is "$stderr" "$ISSUE:1: warning image-only filters distrust images with few words: say what matters in words, too"
	expect 0 issue preview --output "$BATS_TEST_TMPDIR/out" "$ISSUE"
	has "$(cat "$BATS_TEST_TMPDIR/out/first-light.html")" "src=\"file://$BATS_TEST_TMPDIR/media/harbour.png\""
	[ ! -e "$SITE/media" ]
	expect 0 issue schedule "$ISSUE"
	hash=$(sha256sum <"$BATS_TEST_TMPDIR/media/harbour.png" | cut -c1-16)
	cmp "$SITE/media/$hash/harbour.png" "$BATS_TEST_TMPDIR/media/harbour.png"
	picture "$BATS_TEST_TMPDIR/media/harbour.png" 200 100
	expect 0 issue check "$ISSUE"
	has "$stderr" "warning small-image"
	expect 0 issue preview --embed --output "$BATS_TEST_TMPDIR/out" "$ISSUE"
	/usr/bin/python3 - "$BATS_TEST_TMPDIR/out/first-light.eml" "$BATS_TEST_TMPDIR/media/harbour.png" <<-'END'
		import email.policy, sys
		m = email.message_from_binary_file(open(sys.argv[1], "rb"), policy=email.policy.default)
		related = list(m.iter_parts())[1]
		assert related.get_content_type() == "multipart/related", related.get_content_type()
		html, image = related.iter_parts()
		assert image.get_content_type() == "image/png" and not m.defects and not image.defects
		assert 'src="cid:' + image["Content-ID"][1:-1] + '"' in html.get_content()
		assert image.get_content() == open(sys.argv[2], "rb").read()
	END
	for path in ../up.png /etc/passwd .hidden.png; do
		write_issue "$ISSUE"
		echo "![x]($path)" >>"$ISSUE"
		expect 65 issue check "$ISSUE"
	done
	echo no >"$BATS_TEST_TMPDIR/media/no.png"
	write_issue "$ISSUE"
	echo "![x](media/no.png)" >>"$ISSUE"
	expect 65 issue check "$ISSUE"
	has "$stderr" "this is no whole PNG, JPEG or GIF"
}

@test "ready-made HTML and text go through the same compiler" {
	page=$BATS_TEST_TMPDIR/page.html
	cat >"$page" <<-'END'
		---
		subject: Made elsewhere
		preheader: A page from another kitchen, which comes with its own text part
		list: daily
		---
		<!doctype html><html lang="en"><head><title>x</title><style>p{color:#222}</style></head>
		<body><!--[if mso]><table><tr><td><![endif]--><p>Hello {{ subscriber.first_name | default: "you" }}<br>
		<a href="{{ unsubscribe_url }}">Leave</a> {{ publication.address }}</p></body></html>
	END
	expect 66 issue check "$page"
	has "$stderr" "needs its text part in"
	printf 'Hello {{ subscriber.first_name | default: "you" }}\n' >"${page%.html}.txt"
	expect 65 issue check "$page"
	has "$stderr" "error no-unsubscribe the text part"
	printf '{{ unsubscribe_url }}\n{{ publication.address }}\n' >>"${page%.html}.txt"
	expect 0 issue check "$page"
	is "$stderr" ""
	expect 0 issue preview --as ana@example.org --output "$BATS_TEST_TMPDIR/out" "$page"
	has "$(cat "$BATS_TEST_TMPDIR/out/made-elsewhere.html")" "<p>Hello Ana<br>"
	sed -i 's|<p>|<p onclick="x()">|' "$page"
	expect 65 issue check "$page"
	has "$stderr" "$page:7: a mail cannot act, take out the attribute 'onclick'"
}

@test "new writes a skeleton that compiles, and overwrites nothing" {
	cd "$SITE"
	expect 0 issue new monday.md
	has "$output" "monday.md: edit it, then 'lettermill issue check monday.md'"
	expect 73 issue new monday.md
	expect 64 issue new monday
	mkdir media
	picture media/picture.jpg 1200 800
	expect 0 issue check monday.md
	is "$stderr" ""
}

@test "preview --open serves the faces on this machine and follows the file" {
	"$LETTERMILL" --config "$SITE/lettermill.conf" issue preview --open --as ana@example.org "$ISSUE" >"$BATS_TEST_TMPDIR/out" 3>&- &
	pid=$!
	until grep -q http "$BATS_TEST_TMPDIR/out"; do kill -0 $pid; sleep 0.02; done
	url=$(grep -o 'http://[^ ]*' "$BATS_TEST_TMPDIR/out")
	page=$(curl -sf "$url")
	has "$page" "First light"
	has "$page" 'src="/phone-dark"'
	has "$(curl -sf "${url}light")" "Good morning, Ana!"
	has "$(curl -sf "${url}dark")" "@media all{"
	has "$(curl -sf "${url}text")" "Good morning, Ana!"
	has "$(curl -sf "${url}headers")" "Subject: First light"
	is "$(curl -s -o /dev/null -w '%{http_code}' "${url}else")" 404
	is "$(curl -s -o /dev/null -w '%{http_code}' -H 'Host: evil.example' "$url")" 403
	before=$(curl -sf "${url}version")
	sed -i 's/Some \*words/Other *words/' "$ISSUE"
	[ "$(curl -sf "${url}version")" != "$before" ]
	has "$(curl -sf "${url}text")" "Other words"
	echo '{{ nothing }}' >>"$ISSUE"
	has "$(curl -sf "$url")" "This does not compile yet"
	kill -INT $pid
	wait $pid
}

@test "the words around an issue are in its language" {
	sed -i 's/^list: daily/&\nlang: de-AT/' "$ISSUE"
	expect 0 issue preview --output "$BATS_TEST_TMPDIR/out" "$ISSUE"
	has "$(cat "$BATS_TEST_TMPDIR/out/first-light.txt")" "Abbestellen: https://"
	has "$(cat "$BATS_TEST_TMPDIR/out/first-light.html")" ">Abbestellen</a>"
	sed -i 's/^lang: .*/lang: eo/' "$ISSUE" # which has no file
	expect 0 issue preview --output "$BATS_TEST_TMPDIR/out" "$ISSUE"
	has "$(cat "$BATS_TEST_TMPDIR/out/first-light.txt")" "Unsubscribe: https://"
	# The site's own file, whose words may be wrong.
	mkdir -p "$SITE/mail-templates/pages/lang"
	sed 's/^issue_leave = .*/issue_leave = Malaboni \& "<for>"/' "$ROOT/mail-templates/pages/lang/en.conf" \
		>"$SITE/mail-templates/pages/lang/eo.conf"
	expect 0 issue preview --output "$BATS_TEST_TMPDIR/out" "$ISSUE"
	has "$(cat "$BATS_TEST_TMPDIR/out/first-light.txt")" 'Malaboni & "<for>": https://'
	has "$(cat "$BATS_TEST_TMPDIR/out/first-light.html")" '>Malaboni &amp; &quot;&lt;for&gt;&quot;</a>'
	sed -i 's/^issue_leave = .*/issue_leave = {{ nobody }}/' "$SITE/mail-templates/pages/lang/eo.conf"
	expect 65 issue preview --output "$BATS_TEST_TMPDIR/out" "$ISSUE"
	has "$stderr" "pages/lang/eo.conf:"
	has "$stderr" "unknown name 'nobody'"
}

@test "no text takes long: what its parser would need quadratic time for is refused" {
	seconds=2
	[[ $LETTERMILL != *asan* ]] || seconds=20
	for text in '![[]()' '[a](' '[a][' '[a]: b' '*a_ ' '**a *' '~~a~' '>' '- ' '<!A' '<?' '<!--' '<a b=' '`' '` `` ```' \
		'[^1]' 'https://a.example/' '<https://a>' '{{ a ' '{% if subscriber.name %}' '::: poll' '|a' '&#1;' '\[' '_a__' \
		'a@b.example ' '((((' '1. ' $'- a\n  ' $'> - a\n'; do
		for end in '' $'\n'; do
			/usr/bin/python3 - "$ISSUE" "$text$end" <<-'P'
				import sys
				head = open(sys.argv[1]).read().split("\n---\n")[0] + "\n---\n"
				room = 128 * 1024 - len(head.encode()) - 1
				text = sys.argv[2]
				open(sys.argv[1] + ".long.md", "w").write(head + (text * (room // len(text.encode()))) + "\n")
			P
			code=0
			(ulimit -t "$seconds" && mill issue check "$ISSUE.long.md") >/dev/null 2>"$BATS_TEST_TMPDIR/said" || code=$?
			[[ $code == 0 || $code == 65 ]] || is "$text$end: $code" "0 or 65"
		done
	done
	head -c 131072 /dev/zero | tr '\0' a >>"$ISSUE"
	expect 65 issue check "$ISSUE"
}
