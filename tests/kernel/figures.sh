#!/bin/busybox sh
# SPDX-FileCopyrightText: 2026 The libwice authors
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=dash
#
# figures.sh WG RACE: our WG against wg(8) over a kernel device with 10,000 peers of two allowed IPs each, in turns by RACE.
# Runs inside of the emulated machine: times are its own, ratios are what counts. Set is measured without a private key, for
# with one the kernel works out a shared secret for each peer, which takes it longer than everything else does.
ours=$1
race=$2

# compare NAME ROUNDS COMMAND_BEFORE ARGUMENT...
compare() {
	name=$1 rounds=$2 before=$3
	shift 3
	"$race" "$rounds" --before "$before" "$ours" "$@" -- wg "$@" >lines.txt || exit
	sed "s/^ours_ms: /figure: ${name}_kernel_ms /; s/^theirs_ms: /figure: ${name}_kernel_wg_ms /
		s/^ratio: /figure: ${name}_ratio_kernel /; s/^spread: /figure: ${name}_spread_kernel /" lines.txt
}

# peers KEEPALIVE: a file's peers, of which the first one has it.
peers() {
	awk -v keepalive="$1" '{
		printf "[Peer]\nPublicKey = %s\nEndpoint = 192.0.2.%d:%d\n", $1, NR % 250 + 1, NR
		printf "AllowedIPs = 10.%d.%d.%d/32, fd00::%x/128\n", NR / 65536, NR / 256 % 256, NR % 256, NR
		if (NR == 1) printf "PersistentKeepalive = %d\n", keepalive
	}' keys.txt
}

cd /tmp || exit
# 42 letters are 252 random bits; "A=" ends a key's 256.
head -c 315000 /dev/urandom | base64 | tr -d '\n' | fold -w 42 | sed 's/$/A=/' | head -n 10000 >keys.txt
peers 0 >plain.conf
peers 25 >changed.conf
compare start 15 : --help
fresh="ip link del wgf0 2>/dev/null; ip link add wgf0 type wireguard"
compare set 5 "$fresh" setconf wgf0 plain.conf
wg genkey >private.txt
wg set wgf0 private-key private.txt
printf '[Interface]\nPrivateKey = %s\n' "$(cat private.txt)" | cat - changed.conf >sync.conf
compare dump 15 : show wgf0 dump
compare sync 5 "wg set wgf0 peer $(head -n 1 keys.txt) persistent-keepalive 0" syncconf wgf0 sync.conf
ip link del wgf0
