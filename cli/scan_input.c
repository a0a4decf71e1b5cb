// SPDX-License-Identifier: Apache-2.0
/* From what the user typed to an image: a prefix says what it is, else what exists. */
#include <cli/scan.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef enum place { PLACE_ARCHIVE, PLACE_LAYOUT, PLACE_REGISTRY, PLACE_ENGINE } place;

static const struct {
    const char *prefix;
    place place;
    const char *engine; /* NULL: any */
} prefixes[] = {
    {"docker-archive:", PLACE_ARCHIVE, NULL},
    {"oci-archive:", PLACE_ARCHIVE, NULL},
    {"oci:", PLACE_LAYOUT, NULL},
    {"registry:", PLACE_REGISTRY, NULL},
    {"engine:", PLACE_ENGINE, NULL},
    {"docker:", PLACE_ENGINE, "docker"},
    {"podman:", PLACE_ENGINE, "podman"},
    {"buildah:", PLACE_ENGINE, "buildah"},
};

static bool exists(const char *path, bool *ret_directory)
{
    struct stat st;

    if (strcmp(path, "-") == 0)
        return *ret_directory = false, true;
    if (stat(path, &st) < 0)
        return false;
    *ret_directory = S_ISDIR(st.st_mode);
    return true;
}

/* "PATH" or "PATH:NAME", where PATH is what exists. */
static const char *split_path(sb_arena *arena, const char *text, const char **ret_reference)
{
    sb_slice whole = sb_slice_z(text);
    bool directory;

    *ret_reference = NULL;
    if (exists(text, &directory))
        return text;
    for (size_t i = 1; i + 1 < whole.len; i++) {
        const char *path;

        if (text[i] != ':')
            continue;
        path = sb_arena_dup(arena, sb_slice_sub(whole, 0, i)).ptr;
        if (exists(path, &directory)) {
            *ret_reference = text + i + 1;
            return path;
        }
    }
    return text;
}

static int open_path(cli_scan_input *in, const char *text, bool layout, sb_error **err)
{
    const char *path = split_path(in->arena, text, &in->input.reference);
    bool directory = false;
    sb_autofree char *shown = sb_printable(sb_slice_z(path));

    if (!exists(path, &directory))
        return sb_fail(err, SB_ERR_IO, "cannot open %s: %s", shown, strerror(errno));
    if (layout && !directory)
        return sb_fail(err, SB_ERR_USAGE, "%s is no directory; an OCI layout in a file is oci-archive:%s",
                       shown, shown);
    if (directory) {
        in->input.form = SB_SCAN_LAYOUT;
        in->input.path = path;
        return 0;
    }
    in->fd =
        strcmp(path, "-") == 0 ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3) : open(path, O_RDONLY | O_CLOEXEC);
    if (in->fd < 0)
        return sb_fail(err, SB_ERR_IO, "cannot open %s: %s", shown, strerror(errno));
    in->input.form = SB_SCAN_ARCHIVE;
    in->input.fd = in->fd;
    return 0;
}

/* Engines would take it for an option. */
static int check_name(const char *image, sb_error **err)
{
    sb_autofree char *shown = sb_printable(sb_slice_z(image));

    return *image == '-' ? sb_fail(err, SB_ERR_USAGE, "\"%s\" is no name of an image", shown) : 0;
}

/* By the ID, so that it is one image from here on, whatever happens to the name. */
static int open_engine(cli_scan_input *in, const char *image, sb_error **err)
{
    int fd;

    if (!in->id.ptr && sb_engine_image_id(in->engine, image, in->arena, &in->id, err) < 0)
        return -1;
    if (sb_engine_export_begin(in->engine, in->id.ptr, &in->export, &fd, err) < 0)
        return -1;
    in->input.form = SB_SCAN_ARCHIVE;
    in->input.fd = fd;
    return 0;
}

static int open_engine_of(cli_scan_input *in, const char *image, const char *engine, sb_error **err)
{
    if (check_name(image, err) < 0 || sb_engine_select(engine, NULL, &in->engine, err) < 0)
        return -1;
    return open_engine(in, image, err);
}

static int open_registry(cli_scan_input *in, const char *reference)
{
    in->input.form = SB_SCAN_REGISTRY;
    in->input.reference = reference;
    return 0;
}

/* What is no path is an image that an engine has, or a registry. */
static int open_by_name(cli_scan_input *in, const char *text, const char *engine, sb_error **err)
{
    SB_AUTO(sb_engine) found = NULL;
    SB_AUTO(sb_error) none = NULL;

    if (check_name(text, err) < 0)
        return -1;
    if (sb_engine_select(engine, NULL, &found, &none) < 0) {
        if (engine)
            return sb_fail(err, none->code, "%s", none->message);
        return open_registry(in, text);
    }
    if (sb_engine_image_id(found, text, in->arena, &in->id, NULL) < 0)
        return open_registry(in, text);
    in->engine = SB_TAKE(found);
    return open_engine(in, text, err);
}

static int open_input(cli_scan_input *in, const char *text, const cli_scan_options *options, bool engine_only,
                      sb_error **err)
{
    bool directory;

    for (size_t i = 0; !engine_only && i < SB_COUNT(prefixes); i++) {
        size_t len = strlen(prefixes[i].prefix);
        const char *engine = prefixes[i].engine ? prefixes[i].engine : options->engine;

        if (strncmp(text, prefixes[i].prefix, len) != 0)
            continue;
        switch (prefixes[i].place) {
        case PLACE_ARCHIVE:
        case PLACE_LAYOUT:
            return open_path(in, text + len, prefixes[i].place == PLACE_LAYOUT, err);
        case PLACE_REGISTRY:
            return open_registry(in, text + len);
        case PLACE_ENGINE:
            return open_engine_of(in, text + len, engine, err);
        }
    }
    if (engine_only)
        return open_engine_of(in, text, options->engine, err);
    if (exists(text, &directory) || text[0] == '/' || text[0] == '.')
        return open_path(in, text, false, err);
    return open_by_name(in, text, options->engine, err);
}

int cli_scan_input_open(const char *text, const cli_scan_options *options, bool engine_only,
                        cli_scan_input *ret_input, sb_error **err)
{
    cli_autoinput in = {.fd = -1, .arena = sb_arena_new()};

    in.input.name = strcmp(text, "-") == 0 ? "standard input" : text;
    if (open_input(&in, text, options, engine_only, err) < 0)
        return -1;
    *ret_input = in;
    in = (cli_scan_input){.fd = -1};
    return 0;
}

int cli_scan_input_end(cli_scan_input *input, sb_error **err)
{
    sb_engine_export *ended = SB_TAKE(input->export);

    return ended ? sb_engine_export_end(ended, true, err) : 0;
}

void cli_scan_input_clear(cli_scan_input *input)
{
    sb_engine_export *ended = SB_TAKE(input->export);

    if (ended)
        (void)sb_engine_export_end(ended, false, NULL);
    sb_closep(&input->fd);
    sb_engine_free(input->engine);
    if (input->arena)
        sb_arena_free(input->arena);
    *input = (cli_scan_input){.fd = -1};
}
