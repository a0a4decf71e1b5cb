#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the labelled Dockerfiles: run.py SBUILD [CASE...]. README.md tells how a case is written."""
import collections
import concurrent.futures
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
CASES = os.path.join(HERE, "cases")
ESCAPE = re.compile(rb"\\(\\|r|t|x[0-9a-f]{2}|\n)")
PRECISION, RECALL = 0.98, 0.95


def unescape(match):
    what = match.group(1)
    if what == b"\n":
        return b""
    if what[:1] == b"x":
        return bytes([int(what[1:], 16)])
    return {b"\\": b"\\", b"r": b"\r", b"t": b"\t"}[what]


class Case:
    def __init__(self, path):
        self.path = path
        self.name = os.path.relpath(path, CASES)
        self.files, sections = {}, {}
        with open(path, "rb") as file:
            parts = re.split(rb"(?m)^--- (.*)\n", file.read())
        for name, body in zip(parts[1::2], parts[2::2]):
            name = name.decode()
            if name.endswith(", escaped"):
                name, body = name[: -len(", escaped")], ESCAPE.sub(unescape, body)
            if name.startswith("file "):
                self.files[name[len("file "):]] = body
            else:
                sections[name] = body
        self.dockerfile = sections.pop("Dockerfile")
        self.options = shlex.split(sections.pop("options", b"").decode())
        family = os.path.basename(os.path.dirname(path))
        self.judge = sections.pop("judge", family.encode()).decode().split()
        self.fixed = sections.pop("fixed", None)
        self.expected, self.marks = collections.Counter(), {}
        for line in sections.pop("expect").decode().splitlines():
            rule, number, *mark = line.split()
            place = (rule, int(number))
            if mark not in ([], ["missed"], ["false"]):
                raise ValueError(f"{self.name}: {line!r} is not RULE LINE [missed|false]")
            if mark:
                self.marks[place] = mark[0]
            if mark != ["false"]:
                self.expected[place] += 1
        if sections:
            raise ValueError(f"{self.name}: no section is called {', '.join(sections)}")

    def judges(self, rule):
        return any(rule.startswith(p) if p.startswith("SB") else not rule.startswith("SB") for p in self.judge)


def lint(sbuild, case, directory, *options):
    result = subprocess.run([sbuild, "lint", "--format", "json", *options, *case.options, "Dockerfile"], cwd=directory,
                            check=False, stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
    if result.returncode not in (0, 1) or result.stderr:
        raise RuntimeError(f"exit status {result.returncode}: {result.stderr.decode()}")
    return collections.Counter((f["rule"], f["line"]) for f in json.loads(result.stdout)["findings"]
                               if "ignored" not in f and case.judges(f["rule"]))


def run_case(sbuild, case):
    """What was found, and what is wrong beyond that."""
    with tempfile.TemporaryDirectory() as directory:
        for name, body in {"Dockerfile": case.dockerfile, **case.files}.items():
            path = os.path.join(directory, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as file:
                file.write(body)
        try:
            found = lint(sbuild, case, directory)
            if case.fixed is None:
                return found, []
            only = [f"--only={rule}" for rule in sorted({rule for rule, _ in found})]
            lint(sbuild, case, directory, "--fix", *only)
            with open(os.path.join(directory, "Dockerfile"), "rb") as file:
                text = file.read()
            if text != case.fixed:
                return found, [f"--fix gives {text.decode(errors='replace')!r}"]
            before, after = collections.Counter(), collections.Counter()
            for (rule, _), count in found.items():
                before[rule] += count
            for (rule, _), count in lint(sbuild, case, directory).items():
                after[rule] += count
            return found, [] if after != before else ["--fix changed nothing that is found"]
        except (RuntimeError, ValueError, subprocess.TimeoutExpired) as error:
            return collections.Counter(), [str(error)]


def main():
    sbuild, chosen = os.path.abspath(sys.argv[1]), sys.argv[2:]
    paths = [os.path.join(folder, name) for folder, _, names in os.walk(CASES) for name in names if name.endswith(".case")]
    cases = [Case(path) for path in sorted(paths) if not chosen or any(c in path for c in chosen)]
    hits, extra, missed, clean = (collections.Counter() for _ in range(4))
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        results = list(pool.map(lambda case: run_case(sbuild, case), cases))
    for case, (found, wrong) in zip(cases, results):
        for place in sorted(set(found) | set(case.expected)):
            rule, (is_found, is_expected) = place[0], (found[place], case.expected[place])
            hits[rule] += min(is_found, is_expected)
            extra[rule] += max(0, is_found - is_expected)
            missed[rule] += max(0, is_expected - is_found)
            state = "false" if is_found > is_expected else "missed" if is_found < is_expected else None
            if state != case.marks.get(place):
                wrong.append(f"{place[0]} in line {place[1]}: {state or 'as it should be'}, "
                             f"marked {case.marks.get(place, 'as found')}")
        for place in set(case.marks) - set(found) - set(case.expected):
            wrong.append(f"{place[0]} in line {place[1]} is marked {case.marks[place]}, and is not found")
        if not case.expected:
            clean[os.path.basename(os.path.dirname(case.path))] += 1
        for text in wrong:
            failed += 1
            print(f"{case.name}: {text}")
    print(f"{'rule':32} {'found':>5} {'false':>5} {'missed':>6} {'precision':>9} {'recall':>7}")
    for rule in sorted(set(hits) | set(extra) | set(missed)):
        precision = hits[rule] / max(1, hits[rule] + extra[rule])
        recall = hits[rule] / max(1, hits[rule] + missed[rule])
        bad = precision < PRECISION or recall < RECALL
        failed += bad
        print(f"{rule:32} {hits[rule]:5} {extra[rule]:5} {missed[rule]:6} {precision:9.1%} {recall:7.1%}{'  <-' if bad else ''}")
    if not chosen:
        rules = json.loads(subprocess.run([sbuild, "lint", "--list-rules", "--format", "json"], check=True,
                                          capture_output=True).stdout)["rules"]
        for rule in (r["id"] for r in rules if not re.match("SB[89]", r["id"])):
            if not hits[rule]:
                failed += 1
                print(f"no case has {rule}")
        for family in sorted({os.path.basename(os.path.dirname(c.path)) for c in cases}):
            if not clean[family]:
                failed += 1
                print(f"no case of {family} is a good one")
    total = sum(hits.values()), sum(extra.values()), sum(missed.values())
    print(f"{len(cases)} cases, {total[0]} findings as expected, {total[1]} false, {total[2]} missed; {failed} failed")
    return 1 if failed or not cases else 0


if __name__ == "__main__":
    sys.exit(main())
