// SPDX-License-Identifier: Apache-2.0
/* Commands that download: what, and where to. */
#include <rules/lint/execute.h>
#include <rules/lint/options.h>

typedef void (*reader)(const sb_sh_command *cmd, sb_arena *arena, sb_fetch *ret_fetch);

/* --- What is common --- */

sb_slice sb_fetch_host(sb_slice url)
{
    sb_slice host = sb_url_host(url);

    return host.ptr ? sb_slice_cut(&host, ':') : SB_LIT("");
}

/* A server in the step itself, or a file: nothing is fetched. */
static bool is_local(sb_slice url)
{
    sb_slice host = sb_fetch_host(url);

    return sb_slice_starts(url, SB_LIT("file:")) || sb_slice_eqz(host, "localhost") ||
           sb_slice_starts(host, SB_LIT("127.")) || sb_slice_eqz(host, "0.0.0.0");
}

void sb_fetch_add_file(sb_fetch *fetch, sb_slice name)
{
    if (name.len && fetch->file_count < SB_FETCH_FILES_MAX)
        fetch->files[fetch->file_count++] = name;
}

static bool is_output(sb_slice name)
{
    return sb_slice_eqz(name, "-") || sb_slice_eqz(name, "/dev/stdout") ||
           sb_slice_eqz(name, "/proc/self/fd/1");
}

/* The name that a download gets from its URL. */
static sb_slice name_of_url(sb_slice url, bool keep_query)
{
    ptrdiff_t at = sb_slice_find(url, SB_LIT("://"));
    sb_slice path = at < 0 ? url : sb_slice_sub(url, (size_t)at + 3, url.len), base = sb_path_base(path);
    ptrdiff_t end = sb_slice_chr(base, '#');

    if (base.len == path.len) /* a host alone; or a variable that holds all of it */
        return path.len && path.ptr[0] == '$' && at < 0 ? path : SB_LIT("");
    if (end < 0 && !keep_query)
        end = sb_slice_chr(base, '?');
    return end < 0 ? base : sb_slice_sub(base, 0, (size_t)end);
}

static sb_slice in_directory(sb_arena *arena, sb_slice directory, sb_slice name)
{
    if (directory.len == 0 || name.len == 0)
        return name;
    return sb_arena_printf(arena, "%" SB_FMT "/%" SB_FMT, SB_ARG(directory), SB_ARG(name));
}

void sb_fetch_add_url(sb_fetch *fetch, sb_slice url)
{
    if (!fetch->url.ptr)
        fetch->url = url;
}

/* --- The programs --- */

enum { URLS_MAX = 32 };

/* All values that an option's word may have: -o "$file" in a loop. */
static void add_values(const sb_options *w, const sb_option *o, sb_slice *list, size_t *count)
{
    if (o->value.ptr && *count < SB_FETCH_FILES_MAX)
        list[(*count)++] = o->value;
    for (size_t i = o->arg + 1; o->arg && i < w->at && *count < SB_FETCH_FILES_MAX; i++)
        list[(*count)++] = w->command->args[i].text;
}

static void read_curl(const sb_sh_command *cmd, sb_arena *arena, sb_fetch *ret_fetch)
{
    static const char long_values[] =
        "--output --output-dir --url --header --user-agent --data --data-raw --data-binary "
        "--data-urlencode --form --user --proxy --proxy-user --retry --retry-delay "
        "--retry-max-time --max-time --connect-timeout --cacert --capath --cert --key "
        "--request --referer --cookie --cookie-jar --write-out --range --tls-max --proto "
        "--proto-default --proto-redir --ciphers --limit-rate --resolve --interface --config "
        "--netrc-file --oauth2-bearer --dump-header --max-redirs --speed-limit --speed-time "
        "--upload-file --stderr --max-filesize --keepalive-time --noproxy --continue-at";
    sb_options w = {
        .command = cmd, .with_value = "AbcCdDeEFHhKmoPQrtTuUwxXyYz", .long_with_value = long_values, .at = 1};
    sb_slice urls[URLS_MAX], outputs[SB_FETCH_FILES_MAX], directory = SB_NIL;
    size_t url_count = 0, output_count = 0, named = 0;
    bool remote = false, head = false;
    sb_option o;

    while (sb_option_next(&w, &o)) {
        if (sb_option_is_operand(&o) || sb_option_is(&o, 0, "--url")) {
            if (o.value.len && url_count < URLS_MAX)
                urls[url_count++] = o.value;
        } else if (sb_option_is(&o, 'o', "--output")) {
            add_values(&w, &o, outputs, &output_count);
        } else if (sb_option_is(&o, 'O', "--remote-name") || sb_option_is(&o, 0, "--remote-name-all")) {
            remote = true;
        } else if (sb_option_is(&o, 0, "--output-dir")) {
            directory = o.value;
        } else if (sb_option_is(&o, 'I', "--head")) {
            head = true;
        }
    }
    if (head || (url_count == 0 && !sb_sh_is_wrapped(cmd, "xargs")))
        return;
    if (url_count)
        sb_fetch_add_url(ret_fetch, urls[0]);
    for (size_t i = 0; i < output_count; i++, named++) {
        if (is_output(outputs[i]))
            ret_fetch->to_output = true;
        else
            sb_fetch_add_file(ret_fetch, in_directory(arena, directory, outputs[i]));
    }
    for (size_t i = named; i < url_count; i++) {
        if (remote)
            sb_fetch_add_file(ret_fetch, in_directory(arena, directory, name_of_url(urls[i], false)));
        else
            ret_fetch->to_output = true;
    }
    if (url_count == 0 && output_count == 0 && !remote)
        ret_fetch->to_output = true;
}

