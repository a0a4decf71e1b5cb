// SPDX-License-Identifier: Apache-2.0
/* SB610–SB621: options that switch verification off. */
#include <rules/lint/downloads.h>

static sb_span span_of(const sb_download *d, const sb_sh_arg *arg)
{
    return sb_lint_arg_span(d->lint, d->run, arg);
}

static sb_finding *say_option(const sb_download *d, const sb_rule *rule, const sb_sh_arg *arg,
                              const char *what)
{
    return sb_lint_say(d->lint, rule, span_of(d, arg), "%s %s %s", sb_lint_shown(d->lint, d->command->name),
                       sb_lint_shown(d->lint, arg->text), what);
}

/* A continued line that holds nothing but this: the whole line. */
static bool is_whole_line(const sb_dockerfile *df, sb_span *span)
{
    size_t start = span->start, end = span->end;

    while (start > 0 && strchr(" \t", df->text.ptr[start - 1]))
        start--;
    while (end < df->text.len && df->text.ptr[end] == ' ')
        end++;
    if (start == 0 || df->text.ptr[start - 1] != '\n' || end + 1 >= df->text.len ||
        df->text.ptr[end] != df->escape || df->text.ptr[end + 1] != '\n')
        return false;
    *span = (sb_span){start, end + 2};
    return true;
}

/* Takes an option out of the file, with the blank before it, when it stands there just like that. */
static void drop(const sb_download *d, sb_finding *finding, const sb_sh_arg *arg)
{
    sb_slice text = d->lint->df->text;
    sb_span span = span_of(d, arg);

    if (!finding || d->run->instruction->json || span.end > text.len || span.start >= span.end ||
        !sb_slice_eq(sb_slice_sub(text, span.start, span.end), arg->text))
        return;
    if (!is_whole_line(d->lint->df, &span) && span.start > 1 && text.ptr[span.start - 1] == ' ')
        span.start--;
    sb_lint_edit(d->lint, finding, span, SB_LIT(""));
}

/* "-fkL" without its k. */
static void drop_letter(const sb_download *d, sb_finding *finding, const sb_sh_arg *arg, char letter)
{
    sb_slice text = d->lint->df->text;
    sb_span span = span_of(d, arg);
    ptrdiff_t at = sb_slice_chr(arg->text, letter);

    if (arg->text.len == 2) {
        drop(d, finding, arg);
        return;
    }
    if (finding && !d->run->instruction->json && at > 0 && span.end <= text.len && span.start < span.end &&
        sb_slice_eq(sb_slice_sub(text, span.start, span.end), arg->text))
        sb_lint_edit(d->lint, finding, (sb_span){span.start + (size_t)at, span.start + (size_t)at + 1},
                     SB_LIT(""));
}

/* Is every URL of the command one of the machine itself? */
static bool is_local(const sb_sh_command *command)
{
    bool any = false;

    for (size_t i = 1; i < command->count; i++) {
        sb_slice text = command->args[i].text;
        ptrdiff_t scheme = sb_slice_find(text, SB_LIT("://"));
        sb_slice host = scheme > 0 ? sb_slice_sub(text, (size_t)scheme + 3, text.len) : text;

        if (sb_slice_starts(host, SB_LIT("localhost")) || sb_slice_starts(host, SB_LIT("127.")) ||
            sb_slice_starts(host, SB_LIT("[::1]")))
            any = true;
        else if (scheme > 0)
            return false;
    }
    return any;
}

static const sb_sh_arg *find_arg(const sb_sh_command *command, const char *words)
{
    for (size_t i = 1; i < command->count; i++)
        if (sb_word_in(command->args[i].text, words))
            return &command->args[i];
    return NULL;
}

