// SPDX-License-Identifier: Apache-2.0
/* lint --fix and --dry-run. */
#include <cli/lint_fix.h>
#include <sbuild/fs.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FIXED_MAX = 256 << 20 /* bytes of a fixed file, and of a diff */ };

static void tell(const cli_app *app, const char *name, const sb_lint_fixes *fixes, bool dry_run)
{
    sb_autofree char *shown = sb_printable(sb_slice_z(name));

    if (app->quiet)
        return;
    if (fixes->fixed)
        fprintf(stderr, "%s: %zu %s %s\n", shown, fixes->fixed, fixes->fixed == 1 ? "finding" : "findings",
                dry_run ? "would be fixed" : "fixed");
    if (fixes->dropped)
        fprintf(stderr, "%s: %zu left alone: the fix would have broken something else\n", shown,
                fixes->dropped);
}

static int show_diff(const char *name, sb_slice before, sb_slice after, sb_error **err)
{
    sb_autobuf diff = SB_BUF_INIT(FIXED_MAX);

    if (sb_text_diff(before, after, name, &diff, err) < 0)
        return -1;
    if (diff.len)
        fwrite(diff.data, 1, diff.len, stdout);
    return diff.len > 0;
}

int cli_lint_fix_stdin(const cli_app *app, const sb_lint_options *lint, bool dry_run, sb_error **err)
{
    sb_autobuf out = SB_BUF_INIT(FIXED_MAX);
    sb_autofree char *data = NULL;
    sb_lint_fixes fixes;
    size_t len;

    if (sb_read_fd(STDIN_FILENO, "standard input", SB_DOCKERFILE_MAX, &data, &len, err) < 0 ||
        sb_lint_fix(sb_slice_of(data, len), NULL, NULL, lint, &out, &fixes, err) < 0)
        return -1;
    tell(app, "standard input", &fixes, dry_run);
    if (dry_run)
        return show_diff("Dockerfile", sb_slice_of(data, len), sb_buf_slice(&out), err);
    if (out.len)
        fwrite(out.data, 1, out.len, stdout);
    return 0;
}

int cli_lint_fix_file(const cli_app *app, const char *path, const char *context, const sb_lint_options *lint,
                      bool dry_run, bool tells, sb_error **err)
{
    sb_autobuf out = SB_BUF_INIT(FIXED_MAX);
    sb_autofree char *data = NULL;
    sb_lint_fixes fixes;
    sb_autofree char *real = NULL;
    struct stat st;
    size_t len;

    if (sb_read_file(AT_FDCWD, path, SB_DOCKERFILE_MAX, &data, &len, NULL, err) < 0 ||
        sb_lint_fix(sb_slice_of(data, len), path, context, lint, &out, &fixes, err) < 0)
        return -1;
    if (tells)
        tell(app, path, &fixes, dry_run);
    if (dry_run)
        return show_diff(path, sb_slice_of(data, len), sb_buf_slice(&out), err);
    if (!fixes.fixed)
        return 0;
    /* Of a link, the file that it leads to is replaced. */
    real = realpath(path, NULL);
    if (!real || stat(real, &st) < 0) {
        int saved = errno;
        sb_autofree char *shown = sb_printable(sb_slice_z(path));

        return sb_fail(err, SB_ERR_IO, "cannot write %s: %s", shown, strerror(saved));
    }
    return sb_write_file(AT_FDCWD, real, sb_buf_slice(&out), st.st_mode & 07777, err);
}
