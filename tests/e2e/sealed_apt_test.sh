#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# apt in sealed steps: more than a hundred packages, lists removed and kept; a third party's repository with its own key; six
# years later, when every key has expired and every Release file is past its date.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
. "$(dirname "${BASH_SOURCE[0]}")/sealed_lib.sh"

sealed_start

# A repository as vendors have them: one package, a Release file that is good for a week, a key that is for two months.
make_repository() { # DIR
	local gpg=$T/vendor-gpg
	mkdir -p "$1" "$T/deb/DEBIAN" "$T/deb/opt/vendor"
	mkdir -m 700 "$gpg"
	printf 'Package: vendor-tool\nVersion: 2.5-1\nArchitecture: all\nMaintainer: nobody <nobody@example.org>\nDescription: a test\n' \
		>"$T/deb/DEBIAN/control"
	printf '#!/bin/sh\necho vendor-tool 2.5\n' >"$T/deb/opt/vendor/tool"
	chmod 755 "$T/deb/opt/vendor/tool"
	dpkg-deb --root-owner-group -b "$T/deb" "$1/vendor-tool_2.5-1_all.deb" >/dev/null
	(cd "$1" && dpkg-scanpackages --multiversion . >Packages 2>/dev/null)
	{
		printf 'Origin: Vendor\nSuite: stable\nArchitectures: all\nDate: %s\nValid-Until: %s\nSHA256:\n' \
			"$(date -Ru)" "$(date -Ru -d '7 days')"
		printf ' %s %s Packages\n' "$(sha256sum <"$1/Packages" | cut -d' ' -f1)" "$(wc -c <"$1/Packages")"
	} >"$1/Release"
	gpg --homedir "$gpg" --batch --quiet --passphrase '' --quick-generate-key 'Vendor <vendor@example.org>' rsa2048 sign 60d
	gpg --homedir "$gpg" --batch --quiet --clearsign -o "$1/InRelease" "$1/Release"
	gpg --homedir "$gpg" --batch --armor --export >"$1/key.asc"
	gpgconf --homedir "$gpg" --kill all
}

make_repository "$T/lan/vendor"
lan_start "$T/lan"

example_project apt

# The lists stay in the image; and faketime gives the clients another time, when the build is asked to.
project kept <<'END'
FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends faketime
ARG YEARS
RUN ${YEARS:+faketime -f "+${YEARS}y"} apt-get update && \
    ${YEARS:+faketime -f "+${YEARS}y"} apt-get install -y --no-install-recommends hello
CMD ["sh", "-c", "hello; ls /var/lib/apt/lists | wc -l"]
END

project vendor <<END
FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends curl gnupg faketime
RUN curl -fsSL $FILES_TLS_URL/vendor/key.asc | gpg --dearmor -o /usr/share/keyrings/vendor.gpg && \\
    echo "deb [signed-by=/usr/share/keyrings/vendor.gpg] $FILES_URL/vendor ./" >/etc/apt/sources.list.d/vendor.list
ARG YEARS
RUN \${YEARS:+faketime -f "+\${YEARS}y"} apt-get update && \\
    \${YEARS:+faketime -f "+\${YEARS}y"} apt-get install -y vendor-tool && rm -rf /var/lib/apt/lists/*
CMD ["/opt/vendor/tool"]
END

record "${PROJECTS[@]}"
package apt pkg:deb/debian/curl@
package apt pkg:deb/debian/sqlite3@
assert_eq true "$(jq '[.packages[] | select(.purl | startswith("pkg:deb/"))] | length >= 100' "$T/apt/Dockerfile.lock")" \
	"a hundred packages in the lock"
package kept pkg:deb/debian/hello@

now "a second lock changes nothing and asks nobody"
cp "$T/kept/Dockerfile.lock" "$T/kept.lock"
assert_ok sbuild lock "$T/kept"
assert_same "$T/kept.lock" "$T/kept/Dockerfile.lock"

disconnect
stop_part files.sh files
BUILDAH=(kept vendor)
replay "${PROJECTS[@]}"
ran apt "jq works"
packages=$(head -n 1 "$T/apt.ran")
[[ ${packages%% *} -gt 180 ]] || fail "only $packages in the image"
ran kept "Hello, world!"
assert_ne 0 "$(tail -n 1 "$T/kept.ran")" "apt's lists, which were to stay"
ran vendor "vendor-tool 2.5"

now "six years later: keys have expired, Release files are past their date"
for name in kept vendor; do
	run in_empty_network faketime -f '+6y' "$SBUILD" build -q --offline --engine buildah --build-arg YEARS=6 \
		-o "type=local,dest=$T/$name.later" "$T/$name"
	assert_status 0
done
assert_file "$T/vendor.later/opt/vendor/tool"
assert_file "$T/kept.later/usr/bin/hello"
