// SPDX-License-Identifier: Apache-2.0
/* The registry on loopback, asked over a real socket. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <builder/serve.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <sbuild/digest.h>
#include <sbuild/fs.h>

static char *dir;
static char manifest_hex[SB_DIGEST_HEX], blob_hex[SB_DIGEST_HEX];
static sb_serve *serve;

static const char manifest_text[] =
    "{\"schemaVersion\":2,\"mediaType\":\"application/vnd.docker.distribution.manifest.v2+json\"}";
static const char blob_text[] = "0123456789";

static void add_blob(const char *text, char hex[SB_DIGEST_HEX])
{
    sb_autofree char *path = NULL;
    sb_digest digest;

    sb_digest_of(SB_HASH_SHA256, sb_slice_z(text), &digest);
    sb_digest_hex(&digest, hex);
    path = sb_asprintf("%s/blobs/sha256/%s", dir, hex);
    assert_int_equal(sb_write_file(AT_FDCWD, path, sb_slice_z(text), 0644, NULL), 0);
}

static int connect_to(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct timeval limit = {.tv_sec = 10};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    address.sin_port = htons((unsigned short)strtoul(strchr(sb_serve_address(serve), ':') + 1, NULL, 10));
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    return fd;
}

static const char *prefix(void)
{
    return strchr(sb_serve_address(serve), '/') + 1;
}

/* Sends the requests over one connection that the last one closes, and returns all that was answered. */
static char *ask(const char *requests)
{
    int fd = connect_to();
    sb_autofree char *answer = NULL;
    size_t len;

    assert_int_equal(sb_write_all(fd, requests, strlen(requests), "socket", NULL), 0);
    assert_int_equal(sb_read_fd(fd, "socket", 1 << 20, &answer, &len, NULL), 0);
    close(fd);
    return SB_TAKE(answer);
}

static char *get(const char *method, const char *kind, const char *hex, const char *headers)
{
    sb_autofree char *request =
        sb_asprintf("%s /v2/%s/library/x/%s/sha256:%s HTTP/1.1\r\nHost: x\r\n%sConnection: close\r\n\r\n",
                    method, prefix(), kind, hex, headers);

    return ask(request);
}

static void test_version_check(void **state)
{
    sb_autofree char *answer = ask("GET /v2/ HTTP/1.1\r\nConnection: close\r\n\r\n");

    (void)state;
    assert_memory_equal(answer, "HTTP/1.1 200 ", 13);
}

static void test_manifest(void **state)
{
    sb_autofree char *answer = get("GET", "manifests", manifest_hex, "");
    sb_autofree char *head = get("HEAD", "manifests", manifest_hex, "");

    (void)state;
    assert_memory_equal(answer, "HTTP/1.1 200 ", 13);
    assert_non_null(strstr(answer, "Content-Type: application/vnd.docker.distribution.manifest.v2+json\r\n"));
    assert_non_null(strstr(answer, manifest_hex));
    assert_string_equal(strstr(answer, "\r\n\r\n") + 4, manifest_text);
    assert_memory_equal(head, "HTTP/1.1 200 ", 13);
    assert_string_equal(strstr(head, "\r\n\r\n") + 4, "");
}

static void test_blob_and_ranges(void **state)
{
    sb_autofree char *whole = get("GET", "blobs", blob_hex, "");
    sb_autofree char *tail = get("GET", "blobs", blob_hex, "Range: bytes=4-\r\n");
    sb_autofree char *middle = get("GET", "blobs", blob_hex, "range: bytes=2-5\r\n");
    sb_autofree char *outside = get("GET", "blobs", blob_hex, "Range: bytes=10-\r\n");
    sb_autofree char *odd = get("GET", "blobs", blob_hex, "Range: bytes=-3\r\n");

    (void)state;
    assert_string_equal(strstr(whole, "\r\n\r\n") + 4, blob_text);
    assert_memory_equal(tail, "HTTP/1.1 206 ", 13);
    assert_string_equal(strstr(tail, "\r\n\r\n") + 4, "456789");
    assert_string_equal(strstr(middle, "\r\n\r\n") + 4, "2345");
    assert_non_null(strstr(middle, "Content-Range: bytes 2-5/10\r\n"));
    assert_memory_equal(outside, "HTTP/1.1 416 ", 13);
    assert_memory_equal(odd, "HTTP/1.1 200 ", 13);
}

/* A manifest's words are no header lines. */
static void test_media_type_with_line_break(void **state)
{
    char hex[SB_DIGEST_HEX];
    sb_autofree char *answer = NULL;

    (void)state;
    add_blob("{\"mediaType\":\"a/b\\r\\nX-Forged: 1\"}", hex);
    answer = get("GET", "manifests", hex, "");
    assert_memory_equal(answer, "HTTP/1.1 200 ", 13);
    assert_null(strstr(answer, "\nX-Forged"));
}

