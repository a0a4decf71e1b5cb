#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""compare.py TREE cases DIR | generated SEED COUNT | corpus DIR: the trees of our parser against those of shfmt.

TREE is the program of tree.c. Both trees are brought to one form: commands with their words as they stand in the
text, and what is around them. Cases are texts with a line "### NAME" before each; "### NAME refused" is one that
neither may accept. Of a corpus, what neither of shfmt and bash understands is left out, and the share of the rest
that we understand is printed.
"""
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import generate

OPERATORS = {54: ">", 55: ">>", 56: "<", 57: "<>", 58: "<&", 59: ">&", 60: ">|", 61: "<<", 62: "<<-", 63: "<<<", 64: "&>", 65: "&>>"}
AND, OR = 10, 11


def quote(source):
    return '"' + "".join(chr(c) if 0x20 <= c < 0x7F and c not in b'"\\' else f"\\x{c:02x}" for c in source) + '"'


class Normal:
    """A tree of shfmt in our form."""

    def __init__(self, text):
        self.text = text

    def source(self, node):
        return self.text[node["Pos"]["Offset"]:node["End"]["Offset"]]

    def scripts(self, node):
        """Command substitutions anywhere in it, in the order of the text."""
        found = []

        def look(part):
            if isinstance(part, list):
                for item in part:
                    look(item)
            elif isinstance(part, dict):
                if part.get("Type") in ("CmdSubst", "ProcSubst"):
                    source = self.source(part)
                    changed = source[:1] == b"`" and b"\\" in source
                    found.append((part["Pos"]["Offset"], " (backticks)" if changed else f" (sub {self.list(part.get('Stmts'))})"))
                else:
                    for key, item in part.items():
                        if key not in ("Pos", "End"):
                            look(item)

        look(node)
        return "".join(text for _, text in sorted(found, key=lambda item: item[0]))

    def word(self, node):
        source = self.source(node)
        while source.endswith(b"\\\n"):  # a continuation is sometimes part of the word before it
            source = source[:-2]
        return " " + quote(source) + self.scripts(node)

    def body(self, node):
        """Of a heredoc; its end is behind the line that ends it."""
        if not node:
            return ' ""'
        source = self.source(node)
        return " " + quote(source[:source.rfind(b"\n") + 1]) + self.scripts(node)

    def list(self, statements):
        return "(list" + "".join(" " + self.statement(s) for s in statements or []) + ")"

    def redirects(self, statement):
        result = ""
        for redirect in statement.get("Redirs") or []:
            op = OPERATORS[redirect["Op"]]
            name = redirect["N"]["Value"] if redirect.get("N") else ""
            if op.startswith("<<") and op != "<<<":
                target = self.body(redirect.get("Hdoc"))
            else:
                target = self.word(redirect["Word"])
            result += f" (redir {name}{op}{target})"
        return result

    def statement(self, statement):
        text = self.command(statement.get("Cmd"), self.redirects(statement))
        if statement.get("Negated"):
            text = f"(not {text})"
        if statement.get("Background") or statement.get("Coprocess"):
            text = f"(background {text})"
        return text

    def chain(self, statement, op):
        """The operands of a chain of one operator."""
        command = statement.get("Cmd") or {}
        plain = not statement.get("Negated") and not statement.get("Background") and not statement.get("Redirs")
        if plain and command.get("Type") == "BinaryCmd" and self.kind(command["Op"]) == op:
            rest = self.chain(command["Y"], op) if op == "pipe" else [self.statement(command["Y"])]
            return self.chain(command["X"], op) + rest
        return [self.statement(statement)]

    @staticmethod
    def kind(op):
        return {AND: "and", OR: "or"}.get(op, "pipe")

    def assignment(self, assign):
        name = assign["Name"]["Value"] + ("+" if assign.get("Append") else "")
        if assign.get("Array"):
            return f" (array {name}" + "".join(self.word(e) for e in assign["Array"].get("Elems") or []) + ")"
        if assign.get("Value"):
            return f" (assign {name}{self.word(assign['Value'])})"
        return f' (assign {name} "")'

    def command(self, command, redirects):
        if command is None:
            return f"(command{redirects})"
        return getattr(self, command["Type"])(command, redirects)

    def CallExpr(self, command, redirects):
        assigns = "".join(self.assignment(a) for a in command.get("Assigns") or [])
        return f"(command{assigns}" + "".join(self.word(w) for w in command.get("Args") or []) + f"{redirects})"

    def DeclClause(self, command, redirects):
        words, arrays = " " + quote(self.source(command["Variant"])), ""
        for arg in command.get("Args") or []:
            if arg.get("Array"):
                arrays += self.assignment(arg)
            else:
                words += self.word(arg)
        return f"(command{arrays}{words}{redirects})"

    def LetClause(self, command, redirects):
        return '(command "let"' + "".join(self.word(e) for e in command.get("Exprs") or []) + f"{redirects})"

    def TimeClause(self, command, redirects):
        statement = command.get("Stmt")
        if not statement:
            return f'(command "time"{redirects})'
        text = self.statement(statement)
        options = '"time"' + (' "-p"' if command.get("PosixFormat") else "")
        first = statement["Cmd"]
        while first and first["Type"] == "BinaryCmd":
            first = first["X"]["Cmd"]
        if first and first["Type"] == "CallExpr":  # a word of the first command like others
            text = text.replace("(command ", f"(command {options} ", 1)
        return text

    def BinaryCmd(self, command, redirects):
        kind = self.kind(command["Op"])
        return f"({kind} " + " ".join(self.chain({"Cmd": command}, kind)) + f"{redirects})"

    def Block(self, command, redirects):
        return f"(group {self.list(command.get('Stmts'))}{redirects})"

    def Subshell(self, command, redirects):
        return f"(subshell {self.list(command.get('Stmts'))}{redirects})"

    def IfClause(self, command, redirects):
        other = command.get("Else")
        if not other:
            rest = "()"
        elif other.get("Cond"):
            rest = self.IfClause(other, "")
        else:
            rest = self.list(other.get("Then"))
        return f"(if {self.list(command.get('Cond'))} {self.list(command.get('Then'))} {rest}{redirects})"

    def WhileClause(self, command, redirects):
        kind = "until" if command.get("Until") else "while"
        return f"({kind} {self.list(command.get('Cond'))} {self.list(command.get('Do'))}{redirects})"

    def ForClause(self, command, redirects):
        loop = command["Loop"]
        head = "for"
        if loop["Type"] == "WordIter":
            head = ("select " if command.get("Select") else "for ") + loop["Name"]["Value"]
            head += (" in" if loop.get("InPos", {}).get("Offset") else "") + "".join(self.word(w) for w in loop.get("Items") or [])
        return f"({head} {self.list(command.get('Do'))}{redirects})"

    def CaseClause(self, command, redirects):
        arms = ""
        for item in command.get("Items") or []:
            body = self.list(item["Stmts"]) if item.get("Stmts") else "()"
            arms += " (arm" + "".join(self.word(p) for p in item["Patterns"]) + f" {body})"
        return f"(case{self.word(command['Word'])}{arms}{redirects})"

    def FuncDecl(self, command, redirects):
        return f"(function {command['Name']['Value']} {self.statement(command['Body'])}{redirects})"

    def TestClause(self, command, redirects):
        return "(test " + quote(self.source(command)) + self.scripts(command) + f"{redirects})"

    def ArithmCmd(self, command, redirects):
        return "(arithmetic " + quote(self.source(command)) + self.scripts(command) + f"{redirects})"

    def CoprocClause(self, command, redirects):
        return f"(background {self.statement(command['Stmt'])}{redirects})"


def theirs(text):
    """None when it is refused."""
    done = subprocess.run(["shfmt", "-ln", "bash", "-tojson"], input=text, capture_output=True, check=False)
    if done.returncode:
        return None
    normal = Normal(text)
    return normal.list(json.loads(done.stdout).get("Stmts"))


def ours(tree, texts, what="tree"):
    done = subprocess.run([tree, what], input=b"\0".join(texts) + b"\0", capture_output=True, check=True)
    return done.stdout.decode("latin-1").splitlines()


def all_theirs(texts):
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(theirs, texts))


def read_cases(directory):
    for name in sorted(os.listdir(directory)):
        with open(os.path.join(directory, name), "rb") as file:
            parts = file.read().split(b"### ")[1:]
        for part in parts:
            title, text = part.split(b"\n", 1)
            # The line end before the next title belongs to the file; "\r" is written as it is.
            yield f"{name}: {title.decode()}", text[:-1] if text.endswith(b"\n") else text


def show(name, text, mine, other):
    print(f"--- {name}\n{text.decode('latin-1')}\n    ours:   {mine}\n    theirs: {other}")


def compare(tree, named):
    failed = 0
    texts = [text for _, text in named]
    for (name, text), mine, other in zip(named, ours(tree, texts), all_theirs(texts)):
        refused = mine.startswith("trouble")
        if name.endswith(" refused"):
            right = refused and other is None
        elif name.endswith(" ours alone"):  # valid, but nothing that shfmt knows
            right = not refused
        else:
            right = mine == other
        if not right:
            failed += 1
            show(name, text, mine, other)
    print(f"{len(named) - failed} passed, {failed} failed")
    return failed


def is_fine_for_bash(text):
    return subprocess.run(["bash", "-n"], input=text, capture_output=True, check=False).returncode == 0


def corpus(tree, directory):
    files = [os.path.join(base, name) for base, _, names in os.walk(directory) for name in names]
    runs = subprocess.run([tree, "runs", *sorted(files)], capture_output=True, check=True).stdout
    texts = sorted(set(text for text in runs.split(b"\0") if text.strip()))
    read = different = shell = 0
    for text, mine, reading, other in zip(texts, ours(tree, texts), ours(tree, texts, "read"), all_theirs(texts)):
        troubled = mine.startswith("trouble")
        if troubled and other is None and not is_fine_for_bash(text):
            continue
        shell += 1
        read += not troubled and ": " not in reading
        if not troubled and other is not None and mine != other:
            different += 1
            show("different", text, mine, other)
        elif troubled or ": " in reading:
            show("not read", text, f"{mine[:200]} / {reading}", other and other[:200])
    print(f"{len(texts)} texts, {shell} of them for a shell, {read} read ({100 * read / max(shell, 1):.2f} %), {different} read differently")
    return different or read < 0.995 * shell


def main():
    tree, what = sys.argv[1:3]
    if what == "cases":
        return compare(tree, list(read_cases(sys.argv[3])))
    if what == "generated":
        seed, count = int(sys.argv[3]), int(sys.argv[4])
        named = [(f"seed {seed + i}", generate.script(seed + i).encode()) for i in range(count)]
        return compare(tree, named)
    return corpus(tree, sys.argv[3])


if __name__ == "__main__":
    sys.exit(1 if main() else 0)
