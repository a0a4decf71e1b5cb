#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""check_report.py FORM FILE [SCHEMA]: is FILE what a reader of that form (json, sarif, github, junit, html) accepts?
Prints how many findings it has, those that are ignored left out."""
import html.parser
import json
import re
import sys
import urllib.parse
import xml.etree.ElementTree

HARMFUL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def fail(text):
    sys.exit(f"{sys.argv[2]}: {text}")


def read():
    with open(sys.argv[2], "rb") as file:
        text = file.read().decode("utf-8")  # every form is UTF-8
    if HARMFUL.search(text):
        fail(f"has a character that a terminal or a reader would obey: {HARMFUL.search(text)!r}")
    return text


def check_json():
    report = json.loads(open(sys.argv[2], encoding="utf-8").read())
    for finding in report["findings"]:
        for key in ("rule", "name", "severity", "message", "remedy", "file", "fingerprint", "fixable"):
            if key not in finding:
                fail(f"a finding without {key}")
    counted = [f for f in report["findings"] if "ignored" not in f]
    for severity in ("error", "warning", "info"):
        if report["summary"][severity] != sum(f["severity"] == severity for f in counted):
            fail(f"the number of findings of severity {severity} is wrong")
    return len(counted)


def check_sarif():
    import jsonschema

    with open(sys.argv[3], encoding="utf-8") as file:
        schema = json.load(file)
    with open(sys.argv[2], encoding="utf-8") as file:
        log = json.load(file)
    validator = jsonschema.Draft4Validator(schema, format_checker=jsonschema.FormatChecker())
    for error in validator.iter_errors(log):
        fail(f"{'/'.join(str(p) for p in error.path)}: {error.message}")
    run, = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    # What the schema cannot say.
    if len({rule["id"] for rule in rules}) != len(rules):
        fail("a rule is there twice")
    for result in run["results"]:
        if rules[result["ruleIndex"]]["id"] != result["ruleId"]:
            fail(f"ruleIndex of {result['ruleId']}")
        for location in result["locations"]:
            uri = location["physicalLocation"]["artifactLocation"]["uri"]
            if not re.fullmatch(r"(file://)?([A-Za-z0-9/._~-]|%[0-9A-F]{2})+", uri):
                fail(f"{uri} is no URI reference")
            if urllib.parse.urlsplit(uri).scheme not in ("", "file"):
                fail(f"{uri} has a scheme")
            region = location["physicalLocation"].get("region", {"startLine": 1})
            if region.get("endLine", region["startLine"]) < region["startLine"]:
                fail("a region ends before it begins")
    return sum(not result["suppressions"] for result in run["results"])


def check_github():
    count = 0
    for line in read().splitlines():
        match = re.fullmatch(r"::(error|warning|notice) ((?:[A-Za-z]+=[^,:]*)(?:,[A-Za-z]+=[^,:]*)*)::(.*)", line)
        if not match:
            fail(f"{line!r} is no workflow command")
        properties = dict(p.split("=", 1) for p in match.group(2).split(","))
        if set(properties) - {"file", "line", "endLine", "col", "endColumn", "title"} or "title" not in properties:
            fail(f"{line!r} has other properties")
        for escape in re.findall("%..", line):
            if escape not in ("%25", "%0A", "%0D", "%3A", "%2C"):
                fail(f"{escape} is no escape of a workflow command")
        count += 1
    return count


def check_junit():
    read()
    root = xml.etree.ElementTree.parse(sys.argv[2]).getroot()
    cases = root.findall("testsuite/testcase")
    failed = [c for c in cases if c.find("failure") is not None]
    skipped = [c for c in cases if c.find("skipped") is not None]
    if root.tag != "testsuites" or int(root.get("tests")) != len(cases) or not cases:
        fail("not all test cases are there")
    if int(root.get("failures")) != len(failed) or int(root.get("skipped")) != len(skipped):
        fail("failures or skipped are counted wrong")
    for suite in root.findall("testsuite"):
        if int(suite.get("tests")) != len(suite.findall("testcase")):
            fail("a suite's cases are counted wrong")
    return len(failed)


class Page(html.parser.HTMLParser):
    VOID = {"meta", "br"}
    ALLOWED = VOID | set("html head title style body main section article h1 h2 h3 h4 p pre code span strong mark table thead "
                         "tbody tr th td a ul li".split())

    def __init__(self):
        super().__init__()
        self.open, self.articles, self.ids, self.targets = [], 0, set(), set()

    def handle_starttag(self, tag, attrs):
        if tag not in self.ALLOWED:
            fail(f"the page has <{tag}>")
        self.articles += tag == "article"
        for name, value in attrs:
            if name == "id":
                if value in self.ids:
                    fail(f"the id {value} is there twice")
                self.ids.add(value)
            elif name == "href" and value.startswith("#"):
                self.targets.add(value[1:])
            elif name not in ("class", "scope", "lang", "charset", "content", "name", "http-equiv"):
                fail(f"<{tag}> has {name}={value}")
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            fail(f"</{tag}> closes nothing")


def check_html():
    page, text = Page(), read()
    page.feed(text)
    page.close()
    if page.open:
        fail(f"<{page.open[-1]}> is not closed")
    if page.targets - page.ids:
        fail(f"a link leads nowhere: {page.targets - page.ids}")
    if re.search("(?i)https?:|url\\(|@import", re.sub("<code.*?</code>|<pre.*?</pre>", "", text, flags=re.DOTALL)):
        fail("the page has a reference to the network")
    return page.articles - text.count("<p class=\"what\">Ignored: ")


print({"json": check_json, "sarif": check_sarif, "github": check_github, "junit": check_junit,
       "html": check_html}[sys.argv[1]]())
