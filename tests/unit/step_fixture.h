// SPDX-License-Identifier: Apache-2.0
/* The loopback server of a step in this process, with a lock of the test's own; include it behind cmocka.h.
 */
#ifndef TESTS_STEP_FIXTURE_H
#define TESTS_STEP_FIXTURE_H

#include "tempdir.h"

#include <builder/step/step.h>

#include <stdio.h>
#include <stdlib.h>

typedef struct step_fixture {
    tempdir *temp; /* step/ and rec/ are in it, and ca.pem */
    sb_step_manifest *locked;
    step_config config;
    step_ca *ca;
    step_server *server;
    unsigned fatal, other; /* after step_fixture_finish() */
} step_fixture;

static inline int step_fixture_setup(void **state)
{
    step_fixture *f = sb_new(step_fixture);

    if (tempdir_setup((void **)&f->temp) < 0)
        return -1;
    f->locked = sb_step_manifest_new();
    f->config = (step_config){.arena = sb_arena_new(),
                              .id = SB_LIT("0123456789ab"),
                              .label = SB_LIT("RUN test"),
                              .epoch = 1700000000};
    f->config.dir = sb_arena_printf(f->config.arena, "%s/step", f->temp->dir).ptr;
    f->config.rec_dir = sb_arena_printf(f->config.arena, "%s/rec", f->temp->dir).ptr;
    sb_mkdirs_beneath(f->temp->dirfd, "step/objects", NULL);
    sb_mkdirs_beneath(f->temp->dirfd, "rec", NULL);
    *state = f;
    return step_ca_new(&f->ca, NULL);
}

static inline int step_fixture_teardown(void **state)
{
    step_fixture *f = *state;

    step_server_free(f->server);
    step_ca_free(f->ca);
    sb_step_manifest_free(f->locked);
    sb_arena_free(f->config.arena);
    tempdir_teardown((void **)&f->temp);
    free(f);
    return 0;
}

static inline void step_fixture_object(step_fixture *f, sb_slice body, sb_digest *ret_digest)
{
    char hex[SB_DIGEST_HEX];
    sb_autofree char *path = NULL;

    sb_digest_of(SB_HASH_SHA256, body, ret_digest);
    sb_digest_hex(ret_digest, hex);
    path = sb_asprintf("step/objects/%s", hex);
    assert_int_equal(sb_write_file(f->temp->dirfd, path, body, 0644, NULL), 0);
}

/* An answer of the lock; `body` absent: none. `headers`: "name: value\nname: value", sorted. */
static inline sb_step_request *step_fixture_lock(step_fixture *f, const char *method, const char *url,
                                                 unsigned status, sb_slice body, const char *headers)
{
    sb_step_header all[8];
    sb_step_request request = {.method = sb_slice_z(method),
                               .url = sb_slice_z(url),
                               .status = status,
                               .headers = all,
                               .has_content = body.ptr != NULL,
                               .size = body.len};
    sb_slice rest = sb_slice_z(headers);

    while (rest.len) {
        sb_slice value = sb_slice_cut(&rest, '\n'), name = sb_slice_cut(&value, ':');

        all[request.header_count++] = (sb_step_header){name, sb_slice_trim(value)};
    }
    if (body.ptr)
        step_fixture_object(f, body, &request.digest);
    return sb_step_manifest_add(f->locked, &request);
}

/* With what the files say. The scripts get $PORT, $PROXY and the variables that lead clients to it. */
static inline void step_fixture_restart(step_fixture *f)
{
    SB_AUTO(sb_error) err = NULL;
    char port[16];
    char *proxy;

    if (step_server_new(&f->config, f->ca, &f->server, &err) < 0 || step_server_run(f->server, &err) < 0)
        fail_msg("%s", err->message);
    snprintf(port, sizeof(port), "%u", step_server_port(f->server));
    proxy = sb_asprintf("http://127.0.0.1:%s", port);
    setenv("PORT", port, 1);
    setenv("PROXY", proxy, 1);
    setenv("http_proxy", proxy, 1);
    setenv("https_proxy", proxy, 1);
    unsetenv("no_proxy");
    unsetenv("NO_PROXY");
    setenv("CURL_HOME", "/nonexistent", 1);
    free(proxy);
    proxy = sb_asprintf("%s/ca.pem", f->temp->dir);
    setenv("CURL_CA_BUNDLE", proxy, 1);
    setenv("SSL_CERT_FILE", proxy, 1);
    free(proxy);
}

static inline void step_fixture_start(step_fixture *f, step_mode mode)
{
    sb_autobuf text = SB_BUF_INIT(SB_STEP_MANIFEST_MAX);

    assert_int_equal(sb_step_manifest_format(f->locked, &text, NULL), 0);
    assert_int_equal(sb_write_file(f->temp->dirfd, "step/manifest", sb_buf_slice(&text), 0644, NULL), 0);
    assert_int_equal(sb_write_file(f->temp->dirfd, "ca.pem", step_ca_pem(f->ca), 0644, NULL), 0);
    f->config.mode = mode;
    step_fixture_restart(f);
}

static inline void step_fixture_finish(step_fixture *f)
{
    SB_AUTO(sb_error) err = NULL;

    if (step_server_finish(f->server, &f->fatal, &f->other, &err) < 0)
        fail_msg("%s", err->message);
}

/* What the script prints is what is expected. */
static inline void step_fixture_expect(step_fixture *f, const char *script, const char *expected)
{
    sb_autofree char *got = tempdir_shell(f->temp, script);

    assert_string_equal(got, expected);
}

#endif
