// SPDX-License-Identifier: Apache-2.0
#include <builder/step_program.h>

#include <sbuild/buf.h>
#include <sbuild/fs.h>

#include <limits.h>
#include <unistd.h>

/* Relative to the directory of the running program: of a build tree (cli/sbuild, tests/unit/…), of an
 * installation (bin/sbuild, libexec/docker/cli-plugins/docker-sbuild by its link), and of two files that were
 * copied together. */
static const char *const places[] = {"../builder/step", "../../builder/step",
                                     "../" SBUILD_LIBEXECDIR "/sbuild", "."};

static char *own_directory(void)
{
    char path[PATH_MAX];
    ssize_t len = readlink("/proc/self/exe", path, sizeof(path));
    ptrdiff_t slash;

    if (len <= 0 || (size_t)len == sizeof(path))
        return sb_strdup(".");
    slash = sb_slice_rchr(sb_slice_of(path, (size_t)len), '/');
    return sb_strndup(path, slash > 0 ? (size_t)slash : 1);
}

/* "linux/arm64/v8" → "sbuild-step-linux-arm64": one program serves all variants of an architecture. */
static char *file_name(sb_slice platform)
{
    sb_slice rest = platform;
    sb_slice os = sb_slice_cut(&rest, '/');
    sb_slice arch = sb_slice_cut(&rest, '/');

    return sb_asprintf("sbuild-step-%" SB_FMT "-%" SB_FMT, SB_ARG(os), SB_ARG(arch));
}

int sb_step_program(sb_slice platform, char **ret_path, sb_error **err)
{
    const char *chosen = getenv("SBUILD_STEP_DIR");
    sb_autofree char *own = own_directory();
    sb_autofree char *name = file_name(platform);
    sb_autofree char *shown = sb_printable(platform);

    if (memchr(platform.ptr, '.', platform.len))
        return sb_fail(err, SB_ERR_ENGINE, "%s is no platform", shown);
    if (chosen && *chosen) {
        sb_autofree char *path = sb_asprintf("%s/%s", chosen, name);

        if (access(path, R_OK) < 0)
            return sb_fail(err, SB_ERR_ENGINE,
                           "no sbuild-step for %s in SBUILD_STEP_DIR (%s); it has to hold the file %s", shown,
                           chosen, name);
        *ret_path = SB_TAKE(path);
        return 0;
    }
    for (size_t i = 0; i < SB_COUNT(places); i++) {
        sb_autofree char *path = sb_asprintf("%s/%s/%s", own, places[i], name);

        if (access(path, R_OK) == 0) {
            *ret_path = SB_TAKE(path);
            return 0;
        }
    }
    return sb_fail(err, SB_ERR_ENGINE,
                   "no sbuild-step for %s; install the one of this version of sbuild, or name the directory "
                   "that holds %s in SBUILD_STEP_DIR",
                   shown, name);
}
