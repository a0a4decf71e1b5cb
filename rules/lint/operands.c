// SPDX-License-Identifier: Apache-2.0
#include <rules/lint/operands.h>

enum { SHOWN_MAX = 100 };

void sb_buf_add_shown(sb_buf *buf, sb_slice text, size_t max_len)
{
    ptrdiff_t scheme = sb_slice_find(text, SB_LIT("://")), at;
    size_t end = 0, begin;

    if (scheme < 0) {
        sb_buf_add_printable(buf, text, max_len);
        return;
    }
    begin = (size_t)scheme + 3;
    sb_buf_add_printable(buf, sb_slice_sub(text, 0, begin), max_len);
    text = sb_slice_sub(text, begin, text.len);
    while (end < text.len && !strchr("/ ?", text.ptr[end]))
        end++;
    at = sb_slice_rchr(sb_slice_sub(text, 0, end), '@');
    text = sb_slice_sub(text, (size_t)(at + 1), text.len);
    for (end = 0; end < text.len && text.ptr[end] != '?';)
        end++;
    sb_buf_add_printable(buf, sb_slice_sub(text, 0, end), max_len);
}

const char *sb_lint_shown(sb_lint *lint, sb_slice text)
{
    sb_autobuf buf = SB_BUF_INIT(20 * SHOWN_MAX);

    sb_buf_add_shown(&buf, text, SHOWN_MAX);
    return sb_arena_strdup(lint->arena, sb_buf_slice(&buf));
}

bool sb_sh_is_option(const sb_sh_arg *arg)
{
    return arg->text.len > 1 && arg->text.ptr[0] == '-';
}

/* "-r", and "-qr", in which only the last of several short options can have a value in the next word. */
static bool takes_next(sb_slice option, const char *const *with_value)
{
    bool cluster = option.len > 2 && option.ptr[1] != '-';

    for (size_t i = 1; i < option.len && cluster; i++)
        cluster =
            (option.ptr[i] >= 'a' && option.ptr[i] <= 'z') || (option.ptr[i] >= 'A' && option.ptr[i] <= 'Z');
    for (const char *const *o = with_value; o && *o; o++)
        if (sb_slice_eqz(option, *o) ||
            (cluster && (*o)[1] == option.ptr[option.len - 1] && (*o)[1] != '-' && (*o)[2] == '\0'))
            return true;
    return false;
}

const sb_sh_arg *sb_operand_next(sb_operands *walk)
{
    const sb_sh_command *command = walk->command;

    while (walk->at < command->count) {
        const sb_sh_arg *arg = &command->args[walk->at++];

        if (walk->only || !sb_sh_is_option(arg))
            return arg;
        if (sb_slice_eqz(arg->text, "--")) {
            walk->only = true;
            continue;
        }
        if (takes_next(arg->text, walk->with_value))
            walk->at++;
    }
    return NULL;
}

bool sb_word_in(sb_slice word, const char *words)
{
    sb_slice rest = sb_slice_z(words);

    while (rest.ptr)
        if (sb_slice_eq(sb_slice_cut(&rest, ' '), word))
            return true;
    return false;
}

/* --- What moves --- */

static bool all_of(sb_slice text, const char *set)
{
    for (size_t i = 0; i < text.len; i++)
        if (!strchr(set, text.ptr[i]))
            return false;
    return text.len > 0;
}

static bool any_of(sb_slice text, const char *set)
{
    for (size_t i = 0; i < text.len; i++)
        if (strchr(set, text.ptr[i]))
            return true;
    return false;
}

sb_git_ref_kind sb_git_ref_kind_of(sb_slice ref)
{
    if (!ref.len)
        return SB_GIT_REF_BRANCH;
    if (any_of(ref, "$`"))
        return SB_GIT_REF_UNKNOWN;
    if (ref.len >= 7 && ref.len <= 64 && all_of(ref, "0123456789abcdefABCDEF"))
        return SB_GIT_REF_COMMIT;
    if (sb_slice_starts(ref, SB_LIT("refs/tags/")))
        return SB_GIT_REF_TAG;
    if (sb_slice_starts(ref, SB_LIT("refs/")) || !any_of(ref, "0123456789"))
        return SB_GIT_REF_BRANCH;
    return SB_GIT_REF_TAG;
}

