#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# rpms.sh OUT: two rpms, one of which needs the other, signed by a key of their own, and the repository of them.
set -eu
out=$1
export GNUPGHOME=/gpg
mkdir -m 700 "$GNUPGHOME"
gpg --batch --quiet --passphrase '' --quick-generate-key 'rpm test <rpm@example.org>' rsa2048 sign never
mkdir -p "$out" /build
for name in greeting greeter; do
	cat >/build/$name.spec <<-SPEC
		Name: $name
		Version: 1.2
		Release: 3
		Summary: A part of a test
		License: Apache-2.0
		BuildArch: noarch
		AutoReqProv: no
		$([ $name = greeting ] || echo 'Requires: greeting >= 1.0')
		%description
		A part of a test.
		%install
		mkdir -p %{buildroot}/opt/$name
		echo "from the rpm $name" >%{buildroot}/opt/$name/text
		%files
		/opt/$name
	SPEC
	rpmbuild --quiet -bb --define "_rpmdir $out" --define '_rpmfilename %{NAME}-%{VERSION}-%{RELEASE}.%{ARCH}.rpm' \
		--define '_topdir /build' /build/$name.spec
done
rpm --define '_gpg_name rpm@example.org' --define "__gpg $(command -v gpg)" --addsign "$out"/*.rpm
gpg --batch --armor --export >"$out/key.asc"
createrepo_c --quiet "$out"
