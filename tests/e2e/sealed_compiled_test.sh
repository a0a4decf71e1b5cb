#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Go modules and "go install tool@latest", a Cargo workspace, Maven with plugins.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
. "$(dirname "${BASH_SOURCE[0]}")/sealed_lib.sh"

sealed_start
example_project go
example_project cargo
example_project maven

project tool <<'END'
FROM golang:1.24
RUN go install golang.org/x/example/hello@latest
CMD ["/root/go/bin/hello"]
END

record "${PROJECTS[@]}"
package go pkg:golang/golang.org/x/text@v0.28.0
package tool pkg:golang/golang.org/x/example/hello@
package cargo pkg:cargo/memchr@2
package cargo pkg:cargo/itoa@1
package maven pkg:maven/com.google.code.gson/gson@2.11.0
package maven pkg:maven/org.apache.maven.plugins/maven-shade-plugin@3.6.0

disconnect
BUILDAH=(go)
replay "${PROJECTS[@]}"
ran go "Hallo, lock!"
ran tool "Hello, world!"
ran cargo "7 words"
ran maven '{"hello":"lock"}'
