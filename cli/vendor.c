// SPDX-License-Identifier: Apache-2.0
#include <cli/commands.h>

#include <sbuild/lock.h>

typedef struct vendor_options {
    const char *file;
    bool images;
    bool prune;
    bool list;
    const char *to;
} vendor_options;

static const cli_option options[] = {
    CLI_OPTION_FILE(vendor_options, file),
    {"images", 0, CLI_FLAG(vendor_options, images), NULL, "base images as well"},
    {"prune", 0, CLI_FLAG(vendor_options, prune), NULL, "remove what no lock names any more"},
    {"list", 0, CLI_FLAG(vendor_options, list), NULL,
     "only list what the store holds, with the names from the lock"},
    {"to", 0, CLI_FILE(vendor_options, to), "DIR", "put everything into DIR instead of sbuild.vendor"},
    CLI_OPTIONS_END,
};

static int list(const cli_app *app, sb_project *project, const sb_lock *lock, sb_error **err)
{
    static const char *const titles[] = {"name", "digest", "size"};
    SB_AUTO(sb_arena) arena = sb_arena_new();
    SB_AUTO(cli_table) table = cli_table_new(SB_COUNT(titles));
    sb_vendored *items;
    size_t count;

    if (sb_vendor_list(project, lock, arena, &items, &count, err) < 0)
        return -1;
    cli_table_title(table, titles);
    for (size_t i = 0; i < count; i++) {
        char digest[SB_DIGEST_TEXT], size[CLI_SIZE_TEXT];
        sb_slice cells[SB_COUNT(titles)];

        sb_digest_format(&items[i].digest, digest);
        cli_size(items[i].size, size);
        cells[0] = items[i].name.ptr ? items[i].name : SB_LIT("(not of this lock)");
        cells[1] = sb_slice_z(digest);
        cells[2] = items[i].present ? sb_slice_z(size) : SB_LIT("missing");
        cli_table_add(table, cells, !items[i].present ? CLI_RED : items[i].name.ptr ? CLI_PLAIN : CLI_DIM);
    }
    cli_table_print(table, &app->out, stdout);
    return 0;
}

static void tell(const sb_vendor_report *report, const char *where)
{
    char bytes[CLI_SIZE_TEXT], freed[CLI_SIZE_TEXT];

    cli_size(report->bytes, bytes);
    cli_size(report->freed, freed);
    printf("%s: %zu objects were there", where, report->present);
    if (report->fetched)
        printf(", %zu added (%s)", report->fetched, bytes);
    if (report->removed)
        printf(", %zu removed (%s)", report->removed, freed);
    putchar('\n');
}

static int run(cli_app *app, const void *values, sb_error **err)
{
    const vendor_options *o = values;
    sb_vendor_options wanted = {.images = o->images, .prune = o->prune, .to = o->to};
    SB_AUTO(sb_project) project = NULL;
    SB_AUTO(sb_lock) lock = NULL;
    sb_autoclose int exclusive = -1;
    sb_vendor_report report;

    if (cli_open_project(app, app->operands[0], o->file, &project, err) < 0)
        return -1;
    if (o->list) {
        if (o->images || o->prune || o->to)
            return sb_fail(err, SB_ERR_USAGE, "--list only lists, and cannot be combined");
        return sb_lock_load(project, &lock, err) < 0 ? -1 : list(app, project, lock, err);
    }
    if (sb_project_exclusive(project, &exclusive, err) < 0 || sb_lock_load(project, &lock, err) < 0 ||
        sb_vendor(project, lock, &wanted, &report, err) < 0)
        return -1;
    if (!app->quiet)
        tell(&report, o->to ? o->to : SB_STORE_NAME);
    return 0;
}

static const cli_example examples[] = {
    {"sbuild vendor --images", "make the repository hold all that a build needs"},
    {"sbuild vendor --prune", "remove what is not needed any more"},
    {NULL, NULL},
};

const cli_command cli_vendor = {
    .name = "vendor",
    .summary = "make the store hold everything that the lock names",
    .usage = "[CONTEXT]",
    .description = "Fetches what the lock names and sbuild.vendor does not hold, verified against the lock. "
                   "The lock stays "
                   "as it is.",
    .options = options,
    .options_size = sizeof(vendor_options),
    .examples = examples,
    .exits = CLI_EXIT(1) | CLI_EXIT(3) | CLI_EXIT(6) | CLI_EXIT(7) | CLI_EXIT(8),
    .operand = CLI_OPERAND_DIR,
    .max_operands = 1,
    .run = run,
};
