#!/bin/bash
# SPDX-License-Identifier: MIT
# tests/bench/pages.sh: the public pages beside nginx, in one run, in turns: GETs of an issue in the archive
# beside nginx serving a static file of the same octets; one-click POSTs; and the slowest hundredth of the GETs
# while `deliver` works on the same database. SECONDS_EACH, ROUNDS and READERS may be set.
set -euo pipefail
cd "$(dirname "$0")/../.."
B=$(realpath "${B:-build}")
EACH=${SECONDS_EACH:-4} ROUNDS=${ROUNDS:-3} READERS=${READERS:-20000}
export LC_ALL=C
for tool in wrk nginx jq curl; do
	command -v $tool >/dev/null || { echo "this needs $tool: run 'make deps'" >&2; exit 69; }
done

work=$(mktemp -d "${TMPDIR:-/var/tmp}/bench.XXXXXX")
chmod 755 "$work"
pids=()
trap 'kill "${pids[@]}" 2>/dev/null || :; wait; rm -rf "$work"' EXIT
mill=("$B/lettermill" -q -C "$work/site")

# ---- a site with an issue, and its pages ----
"$B/smtpd" --port 0 --port-file "$work/port" >/dev/null & pids+=($!)
until [ -s "$work/port" ]; do sleep 0.05; done
"$B/lettermill" -q init "$work/site"
sed -i -e 's/host = "smtp.example.org"/host = "127.0.0.1"/' -e 's/# tls = starttls .*/tls = none/' \
	-e "s/# port = 587 .*/port = $(cat "$work/port")/" -e 's/# canary = .*/canary = ""/' \
	-e 's/# listen = .*/listen = "127.0.0.1:0"/' "$work/site/lettermill.conf"
{ echo email; seq -f 'reader%.0f@example.org' "$READERS"; } >"$work/people.csv"
"${mill[@]}" subscriber add first@example.org --list daily
"${mill[@]}" issue schedule "$work/site/issues/sample.md"
"${mill[@]}" deliver
"${mill[@]}" import "$work/people.csv" --list daily
"$B/lettermill" -C "$work/site" --json serve >"$work/serve.json" & pids+=($!)
until [ -s "$work/serve.json" ]; do sleep 0.05; done
pages=http://127.0.0.1:$(jq -r .port "$work/serve.json")
issue=$pages/archive/daily/the-lighthouse-that-learned-to-wait

# ---- nginx ----
mkdir "$work/www"
curl -s "$issue" >"$work/www/page.html"
free=$(/usr/bin/python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
cat >"$work/nginx.conf" <<-END
	daemon off; worker_processes 2; pid $work/nginx.pid; error_log stderr crit;
	events { worker_connections 1024; }
	http {
		access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000;
		client_body_temp_path $work; proxy_temp_path $work; fastcgi_temp_path $work;
		uwsgi_temp_path $work; scgi_temp_path $work;
		types { text/html html; }
		server { listen 127.0.0.1:$free; root $work/www; }
	}
END
nginx -c "$work/nginx.conf" 2>/dev/null & pids+=($!)
until curl -s -o /dev/null "http://127.0.0.1:$free/page.html"; do sleep 0.05; done

# load URL [LUA]: requests a second, and the 99th percentile in ms.
load() {
	wrk -t 1 -c 32 -d "${EACH}s" --latency ${2:+-s "$2"} "$1" >"$work/wrk"
	! grep -q 'Non-2xx' "$work/wrk" || { cat "$work/wrk" >&2; exit 1; }
	awk '/99%/ { v = $2; if (v ~ /us$/) v /= 1000; else if (v !~ /ms$/) v *= 1000; p = v + 0 }
		/Requests\/sec/ { print $2, p }' "$work/wrk"
}
median() { sort -n | awk '{ a[NR] = $1 } END { print a[int((NR + 1) / 2)] }'; }

token() {
	/usr/bin/python3 - "$(head -1 "$work/site/secrets/token.key")" "$1" <<-'P'
		import base64, hashlib, hmac, sys
		f = bytes([1, 2, 1])
		for i in range(2, int(sys.argv[2])):
		    n, v = i, b""
		    while n > 127:
		        v += bytes([n & 127 | 128]); n >>= 7
		    t = f + v + bytes([n])
		    print(base64.b32encode(t + hmac.new(bytes.fromhex(sys.argv[1]), t, hashlib.sha256).digest()[:16])
		          .decode().rstrip("=").lower())
	P
}
token "$READERS" >"$work/tokens"
cat >"$work/post.lua" <<-END
	local tokens, i = {}, 0
	for line in io.lines("$work/tokens") do tokens[#tokens + 1] = line end
	request = function()
		i = i % #tokens + 1
		return wrk.format("POST", "/u/" .. tokens[i],
			{["Content-Type"] = "application/x-www-form-urlencoded"}, "List-Unsubscribe=One-Click")
	end
END

for ((i = 0; i < ROUNDS; i++)); do
	load "http://127.0.0.1:$free/page.html" >>"$work/nginx"
	load "$issue" >>"$work/archive"
done
printf -- '---\nsubject: Load\nlist: daily\nslug: load\n---\n\nHello.\n' >"$work/load.md"
"${mill[@]}" issue schedule "$work/load.md" 2>/dev/null
"${mill[@]}" deliver & delivering=$!
load "$issue" >"$work/during"
kill -0 "$delivering" 2>/dev/null && whole="all the time" || whole="a part of the time"
wait "$delivering"
load "$pages/" "$work/post.lua" >"$work/post"
static=$(median <"$work/nginx") archive=$(median <"$work/archive")
printf 'a page of %s octets, %s cores, 32 connections\n' "$(stat -c %s "$work/www/page.html")" "$(nproc)"
awk -v s="$static" -v a="$archive" 'BEGIN { printf "GET: nginx %.0f/s, archive %.0f/s: %.2f x\n", s, a, a / s }'
printf 'one-click POST: %s/s, p99 %s ms\n' $(cat "$work/post")
printf 'GET while deliver runs (%s): %s/s, p99 %s ms\n' "$whole" $(cat "$work/during")
