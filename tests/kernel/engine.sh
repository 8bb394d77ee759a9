#!/bin/busybox sh
# SPDX-FileCopyrightText: 2026 The libwice authors
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=dash
#
# engine.sh ENGINE MINUTES: our userspace ENGINE with the kernel's WireGuard at the other end of a tunnel. Each of the two
# begins, over IPv4 and over IPv6, with and without a preshared key; streams are carried both ways; sessions are
# renewed by who has lost his, at both ends, and then by the clock for some MINUTES, in which nothing may be lost. Runs inside
# of the emulated machine. The kernel's end is in a network namespace of its own; ours is in that of the machine.
set -eu
umask 077
engine=$1
minutes=$2
wgu=wgu # ours
wgk=wgk # the kernel's
stream=4000000

fail() {
	echo "failed: $*"
	wg show $wgu || true
	in_kernel wg show $wgk || true
	exit 1
}

# until COMMAND...: waits for it to succeed.
until_true() {
	for _ in $(seq 1 600); do
		"$@" >/dev/null 2>&1 && return
		usleep 50000
	done
	fail "waited in vain for: $*"
}

in_kernel() { nsenter -t "$there" -n "$@"; }

# at WHICH COMMAND...: at our end (u) or at the kernel's (k).
at() {
	if [ "$1" = u ]; then
		shift
		"$@"
	else
		shift
		in_kernel "$@"
	fi
}

other() { [ "$1" = u ] && echo k || echo u; }
number() { [ "$1" = u ] && echo 1 || echo 2; }

is_apart() { [ "$(readlink "/proc/$there/ns/net")" != "$(readlink /proc/self/ns/net)" ]; }

start() {
	unshare -n sleep 100000 &
	there=$!
	until_true is_apart
	ip link add veu type veth # its peer is veth0: busybox cannot give names to peers
	ip link set veth0 name vek
	ip link set vek netns "$there"
	in_kernel ip link add $wgk type wireguard
	"$engine" -f $wgu >engine.log 2>&1 &
	ours=$!
	until_true wg show $wgu
	for end in u k; do
		at $end sysctl -qw net.ipv6.conf.ve$end.accept_dad=0
		at $end ip link set lo up
		at $end ip addr add "192.0.2.$(number $end)/24" dev ve$end
		at $end ip link set ve$end up
		at $end ip -6 addr add "2001:db8::$(number $end)/64" dev ve$end
		at $end ip addr add "10.77.0.$(number $end)/24" dev wg$end
		wg genkey >$end.key
		wg pubkey <$end.key >$end.pub
		at $end wg set wg$end private-key $end.key listen-port "1000$(number $end)"
		at $end ip link set wg$end mtu 1420 up
	done
}

# introduce WHICH [PSK]: makes the other end a peer of this one's, anew.
introduce() {
	peer=$(cat "$(other "$1").pub")
	at "$1" wg set "wg$1" peer "$peer" remove
	at "$1" wg set "wg$1" peer "$peer" allowed-ips "10.77.0.$(number "$(other "$1")")/32" preshared-key "${2:-/dev/null}"
}

# point WHICH OUTER: lets it know where the other end is.
point() {
	n=$(number "$(other "$1")")
	case $2 in
	4) endpoint=192.0.2.$n:1000$n ;;
	6) endpoint=[2001:db8::$n]:1000$n ;;
	esac
	at "$1" wg set "wg$1" peer "$(cat "$(other "$1").pub")" endpoint "$endpoint"
}

# reach WHICH [PING OPTION...]: the other end answers.
reach() {
	end=$1
	shift
	at "$end" ping -q -c 1 -W 15 "$@" "10.77.0.$(number "$(other "$end")")" >ping.txt 2>&1 || fail "$end has no answer" "$(cat ping.txt)"
}

is_listening() { at "$1" netstat -ltn | grep -q ":5000 "; }

# carry WHICH: sends a stream to the other end.
carry() {
	to=$(other "$1")
	at "$to" nc -l -p 5000 <>silence >got & # at the end of its input it would end the connection
	receiver=$!
	until_true is_listening "$to"
	at "$1" nc "10.77.0.$(number "$to")" 5000 <sent >/dev/null
	wait $receiver
	cmp sent got || fail "a stream from $1 came out differently"
}

handshakes() { at "$1" wg show "wg$1" latest-handshakes | cut -f 2; }

begin() {
	introduce u "${3:-}"
	introduce k "${3:-}"
	point "$1" "$2"
	reach "$1"
	for size in 0 1 7 100 1000 1391 1392 1393 3000; do reach u -s $size; done
	carry u
	carry k
	for end in u k u; do
		introduce $end "${3:-}"
		point $end "$2"
		reach $end
	done
	# Either end moves.
	for end in u k; do
		for port in "1$(number "$end")000" "1000$(number "$end")"; do
			at "$end" wg set "wg$end" listen-port "$port"
			reach "$end"
		done
	done
	echo "ok: $1 begins, IPv$2${3:+, preshared key}"
}

# live WHICH: it pings the other end once a second. A session is renewed after two minutes.
live() {
	seconds=$((minutes * 60))
	before=$(handshakes u)
	at "$1" ping -q -c $seconds -i 1 "10.77.0.$(number "$(other "$1")")" >ping.txt &
	pinging=$!
	renewed=0
	while kill -0 $pinging 2>/dev/null; do
		sleep 10
		last=$(handshakes u)
		[ "$last" = "$before" ] || renewed=$((renewed + 1))
		before=$last
	done
	grep -q " 0% packet loss" ping.txt || fail "$(cat ping.txt)"
	echo "ok: $renewed sessions were renewed in $seconds s"
	[ $((renewed * 3)) -ge "$minutes" ] || fail "too few sessions were renewed"
}

ours='' there=''
# shellcheck disable=SC2086
trap 'kill $ours $there 2>/dev/null || true; ip link del veu 2>/dev/null || true' EXIT
cd /tmp
head -c $stream /dev/urandom >sent
wg genpsk >psk
mkfifo silence
start
begin u 4
begin k 4 psk
begin u 6 psk
begin k 6
[ "$minutes" = 0 ] || live u
kill "$ours"
wait "$ours" || true
ours=''
[ ! -e /var/run/wireguard/$wgu.sock ] || fail "the socket is still there"
