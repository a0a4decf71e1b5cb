// SPDX-License-Identifier: Apache-2.0
#include <cli/commands.h>

#include <cli/progress.h>
#include <sbuild/builder.h>

typedef struct lock_options {
    const char *file;
    const char *target;
    cli_list build_args;
    cli_list platforms;
    cli_list build_contexts;
    cli_list update;
    const char *engine;
    const char *builder;
    cli_list engine_arguments; /* handed through in their order: "--secret=…", "--network=…" */
    const char *min_age;
    bool no_run;
    bool require_signatures;
    bool json;
} lock_options;

static const cli_option options[] = {
    CLI_OPTION_FILE(lock_options, file),
    {"target", 0, CLI_STRING(lock_options, target), "STAGE",
     "lock what STAGE needs (default: the last stage)"},
    {"build-arg", 0, CLI_LIST(lock_options, build_args), "KEY=VALUE", "a build argument to lock with"},
    {"platform", 0, CLI_WORDS(lock_options, platforms), "OS/ARCH",
     "lock for this platform (default: those of the lock, else this machine's)"},
    {"build-context", 0, CLI_LIST(lock_options, build_contexts), "NAME=PATH",
     "builds will be given this context: what it replaces is not locked"},
    {"update", 0, CLI_OPTIONAL(lock_options, update), "NAME",
     "look again at what is locked already: NAME alone (an image, a URL or part of one, the line of a RUN or "
     "part of its text), or everything"},
    {"min-age", 0, CLI_STRING(lock_options, min_age), "TIME",
     "take nothing that was published less than TIME ago, e.g. 7d"},
    {"no-run", 0, CLI_FLAG(lock_options, no_run), NULL,
     "run no RUN instruction: what they download is not locked"},
    {"engine", 0, CLI_CHOICE(lock_options, engine), "docker|podman|buildah",
     "the engine that runs RUN instructions (default: $SBUILD_ENGINE, else the first that works)"},
    {"builder", 0, CLI_STRING(lock_options, builder), "NAME", "the buildx builder"},
    {"network", 0, CLI_PASS(lock_options, engine_arguments), "MODE",
     "the network of RUN instructions while they are recorded"},
    CLI_OPTIONS_STEP(lock_options, engine_arguments),
    {"require-signatures", 0, CLI_FLAG(lock_options, require_signatures), NULL,
     "fail unless somebody vouches for every download"},
    {"json", 0, CLI_FLAG(lock_options, json), NULL, "print the report as JSON"},
    CLI_OPTIONS_END,
};

/* What a run tells: images, files and repositories, then RUN instructions. */
typedef struct lock_result {
    const sb_update_report *locked;
    const sb_record_report *recorded;
} lock_result;

static const sb_lock_change *change_at(const lock_result *result, size_t i)
{
    return i < result->locked->count ? &result->locked->changes[i]
                                     : &result->recorded->changes[i - result->locked->count];
}

static size_t change_count(const lock_result *result)
{
    return result->locked->count + result->recorded->count;
}

static bool is_written(const lock_result *result)
{
    return result->locked->written || result->recorded->written;
}

static json_t *warnings_json(const sb_record_report *report)
{
    json_t *warnings = json_array();

    for (size_t i = 0; i < report->warning_count; i++) {
        const sb_record_warning *warning = &report->warnings[i];
        json_t *entry = json_object();

        json_object_set_new(entry, "line", json_integer(warning->line));
        sb_json_set_str(entry, "step", warning->label);
        sb_json_set_strz(entry, "kind", warning->kind);
        sb_json_set_str(entry, "text", warning->text);
        json_array_append_new(warnings, entry);
    }
    return warnings;
}

static int print_json(const lock_result *result, sb_error **err)
{
    enum { JSON_MAX = 64 << 20 };
    sb_autojson *root = json_object();
    json_t *entries = json_array();
    sb_autobuf out = SB_BUF_INIT(JSON_MAX);

    json_object_set_new(root, "entries", entries);
    json_object_set_new(root, "recorded", json_integer((json_int_t)result->recorded->recorded));
    json_object_set_new(root, "unlocked", json_integer((json_int_t)result->recorded->unlocked));
    json_object_set_new(root, "warnings", warnings_json(result->recorded));
    json_object_set_new(root, "written", json_boolean(is_written(result)));
    for (size_t i = 0; i < change_count(result); i++) {
        const sb_lock_change *change = change_at(result, i);
        json_t *entry = json_object();

        sb_json_set_strz(entry, "kind", change->kind);
        sb_json_set_str(entry, "name", change->name);
        sb_json_set_str(entry, "pinned", change->pinned);
        sb_json_set_str(entry, "vouched", change->vouched);
        json_object_set_new(entry, "changed", json_boolean(change->changed));
        json_array_append_new(entries, entry);
    }
    if (sb_json_write(root, &out, err) < 0)
        return -1;
    printf("%s\n", out.data);
    return 0;
}

static void print_table(const cli_app *app, const lock_result *result)
{
    static const char *const titles[] = {"", "KIND", "AS WRITTEN", "PINNED TO", "VOUCHED FOR BY"};
    SB_AUTO(cli_table) table = cli_table_new(SB_COUNT(titles));

    if (!change_count(result))
        return;
    cli_table_title(table, titles);
    for (size_t i = 0; i < change_count(result); i++) {
        const sb_lock_change *change = change_at(result, i);
        sb_slice cells[] = {change->changed ? SB_LIT("*") : SB_LIT(""), sb_slice_z(change->kind),
                            change->name, change->pinned, change->vouched};

        cli_table_add(table, cells, change->changed ? CLI_GREEN : CLI_PLAIN);
    }
    cli_table_print(table, &app->out, stdout);
}

