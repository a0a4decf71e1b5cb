// SPDX-License-Identifier: Apache-2.0
#include <fetch/git.h>

#include <sbuild/buf.h>

#include <stdio.h>
#include <unistd.h>

enum { ERRORS_MAX = 1 << 20, CREDENTIALS_MAX = 1 << 16, CREDENTIAL_KEYS_MAX = 200, ARGS_MAX = 64 };

/* Settings that hold for every call, above all files of configuration. */
static const struct {
    const char *key, *value;
} fixed[] = {
    {"safe.directory", "*"},
    {"core.hooksPath", "/dev/null"},
    {"core.attributesFile", "/dev/null"},
    {"core.excludesFile", "/dev/null"},
    {"core.fsmonitor", "false"},
    {"core.askPass", ""},
    {"core.pager", "cat"},
    {"core.quotePath", "false"},
    {"credential.helper", ""},
    {"fetch.recurseSubmodules", "false"},
    {"submodule.recurse", "false"},
    /* An interrupted unpacking into single files would leave a commit without its trees. */
    {"transfer.unpackLimit", "1"},
    {"fetch.unpackLimit", "1"},
    {"gc.auto", "0"},
    {"maintenance.auto", "false"},
    {"protocol.allow", "never"},
    {"protocol.version", "2"},
    {"http.followRedirects", "false"},
    {"http.lowSpeedLimit", "1000"},
    {"http.lowSpeedTime", "60"},
};

/* What of the environment git may see; everything else stays out. */
static const char *const passed[] = {
    "http_proxy",
    "https_proxy",
    "HTTPS_PROXY",
    "no_proxy",
    "NO_PROXY",
    "all_proxy",
    "ALL_PROXY",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "CURL_CA_BUNDLE",
    "GIT_SSL_CAINFO",
    "GIT_SSL_CAPATH",
    "SSH_AUTH_SOCK",
    "USER",
    "LOGNAME",
    "XDG_CONFIG_HOME",
    "XDG_RUNTIME_DIR",
    "TMPDIR",
    "DBUS_SESSION_BUS_ADDRESS",
};

typedef struct strings {
    const char **items;
    size_t len, cap;
} strings;

static void add_env(sb_arena *arena, strings *env, const char *name, const char *value)
{
    *SB_ARENA_PUSH(arena, env->items, env->len, env->cap) = sb_arena_printf(arena, "%s=%s", name, value).ptr;
}

static void add_config(sb_arena *arena, strings *env, size_t *count, const char *key, const char *value)
{
    char name[40];

    snprintf(name, sizeof(name), "GIT_CONFIG_KEY_%zu", *count);
    add_env(arena, env, name, key);
    snprintf(name, sizeof(name), "GIT_CONFIG_VALUE_%zu", *count);
    add_env(arena, env, name, value);
    ++*count;
}

/*
 * The user's own credential settings (helpers, user names), and nothing else of the user's or the machine's
 * configuration. Asked for outside of any repository.
 */
static void add_credentials(sb_arena *arena, strings *env, size_t *count)
{
    static const char *const argv[] = {"git",          "config",         "--includes", "--null",
                                       "--get-regexp", "^credential\\.", NULL};
    static const char *const unset[] = {"GIT_DIR", "GIT_WORK_TREE", "GIT_CONFIG", NULL};
    sb_autobuf output = SB_BUF_INIT(CREDENTIALS_MAX);
    sb_autobuf errors = SB_BUF_INIT(CREDENTIALS_MAX);
    const sb_process_options options = {
        .argv = argv, .unset = unset, .cwd = "/", .output = &output, .errors = &errors, .timeout = 10};
    SB_AUTO(sb_error) ignored = NULL;
    sb_slice rest;
    int status;

    if (sb_process_run(&options, &status, &ignored) < 0 || status != 0)
        return;
    rest = sb_buf_slice(&output);
    for (int i = 0; rest.len && i < CREDENTIAL_KEYS_MAX; i++) {
        sb_slice value = sb_slice_cut(&rest, '\0');
        sb_slice key = sb_slice_cut(&value, '\n');

        if (value.ptr)
            add_config(arena, env, count, sb_arena_strdup(arena, key), sb_arena_strdup(arena, value));
    }
}

