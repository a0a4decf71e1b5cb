// SPDX-License-Identifier: Apache-2.0
#include <cli/commands.h>

#include <cli/progress.h>
#include <sbuild/lock.h>

typedef struct lock_options {
    const char *file;
    const char *target;
    cli_list build_args;
    cli_list platforms;
    cli_list build_contexts;
    cli_list update;
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
     "look again at what is locked already: NAME alone (an image, URL or part of one), or everything"},
    {"min-age", 0, CLI_STRING(lock_options, min_age), "TIME",
     "take nothing that was published less than TIME ago, e.g. 7d"},
    {"no-run", 0, CLI_FLAG(lock_options, no_run), NULL, "run no RUN instruction"},
    {"require-signatures", 0, CLI_FLAG(lock_options, require_signatures), NULL,
     "fail unless somebody vouches for every download"},
    {"json", 0, CLI_FLAG(lock_options, json), NULL, "print the report as JSON"},
    CLI_OPTIONS_END,
};

static int print_json(const sb_update_report *report, sb_error **err)
{
    enum { JSON_MAX = 64 << 20 };
    sb_autojson *root = json_object();
    json_t *entries = json_array();
    sb_autobuf out = SB_BUF_INIT(JSON_MAX);

    json_object_set_new(root, "entries", entries);
    json_object_set_new(root, "run-instructions", json_integer((json_int_t)report->run_count));
    json_object_set_new(root, "written", json_boolean(report->written));
    for (size_t i = 0; i < report->count; i++) {
        const sb_lock_change *change = &report->changes[i];
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

static void print_table(const cli_app *app, const sb_update_report *report)
{
    static const char *const titles[] = {"", "KIND", "AS WRITTEN", "PINNED TO", "VOUCHED FOR BY"};
    SB_AUTO(cli_table) table = cli_table_new(SB_COUNT(titles));

    if (!report->count)
        return;
    cli_table_title(table, titles);
    for (size_t i = 0; i < report->count; i++) {
        const sb_lock_change *change = &report->changes[i];
        sb_slice cells[] = {change->changed ? SB_LIT("*") : SB_LIT(""), sb_slice_z(change->kind),
                            change->name, change->pinned, change->vouched};

        cli_table_add(table, cells, change->changed ? CLI_GREEN : CLI_PLAIN);
    }
    cli_table_print(table, &app->out, stdout);
}

static void print_report(const cli_app *app, const sb_project *project, const sb_update_report *report)
{
    size_t changed = 0;

    print_table(app, report);
    for (size_t i = 0; i < report->count; i++)
        changed += report->changes[i].changed;
    if (report->run_count)
        printf("%zu RUN instruction%s may use the network; what %s download%s is not locked, --offline "
               "builds give "
               "%s none\n",
               report->run_count, report->run_count == 1 ? "" : "s", report->run_count == 1 ? "it" : "they",
               report->run_count == 1 ? "s" : "", report->run_count == 1 ? "it" : "them");
    if (!report->written)
        printf("%" SB_FMT " is up to date\n", SB_ARG(project->lock_name));
    else if (changed)
        printf("%" SB_FMT " written, %zu of %zu changed (*)\n", SB_ARG(project->lock_name), changed,
               report->count);
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

static int run(cli_app *app, const void *values, sb_error **err)
{
    const lock_options *given = values;
    SB_AUTO(sb_arena) arena = sb_arena_new();
    SB_AUTO(sb_project) project = NULL;
    SB_AUTO(sb_update_report) report = NULL;
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
    if (sb_lock_update(project, &wanted, &report, err) < 0)
        return -1;
    cli_progress_clear(app->live);
    if (given->json)
        return print_json(report, err);
    if (!app->quiet)
        print_report(app, project, report);
    return 0;
}

static const cli_example examples[] = {
    {"sbuild lock", "lock the Dockerfile here"},
    {"sbuild lock --update", "look for newer versions of everything"},
    {"sbuild lock --update=node", "of the node image only"},
    {"sbuild lock --platform linux/amd64,linux/arm64", "for two platforms"},
    {NULL, NULL},
};

const cli_command cli_lock = {
    .name = "lock",
    .summary = "find, verify and pin everything that the Dockerfile takes from the network",
    .usage = "[CONTEXT]",
    .description = "Finds every image, URL and git repository that the Dockerfile uses, verifies what "
                   "vouches for it, and "
                   "writes what it is now into the lock file beside the Dockerfile (Dockerfile.lock). "
                   "Downloads are kept in "
                   "sbuild.vendor. What is locked already stays as it is unless --update asks for newer.\n\n"
                   "This is the only command that writes the lock. Commit the lock and sbuild.vendor.",
    .options = options,
    .options_size = sizeof(lock_options),
    .examples = examples,
    .exits = CLI_EXIT(1) | CLI_EXIT(4) | CLI_EXIT(6) | CLI_EXIT(7) | CLI_EXIT(8),
    .operand = CLI_OPERAND_DIR,
    .max_operands = 1,
    .run = run,
};