/* The argument that has this in it; case does not matter. */
static const sb_sh_arg *find_part(const sb_sh_command *command, const char *part)
{
    size_t len = strlen(part);

    for (size_t i = 1; i < command->count; i++) {
        sb_slice text = command->args[i].text;

        for (size_t j = 0; j + len <= text.len; j++)
            if (sb_ascii_lower(text.ptr[j]) == part[0] &&
                sb_slice_eq_nocase(sb_slice_sub(text, j, j + len), sb_slice_z(part)))
                return &command->args[i];
    }
    return NULL;
}

static bool is_off(sb_slice value)
{
    return sb_word_in(value, "false 0 no off False FALSE NO");
}

/*
 * `config set NAME false`, `config NAME=false`, `-c NAME=false`: the argument that names a setting and gets
 * one of the values that switch off. NULL: none does.
 */
static const sb_sh_arg *find_setting(const sb_sh_command *command, const char *names, const char *values)
{
    for (size_t i = 1; i < command->count; i++) {
        sb_slice value = command->args[i].text, name;

        while (sb_slice_starts(value, SB_LIT("-")))
            value = sb_slice_sub(value, 1, value.len);
        name = sb_slice_cut(&value, '=');
        if (!value.ptr && i + 1 < command->count)
            value = command->args[i + 1].text;
        if (value.ptr && sb_word_in(name, names) && sb_word_in(value, values))
            return &command->args[i];
    }
    return NULL;
}

/* --- curl, wget, aria2c, mvn --- */

void sb_off_fetch(const sb_download *d)
{
    static const char *const what = "does not check the server's certificate";
    const sb_sh_command *command = d->command;
    const sb_sh_arg *arg;

    if (is_local(command))
        return;
    if (sb_sh_is(command, "curl")) {
        if (sb_sh_has_option(command, "--insecure", &arg) ||
            sb_sh_has_option(command, "--proxy-insecure", &arg))
            drop(d, say_option(d, &sb610, arg, what), arg);
        else if (sb_sh_has_option(command, "-k", &arg))
            drop_letter(d, say_option(d, &sb610, arg, what), arg, 'k');
        return;
    }
    arg = find_arg(command, "--no-check-certificate --no-check-certificates --no-check-cert "
                            "--check-certificate=off --check-certificate=false");
    if (arg)
        drop(d, say_option(d, &sb610, arg, what), arg);
    arg = sb_sh_is(command, "mvn") ? find_part(command, "wagon.http.ssl.insecure=true") : NULL;
    if (arg)
        say_option(d, &sb610, arg, what);
}

void sb_off_images(const sb_download *d)
{
    const sb_sh_arg *arg = find_arg(d->command, "--tls-verify=false --src-tls-verify=false "
                                                "--insecure-skip-tls-verify --insecure-skip-tls-verify=true");

    if (arg)
        say_option(d, &sb610, arg, "does not check the server's certificate");
}

/* --- git --- */

void sb_off_git(const sb_download *d)
{
    const sb_sh_arg *arg = find_part(d->command, "sslverify");
    ptrdiff_t equals;
    bool off;

    if (find_arg(d->command, "clone remote submodule fetch pull"))
        for (size_t i = 1; i < d->command->count; i++)
            sb_http_argument(d, &d->command->args[i], d->command->args[i].text);
    if (!arg)
        return;
    equals = sb_slice_chr(arg->text, '=');
    if (equals > 0)
        off = is_off(sb_slice_sub(arg->text, (size_t)equals + 1, arg->text.len));
    else
        off = arg + 1 < d->command->args + d->command->count && is_off(arg[1].text);
    if (off)
        say_option(d, &sb611, arg, "switches the check of the server's certificate off");
}

/* --- apt --- */

