// SPDX-License-Identifier: Apache-2.0
/* Commands that check a file: checksums, signatures; and which files they check. */
#include <rules/lint/execute.h>

/* --- Which files --- */

/* The texts that a list of checksums is made of, as far as they can be seen. */
enum { TEXTS_MAX = 64 };
typedef struct list {
    sb_slice texts[TEXTS_MAX];
    size_t count;
    bool open;  /* there is more than can be seen */
    int origin; /* it was downloaded; -1 */
} list;

static bool is_word_char(char c)
{
    return sb_ascii_is_alnum(c) || c == '_' || c == '-';
}

/* Does the text name the file, as a word of its own? */
static bool mentions(sb_slice text, sb_slice name)
{
    while (name.len && text.len >= name.len) {
        ptrdiff_t at = sb_slice_find(text, name);
        size_t end;

        if (at < 0)
            return false;
        end = (size_t)at + name.len;
        if ((at == 0 || !(is_word_char(text.ptr[at - 1]) || text.ptr[at - 1] == '.')) &&
            (end == text.len ||
             !(is_word_char(text.ptr[end]) ||
               (text.ptr[end] == '.' && end + 1 < text.len && is_word_char(text.ptr[end + 1])))))
            return true;
        text = sb_slice_sub(text, (size_t)at + 1, text.len);
    }
    return false;
}

/* What stands behind the commands of the pipeline: past quotes and redirects, to the next separator. */
static size_t behind(sb_slice text, size_t at)
{
    while (at < text.len && !strchr(";\n&|)", text.ptr[at])) {
        char c = text.ptr[at++];

        if (c == '"' || c == '\'') {
            while (at < text.len && text.ptr[at] != c)
                at++;
            at += at < text.len;
        } else if (c == '>' || c == '<') {
            while (at < text.len && (text.ptr[at] == '&' || text.ptr[at] == '|'))
                at++;
        }
    }
    return at;
}

/* `check; next` without set -e goes on whatever the check says. Where that cannot be told, it is no reproach.
 */
static bool can_fail(const sb_execute *x, const sb_sh_command *cmd)
{
    static const char *const closing[] = {"then", "do", "done", "fi", "else", "elif", "esac", "}"};
    const sb_sh_reading *reading = &x->run->reading;
    sb_slice text = x->run->text, rest;
    size_t at = cmd->span.end;

    if (cmd->ignored)
        return false;
    if (x->errexit || cmd->place != SB_SH_PLACE_TOP || cmd->inside >= 0 || cmd->function)
        return true;
    for (size_t i = 0; i < cmd->file_count; i++)
        if (sb_slice_starts(cmd->files[i].op, SB_LIT("<<")) && cmd->files[i].op.len < 4 &&
            !sb_slice_eqz(cmd->files[i].op, "<<<"))
            return true;
    for (size_t i = 0; i < reading->count; i++)
        if (reading->commands[i].pipeline == cmd->pipeline && reading->commands[i].span.end > at)
            at = reading->commands[i].span.end;
    if (at > text.len)
        return true;
    at = behind(text, at);
    if (at == text.len || (text.ptr[at] != ';' && text.ptr[at] != '\n'))
        return true;
    rest = sb_slice_trim(sb_slice_sub(text, at + 1, text.len));
    for (size_t i = 0; i < SB_COUNT(closing); i++)
        if (sb_slice_starts(rest, sb_slice_z(closing[i])))
            return true;
    return rest.len == 0 ||
           sb_slice_find(sb_slice_sub(rest, 0, rest.len < 40 ? rest.len : 40), SB_LIT("$?")) >= 0;
}

static void mark(sb_execute *x, int origin, sb_origin_check check)
{
    if (origin >= 0)
        sb_execute_checked(x, origin, x->can_fail ? check : SB_CHECK_IGNORED);
}

static void mark_all(sb_execute *x, sb_origin_check check)
{
    for (size_t i = 0; i < x->files->count; i++)
        mark(x, x->files->items[i].origin, check);
}

/* How good is a check of `origin` with this list? */
static sb_origin_check check_by(const sb_execute *x, const list *l, int origin, sb_origin_check check)
{
    const sb_origin *from, *of;

    if (l->origin < 0 || origin < 0 || check < SB_CHECK_SAME_PLACE)
        return check;
    from = &x->origins[l->origin];
    of = &x->origins[origin];
    if (from->check == SB_CHECK_GOOD || !sb_slice_eq(sb_fetch_host(from->url), sb_fetch_host(of->url)))
        return check;
    return SB_CHECK_SAME_PLACE;
}

