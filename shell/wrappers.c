// SPDX-License-Identifier: Apache-2.0
/* Commands that run the command in their arguments. */
#include <shell/read.h>

typedef struct wrapper {
    const char *name;
    const char *with_value;      /* options of one letter that take a value */
    const char *long_with_value; /* the same, long: " user group " */
    const char *not_with;        /* options with which it runs nothing */
    const char *verb;            /* that has to come first: "run" */
    unsigned char operands;      /* before the command */
    bool user_operand;           /* the first of them is a user */
    bool assignments;            /* NAME=value may stand before the command */
    const char *user_option;     /* " -u --user " */
    const char *user;            /* without such an option */
    bool needs_user;             /* without such an option it runs no command, but a text */
} wrapper;

/* By name. */
static const wrapper wrappers[] = {
    {.name = "builtin"},
    {.name = "bundle", .verb = "exec"},
    {.name = "busybox"},
    {.name = "catatonit"},
    {.name = "catchsegv"},
    {.name = "chpst", .with_value = "uUbeCnmdopfcrtP/", .user_option = " -u "},
    {.name = "chronic"},
    {.name = "chroot", .long_with_value = " userspec groups ", .operands = 1},
    {.name = "chrt", .with_value = "TPDp", .operands = 1},
    {.name = "command", .not_with = "vV"},
    {.name = "conda", .verb = "run", .with_value = "npC", .long_with_value = " name prefix cwd "},
    {.name = "dbus-launch"},
    {.name = "dbus-run-session"},
    {.name = "doas", .with_value = "uC", .user_option = " -u ", .user = "root"},
    {.name = "dumb-init", .with_value = "r", .long_with_value = " rewrite "},
    {.name = "eatmydata"},
    {.name = "env",
     .with_value = "uC",
     .long_with_value = " unset chdir ",
     .not_with = "S",
     .assignments = true},
    {.name = "exec", .with_value = "a"},
    {.name = "fakeroot", .with_value = "lsibfu"},
    {.name = "faketime", .with_value = "f", .operands = 1},
    {.name = "flock",
     .with_value = "wE",
     .long_with_value = " timeout wait conflict-exit-code ",
     .not_with = "c",
     .operands = 1},
    {.name = "gosu", .operands = 1, .user_operand = true},
    {.name = "ionice", .with_value = "cnpPu", .long_with_value = " class classdata "},
    {.name = "linux32"},
    {.name = "linux64"},
    {.name = "mamba", .verb = "run", .with_value = "np", .long_with_value = " name prefix cwd "},
    {.name = "micromamba",
     .verb = "run",
     .with_value = "npr",
     .long_with_value = " name prefix cwd root-prefix "},
    {.name = "nice", .with_value = "n", .long_with_value = " adjustment "},
    {.name = "nohup"},
    {.name = "nosync"},
    {.name = "numactl", .with_value = "NmCiPlp"},
    {.name = "pipenv", .verb = "run"},
    {.name = "poetry", .verb = "run"},
    {.name = "proxychains", .with_value = "f"},
    {.name = "proxychains4", .with_value = "f"},
    {.name = "pyenv", .verb = "exec"},
    {.name = "rbenv", .verb = "exec"},
    {.name = "runuser",
     .with_value = "ugGs",
     .long_with_value = " user group supp-group shell ",
     .user_option = " -u --user ",
     .needs_user = true},
    {.name = "s6-setuidgid", .operands = 1, .user_operand = true},
    {.name = "setarch", .operands = 1},
    {.name = "setpriv",
     .long_with_value =
         " reuid regid ruid euid rgid egid groups inh-caps ambient-caps bounding-set securebits pdeathsig "
         "selinux-label apparmor-profile ",
     .user_option = " --reuid --ruid --euid "},
    {.name = "setsid"},
    {.name = "setuidgid", .operands = 1, .user_operand = true},
    {.name = "ssh-agent", .with_value = "aEtP", .not_with = "k"},
    {.name = "stdbuf", .with_value = "ioe", .long_with_value = " input output error "},
    {.name = "strace", .with_value = "abeEIoOpPsSuX"},
    {.name = "su-exec", .operands = 1, .user_operand = true},
    {.name = "sudo",
     .with_value = "ugpCDchrRtTU",
     .long_with_value =
         " user group prompt close-from chdir chroot host role type command-timeout other-user ",
     .not_with = "lvkKVe",
     .assignments = true,
     .user_option = " -u --user ",
     .user = "root"},
    {.name = "taskset", .operands = 1},
    {.name = "time", .with_value = "of", .long_with_value = " output format "},
    {.name = "timeout", .with_value = "ks", .long_with_value = " kill-after signal ", .operands = 1},
    {.name = "tini", .with_value = "pe"},
    {.name = "tini-static", .with_value = "pe"},
    {.name = "torsocks"},
    {.name = "toybox"},
    {.name = "unshare",
     .with_value = "RSwG",
     .long_with_value = " root wd setuid setgid propagation setgroups "},
    {.name = "with-contenv"},
    {.name = "xargs",
     .with_value = "adEILnPs",
     .long_with_value =
         " arg-file delimiter eof replace max-lines max-args max-procs max-chars process-slot-var "},
    {.name = "xvfb-run",
     .with_value = "efnpsw",
     .long_with_value = " error-file auth-file server-num xauth-protocol server-args wait "},
};

