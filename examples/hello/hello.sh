#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
. /etc/os-release
echo "Hello from $PRETTY_NAME"
