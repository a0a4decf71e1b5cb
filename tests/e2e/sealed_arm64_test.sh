#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Two platforms from one lock, the second one by emulation: its own sbuild-step, its own recording.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
. "$(dirname "${BASH_SOURCE[0]}")/sealed_lib.sh"

# The kernel's registration of the emulator, if nobody else has made one; F: it works in any root directory, P: programs
# are told the name that they were called by.
binfmt=/proc/sys/fs/binfmt_misc
if [[ ! -e $binfmt/register ]]; then
	mount -t binfmt_misc binfmt_misc $binfmt
	at_end umount $binfmt
fi
if ! grep -qs '^magic 7f454c460201010000000000000000000200b7' $binfmt/*; then
	printf '%s' ':sbuild-test-aarch64:M::\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00:\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff:/usr/bin/qemu-aarch64-static:PF' \
		>$binfmt/register
	at_end eval "echo -1 >$binfmt/sbuild-test-aarch64"
fi

sealed_start
mkdir "$T/lan"
printf 'some data\n' >"$T/lan/data.txt"
printf 'for arm\n' >"$T/lan/aarch64.txt"
printf 'for intel\n' >"$T/lan/x86_64.txt"
lan_start "$T/lan"

project two <<END
FROM acme/multiarch:1
RUN wget -q -O /data $FILES_URL/data.txt && wget -q -O /machine $FILES_URL/\$(uname -m).txt
CMD ["cat", "/data", "/machine"]
END
now "both platforms are recorded"
assert_ok sbuild lock --platform linux/amd64 --platform linux/arm64 "$T/two"
disconnect
stop_part files.sh files

for platform in linux/arm64 linux/amd64; do
	ARGS[two]="--platform $platform"
	replay two
	ran two "some data"
	[[ $platform == linux/amd64 ]] || ran two "for arm"
done
ran two "for intel"
