# SPDX-License-Identifier: MIT
# A private Dovecot: LMTP without, IMAP and POP3 inside TLS, on free ports of this machine. Needs root.

# free_port: one that nobody listens on.
free_port() {
	/usr/bin/python3 -c 'import socket
s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# dovecot_start DIR USER[:QUOTA-RULE]...: these users, each with the password "open-sesame". DIR/server.pem is
# made by postfix_start or tests/smtpd/make-certs. Sets LMTP_PORT, IMAPS_PORT, POP3S_PORT, DOVECOT_PID.
dovecot_start() {
	local dir=$1 user
	shift
	mkdir -p "$dir/dovecot" "$dir/people"
	chmod 755 "$dir" "$dir/dovecot"
	chown nobody:nogroup "$dir/people"
	LMTP_PORT=$(free_port) IMAPS_PORT=$(free_port) POP3S_PORT=$(free_port)
	for user; do
		echo "${user%%:*}::$(id -u nobody):$(id -g nobody)::$dir/people/${user%%:*}::$([[ $user != *:* ]] || echo "userdb_quota_rule=${user#*:}")"
	done >"$dir/dovecot/users"
	dovecot_conf "$dir" >"$dir/dovecot/conf"
	setpriv --pdeathsig TERM dovecot -F -c "$dir/dovecot/conf" </dev/null >"$dir/dovecot/out" 2>&1 3>&- &
	DOVECOT_PID=$!
	wait_for 20 dovecot_answers
}

dovecot_answers() {
	local port
	kill -0 "$DOVECOT_PID" || return 1
	for port in $LMTP_PORT $IMAPS_PORT $POP3S_PORT; do
		(: <>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || return 1
	done
}

dovecot_stop() {
	local pid=$DOVECOT_PID
	DOVECOT_PID=
	[ -n "$pid" ] || return 0
	kill "$pid" 2>/dev/null || :
	wait "$pid" || :
}

dovecot_conf() {
	cat <<-C
		protocols = imap pop3 lmtp
		base_dir = $1/dovecot/run
		state_dir = $1/dovecot
		log_path = $1/dovecot/log
		ssl = required
		ssl_cert = <$1/server.pem
		ssl_key = <$1/server.pem
		auth_username_format = %n
		mail_location = maildir:~/Maildir
		mail_plugins = quota
		first_valid_uid = 1
		passdb {
			driver = static
			args = password=open-sesame
		}
		userdb {
			driver = passwd-file
			args = username_format=%n $1/dovecot/users
		}
		plugin {
			quota = maildir:all
			quota_grace = 0
		}
		service lmtp {
			inet_listener lmtp {
				address = 127.0.0.1
				port = $LMTP_PORT
			}
		}
		service imap-login {
			inet_listener imap {
				port = 0
			}
			inet_listener imaps {
				address = 127.0.0.1
				port = $IMAPS_PORT
				ssl = yes
			}
		}
		service pop3-login {
			inet_listener pop3 {
				port = 0
			}
			inet_listener pop3s {
				address = 127.0.0.1
				port = $POP3S_PORT
				ssl = yes
			}
		}
		protocol lmtp {
			mail_plugins = quota
		}
	C
}
