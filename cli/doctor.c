// SPDX-License-Identifier: Apache-2.0
#include <cli/commands.h>
#include <sbuild/builder.h>
#include <sbuild/fs.h>
#include <sbuild/json.h>
#include <sbuild/process.h>

#include <fcntl.h>

typedef struct doctor_options {
    const char *file;
} doctor_options;

static const cli_option options[] = {
    CLI_OPTION_FILE(doctor_options, file),
    CLI_OPTIONS_END,
};

static void title(const cli_app *app, const char *text)
{
    printf("%s%s%s\n", cli_color_on(&app->out, CLI_BOLD), text, cli_color_on(&app->out, CLI_PLAIN));
}

/* --- Engines --- */

static void add_ability(sb_buf *out, bool has, const char *name)
{
    if (has)
        sb_buf_printf(out, "%s%s", out->len ? ", " : "", name);
}

static void print_engine(const cli_app *app, const sb_engine *engine)
{
    const sb_engine_abilities *can = &engine->can;
    sb_autobuf abilities = SB_BUF_INIT(4096);

    if (engine->problem.len) {
        printf("  %s-%s ", cli_color_on(&app->out, CLI_YELLOW), cli_color_on(&app->out, CLI_PLAIN));
        if (!sb_slice_starts(engine->problem, engine->name))
            printf("%" SB_FMT ": ", SB_ARG(engine->name));
        cli_print_safe(stdout, engine->problem);
        printf("\n");
        return;
    }
    add_ability(&abilities, can->build_contexts, "named contexts");
    add_ability(&abilities, can->global_network, "builds without network");
    add_ability(&abilities, can->containerd_store, "containerd image store");
    add_ability(&abilities, can->layout_contexts, "OCI layouts");
    add_ability(&abilities, can->heredocs, "heredocs");
    add_ability(&abilities, can->run_network, "RUN --network");
    add_ability(&abilities, can->copy_link, "COPY --link");
    add_ability(&abilities, can->copy_exclude, "COPY --exclude");
    add_ability(&abilities, can->copy_parents, "COPY --parents");
    add_ability(&abilities, can->add_unpack, "ADD --unpack");
    printf("  %s+%s %" SB_FMT " %" SB_FMT, cli_color_on(&app->out, CLI_GREEN),
           cli_color_on(&app->out, CLI_PLAIN), SB_ARG(engine->name), SB_ARG(engine->version));
    if (engine->builder.len)
        printf(", builder %" SB_FMT, SB_ARG(engine->builder));
    printf("\n      %" SB_FMT "\n", SB_ARG(sb_buf_slice(&abilities)));
}

/* How many work. */
static int print_engines(const cli_app *app, size_t *ret_working, sb_error **err)
{
    sb_engine **engines = NULL;
    size_t count = 0, working = 0;

    if (sb_engines_probe(&engines, &count, err) < 0)
        return -1;
    title(app, "Engines");
    for (size_t i = 0; i < count; i++) {
        working += !engines[i]->problem.len;
        print_engine(app, engines[i]);
        sb_engine_free(engines[i]);
    }
    free(engines);
    *ret_working = working;
    return 0;
}

/* --- Programs --- */

static void print_program(const cli_app *app, const char *name, const char *what)
{
    sb_autofree char *path = sb_process_find(name);
    sb_autobuf text = SB_BUF_INIT(65536);
    const char *argv[] = {path, "--version", NULL};
    sb_process_options process = {.argv = argv, .output = &text, .errors = &text, .timeout = 10};
    sb_slice rest, line;
    int status;

    if (!path) {
        printf("  %s-%s %s is not installed: %s\n", cli_color_on(&app->out, CLI_YELLOW),
               cli_color_on(&app->out, CLI_PLAIN), name, what);
        return;
    }
    if (sb_process_run(&process, &status, NULL) < 0)
        sb_buf_reset(&text);
    rest = sb_buf_slice(&text);
    line = sb_slice_cut(&rest, '\n');
    printf("  %s+%s ", cli_color_on(&app->out, CLI_GREEN), cli_color_on(&app->out, CLI_PLAIN));
    cli_print_safe(stdout, line.len ? line : sb_slice_z(name));
    printf("\n");
}

/* --- Registries and credentials --- */

static void print_registries(const cli_app *app, const sb_settings *settings)
{
    title(app, "Registries");
    if (!settings->registry_count)
        printf("  none configured: each image's own registry is asked\n");
    for (size_t i = 0; i < settings->registry_count; i++) {
        const sb_registry_settings *registry = &settings->registries[i];

        printf("  ");
        cli_print_safe(stdout, registry->prefix);
        if (registry->location.len) {
            printf(" at ");
            cli_print_safe(stdout, registry->location);
        }
        printf("%s%s\n", registry->insecure ? ", insecure" : "", registry->blocked ? ", blocked" : "");
        for (size_t k = 0; k < registry->mirror_count; k++) {
            printf("      mirror ");
            cli_print_safe(stdout, registry->mirrors[k].location);
            printf("%s%s\n", registry->mirrors[k].resolve ? ", resolves tags" : "",
                   registry->mirrors[k].insecure ? ", insecure" : "");
        }
    }
}

