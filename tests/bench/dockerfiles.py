#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""dockerfiles.py DIRECTORY [COUNT]: writes that many Dockerfiles, each different, the same in every run."""
import os
import random
import sys

IMAGES = ["alpine:3.19", "debian:bookworm-slim", "node:20", "python:3.12-slim", "golang:1.22", "ghcr.io/acme/base:1.4.2",
          "registry.example:5000/team/runtime@sha256:" + "ab" * 32]
PACKAGES = ["curl", "git", "ca-certificates", "build-essential", "libssl-dev", "jq", "unzip", "tini", "python3", "make"]


def run(rand):
    packages = rand.sample(PACKAGES, rand.randint(2, 7))
    return rand.choice([
        "RUN apt-get update && apt-get install -y --no-install-recommends \\\n"
        + "".join(f"      {p} \\\n" for p in packages) + "    && rm -rf /var/lib/apt/lists/*\n",
        "RUN --mount=type=cache,target=/root/.cache,sharing=locked make -j\"$(nproc)\" " + " ".join(packages) + "\n",
        f"RUN <<EOF\nset -eu\nfor p in {' '.join(packages)}; do\n  echo \"$p\"\ndone\nEOF\n",
        'RUN ["/bin/sh", "-c", "echo \\"hello\\" > /etc/motd"]\n',
    ])


def stage(rand, number, names):
    name = f"stage{number}"
    base = rand.choice(IMAGES + [f"${{BASE{number}:-alpine:3.19}}"] + names[-1:])
    lines = [f"# stage {number}\n", f"FROM {base} AS {name}\n", "ARG VERSION=1.2.3\n",
             f'ENV APP_HOME=/srv/app{number} PATH="/srv/app{number}/bin:$PATH" \\\n    MODE=${{MODE:-production}}\n',
             "WORKDIR ${APP_HOME}\n"]
    for _ in range(rand.randint(1, 4)):
        lines.append(run(rand))
    lines.append(rand.choice([
        "COPY --chown=1000:1000 package.json package-lock.json ./\n",
        'COPY ["with space.txt", "$APP_HOME/"]\n',
        "ADD https://example.org/tool-${VERSION}.tar.gz /opt/\n",
        "ADD https://github.com/acme/tool.git#v${VERSION} /src\n",
        f"COPY --from={rand.choice(names or ['busybox:1.36'])} /bin/tool /usr/local/bin/tool\n",
        "COPY <<'EOF' /etc/app.conf\nlisten = 8080\nuser = app\nEOF\n",
    ]))
    names.append(name)
    return "".join(lines)


def dockerfile(rand):
    names = []
    text = rand.choice(["# syntax=docker/dockerfile:1.7\n", "# escape=\\\n", ""]) + "ARG BASE0=alpine:3.19\n\n"
    text += "\n".join(stage(rand, i, names) for i in range(rand.randint(1, 4)))
    text += 'LABEL org.example.title="An image" org.example.version="$VERSION"\nEXPOSE 8080 9090/udp\nUSER 1000:1000\n'
    text += "HEALTHCHECK --interval=30s --timeout=3s CMD curl -f http://localhost:8080/ || exit 1\n"
    return text + 'ENTRYPOINT ["/sbin/tini", "--"]\nCMD ["serve", "--port", "8080"]\n'


def main():
    directory, count = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 2000
    for i in range(count):
        with open(os.path.join(directory, f"Dockerfile.{i}"), "w", encoding="utf-8") as file:
            file.write(dockerfile(random.Random(i)))


if __name__ == "__main__":
    main()
