#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""lint_corpus.py SBUILD CORPUS WORK: what must hold of lint over real Dockerfiles, whatever is in them."""
import collections
import json
import os
import re
import shutil
import subprocess
import sys

NOT_UNDERSTOOD_MAX = 0.005  # of all RUN bodies
FILES_MIN = 500

sbuild, corpus, work = sys.argv[1:]
failed = []


def run(*arguments):
    result = subprocess.run([sbuild, *arguments], cwd=work, check=False, stdin=subprocess.DEVNULL, capture_output=True,
                            timeout=120)
    if result.returncode not in (0, 1):
        failed.append(f"{arguments[:4]}: exit status {result.returncode}: {result.stderr.decode(errors='replace')[:500]}")
    return result


def findings(*options):
    return json.loads(run("lint", "--format", "json", *options, ".").stdout)["findings"]


def run_count(files):
    """RUN instructions of the Dockerfiles that can be parsed."""
    lines = run("inspect", "--json", *files).stdout.splitlines()
    return sum(i["keyword"] == "run" for line in lines for i in json.loads(line)["instructions"])


shutil.copytree(corpus, work, ignore=shutil.ignore_patterns("index.tsv"))
files = sorted(os.listdir(work))
if len(files) < FILES_MIN:
    failed.append(f"only {len(files)} Dockerfiles are in the corpus")

before = findings()
if before != findings():
    failed.append("two runs say different things")
bodies = run_count(files)
obscure = [f for f in before if f["rule"] == "SB000" and re.search("shell text|more than", f["message"])]
print(f"{len(files)} Dockerfiles, {bodies} RUN bodies, {len(before)} findings; not understood: {len(obscure)}")
for finding in obscure:
    print(f"    {finding['file']}:{finding['line']}: {finding['message']}")
if len(obscure) > NOT_UNDERSTOOD_MAX * bodies:
    failed.append(f"{len(obscure)} of {bodies} RUN bodies were not understood")
prints = [f["fingerprint"] for f in before]
if len(set(prints)) != len(prints):
    failed.append("two findings have one fingerprint")

# What is fixed stays a Dockerfile, is not found again, and brings nothing new.
diff = run("lint", "--fix", "--dry-run", ".")
run("lint", "--fix", "--quiet", ".")
after = findings()
counts = [collections.Counter((f["file"], f["rule"]) for f in report) for report in (before, after)]
for (name, rule), count in counts[1].items():
    if count > counts[0][name, rule]:
        failed.append(f"{name}: after --fix, {rule} is found {count} times instead of {counts[0][name, rule]}")
mended = [f for f in before if f["fixable"]]
left = [f for f in after if f["fixable"]]
print(f"--fix: {len(mended)} findings could be mended, {len(left)} still can; the diff has {diff.stdout.count(b'@@ -')} hunks")
again = run("lint", "--fix", "--dry-run", ".")
if again.returncode != 0 or again.stdout:
    failed.append("--fix finds something to mend again: " + again.stdout.decode(errors="replace")[:500])

for text in failed:
    print(f"FAILED: {text}")
sys.exit(1 if failed else 0)
