// SPDX-License-Identifier: Apache-2.0
/*
 * The fetch module by itself, for tests and benchmarks:
 *
 *   fetch_tool get URL                       status, headers and body of one request
 *   fetch_tool download [SHA256 [SIZE]] URL FILE [MIRROR...]
 *   fetch_tool downloads DIR                 URLs from standard input, one a line, into DIR/0, DIR/1 …
 *   fetch_tool resolve REF                   digest, media type and size
 *   fetch_tool manifest REF                  the raw bytes
 *   fetch_tool platforms REF                 digest and platform of each entry, a config's digest for an
 * image fetch_tool tags REF fetch_tool pull LAYOUT REF [PLATFORM...] fetch_tool settings CONTEXT reads them
 *
 * FETCH_PATIENCE: seconds without an answer. Errors go to standard error; the exit status is the documented
 * one.
 */
#include <fetch/transfer.h>
#include <sbuild/registry.h>

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

typedef struct tool {
    sb_settings *settings;
    sb_http *http;
    sb_registry *registry;
    sb_arena *arena;
    char **argv;
    int argc;
} tool;

static void on_event(void *ctx, const sb_event *event)
{
    (void)ctx;
    if (event->kind >= SB_EVENT_NOTE)
        fprintf(stderr, "%s\n", event->text);
}

static int get(tool *t, sb_error **err)
{
    sb_http_request request = {.url = sb_slice_z(t->argv[0]), .max_body = 1 << 20};
    sb_autoresponse response = {0};

    if (sb_http_perform(t->http, &request, &response, err) < 0)
        return -1;
    printf("%ld %s\n%s\n", response.status, response.final_url, response.headers);
    fwrite(response.body.data, 1, response.body.len, stdout);
    return 0;
}

static int download(tool *t, sb_error **err)
{
    sb_http_download d = {.label = NULL};
    sb_digest expect;
    char text[SB_DIGEST_TEXT];
    int i = 0;

    if (t->argc > 1 && sb_digest_from_hex(sb_slice_z(t->argv[0]), &expect)) {
        d.expect = &expect;
        i++;
        if (sb_slice_to_u64(sb_slice_z(t->argv[1]), &d.expect_size))
            i++;
    }
    if (t->argc < i + 2)
        return sb_fail(err, SB_ERR_USAGE, "which URL, to which file?");
    d.request.url = sb_slice_z(t->argv[i]);
    d.fd = open(t->argv[i + 1], O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (d.fd < 0)
        return sb_fail(err, SB_ERR_IO, "cannot open %s", t->argv[i + 1]);
    d.alternatives = (const char *const *)(void *)(t->argv + i + 2);
    if (sb_http_download_all(t->http, &d, 1, err) < 0) {
        sb_error_free(d.error);
        close(d.fd);
        return -1;
    }
    sb_digest_format(&d.digest, text);
    printf("%s %" PRIu64 " %s %" PRId64 "\n", text, d.size, d.final_url, d.last_modified);
    free(d.final_url);
    free(d.etag);
    close(d.fd);
    return 0;
}

static int downloads(tool *t, sb_error **err)
{
    sb_http_download *all = NULL;
    size_t count = 0, cap = 0;
    char line[4096];
    struct rusage usage;
    int result;

    while (fgets(line, sizeof(line), stdin)) {
        sb_autofree char *path = sb_asprintf("%s/%zu", t->argv[0], count);
        int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);

        line[strcspn(line, "\n")] = '\0';
        if (fd < 0)
            return sb_fail(err, SB_ERR_IO, "cannot open %s", path);
        *SB_PUSH(all, count, cap) = (sb_http_download){
            .request.url = sb_arena_dup(t->arena, sb_slice_z(line)),
            .fd = fd,
        };
    }
    result = sb_http_download_all(t->http, all, count, err);
    for (size_t i = 0; i < count; i++) {
        close(all[i].fd);
        free(all[i].final_url);
        free(all[i].etag);
        sb_error_free(all[i].error);
    }
    free(all);
    getrusage(RUSAGE_SELF, &usage);
    printf("%ld\n", usage.ru_maxrss); /* KiB */
    return result;
}

static int parse_ref(tool *t, const char *text, sb_image_ref *ret_ref, sb_error **err)
{
    return sb_image_ref_parse(t->arena, sb_slice_z(text), ret_ref, err);
}

static int resolve(tool *t, sb_error **err)
{
    char text[SB_DIGEST_TEXT];
    sb_descriptor found;
    sb_image_ref ref;

    if (parse_ref(t, t->argv[0], &ref, err) < 0 ||
        sb_registry_resolve(t->registry, t->arena, &ref, &found, err) < 0)
        return -1;
    sb_digest_format(&found.digest, text);
    printf("%s %" SB_FMT " %" PRIu64 "\n", text, SB_ARG(found.media_type), found.size);
    return 0;
}

