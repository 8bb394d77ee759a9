#!/bin/busybox sh
# SPDX-FileCopyrightText: 2026 The libwice authors
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=dash
#
# mechanisms.sh WICED WICE MECHANISM...: two hosts with the kernel's WireGuard are connected by wiced with each MECHANISM over
# IPv4: without a NAT, and with host a behind one that lets in answers only. Then, with the router letting nothing through, by
# a relay, over IPv4 and IPv6, in the kernel. Runs inside of the emulated machine, of which the own network namespace is the
# router between the hosts and has the signaling server and the relay. With bpf, this kernel has no tcx yet.
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
prefix6() { echo "2001:db8:$(number "$1")"; }
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

# start_wiced END MECHANISM [OPTION...]
start_wiced() {
	end=$1
	mechanism=$2
	shift 2
	nsenter -t "$(cat "$end.pid")" -n "$wiced" --socket "$end.sock" --state-dir "$end.state" --port-mapping no \
		--log-level debug --proxy "$mechanism" -i "wg$end" -b $signaling "$@" >"$end.log" 2>&1 &
	echo $! >"$end.wiced"
}

shown() { "$wice" --socket "$1.sock" --json show; }
is_connected() { shown "$1" | grep -q '"state": "connected"'; }
has_path() { shown "$1" | grep -q "\"path\": \"$2\""; }

# cell MECHANISM PATH [OPTION...]
cell() {
	mechanism=$1
	path=$2
	shift 2
	for end in a b; do
		peer=$(cat "$(other $end).pub")
		in_host $end wg set wg$end peer "$peer" remove
		in_host $end wg set wg$end peer "$peer" allowed-ips "10.77.0.$(number "$(other $end)")/32"
		start_wiced $end "$mechanism" "$@"
	done
	for end in a b; do
		until_true is_connected $end
		until_true has_path $end "$path"
		shown $end | grep -q "\"mechanism\": \"$mechanism\"" || fail "host $end has another mechanism than $mechanism"
	done
	for end in a b a; do
		in_host $end ping -q -c 3 -W 15 "10.77.0.$(number "$(other $end)")" >ping.txt 2>&1 || fail "$end: $(cat ping.txt)"
	done
	in_host a ping -q -c 2 -s 1392 -W 15 10.77.0.2 >ping.txt 2>&1 || fail "large packets: $(cat ping.txt)"
	[ "$path" = relay ] && stream
	if [ "$mechanism" = bpf ]; then
		in_host a nft list tables | grep -q wice && fail "there is a table of nft"
	fi
	for end in a b; do
		kill "$(cat $end.wiced)"
		wait "$(cat $end.wiced)" || fail "wiced of host $end exited with $?"
	done
	for end in a b; do
		[ -z "$(in_host $end nft list tables)" ] || fail "a table is left: $(in_host $end nft list tables)"
		for way in ingress egress; do
			[ -z "$(in_host $end tc filter show dev eth0 $way)" ] || fail "a filter is left: $end, $way"
		done
	done
	echo "ok: $mechanism, path $path $*"
}

# What the kernel's WireGuard and TCP send in large packets comes whole.
stream() {
	# Each end hangs up when its input ends: that of the receiver does not.
	rm -f open
	mkfifo open
	exec 9<>open
	in_host b nc -l -p 5001 >received <open &
	receiver=$!
	until_true listens_b
	dd if=/dev/urandom of=sent bs=64k count=64 2>/dev/null
	in_host a nc 10.77.0.2 5001 <sent >/dev/null || fail "no stream over the relay"
	wait $receiver
	cmp sent received || fail "the stream over the relay came out as another one"
}
listens_b() { in_host b grep -q ":1389 " /proc/net/tcp /proc/net/tcp6; }

relayed() {
	for end in a b; do
		ip addr add "$(prefix6 $end)::1/64" dev "to-$end" nodad
		in_host $end sysctl -qw net.ipv6.conf.eth0.accept_dad=0
		in_host $end ip addr add "$(prefix6 $end)::2/64" dev eth0
		in_host $end ip -6 route add default via "$(prefix6 $end)::1"
	done
	nft -f - <<-END
		table inet closed {
			chain forward {
				type filter hook forward priority filter
				drop
			}
		}
	END
	echo alice:wonderland >users
	echo wonderland >password
	for address in 192.0.2.129 '[2001:db8:2::1]'; do
		inner=${address#[}
		"$wice" relay --users-file users --listen "udp:$address:3478" --relay-address "${inner%]}" --permit-private >relay.log 2>&1 &
		relay=$!
		cell bpf relay --relay "turn:$address:3478 username=alice password-file=$PWD/password"
		kill $relay
		wait $relay || fail "the relay exited with $?: $(cat relay.log)"
	done
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

server='' relay=''
trap 'kill $server $relay $(cat a.pid b.pid) 2>/dev/null || true; nft flush ruleset' EXIT
mkdir /tmp/mechanisms
cd /tmp/mechanisms
sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
make_host a
make_host b
"$wice" signal --listen 192.0.2.129:8080 >signal.log 2>&1 &
server=$!
for wanted in "$@"; do cell "$wanted" direct; done
translate
for wanted in "$@"; do cell "$wanted" nat; done
nft flush ruleset
relayed
