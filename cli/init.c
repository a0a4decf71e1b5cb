// SPDX-License-Identifier: Apache-2.0
/*
 * `sbuild init`: lines for the ignore files of git and of plain docker build. Lines are only ever added, at
 * the end, in the file's own line ends; a second run finds them and adds nothing.
 */
#include <cli/commands.h>

#include <sbuild/fs.h>

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum { IGNORE_FILE_MAX = 4 << 20, LINES_MAX = 8 };

typedef struct init_options {
    const char *file;
    bool dry_run;
} init_options;

static const cli_option options[] = {
    CLI_OPTION_FILE(init_options, file),
    {"dry-run", 'n', CLI_FLAG(init_options, dry_run), NULL, "only say what would be added"},
    CLI_OPTIONS_END,
};

typedef struct ignore_file {
    int dirfd;          /* of the directory that it is in */
    const char *name;   /* in that directory */
    const char *shown;  /* as messages call it */
    const char *reason; /* why the lines are wanted */
    const char *lines[LINES_MAX];
    size_t count;
} ignore_file;

/* "/.sbuild/", ".sbuild/" and ".sbuild" mean the same to whoever wrote one of them. */
static sb_slice bare(sb_slice line)
{
    line = sb_slice_trim(line);
    if (line.len > 1 && line.ptr[0] == '/')
        line = sb_slice_sub(line, 1, line.len);
    if (line.len > 1 && line.ptr[line.len - 1] == '/')
        line = sb_slice_sub(line, 0, line.len - 1);
    return line;
}

static bool has_line(sb_slice text, sb_slice wanted)
{
    while (text.ptr)
        if (sb_slice_eq(bare(sb_slice_cut(&text, '\n')), bare(wanted)))
            return true;
    return false;
}

static int read_ignore_file(const ignore_file *f, char **ret_text, size_t *ret_len, mode_t *ret_mode,
                            sb_error **err)
{
    bool missing = false;
    sb_autoclose int fd = sb_open_beneath(f->dirfd, f->name, O_RDONLY, 0, &missing, err);
    struct stat st;

    if (fd < 0) {
        if (!missing)
            return -1;
        *ret_text = sb_strdup("");
        *ret_len = 0;
        *ret_mode = 0644;
        return 0;
    }
    if (fstat(fd, &st) < 0)
        return sb_fail(err, SB_ERR_IO, "cannot look at %s: %s", f->shown, strerror(errno));
    *ret_mode = st.st_mode & 0777;
    return sb_read_fd(fd, f->shown, IGNORE_FILE_MAX, ret_text, ret_len, err);
}

/* Adds what is missing. */
static int complete(const cli_app *app, const ignore_file *f, bool dry_run, sb_error **err)
{
    sb_autobuf out = SB_BUF_INIT(2 * IGNORE_FILE_MAX), added = SB_BUF_INIT(IGNORE_FILE_MAX);
    sb_autofree char *old = NULL;
    const char *end;
    mode_t mode;
    size_t len;

    if (read_ignore_file(f, &old, &len, &mode, err) < 0)
        return -1;
    end = sb_slice_find(sb_slice_of(old, len), SB_LIT("\r\n")) >= 0 ? "\r\n" : "\n";
    sb_buf_add(&out, old, len);
    if (len > 0 && old[len - 1] != '\n')
        sb_buf_addz(&out, end);
    for (size_t i = 0; i < f->count; i++) {
        if (has_line(sb_slice_of(old, len), sb_slice_z(f->lines[i])))
            continue;
        sb_buf_printf(&out, "%s%s", f->lines[i], end);
        sb_buf_printf(&added, "%s%s", added.len ? ", " : "", f->lines[i]);
    }
    if (added.len > 0 && !dry_run &&
        (sb_buf_check(&out, f->shown, err) < 0 ||
         sb_write_file(f->dirfd, f->name, sb_buf_slice(&out), mode, err) < 0))
        return -1;
    if (app->quiet)
        return 0;
    cli_print_safe(stdout, sb_slice_z(f->shown));
    if (added.len == 0) {
        printf(": nothing to add\n");
        return 0;
    }
    printf(": %s ", dry_run ? "would add" : "added");
    cli_print_safe(stdout, sb_buf_slice(&added));
    printf("\n    %s\n", f->reason);
    return 0;
}

