#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# page.sh RELEASE SOURCES: a page about the two directories.
set -eu
echo '<!doctype html><title>multi</title>'
echo "<h1>$1</h1><pre>"
head -n 20 "$1/NEWS" | sed 's/&/\&amp;/g; s/</\&lt;/g'
echo "</pre><h1>$2</h1><pre>"
(cd "$2" && find . -type f ! -path './.git/*' | LC_ALL=C sort | sed 's/&/\&amp;/g; s/</\&lt;/g')
echo '</pre>'