static void print_report(const cli_app *app, const sb_project *project, const lock_result *result)
{
    size_t changed = 0, unlocked = result->recorded->unlocked;

    print_table(app, result);
    for (size_t i = 0; i < change_count(result); i++)
        changed += change_at(result, i)->changed;
    if (unlocked)
        printf("%zu RUN instruction%s not locked (--no-run); a build gives %s no network\n", unlocked,
               unlocked == 1 ? " is" : "s are", unlocked == 1 ? "it" : "them");
    if (!is_written(result))
        printf("%" SB_FMT " is up to date\n", SB_ARG(project->lock_name));
    else if (changed)
        printf("%" SB_FMT " written, %zu of %zu changed (*)\n", SB_ARG(project->lock_name), changed,
               change_count(result));
    else
        printf("%" SB_FMT " written\n", SB_ARG(project->lock_name));
}

/* The names of "NAME=PATH". */
static int context_names(const cli_list *contexts, sb_arena *arena, const char *const **ret_names,
                         sb_error **err)
{
    const char **names = sb_arena_array(arena, const char *, contexts->count + 1);

    for (size_t i = 0; i < contexts->count; i++) {
        sb_slice rest = sb_slice_z(contexts->items[i]);

        names[i] = sb_arena_strdup(arena, sb_slice_cut(&rest, '='));
        if (!*names[i] || !rest.len) {
            sb_autofree char *shown = sb_printable(sb_slice_z(contexts->items[i]));

            return sb_fail(err, SB_ERR_USAGE, "--build-context wants NAME=PATH, not \"%s\"", shown);
        }
    }
    *ret_names = names;
    return 0;
}

static int record(cli_app *app, const lock_options *given, sb_project *project,
                  const sb_update_options *locked, const sb_update_report *report,
                  sb_record_report **ret_report, sb_error **err)
{
    sb_record_options wanted = {.build = {.engine = given->engine,
                                          .builder = given->builder,
                                          .target = given->target,
                                          .build_args = locked->build_args,
                                          .build_arg_count = locked->build_arg_count,
                                          .contexts = cli_strings(&given->build_contexts),
                                          .quiet = app->quiet,
                                          .progress = app->progress_mode,
                                          .engine_arguments = cli_strings(&given->engine_arguments),
                                          .engine_argument_count = given->engine_arguments.count},
                                .no_run = given->no_run,
                                .update_all = given->update.bare,
                                .update = report->run_names};

    cli_progress_clear(app->live);
    return sb_record(project, &wanted, ret_report, err);
}

static int run(cli_app *app, const void *values, sb_error **err)
{
    const lock_options *given = values;
    SB_AUTO(sb_arena) arena = sb_arena_new();
    SB_AUTO(sb_project) project = NULL;
    SB_AUTO(sb_update_report) report = NULL;
    SB_AUTO(sb_record_report) recorded = NULL;
    lock_result result;
    sb_df_var *args;
    sb_update_options wanted = {.target = given->target,
                                .platforms = cli_strings(&given->platforms),
                                .context_count = given->build_contexts.count,
                                .update_all = given->update.bare,
                                .update = cli_strings(&given->update),
                                .require_signatures = given->require_signatures,
                                .no_run = given->no_run,
                                .pull_images = true};

    if (cli_check_platforms(wanted.platforms, err) < 0 ||
        context_names(&given->build_contexts, arena, &wanted.contexts, err) < 0 ||
        cli_build_args(&given->build_args, arena, &args, &wanted.build_arg_count, err) < 0 ||
        (given->min_age && cli_duration(given->min_age, "min-age", &wanted.min_age, err) < 0) ||
        cli_open_project(app, app->operands[0], given->file, &project, err) < 0)
        return -1;
    wanted.build_args = args;
    if (sb_lock_update(project, &wanted, &report, err) < 0 ||
        record(app, given, project, &wanted, report, &recorded, err) < 0)
        return -1;
    cli_progress_clear(app->live);
    result = (lock_result){report, recorded};
    if (given->json)
        return print_json(&result, err);
    if (!app->quiet)
        print_report(app, project, &result);
    return 0;
}

static const cli_example examples[] = {
    {"sbuild lock", "lock the Dockerfile here"},
    {"sbuild lock --update", "look for newer versions of everything"},
    {"sbuild lock --update=node", "of the node image only"},
    {"sbuild lock --update=apt-get", "of what the RUN instruction with apt-get in it downloads"},
    {"sbuild lock --platform linux/amd64,linux/arm64", "for two platforms"},
    {NULL, NULL},
};

const cli_command cli_lock = {
    .name = "lock",
    .summary = "find, verify and pin everything that the Dockerfile takes from the network",
    .usage = "[CONTEXT]",
    .description =
        "Finds every image, URL and git repository that the Dockerfile uses, verifies what vouches for it, "
        "and writes what it is now into the lock file beside the Dockerfile (Dockerfile.lock). Then it "
        "runs the RUN instructions in a real build, each behind a server that records what it downloads. "
        "Downloads are kept in sbuild.vendor. What is locked already stays as it is unless --update asks "
        "for newer: a RUN instruction is run again only when something that it depends on has changed, and "
        "what it downloaded before is answered from the lock.\n\n"
        "This is the only command that writes the lock. Commit the lock and sbuild.vendor.",
    .options = options,
    .options_size = sizeof(lock_options),
    .examples = examples,
    .exits = CLI_EXIT(1) | CLI_EXIT(4) | CLI_EXIT(6) | CLI_EXIT(7) | CLI_EXIT(8) | CLI_EXIT(9),
    .operand = CLI_OPERAND_DIR,
    .max_operands = 1,
    .run = run,
};
