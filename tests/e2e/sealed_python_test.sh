#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# pip with ranges, with hashes as a user who is not root, an sdist that needs what it is built with, uv and poetry.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
. "$(dirname "${BASH_SOURCE[0]}")/sealed_lib.sh"

sealed_start
example_project pip
sed -i 's/^CMD.*/CMD ["python", "service.py"]/' "$T/pip/Dockerfile"
example_project pip-hashes

project sdist <<'END'
FROM python:3.13-slim
RUN pip install --no-cache-dir --no-binary iniconfig 'iniconfig>=2,<3'
CMD ["python", "-c", "import iniconfig; print('built', iniconfig.__name__)"]
END

project uv <<'END'
FROM python:3.13-slim
RUN pip install --no-cache-dir uv
WORKDIR /app
COPY pyproject.toml .
RUN uv sync --no-cache --no-install-project
CMD ["/app/.venv/bin/python", "-c", "import tabulate; print(tabulate.tabulate([['by', 'uv']]))"]
END
cat >"$T/uv/pyproject.toml" <<'END'
[project]
name = "app"
version = "1.0.0"
requires-python = ">=3.11"
dependencies = ["tabulate>=0.9", "colorama"]
END

project poetry <<'END'
FROM python:3.13-slim AS build
RUN pip install --no-cache-dir poetry
WORKDIR /app
COPY pyproject.toml .
# By the index that pip uses: not every mirror has what poetry would ask of the usual one.
RUN index=$(pip config get global.index-url || python -c 'from pip._internal.models.index import PyPI; print(PyPI.simple_url)') && \
    poetry source add --priority=primary machine "$index/" && \
    POETRY_VIRTUALENVS_IN_PROJECT=true poetry install --no-interaction --no-root --no-cache

FROM python:3.13-slim
COPY --from=build /app/.venv /app/.venv
CMD ["/app/.venv/bin/python", "-c", "import tabulate; print(tabulate.tabulate([['by', 'poetry']]))"]
END
cat >"$T/poetry/pyproject.toml" <<'END'
[project]
name = "app"
version = "1.0.0"
requires-python = ">=3.11,<4"
dependencies = ["tabulate>=0.9,<1"]
END

record "${PROJECTS[@]}"
package pip pkg:pypi/flask@3
package pip-hashes pkg:pypi/markdown@3.10
package sdist pkg:pypi/iniconfig@2
package sdist pkg:pypi/setuptools@
package uv pkg:pypi/tabulate@
package poetry pkg:pypi/poetry-core@

now "what pip's own hashes vouch for is said so"
assert_json "$T/pip-hashes/Dockerfile.lock" '[.packages[] | select(.purl | startswith("pkg:pypi/markdown@")) | .vouched]' \
	'["requirements.txt"]'

disconnect
BUILDAH=(pip pip-hashes)
replay "${PROJECTS[@]}"
ran pip "hello: lock"
ran pip-hashes "<h1>locked</h1>"
ran sdist "built iniconfig"
ran uv "by  uv"
ran poetry "by  poetry"