static int manifest(tool *t, sb_error **err)
{
    sb_manifest found;
    sb_image_ref ref;

    if (parse_ref(t, t->argv[0], &ref, err) < 0 ||
        sb_registry_manifest(t->registry, t->arena, &ref, &found, err) < 0)
        return -1;
    fwrite(found.raw.ptr, 1, found.raw.len, stdout);
    return 0;
}

static int platforms(tool *t, sb_error **err)
{
    char text[SB_DIGEST_TEXT];
    sb_manifest found;
    sb_image_ref ref;
    sb_slice config;

    if (parse_ref(t, t->argv[0], &ref, err) < 0 ||
        sb_registry_manifest(t->registry, t->arena, &ref, &found, err) < 0)
        return -1;
    for (size_t i = 0; i < found.child_count; i++) {
        sb_digest_format(&found.children[i].digest, text);
        printf("%s %s\n", text,
               found.children[i].attestation ? "attestation" : found.children[i].platform.ptr);
    }
    if (found.is_index)
        return 0;
    if (sb_registry_blob(t->registry, t->arena, &ref, &found.config, 1 << 20, &config, err) < 0)
        return -1;
    sb_digest_format(&found.config.digest, text);
    printf("%s config of %zu bytes\n", text, config.len);
    return 0;
}

static int tags(tool *t, sb_error **err)
{
    sb_slice *names, *digests;
    sb_image_ref ref;
    size_t count;

    if (parse_ref(t, t->argv[0], &ref, err) < 0 ||
        sb_registry_tags(t->registry, t->arena, &ref, 10000, &names, &digests, &count, err) < 0)
        return -1;
    for (size_t i = 0; i < count; i++)
        printf("%" SB_FMT "\n", SB_ARG(names[i]));
    return 0;
}

static int pull(tool *t, sb_error **err)
{
    SB_AUTO(sb_layout) layout = NULL;
    sb_slice platform[16];
    sb_pull pull = {.platforms = platform};
    sb_descriptor found;
    char text[SB_DIGEST_TEXT];

    if (t->argc < 2)
        return sb_fail(err, SB_ERR_USAGE, "which image?");
    for (int i = 2; i < t->argc && pull.platform_count < SB_COUNT(platform); i++)
        platform[pull.platform_count++] = sb_slice_z(t->argv[i]);
    if (sb_layout_open(t->argv[0], true, &layout, err) < 0 || parse_ref(t, t->argv[1], &pull.ref, err) < 0 ||
        sb_registry_resolve(t->registry, t->arena, &pull.ref, &found, err) < 0)
        return -1;
    sb_digest_format(&found.digest, text);
    pull.ref.digest = sb_slice_z(text);
    if (sb_registry_pull(t->registry, &pull, 1, layout, err) < 0)
        return -1;
    return sb_layout_tag(layout, &found, pull.ref.tag, err);
}

static const struct {
    const char *name;
    int (*run)(tool *t, sb_error **err);
} commands[] = {
    {"get", get},           {"download", download},   {"downloads", downloads}, {"resolve", resolve},
    {"manifest", manifest}, {"platforms", platforms}, {"tags", tags},           {"pull", pull},
};

static int run(int argc, char **argv, sb_error **err)
{
    sb_progress progress = {.event = on_event};
    SB_AUTO(sb_settings) settings = NULL;
    SB_AUTO(sb_http) http = NULL;
    SB_AUTO(sb_registry) registry = NULL;
    SB_AUTO(sb_arena) arena = sb_arena_new();
    const char *patience = getenv("FETCH_PATIENCE");
    uint64_t seconds;

    if (argc < 3)
        return sb_fail(err, SB_ERR_USAGE, "usage: fetch_tool COMMAND ARGUMENT...");
    if (strcmp(argv[1], "settings") == 0)
        return sb_settings_load(argv[2], &settings, err);
    if (sb_settings_load(NULL, &settings, err) < 0)
        return -1;
    http = sb_http_new(settings, &progress);
    if (patience && sb_slice_to_u64(sb_slice_z(patience), &seconds))
        sb_http_set_patience(http, (unsigned)seconds);
    registry = sb_registry_new(http, settings, &progress);
    for (size_t i = 0; i < SB_COUNT(commands); i++)
        if (strcmp(argv[1], commands[i].name) == 0)
            return commands[i].run(&(tool){settings, http, registry, arena, argv + 2, argc - 2}, err);
    return sb_fail(err, SB_ERR_USAGE, "there is no command %s", argv[1]);
}

int main(int argc, char **argv)
{
    SB_AUTO(sb_error) err = NULL;

    if (run(argc, argv, &err) == 0)
        return 0;
    fprintf(stderr, "error: %s\n", err->message);
    return sb_exit_code(err->code);
}
