#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Holds docs/rules against the rules that there are.

pages.py SBUILD [ID...]    is every rule described, and is what its page shows true?
pages.py SBUILD --index    writes docs/rules/README.md anew

A page is docs/rules/ID.md: "# ID: name", then the sections below. The first code block of "Bad" (```dockerfile) is found
by the rule, the first one of "Good" is not. A block "```json file=package.json" in the same section is a file beside it.
"""
import json
import os
import re
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PAGES = os.path.join(ROOT, "docs", "rules")
SECTIONS = ["What", "Why", "Bad", "Good", "Fix", "How to silence"]
OPTIONS = {"SB001": ["--require-reason"]}
HEAD = """# The rules

What `sbuild lint` finds in Dockerfiles, and what `sbuild scan` finds in finished images. Each rule has a page that says what
it finds and why, with an example of each, what to do, and how to silence it where it is wrong.

"everywhere" marks a rule that hits nearly every project: the text output sums its findings up in one entry. "fix" marks
what `sbuild lint --fix` can mend. [lint](../lint.md) and [scan](../scan.md) describe the commands.
"""


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def rules_of(sbuild):
    return json.loads(subprocess.run([sbuild, "lint", "--list-rules", "--format", "json"], check=True,
                                     capture_output=True).stdout)["rules"]


def title(rule):
    return rule["id"] if rule["id"] == rule["name"] else f"{rule['id']}: {rule['name']}"


def index(rules):
    out, family = [HEAD], None
    for rule in rules:
        if rule["family"] != family:
            family = rule["family"]
            out.append(f"\n## {family}\n\n| rule | severity | finds |\n|---|---|---|\n")
        marks = [text for text, is_so in (("everywhere", rule["summarised"]), ("fix", rule["fixes"])) if is_so]
        name = "" if rule["id"] == rule["name"] else f" {rule['name']}"
        summary = rule["summary"].replace("|", "\\|")
        out.append(f"| [{rule['id']}]({rule['id']}.md){name} | {', '.join([rule['severity'], *marks])} | {summary} |\n")
    return "".join(out)


def lint(sbuild, rule, files):
    with tempfile.TemporaryDirectory() as directory:
        for name, body in files.items():
            os.makedirs(os.path.dirname(os.path.join(directory, name)), exist_ok=True)
            with open(os.path.join(directory, name), "w", encoding="utf-8") as file:
                file.write(body)
        result = subprocess.run([sbuild, "lint", "--format", "json", "--only", rule["id"], *OPTIONS.get(rule["id"], []),
                                 "Dockerfile"], cwd=directory, check=False, capture_output=True, timeout=60)
    if result.returncode not in (0, 1) or result.stderr:
        return f"ends with {result.returncode}: {result.stderr.decode()}"
    return [f for f in json.loads(result.stdout)["findings"] if f["rule"] == rule["id"] and "ignored" not in f]


def example(section):
    """The files of a section: {} when there is no Dockerfile."""
    files = {}
    for info, body in re.findall(r"(?ms)^```([^\n]*)\n(.*?)^```$", section):
        match = re.search(r"file=(\S+)", info)
        if match:
            files[match.group(1)] = body
        elif info == "dockerfile":
            files.setdefault("Dockerfile", body)
    return files if "Dockerfile" in files else {}


def check_texts(rule):
    """The style that include/sbuild/finding.h describes."""
    for key in ("summary", "remedy"):
        if rule[key].endswith(".") or re.search(r"\. [A-Z]", rule[key]):
            yield f"the {key} is not one sentence without a full stop: {rule[key]}"
        if "`" in rule[key]:
            yield f"the {key} has backticks, not \"quotes\": {rule[key]}"
    if re.match("[A-Z][a-z]", rule["remedy"]):
        yield f"the remedy begins with a capital: {rule['remedy']}"


def check_page(sbuild, rule):
    yield from check_texts(rule)
    path = os.path.join(PAGES, rule["id"] + ".md")
    if not os.path.exists(path):
        yield "there is no such page"
        return
    head, *rest = re.split(r"(?m)^## (.*)\n", read(path))
    if head.splitlines()[:1] != [f"# {title(rule)}"]:
        yield f"the first line is not \"# {title(rule)}\""
    sections = dict(zip(rest[::2], rest[1::2]))
    if rest[::2] != SECTIONS:
        yield f"the sections are {', '.join(rest[::2])}, not {', '.join(SECTIONS)}"
    for name in SECTIONS:
        if name in sections and not sections[name].strip():
            yield f"nothing stands under {name}"
    if re.match("SB[89]", rule["id"]):
        return
    for name, is_bad in (("Bad", True), ("Good", False)):
        files = example(sections.get(name, ""))
        if not files:
            yield f"{name} has no ```dockerfile block"
            continue
        found = lint(sbuild, rule, files)
        if isinstance(found, str):
            yield f"{name}: {found}"
        elif bool(found) != is_bad:
            yield f"the {name} example is {'not found' if is_bad else 'found: ' + found[0]['message']}"


def main():
    sbuild, chosen = os.path.abspath(sys.argv[1]), sys.argv[2:]
    rules = rules_of(sbuild)
    readme = os.path.join(PAGES, "README.md")
    if chosen == ["--index"]:
        os.makedirs(PAGES, exist_ok=True)
        with open(readme, "w", encoding="utf-8") as file:
            file.write(index(rules))
        return 0
    wrong = [f"{rule['id']}.md: {text}" for rule in rules if not chosen or rule["id"] in chosen
             for text in check_page(sbuild, rule)]
    if not chosen:
        known = {rule["id"] + ".md" for rule in rules} | {"README.md"}
        wrong += [f"{name}: there is no such rule" for name in sorted(os.listdir(PAGES)) if name not in known]
        for key in ("id", "name"):
            values = [rule[key].lower() for rule in rules]
            wrong += [f"two rules have the {key} {v}" for v in sorted(set(values)) if values.count(v) > 1]
        if not os.path.exists(readme) or read(readme) != index(rules):
            wrong.append("README.md is not up to date: tests/rules/pages.py SBUILD --index")
    for text in wrong:
        print(text)
    print(f"{len(rules)} rules; {len(wrong)} things are wrong with their pages")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
