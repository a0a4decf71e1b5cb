// SPDX-License-Identifier: Apache-2.0
#include <cli/commands.h>

#include <fcntl.h>

#include <sbuild/fs.h>
#include <sbuild/lock.h>
#include <sbuild/process.h>

typedef struct diff_options {
    const char *file;
} diff_options;

static const cli_option options[] = {
    CLI_OPTION_FILE(diff_options, file),
    CLI_OPTIONS_END,
};

static int read_lock(const char *path, sb_lock **ret_lock, sb_error **err)
{
    sb_autofree char *shown = sb_printable(sb_slice_z(path));
    sb_autofree char *data = NULL;
    bool missing = false;
    size_t len = 0;

    if (sb_read_file(AT_FDCWD, path, SB_LOCK_MAX, &data, &len, &missing, err) < 0)
        return missing ? sb_fail(err, SB_ERR_USAGE, "there is no %s", shown) : -1;
    return sb_lock_parse(sb_slice_of(data, len), shown, ret_lock, err);
}

/* What git has of the lock in HEAD; an empty lock when it was never committed. */
static int committed_lock(const sb_project *project, sb_lock **ret_lock, sb_error **err)
{
    enum { WORDS_MAX = 65536 };
    sb_autofree char *object =
        sb_asprintf("HEAD:./%.*s", (int)project->lock_name.len, project->lock_name.ptr);
    sb_autofree char *path = sb_slice_dup(project->dockerfile_path);
    const char *const argv[] = {"git", "cat-file", "blob", object, NULL};
    const char *const unset[] = {"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", NULL};
    sb_autobuf text = SB_BUF_INIT(SB_LOCK_MAX);
    sb_autobuf words = SB_BUF_INIT(WORDS_MAX);
    sb_process_options git = {.argv = argv, .unset = unset, .output = &text, .errors = &words};
    int status = 0;

    *strrchr(path, '/') = '\0';
    git.cwd = *path ? path : "/";
    if (sb_process_run(&git, &status, err) < 0)
        return sb_wrap(err, "git tells what the lock was; name two files instead");
    if (status == 0)
        return sb_lock_parse(sb_buf_slice(&text), "HEAD's lock", ret_lock, err);
    if (sb_slice_find(sb_buf_slice(&words), SB_LIT("not a git repository")) >= 0)
        return sb_fail(err, SB_ERR_USAGE, "this is no git repository; name two lock files to compare");
    *ret_lock = sb_lock_new();
    return 0;
}

static int run(cli_app *app, const void *values, sb_error **err)
{
    enum { CHANGES_MAX = 64 << 20 };
    const diff_options *o = values;
    SB_AUTO(sb_project) project = NULL;
    SB_AUTO(sb_lock) before = NULL;
    SB_AUTO(sb_lock) after = NULL;
    sb_autobuf out = SB_BUF_INIT(CHANGES_MAX);

    if (app->operand_count == 2) {
        if (read_lock(app->operands[1], &after, err) < 0)
            return -1;
    } else if (cli_open_project(app, NULL, o->file, &project, err) < 0 ||
               sb_lock_load(project, &after, err) < 0) {
        return -1;
    }
    if ((project && !app->operand_count ? committed_lock(project, &before, err)
                                        : read_lock(app->operands[0], &before, err)) < 0 ||
        sb_lock_diff(before, after, &out, err) < 0)
        return -1;
    if (out.len)
        fwrite(out.data, 1, out.len, stdout);
    else if (!app->quiet)
        fputs("nothing changed\n", stderr);
    return 0;
}

static const cli_example examples[] = {
    {"sbuild diff", "what changed since the last commit"},
    {"sbuild diff old.lock Dockerfile.lock", "between two files"},
    {NULL, NULL},
};

const cli_command cli_diff = {
    .name = "diff",
    .summary = "say what changed between two locks",
    .usage = "[OLD [NEW]]",
    .description = "Compares two lock files and prints one line per change, in words; of what RUN steps "
                   "download it names the packages. NEW is the lock here unless it is "
                   "given, OLD the one that git has of it.",
    .options = options,
    .options_size = sizeof(diff_options),
    .examples = examples,
    .exits = CLI_EXIT(1) | CLI_EXIT(3) | CLI_EXIT(8),
    .operand = CLI_OPERAND_FILE,
    .max_operands = 2,
    .run = run,
};
