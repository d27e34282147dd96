# SPDX-License-Identifier: MIT
# Counting clicks: off by default; where a list wants it, people and robots apart, and nobody who declines.

load ../lib

setup() {
	cd "$ROOT"
	source tests/smtpd/smtpd.bash
	source tests/serve.bash
	mkdir "$BATS_TEST_TMPDIR/mail"
	smtpd_start --maildir "$BATS_TEST_TMPDIR/mail"
	make_site "$SMTP_PORT"
	for name in ana ben; do
		mill -q subscriber add "$name@example.org" --list daily
	done
	write_issue "$SITE/i.md"
	cat >>"$SITE/i.md" <<-'END'

		Read [the first](https://example.com/one?a=1&b=2#top), [the second](https://example.com/two), again
		[the first](https://example.com/one?a=1&b=2#top), [a fourth](https://example.com/four) and
		[yours](https://example.com/?who={{ subscriber.email }}), and see https://example.com/five.
	END
}

teardown() {
	serve_stop
	smtpd_stop || :
}

# deliver_counted: the issue of a list that counts goes out; ana's copy was taken a minute ago.
deliver_counted() {
	mill -q list set --clicks yes daily
	mill -q issue schedule "$SITE/i.md"
	mill -q deliver
	sql 'UPDATE deliveries SET settled_at = settled_at - 60'
	serve_start
	readarray -t LINK < <(links_of ana@example.org)
}

# links_of ADDRESS: where the links in the HTML of the copy lead, the issue's own, in order.
links_of() {
	/usr/bin/python3 - "$1" "$BATS_TEST_TMPDIR"/mail/new/* <<-'P'
		import email, email.policy, html, re, sys
		for name in sys.argv[2:]:
		    m = email.message_from_binary_file(open(name, "rb"), policy=email.policy.default)
		    if sys.argv[1] in m["To"]:
		        for link in re.findall(r'<a [^>]*href="([^"]*)"', m.get_body(("html",)).get_content()):
		            if "/c/" in link or "example.com" in link:
		                print(html.unescape(link))
	P
}

# follow LINK [CURL OPTION...]: as a person's browser does.
follow() {
	local link=${1#https://news.example.org}
	shift
	page "$link" -A 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0' "$@"
}

# counts: readers and robots of each link.
counts() {
	mill issue clicks --json 1 | jq -r '"\(.readers)/\(.robots)"' | paste -sd' '
}

@test "without the switch, links lead straight to their places" {
	mill -q issue schedule "$SITE/i.md"
	mill -q deliver
	is "$(links_of ana@example.org | head -1)" "https://example.com/one?a=1&b=2#top"
	is "$(sql 'SELECT count(*) FROM links')" 0
	expect 66 issue clicks 1
	has "$stderr" "list set --clicks yes daily"
}

@test "a person's click is counted once, and sent on to what the database says" {
	deliver_counted
	is "${#LINK[@]}" 7
	is "${LINK[1]}" "${LINK[3]}" # one address, one number
	is "${LINK[5]}" "https://example.com/?who=ana%40example.org"
	is "${LINK[6]}" https://example.com/five # what shows an address leads there
	follow "${LINK[1]}"
	is "$status" 302
	has "$headers" "location: https://example.com/one?a=1&b=2#top"
	has "$headers" "cache-control: no-store"
	has "$headers" "referrer-policy: no-referrer"
	run ! grep -i '^set-cookie' <<<"$headers"
	follow "${LINK[1]}?to=https://evil.example.com/"
	has "$headers" "location: https://example.com/one"
	is "$(counts)" "0/0 1/0 0/0 0/0"
	expect 0 issue clicks 1
	has "$output" "LINK  READERS  ROBOTS  ADDRESS"
	has "$output" "https://example.com/one?a=1&b=2#top"
	# The reader's own data has it; whoever is erased is forgotten here, too.
	file=$(grep -l '^To: <\?ana@' "$BATS_TEST_TMPDIR"/mail/new/*)
	link=$(link_in "$file" https://news.example.org/m/)
	page "${link#https://news.example.org}/data"
	is "$(jq -r '.clicks[].url' <<<"$body")" "https://example.com/one?a=1&b=2#top"
	mill -q subscriber erase ana@example.org
	is "$(sql 'SELECT count(*) FROM clicks')" 0
	follow "${LINK[1]}"
	is "$status" 302
	is "$(sql 'SELECT count(*) FROM clicks')" 0
}

@test "robots are counted apart: by method, by name, by haste, by following every link" {
	deliver_counted
	follow "${LINK[1]}" --head
	page "${LINK[2]#https://news.example.org}" -A 'Mozilla/5.0 (compatible; Googlebot/2.1)'
	is "$(counts)" "0/0 0/1 0/1 0/0"
	follow "${LINK[2]}" # a person comes after the robot
	is "$(counts)" "0/0 0/1 1/0 0/0"
	for link in "${LINK[@]:0:5}"; do
		follow "$link"
	done
	is "$(counts)" "0/1 0/1 0/1 0/1"
	# Ben's copy has only just been taken.
	sql 'UPDATE deliveries SET settled_at = unixepoch() WHERE subscriber_id = 2'
	readarray -t LINK < <(links_of ben@example.org)
	follow "${LINK[2]}"
	is "$(counts)" "0/1 0/1 0/2 0/1"
}

@test "who declines is sent on and not noted, nor is anybody when the list has stopped counting" {
	deliver_counted
	unchanged follow "${LINK[1]}" -H 'Sec-GPC: 1'
	is "$status" 302
	unchanged follow "${LINK[1]}" -H 'DNT: 1'
	is "$status" 302
	mill -q list set --clicks no daily
	unchanged follow "${LINK[1]}"
	is "$status" 302
	has "$headers" "location: https://example.com/one"
}

@test "what is no link of ours leads nowhere" {
	deliver_counted
	local path=${LINK[1]#https://news.example.org}
	for wrong in "${path%/*}" "${path%/*}/" "${path%/*}/0" "${path%/*}/99" "${path%/*}/x" "${path%/*}/1/2" \
		"/c/aaaa/1" "/c/${path:4}"; do
		unchanged follow "$wrong"
		is "$status" 404
	done
	unchanged follow "$path" -d x=y
	is "$status" 405
}

@test "previews, proofs and the archive: links that work and count nobody" {
	mill -q list set --clicks yes daily
	mill -q issue preview --output "$BATS_TEST_TMPDIR/out" "$SITE/i.md"
	run ! grep -r '/c/' "$BATS_TEST_TMPDIR/out"
	deliver_counted
	page /archive/daily/first-light
	path=$(grep -o '/c/[a-z2-7]*/2' <<<"$body" | head -1)
	unchanged follow "$path"
	is "$status" 302
}
