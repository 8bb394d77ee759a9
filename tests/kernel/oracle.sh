#!/bin/busybox sh
# SPDX-FileCopyrightText: 2026 The libwice authors
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=dash
#
# oracle.sh WG: our WG against wg(8) over the kernel's devices. Runs inside of the emulated machine.
ours=$1
status=0

# same WHAT FILE FILE
same() {
	cmp -s "$2" "$3" && return
	status=1
	echo "different: $1"
	diff "$2" "$3" | head -n 10
}

cd /tmp || exit
{
	printf '[Interface]\nPrivateKey = %s\nListenPort = 51820\nFwMark = 0xca6c\n' "$(wg genkey)"
	for i in $(seq 1 40); do
		printf '[Peer]\nPublicKey = %s\nAllowedIPs = 10.0.%d.0/24, fd00:%x::/64\n' "$(wg genkey | wg pubkey)" "$i" "$i"
		[ $((i % 2)) = 0 ] || printf 'Endpoint = 192.0.2.%d:%d\nPersistentKeepalive = 25\n' "$i" "$((1000 + i))"
		[ $((i % 3)) = 0 ] || printf 'PresharedKey = %s\n' "$(wg genpsk)"
	done
} >a.conf

ip link add wgo0 type wireguard
ip link add wgo1 type wireguard
wg setconf wgo0 a.conf || exit
"$ours" setconf wgo1 a.conf || exit
for form in "" dump public-key private-key listen-port fwmark peers preshared-keys endpoints allowed-ips \
	latest-handshakes transfer persistent-keepalive; do
	for name in wgo0 wgo1 all; do
		# wg before 2025 names the interface on the first line only.
		[ "$name $form" = "all endpoints" ] && continue
		# shellcheck disable=SC2086
		wg show $name $form >theirs.txt 2>&1
		# shellcheck disable=SC2086
		"$ours" show $name $form >ours.txt 2>&1
		same "show $name $form" theirs.txt ours.txt
	done
done
wg show interfaces >theirs.txt
"$ours" show interfaces >ours.txt
same "show interfaces" theirs.txt ours.txt
for name in wgo0 wgo1; do
	wg showconf $name >theirs.txt
	"$ours" showconf $name >ours.txt
	same "showconf $name" theirs.txt ours.txt
done

# What we set is what wg sets.
ip link set wgo1 down
wg showconf wgo0 | grep -v ListenPort >theirs.txt
wg showconf wgo1 | grep -v ListenPort >ours.txt
same "setconf" theirs.txt ours.txt

# Half of the peers go, one changes; the same by both.
awk '/Peer/ && ++n > 20 { exit } { print }' a.conf | sed 's/AllowedIPs = 10.0.3.0/AllowedIPs = 10.1.3.0/' >b.conf
wg syncconf wgo0 b.conf
"$ours" syncconf wgo1 b.conf
wg show wgo0 dump | sort >theirs.txt
wg show wgo1 dump | sort >ours.txt
same "syncconf" theirs.txt ours.txt
ip link del wgo0
ip link del wgo1
exit $status