static void print_keys(const json_t *object, const char *suffix)
{
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)object, key, value)
    {
        printf("      ");
        cli_print_safe(stdout, sb_slice_z(key));
        if (json_is_string(value))
            printf("%s%s", suffix, json_string_value(value));
        printf("\n");
    }
}

/* Where credentials are, and for what; never what they are. */
static bool print_credentials(const char *path)
{
    sb_autofree char *text = NULL;
    sb_autojson *json = NULL;
    sb_slice store;
    bool missing = false;
    size_t len;

    if (sb_read_file(AT_FDCWD, path, 1 << 20, &text, &len, &missing, NULL) < 0)
        return false;
    printf("  ");
    cli_print_safe(stdout, sb_slice_z(path));
    printf("\n");
    if (sb_json_parse(sb_slice_of(text, len), path, &json, NULL) < 0) {
        printf("      cannot be read: it is no JSON\n");
        return true;
    }
    store = sb_json_str(json, "credsStore");
    if (store.len) {
        printf("      all registries: helper ");
        cli_print_safe(stdout, store);
        printf("\n");
    }
    print_keys(sb_json_object(json, "auths"), "");
    print_keys(sb_json_object(json, "credHelpers"), ": helper ");
    return true;
}

static void print_all_credentials(const cli_app *app)
{
    const char *home = getenv("HOME"), *config = getenv("DOCKER_CONFIG"),
               *runtime = getenv("XDG_RUNTIME_DIR");
    const char *auth = getenv("REGISTRY_AUTH_FILE");
    sb_autofree char *docker = config && *config ? sb_path_join(config, "config.json")
                                                 : sb_path_join(home ? home : "/", ".docker/config.json");
    sb_autofree char *containers =
        auth && *auth ? sb_strdup(auth) : sb_path_join(runtime ? runtime : "/run", "containers/auth.json");
    bool found;

    title(app, "Credentials");
    found = print_credentials(docker);
    found |= print_credentials(containers);
    if (!found)
        printf("  none\n");
}

/* --- The project --- */

static const char *plural(size_t count, const char *one, const char *many)
{
    return count == 1 ? one : many;
}

static void print_project(cli_app *app, const char *context, const char *dockerfile)
{
    SB_AUTO(sb_project) project = NULL;
    SB_AUTO(sb_lock) lock = NULL;
    SB_AUTO(sb_error) problem = NULL;

    title(app, "Project");
    if (cli_open_project(app, context, dockerfile, &project, &problem) < 0) {
        printf("  %s%s\n", problem->code == SB_ERR_USAGE ? "none: " : "", problem->message);
        return;
    }
    printf("  ");
    cli_print_safe(stdout, project->dockerfile_name);
    if (sb_lock_load(project, &lock, &problem) < 0)
        printf(": %s\n", problem->message);
    else
        printf(": locked, %zu %s, %zu %s, %zu git %s\n", lock->image_count,
               plural(lock->image_count, "image", "images"), lock->file_count,
               plural(lock->file_count, "file", "files"), lock->git_count,
               plural(lock->git_count, "repository", "repositories"));
    printf("  %s: %s\n", SB_STORE_NAME, project->store ? "there" : "not there");
}

static int run(cli_app *app, const void *values, sb_error **err)
{
    const doctor_options *o = values;
    const char *context = app->operands[0] ? app->operands[0] : ".";
    SB_AUTO(sb_settings) settings = NULL;
    sb_autofree char *cache = sb_cache_dir(err);
    sb_autofree char *config = sb_config_dir(err);
    size_t working = 0;

    if (!cache || !config || sb_settings_load(context, &settings, err) < 0)
        return -1;
    if (print_engines(app, &working, err) < 0)
        return -1;
    title(app, "Programs");
    print_program(app, "git", "ADD of git repositories cannot be locked");
    print_program(app, "gpg", "OpenPGP signatures cannot be verified");
    print_registries(app, settings);
    print_all_credentials(app);
    title(app, "Files");
    printf("  cache %s\n  configuration %s/config.json\n", cache, config);
    print_project(app, context, o->file);
    return working ? 0 : sb_exit_code(SB_ERR_ENGINE);
}

const cli_command cli_doctor = {
    .name = "doctor",
    .summary = "tell what sbuild finds on this machine",
    .usage = "[CONTEXT]",
    .description = "Shows the engines found with their versions and abilities, the programs that sbuild "
                   "calls, registries with their mirrors, where credentials are found (not what they are), "
                   "cache, settings, and the state of the project.",
    .options = options,
    .options_size = sizeof(doctor_options),
    .exits = CLI_EXIT(9),
    .operand = CLI_OPERAND_DIR,
    .max_operands = 1,
    .run = run,
};