static void mark_listed(sb_execute *x, const list *l, sb_origin_check check)
{
    bool found = false, open = l->open;

    for (size_t i = 0; i < x->files->count; i++) {
        const sb_named *f = &x->files->items[i];
        sb_slice base = sb_path_base(f->path);
        bool named = false;

        for (size_t j = 0; f->origin >= 0 && f->origin != l->origin && !named && j < l->count; j++)
            named = mentions(l->texts[j], base);
        if (named)
            mark(x, f->origin, check_by(x, l, f->origin, check));
        found |= named;
    }
    for (size_t j = 0; j < l->count; j++)
        open |= sb_slice_chr(l->texts[j], '$') >= 0 || sb_slice_chr(l->texts[j], '`') >= 0;
    if (!found && open) /* it may name any of them */
        for (size_t i = 0; i < x->files->count; i++)
            if (x->files->items[i].origin >= 0 && x->files->items[i].origin != l->origin)
                mark(x, x->files->items[i].origin, check_by(x, l, x->files->items[i].origin, check));
}

static void add_text(sb_execute *x, list *l, sb_slice text)
{
    if (l->count < TEXTS_MAX)
        l->texts[l->count++] = sb_plain_vars(x->lint->arena, text);
    else
        l->open = true;
}

static void add_heredocs(sb_execute *x, list *l, const sb_sh_command *cmd)
{
    for (size_t i = 0; i < cmd->file_count; i++)
        if (sb_slice_starts(cmd->files[i].op, SB_LIT("<<")))
            add_text(x, l, cmd->files[i].target.text);
}

static void add_list_file(sb_execute *x, list *l, const sb_sh_command *cmd, sb_slice written)
{
    const sb_named *f = sb_files_find(x->files, sb_files_path(x->lint->arena, cmd->directory, written));

    if (!f) {
        l->open = true;
    } else if (f->origin >= 0) {
        l->origin = f->origin;
        l->open = true;
    } else {
        add_text(x, l, f->text);
    }
}

/* A command that writes into the pipe from which the list is read. */
static void add_writer(sb_execute *x, list *l, const sb_sh_command *cmd)
{
    bool says = sb_sh_is(cmd, "echo") || sb_sh_is(cmd, "printf");

    add_heredocs(x, l, cmd);
    if (!says && !(sb_sh_is(cmd, "cat") && cmd->count == 1))
        l->open = true;
    for (size_t i = 1; i < cmd->count; i++) {
        const sb_named *f;

        add_text(x, l, cmd->args[i].text);
        if (says || cmd->args[i].text.len == 0 || cmd->args[i].text.ptr[0] == '-')
            continue;
        f = sb_files_find(x->files, sb_files_path(x->lint->arena, cmd->directory, cmd->args[i].text));
        if (f && f->origin >= 0)
            l->origin = f->origin;
        else if (f)
            add_text(x, l, f->text);
    }
}

/* sha256sum -c and its kin. */
static void check_list(sb_execute *x, size_t index, sb_flow in, const sb_flow *args, sb_origin_check check)
{
    const sb_sh_command *cmds = x->run->reading.commands, *cmd = &cmds[index];
    list l = {.origin = -1};
    bool from_input = true;

    for (size_t i = 1; i < cmd->count; i++) {
        sb_slice text = cmd->args[i].text;

        if (text.len == 0 || text.ptr[0] == '-' || sb_slice_eqz(text, "/dev/stdin"))
            continue;
        if (sb_slice_eqz(cmd->args[i - 1].text, "-a") || sb_slice_eqz(cmd->args[i - 1].text, "--algorithm"))
            continue;
        from_input = false;
        if (cmd->args[i].fetched) { /* <(…) */
            l.open = true;
            if (args[i].origin >= 0)
                l.origin = args[i].origin;
            for (ptrdiff_t c = x->first[index]; c >= 0; c = x->next[c])
                add_writer(x, &l, &cmds[c]);
        } else {
            add_list_file(x, &l, cmd, text);
        }
    }
    if (from_input) {
        add_heredocs(x, &l, cmd);
        for (size_t i = 0; i < cmd->file_count; i++)
            if (sb_slice_eqz(cmd->files[i].op, "<"))
                add_list_file(x, &l, cmd, cmd->files[i].target.text);
        for (size_t i = 0; i < index; i++)
            if (cmds[i].pipeline == cmd->pipeline && cmds[i].position < cmd->position)
                add_writer(x, &l, &cmds[i]);
        if (in.origin >= 0)
            l.origin = in.origin;
    } else if (in.origin >= 0 && !in.digest) {
        mark(x, in.origin, check_by(x, &l, in.origin, check));
    }
    mark_listed(x, &l, check);
}

