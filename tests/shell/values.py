#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""values.py TREE SEED COUNT: what the reader says of words against what bash makes of them.

Scripts made by chance set variables and show words that use them; nothing else is in them. Where the reader says that
it knows the arguments of "show", they are those that bash passes. How often it does know them is asked as well.
"""
import random
import shutil
import subprocess
import sys

from compare import ours, quote

NAMES = ["a", "b", "c", "v"]
VALUES = ["", "x", "1.2.3", "/usr/lib/x.tar.gz", "'a b'", '"p q  r"', "foo-bar_baz", "x\\ y", "'  s '", "'*'", "A_b", "$'t\\tu'", "'{d}'", "a=b:c"]
PATTERNS = ["*.", ".*", "*/", "/*", "?", "[0-9]", "[!a-z]*", "x", ".", "*", "'*'", "-*", "\\.", "[a-c]?", "*b*", "$a", '"$b"']
KNOWN_MIN = 0.6


class Script:
    def __init__(self, seed):
        self.random = random.Random(seed)

    def pick(self, *choices):
        return self.random.choice(choices)

    def operand(self):
        return self.pick("d", "e f", "'g h'", "", "$" + self.pick(*NAMES), '"$' + self.pick(*NAMES) + '"', "/k")

    def parameter(self, quoted):
        name = self.pick(*NAMES)
        kind = self.random.randrange(12)
        if kind < 4:
            return self.pick("$" + name, "${" + name + "}")
        if kind == 4:
            return "${" + name + self.pick(":-", "-", ":+", "+") + (self.pick("d", "e f", "", "/k") if quoted else self.operand()) + "}"
        if kind in (5, 6):
            return "${" + name + self.pick("#", "##", "%", "%%") + self.pick(*PATTERNS) + "}"
        if kind == 7:
            return "${" + name + self.pick("/", "//", "/#", "/%") + self.pick(*PATTERNS).replace("/", "\\/") + self.pick("", "/y", "/$v", "/--", "/'z z'") + "}"
        if kind == 8:
            return "${" + name + self.pick(":0:2", ":1", ": -1", ":2:3", ":0") + "}"
        if kind == 9:
            return "${" + name + self.pick("^^", ",,", "^", ",") + "}"
        if kind == 10:
            return "${#" + name + "}"
        return "${" + self.pick("r[@]", "r[0]", "r[1]", "r[*]", "r") + "}"

    def word(self):
        text = ""
        for _ in range(self.pick(1, 1, 1, 2, 3)):
            kind = self.random.randrange(6)
            if kind < 2:
                text += self.parameter(False)
            elif kind < 4:
                text += '"' + self.pick("", "s ", "-") + self.parameter(True) + self.pick("", " t", ".") + '"'
            else:
                text += self.pick("lit", "{a,b}", "{x,'y z',$a}", "{1..3}", "{m{n,o},}", "{p", ",", "q}", "'q r'", "\\$", "-o", "''", "y.z", "$'n\\n'")
        return text

    def assignment(self):
        kind = self.random.randrange(8)
        name = self.pick(*NAMES)
        if kind < 4:
            return name + "=" + self.pick(*VALUES)
        if kind == 4:
            return name + self.pick("=", "+=") + self.word()
        if kind == 5:
            return self.pick("export ", "declare ") + name + '="' + self.pick("l m", "$" + name, "${b}x") + '"'
        if kind == 6:
            return self.pick("r=(", "r+=(") + " ".join(self.word() for _ in range(self.pick(1, 2, 3))) + ")"
        return f"unset {name}"

    def statement(self):
        kind = self.random.randrange(10)
        show = "show " + " ".join(self.word() for _ in range(self.pick(1, 2, 3)))
        if kind < 5:
            return show
        if kind == 5:
            return f"({self.assignment()}; {show})"
        if kind == 6:
            return f"set -- {self.word()} {self.word()}; show $1 \"$2\" \"$@\""
        if kind == 7:
            if self.random.randrange(2):
                words = " ".join(self.word() for _ in range(self.pick(1, 2, 3)))
                return f"for i in {words} last; do collect {self.pick('$i', 'x$i', '-$i.$a')}; done; collected"
            return f"eval '{self.pick(*NAMES)}=ev; show $a \"${{b}}\"'"
        return self.assignment()

    def text(self):
        lines = [name + "=" + self.pick(*VALUES) for name in NAMES] + ["r=(1 '2 3')"]
        lines += [self.statement() for _ in range(12)]
        return "\n".join(lines) + "\n"


def by_bash(text):
    # Without globbing, which depends on the directory; the reader leaves globs as they are.
    prelude = "set -f; show() { local i; for i; do printf '%s\\0' \"$i\"; done; printf '\\1'; }\n"
    # What a loop passes in all its rounds is one command for the reader.
    prelude += "all=(); collect() { all+=(\"$@\"); }; collected() { show \"${all[@]}\"; all=(); }\n"
    done = subprocess.run([shutil.which("bash"), "--norc", "-c", prelude + text], capture_output=True, check=False, env={"PATH": "/nowhere"}, timeout=20)
    shown = done.stdout.split(b"\1")[:-1]
    return ["".join(quote(arg) for arg in one.split(b"\0")[:-1]) for one in shown], done.stderr


def main():
    tree, seed, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    texts = [Script(seed + i).text().encode() for i in range(count)]
    known = total = failed = 0
    for text, line in zip(texts, ours(tree, texts, "values")):
        mine = line.split(";")[:-1]
        theirs, errors = by_bash(text.decode())
        total += len(theirs)
        wrong = [(m, t) for m, t in zip(mine, theirs) if m not in ("?", t)]
        known += sum(m != "?" for m in mine)
        if len(mine) != len(theirs) or wrong:
            failed += 1
            print(f"---\n{text.decode()}{errors.decode()}    {len(mine)} and {len(theirs)} shown")
            for m, t in wrong:
                print(f"    ours: {m}\n    bash: {t}")
    print(f"{count - failed} passed, {failed} failed")
    print(f"{known} of {total} known ({100 * known / max(1, total):.1f} %)")
    return failed or known < KNOWN_MIN * total


if __name__ == "__main__":
    sys.exit(1 if main() else 0)