void sb_off_apt(const sb_download *d)
{
    static const char *const settings[] = {"allowunauthenticated=",
                                           "allowinsecurerepositories=",
                                           "allowdowngradetoinsecurerepositories=",
                                           "verify-peer=",
                                           "verify-host=",
                                           "check-valid-until="};
    const sb_sh_arg *arg = find_arg(
        d->command, "--allow-unauthenticated --force-yes --allow-insecure-repositories "
                    "--allow-downgrade-to-insecure-repositories --no-gpg-check --allow-weak-repositories");

    if (arg) {
        sb_finding *finding = say_option(d, &sb612, arg, "accepts packages that nobody signed");

        if (sb_slice_eqz(arg->text, "--force-yes"))
            sb_lint_help(d->lint, finding, "write -y, and --allow-downgrades where that is what was meant");
    }
    for (size_t i = 0; i < SB_COUNT(settings); i++) {
        bool valid_until = i == SB_COUNT(settings) - 1, wanted = i < 3, found;
        sb_slice value;

        arg = find_part(d->command, settings[i]);
        if (!arg)
            continue;
        value = sb_slice_sub(arg->text, (size_t)sb_slice_rchr(arg->text, '=') + 1, arg->text.len);
        found = wanted ? sb_word_in(value, "true 1 yes True") : is_off(value);
        if (found && !(valid_until && sb_lint_uses_snapshot(d->lint, d->run->stage, d->run->instruction)))
            say_option(d, valid_until ? &sb622 : &sb612, arg,
                       valid_until ? "accepts indexes that have expired" : "switches verification off");
    }
}

/* --- apk, rpm and their like --- */

void sb_off_apk(const sb_download *d)
{
    const sb_sh_arg *arg = find_arg(d->command, "--allow-untrusted");

    if (arg)
        say_option(d, &sb613, arg, "accepts packages that nobody signed");
}

void sb_off_rpm(const sb_download *d)
{
    static const char *const settings[] = {"gpgcheck=0", "gpgcheck=false", "sslverify=0", "sslverify=false"};
    const sb_sh_arg *arg = find_arg(
        d->command, "--nogpgcheck --no-gpgcheck --no-gpgchecks --no-gpg-checks --no-gpg-check --nogpg "
                    "--nosignature --nodigest --noverify --no-verify --nocheck-signature "
                    "--allow-unsigned-rpm --gpgcheck-allow-unsigned --no-gpgcheck-allow-unsigned");

    for (size_t i = 0; !arg && i < SB_COUNT(settings); i++) {
        arg = find_part(d->command, settings[i]);
        if (arg && sb_slice_find(arg->text, SB_LIT("_gpgcheck")) >= 0) /* of metadata, or of local files */
            arg = NULL;
    }
    if (arg)
        say_option(d, &sb614, arg, "accepts what nobody has signed");
    if (sb_sh_is(d->command, "rpm"))
        sb_keys_rpm(d);
}

/* --- Languages --- */

void sb_off_python(const sb_download *d)
{
    static const char *const what = "switches the check of the server's certificate off";
    static const char *const indexes[] = {
        "--index-url", "--extra-index-url", "--find-links", "--default-index", "--index", "-i", "-f"};
    const sb_sh_arg *arg;
    sb_slice url;

    sb_fetch_package(d);
    for (size_t i = 0; i < SB_COUNT(indexes); i++) {
        arg = sb_sh_option_value(d->command, indexes[i], &url);
        if (arg)
            sb_http_argument(d, arg, url);
    }
    arg = NULL;
    if (!sb_sh_has_option(d->command, "--trusted-host", &arg) &&
        !sb_sh_has_option(d->command, "--allow-insecure-host", &arg))
        arg = find_part(d->command, "_create_unverified_context");
    if (!arg && (sb_sh_is(d->command, "conda") || sb_sh_is(d->command, "mamba"))) {
        arg = find_setting(d->command, "ssl_verify", "false no False off");
        if (!arg)
            arg = find_arg(d->command, "--insecure -k");
    }
    if (!arg)
        arg = find_arg(d->command, "global.trusted-host install.trusted-host");
    if (!arg && sb_sh_is(d->command, "poetry")) { /* config certificates.NAME.cert false */
        arg = find_part(d->command, "certificates.");
        if (arg && (arg + 1 == d->command->args + d->command->count || !is_off(arg[1].text)))
            arg = NULL;
    }
    if (arg)
        say_option(d, &sb616, arg, what);
}

