# SPDX-License-Identifier: MIT
# A private Postfix: own configuration, queue, port and authority in one folder, nothing of the
# system's is touched. Needs root, as Postfix itself does.

# postfix_start DIR: submission on 127.0.0.1 with STARTTLS and AUTH required (user news@lettermill.test,
# password "correct horse"); every recipient's mail goes into the Maildir DIR/mail/all. Sets
# POSTFIX_PORT and POSTFIX_PID. Settings in DIR/extra.cf go over these.
postfix_start() {
	local dir=$1 d
	chmod 755 "$dir"
	mkdir -p "$dir"/{config/sasl,queue,data,mail,sasl}
	chown postfix "$dir/data"
	for d in incoming active bounce corrupt defer deferred flush hold private saved trace; do
		install -d -m 700 -o postfix "$dir/queue/$d"
	done
	install -d -m 730 -o postfix -g postdrop "$dir/queue/maildrop"
	install -d -m 710 -o postfix -g postdrop "$dir/queue/public"
	install -d -m 755 "$dir/queue/pid"
	chown nobody:nogroup "$dir/mail"
	[ -e "$dir/server.pem" ] || tests/smtpd/make-certs "$dir"
	postfix_sasl "$dir"
	POSTFIX_PORT=$(/usr/bin/python3 -c 'import socket
s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
	touch "$dir/extra.cf"
	# Of a name that stands twice only the last: Postfix's logger would wait for itself to warn of it.
	postfix_main "$dir" | cat - "$dir/extra.cf" |
		awk -F ' =' '!($1 in at) { at[$1] = ++n } { line[at[$1]] = $0 } END { for (i = 1; i <= n; i++) print line[i] }' > "$dir/config/main.cf"
	postfix_master > "$dir/config/master.cf"
	setpriv --pdeathsig TERM /usr/lib/postfix/sbin/master -c "$dir/config" -d < /dev/null > "$dir/master.out" 2>&1 3>&- &
	POSTFIX_PID=$!
	wait_for 20 postfix_answers
}

postfix_answers() {
	kill -0 "$POSTFIX_PID" && (: <> "/dev/tcp/127.0.0.1/$POSTFIX_PORT") 2> /dev/null
}

# postfix_stop: end the instance and wait until all of it is gone.
postfix_stop() {
	local pid=$POSTFIX_PID
	POSTFIX_PID=
	[ -n "$pid" ] || return 0
	kill "$pid" 2> /dev/null || :
	wait "$pid" || :
}

# Debian's Postfix looks for sasl/smtpd.conf beside its main.cf.
postfix_sasl() {
	printf '%s\n' 'pwcheck_method: auxprop' 'auxprop_plugin: sasldb' 'mech_list: PLAIN LOGIN' \
		"sasldb_path: $1/sasl/sasldb2" > "$1/config/sasl/smtpd.conf"
	printf 'correct horse' | saslpasswd2 -p -c -f "$1/sasl/sasldb2" -u lettermill.test news
	chown -R postfix "$1/sasl"
}

postfix_main() {
	cat <<-M
		compatibility_level = 3.6
		queue_directory = $1/queue
		data_directory = $1/data
		maillog_file = $1/log
		maillog_file_prefixes = $1
		inet_interfaces = 127.0.0.1
		inet_protocols = ipv4
		myhostname = relay.lettermill.test
		mydestination =
		alias_maps =
		notify_classes =
		default_transport = virtual
		virtual_mailbox_base = $1/mail
		virtual_mailbox_maps = static:all/
		virtual_uid_maps = static:$(id -u nobody)
		virtual_gid_maps = static:$(id -g nobody)
		smtpd_tls_security_level = encrypt
		smtpd_tls_chain_files = $1/server.pem
		smtpd_tls_auth_only = yes
		smtpd_tls_received_header = yes
		smtpd_sasl_auth_enable = yes
		smtpd_sasl_local_domain = lettermill.test
		smtpd_relay_restrictions = permit_sasl_authenticated, reject
		smtpd_forbid_unauth_pipelining = yes
		smtpd_forbid_bare_newline = yes
		disable_vrfy_command = yes
		strict_rfc821_envelopes = yes
	M
}

postfix_master() {
	cat <<-M
		127.0.0.1:$POSTFIX_PORT inet n - n - - smtpd
		pickup unix n - n 60 1 pickup
		cleanup unix n - n - 0 cleanup
		qmgr unix n - n 300 1 qmgr
		tlsmgr unix - - n 1000? 1 tlsmgr
		rewrite unix - - n - - trivial-rewrite
		bounce unix - - n - 0 bounce
		defer unix - - n - 0 bounce
		trace unix - - n - 0 bounce
		flush unix n - n 1000? 0 flush
		proxymap unix - - n - - proxymap
		error unix - - n - - error
		retry unix - - n - - error
		virtual unix - n n - 10 virtual
		lmtp unix - - n - - lmtp
		smtp unix - - n - - smtp
		anvil unix - - n - 1 anvil
		scache unix - - n - 1 scache
		postlog unix-dgram n - n - 1 postlogd
	M
}
