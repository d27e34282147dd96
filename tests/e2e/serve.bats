# SPDX-License-Identifier: MIT
# The server itself: limits, slow and hostile clients, its stop, systemd's socket and watchdog, numbers.

load ../lib

setup() {
	cd "$ROOT"
	source tests/smtpd/smtpd.bash
	source tests/serve.bash
	make_site
	mill -q subscriber add ana@example.org --list daily
	serve_start
}

teardown() {
	serve_stop
}

# The token of subscriber 1 for list 1, for purpose $1, by an independent hand.
token() {
	/usr/bin/python3 - "$(head -1 "$SITE/secrets/token.key")" "$1" <<-'P'
		import base64, hashlib, hmac, sys
		fields = bytes([1, int(sys.argv[2]), 1, 1])
		mac = hmac.new(bytes.fromhex(sys.argv[1]), fields, hashlib.sha256).digest()[:16]
		print(base64.b32encode(fields + mac).decode().rstrip("=").lower())
	P
}

# send TEXT: raw octets to the server, its answer to stdout.
send() {
	/usr/bin/python3 - "${PAGES##*:}" "$1" <<-'P'
		import socket, sys
		s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
		s.settimeout(20)
		s.sendall(sys.argv[2].encode().decode("unicode_escape").encode("latin-1"))
		try:
		    while data := s.recv(65536):
		        sys.stdout.buffer.write(data)
		except (TimeoutError, ConnectionError):
		    pass
	P
}

resident() {
	awk '/VmRSS/ {print $2}' "/proc/$SERVE_PID/status"
}

@test "numbers, on an address of their own" {
	page /healthz
	page /metrics
	is "$status" 404
	numbers=$(curl -s "$METRICS")
	has "$numbers" 'lettermill_subscriptions{list="daily"} 1'
	has "$numbers" 'lettermill_requests_total{page="/healthz",status="2xx"} 1'
	has "$numbers" 'lettermill_requests_total{page="-",status="4xx"} 1'
	has "$numbers" '# TYPE lettermill_forms_hour gauge'
	is "$(curl -s -o /dev/null -w '%{http_code}' "${METRICS%/metrics}/healthz")" 404
	is "$(grep -vcE '^(#|[a-z_]+(\{[a-z]+="[^"]*"(,[a-z]+="[^"]*")?\})? [0-9]+$)' <<<"$numbers")" 0
}

@test "too large, too much, not HTTP: refused, and nothing changes" {
	before=$(database)
	head -c 70000 /dev/zero | tr '\0' a >"$BATS_TEST_TMPDIR/large"
	page "/u/$(token 2)" --data-binary "@$BATS_TEST_TMPDIR/large"
	is "$status" 413
	page "/u/$(token 2)" -H 'Transfer-Encoding: chunked' --data-binary "@$BATS_TEST_TMPDIR/large"
	is "$status" 413
	page "/u/$(token 2)" -d "$(seq -f 'f%g=x' -s '&' 100)&List-Unsubscribe=One-Click"
	is "$status" 400
	page "/$(head -c 40000 "$BATS_TEST_TMPDIR/large")"
	[[ $status = 414 || $status = 431 || $status = 413 ]]
	page / -H "X: $(head -c 40000 "$BATS_TEST_TMPDIR/large")"
	[[ $status = 431 || $status = 413 ]]
	post="POST /u/$(token 2) HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\n"
	form='List-Unsubscribe=One-Click'
	for head in 'Content-Length: -1' 'Content-Length: 99999999999999999999' \
		'Content-Length: 26x' 'Transfer-Encoding: chunked\r\n\r\nzz\r\n' 'Content-Length : 26'; do
		answer=$(send "$post$head\r\nConnection: close\r\n\r\n$form")
		run ! grep -q '^HTTP/1.1 200' <<<"$answer"
	done
	for request in 'GET / HTTP/9.9\r\n\r\n' '\x16\x03\x01\x02\x00' 'GET\r\n\r\n' 'GET /u/\x00 HTTP/1.1\r\nHost: a\r\n\r\n'; do
		run ! grep -q '^HTTP/1.1 200' <<<"$(send "$request")"
	done
	is "$(database)" "$before"
	page /healthz
	is "$status" 200
}

@test "slow clients are cut off, others are served meanwhile, and memory stays flat" {
	page /healthz
	before=$(resident)
	/usr/bin/python3 - "${PAGES##*:}" <<-'P' 3>&- &
		import socket, sys, time
		all = []
		for i in range(950):
		    s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
		    s.sendall(b"POST /u/x HTTP/1.1\r\nHost: a\r\nContent-Length: 60000\r\n" + b"\r\n" * (i % 2))
		    all.append(s)
		for turn in range(60):
		    open_ = 0
		    for s in all:
		        try:
		            s.sendall(b"a")
		            open_ += 1
		        except OSError:
		            pass
		    if not open_:
		        sys.exit(0)
		    time.sleep(0.5)
		sys.exit(1)
	P
	slow=$!
	for i in $(seq 40); do
		page /healthz --max-time 5
		is "$status" 200
		read -rt 0.05 <> <(:) || :
	done
	wait "$slow"
	[ "$(resident)" -lt $((before + 60000)) ]
}

@test "slow headers, slow bodies, slow readers: others are served, memory stays flat" {
	command -v slowhttptest >/dev/null || skip "no slowhttptest"
	page /healthz
	before=$(resident)
	for way in -H -B -X; do
		slowhttptest "$way" -c 600 -r 300 -i 1 -l 12 -x 24 -s 60000 -w 1 -y 8 -n 1 -z 8 -k 3 \
			-u "$PAGES/subscribe/daily" >/dev/null 2>&1 3>&- &
		slow=$!
		while kill -0 "$slow" 2>/dev/null; do
			page /subscribe/daily --max-time 5
			is "$status" 200
			read -rt 0.2 <> <(:) || :
		done
	done
	[ "$(resident)" -lt $((before + 60000)) ]
}

@test "ten thousand hostile forms: at most the ceilings" {
	/usr/bin/python3 - "${PAGES##*:}" "$(token 6)" <<-'P' >"$BATS_TEST_TMPDIR/codes"
		import http.client, random, sys, json
		c = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]))
		random.seed(7)
		for i in range(10000):
		    who = "victim@example.org" if i % 2 else "r%d@example.org" % i
		    net = "198.51.%d.%d" % (random.randrange(4), random.randrange(4))
		    c.request("POST", "/subscribe/daily", json.dumps({"email": who}),
		              {"Content-Type": "application/json", "X-Forwarded-For": net})
		    r = c.getresponse()
		    r.read()
		    print(r.status)
	P
	is "$(sort -u "$BATS_TEST_TMPDIR/codes" | tr '\n' ' ')" "200 429 "
	# 16 networks, 20 an hour each.
	[ "$(sql 'SELECT count(*) FROM asks')" -le 320 ]
	[ "$(sql "SELECT count(*) FROM deliveries JOIN subscribers ON id = subscriber_id WHERE email_key = 'victim@example.org'")" -eq 1 ]
	[ "$(sql 'SELECT count(*) FROM deliveries')" -le 320 ]
	expect 0 db check
}

