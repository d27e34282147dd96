# SPDX-License-Identifier: MIT
# The pages in a real browser, without scripts and by keyboard, judged by axe-core in every language, narrow and
# wide, light and dark. Needs node with playwright-core and axe-core, which make deps puts into build/node.

load ../lib

setup() {
	cd "$ROOT"
	export NODE_PATH=$ROOT/build/node/node_modules CHROMIUM=${CHROMIUM:-$(command -v chromium || :)}
	node -e 'require("playwright-core"); require.resolve("axe-core")' 2>/dev/null ||
		skip "no playwright-core and axe-core in build/node"
	[ -n "$CHROMIUM" ] || skip "no chromium"
	source tests/smtpd/smtpd.bash
	source tests/serve.bash
	OUT=${LETTERMILL_SHOTS:-$BATS_TEST_TMPDIR/shots}
	mkdir -p "$BATS_TEST_TMPDIR/mail" "$OUT"
	smtpd_start --maildir "$BATS_TEST_TMPDIR/mail"
	make_site "$SMTP_PORT"
	mill -q list add week --name Weekly
	serve_start
}

teardown() {
	[ -n "${SITE:-}" ] || return 0
	serve_stop
	smtpd_stop || :
}

# browse PLAN: the steps, as JSON.
browse() {
	timeout 600 node tests/node/pages.js "$PAGES" "$OUT" "$1"
}

# newest_link ADDRESS PREFIX: path of such a link in the newest mail to ADDRESS that has one.
newest_link() {
	local file link
	for file in $(grep -rl "^To: <\?$1" "$BATS_TEST_TMPDIR/mail" | xargs -r ls -t); do
		link=$(link_in "$file" "https://news.example.org$2")
		[ -z "$link" ] || { echo "${link#https://news.example.org}"; return; }
	done
	return 1
}

# issue SLUG: schedule and deliver one.
issue() {
	write_issue "$SITE/$1.md" "Issue $1"
	mill -q issue schedule "$SITE/$1.md"
	mill -q deliver
}

@test "subscribe, confirm, read, choose, leave: nothing more comes" {
	browse '[["subscribe", null]]'
	mill -q deliver
	browse "[[\"confirm\", \"$(newest_link ana@example.org /confirm/)\"]]"
	issue one
	is "$(smtpd_copies | wc -l)" 2
	browse "[[\"archive\", null], [\"preferences\", \"$(newest_link ana@example.org /m/)\"]]"
	curl -s -o /dev/null -d 'List-Unsubscribe=One-Click' "$PAGES$(newest_link ana@example.org /u/)"
	mill -q subscriber add ben@example.org --list daily
	issue two
	is "$(smtpd_copies | grep -c ana@example.org)" 2
	is "$(smtpd_copies | grep -c ben@example.org)" 1
}

@test "axe-core finds nothing on any page in any language" {
	mill -q subscriber add ana@example.org --first-name Ana --list daily
	cp tests/golden/../../mail-templates/sample/issue.md "$SITE/sample.md"
	mill -q issue schedule "$SITE/sample.md"
	mill -q deliver
	curl -s -o /dev/null "$PAGES/subscribe/daily" -H 'Content-Type: application/json' -d '{"email":"new@example.org"}'
	mill -q deliver
	view=$(newest_link ana@example.org /v/) prefs=$(newest_link ana@example.org /m/)
	browse "$(jq -n --arg u "$(newest_link ana@example.org /u/)" --arg m "$prefs" --arg v "$view" \
		--arg c "$(newest_link new@example.org /confirm/)" '[
		["look", {name: "leave", path: $u, every: true}],
		["look", {name: "join", path: "/subscribe/daily", every: true}],
		["look", {name: "confirm", path: $c, every: true}],
		["look", {name: "prefs", path: $m, every: true}],
		["look", {name: "erase", path: ($m + "/erase"), every: true}],
		["look", {name: "sent", path: "/subscribe/daily", fill: "cy@example.org", press: "main button", every: true}],
		["look", {name: "welcome", path: $c, press: "main button", every: true}],
		["look", {name: "saved", path: $m, press: "button[name=save]", every: true}],
		["look", {name: "left", path: $u, press: "button[name=leave]", every: true}],
		["look", {name: "missing", path: "/nothing", every: true}],
		["look", {name: "archive", path: "/archive/daily", every: true}],
		["look", {name: "issue", path: "/archive/daily/the-lighthouse-that-learned-to-wait"}],
		["look", {name: "view", path: $v}],
		["look", {name: "erased", path: ($m + "/erase"), press: "button[name=erase]"}]]')"
}
