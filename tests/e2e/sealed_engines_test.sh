#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# One project, sealed on every engine: Docker 26 with both image stores, Docker 28, Buildah. Each records the same lock, and makes
# the same image from it without a network.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
. "$(dirname "${BASH_SOURCE[0]}")/sealed_lib.sh"

unset XDG_RUNTIME_DIR
registry_start registry --images sealed
sbuild_config "$REGISTRY"
mkdir "$T/lan"
printf 'some data\n' >"$T/lan/data.txt"
lan_start "$T/lan"
engine_buildah_setup buildah

project one <<END
FROM debian:trixie-slim AS build
RUN apt-get update && apt-get install -y --no-install-recommends curl && rm -rf /var/lib/apt/lists/*
RUN curl -fsS $FILES_TLS_URL/data.txt >/data && curl -fsS $FILES_URL/data.txt >>/data
FROM debian:trixie-slim
COPY --from=build /data /data
RUN --mount=type=bind,from=build,source=/data,target=/mnt/data cp /mnt/data /copy
CMD ["cat", "/copy"]
END

engines=("docker --store containerd" "docker --store classic" "docker --suite forky" buildah)
declare -A id=()
for engine in "${engines[@]}"; do
	now "$engine: record"
	rm -rf "$T/one/Dockerfile.lock" "$T/one/sbuild.vendor" "$T/one/.sbuild" "$T/cache/sbuild/steps"*
	export SBUILD_ENGINE=${engine%% *}
	# shellcheck disable=SC2086 # words
	[[ $engine == buildah ]] || engine_docker_start online ${engine#docker}
	# An empty cache: nothing that another engine recorded is known.
	export XDG_CACHE_HOME=$T/cache.${#id[@]}
	assert_ok sbuild lock "$T/one"
	[[ $engine == buildah ]] || stop_part docker-engine.sh online
	[[ -e $T/one.lock ]] || cp "$T/one/Dockerfile.lock" "$T/one.lock"
	assert_same "$T/one.lock" "$T/one/Dockerfile.lock"

	now "$engine: offline"
	if [[ $engine == buildah ]]; then
		run in_empty_network "$SBUILD" build -q --offline -t one:1.0.0 "$T/one"
		assert_status 0
		id[$engine]=$OUT
	else
		# shellcheck disable=SC2206 # words
		SEALED_ENGINE=(${engine#docker})
		replay one
		ran one "some data"
		id[$engine]=${IDS[one]}
	fi
done
for engine in "${engines[@]}"; do
	assert_eq "${id[buildah]}" "${id[$engine]}" "image ID from $engine"
done