/* Is it in a git work tree? `.git` is a directory, or a file in linked work trees and submodules. */
static bool in_git(int dirfd)
{
    sb_autoclose int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    while (fd >= 0) {
        struct stat here, above, git;
        int parent;

        if (fstatat(fd, ".git", &git, AT_SYMLINK_NOFOLLOW) == 0)
            return true;
        parent = openat(fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (parent < 0)
            return false;
        if (fstat(fd, &here) < 0 || fstat(parent, &above) < 0 ||
            (here.st_dev == above.st_dev && here.st_ino == above.st_ino)) {
            sb_closep(&parent);
            return false;
        }
        sb_closep(&fd);
        fd = parent;
    }
    return false;
}

/* As a pattern of an ignore file: what is special there is escaped. */
static char *pattern_of(sb_slice path, const char *suffix)
{
    sb_autobuf pattern = SB_BUF_INIT(1 << 16);

    for (size_t i = 0; i < path.len; i++) {
        if (strchr("*?[]\\", path.ptr[i]) || (i == 0 && strchr("!#", path.ptr[i])))
            sb_buf_addc(&pattern, '\\');
        sb_buf_addc(&pattern, path.ptr[i]);
    }
    sb_buf_addz(&pattern, suffix);
    return sb_buf_take(&pattern);
}

/*
 * The Dockerfile's path relative to the context; NULL when it is not beneath it (then neither is the lock).
 * The file itself need not be there yet.
 */
static char *dockerfile_below(const char *context, const char *file)
{
    const char *slash = file ? strrchr(file, '/') : NULL;
    sb_autofree char *dir =
        slash ? sb_strndup(file, slash == file ? 1 : (size_t)(slash - file)) : sb_strdup(".");
    sb_autofree char *top = realpath(context, NULL);
    sb_autofree char *real = realpath(dir, NULL);
    size_t len = top ? strlen(top) : 0;

    if (!file)
        return sb_strdup("Dockerfile");
    if (!top || !real || strncmp(real, top, len) != 0 || (real[len] != '/' && real[len] != '\0' && len > 1))
        return NULL;
    for (real[len] == '/' ? len++ : len; real[len] == '/'; len++)
        ;
    return sb_path_join(real + len, slash ? slash + 1 : file);
}

static int add_to_git(const cli_app *app, int dirfd, bool dry_run, sb_error **err)
{
    const ignore_file git = {
        .dirfd = dirfd,
        .name = ".gitignore",
        .shown = ".gitignore",
        .reason =
            "builds make it anew from lock and store; commit those two: Dockerfile.lock and sbuild.vendor",
        .lines = {"/.sbuild/"},
        .count = 1,
    };

    return in_git(dirfd) ? complete(app, &git, dry_run, err) : 0;
}

/* A Dockerfile's own ignore file counts instead of the context's, if there is one. */
static int add_to_docker(const cli_app *app, int dirfd, const char *context, const char *file, bool dry_run,
                         sb_error **err)
{
    sb_autofree char *dockerfile = dockerfile_below(context, file);
    sb_autofree char *lock = dockerfile ? pattern_of(sb_slice_z(dockerfile), ".lock") : NULL;
    sb_autofree char *own = dockerfile ? sb_asprintf("%s.dockerignore", dockerfile) : NULL;
    struct stat st;
    ignore_file docker = {
        .dirfd = dirfd,
        .name = own && fstatat(dirfd, own, &st, 0) == 0 ? own : ".dockerignore",
        .reason = "for plain docker build: sbuild keeps them out of the context by itself",
        .lines = {".sbuild", SB_STORE_NAME, lock},
        .count = lock ? 3 : 2,
    };

    docker.shown = docker.name;
    return complete(app, &docker, dry_run, err);
}

static int run(cli_app *app, const void *values, sb_error **err)
{
    const init_options *o = values;
    const char *context = app->operand_count ? app->operands[0] : ".";
    sb_autoclose int dirfd = -1;

    if (sb_open_dir(context, &dirfd, err) < 0 || add_to_git(app, dirfd, o->dry_run, err) < 0)
        return -1;
    return add_to_docker(app, dirfd, context, o->file, o->dry_run, err);
}

static const cli_example examples[] = {
    {"sbuild init", "prepare the directory here"},
    {"sbuild init --dry-run", "see what that would change"},
    {NULL, NULL},
};

const cli_command cli_init = {
    .name = "init",
    .summary = "add what git and docker build should ignore",
    .usage = "[CONTEXT]",
    .description = "Adds the scratch directory to .gitignore, in a git repository, and scratch directory, "
                   "store and lock to .dockerignore, so that a plain \"docker build\" leaves them out of "
                   "the image as sbuild does. Lines that are there already are left alone.",
    .options = options,
    .options_size = sizeof(init_options),
    .examples = examples,
    .operand = CLI_OPERAND_DIR,
    .max_operands = 1,
    .run = run,
};