/* Whoever opens connections without end does not get threads without end. */
static void test_connections_have_a_maximum(void **state)
{
    enum { MANY = 300 };
    int fds[MANY], refused = 0;

    (void)state;
    for (int i = 0; i < MANY; i++)
        fds[i] = connect_to();
    for (int i = 0; i < MANY; i++) {
        char c;

        refused += recv(fds[i], &c, 1, i < 256 ? MSG_DONTWAIT : 0) == 0;
    }
    for (int i = 0; i < MANY; i++)
        close(fds[i]);
    assert_int_equal(refused, MANY - 256);
}

static void test_keep_alive_and_pipelining(void **state)
{
    sb_autofree char *request = sb_asprintf(
        "GET /v2/ HTTP/1.1\r\n\r\nGET /v2/%s/x/blobs/sha256:%s HTTP/1.1\r\nConnection: close\r\n\r\n",
        prefix(), blob_hex);
    sb_autofree char *answer = ask(request);

    (void)state;
    assert_non_null(strstr(answer + 13, "HTTP/1.1 200 OK"));
    assert_string_equal(answer + strlen(answer) - 10, blob_text);
}

static void test_nothing_without_the_prefix(void **state)
{
    sb_autofree char *plain =
        sb_asprintf("GET /v2/library/x/blobs/sha256:%s HTTP/1.1\r\nConnection: close\r\n\r\n", blob_hex);
    sb_autofree char *answer = ask(plain);
    sb_autofree char *escape =
        sb_asprintf("GET /v2/%s/x/blobs/../../../../etc/passwd HTTP/1.1\r\nConnection: "
                    "close\r\n\r\n",
                    prefix());
    sb_autofree char *second = ask(escape);
    sb_autofree char *tag =
        sb_asprintf("GET /v2/%s/x/manifests/latest HTTP/1.1\r\nConnection: close\r\n\r\n", prefix());
    sb_autofree char *third = ask(tag);
    sb_autofree char *fourth = ask("POST /v2/ HTTP/1.1\r\nConnection: close\r\n\r\n");

    (void)state;
    assert_memory_equal(answer, "HTTP/1.1 404 ", 13);
    assert_memory_equal(second, "HTTP/1.1 404 ", 13);
    assert_memory_equal(third, "HTTP/1.1 404 ", 13);
    assert_memory_equal(fourth, "HTTP/1.1 405 ", 13);
}

static void test_tls_is_told_at_once(void **state)
{
    /* The beginning of a TLS handshake. */
    static const char hello[] = {0x16, 0x03, 0x01, 0x00, 0x10, 0x01};
    char answer[64] = "";
    int fd = connect_to();

    (void)state;
    assert_int_equal(sb_write_all(fd, hello, sizeof(hello), "socket", NULL), 0);
    assert_true(recv(fd, answer, sizeof(answer) - 1, 0) > 0);
    assert_memory_equal(answer, "HTTP/1.1 400 ", 13);
    close(fd);
}

static void test_head_that_never_ends(void **state)
{
    int fd = connect_to();
    char junk[20000];
    char answer[16];

    (void)state;
    memset(junk, 'X', sizeof(junk));
    (void)!send(fd, junk, sizeof(junk), MSG_NOSIGNAL);
    assert_true(recv(fd, answer, sizeof(answer), 0) <= 0);
    close(fd);
}

static int setup(void **state)
{
    sb_autofree char *blobs = NULL;

    (void)state;
    dir = sb_temp_dir("sbuild-serve-test", NULL);
    blobs = sb_asprintf("%s/blobs/sha256", dir);
    if (sb_mkdirs(blobs, NULL) < 0)
        return -1;
    add_blob(manifest_text, manifest_hex);
    add_blob(blob_text, blob_hex);
    return sb_serve_start(dir, &serve, NULL);
}

static int teardown(void **state)
{
    (void)state;
    sb_serve_stop(serve);
    (void)sb_remove_tree(AT_FDCWD, dir, NULL);
    free(dir);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_version_check),
        cmocka_unit_test(test_manifest),
        cmocka_unit_test(test_blob_and_ranges),
        cmocka_unit_test(test_media_type_with_line_break),
        cmocka_unit_test(test_connections_have_a_maximum),
        cmocka_unit_test(test_keep_alive_and_pipelining),
        cmocka_unit_test(test_nothing_without_the_prefix),
        cmocka_unit_test(test_tls_is_told_at_once),
        cmocka_unit_test(test_head_that_never_ends),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