static void read_wget(const sb_sh_command *cmd, sb_arena *arena, sb_fetch *ret_fetch)
{
    static const char long_values[] =
        "--output-document --directory-prefix --input-file --header --user-agent --tries "
        "--timeout --wait --user --password --output-file --append-output --post-data "
        "--execute --ca-certificate --secure-protocol --waitretry --limit-rate --referer "
        "--read-timeout --connect-timeout --dns-timeout --accept --reject --cut-dirs";
    sb_options w = {
        .command = cmd, .with_value = "aBDeiloOPQRtTUwXAI", .long_with_value = long_values, .at = 1};
    sb_slice directory = SB_NIL, urls[URLS_MAX], to[SB_FETCH_FILES_MAX];
    size_t url_count = 0, to_count = 0;
    bool listed = false;
    sb_option o;

    while (sb_option_next(&w, &o)) {
        if (sb_option_is_operand(&o)) {
            if (o.value.len && url_count < URLS_MAX)
                urls[url_count++] = o.value;
        } else if (sb_option_is(&o, 'O', "--output-document")) {
            add_values(&w, &o, to, &to_count);
        } else if (sb_option_is(&o, 'P', "--directory-prefix")) {
            directory = o.value;
        } else if (sb_option_is(&o, 'i', "--input-file")) {
            listed = true;
        } else if (sb_option_is(&o, 0, "--spider")) {
            return;
        }
    }
    if (url_count == 0 && !listed && !sb_sh_is_wrapped(cmd, "xargs"))
        return;
    if (url_count)
        sb_fetch_add_url(ret_fetch, urls[0]);
    for (size_t i = 0; i < to_count; i++) { /* -P does not count then */
        if (is_output(to[i]))
            ret_fetch->to_output = true;
        else
            sb_fetch_add_file(ret_fetch, to[i]);
    }
    if (to_count)
        return;
    for (size_t i = 0; i < url_count; i++)
        sb_fetch_add_file(ret_fetch, in_directory(arena, directory, name_of_url(urls[i], true)));
}

/* fetch, aria2c, axel: a file by option or from the URL. */
static void read_to_file(const sb_sh_command *cmd, sb_arena *arena, sb_fetch *ret_fetch)
{
    static const char long_values[] =
        "--out --dir --output --header --checksum --split --max-connection-per-server";
    sb_options w = {.command = cmd, .with_value = "odxskjnNBw", .long_with_value = long_values, .at = 1};
    sb_slice directory = SB_NIL, to = SB_NIL, url = SB_NIL;
    sb_option o;

    while (sb_option_next(&w, &o)) {
        if (sb_option_is_operand(&o)) {
            if (sb_slice_find(o.value, SB_LIT("://")) >= 0 || sb_slice_chr(o.value, '$') >= 0)
                url = o.value;
        } else if (sb_option_is(&o, 'o', "--out") || sb_option_is(&o, 0, "--output")) {
            to = o.value;
        } else if (sb_option_is(&o, 'd', "--dir")) {
            directory = o.value;
        } else if (sb_option_is(&o, 0, "--checksum")) {
            ret_fetch->checked = true;
        }
    }
    if (!url.ptr)
        return;
    sb_fetch_add_url(ret_fetch, url);
    if (to.ptr && is_output(to))
        ret_fetch->to_output = true;
    else
        sb_fetch_add_file(ret_fetch, in_directory(arena, directory, to.ptr ? to : name_of_url(url, false)));
}

