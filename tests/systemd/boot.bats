# SPDX-License-Identifier: MIT
# A whole machine, as an operator sets it up: `make install`, a site in /etc, the timer. The tests stand
# on each other, in their order.

source "$BATS_TEST_DIRNAME/machine.bash"

setup_file() {
	export machine_pid= machine_leader= obstacle= root=$BATS_FILE_TMPDIR/root
	obstacle=$(machine_obstacle)
	[ -z "$obstacle" ] || return 0
	machine_tree "$root"
	obstacle=$(machine_obstacle "$root")
	[ -z "$obstacle" ] || return 0

	env -u MAKEFLAGS make -s -C "$repository" install build/smtpd DESTDIR="$root"
	cp "$repository/build/smtpd" "$root/usr/local/bin/"
	mkdir "$root/relay"
	cat >"$root/etc/systemd/system/relay.service" <<-UNIT
		[Service]
		ExecStart=/usr/local/bin/smtpd --port 2525 --auth news:let-me-in --log /relay/log
	UNIT
	machine_boot "$root"
	inside systemctl start relay
}

teardown_file() {
	machine_stop
}

setup() {
	[ -z "$obstacle" ] || skip "$obstacle"
}

teardown() {
	[ -n "${BATS_TEST_COMPLETED:-}" ] || [ -n "$obstacle" ] ||
		inside journalctl --no-pager -n 40 -u lettermill-deliver -u relay
}

# schedule SLUG: an issue for all
schedule() {
	printf -- '---\nsubject: %s\nlist: daily\npreheader: In brief\nslug: %s\n---\n\nGood morning.\n' "$1" "$1" >"$root/$1.md"
	inside lettermill issue schedule "/$1.md"
}

# How many copies the relay has accepted.
copies() {
	jq -s '[.[] | select(.to)] | length' "$root/relay/log"
}

has_copies() {
	[ "$(copies)" -ge "$1" ]
}

# property NAME: of the service
property() {
	inside systemctl show --value -p "$1" lettermill-deliver.service
}

@test "a machine without a site: the service has nothing to do, and does not fail" {
	inside systemctl start lettermill-deliver.service
	[ "$(property ConditionResult)" = no ]
	[ "$(property ActiveState)" = inactive ]
}

@test "the timer delivers a scheduled issue, and nobody types deliver" {
	inside lettermill init /etc/lettermill
	sed -i -e 's/host = "smtp.example.org"/host = "127.0.0.1"/' \
		-e 's/# port = 587 .*/port = 2525/' \
		-e 's/# tls = starttls .*/tls = none/' \
		-e 's/# username = .*/username = "news"/' \
		-e 's/# password_file = .*/password_file = "secrets\/relay"/' \
		"$root/etc/lettermill/lettermill.conf"
	(umask 077 && echo let-me-in >"$root/etc/lettermill/secrets/relay")
	printf '%s\n' email,first_name ada@example.org,Ada ben@example.org,Ben cyd@example.org,Cyd \
		>"$root/people.csv"
	inside lettermill import --list daily /people.csv
	schedule first
	[ "$(copies)" -eq 0 ]

	inside systemctl enable --now lettermill-deliver.timer
	wait_for 150 has_copies 3
	wait_for 30 issue_is_done 1
	[ "$(copies)" -eq 3 ]
	[ "$(property Result)" = success ]
}

issue_is_done() {
	[ "$(inside lettermill status --json "$1" | jq -r .state)" = done ]
}

@test "the database belongs to the service's own user, who is not root" {
	owner=$(inside stat -c %u /var/lib/lettermill/lettermill.db)
	[ "$owner" -ge 61184 ] # the range of dynamic users
	[ "$(inside stat -L -c %u /var/lib/lettermill)" = "$owner" ]
}

# last_child PID: the process that PID runs, through whatever wrappers.
last_child() {
	local pid=$1 child
	while child=$(pgrep -P "$pid"); do pid=$child; done
	echo "$pid"
}

@test "root's commands leave nothing behind that the service cannot use, even when they are killed" {
	# An import that waits for its file holds the database open.
	mkfifo "$root/people.fifo"
	inside lettermill import --list daily /people.fifo 3>&- &
	import=$!
	exec 9<>"$root/people.fifo"
	wait_for 20 test -e "$root/var/lib/private/lettermill/lettermill.db-wal"
	kill -KILL "$(last_child $import)"
	wait $import || true
	exec 9>&-
	[ -e "$root/var/lib/private/lettermill/lettermill.db-wal" ]
	[ "$(inside sh -c 'stat -c %u /var/lib/lettermill/* | sort -u | wc -l')" -eq 1 ]

	schedule second
	inside systemctl start lettermill-deliver.service
	issue_is_done 2
	[ "$(copies)" -eq 6 ]
	[ "$(inside sh -c 'stat -c %u /var/lib/lettermill/* | sort -u | wc -l')" -eq 1 ]
}