@test "a stop answers what was begun" {
	/usr/bin/python3 - "$SITE/lettermill.db" <<-'P' 3>&- &
		import sqlite3, sys, time
		d = sqlite3.connect(sys.argv[1], isolation_level=None)
		d.execute("BEGIN IMMEDIATE")
		print("locked", file=open(sys.argv[1] + ".locked", "w"))
		time.sleep(2)
		d.execute("COMMIT")
	P
	lock=$!
	wait_for 10 test -s "$SITE/lettermill.db.locked"
	curl -s -o /dev/null -w '%{http_code}' -d 'List-Unsubscribe=One-Click' "$PAGES/u/$(token 2)" >"$BATS_TEST_TMPDIR/code" 3>&- &
	asked=$!
	# Readers do not wait for the lock.
	page /subscribe/daily --max-time 1
	is "$status" 200
	wait_for 10 post_is_begun
	serve_stop
	wait "$asked" "$lock"
	is "$(cat "$BATS_TEST_TMPDIR/code")" 200
	is "$(mill subscriber show --json ana@example.org | jq -r '.subscriptions[0].status')" unsubscribed
	serve_start
}

# The connection of the POST is there (the server has nothing else open).
post_is_begun() {
	ss -tnH state established "sport = :${PAGES##*:}" | grep -q .
}

@test "systemd's socket, its notices and its watchdog" {
	command -v systemd-socket-activate >/dev/null || skip "no systemd-socket-activate"
	serve_stop
	/usr/bin/python3 - "$LETTERMILL" "$SITE" <<-'P'
		import os, signal, socket, subprocess, sys, urllib.request
		program, site = sys.argv[1:]
		notices = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
		path = site + "/notify"
		notices.bind(path)
		notices.settimeout(10)
		listening = socket.socket()
		listening.bind(("127.0.0.1", 0))
		listening.listen()
		def child():
		    os.dup2(listening.fileno(), 3)
		    os.environ["LISTEN_PID"] = str(os.getpid())
		    os.execv(program, [program, "-C", site, "serve"])
		os.environ.update(LISTEN_FDS="1", NOTIFY_SOCKET=path, WATCHDOG_USEC="600000")
		pid = os.fork()
		if pid == 0:
		    child()
		assert notices.recv(100) == b"READY=1"
		assert notices.recv(100) == b"WATCHDOG=1"
		assert notices.recv(100) == b"WATCHDOG=1"
		port = listening.getsockname()[1]
		assert urllib.request.urlopen(f"http://127.0.0.1:{port}/robots.txt").status == 200
		os.kill(pid, signal.SIGTERM)
		while notices.recv(100) != b"STOPPING=1":
		    pass
		assert os.waitpid(pid, 0)[1] == 0
	P
}