/* Files that the command's words name, and what it reads. */
static void mark_operands(sb_execute *x, const sb_sh_command *cmd, sb_flow in)
{
    static const char *const suffixes[] = {".asc", ".sig", ".sign", ".gpg", ".minisig"};
    bool found = false, open = false;

    for (size_t i = 1; i < cmd->count; i++) {
        sb_slice text = cmd->args[i].text;
        const sb_named *f;
        sb_slice path;

        if (text.len == 0 || text.ptr[0] == '-')
            continue;
        path = sb_files_path(x->lint->arena, cmd->directory, text);
        f = sb_files_find(x->files, path);
        if (f)
            mark(x, f->origin, SB_CHECK_GOOD);
        found |= f && f->origin >= 0;
        for (size_t j = 0; j < SB_COUNT(suffixes); j++) {
            sb_slice suffix = sb_slice_z(suffixes[j]);

            if (!sb_slice_ends(path, suffix))
                continue;
            f = sb_files_find(x->files, sb_slice_sub(path, 0, path.len - suffix.len));
            if (f)
                mark(x, f->origin, SB_CHECK_GOOD);
        }
        open |= !cmd->args[i].known && !cmd->args[i].fetched;
    }
    if (in.origin >= 0)
        mark(x, in.origin, SB_CHECK_GOOD);
    else if (!found && open)
        mark_all(x, SB_CHECK_GOOD);
}

/* --- Which commands --- */

typedef enum tool { NO_TOOL, CHECKSUM, SIGNATURE, COMPARE } tool;

static sb_origin_check strength_of_words(const sb_sh_command *cmd)
{
    static const char *const weak[] = {"md5", "-md5", "sha1", "-sha1", "crc", "sysv", "bsd", "1", "-a1"};

    for (size_t i = 0; i < SB_COUNT(weak); i++)
        if (sb_sh_has_word(cmd, weak[i]))
            return SB_CHECK_WEAK;
    return SB_CHECK_GOOD;
}

/* Checksum programs; *ret_list: it compares with a list. */
static bool is_checksum(const sb_sh_command *cmd, sb_origin_check *ret_check, bool *ret_list)
{
    static const char *const good[] = {"sha256sum", "sha512sum", "sha384sum", "sha224sum", "b2sum",
                                       "b3sum",     "sha256",    "sha512",    "rhash"};
    static const char *const weak[] = {"md5sum", "sha1sum", "md5", "sha1"};
    bool known = false;

    *ret_check = SB_CHECK_GOOD;
    *ret_list = sb_sh_has_option(cmd, "-c", NULL) || sb_sh_has_option(cmd, "--check", NULL);
    for (size_t i = 0; i < SB_COUNT(good); i++)
        known |= sb_slice_eqz(cmd->name, good[i]);
    for (size_t i = 0; !known && i < SB_COUNT(weak); i++)
        if (sb_slice_eqz(cmd->name, weak[i])) {
            *ret_check = SB_CHECK_WEAK;
            known = true;
        }
    if (sb_sh_is(cmd, "shasum") || sb_sh_is(cmd, "cksum")) {
        bool chosen = sb_sh_has_letter(cmd, 'a') || sb_sh_has_option(cmd, "--algorithm", NULL);

        *ret_check = chosen ? strength_of_words(cmd) : *ret_list ? SB_CHECK_GOOD : SB_CHECK_WEAK;
        return true;
    }
    if (sb_sh_is(cmd, "openssl") && !sb_sh_has_option(cmd, "-verify", NULL) && cmd->count > 1) {
        sb_slice verb = cmd->args[1].text;

        *ret_check = strength_of_words(cmd);
        *ret_list = false;
        return sb_slice_eqz(verb, "dgst") || sb_slice_eqz(verb, "md5") ||
               sb_slice_starts(verb, SB_LIT("sha")) || sb_slice_starts(verb, SB_LIT("blake2"));
    }
    return known;
}

