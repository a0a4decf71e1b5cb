// SPDX-License-Identifier: Apache-2.0
/* SB6xx: the rules. */
#include <rules/lint/downloads.h>

const sb_rule sb601 = {
    .id = "SB601",
    .name = "download-unverified",
    .summary = "A file is downloaded, and nobody checks that it is the right one",
    .remedy = "check its sha256 in the same RUN, before it is used: echo \"HASH  FILE\" | sha256sum -c -; or "
              "verify its signature with gpg; or run \"sbuild lock\"",
    .severity = SB_SEVERITY_WARNING,
};
const sb_rule sb602 = {
    .id = "SB602",
    .name = "add-unverified",
    .summary = "ADD downloads a file, and nobody checks that it is the right one",
    .remedy =
        "write ADD --checksum=sha256:HASH URL; or say who vouches for it, in a comment \"# sbuild: verify "
        "signature=…\" above it, and run \"sbuild lock\"",
    .severity = SB_SEVERITY_WARNING,
};
const sb_rule sb603 = {
    .id = "SB603",
    .name = "add-on-first-use",
    .summary =
        "The bytes of an ADD are fixed by the lock, but nobody vouches for what was found on first use",
    .remedy =
        "write a comment \"# sbuild: verify signature=… key=…\" or \"checksums=…\" above the ADD, and run "
        "\"sbuild lock\"",
    .severity = SB_SEVERITY_INFO,
};
const sb_rule sb604 = {
    .id = "SB604",
    .name = "download-piped-to-unpack",
    .summary = "A download is unpacked while it comes in, so nobody can check it before",
    .remedy = "write it to a file, check its sha256, and unpack it then; or run \"sbuild lock\"",
    .severity = SB_SEVERITY_WARNING,
};
const sb_rule sb605 = {
    .id = "SB605",
    .name = "plain-http",
    .summary = "Something is downloaded over plain http, so anybody on the way can change it",
    .remedy = "write https://; where a server has none, check the file's sha256",
    .severity = SB_SEVERITY_WARNING,
};
const sb_rule sb606 = {
    .id = "SB606",
    .name = "plain-http-verified",
    .summary = "A file is downloaded over plain http; it is verified, but everybody on the way sees what is "
               "built",
    .remedy = "write https:// if the server has it",
    .severity = SB_SEVERITY_INFO,
};
const sb_rule sb607 = {
    .id = "SB607",
    .name = "list-from-same-place",
    .summary = "A download is checked against a list from the same place: that finds broken transfers, but "
               "nobody who changed both",
    .remedy = "write the sha256 into the Dockerfile, or verify the signature of the list",
    .severity = SB_SEVERITY_INFO,
};
const sb_rule sb610 = {
    .id = "SB610",
    .name = "tls-verification-off",
    .summary = "A download does not check the server's certificate",
    .remedy = "drop the option; a server with its own authority needs that authority's certificate: --cacert "
              "FILE",
    .severity = SB_SEVERITY_ERROR,
    .fixes = true,
};
const sb_rule sb611 = {
    .id = "SB611",
    .name = "git-verification-off",
    .summary = "git does not check the server's certificate",
    .remedy = "drop the setting; give the server's authority with http.sslCAInfo",
    .severity = SB_SEVERITY_ERROR,
};
const sb_rule sb612 = {
    .id = "SB612",
    .name = "apt-verification-off",
    .summary = "apt installs packages without checking signatures or certificates",
    .remedy = "drop it; give the repository's key with [signed-by=/usr/share/keyrings/NAME.gpg]",
    .severity = SB_SEVERITY_ERROR,
};
const sb_rule sb613 = {
    .id = "SB613",
    .name = "apk-verification-off",
    .summary = "apk installs packages without checking signatures",
    .remedy = "drop --allow-untrusted, and put the key of the repository into /etc/apk/keys",
    .severity = SB_SEVERITY_ERROR,
};
const sb_rule sb614 = {
    .id = "SB614",
    .name = "rpm-verification-off",
    .summary = "Packages are installed without checking signatures or certificates",
    .remedy = "drop it, and import the repository's key: gpgcheck=1 with gpgkey=file:///etc/pki/rpm-gpg/NAME",
    .severity = SB_SEVERITY_ERROR,
};
const sb_rule sb615 = {
    .id = "SB615",
    .name = "pacman-verification-off",
    .summary = "pacman installs packages without checking signatures",
    .remedy = "leave SigLevel at Required, and add the key of the repository with pacman-key",
    .severity = SB_SEVERITY_ERROR,
};
const sb_rule sb616 = {
    .id = "SB616",
    .name = "python-verification-off",
    .summary = "pip, conda or Python does not check the server's certificate",
    .remedy = "drop it; give the server's authority with PIP_CERT or REQUESTS_CA_BUNDLE",
    .severity = SB_SEVERITY_ERROR,
};
const sb_rule sb617 = {
    .id = "SB617",
    .name = "node-verification-off",
    .summary = "npm, yarn or Node.js does not check the server's certificate",
    .remedy = "drop it; give the server's authority with NODE_EXTRA_CA_CERTS or npm's cafile",
    .severity = SB_SEVERITY_ERROR,
};
const sb_rule sb618 = {
    .id = "SB618",
    .name = "ruby-verification-off",
    .summary = "gem or bundler takes gems from a source that it cannot verify",
    .remedy = "use an https source; give the server's authority with BUNDLE_SSL_CA_CERT",
    .severity = SB_SEVERITY_ERROR,
};
const sb_rule sb619 = {
    .id = "SB619",
    .name = "go-verification-off",
    .summary = "go does not check modules against the checksum database, or takes them without TLS",
    .remedy = "drop it; name private modules in GOPRIVATE, and commit go.sum",
    .severity = SB_SEVERITY_WARNING,
};
const sb_rule sb620 = {
    .id = "SB620",
    .name = "composer-verification-off",
    .summary = "composer does not check the server's certificate, or takes packages over plain http",
    .remedy = "drop the setting; give the server's authority with the setting cafile",
    .severity = SB_SEVERITY_ERROR,
};
const sb_rule sb621 = {
    .id = "SB621",
    .name = "ssh-host-unverified",
    .summary = "ssh believes any server: its host key is not checked, or taken from the network",
    .remedy = "COPY a known_hosts file with the server's key",
    .severity = SB_SEVERITY_WARNING,
};
const sb_rule sb622 = {
    .id = "SB622",
    .name = "apt-valid-until-off",
    .summary = "apt accepts indexes that have expired, so a mirror can hold updates back",
    .remedy = "drop it, unless the sources are a snapshot of a day",
    .severity = SB_SEVERITY_INFO,
};
const sb_rule sb631 = {
    .id = "SB631",
    .name = "key-never-used",
    .summary = "A key is fetched, and nothing is verified with it",
    .remedy = "verify the download with it: gpg --batch --verify FILE.asc FILE; else leave the key out",
    .severity = SB_SEVERITY_WARNING,
};
const sb_rule sb632 = {
    .id = "SB632",
    .name = "key-by-short-id",
    .summary = "A key is fetched by a short id, which anybody can give to a key of their own",
    .remedy = "name the whole fingerprint, 40 digits",
    .severity = SB_SEVERITY_WARNING,
};
const sb_rule sb633 = {
    .id = "SB633",
    .name = "key-unverified",
    .summary = "A key is taken from the network, and nobody checks that it is the right one",
    .remedy = "COPY the key from the build context; or check its sha256, or compare the fingerprint of "
              "\"gpg --show-keys\"; or run \"sbuild lock\"",
    .severity = SB_SEVERITY_WARNING,
};
const sb_rule sb634 = {
    .id = "SB634",
    .name = "apt-key",
    .summary = "apt-key is deprecated: a key that it adds may sign any package of any repository",
    .remedy = "put the key into /usr/share/keyrings, and write [signed-by=/usr/share/keyrings/NAME.gpg] into "
              "the repository's line",
    .severity = SB_SEVERITY_WARNING,
};

static const sb_rule *const rules[] = {
    &sb601, &sb602, &sb603, &sb604, &sb605, &sb606, &sb607, &sb610, &sb611, &sb612, &sb613, &sb614,
    &sb615, &sb616, &sb617, &sb618, &sb619, &sb620, &sb621, &sb622, &sb631, &sb632, &sb633, &sb634,
};
const sb_rule_set sb_rules_downloads = {"Unverified downloads", rules, SB_COUNT(rules)};
