#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# How many packages, and a word from some of them.
set -eu
dpkg-query -W -f '.\n' | wc -l | xargs printf '%s packages\n'
jq -nr '"jq works"'
sqlite3 :memory: "SELECT 'sqlite works'"
python3 -c 'print("python works")'
ruby -e 'puts "ruby works"'
git --version | cut -d ' ' -f 1 | xargs printf '%s works\n'