/* httpie, xh, lynx, links, w3m: to standard output, unless told. */
static void read_to_output(const sb_sh_command *cmd, sb_arena *arena, sb_fetch *ret_fetch)
{
    (void)arena;
    for (size_t i = 1; i < cmd->count; i++) {
        sb_slice text = cmd->args[i].text;

        if ((sb_slice_eqz(text, "-o") || sb_slice_eqz(text, "--output")) && i + 1 < cmd->count)
            sb_fetch_add_file(ret_fetch, cmd->args[++i].text);
        else if (text.len && text.ptr[0] != '-' && sb_slice_chr(text, '.') > 0)
            sb_fetch_add_url(ret_fetch, text);
    }
    if (!ret_fetch->url.ptr)
        ret_fetch->file_count = 0;
    else
        ret_fetch->to_output = ret_fetch->file_count == 0;
}

/* aws s3 cp, gsutil cp, gcloud storage cp, az storage …: from a bucket to a file. */
static void read_bucket(const sb_sh_command *cmd, sb_arena *arena, sb_fetch *ret_fetch)
{
    sb_slice from = SB_NIL;

    (void)arena;
    for (size_t i = 1; i < cmd->count; i++) {
        sb_slice text = cmd->args[i].text;

        if (from.ptr && (text.len == 1 || (text.len && text.ptr[0] != '-'))) {
            sb_fetch_add_url(ret_fetch, from);
            if (is_output(text))
                ret_fetch->to_output = true;
            else if (sb_slice_ends(text, SB_LIT("/")) || sb_slice_eqz(text, "."))
                sb_fetch_add_file(ret_fetch, in_directory(arena, text, name_of_url(from, false)));
            else
                sb_fetch_add_file(ret_fetch, text);
            return;
        }
        if (sb_slice_starts(text, SB_LIT("s3://")) || sb_slice_starts(text, SB_LIT("gs://")))
            from = text;
    }
}

/* deno run https://… fetches a program and runs it. */
static void read_deno(const sb_sh_command *cmd, sb_arena *arena, sb_fetch *ret_fetch)
{
    (void)arena;
    for (size_t i = 1; i < cmd->count; i++)
        if (sb_slice_starts(cmd->args[i].text, SB_LIT("http"))) {
            ret_fetch->runs = true;
            sb_fetch_add_url(ret_fetch, cmd->args[i].text);
        }
}

static reader reader_of(sb_slice name)
{
    static const struct {
        const char *name;
        reader read;
        bool versions; /* python3, php8.2 as well */
    } table[] = {
        {"curl", read_curl, false},           {"wget", read_wget, false},
        {"wget2", read_wget, false},          {"fetch", read_to_file, false},
        {"aria2c", read_to_file, false},      {"axel", read_to_file, false},
        {"http", read_to_output, false},      {"https", read_to_output, false},
        {"xh", read_to_output, false},        {"lynx", read_to_output, false},
        {"links", read_to_output, false},     {"elinks", read_to_output, false},
        {"w3m", read_to_output, false},       {"aws", read_bucket, false},
        {"gsutil", read_bucket, false},       {"gcloud", read_bucket, false},
        {"python", sb_fetch_read_text, true}, {"php", sb_fetch_read_text, true},
        {"perl", sb_fetch_read_text, true},   {"ruby", sb_fetch_read_text, true},
        {"node", sb_fetch_read_text, false},  {"deno", read_deno, false},
    };

    if (name.len < 2)
        return NULL;
    for (size_t i = 0; i < SB_COUNT(table); i++) {
        const char *z = table[i].name;
        size_t len;

        if (z[0] != name.ptr[0] || z[1] != name.ptr[1])
            continue;
        len = strlen(z);
        if (name.len >= len && memcmp(name.ptr, z, len) == 0 &&
            (name.len == len ||
             (table[i].versions && strspn(name.ptr + len, "0123456789.") >= name.len - len)))
            return table[i].read;
    }
    return NULL;
}

bool sb_fetch_by_name(sb_slice name)
{
    return reader_of(name) != NULL || sb_slice_eqz(name, "busybox") || sb_slice_eqz(name, "toybox");
}

bool sb_fetch_read(const sb_sh_command *cmd, sb_arena *arena, sb_fetch *ret_fetch)
{
    sb_sh_command inner = *cmd;
    reader read;

    *ret_fetch = (sb_fetch){0};
    if ((sb_slice_eqz(cmd->name, "busybox") || sb_slice_eqz(cmd->name, "toybox")) && cmd->count > 1) {
        inner.name = cmd->args[1].text;
        inner.args++;
        inner.count--;
    }
    read = reader_of(inner.name);
    if (!read)
        return false;
    read(&inner, arena, ret_fetch);
    if (ret_fetch->url.ptr && is_local(ret_fetch->url))
        return false;
    return ret_fetch->file_count || ret_fetch->to_output || ret_fetch->runs;
}
