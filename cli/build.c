// SPDX-License-Identifier: Apache-2.0
#include <cli/commands.h>
#include <sbuild/builder.h>

#include <unistd.h>

typedef struct build_options {
    const char *file;
    cli_list tags;
    bool allow_moving_tag;
    bool offline;
    cli_list allow_network;
    const char *engine;
    const char *builder;
    const char *target;
    cli_list build_args;
    cli_list platforms;
    cli_list build_contexts; /* "NAME=WHERE" */
    cli_list outputs;
    bool load, push;
    bool no_cache;
    cli_list keep_volatile, drop_volatile;
    const char *expect;
    bool check_reproducible;
    const char *report;
    const char *iidfile;
    const char *metadata_file;
    const char *attestation;
    cli_list engine_arguments; /* handed through in their order: "--secret=…", "--label=…" */
} build_options;

static const cli_option options[] = {
    CLI_OPTION_FILE(build_options, file),
    {"tag", 't', CLI_LIST(build_options, tags), "NAME:VERSION", "name the image, with a version"},
    {"allow-moving-tag", 0, CLI_FLAG(build_options, allow_moving_tag), NULL,
     "let --tag be a word that is no version, such as latest"},
    {"offline", 0, CLI_FLAG(build_options, offline), NULL,
     "use no network, not even for what the store lacks"},
    {"allow-network", 0, CLI_LIST(build_options, allow_network), "STEP",
     "leave the network to one RUN, named by its line, its id or a part of its text"},
    {"engine", 0, CLI_CHOICE(build_options, engine), "docker|podman|buildah",
     "the engine (default: $SBUILD_ENGINE, else the first that works)"},
    {"builder", 0, CLI_STRING(build_options, builder), "NAME", "the buildx builder"},
    {"target", 0, CLI_STRING(build_options, target), "STAGE", "build STAGE (default: the last stage)"},
    {"build-arg", 0, CLI_LIST(build_options, build_args), "KEY=VALUE", "a build argument"},
    {"platform", 0, CLI_WORDS(build_options, platforms), "OS/ARCH", "build for this platform"},
    {"build-context", 0, CLI_LIST(build_options, build_contexts), "NAME=PATH", "a further build context"},
    {"output", 'o', CLI_LIST(build_options, outputs), "DEST",
     "where the result goes, e.g. type=oci,dest=FILE"},
    {"load", 0, CLI_FLAG(build_options, load), NULL,
     "put the image into the engine's images (default without --output and --push)"},
    {"push", 0, CLI_FLAG(build_options, push), NULL, "push the image to its registry"},
    {"no-cache", 0, CLI_FLAG(build_options, no_cache), NULL, "run every instruction again"},
    {"check-reproducible", 0, CLI_FLAG(build_options, check_reproducible), NULL,
     "build twice without cache, the second time under other conditions, and tell what differs"},
    {"report", 0, CLI_FILE(build_options, report), "FILE",
     "with --check-reproducible: write what was found to FILE, as a page of HTML"},
    {"expect", 0, CLI_STRING(build_options, expect), "DIGEST",
     "fail, before anything is tagged, unless image ID or manifest is DIGEST"},
    {"keep-volatile", 0, CLI_OPTIONAL(build_options, keep_volatile), "RULE",
     "leave in files that differ from build to build; without RULE all of them"},
    {"drop-volatile", 0, CLI_LIST(build_options, drop_volatile), "RULE",
     "leave out files that are left out on request only"},
    {"iidfile", 0, CLI_FILE(build_options, iidfile), "FILE", "write the image ID to FILE"},
    {"metadata-file", 0, CLI_FILE(build_options, metadata_file), "FILE",
     "write what was built to FILE, as JSON"},
    {"attestation", 0, CLI_FILE(build_options, attestation), "FILE",
     "write an in-toto statement about the image, with SLSA provenance, to FILE; it is not signed"},
    CLI_OPTIONS_STEP(build_options, engine_arguments),
    {"label", 0, CLI_PASS(build_options, engine_arguments), "KEY=VALUE", "a label of the image"},
    {"annotation", 0, CLI_PASS(build_options, engine_arguments), "KEY=VALUE", "an annotation of the image"},
    {"network", 0, CLI_PASS(build_options, engine_arguments), "MODE", "the network of RUN instructions"},
    {"shm-size", 0, CLI_PASS(build_options, engine_arguments), "BYTES", "the size of /dev/shm"},
    {"cgroup-parent", 0, CLI_PASS(build_options, engine_arguments), "CGROUP",
     "the parent cgroup of RUN instructions"},
    {"cache-from", 0, CLI_PASS(build_options, engine_arguments), "SOURCE",
     "where to take the build cache from"},
    {"cache-to", 0, CLI_PASS(build_options, engine_arguments), "DEST", "where to put the build cache"},
    {"no-cache-filter", 0, CLI_PASS(build_options, engine_arguments), "STAGE",
     "run the instructions of STAGE again"},
    {"attest", 0, CLI_PASS(build_options, engine_arguments), "TYPE", "an attestation"},
    {"provenance", 0, CLI_PASS(build_options, engine_arguments), "MODE", "a provenance attestation"},
    {"sbom", 0, CLI_PASS(build_options, engine_arguments), "MODE", "an SBOM attestation"},
    {"pull", 0, CLI_REFUSED, NULL,
     "the lock says which images are used; \"sbuild lock --update\" looks for newer ones"},
    CLI_OPTIONS_END,
};