void sb_off_node(const sb_download *d)
{
    const sb_sh_arg *arg = find_setting(d->command, "strict-ssl enableStrictSsl", "false 0 no");

    sb_fetch_package(d);
    if (!arg)
        arg = find_arg(d->command, "--no-strict-ssl");
    for (size_t i = 1; i < d->command->count; i++) /* config set registry URL, --registry=URL */
        if (sb_slice_find(d->command->args[i].text, SB_LIT("registry")) >= 0) {
            sb_slice url = d->command->args[i].text;

            sb_slice_cut(&url, '=');
            if (url.ptr)
                sb_http_argument(d, &d->command->args[i], url);
            else if (i + 1 < d->command->count)
                sb_http_argument(d, &d->command->args[i + 1], d->command->args[i + 1].text);
        }
    if (arg)
        say_option(d, &sb617, arg, "switches the check of the server's certificate off");
}

void sb_off_ruby(const sb_download *d)
{
    const sb_sh_arg *arg = NULL;
    sb_slice source;

    if (sb_sh_is(d->command, "gem")) {
        static const char *const options[] = {"--source", "-s", "--add", "-a"};

        for (size_t i = 0; i < SB_COUNT(options) && !arg; i++) {
            arg = sb_sh_option_value(d->command, options[i], &source);
            if (arg && (!sb_slice_starts(source, SB_LIT("http://")) || sb_host_is_internal(source)))
                arg = NULL;
        }
    } else {
        arg = find_setting(d->command, "ssl_verify_mode", "0 none");
    }
    if (arg)
        say_option(d, &sb618, arg, "takes gems without checking where they come from");
}

void sb_off_go(const sb_download *d)
{
    const sb_sh_arg *arg = find_arg(d->command, "-insecure GOSUMDB=off GONOSUMDB=* GONOSUMCHECK=1");

    if (arg)
        say_option(d, &sb619, arg, "takes modules that are not verified");
    else if (d->command->count > 2 && sb_slice_eqz(d->command->args[1].text, "env"))
        for (size_t i = 2; i < d->command->count; i++)
            if (sb_slice_starts(d->command->args[i].text, SB_LIT("GOINSECURE=")) &&
                d->command->args[i].text.len > strlen("GOINSECURE="))
                say_option(d, &sb619, &d->command->args[i], "takes modules without TLS");
}

void sb_off_composer(const sb_download *d)
{
    const sb_sh_arg *arg = find_setting(d->command, "secure-http", "false 0");

    if (!arg)
        arg = find_setting(d->command, "disable-tls", "true 1");
    if (arg)
        say_option(d, &sb620, arg, "switches verification off");
}

/* --- ssh --- */

void sb_off_ssh(const sb_download *d)
{
    const sb_sh_arg *arg = find_part(d->command, "stricthostkeychecking=no");

    if (!arg)
        arg = find_part(d->command, "stricthostkeychecking no");
    if (arg)
        say_option(d, &sb621, arg, "believes any server");
}

/* The key that a server shows is no proof of the server, unless somebody compares it. */
void sb_off_keyscan(const sb_download *d)
{
    const sb_sh_reading *reading = &d->run->reading;
    size_t end =
        d->index + SB_LINT_AHEAD_MAX < reading->count ? d->index + SB_LINT_AHEAD_MAX : reading->count;

    for (size_t i = d->index + 1; i < end; i++)
        if (sb_sh_is(&reading->commands[i], "ssh-keygen") || sb_sh_is(&reading->commands[i], "sha256sum") ||
            sb_sh_is(&reading->commands[i], "diff") || sb_sh_is(&reading->commands[i], "cmp") ||
            (sb_sh_is(&reading->commands[i], "grep") &&
             reading->commands[i].pipeline == d->command->pipeline))
            return;
    sb_lint_say(d->lint, &sb621, sb_lint_command_span(d->lint, d->run, d->command),
                "ssh-keyscan takes the server's key from the network, where anybody can answer");
}
