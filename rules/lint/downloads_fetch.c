// SPDX-License-Identifier: Apache-2.0
/*
 * SB601–SB607, SB633: what is downloaded, and whether somebody checks it. Where the bytes go is known from
 * the rules about what is run (execute.h); what is run unchecked is told there, and not once more here.
 */
#include <lock/verify_comment.h>
#include <rules/lint/downloads.h>
#include <rules/lint/execute.h>

/* --- What needs no check of its own --- */

/* Signatures and lists of checksums are what others are checked with. */
static bool is_proof(sb_slice name)
{
    static const char *const ends[] = {".asc",    ".sig",    ".sign",      ".minisig",   ".sigstore",
                                       ".sha256", ".sha512", ".sha256sum", ".sha512sum", ".sha1",
                                       ".md5",    ".sum",    ".pem"};
    static const char *const parts[] = {"SHA256SUMS", "SHA512SUMS", "SHASUMS",  "checksums",
                                        "CHECKSUMS",  "sha256sum",  "sha512sum"};

    for (size_t i = 0; i < SB_COUNT(ends); i++)
        if (sb_slice_ends(name, sb_slice_z(ends[i])))
            return true;
    for (size_t i = 0; i < SB_COUNT(parts); i++)
        if (sb_slice_find(name, sb_slice_z(parts[i])) >= 0)
            return true;
    return false;
}

static bool goes_nowhere(const sb_origin *o)
{
    return o->path.ptr && (sb_slice_starts(o->path, SB_LIT("/dev/")) || sb_slice_eqz(o->path, "-"));
}

/*
 * A function that downloads to "$1" is told apart from none of its calls; a RUN that checks files at all is
 * given the benefit.
 */
static bool is_checked_by_callers(const sb_origin *o)
{
    const sb_sh_reading *reading = &o->run->reading;

    if (!o->command->function || sb_slice_chr(o->path, '$') < 0)
        return false;
    for (size_t i = 0; i < reading->count && i < SB_LINT_AHEAD_MAX; i++)
        if (sb_word_in(reading->commands[i].name, "sha256sum sha512sum sha384sum shasum gpgv") ||
            (sb_word_in(reading->commands[i].name, "gpg gpg2") &&
             sb_sh_has_option(&reading->commands[i], "--verify", NULL)))
            return true;
    return false;
}

/* --- Saying it --- */

static sb_span span_of(sb_lint *lint, const sb_origin *o)
{
    return o->run ? sb_lint_command_span(lint, o->run, o->command) : o->instruction->span;
}

static const char *url_of(sb_lint *lint, const sb_origin *o)
{
    return o->url.ptr ? sb_lint_shown(lint, o->url) : "what is downloaded";
}

static size_t index_of(const sb_origin *o)
{
    return (size_t)(o->command - o->run->reading.commands);
}

/* --- Plain http --- */

static bool is_http(sb_slice url)
{
    return url.len > 7 && sb_slice_eq_nocase(sb_slice_sub(url, 0, 7), SB_LIT("http://")) &&
           !sb_host_is_internal(url);
}

void sb_http_argument(const sb_download *d, const sb_sh_arg *arg, sb_slice url)
{
    if (!d->run->locked && is_http(url))
        sb_lint_say(d->lint, &sb605, sb_lint_arg_span(d->lint, d->run, arg),
                    "%s takes it over plain http from %s", sb_lint_shown(d->lint, d->command->name),
                    sb_lint_shown(d->lint, url));
}

static void look_at_http(sb_lint *lint, const sb_origin *o)
{
    if (!is_http(o->url) || o->locked)
        return;
    if (o->check == SB_CHECK_GOOD)
        sb_lint_say(lint, &sb606, span_of(lint, o), "%s comes over plain http; it is verified",
                    url_of(lint, o));
    else
        sb_lint_say(lint, &sb605, span_of(lint, o),
                    "%s comes over plain http: anybody on the way can change it", url_of(lint, o));
}

/* --- Packages by URL --- */

static bool is_archive(sb_slice url)
{
    static const char *const ends[] = {".whl", ".zip", ".tgz", ".tar.gz", ".tar.bz2", ".tar.xz"};
    static const char *const parts[] = {"/tarball/", "/zipball/", "/archive/"};

    for (size_t i = 0; i < SB_COUNT(ends); i++)
        if (sb_slice_ends(url, sb_slice_z(ends[i])))
            return true;
    for (size_t i = 0; i < SB_COUNT(parts); i++)
        if (sb_slice_find(url, sb_slice_z(parts[i])) >= 0)
            return true;
    return false;
}

/* The URL of "https://…" and of "name @ https://…"; absent: there is none, or git fetches it. */
static sb_slice package_url(sb_slice text, sb_slice *ret_fragment)
{
    ptrdiff_t at = sb_slice_find(text, SB_LIT("https://"));

    if (at < 0)
        at = sb_slice_find(text, SB_LIT("http://"));
    if (at < 0 || (at > 0 && !strchr(" @", text.ptr[at - 1])))
        return SB_NIL;
    *ret_fragment = sb_slice_sub(text, (size_t)at, text.len);
    return sb_slice_cut(ret_fragment, '#');
}