static const char *const *build_env(sb_arena *arena, const sb_git_call *call)
{
    bool https = call->remote && sb_slice_eqz(call->remote->scheme, "https");
    const char *ssh = getenv("GIT_SSH_COMMAND");
    strings env = {0};
    size_t count = 0;
    char number[24];

    for (size_t i = 0; i < SB_COUNT(passed); i++)
        if (getenv(passed[i]))
            add_env(arena, &env, passed[i], getenv(passed[i]));
    /* git's libcurl does not look at this one by itself. */
    if (!getenv("GIT_SSL_CAINFO") && getenv("SSL_CERT_FILE"))
        add_env(arena, &env, "GIT_SSL_CAINFO", getenv("SSL_CERT_FILE"));
    add_env(arena, &env, "LC_ALL", "C");
    add_env(arena, &env, "GIT_CONFIG_NOSYSTEM", "1");
    add_env(arena, &env, "GIT_CONFIG_GLOBAL", "/dev/null");
    add_env(arena, &env, "GIT_ATTR_NOSYSTEM", "1");
    add_env(arena, &env, "GIT_TERMINAL_PROMPT", "0");
    add_env(arena, &env, "GIT_ASKPASS", "");
    add_env(arena, &env, "GIT_NO_REPLACE_OBJECTS", "1");
    add_env(arena, &env, "GIT_NO_LAZY_FETCH", "1");
    add_env(arena, &env, "GIT_OPTIONAL_LOCKS", "0");
    add_env(arena, &env, "GIT_PROTOCOL_FROM_USER", "0");
    add_env(arena, &env, "GIT_LFS_SKIP_SMUDGE", "1");
    add_env(arena, &env, "GIT_ALLOW_PROTOCOL",
            call->remote ? sb_arena_strdup(arena, call->remote->scheme) : "none");
    add_env(arena, &env, "GIT_SSH_COMMAND", ssh && *ssh ? ssh : "ssh -o BatchMode=yes");
    if (call->dir)
        add_env(arena, &env, "GIT_DIR", call->dir);
    for (size_t i = 0; i < SB_COUNT(fixed); i++)
        add_config(arena, &env, &count, fixed[i].key, fixed[i].value);
    if (call->pin.len)
        add_config(arena, &env, &count, "http.curloptResolve", sb_arena_strdup(arena, call->pin));
    if (https)
        add_credentials(arena, &env, &count);
    snprintf(number, sizeof(number), "%zu", count);
    add_env(arena, &env, "GIT_CONFIG_COUNT", number);
    *SB_ARENA_PUSH(arena, env.items, env.len, env.cap) = NULL;
    return env.items;
}

int sb_git_try(sb_arena *arena, const sb_git_call *call, sb_slice *ret_output, sb_slice *ret_errors,
               int *ret_status, sb_error **err)
{
    sb_autobuf output = SB_BUF_INIT(call->max_output ? call->max_output : SB_GIT_OBJECT_MAX);
    sb_autobuf errors = SB_BUF_INIT(ERRORS_MAX);
    const char *argv[ARGS_MAX] = {"git"};
    sb_process_options options = {
        .argv = argv,
        .env = build_env(arena, call),
        .clear_env = true,
        .cwd = "/",
        .input = call->input,
        .output = &output,
        .errors = &errors,
        .timeout = call->timeout,
        .on_output = call->on_output,
        .ctx = call->ctx,
    };

    for (size_t i = 0; call->args[i]; i++) {
        if (i + 2 >= ARGS_MAX)
            return sb_fail(err, SB_ERR_INTERNAL, "too many arguments for git");
        argv[i + 1] = call->args[i];
    }
    if (sb_process_run(&options, ret_status, err) < 0) {
        if (err && sb_error_code(*err) == SB_ERR_NOT_FOUND) {
            sb_error_free(SB_TAKE(*err));
            return sb_fail(err, SB_ERR_ENGINE,
                           "git repositories need the program git; install git 2.37 or later");
        }
        return -1;
    }
    *ret_output = call->on_output ? SB_NIL : sb_arena_dup(arena, sb_buf_slice(&output));
    *ret_errors = sb_arena_dup(arena, sb_buf_slice(&errors));
    return 0;
}