static bool writes_to_stdout(const cli_list *outputs)
{
    for (size_t i = 0; i < outputs->count; i++) {
        sb_slice text = sb_slice_z(outputs->items[i]);

        if (sb_slice_eqz(text, "-") || sb_slice_ends(text, SB_LIT("dest=-")) ||
            sb_slice_find(text, SB_LIT("dest=-,")) >= 0 ||
            (sb_slice_find(text, SB_LIT("type=oci")) >= 0 && sb_slice_find(text, SB_LIT("dest=")) < 0))
            return true;
    }
    return false;
}

static void print_result(const cli_app *app, const build_options *o, const sb_build_result *result)
{
    /* An image that goes to standard output has it for itself. */
    FILE *out = writes_to_stdout(&o->outputs) ? stderr : stdout;
    cli_style style = out == stdout ? app->out : app->err;
    SB_AUTO(cli_table) table = NULL;
    sb_slice row[2] = {SB_LIT("image ID"), result->image_id};

    if (app->quiet) {
        fprintf(out, "%" SB_FMT "\n", SB_ARG(result->image_id));
        return;
    }
    table = cli_table_new(2);
    cli_table_add(table, row, CLI_BOLD);
    row[0] = SB_LIT("manifest");
    row[1] = result->manifest_digest;
    cli_table_add(table, row, CLI_PLAIN);
    row[0] = SB_LIT("engine");
    row[1] = result->engine;
    cli_table_add(table, row, CLI_PLAIN);
    for (size_t i = 0; i < o->tags.count; i++) {
        row[0] = SB_LIT("tag");
        row[1] = sb_slice_z(o->tags.items[i]);
        cli_table_add(table, row, CLI_GREEN);
    }
    style.terminal = false; /* people copy digests: none is cut */
    cli_table_print(table, &style, out);
}

