#!/bin/busybox sh
# SPDX-FileCopyrightText: 2026 The libwice authors
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=dash
#
# mechanisms.sh WICED WICE MECHANISM...: two hosts with the kernel's WireGuard are connected by wiced with each MECHANISM over
# IPv4: without a NAT, and with host a behind one that lets in answers only. Runs inside of the emulated machine, of which the
# own network namespace is the router between the hosts and has the signaling server. With bpf, this kernel has no tcx yet.
set -eu
umask 077
wiced=$1
wice=$2
shift 2
signaling=grpc://192.0.2.129:8080

# The shell would take busybox's, which cannot name the other end of a cable.
ip() { /bin/ip "$@"; }

fail() {
	echo "failed: $*"
	for end in a b; do
		"$wice" --socket $end.sock show || true
		tail -n 6 $end.log || true
	done
	exit 1
}

# until_true COMMAND...: waits for it to succeed.
until_true() {
	for _ in $(seq 1 1200); do
		"$@" >/dev/null 2>&1 && return
		usleep 50000
	done
	fail "waited in vain for: $*"
}

in_host() {
	pid=$(cat "$1.pid")
	shift
	nsenter -t "$pid" -n "$@"
}

other() { [ "$1" = a ] && echo b || echo a; }
number() { [ "$1" = a ] && echo 1 || echo 2; }
prefix() { [ "$1" = a ] && echo 192.168.1 || echo 192.0.2; }
is_apart() { [ "$(readlink "/proc/$1/ns/net")" != "$(readlink /proc/self/ns/net)" ]; }

# make_host END
make_host() {
	unshare -n sleep 100000 &
	echo $! >"$1.pid"
	until_true is_apart $!
	ip link add "to-$1" type veth peer name eth0 netns $!
	ip addr add "$(prefix "$1").129/25" dev "to-$1"
	ip link set "to-$1" up
	in_host "$1" ip link set lo up
	in_host "$1" ip addr add "$(prefix "$1").130/25" dev eth0
	in_host "$1" ip link set eth0 up
	in_host "$1" ip route add default via "$(prefix "$1").129"
	in_host "$1" ip link add "wg$1" type wireguard
	in_host "$1" ip addr add "10.77.0.$(number "$1")/24" dev "wg$1"
	wg genkey >"$1.key"
	wg pubkey <"$1.key" >"$1.pub"
	in_host "$1" wg set "wg$1" private-key "$1.key"
	in_host "$1" ip link set "wg$1" mtu 1420 up
}

# start_wiced END MECHANISM
start_wiced() {
	nsenter -t "$(cat "$1.pid")" -n "$wiced" --socket "$1.sock" --state-dir "$1.state" --port-mapping no \
		--log-level debug --proxy "$2" -i "wg$1" -b $signaling >"$1.log" 2>&1 &
	echo $! >"$1.wiced"
}

shown() { "$wice" --socket "$1.sock" --json show; }
is_connected() { shown "$1" | grep -q '"state": "connected"'; }
has_path() { shown "$1" | grep -q "\"path\": \"$2\""; }

# cell MECHANISM PATH
cell() {
	for end in a b; do
		peer=$(cat "$(other $end).pub")
		in_host $end wg set wg$end peer "$peer" remove
		in_host $end wg set wg$end peer "$peer" allowed-ips "10.77.0.$(number "$(other $end)")/32"
		start_wiced $end "$1"
	done
	for end in a b; do
		until_true is_connected $end
		until_true has_path $end "$2"
		shown $end | grep -q "\"mechanism\": \"$1\"" || fail "host $end has another mechanism than $1"
	done
	for end in a b a; do
		in_host $end ping -q -c 3 -W 15 "10.77.0.$(number "$(other $end)")" >ping.txt 2>&1 || fail "$end: $(cat ping.txt)"
	done
	in_host a ping -q -c 2 -s 1392 -W 15 10.77.0.2 >ping.txt 2>&1 || fail "large packets: $(cat ping.txt)"
	if [ "$1" = bpf ]; then
		in_host a nft list tables | grep -q wice && fail "there is a table of nft"
	fi
	for end in a b; do
		kill "$(cat $end.wiced)"
		wait "$(cat $end.wiced)" || fail "wiced of host $end exited with $?"
	done
	[ -z "$(in_host a nft list tables)" ] || fail "a table is left: $(in_host a nft list tables)"
	echo "ok: $1, path $2"
}

translate() {
	nft -f - <<-END
		table ip nat {
			chain unsolicited {
				type filter hook prerouting priority filter
				iifname "to-b" ip daddr 192.168.1.0/24 ct state new drop
			}
			chain outward {
				type nat hook postrouting priority srcnat
				oifname "to-b" masquerade
			}
		}
	END
}

server=''
trap 'kill $server $(cat a.pid b.pid) 2>/dev/null || true; nft flush ruleset' EXIT
mkdir /tmp/mechanisms
cd /tmp/mechanisms
sysctl -qw net.ipv4.ip_forward=1
make_host a
make_host b
"$wice" signal --listen 192.0.2.129:8080 >signal.log 2>&1 &
server=$!
for mechanism in "$@"; do cell "$mechanism" direct; done
translate
for mechanism in "$@"; do cell "$mechanism" nat; done
