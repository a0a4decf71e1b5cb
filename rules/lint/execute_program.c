// SPDX-License-Identifier: Apache-2.0
/* Commands that run something: interpreters and where they take their program from, package files. */
#include <rules/lint/execute.h>
#include <rules/lint/operands.h>

typedef struct interpreter {
    const char *name;
    const char *text;   /* letters of options behind which a program text stands */
    const char *file;   /* … a program file */
    const char *values; /* letters of options that take a value */
    const char *input;  /* letters of options with which the program is standard input */
    bool versions;      /* python3.11, php82 are the same */
    bool reads_input;   /* without an operand, the program is standard input */
} interpreter;

static const interpreter interpreters[] = {
    {"sh", "c", "", "oO", "s", false, true},      {"bash", "c", "", "oO", "s", false, true},
    {"dash", "c", "", "oO", "s", false, true},    {"ash", "c", "", "oO", "s", false, true},
    {"zsh", "c", "", "oO", "s", false, true},     {"ksh", "c", "", "oO", "s", true, true},
    {"mksh", "c", "", "oO", "s", false, true},    {"rbash", "c", "", "oO", "s", false, true},
    {"fish", "c", "", "Cdo", "", false, true},    {"csh", "c", "", "", "", false, true},
    {"tcsh", "c", "", "", "", false, true},       {"python", "cm", "", "WXQ", "", true, true},
    {"pypy", "cm", "", "WXQ", "", true, true},    {"perl", "eE", "", "MmIiDFCT", "", true, true},
    {"ruby", "e", "", "rIEKTWC", "", true, true}, {"node", "ep", "", "rC", "", false, true},
    {"nodejs", "ep", "", "rC", "", false, true},  {"php", "rBRE", "fF", "dczS", "", true, true},
    {"lua", "e", "", "l", "", true, true},        {"luajit", "e", "", "lj", "", true, true},
    {"Rscript", "e", "", "", "", false, false},   {"R", "e", "f", "", "", false, true},
    {"tclsh", "", "", "", "", true, true},        {"expect", "c", "f", "", "", false, true},
    {"julia", "eE", "", "LpC", "", false, true},  {"groovy", "e", "", "", "", false, false},
    {"elixir", "e", "", "r", "", false, false},   {"make", "", "f", "Cj", "", false, false},
    {"gmake", "", "f", "Cj", "", false, false},
};

/* Long options: of all interpreters, for they do not contradict each other. */
static const char long_texts[] = "--eval --print --run --command";
static const char long_values[] = "--rcfile --init-file --require --import";

static const interpreter *find_interpreter(sb_slice name)
{
    for (size_t i = 0; name.len && i < SB_COUNT(interpreters); i++) {
        const interpreter *it = &interpreters[i];
        size_t len;

        if (it->name[0] != name.ptr[0])
            continue;
        len = strlen(it->name);
        if (name.len < len || memcmp(name.ptr, it->name, len) != 0)
            continue;
        if (name.len == len)
            return it;
        if (!it->versions)
            continue;
        for (size_t j = len; name.ptr[j] == '.' || (name.ptr[j] >= '0' && name.ptr[j] <= '9');)
            if (++j == name.len)
                return it;
    }
    return NULL;
}

static bool is_input(sb_slice text)
{
    static const char names[] = "- /dev/stdin /proc/self/fd/0 /dev/fd/0";

    return sb_word_in(text, names);
}

static sb_program operand(const sb_sh_command *cmd, size_t at)
{
    if (at >= cmd->count)
        return (sb_program){SB_PROGRAM_NONE, 0};
    return is_input(cmd->args[at].text) ? (sb_program){SB_PROGRAM_INPUT, at}
                                        : (sb_program){SB_PROGRAM_FILE, at};
}

static sb_program read_interpreter(const interpreter *it, const sb_sh_command *cmd)
{
    size_t i;

    for (i = 1; i < cmd->count; i++) {
        sb_slice text = cmd->args[i].text;

        if (text.len == 0 || (text.ptr[0] != '-' && text.ptr[0] != '+') || is_input(text))
            break;
        if (sb_slice_eqz(text, "--")) {
            /* php -- --option: what follows are the script's own arguments. */
            if (it->name[0] == 'p' && it->name[1] == 'h')
                return (sb_program){SB_PROGRAM_INPUT, i};
            i++;
            break;
        }
        if (sb_slice_starts(text, SB_LIT("--"))) {
            if (sb_word_in(text, long_texts))
                return (sb_program){SB_PROGRAM_TEXT, i + 1};
            i += sb_word_in(text, long_values);
            continue;
        }
        for (size_t j = 1; j < text.len; j++) {
            char c = text.ptr[j];
            bool last = j + 1 == text.len;

            if (strchr(it->text, c))
                return (sb_program){SB_PROGRAM_TEXT, i + 1};
            if (strchr(it->input, c))
                return (sb_program){SB_PROGRAM_INPUT, i};
            if (strchr(it->file, c))
                return operand(cmd, i + 1);
            if (strchr(it->values, c)) {
                i += last && !strchr("MiDFT", c);
                break;
            }
        }
    }
    if (i < cmd->count && it->file[0] && !it->reads_input)
        return (sb_program){SB_PROGRAM_NONE, 0}; /* make: an operand is a target */
    if (i < cmd->count)
        return operand(cmd, i);
    return (sb_program){it->reads_input ? SB_PROGRAM_INPUT : SB_PROGRAM_NONE, 0};
}

