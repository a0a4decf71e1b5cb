#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# npm with version ranges and no lock file, npm ci, yarn 1 and berry, pnpm, and a package whose postinstall downloads.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
. "$(dirname "${BASH_SOURCE[0]}")/sealed_lib.sh"

sealed_start
example_project npm
sed -i 's/CMD.*/CMD ["node", "server.js", "--check"]/' "$T/npm/Dockerfile"
example_project web
sed -i 's/^CMD.*/CMD ["head", "-c", "200", "\/srv\/page.js"]/' "$T/web/Dockerfile"

# manager NAME: a project that comes from stdin, with a dependency that has dependencies.
manager() {
	project "$1"
	cat >"$T/$1/package.json" <<-'END'
		{"name": "app", "version": "1.0.0", "private": true, "dependencies": {"is-odd": "^3.0.1", "wrap-ansi": "^7.0.0"}}
	END
	printf 'console.log(require("is-odd")(3), require("wrap-ansi")("a b", 1).length)\n' >"$T/$1/app.js"
}

# What package managers note down for themselves, with times in it, is removed where no volatile rule does it.
manager yarn1 <<'END'
FROM node:20-slim
RUN npm install --global yarn@1
WORKDIR /app
COPY . .
RUN yarn install --non-interactive && yarn cache clean
CMD ["node", "app.js"]
END
manager berry <<'END'
FROM node:20-slim
RUN npm install --global @yarnpkg/cli-dist@4
WORKDIR /app
COPY . .
RUN printf 'nodeLinker: node-modules\nenableGlobalCache: false\nenableTelemetry: false\n' >.yarnrc.yml && \
    yarn install && rm .yarn/install-state.gz
CMD ["node", "app.js"]
END
manager pnpm <<'END'
FROM node:20-slim
RUN npm install --global pnpm@9
WORKDIR /app
COPY . .
RUN pnpm install --prod && rm -rf ~/.cache/pnpm ~/.local/share/pnpm/store node_modules/.modules.yaml
CMD ["node", "app.js"]
END

# Its postinstall asks with Node's own client, which knows nothing of proxies, and with npm.
project postinstall <<'END'
FROM node:20-slim
WORKDIR /app
COPY . .
RUN npm install
CMD ["cat", "node_modules/fetcher/direct.size", "node_modules/fetcher/packed"]
END
mkdir "$T/postinstall/fetcher"
cat >"$T/postinstall/package.json" <<'END'
{"name": "app", "version": "1.0.0", "private": true, "dependencies": {"fetcher": "file:./fetcher"}}
END
cat >"$T/postinstall/.npmrc" <<'END'
install-links=true
foreground-scripts=true
END
cat >"$T/postinstall/fetcher/package.json" <<'END'
{"name": "fetcher", "version": "1.0.0", "scripts": {"postinstall": "node direct.js && npm pack is-number@7.0.0 > packed"}}
END
cat >"$T/postinstall/fetcher/direct.js" <<'END'
const registry = require("child_process").execSync("npm config get registry").toString().trim();
const url = new URL("is-number/-/is-number-7.0.0.tgz", registry);
require(url.protocol.slice(0, -1)).get(url, { agent: false }, (answer) => {
  let size = 0;
  answer.on("data", (data) => (size += data.length));
  answer.on("end", () => {
    if (answer.statusCode !== 200) throw new Error(`status ${answer.statusCode}`);
    require("fs").writeFileSync("direct.size", `${size} bytes\n`);
  });
});
END

record "${PROJECTS[@]}"
package npm pkg:npm/express@4
package web pkg:npm/esbuild@
package yarn1 pkg:npm/is-odd@3
package berry pkg:npm/%40yarnpkg/cli-dist@4
package pnpm pkg:npm/wrap-ansi@7
package postinstall pkg:npm/is-number@7.0.0

disconnect
BUILDAH=(npm web)
replay "${PROJECTS[@]}"
ran npm "Hello, lock!"
ran web "=>"
for name in yarn1 berry pnpm; do ran $name "true 3"; done
ran postinstall " bytes"
ran postinstall "is-number-7.0.0.tgz"
