# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# What the tests of "sbuild build" have in common; sourced after lib.sh.

# everything_start: registry, files and git, and the user's configuration for them.
everything_start() {
	registry_start registry
	mkdir -p "$T/files" "$T/git"
	printf 'released\n' >"$T/release.txt"
	tar -C "$T" -czf "$T/files/release-1.0.tar.gz" release.txt
	touch -d '2020-02-02 02:02:02' "$T/files/release-1.0.tar.gz"
	"$INFRA/git-server.sh" sample "$T/git" >/dev/null
	files_start files "$T/files"
	git_start git "$T/git"
	sbuild_config "$REGISTRY"
}

# everything_project DIR: a Dockerfile with all that a build can take from the network without a RUN.
everything_project() {
	mkdir -p "$1/sub"
	printf 'data\n' >"$1/sub/data"
	printf '#!/bin/sh\necho tool\n' >"$1/tool"
	chmod 755 "$1/tool"
	printf 'ignored\n' >"$1/secret.key"
	printf '*.key\n' >"$1/.dockerignore"
	cat >"$1/Dockerfile" <<-END
		ARG TAG=3.20
		ARG FILES=$FILES_URL
		FROM alpine:\${TAG} AS build
		ARG FILES
		WORKDIR /work/deep
		ADD \${FILES}/release-1.0.tar.gz ./
		ADD --chmod=755 --chown=7:8 \${FILES}/release-1.0.tar.gz /renamed
		ADD $GIT_HTTP_URL/tool.git#v1.0.0 /src
		COPY . .
		RUN cat /src/* >all 2>/dev/null; ls -R . >list; touch later
		FROM acme/onbuild-from:1 AS triggered
		FROM alpine:\${TAG}
		COPY --from=triggered /onbuild /opt/tool /triggered/
		ENV GREETING="hello  you"
		COPY --from=busybox:1.35 /bin/busybox /usr/bin/box
		COPY --from=build /work/deep/all /renamed /copy/
		COPY --from=build /src /src
		COPY --chmod=600 sub tool /opt/
		RUN echo "\$GREETING" >/greeting && mkdir -m 1777 /var/drop
		WORKDIR /opt
		HEALTHCHECK CMD ["true"]
		USER 1000:1000
		ENTRYPOINT ["/bin/cat"]
		CMD ["/greeting"]
	END
}

# image_id: of the last run of "sbuild build -q".
image_id() {
	assert_status 0
	assert_matches "$OUT" '^sha256:[0-9a-f]{64}$' "output of sbuild build --quiet"
	printf '%s\n' "$OUT"
}