static sb_program read_powershell(const sb_sh_command *cmd)
{
    for (size_t i = 1; i < cmd->count; i++) {
        sb_slice text = cmd->args[i].text;

        if (sb_slice_eq_nocase(text, SB_LIT("-Command")) || sb_slice_eqz(text, "-c"))
            return i + 1 < cmd->count && is_input(cmd->args[i + 1].text)
                       ? (sb_program){SB_PROGRAM_INPUT, i}
                       : (sb_program){SB_PROGRAM_TEXT, i + 1};
        if (sb_slice_eq_nocase(text, SB_LIT("-File")) || sb_slice_eqz(text, "-f"))
            return operand(cmd, i + 1);
        if (text.len == 0 || text.ptr[0] != '-' || text.len == 1)
            return operand(cmd, i);
    }
    return (sb_program){SB_PROGRAM_INPUT, 0};
}

sb_program sb_program_read(const sb_sh_command *cmd)
{
    const interpreter *it;

    if (cmd->count == 0)
        return (sb_program){SB_PROGRAM_NONE, 0};
    if (sb_sh_is(cmd, ".") || sb_sh_is(cmd, "source"))
        return operand(cmd, 1);
    if (sb_sh_is(cmd, "eval"))
        return (sb_program){cmd->count > 1 ? SB_PROGRAM_TEXT : SB_PROGRAM_NONE, 1};
    if (sb_sh_is(cmd, "java")) {
        for (size_t i = 1; i < cmd->count; i++)
            if (sb_slice_eqz(cmd->args[i].text, "-jar"))
                return operand(cmd, i + 1);
        return (sb_program){SB_PROGRAM_NONE, 0};
    }
    if (sb_sh_is(cmd, "pwsh") || sb_sh_is(cmd, "powershell"))
        return read_powershell(cmd);
    if ((sb_sh_is(cmd, "busybox") || sb_sh_is(cmd, "toybox")) && cmd->count > 1) {
        sb_sh_command inner = *cmd;
        sb_program program;

        inner.args++;
        inner.count--;
        inner.name = cmd->args[1].text;
        it = find_interpreter(inner.name);
        program = it ? read_interpreter(it, &inner) : (sb_program){SB_PROGRAM_NONE, 0};
        program.arg++;
        return program;
    }
    it = find_interpreter(cmd->name);
    return it ? read_interpreter(it, cmd) : (sb_program){SB_PROGRAM_PATH, 0};
}

/* --- Package files --- */

/* Is the word of a cluster of rpm's or dpkg's options one that installs? */
static bool has_short(const sb_sh_command *cmd, const char *letters)
{
    for (size_t i = 1; i < cmd->count; i++) {
        sb_slice text = cmd->args[i].text;

        if (text.len > 1 && text.ptr[0] == '-' && text.ptr[1] != '-' && strchr(letters, text.ptr[1]))
            return true;
    }
    return false;
}

/* These look at the signature of a file as well, unless told not to. */
static bool installs_unsigned(const sb_sh_command *cmd)
{
    if (sb_sh_is(cmd, "apk"))
        return sb_sh_has_option(cmd, "--allow-untrusted", NULL);
    return sb_sh_is(cmd, "zypper") && (sb_sh_has_option(cmd, "--no-gpg-checks", NULL) ||
                                       sb_sh_has_option(cmd, "--allow-unsigned-rpm", NULL));
}

bool sb_program_installs(const sb_sh_command *cmd, size_t *ret_first)
{
    static const char by_verb[] = "apt apt-get aptitude yum dnf dnf5 microdnf tdnf";
    static const char verbs[] = "install in localinstall add reinstall update upgrade";
    static const char long_installs[] = "--install --upgrade --unpack --freshen";

    *ret_first = 1;
    if (cmd->name.len < 2)
        return false;
    if (sb_sh_is(cmd, "gdebi"))
        return true;
    if (sb_sh_is(cmd, "pacman"))
        return has_short(cmd, "U") || sb_sh_has_option(cmd, "--upgrade", NULL);
    if (sb_sh_is(cmd, "dpkg") || sb_sh_is(cmd, "rpm")) {
        for (size_t i = 1; i < cmd->count; i++)
            if (sb_word_in(cmd->args[i].text, long_installs))
                return true;
        return has_short(cmd, cmd->name.ptr[0] == 'd' ? "i" : "iUF");
    }
    if (!sb_word_in(cmd->name, by_verb) && !installs_unsigned(cmd))
        return false;
    for (size_t i = 1; i < cmd->count; i++)
        if (sb_word_in(cmd->args[i].text, verbs)) {
            *ret_first = i + 1;
            return true;
        }
    return false;
}
