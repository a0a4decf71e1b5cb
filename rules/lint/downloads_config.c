// SPDX-License-Identifier: Apache-2.0
/* SB61x, SB62x: variables and lines of configuration files that switch verification off. */
#include <stdlib.h>

#include <rules/lint/downloads.h>

enum { LINE_MAX_LEN = 300, NAME_MAX_LEN = 64 };

/* --- Variables --- */

typedef enum value_test { VALUE_SET, VALUE_FALSE, VALUE_EMPTY, VALUE_HAS, VALUE_HTTP } value_test;

static const struct variable {
    const char *name; /* lower case: some programs do not care */
    value_test test;
    const char *has;
    const sb_rule *rule;
} variables[] = {
    /* Sorted: looked up by bisection. */
    {"ansible_host_key_checking", VALUE_FALSE, NULL, &sb621},
    {"bundle_ssl_verify_mode", VALUE_FALSE, NULL, &sb618},
    {"conda_ssl_verify", VALUE_FALSE, NULL, &sb616},
    {"curl_ca_bundle", VALUE_EMPTY, NULL, &sb616},
    {"git_ssh_command", VALUE_HAS, "stricthostkeychecking=no", &sb621},
    {"git_ssl_no_verify", VALUE_SET, NULL, &sb611},
    {"goflags", VALUE_HAS, "-insecure", &sb619},
    {"goinsecure", VALUE_SET, NULL, &sb619},
    {"gonosumcheck", VALUE_SET, NULL, &sb619},
    {"gonosumdb", VALUE_HAS, "*", &sb619},
    {"goproxy", VALUE_HTTP, NULL, &sb605},
    {"gosumdb", VALUE_HAS, "off", &sb619},
    {"hex_unsafe_https", VALUE_SET, NULL, &sb610},
    {"hex_unsafe_registry", VALUE_SET, NULL, &sb610},
    {"maven_opts", VALUE_HAS, "wagon.http.ssl.insecure=true", &sb610},
    {"node_tls_reject_unauthorized", VALUE_FALSE, NULL, &sb617},
    {"npm_config_registry", VALUE_HTTP, NULL, &sb605},
    {"npm_config_strict_ssl", VALUE_FALSE, NULL, &sb617},
    {"perl_lwp_ssl_verify_hostname", VALUE_FALSE, NULL, &sb610},
    {"pip_extra_index_url", VALUE_HTTP, NULL, &sb605},
    {"pip_index_url", VALUE_HTTP, NULL, &sb605},
    {"pip_trusted_host", VALUE_SET, NULL, &sb616},
    {"pythonhttpsverify", VALUE_FALSE, NULL, &sb616},
    {"requests_ca_bundle", VALUE_EMPTY, NULL, &sb616},
    {"uv_default_index", VALUE_HTTP, NULL, &sb605},
    {"uv_index_url", VALUE_HTTP, NULL, &sb605},
    {"uv_insecure_host", VALUE_SET, NULL, &sb616},
    {"yarn_enable_strict_ssl", VALUE_FALSE, NULL, &sb617},
    {"yarn_npm_registry_server", VALUE_HTTP, NULL, &sb605},
};

static int compare_variable(const void *key, const void *variable)
{
    return sb_slice_cmp(*(const sb_slice *)key, sb_slice_z(((const struct variable *)variable)->name));
}

static size_t lower(sb_slice text, char *out, size_t max, const char *without)
{
    size_t len = 0;

    for (size_t i = 0; i < text.len && len < max; i++)
        if (text.ptr[i] && !strchr(without, text.ptr[i]))
            out[len++] = sb_ascii_lower(text.ptr[i]);
    return len;
}

static bool is_false(sb_slice value)
{
    static const char *const words[] = {"0", "false", "no", "off", "none"};

    for (size_t i = 0; i < SB_COUNT(words); i++)
        if (sb_slice_eq_nocase(value, sb_slice_z(words[i])))
            return true;
    return false;
}

static bool passes(const struct variable *variable, sb_slice value)
{
    char text[LINE_MAX_LEN];
    sb_slice small;

    if (sb_slice_starts(value, SB_LIT("\"")) && sb_slice_ends(value, SB_LIT("\"")) && value.len > 1)
        value = sb_slice_sub(value, 1, value.len - 1);
    switch (variable->test) {
    case VALUE_SET:
        return value.len && !is_false(value);
    case VALUE_FALSE:
        return is_false(value);
    case VALUE_EMPTY:
        return value.ptr && !value.len;
    case VALUE_HTTP:
        return sb_slice_starts(value, SB_LIT("http://")) && !sb_host_is_internal(value);
    case VALUE_HAS:
        small = sb_slice_of(text, lower(value, text, sizeof(text), ""));
        if (strlen(variable->has) <= 3) /* the whole value */
            return sb_slice_eqz(small, variable->has);
        return sb_slice_find(small, sb_slice_z(variable->has)) >= 0;
    }
    return false;
}