static int by_name(const void *key, const void *item)
{
    sb_slice name = *(const sb_slice *)key;
    const wrapper *w = item;

    return sb_slice_cmp(name, sb_slice_z(w->name));
}

static const wrapper *find(sb_slice name)
{
    return name.len > 12 ? NULL : bsearch(&name, wrappers, SB_COUNT(wrappers), sizeof(*wrappers), by_name);
}

/* " user group " has "user". */
static bool lists(const char *list, sb_slice word)
{
    char wanted[32];

    if (!list || !word.len || word.len > sizeof(wanted) - 3)
        return false;
    wanted[0] = ' ';
    memcpy(wanted + 1, word.ptr, word.len);
    wanted[word.len + 1] = ' ';
    wanted[word.len + 2] = '\0';
    return strstr(list, wanted) != NULL;
}

static void note_user(const wrapper *w, sb_slice option, sb_slice value, sb_sh_command *command)
{
    if (lists(w->user_option, option))
        command->user = value;
}

/* Behind the option at words[i], which begins with "-". *ret_runs: false when with it nothing is run. */
static size_t behind_option(const wrapper *w, const sb_sh_arg *words, size_t count, size_t i,
                            sb_sh_command *command, bool *ret_runs)
{
    sb_slice text = words[i].text;

    if (text.ptr[1] == '-') {
        sb_slice value = sb_slice_sub(text, 2, text.len);
        sb_slice name = sb_slice_cut(&value, '=');
        sb_slice option = sb_slice_sub(text, 0, name.len + 2);

        if (value.ptr) {
            note_user(w, option, value, command);
            return i + 1;
        }
        if (!lists(w->long_with_value, name))
            return i + 1;
        if (i + 1 < count)
            note_user(w, option, words[i + 1].text, command);
        return i + 2;
    }
    for (size_t j = 1; j < text.len; j++) {
        char option[2] = {'-', text.ptr[j]};
        bool attached = j + 1 < text.len;

        if (w->not_with && strchr(w->not_with, text.ptr[j]) && text.ptr[j])
            *ret_runs = false;
        if (!w->with_value || !text.ptr[j] || !strchr(w->with_value, text.ptr[j]))
            continue;
        if (attached)
            note_user(w, sb_slice_of(option, 2), sb_slice_sub(text, j + 1, text.len), command);
        else if (i + 1 < count)
            note_user(w, sb_slice_of(option, 2), words[i + 1].text, command);
        return attached ? i + 1 : i + 2;
    }
    return i + 1;
}

static size_t assignment_length(sb_slice text)
{
    size_t n = sh_name_length(text);

    return n && n < text.len && text.ptr[n] == '=' ? n : 0;
}