static bool is_signature(const sb_sh_command *cmd)
{
    if (cmd->name.len < 2)
        return false;
    switch (cmd->name.ptr[0]) {
    case 'a':
        return sb_sh_is(cmd, "apksigner") && sb_sh_has_word(cmd, "verify");
    case 'c':
        return sb_sh_is(cmd, "cosign") && sb_sh_has_word(cmd, "verify-blob");
    case 'd':
        return sb_sh_is(cmd, "debsig-verify") ||
               (sb_sh_is(cmd, "dpkg-sig") && sb_sh_has_word(cmd, "--verify"));
    case 'g':
        if (sb_sh_is(cmd, "gpgv") || sb_sh_is(cmd, "gpgv2"))
            return true;
        if (sb_sh_is(cmd, "gh"))
            return sb_sh_has_word(cmd, "attestation") && sb_sh_has_word(cmd, "verify");
        return (sb_sh_is(cmd, "gpg") || sb_sh_is(cmd, "gpg2")) &&
               (sb_sh_has_word(cmd, "--verify") || sb_sh_has_word(cmd, "--decrypt") ||
                sb_sh_has_word(cmd, "-d"));
    case 'j':
        return sb_sh_is(cmd, "jarsigner") && sb_sh_has_word(cmd, "-verify");
    case 'm':
        return sb_sh_is(cmd, "minisign") && sb_sh_has_letter(cmd, 'V');
    case 'o':
        return sb_sh_is(cmd, "openssl") && sb_sh_has_word(cmd, "-verify");
    case 'r':
        return (sb_sh_is(cmd, "rpm") || sb_sh_is(cmd, "rpmkeys")) &&
               (sb_sh_has_word(cmd, "-K") || sb_sh_has_word(cmd, "--checksig"));
    case 's':
        if (sb_sh_is(cmd, "signify") || sb_sh_is(cmd, "signify-openbsd"))
            return sb_sh_has_letter(cmd, 'V') || sb_sh_has_letter(cmd, 'C');
        if (sb_sh_is(cmd, "slsa-verifier"))
            return sb_sh_has_word(cmd, "verify-artifact");
        if (sb_sh_is(cmd, "ssh-keygen"))
            return sb_sh_has_word(cmd, "-Y") && sb_sh_has_word(cmd, "verify");
        return sb_sh_is(cmd, "sqv") || (sb_sh_is(cmd, "sq") && sb_sh_has_word(cmd, "verify"));
    default:
        return false;
    }
}

static bool is_comparison(const sb_sh_command *cmd)
{
    static const char *const names[] = {"[", "[[", "test", "grep", "egrep", "fgrep", "cmp", "diff"};

    for (size_t i = 0; i < SB_COUNT(names); i++)
        if (sb_slice_eqz(cmd->name, names[i]))
            return true;
    return false;
}

/* The checksum of which file does it print? */
static sb_flow printed(sb_execute *x, const sb_sh_command *cmd, sb_flow in, sb_origin_check check)
{
    for (size_t i = 1; i < cmd->count; i++) {
        sb_slice text = cmd->args[i].text;
        const sb_named *f;

        if (text.len == 0 || text.ptr[0] == '-')
            continue;
        f = sb_files_find(x->files, sb_files_path(x->lint->arena, cmd->directory, text));
        if (f && f->origin >= 0)
            return (sb_flow){f->origin, true, check};
    }
    if (in.origin >= 0 && !in.digest)
        return (sb_flow){in.origin, true, check};
    return SB_FLOW_NONE;
}

bool sb_check_read(sb_execute *x, size_t index, sb_flow in, const sb_flow *args, sb_flow *ret_out)
{
    const sb_sh_command *cmd = &x->run->reading.commands[index];
    sb_origin_check check;
    bool listed;

    if (is_comparison(cmd)) {
        x->can_fail = can_fail(x, cmd);
        if (in.digest)
            mark(x, in.origin, in.made);
        for (size_t i = 0; i < cmd->count; i++)
            if (args[i].digest)
                mark(x, args[i].origin, args[i].made);
        return false; /* grep writes what it reads */
    }
    if (is_checksum(cmd, &check, &listed)) {
        *ret_out = SB_FLOW_NONE;
        x->can_fail = can_fail(x, cmd);
        if (listed)
            check_list(x, index, in, args, check);
        else
            *ret_out = printed(x, cmd, in, check);
        return true;
    }
    if (is_signature(cmd)) {
        x->can_fail = can_fail(x, cmd);
        mark_operands(x, cmd, in);
        return false; /* what gpg -d writes is what it read */
    }
    return false;
}

void sb_check_text(sb_execute *x, const sb_sh_command *cmd)
{
    static const char *const checks[] = {"hash_file", "hashlib", "Digest::SHA", "createHash"};
    bool found = false;

    for (size_t i = 1; i < cmd->count && !found; i++)
        for (size_t j = 0; j < SB_COUNT(checks) && !found; j++)
            found = sb_slice_find(cmd->args[i].text, sb_slice_z(checks[j])) >= 0;
    if (!found)
        return;
    x->can_fail = can_fail(x, cmd);
    for (size_t i = 0; i < x->files->count; i++)
        for (size_t j = 1; j < cmd->count; j++)
            if (x->files->items[i].origin >= 0 &&
                mentions(cmd->args[j].text, sb_path_base(x->files->items[i].path)))
                mark(x, x->files->items[i].origin, SB_CHECK_GOOD);
}