static bool mentions(sb_slice text, const char *const *words)
{
    for (; *words; words++)
        if (sb_slice_find(text, sb_slice_z(*words)) >= 0)
            return true;
    return false;
}

static sb_errc classify(sb_slice errors)
{
    static const char *const auth[] = {
        "Authentication failed", "could not read Username", "could not read Password",   "Permission denied",
        "returned error: 401",   "returned error: 403",     "terminal prompts disabled", NULL};
    static const char *const missing[] = {"returned error: 404",
                                          "not found",
                                          "does not exist",
                                          "not exported",
                                          "does not appear to be a git repository",
                                          NULL};
    static const char *const gone[] = {"returned error: 410", NULL};

    return mentions(errors, auth)      ? SB_ERR_AUTH
           : mentions(errors, gone)    ? SB_ERR_GONE
           : mentions(errors, missing) ? SB_ERR_NOT_FOUND
                                       : SB_ERR_NETWORK;
}

/* git's own reason: its first "fatal:" line, else its last line. */
static sb_slice reason(sb_slice errors)
{
    sb_slice last = SB_LIT("git failed without a word");

    while (errors.ptr) {
        sb_slice line = sb_slice_trim(sb_slice_cut(&errors, '\n'));

        if (sb_slice_starts(line, SB_LIT("fatal: ")))
            return sb_slice_sub(line, 7, line.len);
        if (line.len)
            last = line;
    }
    return last;
}

int sb_git_fail(const sb_git_call *call, sb_slice errors, sb_error **err)
{
    sb_autofree char *why = sb_printable(reason(errors));

    if (call->remote)
        return sb_fail(err, classify(errors), "cannot fetch from %s: %s", call->remote->shown.ptr, why);
    return sb_fail(err, SB_ERR_IO, "git %s failed in %s: %s", call->args[0], call->dir ? call->dir : "/",
                   why);
}

int sb_git_run(sb_arena *arena, const sb_git_call *call, sb_slice *ret_output, sb_error **err)
{
    sb_slice output, errors;
    int status;

    if (sb_git_try(arena, call, &output, &errors, &status, err) < 0)
        return -1;
    if (status != 0)
        return sb_git_fail(call, errors, err);
    *ret_output = output;
    return 0;
}

int sb_git_read_object(sb_arena *arena, const char *dir, const char *type, sb_slice oid,
                       sb_slice *ret_content, sb_error **err)
{
    const char *const args[] = {"cat-file", type, sb_arena_strdup(arena, oid), NULL};
    const sb_git_call call = {.args = args, .dir = dir};

    return sb_git_run(arena, &call, ret_content, err);
}

sb_slice sb_git_object_header(sb_slice content, const char *name)
{
    sb_slice wanted = sb_slice_z(name);

    while (content.ptr) {
        sb_slice line = sb_slice_cut(&content, '\n');

        if (!line.len)
            break;
        if (sb_slice_starts(line, wanted) && line.len > wanted.len && line.ptr[wanted.len] == ' ')
            return sb_slice_sub(line, wanted.len + 1, line.len);
    }
    return SB_NIL;
}

bool sb_git_is_oid(sb_slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (!((text.ptr[i] >= '0' && text.ptr[i] <= '9') || (text.ptr[i] >= 'a' && text.ptr[i] <= 'f')))
            return false;
    return text.len == 40 || text.len == 64;
}
