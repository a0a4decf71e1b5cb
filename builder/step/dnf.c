// SPDX-License-Identifier: Apache-2.0
/*
 * dnf and its kin: their library looks at no variable for authorities, only at a line of dnf.conf. It is the
 * one file of an image that is touched, where it is there and may be written: the line is taken out again
 * when the command has ended, and a file that the command left alone is what it was, time included. (The
 * image's own bundle would do for everybody, but commands copy that into other images.)
 */
#include <builder/step/run.h>

#include <sbuild/fs.h>

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CONF_MAX = 1 << 20 };

struct step_dnf {
    char *path;
    char *line;   /* ours */
    char *before; /* the content */
    size_t before_len;
    char *during;
    size_t during_len;
    struct timespec times[2];
};

void step_dnf_free(step_dnf *dnf)
{
    free(dnf->path);
    free(dnf->line);
    free(dnf->before);
    free(dnf->during);
    free(dnf);
}

/* In place: the file keeps owner, mode, and whatever else belongs to it. */
static int rewrite(const char *path, sb_slice text, const struct timespec *times, sb_error **err)
{
    sb_autoclose int fd = open(path, O_WRONLY | O_TRUNC | O_NOFOLLOW | O_CLOEXEC);

    if (fd < 0)
        return sb_fail(err, SB_ERR_IO, "cannot write %s: %s", path, strerror(errno));
    if (sb_write_all(fd, text.ptr, text.len, path, err) < 0)
        return -1;
    if (times && futimens(fd, times) < 0)
        return sb_fail(err, SB_ERR_IO, "cannot set the time of %s: %s", path, strerror(errno));
    return 0;
}

/* Where the line behind "[main]" begins; 0: there is no such section. */
static size_t main_section(sb_slice text)
{
    sb_slice rest = text;

    while (rest.ptr) {
        sb_slice line = sb_slice_cut(&rest, '\n');

        if (sb_slice_eq(sb_slice_trim(line), SB_LIT("[main]")))
            return rest.ptr ? (size_t)(rest.ptr - text.ptr) : 0;
    }
    return 0;
}

int step_dnf_trust(const char *path, const char *trust, step_dnf **ret_dnf, sb_error **err)
{
    SB_AUTO(step_dnf) dnf = sb_new(step_dnf);
    sb_autobuf text = SB_BUF_INIT(2 * CONF_MAX);
    struct stat info;
    bool missing;
    size_t at;

    *ret_dnf = NULL;
    if (lstat(path, &info) < 0 || !S_ISREG(info.st_mode) || info.st_nlink > 1 || access(path, W_OK) < 0 ||
        sb_read_file(AT_FDCWD, path, CONF_MAX, &dnf->before, &dnf->before_len, &missing, NULL) < 0)
        return 0;
    at = main_section(sb_slice_of(dnf->before, dnf->before_len));
    if (!at)
        return 0;
    dnf->path = sb_strdup(path);
    dnf->line = sb_asprintf("sslcacert=%s\n", trust);
    dnf->times[0] = info.st_atim;
    dnf->times[1] = info.st_mtim;
    sb_buf_add(&text, dnf->before, at);
    sb_buf_addz(&text, dnf->line);
    sb_buf_add(&text, dnf->before + at, dnf->before_len - at);
    dnf->during_len = text.len;
    dnf->during = sb_buf_take(&text);
    if (rewrite(path, sb_slice_of(dnf->during, dnf->during_len), NULL, err) < 0)
        return -1;
    *ret_dnf = SB_TAKE(dnf);
    return 0;
}

int step_dnf_restore(const step_dnf *dnf, sb_error **err)
{
    sb_autofree char *now = NULL;
    sb_autobuf text = SB_BUF_INIT(2 * CONF_MAX);
    bool missing = false;
    ptrdiff_t at;
    size_t len;

    if (sb_read_file(AT_FDCWD, dnf->path, CONF_MAX, &now, &len, &missing, err) < 0)
        return missing ? 0 : -1;
    if (len == dnf->during_len && memcmp(now, dnf->during, len) == 0)
        return rewrite(dnf->path, sb_slice_of(dnf->before, dnf->before_len), dnf->times, err);
    /* The command has written to it; what is its own stays. */
    at = sb_slice_find(sb_slice_of(now, len), sb_slice_z(dnf->line));
    if (at < 0)
        return 0;
    sb_buf_add(&text, now, (size_t)at);
    sb_buf_add(&text, now + (size_t)at + strlen(dnf->line), len - (size_t)at - strlen(dnf->line));
    return rewrite(dnf->path, sb_slice_of(text.data ? text.data : "", text.len), NULL, err);
}
