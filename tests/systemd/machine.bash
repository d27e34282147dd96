# SPDX-License-Identifier: MIT
# A machine for the tests: Debian with systemd, booted under systemd-nspawn, without a network but its
# own loopback.

repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
source "$repository/tests/smtpd/smtpd.bash" # wait_for

# What the program needs at run time, beside systemd.
machine_packages=systemd,systemd-sysv,dbus,ca-certificates,libsqlite3-0,libcurl4,libmd4c0,libconfuse2
machine_packages+=,libmicrohttpd12,libgmime-3.0-0,libsystemd0,libjansson4,libidn2-0,libesmtp6,libcsv3,libuuid1,libarchive13

# machine_tree FOLDER: a fresh copy of the Debian tree, which is made once and kept beside the builds.
machine_tree() {
	local kept mirror
	kept=$repository/build/debian-$(echo $machine_packages | sha256sum | cut -c 1-8)
	if [ ! -e "$kept" ]; then
		mirror=$(apt-get indextargets --format '$(REPO_URI)' "Created-By: Packages" \
			"Codename: bookworm" "Component: main" | head -n 1)
		rm -rf "$kept.new"
		debootstrap --variant=minbase --include=$machine_packages bookworm "$kept.new" \
			${mirror:+"$mirror"} >"$kept.log" 2>&1 || { tail -n 5 "$kept.log"; return 1; }
		rm -rf "$kept.new"/var/cache/apt/*.bin "$kept.new"/var/cache/apt/archives/*.deb \
			"$kept.new"/usr/share/{doc,locale,man}
		mv "$kept.new" "$kept"
	fi
	cp -a "$kept" "$1"
}

# Why no machine can be booted here; nothing where it can.
machine_obstacle() {
	if [ "$(id -u)" != 0 ]; then
		echo "booting a machine needs root"
	elif ! { command -v systemd-nspawn && command -v debootstrap; } >/dev/null; then
		echo "no systemd-nspawn or debootstrap here"
	elif [ -d "${1:-}" ] && ! systemd-nspawn --quiet --register=no --keep-unit --private-network \
		-D "$1" grep -q 127.0.0.1 /proc/net/fib_trie </dev/null >/dev/null 2>&1; then
		echo "systemd-nspawn cannot start a container with a loopback here"
	fi
}

# machine_boot FOLDER: boot it; sets machine_pid (systemd-nspawn) and machine_leader (its systemd).
machine_boot() {
	setsid systemd-nspawn --quiet --register=no --keep-unit --private-network --console=pipe \
		--machine="lettermill-$$" \
		-D "$1" -b </dev/null >"$1.console" 2>&1 3>&- &
	machine_pid=$!
	wait_for 60 machine_is_up
}

machine_is_up() {
	machine_leader=$(pgrep -P "$machine_pid") && \
		inside systemctl -q is-active multi-user.target 2>/dev/null
}

# inside COMMAND...: run it as root in the machine.
inside() {
	nsenter --target "$machine_leader" --all -- /usr/bin/env -i LC_ALL=C.UTF-8 \
		PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$@"
}

# Shut it down; its own systemd does so at SIGTERM of systemd-nspawn.
machine_stop() {
	[ -n "${machine_pid:-}" ] || return 0
	kill "$machine_pid" 2>/dev/null || return 0
	wait_for 30 machine_is_gone || kill -KILL "$machine_leader" "$machine_pid"
}

machine_is_gone() { ! kill -0 "$machine_pid" 2>/dev/null; }