static int run(cli_app *app, const void *values, sb_error **err)
{
    const build_options *o = values;
    SB_AUTO(sb_project) project = NULL;
    SB_AUTO(sb_arena) arena = sb_arena_new();
    SB_AUTO(sb_build_result) result = NULL;
    sb_df_var *vars = NULL;
    sb_build_options wanted = {
        .tags = cli_strings(&o->tags),
        .tag_count = o->tags.count,
        .allow_moving_tag = o->allow_moving_tag,
        .offline = o->offline,
        .allow_network = cli_strings(&o->allow_network),
        .engine = o->engine,
        .builder = o->builder,
        .target = o->target,
        .platforms = cli_strings(&o->platforms),
        .contexts = cli_strings(&o->build_contexts),
        .outputs = cli_strings(&o->outputs),
        .load = o->load,
        .push = o->push,
        .no_cache = o->no_cache,
        .keep_all_volatile = o->keep_volatile.bare,
        .keep_volatile = cli_strings(&o->keep_volatile),
        .drop_volatile = cli_strings(&o->drop_volatile),
        .expect = o->expect,
        .check_reproducible = o->check_reproducible,
        .report = o->report,
        .quiet = app->quiet,
        .iidfile = o->iidfile,
        .metadata_file = o->metadata_file,
        .attestation = o->attestation,
        .progress = app->progress_mode,
        .engine_arguments = cli_strings(&o->engine_arguments),
        .engine_argument_count = o->engine_arguments.count,
    };

    if (cli_check_platforms(wanted.platforms, err) < 0 ||
        cli_build_args(&o->build_args, arena, &vars, &wanted.build_arg_count, err) < 0 ||
        cli_open_project(app, app->operands[0], o->file, &project, err) < 0)
        return -1;
    if (writes_to_stdout(&o->outputs) && isatty(STDOUT_FILENO))
        return sb_fail(err, SB_ERR_USAGE,
                       "an image is not for a terminal; name a file, as in --output type=oci,dest=FILE");
    wanted.build_args = vars;
    if (sb_build(project, &wanted, &result, err) < 0)
        return -1;
    if (result->findings.len && !app->quiet)
        fwrite(result->findings.ptr, 1, result->findings.len,
               writes_to_stdout(&o->outputs) ? stderr : stdout);
    if (result->differs && app->quiet)
        return sb_fail(err, SB_ERR_BUILD,
                       "two builds make two images; without --quiet it is told what differs");
    if (result->differs)
        return sb_exit_code(SB_ERR_BUILD);
    print_result(app, o, result);
    return 0;
}

static const cli_example examples[] = {
    {"sbuild build -t app:1.2.3", "build the image here, by the lock"},
    {"sbuild build -t app:1.2.3 --offline", "the same without any network"},
    {"sbuild build -t app:1.2.3 --platform linux/arm64 --push", "for another platform, to a registry"},
    {"sbuild build --check-reproducible --report diff.html", "does everybody get this image? If not, why?"},
    {"sbuild build -t app:1.2.3 --expect sha256:2c26…", "only if it is the image that it was"},
    {"sbuild build -t app:1.2.3 --attestation app.json", "and say what it was made of"},
    {"sbuild build -t app:1.2.3 --drop-volatile ssh-host-keys", "an image without keys of its own"},
    {NULL, NULL},
};

static bool volatile_entry(size_t index, sb_arena *arena, const char **ret_name, const char **ret_text)
{
    sb_volatile_text text;

    if (!sb_volatile_list(index, arena, &text))
        return false;
    *ret_name = text.name;
    *ret_text = sb_arena_printf(arena, "%s; %s: %s", text.what, text.about, text.files).ptr;
    return true;
}

const cli_command cli_build = {
    .name = "build",
    .summary = "build the image from what is locked",
    .usage = "[CONTEXT]",
    .description =
        "Builds the Dockerfile with every image, URL and git repository replaced by what the lock says, "
        "from the store where it is there. Nothing is resolved that is not in the lock. The options are "
        "those of \"docker build\".\n\n"
        "The image ID depends on Dockerfile, context, lock and build arguments, not on the engine, the "
        "machine or the day, as far as the RUN instructions do not.\n\n"
        "A tag must be a version: none, \"latest\" and moving words like \"stable\" are refused unless "
        "--allow-moving-tag is given.",
    .options = options,
    .options_size = sizeof(build_options),
    .section = "VOLATILE FILES",
    .section_entry = volatile_entry,
    .examples = examples,
    .exits = CLI_EXIT(1) | CLI_EXIT(3) | CLI_EXIT(7) | CLI_EXIT(8) | CLI_EXIT(9),
    .operand = CLI_OPERAND_DIR,
    .max_operands = 1,
    .run = run,
};