void sb_config_variable(sb_lint *lint, sb_span span, sb_slice name, sb_slice value)
{
    char text[NAME_MAX_LEN];
    sb_slice small = sb_slice_of(text, lower(name, text, sizeof(text), ""));
    const struct variable *variable;

    if (name.len > sizeof(text) || !value.ptr)
        return;
    variable = bsearch(&small, variables, SB_COUNT(variables), sizeof(*variables), compare_variable);
    if (!variable || !passes(variable, value))
        return;
    if (variable->test == VALUE_HTTP)
        sb_lint_say(lint, variable->rule, span, "%s=%s: packages come over plain http",
                    sb_lint_shown(lint, name), sb_lint_shown(lint, value));
    else
        sb_lint_say(lint, variable->rule, span,
                    "%s=%s switches verification off for all that comes behind it", sb_lint_shown(lint, name),
                    sb_lint_shown(lint, value));
}

/* export NAME=value, declare -x NAME=value */
void sb_config_export(const sb_download *d)
{
    for (size_t i = 1; i < d->command->count; i++) {
        const sb_sh_arg *arg = &d->command->args[i];
        ptrdiff_t equals = sb_slice_chr(arg->text, '=');

        if (equals > 0)
            sb_config_variable(d->lint, sb_lint_arg_span(d->lint, d->run, arg),
                               sb_slice_sub(arg->text, 0, (size_t)equals),
                               sb_slice_sub(arg->text, (size_t)equals + 1, arg->text.len));
    }
}

/* --- Lines --- */

/*
 * In lower case, without blanks and quotes. Those with the same stem stand together: it is looked for first.
 * `begin`: what the line must begin with; may be NULL.
 */
static const struct setting {
    const char *stem;
    const char *has;
    const char *begin;
    const sb_rule *rule;
} settings[] = {
    {"check", "gpgcheck=0", NULL, &sb614},
    {"check", "gpgcheck=false", NULL, &sb614},
    {"check", "gpgcheck=no", NULL, &sb614},
    {"check", "check-valid-untilfalse", NULL, &sb622},
    {"check", "check-valid-until0", NULL, &sb622},
    {"check", "stricthostkeycheckingno", NULL, &sb621},
    {"check", "stricthostkeychecking=no", NULL, &sb621},
    {"check", "check_certificate=off", NULL, &sb610},
    {"check", "check-certificate=off", NULL, &sb610},
    {"ssl", "sslverify=0", NULL, &sb614},
    {"ssl", "sslverify=false", NULL, &sb614},
    {"ssl", "strict-ssl=false", NULL, &sb617},
    {"ssl", "strict-sslfalse", "strict-ssl", &sb617},
    {"ssl", "enablestrictssl:false", NULL, &sb617},
    {"ssl", "ssl_verify:false", NULL, &sb616},
    {"ssl", "ssl_verify_mode:0", NULL, &sb618},
    {"trust", "trusted=yes", "deb", &sb612},
    {"trust", "trusted:yes", "trusted", &sb612},
    {"trust", "trusted-host=", "trusted-host", &sb616},
    {"secure", "allow-insecure=yes", "deb", &sb612},
    {"secure", "allowinsecurerepositoriestrue", NULL, &sb612},
    {"secure", "allowinsecurerepositories1", NULL, &sb612},
    {"secure", "secure-http:false", NULL, &sb620},
    {"allowun", "allowunauthenticatedtrue", NULL, &sb612},
    {"allowun", "allowunauthenticated1", NULL, &sb612},
    {"verif", "verify-peerfalse", NULL, &sb612},
    {"verif", "verify-hostfalse", NULL, &sb612},
    {"verif", "_create_unverified_context", NULL, &sb616},
    {"siglevel", "siglevel=never", NULL, &sb615},
    {"siglevel", "siglevel=trustall", NULL, &sb615},
    {"siglevel", "siglevel=optionaltrustall", NULL, &sb615},
    {"disable-tls", "disable-tls:true", NULL, &sb620},
};

/* The first setting of the table that the line makes; NULL: none. */
static const struct setting *find_setting(sb_slice small)
{
    const char *stem = NULL;
    bool has_stem = false;

    for (size_t i = 0; i < SB_COUNT(settings); i++) {
        const struct setting *s = &settings[i];
        ptrdiff_t at;

        if (!stem || strcmp(stem, s->stem) != 0) {
            stem = s->stem;
            has_stem = sb_slice_find(small, sb_slice_z(stem)) >= 0;
        }
        if (!has_stem || (s->begin && !sb_slice_starts(small, sb_slice_z(s->begin))))
            continue;
        at = sb_slice_find(small, sb_slice_z(s->has));
        if (at == 0 || (at > 0 && small.ptr[at - 1] != '_') ||
            (at > 0 && s->has[0] == '_')) /* not repo_gpgcheck */
            return s;
    }
    return NULL;
}

/* Where the line stands in the file, as near as can be told: `span` is that of the whole text. */
static sb_span span_of_line(const sb_lint *lint, const sb_lint_run *run, sb_span span, sb_slice line)
{
    sb_slice within = run ? run->text : lint->df->text;
    size_t start;

    if ((uintptr_t)line.ptr < (uintptr_t)within.ptr ||
        (uintptr_t)(line.ptr + line.len) > (uintptr_t)(within.ptr + within.len))
        return span;
    start = (size_t)(line.ptr - within.ptr);
    return run ? sb_lint_run_span(lint, run, (sb_span){start, start + line.len})
               : (sb_span){start, start + line.len};
}

