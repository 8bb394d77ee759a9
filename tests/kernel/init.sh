#!/bin/busybox sh
# SPDX-FileCopyrightText: 2026 The libwice authors
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=dash
#
# The first process of the emulated machine: runs /jobs, which lab.py wrote, and turns it off.
/bin/busybox --install -s /bin
export PATH=/bin HOME=/root CK_VERBOSITY=normal
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
ip link set lo up

# load_modules FOLDER
load_modules() {
	for module in /modules/"$1"/*.ko; do insmod "$module"; done
}

# job NAME SECONDS COMMAND
job() {
	echo "=== BEGIN $1" >/dev/ttyS1
	begin=$(date +%s)
	timeout "$2" sh -c "$3" >/tmp/output 2>&1 </dev/null
	status=$?
	tail -n 200 /tmp/output >/dev/ttyS1
	echo "=== END $status $(($(date +%s) - begin))" >/dev/ttyS1
}

load_modules early
stty -F /dev/ttyS1 raw 2>/dev/null
if [ -e /shell ]; then
	load_modules late
	setsid cttyhack sh
else
	# shellcheck source=/dev/null
	. /jobs
fi
poweroff -f
