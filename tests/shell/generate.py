# SPDX-License-Identifier: Apache-2.0
"""Scripts made by chance, valid for bash and in what shfmt understands of it: generate.script(SEED)."""
import random

NAMES = ["x", "PKGS", "a1", "_v"]
LITERALS = ["a", "foo", "-y", "/usr/bin/env", ":x=1", "a.b", "10", "{}", "%s", "~", "é", "--opt=v", "a{b,c}d", "]", "!", "@", "+x"]


class Maker:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.bodies = []  # of heredocs, for the next line end
        self.flat = 0  # in something that stays on one line

    def chance(self, percent):
        return self.random.randrange(100) < percent

    def pick(self, *choices):
        return self.random.choice(choices)

    def newline(self):
        bodies, self.bodies = self.bodies, []
        return "\n" + "".join(bodies)

    def blank(self):
        return self.pick(" ", " ", " ", "  ", "\t", " \\\n")

    # --- Words ---

    def parameter(self, depth, quoted):
        name = self.random.choice(NAMES)
        kind = self.random.randrange(12)
        if kind < 4:
            return "$" + self.pick(name, name, "1", "@", "?", "#", "*")
        if kind < 6:
            return "${" + name + "}"
        if kind == 6:
            return "${#" + name + "}"
        if kind == 7:
            return "${" + name + self.pick(":-", "-", ":=", ":+", "+", ":?") + self.operand(depth, quoted) + "}"
        if kind == 8:
            return "${" + name + self.pick("#", "##", "%", "%%") + self.pick("*", "a?", "*/", "[0-9]", "v") + "}"
        if kind == 9:
            return "${" + name + self.pick("/", "//") + self.pick("a/b", ".", "a*/", "\\//_", "x/\\}") + "}"
        if kind == 10:
            return "${" + name + self.pick("[@]", "[0]", "[*]", "[$a1]") + "}"
        return "${" + name + self.pick(":1", ":1:2", ": -1", "^^", ",,", "^") + "}"

    def operand(self, depth, quoted):
        if depth <= 0 or self.chance(40):
            return self.pick("", "d", "a b", "/x") if quoted or self.chance(50) else "'q}'"
        return self.pick("d", "") + self.expansion(depth - 1, quoted)

    def expansion(self, depth, quoted):
        kind = self.random.randrange(10)
        if depth <= 0 or kind < 6:
            return self.parameter(depth, quoted)
        if kind == 6:
            return "$((" + self.pick("1 + 2", "x * (3 - 1)", "$x << 2", "a1 ? 1 : 0") + "))"
        if kind == 7:
            return "`" + self.pick("date", "uname -m", "cat a | wc -l") + "`"
        inner = self.substituted(depth - 1)
        return "$(" + inner + ")"

    def substituted(self, depth):
        self.flat += 1
        text = self.and_or(depth)
        self.flat -= 1
        return " " + text if text.startswith("(") else text

    def double_quoted(self, depth):
        text = '"'
        for _ in range(self.random.randrange(4)):
            text += self.pick("a b", "\\$", "\\\"", "'", "*", "#", ";", "\\n", "", "|") if self.chance(60) else self.expansion(depth, True)
        return text + '"'

    def word(self, depth):
        text = ""
        for _ in range(self.pick(1, 1, 1, 2, 3)):
            kind = self.random.randrange(10)
            if kind < 4:
                text += self.random.choice(LITERALS)
            elif kind == 4:
                text += "'" + self.pick("a b", "$x", "", '"', "#", "\\") + "'"
            elif kind == 5:
                text += self.double_quoted(depth)
            elif kind == 6:
                text += self.pick("\\ ", "\\;", "\\$", "\\'", "\\&")
            elif kind == 7:
                text += self.pick("*", "?", "*.deb")
            elif kind == 8 and self.chance(20):
                text += "$'" + self.pick("\\n", "a\\'b", "\\x41") + "'"
            else:
                text += self.expansion(depth, False)
        return "c" + text if text[0] == "#" else text

    def plain_word(self, depth):
        """One that a command may begin with: no word of the language, no comment."""
        text = self.word(depth)
        return "c" + text if text[0] in "{}!]" else text

    # --- Commands ---

    def redirect(self, depth):
        op = self.pick(">", ">>", "<", "2>", ">&", "2>&", "&>", "<<<", ">|", "<>", *([] if self.flat else ["<<", "<<-"]))
        if op in ("<<", "<<-"):
            delimiter = self.pick("EOF", "E", "'Q'")
            body = self.pick("", "text\n", "a $x b\n", "\ttab\n", "it's \"q\"\n", "$(date)\n") if delimiter != "'Q'" else self.pick("$( ` \n", "plain\n")
            self.bodies.append(body + ("\t" if op == "<<-" and self.chance(50) else "") + delimiter.strip("'") + "\n")
            return op + delimiter
        if op.endswith(">&"):
            return op + self.pick("1", "2", "-")
        return op + self.pick("", " ") + self.pick("/dev/null", '"$x"', "f", self.plain_word(depth - 1))

    def simple(self, depth):
        words = []
        for _ in range(self.pick(0, 0, 0, 1, 2)):
            words.append(self.random.choice(NAMES) + self.pick("=", "=", "+=") + self.pick("", "1", '"$x y"', self.expansion(depth - 1, False)))
        for _ in range(self.pick(1, 2, 2, 3, 5)):
            words.append(self.plain_word(depth - 1))
        for _ in range(self.pick(0, 0, 0, 1, 2)):
            words.append(self.redirect(depth))
        return "".join(word + self.blank() for word in words[:-1]) + words[-1]

    def statements(self, depth):
        """Without a separator at the end, unless it has to be a line end."""
        text = ""
        for i in range(self.pick(1, 1, 1, 2)):
            if i and not text.endswith("\n"):
                text += self.pick("; ", ";", " & ", "; " if self.flat else self.newline())
            text += self.and_or(depth)
            if self.bodies:
                text += self.newline()
        return text

    def body(self, depth):
        text = self.statements(depth)
        return text if text.endswith("\n") else text + ("; " if self.flat or self.chance(60) else self.newline())

    def compound(self, depth):
        kind = self.random.randrange(11)
        if kind == 0:
            return "{ " + self.body(depth) + "}"
        if kind == 1:
            return "( " + self.statements(depth) + ")"
        if kind == 2:
            text = "if " + self.body(depth) + "then " + self.body(depth)
            if self.chance(30):
                text += "elif " + self.body(depth) + "then " + self.body(depth)
            return text + ("else " + self.body(depth) if self.chance(40) else "") + "fi"
        if kind == 3:
            return self.pick("while ", "until ") + self.body(depth) + "do " + self.body(depth) + "done"
        if kind == 4:
            words = "".join(" " + self.word(0) for _ in range(self.pick(0, 1, 3)))
            return "for " + self.random.choice(NAMES) + " in" + words + "; do " + self.body(depth) + "done"
        if kind == 5:
            arms = ""
            for _ in range(self.pick(1, 2, 3)):
                patterns = "|".join(self.plain_word(0) for _ in range(self.pick(1, 1, 2)))
                arms += self.pick("", "(") + patterns + ") " + self.statements(depth) + " ;; "
            return "case " + self.word(0) + " in " + arms + "esac"
        if kind == 6:
            return "[[ " + self.pick("-n $x", "$x == a* && -f f", "$x =~ ^[0-9]+(a|b)$", "! -d /x || ( a < b )", "-z ${x}") + " ]]"
        if kind == 7:
            return "((" + self.pick("x = 1", "a1++", "x > (2 + 3)", " x <<= 1 ") + "))"
        if kind == 8:
            # In a group, since shfmt takes what follows the body for a part of it.
            return "{ " + self.pick("f", "g_1") + self.pick("() ", " () ") + "{ " + self.body(depth) + "}; }"
        if kind == 9:
            return "for ((i = 0; i < 3; i++)); do " + self.body(depth) + "done"
        return self.random.choice(NAMES) + "=(" + " ".join(self.word(0) for _ in range(self.pick(0, 1, 3))) + ")"

    def command(self, depth):
        # Behind a heredoc on the same line, shfmt takes a line end in a compound command for no place of its body.
        if depth <= 0 or self.bodies or self.chance(65):
            return self.simple(depth)
        text = self.compound(depth - 1)
        if self.chance(15) and not text.endswith(")"):
            text += " " + self.redirect(depth)
        return text

    def pipeline(self, depth):
        text = self.pick("", "", "", "", "", "! ")
        for i in range(self.pick(1, 1, 1, 2, 3)):
            text += (self.pick(" | ", "|", " |& ") if i else "") + self.command(depth)
        return text

    def and_or(self, depth):
        text = ""
        for i in range(self.pick(1, 1, 1, 2, 3)):
            if i:
                text += self.pick(" && ", " && ", " || ", "&&")
                if self.chance(20) and not self.flat:
                    text += self.newline()
            text += self.pipeline(depth)
        return text

    def script(self):
        text = ""
        for _ in range(self.pick(1, 1, 2, 4)):
            text += self.and_or(2)
            if self.bodies or self.chance(50):
                text += self.newline()
            else:
                text += self.pick("; ", " & ", " # comment\n")
        return text


def script(seed):
    return Maker(seed).script()
