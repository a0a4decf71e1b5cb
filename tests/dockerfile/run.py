#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the conformance cases: run.py SBUILD [CASE...]. README.md tells how a case is written."""
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
DEFAULTS = {"flags": [], "args": [], "heredocs": [], "json": False, "expanded": None}
ESCAPE = re.compile(rb"\\(\\|r|t|x[0-9a-f]{2}|a\{[0-9]+\}|\n)")


def unescape(match):
    what = match.group(1)
    if what == b"\n":
        return b""
    if what[:1] == b"x":
        return bytes([int(what[1:], 16)])
    if what[:1] == b"a":
        return b"a" * int(what[2:-1])
    return {b"\\": b"\\", b"r": b"\r", b"t": b"\t"}[what]


def read_case(path):
    sections = {}
    with open(path, "rb") as file:
        parts = re.split(rb"(?m)^--- (.*)\n", file.read())
    for name, body in zip(parts[1::2], parts[2::2]):
        sections[name.decode()] = body
    if "input, escaped" in sections:
        sections["input"] = ESCAPE.sub(unescape, sections["input, escaped"])
    return sections


def differences(expected, actual, where):
    """Where the actual value lacks what is expected, in words."""
    if isinstance(expected, dict):
        if not isinstance(actual, dict):
            return [f"{where}: an object is expected, not {actual!r}"]
        found = []
        if "keyword" in expected:
            for key, value in DEFAULTS.items():
                if key not in expected and actual.get(key) != value:
                    found.append(f"{where}.{key}: {actual.get(key)!r} is not expected")
        for key, value in expected.items():
            if key not in actual:
                found.append(f"{where}.{key} is missing")
            else:
                found += differences(value, actual[key], f"{where}.{key}")
        return found
    if isinstance(expected, list):
        if not isinstance(actual, list) or len(expected) != len(actual):
            return [f"{where}: {expected!r} is expected, not {actual!r}"]
        return [d for i, pair in enumerate(zip(expected, actual)) for d in differences(*pair, f"{where}[{i}]")]
    return [] if expected == actual else [f"{where}: {expected!r} is expected, not {actual!r}"]


def run_case(sbuild, path, directory):
    case = read_case(path)
    with open(os.path.join(directory, "Dockerfile"), "wb") as file:
        file.write(case["input"])
    options = shlex.split(case.get("options", b"").decode())
    result = subprocess.run([sbuild, "inspect", "--json", *options, "Dockerfile"], cwd=directory, check=False,
                            stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
    errors = result.stderr.decode()
    if "error" in case:
        expected = case["error"].decode()
        if result.returncode == 1 and errors == expected:
            return []
        return [f"exit status {result.returncode}, {errors!r}, not 1 and {expected!r}"]
    if result.returncode != 0 or errors:
        return [f"exit status {result.returncode}: {errors}"]
    return differences(json.loads(case["json"]), json.loads(result.stdout.decode("utf-8")), "$")


def main():
    sbuild = os.path.abspath(sys.argv[1])
    paths = sys.argv[2:] or sorted(os.path.join(HERE, "cases", name) for name in os.listdir(os.path.join(HERE, "cases")))
    failed = 0
    with tempfile.TemporaryDirectory() as directory:
        for path in paths:
            problems = run_case(sbuild, path, directory)
            failed += bool(problems)
            for problem in problems:
                print(f"{os.path.basename(path)}: {problem}")
    print(f"{len(paths)} cases, {failed} failed")
    return 1 if failed or not paths else 0


if __name__ == "__main__":
    sys.exit(main())