/* "latest" as a word of its own: "latest.tar.gz", "Miniconda3-latest-Linux", "tool_latest". */
static bool has_latest(sb_slice name)
{
    sb_slice word = SB_LIT("latest");

    for (size_t i = 0; i + word.len <= name.len; i++) {
        size_t end = i + word.len;

        if (sb_ascii_lower(name.ptr[i]) == 'l' && sb_slice_eq_nocase(sb_slice_sub(name, i, end), word) &&
            (i == 0 || strchr("-_.", name.ptr[i - 1])) && (end == name.len || strchr("-_.", name.ptr[end])))
            return true;
    }
    return false;
}

static bool is_branch_name(sb_slice name)
{
    static const char *const ends[] = {".zip", ".tar.gz", ".tgz", ".tar.xz", ".tar.bz2", ".tar"};

    for (size_t i = 0; i < SB_COUNT(ends); i++)
        if (sb_slice_ends(name, sb_slice_z(ends[i]))) {
            name.len -= strlen(ends[i]);
            break;
        }
    return sb_word_in(name, "master main develop trunk HEAD");
}

bool sb_url_moves(sb_slice url, sb_slice *ret_word)
{
    ptrdiff_t scheme = sb_slice_find(url, SB_LIT("://"));
    sb_slice rest, host, before = SB_NIL;
    size_t end = 0;
    bool raw;

    if (scheme < 0)
        return false;
    rest = sb_slice_sub(url, (size_t)scheme + 3, url.len);
    while (end < rest.len && rest.ptr[end] != '?' && rest.ptr[end] != '#')
        end++;
    rest.len = end;
    host = sb_slice_cut(&rest, '/');
    raw = sb_slice_starts(host, SB_LIT("raw.")); /* "raw.HOST/OWNER/REPOSITORY/BRANCH/FILE" */
    for (size_t i = 0; rest.ptr; i++) {
        sb_slice name = sb_slice_cut(&rest, '/');
        bool names_ref =
            (raw && i == 2) || sb_word_in(before, "archive raw blob heads tree tarball zipball raw-file");

        /* A directory of the day's builds may be followed by the day. */
        if (has_latest(name) || (names_ref && is_branch_name(name)) || sb_slice_eqz(name, "stable.txt") ||
            (sb_slice_eqz(name, "nightly") && rest.ptr && sb_slice_find(rest, SB_LIT("20")) < 0)) {
            *ret_word = name;
            return true;
        }
        before = name;
    }
    return false;
}

/* --- Hosts --- */

/* "example.org" of "https://user@example.org:80/x"; curl takes "example.org:80/x" as well. */
static sb_slice host_of(sb_slice url)
{
    sb_slice host = sb_url_host(url);
    size_t end = 0;

    if (!host.ptr) {
        while (end < url.len && !strchr("/?#", url.ptr[end]))
            end++;
        host = sb_slice_sub(url, 0, end);
        host = sb_slice_sub(host, (size_t)(sb_slice_rchr(host, '@') + 1), host.len);
    }
    return sb_slice_cut(&host, ':');
}

bool sb_host_is_internal(sb_slice url)
{
    static const char *const ends[] = {".local", ".internal",  ".lan",      ".corp",
                                       ".svc",   ".home",      ".intranet", ".localdomain",
                                       ".test",  ".localhost", ".home.arpa"};
    sb_slice host = host_of(url);

    if (sb_slice_chr(host, '.') < 0 || sb_slice_starts(host, SB_LIT("127.")) ||
        sb_slice_starts(host, SB_LIT("10.")) || sb_slice_starts(host, SB_LIT("192.168.")) ||
        sb_slice_eqz(host, "0.0.0.0"))
        return true;
    if (sb_slice_starts(host, SB_LIT("172."))) {
        sb_slice rest = host;
        uint64_t second;

        sb_slice_cut(&rest, '.');
        return sb_slice_to_u64(sb_slice_cut(&rest, '.'), &second) && second >= 16 && second <= 31;
    }
    for (size_t i = 0; i < SB_COUNT(ends); i++)
        if (sb_slice_ends(host, sb_slice_z(ends[i])))
            return true;
    return false;
}