void sb_fetch_package(const sb_download *d)
{
    const sb_sh_command *command = d->command;
    bool installs = false;

    if (d->run->locked)
        return;
    for (size_t i = 1; i < command->count; i++) {
        const sb_sh_arg *arg = &command->args[i];
        sb_slice fragment = SB_NIL, url;

        if (!installs) { /* `python -m pip install`, too */
            installs = sb_word_in(arg->text, "install i add download wheel");
            continue;
        }
        url = package_url(arg->text, &fragment);
        if (!url.ptr || !is_archive(url) || sb_host_is_internal(url))
            continue;
        if (fragment.ptr && (sb_slice_find(fragment, SB_LIT("sha256=")) >= 0 ||
                             sb_slice_find(fragment, SB_LIT("sha384=")) >= 0 ||
                             sb_slice_find(fragment, SB_LIT("sha512=")) >= 0))
            continue;
        sb_lint_say(d->lint, &sb601, sb_lint_arg_span(d->lint, d->run, arg),
                    "%s is installed, and nobody checks its bytes", sb_lint_shown(d->lint, url));
    }
}

/* --- RUN --- */

static void look_at_key(sb_lint *lint, const sb_origin *o)
{
    if (o->check >= SB_CHECK_WEAK || sb_key_is_compared(o->run, index_of(o)))
        return;
    sb_lint_say(lint, &sb633, span_of(lint, o),
                "the key from %s is taken as it comes, and nobody checks that it is the right one",
                url_of(lint, o));
}

static void look_at_download(sb_lint *lint, const sb_origin *o)
{
    sb_slice name = o->path.ptr ? sb_path_base(o->path) : SB_NIL;

    if (o->locked || o->said || o->check == SB_CHECK_GOOD || goes_nowhere(o))
        return;
    if (o->key) {
        look_at_key(lint, o);
        return;
    }
    if (is_proof(name) || is_proof(o->url) || is_checked_by_callers(o))
        return;
    if (!o->path.ptr) {
        if (o->unpacked)
            sb_lint_say(lint, &sb604, span_of(lint, o),
                        "%s is unpacked while it comes in, and nobody checks it", url_of(lint, o));
        return; /* an answer that the step reads: a version, a health check */
    }
    switch (o->check) {
    case SB_CHECK_SAME_PLACE:
        sb_lint_say(lint, &sb607, span_of(lint, o), "%s is checked against a list from the same place only",
                    url_of(lint, o));
        break;
    case SB_CHECK_WEAK:
        sb_lint_say(lint, &sb601, span_of(lint, o),
                    "%s is checked with MD5 or SHA-1 only, which can be fooled", url_of(lint, o));
        break;
    case SB_CHECK_IGNORED:
        sb_lint_say(lint, &sb601, span_of(lint, o), "%s is checked, but the step goes on when that fails",
                    url_of(lint, o));
        break;
    case SB_CHECK_NONE:
    case SB_CHECK_GOOD:
        sb_lint_say(lint, &sb601, span_of(lint, o), "%s is downloaded, and nobody checks its bytes",
                    url_of(lint, o));
        break;
    }
}

/* --- ADD --- */

static bool has_verify_comment(sb_lint *lint, const sb_df_instruction *ins)
{
    SB_AUTO(sb_error) malformed = NULL;
    sb_demand *demands;
    size_t count = 0;

    return sb_verify_comments_of(lint->arena, lint->df, ins, &demands, &count, &malformed) < 0 || count > 0;
}

static void look_at_add(sb_lint *lint, const sb_origin *o)
{
    if (o->said || o->check >= SB_CHECK_WEAK || is_proof(o->url) || has_verify_comment(lint, o->instruction))
        return;
    if (o->locked)
        sb_lint_say(lint, &sb603, span_of(lint, o), "ADD %s is locked as it was found on first use",
                    url_of(lint, o));
    else
        sb_lint_say(lint, &sb602, span_of(lint, o), "ADD %s has no --checksum, and nobody checks its bytes",
                    url_of(lint, o));
}

void sb_lint_fetched(sb_lint *lint)
{
    const sb_execute *flow = sb_lint_flow(lint);
    const sb_origin *before = NULL;

    for (size_t i = 0; i < flow->origin_count; i++) {
        const sb_origin *o = &flow->origins[i];

        if (o->at_start)
            continue;
        /* Several files of one command are one finding. */
        if (before && o->command && before->command == o->command && before->check == o->check)
            continue;
        if (o->run && o->command)
            look_at_download(lint, o);
        else if (!o->run)
            look_at_add(lint, o);
        look_at_http(lint, o);
        before = o;
    }
}
