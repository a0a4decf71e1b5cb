#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""corpus.py OUT [NAME ARCHIVE]...: takes the Dockerfiles out of source archives (tar of any compression, zip).

Each different one becomes OUT/HASH.Dockerfile; OUT/index.tsv says where it came from. Templates, and what has no FROM or
is no text, are left out.
"""
import hashlib
import os
import re
import sys
import tarfile
import zipfile

NAME = re.compile(r"(?:Dockerfile|Containerfile)(?:[._-][^/]*)?|[^/]+[._-](?:Dockerfile|Containerfile)", re.IGNORECASE)
# Programs that write or read Dockerfiles, notes about them, and texts that something else is made of first.
OTHER = re.compile(r"\.(?:in|j2|jinja2?|tmpl?|template|erb|mustache|hbs|ejs|tt|m4|mako|go|py|rb|rs|[cm]?[jt]sx?|java|php|sh|c|cc|h|hs|lua|vim|el|"
                   r"md|mdx|rst|adoc|txt|html?|xml|svg|png|json5?|ya?ml|toml|lock|patch|diff|snap|dockerignore|sum|log|orig|rej|gz|asc|sig|"
                   r"properties|gradle|kts?|cs|swift|scala|plist|po|out|expected|stderr|stdout|map|css|scss|less|ipynb|csv|tsv|mk|bat|ps1)$",
                   re.IGNORECASE)
FROM = re.compile(rb"(?im)^[ \t]*FROM[ \t\\]")
TEMPLATE = re.compile(rb"\{\{|\{%|<%|@@|^%%|(?m:^FROM[ \t]+[@%<{])")
SIZE_MAX = 128 << 10


def is_dockerfile(path):
    base = os.path.basename(path)
    return NAME.fullmatch(base) and not OTHER.search(base)


def members(archive):
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as file:
            for info in file.infolist():
                if is_dockerfile(info.filename) and info.file_size <= SIZE_MAX:
                    yield info.filename, file.read(info)
        return
    with tarfile.open(archive) as file:
        for info in file:
            if info.isreg() and is_dockerfile(info.name) and info.size <= SIZE_MAX:
                yield info.name, file.extractfile(info).read()


def main():
    out, seen, rows = sys.argv[1], set(), []
    os.makedirs(out, exist_ok=True)
    for name, archive in zip(sys.argv[2::2], sys.argv[3::2]):
        for path, text in members(archive):
            digest = hashlib.sha256(text.replace(b"\r\n", b"\n")).hexdigest()[:16]
            if digest in seen or b"\0" in text or not FROM.search(text) or TEMPLATE.search(text):
                continue
            seen.add(digest)
            with open(os.path.join(out, digest + ".Dockerfile"), "wb") as file:
                file.write(text)
            rows.append(f"{digest}\t{name}\t{path}\n")
    with open(os.path.join(out, "index.tsv"), "w", encoding="utf-8", errors="surrogateescape") as file:
        file.writelines(sorted(rows))


if __name__ == "__main__":
    main()
