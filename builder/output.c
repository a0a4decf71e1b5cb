// SPDX-License-Identifier: Apache-2.0
#include <builder/output.h>

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_true(sb_slice value)
{
    return sb_slice_eqz(value, "true") || sb_slice_eqz(value, "1");
}

static int set_kind(sb_output *output, sb_slice type, bool push, bool tar, const char *text, sb_error **err)
{
    if (sb_slice_eqz(type, "local") || sb_slice_eqz(type, "tar")) {
        output->kind = SB_OUTPUT_FILES;
        output->tar = sb_slice_eqz(type, "tar");
    } else if (sb_slice_eqz(type, "oci")) {
        output->kind = tar ? SB_OUTPUT_ARCHIVE : SB_OUTPUT_LAYOUT;
    } else if (sb_slice_eqz(type, "docker")) {
        output->kind = output->dest.len ? SB_OUTPUT_ARCHIVE : SB_OUTPUT_LOAD;
    } else if (sb_slice_eqz(type, "image")) {
        output->kind = push ? SB_OUTPUT_PUSH : SB_OUTPUT_LOAD;
    } else if (sb_slice_eqz(type, "registry")) {
        output->kind = SB_OUTPUT_PUSH;
    } else if (sb_slice_eqz(type, "cacheonly")) {
        output->kind = SB_OUTPUT_NOTHING;
    } else {
        sb_autofree char *shown = sb_printable(sb_slice_z(text));

        return sb_fail(
            err, SB_ERR_USAGE,
            "--output %s has no type that is known; use type=oci, docker, image, registry, local, tar "
            "or cacheonly",
            shown);
    }
    if ((output->kind == SB_OUTPUT_FILES || output->kind == SB_OUTPUT_LAYOUT) && !output->dest.len)
        return sb_fail(err, SB_ERR_USAGE, "--output %s wants dest=", text);
    if (output->kind == SB_OUTPUT_ARCHIVE && !output->dest.len)
        output->dest = SB_LIT("-");
    return 0;
}

int sb_output_parse(sb_arena *arena, const char *text, sb_output *ret_output, sb_error **err)
{
    sb_slice rest = sb_arena_dup(arena, sb_slice_z(text));
    sb_output output = {0};
    sb_slice type = SB_NIL;
    bool push = false, tar = true;

    if (sb_slice_chr(rest, '=') < 0) { /* a bare path */
        output.kind = SB_OUTPUT_FILES;
        output.dest = rest;
        output.tar = sb_slice_eqz(rest, "-");
        if (!rest.len)
            return sb_fail(err, SB_ERR_USAGE, "--output wants a directory or type=…");
        *ret_output = output;
        return 0;
    }
    while (rest.ptr) {
        sb_slice value = sb_slice_cut(&rest, ',');
        sb_slice key = sb_slice_trim(sb_slice_cut(&value, '='));

        if (sb_slice_eqz(key, "type"))
            type = value;
        else if (sb_slice_eqz(key, "dest"))
            output.dest = value;
        else if (sb_slice_eqz(key, "name"))
            output.name = value;
        else if (sb_slice_eqz(key, "push"))
            push = is_true(value);
        else if (sb_slice_eqz(key, "tar"))
            tar = is_true(value);
        else if (!sb_slice_eqz(key, "oci-mediatypes") && !sb_slice_eqz(key, "rewrite-timestamp")) {
            sb_autofree char *shown = sb_printable(key);

            return sb_fail(err, SB_ERR_USAGE,
                           "--output %s: \"%s\" has no meaning here, since the image has one canonical form",
                           text, shown);
        }
    }
    if (set_kind(&output, type, push, tar, text, err) < 0)
        return -1;
    *ret_output = output;
    return 0;
}

int sb_output_check_file(const char *option, const char *path, sb_error **err)
{
    const char *slash = path ? strrchr(path, '/') : NULL;
    sb_autofree char *shown = path ? sb_printable(sb_slice_z(path)) : NULL;
    sb_autofree char *dir = slash ? sb_strndup(path, slash == path ? 1 : (size_t)(slash - path)) : NULL;
    struct stat st;

    if (!path || strcmp(path, "-") == 0)
        return 0;
    if (!*path)
        return sb_fail(err, SB_ERR_USAGE, "%s wants the name of a file", option);
    if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
        return sb_fail(err, SB_ERR_USAGE, "%s %s is a directory; name a file", option, shown);
    /* What is there and no file, such as /dev/stdout, is written to and not replaced. */
    if ((stat(path, &st) < 0 || S_ISREG(st.st_mode)) && access(dir ? dir : ".", W_OK | X_OK) < 0)
        return sb_fail(err, SB_ERR_IO, "%s %s cannot be made: %s; nothing was built", option, shown,
                       strerror(errno));
    return 0;
}
