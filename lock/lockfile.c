// SPDX-License-Identifier: Apache-2.0
#include <lock/lockfile.h>

#include <fcntl.h>

#include <sbuild/fs.h>

sb_lock *sb_lock_new(void)
{
    sb_lock *lock = sb_new(sb_lock);

    lock->arena = sb_arena_new();
    lock->keep = json_array();
    lock->version = SB_LOCK_VERSION;
    lock->dockerfile = SB_LIT("Dockerfile");
    return lock;
}

void sb_lock_free(sb_lock *lock)
{
    if (!lock)
        return;
    json_decref(lock->keep);
    sb_arena_free(lock->arena);
    free(lock);
}

static int parse_json(sb_slice text, const char *name, json_t **ret_json, sb_error **err)
{
    SB_AUTO(sb_error) why = NULL;

    if (!sb_slice_trim(text).len)
        return sb_fail(err, SB_ERR_PARSE, "%s:1: it is empty" SB_LOCK_REMEDY, name);
    if (sb_json_parse(text, name, ret_json, &why) < 0)
        return sb_fail(err, why->code, "%s" SB_LOCK_REMEDY, why->message);
    return 0;
}

int sb_lock_parse(sb_slice text, const char *name, sb_lock **ret_lock, sb_error **err)
{
    SB_AUTO(sb_lock) lock = sb_lock_new();
    sb_autojson *json = NULL;
    unsigned line;

    if (text.len > SB_LOCK_MAX)
        return sb_fail(err, SB_ERR_LIMIT, "%s is larger than %d bytes", name, SB_LOCK_MAX);
    line = sb_lock_conflict_line(text);
    if (line)
        return sb_fail(err, SB_ERR_PARSE,
                       "%s:%u: it has the markers of a merge conflict; take either side (git checkout "
                       "--theirs %s), then run \"sbuild lock\"",
                       name, line, name);
    if (parse_json(text, name, &json, err) < 0 || sb_lock_read(lock, json, name, text, err) < 0)
        return -1;
    *ret_lock = SB_TAKE(lock);
    return 0;
}

/* The name of the project's lock for messages. */
static char *shown_name(const sb_project *project)
{
    sb_slice dockerfile = project->dockerfile_name;
    ptrdiff_t slash = sb_slice_rchr(dockerfile, '/');
    sb_autofree char *lock = sb_slice_dup(project->lock_name);
    sb_autofree char *path = sb_asprintf("%" SB_FMT "%s", (int)(slash + 1), dockerfile.ptr, lock);

    return sb_printable(sb_slice_z(path));
}

int sb_lock_load(const sb_project *project, sb_lock **ret_lock, sb_error **err)
{
    sb_autofree char *path = sb_slice_dup(project->lock_name);
    sb_autofree char *name = shown_name(project);
    sb_autofree char *data = NULL;
    sb_autoclose int fd = -1;
    bool missing = false;
    size_t len = 0;

    /* A link would lead wherever the repository likes, to a pipe for instance. */
    fd = sb_open_beneath(project->lock_dirfd, path, O_RDONLY | O_NONBLOCK, 0, &missing, err);
    if (fd < 0 && missing)
        return sb_fail(err, SB_ERR_STALE, "there is no %s; run \"sbuild lock\" first", name);
    if (fd < 0 || sb_read_fd(fd, name, SB_LOCK_MAX, &data, &len, err) < 0)
        return -1;
    return sb_lock_parse(sb_slice_of(data, len), name, ret_lock, err);
}

int sb_lock_save(const sb_project *project, sb_lock *lock, sb_error **err)
{
    sb_autofree char *path = sb_slice_dup(project->lock_name);
    sb_autobuf out = SB_BUF_INIT(SB_LOCK_MAX);

    /* What the lock names is on the disk before the lock is. */
    if (sb_lock_format(lock, &out, err) < 0 || (project->store && sb_store_sync(project->store, err) < 0))
        return -1;
    return sb_write_file(project->lock_dirfd, path, sb_buf_slice(&out), 0644, err);
}