static void look_at_line(sb_lint *lint, const sb_lint_run *run, sb_span span, sb_slice line)
{
    char text[LINE_MAX_LEN];
    const struct setting *s;
    const sb_rule *rule;
    sb_slice small;

    line = sb_slice_trim(line);
    if (!line.len || line.ptr[0] == '#' || line.ptr[0] == ';' || sb_slice_starts(line, SB_LIT("//")))
        return;
    small = sb_slice_of(text, lower(line, text, sizeof(text), " \t\"'{}"));
    s = find_setting(small);
    if (!s)
        return;
    rule = s->rule;
    /* What lies on the disk came in by another way. */
    if (rule == &sb612 &&
        (sb_slice_find(small, SB_LIT("]file:")) >= 0 || sb_slice_find(small, SB_LIT("]copy:")) >= 0))
        return;
    if (rule == &sb622 && run && sb_lint_uses_snapshot(lint, run->stage, run->instruction))
        return;
    if (rule == &sb614 && sb_slice_find(line, SB_LIT("sslVerify")) >= 0) /* so git spells it */
        rule = &sb611;
    sb_lint_say(lint, rule, span_of_line(lint, run, span, line), "\"%s\" switches verification off",
                sb_lint_shown(lint, line));
}

/* curl's own file has its options without dashes. */
static void look_at_curlrc_line(sb_lint *lint, const sb_lint_run *run, sb_span span, sb_slice line)
{
    line = sb_slice_trim(line);
    if (sb_word_in(line, "insecure --insecure proxy-insecure"))
        sb_lint_say(lint, &sb610, span_of_line(lint, run, span, line),
                    "\"%s\" in .curlrc switches verification off", sb_lint_shown(lint, line));
}

typedef void line_looker(sb_lint *lint, const sb_lint_run *run, sb_span span, sb_slice line);

static void each_line(sb_lint *lint, const sb_lint_run *run, sb_span span, sb_slice text, line_looker *look)
{
    while (text.ptr && text.len) {
        sb_slice line = sb_slice_cut(&text, '\n');
        ptrdiff_t written;

        while ((written = sb_slice_find(line, SB_LIT("\\n"))) >= 0) { /* echo -e, printf */
            look(lint, run, span, sb_slice_sub(line, 0, (size_t)written));
            line = sb_slice_sub(line, (size_t)written + 2, line.len);
        }
        look(lint, run, span, line);
    }
}

void sb_config_text(sb_lint *lint, const sb_lint_run *run, sb_span span, sb_slice text)
{
    each_line(lint, run, span, text, look_at_line);
}

void sb_config_file(sb_lint *lint, const sb_lint_run *run, sb_span span, sb_slice path, sb_slice text)
{
    sb_config_text(lint, run, span, text);
    if (sb_slice_ends(path, SB_LIT("curlrc")))
        each_line(lint, run, span, text, look_at_curlrc_line);
}

/* What "s/from/to/" writes; the script itself when it is another one; nothing when it only deletes. */
static sb_slice written_by_sed(sb_slice script)
{
    sb_slice rest = script;
    char sign;

    script = sb_slice_trim(script);
    if (script.len > 2 && script.ptr[0] == 's' && !(script.ptr[1] >= 'a' && script.ptr[1] <= 'z')) {
        sign = script.ptr[1];
        rest = sb_slice_sub(script, 2, script.len);
        sb_slice_cut(&rest, sign);
        return rest.ptr ? sb_slice_cut(&rest, sign) : SB_NIL;
    }
    if (sb_slice_ends(script, SB_LIT("d")) && script.len && strchr("/0123456789$", script.ptr[0]))
        return SB_NIL;
    return script;
}

void sb_config_command(const sb_download *d)
{
    const sb_sh_command *command = d->command;
    bool sed = sb_sh_is(command, "sed"), names_files = sb_sh_is(command, "cat") || sb_sh_is(command, "tee");
    sb_slice path = SB_LIT("");

    for (size_t i = 0; i < command->file_count; i++)
        if (command->files[i].fd != 2 && sb_slice_starts(command->files[i].op, SB_LIT(">")))
            path = command->files[i].target.text;
    if (sb_sh_is(command, "tee") && command->count > 1)
        path = command->args[command->count - 1].text;
    for (size_t i = 1; i < command->count && !names_files; i++) {
        const sb_sh_arg *arg = &command->args[i];

        if (arg->text.len >= 8) /* shorter than any of the lines */
            sb_config_file(d->lint, d->run, sb_lint_arg_span(d->lint, d->run, arg), path,
                           sed ? written_by_sed(arg->text) : arg->text);
    }
    for (size_t i = 0; i < command->file_count; i++)
        if (sb_slice_starts(command->files[i].op, SB_LIT("<<")))
            sb_config_file(d->lint, d->run, sb_lint_arg_span(d->lint, d->run, &command->files[i].target),
                           path, command->files[i].target.text);
}