@test "a relay that is down leaves the unit unharmed and the copies in the ledger" {
	inside systemctl stop relay
	schedule third
	inside systemctl start lettermill-deliver.service
	[ "$(property ExecMainStatus)" = 75 ]
	[ "$(property Result)" = success ]
	[ "$(inside lettermill status --json 3 | jq '.counts | .queued + .deferred')" -eq 3 ]
}

taken() {
	[ -z "$(ls -A "$root/var/mail/lettermill/new")" ]
}

@test "returned mail in a Maildir of somebody else's is read as soon as it is there" {
	inside install -d -o nobody -g nogroup -m 700 /var/mail/lettermill /var/mail/lettermill/{tmp,new,cur}
	inside systemctl enable --now lettermill-bounce.path
	from=$(jq -rs '[.[] | select(.to == "ada@example.org")][0].from' "$root/relay/log")
	printf '%s\n' 'From: MAILER-DAEMON@mx.example.net' "To: $from" 'Subject: Undelivered Mail Returned to Sender' \
		'Content-Type: multipart/report; report-type=delivery-status; boundary="b"' '' '--b' \
		'Content-Type: message/delivery-status' '' 'Reporting-MTA: dns; mx.example.net' '' \
		'Final-Recipient: rfc822; ada@example.org' 'Action: failed' 'Status: 5.1.1' \
		'Diagnostic-Code: smtp; 550 5.1.1 no such user' '' '--b--' >"$root/var/mail/lettermill/tmp/1"
	printf '%s\n' 'From: someone@example.net' 'Subject: hello' '' 'words' >"$root/var/mail/lettermill/tmp/2"
	inside chown nobody:nogroup /var/mail/lettermill/tmp/1 /var/mail/lettermill/tmp/2
	inside chmod 600 /var/mail/lettermill/tmp/1 /var/mail/lettermill/tmp/2
	mv "$root/var/mail/lettermill/tmp"/[12] "$root/var/mail/lettermill/new"
	wait_for 30 taken || { inside systemctl status lettermill-bounce.service || :; false; }
	[ "$(inside lettermill why --json ada@example.org | jq -r '.deliveries[-1].state')" = bounced ]
	[ "$(find "$root/var/mail/lettermill/.Filed" -type f | wc -l)" -eq 1 ]
}

# ask METHOD PATH [BODY]: the answer of the public pages, head and body.
ask() {
	inside bash -c 'exec 3<>/dev/tcp/127.0.0.1/8025
		printf "%s %s HTTP/1.1\r\nHost: news\r\nConnection: close\r\n" "$1" "$2" >&3
		printf "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %s\r\n\r\n%s" "${#3}" "$3" >&3
		cat <&3' ask "$1" "$2" "${3:-}"
}

# serving NAME: a property of the service of the pages.
serving() {
	inside systemctl show --value -p "$1" lettermill-serve.service
}

is_served() {
	ask GET /healthz | tr -d '\r' | grep -q '^ok'
}

@test "the public pages start with the first visit, with no rights, and come back after a fall" {
	inside systemctl enable --now lettermill-serve.socket
	[ "$(serving ActiveState)" = inactive ]
	ask GET /subscribe/daily | grep -q '^HTTP/1.1 200'
	[ "$(serving ActiveState)" = active ]
	pid=$(serving MainPID)
	[ "$(inside stat -c %u "/proc/$pid")" -ge 61184 ] # the range of dynamic users
	inside grep -q '^CapEff:.0*$' "/proc/$pid/status"

	inside systemctl kill --kill-whom=main --signal=SEGV lettermill-serve.service
	wait_for 30 is_served
	[ "$(serving MainPID)" != "$pid" ]

	inside systemctl stop lettermill-serve.service
	[ "$(serving Result)" = success ]
	wait_for 10 is_served # by the socket
}

# The unsubscribe token of subscriber 2 for list 1, by an independent hand.
leaving_token() {
	/usr/bin/python3 - "$(head -1 "$root/etc/lettermill/secrets/token.key")" <<-'P'
		import base64, hashlib, hmac, sys
		fields = bytes([1, 2, 1, 2])
		mac = hmac.new(bytes.fromhex(sys.argv[1]), fields, hashlib.sha256).digest()[:16]
		print(base64.b32encode(fields + mac).decode().rstrip("=").lower())
	P
}

@test "a reader leaves by one click, in the database that the timer's service owns" {
	ask POST "/u/$(leaving_token)" List-Unsubscribe=One-Click | grep -q '^HTTP/1.1 200'
	[ "$(inside lettermill subscriber show --json ben@example.org | jq -r '.subscriptions[0].status')" = unsubscribed ]
	[ "$(inside sh -c 'stat -c %u /var/lib/lettermill/* | sort -u | wc -l')" -eq 1 ]
}