static void add_assigned(sh_reader *r, sb_sh_command *command, const sb_sh_arg *word, size_t name)
{
    sb_sh_assigned *grown = sb_arena_array(r->arena, sb_sh_assigned, command->assigned_count + 1);

    if (command->assigned_count >= SB_SH_VALUES_MAX)
        return;
    if (command->assigned_count)
        memcpy(grown, command->assigned, command->assigned_count * sizeof(*grown));
    grown[command->assigned_count].name = sb_slice_sub(word->text, 0, name);
    grown[command->assigned_count].value = *word;
    grown[command->assigned_count].value.text = sb_slice_sub(word->text, name + 1, word->text.len);
    command->assigned = grown;
    command->assigned_count++;
}

/* From the wrapper's own word to the command that it runs; `at` itself when it runs none. */
static size_t behind_wrapper(sh_reader *r, const wrapper *w, const sb_sh_arg *words, size_t count, size_t at,
                             sb_sh_command *command)
{
    sb_sh_command changed = *command;
    size_t i = at + 1;
    unsigned operands = w->operands;
    bool runs = true;

    changed.user = w->user ? sb_slice_z(w->user) : changed.user;
    if (w->verb) {
        if (i >= count || !sb_slice_eqz(words[i].text, w->verb))
            return at;
        i++;
    }
    while (i < count) {
        sb_slice text = words[i].text;
        size_t name = w->assignments ? assignment_length(text) : 0;

        if (sb_slice_eqz(text, "--")) {
            i++;
            break;
        }
        if (text.len > 1 && text.ptr[0] == '-') {
            i = behind_option(w, words, count, i, &changed, &runs);
        } else if (name) {
            add_assigned(r, &changed, &words[i], name);
            i++;
        } else if (sb_slice_eqz(text, "-") && w->assignments) {
            i++;
        } else if (operands) {
            if (w->user_operand && operands == w->operands)
                changed.user = text;
            operands--;
            i++;
        } else {
            break;
        }
    }
    for (; operands && i < count; operands--, i++) /* behind "--" */
        if (w->user_operand && operands == w->operands)
            changed.user = words[i].text;
    while (w->assignments && i < count && assignment_length(words[i].text))
        add_assigned(r, &changed, &words[i], assignment_length(words[i].text)), i++;
    if (!runs || i >= count || (w->needs_user && changed.user.ptr == command->user.ptr))
        return at;
    *command = changed;
    return i;
}

/* "$SUDO": a variable that holds such a word, or nothing. */
static bool is_unknown_sudo(const sb_sh_arg *word, size_t left)
{
    sb_slice text = word->text;

    if (word->known || word->quoted || left < 2 || text.len < 5 || text.len > 12 || text.ptr[0] != '$')
        return false;
    return sb_slice_find(text, SB_LIT("SUDO")) >= 0 || sb_slice_find(text, SB_LIT("sudo")) >= 0;
}

enum { WRAPPERS_MAX = 16 };

size_t sh_unwrap(sh_reader *r, const sb_sh_arg *words, size_t count, sb_sh_command *command)
{
    sb_slice names[WRAPPERS_MAX];
    size_t found = 0;
    size_t at = 0;

    while (at < count && found < WRAPPERS_MAX) {
        sb_slice name = sb_path_last(words[at].text);
        const wrapper *w = words[at].known ? find(name) : NULL;
        size_t next = at;

        if (w)
            next = behind_wrapper(r, w, words, count, at, command);
        else if (is_unknown_sudo(&words[at], count - at))
            next = at + 1;
        if (next == at)
            break;
        names[found++] = w ? name : SB_LIT("sudo");
        at = next;
    }
    if (found) {
        sb_slice *all = sb_arena_array(r->arena, sb_slice, command->wrapper_count + found);

        if (command->wrapper_count)
            memcpy(all, command->wrappers, command->wrapper_count * sizeof(*all));
        memcpy(all + command->wrapper_count, names, found * sizeof(*all));
        command->wrappers = all;
        command->wrapper_count += found;
    }
    return at;
}
