// SPDX-License-Identifier: Apache-2.0
/* Replay, asked by real clients. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "step_fixture.h"

#define TEXT "text of an answer\n"
#define CURL "curl -sS --max-time 20 "

/* A proxy by absolute form, by a tunnel with TLS in it, and by a tunnel without. */
static void test_get(void **state)
{
    step_fixture *f = *state;

    step_fixture_lock(f, "GET", "http://plain.test/a?b=c", 200, SB_LIT(TEXT),
                      "content-type: text/x\netag: \"e\"");
    step_fixture_lock(f, "GET", "https://tls.test/a", 200, SB_LIT(TEXT), "content-type: text/x");
    step_fixture_lock(f, "GET", "https://tls.test/go?to=http://x.test/y", 200, SB_LIT("to\n"), "");
    step_fixture_lock(f, "GET", "https://tls.test:8443/a", 404, SB_LIT("no\n"), "");
    step_fixture_start(f, STEP_REPLAY);
    step_fixture_expect(f, CURL "-D - 'http://plain.test/a?b=c#frag' | tr -d '\\r'",
                        "HTTP/1.1 200 OK\n"
                        "Date: Tue, 14 Nov 2023 22:13:20 GMT\n"
                        "content-type: text/x\n"
                        "etag: \"e\"\n"
                        "Accept-Ranges: bytes\n"
                        "Content-Length: 18\n\n" TEXT);
    step_fixture_expect(f, CURL "https://tls.test/a https://tls.test/a", TEXT TEXT);
    step_fixture_expect(
        f, CURL "-w '%{http_code} %{ssl_verify_result} %{http_version}\\n' https://tls.test:8443/a",
        "no\n404 0 1.1\n");
    step_fixture_expect(f, CURL "--proxytunnel 'http://plain.test/a?b=c'", TEXT);
    step_fixture_expect(f, CURL "'https://tls.test/go?to=http://x.test/y'", "to\n");
    step_fixture_expect(f, CURL "--http1.0 'http://plain.test/a?b=c'", TEXT);
    step_fixture_expect(f, CURL "--http2 'http://plain.test/a?b=c'", TEXT);
    step_fixture_expect(f, CURL "--tls-max 1.2 https://tls.test/a", TEXT);
    step_fixture_expect(
        f, CURL "-I --suppress-connect-headers https://tls.test/a | tr -d '\\r' | grep -i -e length -e 200",
        "HTTP/1.1 200 OK\nContent-Length: 18\n");
    step_fixture_expect(f,
                        "python3 -c 'import urllib.request as u\n"
                        "for url in \"http://plain.test/a?b=c\", \"https://tls.test/a\":\n"
                        "    print(u.urlopen(url, timeout=20).read().decode(), end=\"\")'",
                        TEXT TEXT);
    step_fixture_finish(f);
    assert_int_equal(f->fatal, 0);
    assert_int_equal(f->other, 0);
}

static void test_misses(void **state)
{
    step_fixture *f = *state;
    sb_autofree char *errors = NULL;
    int saved = dup(STDERR_FILENO), file;

    step_fixture_lock(f, "POST", "http://a.test/p", 200, SB_LIT(TEXT), "");
    step_fixture_start(f, STEP_REPLAY);
    file = openat(f->temp->dirfd, "errors", O_WRONLY | O_CREAT | O_TRUNC, 0600);
    dup2(file, STDERR_FILENO);
    step_fixture_expect(
        f, CURL "-w '%{http_code}' https://a.test/x -o body; grep -c 'run \"sbuild lock\"' body", "4031\n");
    /* Another time: no other miss. */
    step_fixture_expect(f, CURL "-w '%{http_code}' https://a.test/x -o body", "403");
    step_fixture_expect(f, CURL "-w '%{http_code}' -d form http://a.test/p -o body", "403");
    step_fixture_expect(f, CURL "-X POST http://a.test/p", TEXT);
    step_fixture_expect(f, CURL "-w '%{http_code}' http://169.254.169.254/latest -o body", "403");
    /* However long the URL is, the id of the step is there. */
    step_fixture_expect(f, CURL "-o body \"http://long.test/$(printf %05000d 0)\"", "");
    step_fixture_finish(f);
    dup2(saved, STDERR_FILENO);
    close(saved);
    close(file);
    errors = tempdir_shell(f->temp,
                           "grep -q 'GET http://long.test/0*.*(step 0123456789ab: RUN test)' errors; grep "
                           "-v long.test errors");
    assert_string_equal(
        errors,
        "sbuild: not in the lock: GET https://a.test/x (step 0123456789ab: RUN test); run \"sbuild lock\"\n"
        "sbuild: not in the lock: POST http://a.test/p (step 0123456789ab: RUN test); run \"sbuild lock\"\n");
    assert_int_equal(f->fatal, 2);
    assert_int_equal(f->other, 1);
}

static void test_ranges(void **state)
{
    step_fixture *f = *state;
    static const struct {
        const char *range, *expected;
    } cases[] = {
        {"0-3", "206 bytes 0-3/10 0123"},
        {"4-", "206 bytes 4-9/10 456789"},
        {"-2", "206 bytes 8-9/10 89"},
        {"8-100", "206 bytes 8-9/10 89"},
        {"-100", "206 bytes 0-9/10 0123456789"},
        {"10-", "416 bytes */10 "},
        {"1-2,5-6", "206 bytes 1-6/10 123456"},
        {"3-1", "200  0123456789"},
        {"x", "200  0123456789"},
        {"-0", "416 bytes */10 "},
    };

    step_fixture_lock(f, "GET", "http://a.test/x", 200, SB_LIT("0123456789"), "etag: \"e\"");
    step_fixture_start(f, STEP_REPLAY);
    for (size_t i = 0; i < SB_COUNT(cases); i++) {
        sb_autofree char *script =
            sb_asprintf(CURL "-H 'Range: bytes=%s' -o body -w '%%{http_code} %%header{content-range} ' "
                             "http://a.test/x; cat body",
                        cases[i].range);

        step_fixture_expect(f, script, cases[i].expected);
    }
    step_fixture_expect(f, CURL "-r 1-2 -H 'If-Range: \"e\"' http://a.test/x", "12");
    step_fixture_expect(f, CURL "-r 1-2 -H 'If-Range: \"f\"' http://a.test/x", "0123456789");
    step_fixture_finish(f);
}

/* The same question with different answers, in order; parts belong to the answer that came before them. */
static void test_turns(void **state)
{
    step_fixture *f = *state;

    step_fixture_lock(f, "GET", "http://a.test/x", 200, SB_LIT("one"), "");
    step_fixture_lock(f, "GET", "http://a.test/x", 200, SB_LIT("two"), "")->turn = 1;
    step_fixture_start(f, STEP_REPLAY);
    step_fixture_expect(f, CURL "http://a.test/x; " CURL "-r 0-0 http://a.test/x", "oneo");
    step_fixture_expect(f, CURL "http://a.test/x http://a.test/x; " CURL "-r 0-0 http://a.test/x", "twotwot");
    step_fixture_finish(f);
}

/* What is on the disk is not what the lock says: nobody gets it. */
static void test_damaged(void **state)
{
    step_fixture *f = *state;
    char hex[SB_DIGEST_HEX];
    sb_autofree char *path = NULL;

    sb_digest_hex(&step_fixture_lock(f, "GET", "http://a.test/x", 200, SB_LIT("0123456789"), "")->digest,
                  hex);
    path = sb_asprintf("step/objects/%s", hex);
    assert_int_equal(sb_write_file(f->temp->dirfd, path, SB_LIT("0123456_89"), 0644, NULL), 0);
    step_fixture_lock(f, "GET", "http://a.test/y", 200, SB_LIT("gone"), "");
    free(tempdir_shell(f->temp, "rm step/objects/$(printf gone | sha256sum | cut -d' ' -f1)"));
    step_fixture_start(f, STEP_REPLAY);
    step_fixture_expect(f, CURL "-o body -w '%{http_code} ' http://a.test/x", "500 ");
    step_fixture_expect(f, CURL "-o body -w '%{http_code} ' http://a.test/y", "500 ");
    step_fixture_finish(f);
    assert_true(f->fatal >= 2);
}

/* Bytes on a socket, both ways: what no ordinary client sends. */
#define RAW                                                                                                  \
    "python3 - <<'END'\n"                                                                                    \
    "import os, socket, sys\n"                                                                               \
    "def raw(*parts):\n"                                                                                     \
    "    s = socket.create_connection(('127.0.0.1', int(os.environ['PORT'])), 20)\n"                         \
    "    s.settimeout(20)\n"                                                                                 \
    "    for part in parts:\n"                                                                               \
    "        s.sendall(part)\n"                                                                              \
    "    got = b''\n"                                                                                        \
    "    while piece := s.recv(65536): got += piece\n"                                                       \
    "    return got.replace(b'\\r', b'').decode()\n"

static void test_protocol(void **state)
{
    step_fixture *f = *state;
    sb_step_request post = {.method = SB_LIT("POST"),
                            .url = SB_LIT("http://a.test/p"),
                            .has_body = true,
                            .status = 200,
                            .has_content = true,
                            .size = 4};

    sb_digest_of(SB_HASH_SHA256, SB_LIT("the body"), &post.body);
    step_fixture_object(f, SB_LIT("post"), &post.digest);
    sb_step_manifest_add(f->locked, &post);
    step_fixture_lock(f, "GET", "http://a.test/x", 200, SB_LIT("x"), "");
    step_fixture_start(f, STEP_REPLAY);
    /* Pipelined; the last one ends the connection. */
    step_fixture_expect(f,
                        RAW "g = b'GET http://a.test/x HTTP/1.1\\r\\nHost: a.test\\r\\n'\n"
                            "a = raw((g + b'\\r\\n') * 20 + g + b'Connection: close\\r\\n\\r\\n')\n"
                            "print(a.count('HTTP/1.1 200 OK'), a.count('\\n\\nx'))\nEND",
                        "21 21\n");
    /* Chunked, in pieces, with an extension and a trailer; then with a length and a wait. */
    step_fixture_expect(
        f,
        RAW "h = b'POST http://a.test/p HTTP/1.1\\r\\nHost: a.test\\r\\nConnection: close\\r\\n'\n"
            "print(raw(h + b'Transfer-Encoding: chunked\\r\\n\\r\\n3;x=y\\r', b'\\nthe\\r\\n', "
            "b'5\\r\\n bod', b'y\\r\\n0\\r\\nT: r\\r\\n\\r\\n')[-4:])\n"
            "a = raw(h + b'Content-Length: 8\\r\\nExpect: 100-continue\\r\\n\\r\\n', b'the body')\n"
            "print(a[:21], a[-4:])\nEND",
        "post\nHTTP/1.1 100 Continue post\n");
    /* What two programs could understand differently is refused. */
    step_fixture_expect(
        f,
        RAW "h = b'POST http://a.test/p HTTP/1.1\\r\\nHost: a.test\\r\\n'\n"
            "for bad in (b'Transfer-Encoding: chunked\\r\\nContent-Length: 8\\r\\n\\r\\n', "
            "b'Content-Length: 8\\r\\nContent-Length: 9\\r\\n\\r\\n', b'Content-Length: +8\\r\\n\\r\\n', "
            "b'Transfer-Encoding: gzip\\r\\n\\r\\n', b'A : b\\r\\n\\r\\n', b' folded\\r\\n\\r\\n', "
            "b'N\\xc3: b\\r\\n\\r\\n', b'nothing\\r\\n\\r\\n'):\n"
            "    print(raw(h + bad)[9:12], end=' ')\n"
            "for bad in (b'GET /x HTTP/1.1\\r\\nHost: a.test\\r\\n\\r\\n', b'GET x\\r\\n\\r\\n', "
            "b'GET ftp://a.test/x HTTP/1.1\\r\\n\\r\\n', b'CONNECT a.test HTTP/1.1\\r\\n\\r\\n', "
            "b'GET http://a.test/x HTTP/2.0\\r\\n\\r\\n'):\n"
            "    print(raw(bad)[9:12], end=' ')\n"
            "print(raw(b'GET http://a.test/x HTTP/1.1\\r\\nX: ' + b'x' * 70000)[9:12])\nEND",
        "400 400 400 400 400 400 400 400 400 400 400 400 400 431\n");
    step_fixture_expect(f,
                        RAW
                        "print(raw(b'GET http://a.test/x HTTP/1.1\\r\\nUpgrade: websocket\\r\\nConnection: "
                        "upgrade\\r\\n\\r\\n')[:28])\n"
                        "a = raw(b'CONNECT a.test:22 HTTP/1.1\\r\\n\\r\\n', b'SSH-2.0-OpenSSH_9\\r\\n')\n"
                        "print(a.count('200'), a.endswith('\\n\\n'))\nEND",
                        "HTTP/1.1 501 Not Implemented\n1 True\n");
    /* Refused before it is sent. */
    step_fixture_expect(f,
                        "truncate -s $(((64 << 20) + 1)) large; " CURL
                        "-w '%{http_code} %{size_upload}' -o body "
                        "--data-binary @large http://a.test/p",
                        "413 0");
    step_fixture_finish(f);
    assert_int_equal(f->fatal, 0);
    assert_int_equal(f->other, 1); /* ssh */
}

/* TLS: a client that sends its hello at once with CONNECT, names, addresses, one without trust. */
static void test_tls(void **state)
{
    step_fixture *f = *state;

    step_fixture_lock(f, "GET", "https://a.test/x", 200, SB_LIT("x\n"), "");
    step_fixture_lock(f, "GET", "https://192.0.2.1/x", 200, SB_LIT("y\n"), "");
    step_fixture_lock(f, "GET", "https://[2001:db8::1]/x", 200, SB_LIT("z\n"), "");
    step_fixture_start(f, STEP_REPLAY);
    step_fixture_expect(f, CURL "https://192.0.2.1/x 'https://[2001:db8::1]/x'", "y\nz\n");
    step_fixture_expect(
        f,
        "printf 'GET /x HTTP/1.1\\r\\nHost: a.test\\r\\nConnection: close\\r\\n\\r\\n' | openssl s_client "
        "-quiet "
        "-connect a.test:443 -proxy 127.0.0.1:$PORT -servername a.test -CAfile ca.pem -verify_return_error "
        "-verify_hostname a.test 2>errors | tail -n 1",
        "x\n");
    step_fixture_expect(f, CURL "--cacert /etc/hostname https://a.test/x 2>/dev/null || echo $?", "77\n");
    step_fixture_expect(f,
                        "CURL_CA_BUNDLE= SSL_CERT_FILE= " CURL
                        "--capath /nonexistent https://a.test/x 2>errors || echo $?",
                        "60\n");
    step_fixture_expect(
        f,
        "python3 - <<'END'\n"
        "import os, socket, ssl\n"
        "ctx = ssl.create_default_context(cafile='ca.pem')\n"
        "ctx.verify_flags |= ssl.VERIFY_X509_STRICT\n"
        "i, o = ssl.MemoryBIO(), ssl.MemoryBIO()\n"
        "tls = ctx.wrap_bio(i, o, server_hostname='a.test')\n"
        "s = socket.create_connection(('127.0.0.1', int(os.environ['PORT'])), 20)\n"
        "def step(f, *args):\n"
        "    while True:\n"
        "        try:\n"
        "            r = f(*args); s.sendall(o.read()); return r\n"
        "        except ssl.SSLWantReadError:\n"
        "            s.sendall(o.read()); i.write(s.recv(65536))\n"
        "try: tls.do_handshake()\n"
        "except ssl.SSLWantReadError: pass\n"
        "s.sendall(b'CONNECT a.test:443 HTTP/1.1\\r\\n\\r\\n' + o.read())\n"
        "head = b''\n"
        "while not head.endswith(b'\\r\\n\\r\\n'): head += s.recv(1)\n"
        "step(tls.do_handshake)\n"
        "step(tls.write, b'GET /x HTTP/1.1\\r\\nHost: a.test\\r\\nConnection: close\\r\\n\\r\\n')\n"
        "print(step(tls.read, 15))\n"
        "END",
        "b'HTTP/1.1 200 OK'\n");
    step_fixture_finish(f);
}

/* Clients that ignore proxies, led here by their resolver. */
static void test_transparent(void **state)
{
    step_fixture *f = *state;

    step_fixture_lock(f, "GET", "http://a.test/x", 200, SB_LIT("plain\n"), "");
    step_fixture_lock(f, "GET", "https://a.test/x", 200, SB_LIT("tls\n"), "");
    step_fixture_start(f, STEP_REPLAY);
    assert_int_equal(step_server_listen_transparent(f->server, "127.0.77.53", NULL), 0);
    assert_int_equal(step_server_listen_transparent(f->server, "127.0.77.53", NULL), 0);
    assert_int_equal(step_server_listen_transparent(f->server, "192.0.2.1", NULL), -1);
    step_fixture_expect(f,
                        CURL "--noproxy '*' --resolve '*:80:127.0.77.53' --resolve '*:443:127.0.77.53' "
                             "http://a.test/x https://a.test/x",
                        "plain\ntls\n");
    step_fixture_finish(f);
    assert_int_equal(f->fatal + f->other, 0);
}

/* gRPC and its like speak HTTP/2 alone. */
static void test_http2(void **state)
{
    step_fixture *f = *state;

    step_fixture_start(f, STEP_REPLAY);
    step_fixture_expect(
        f,
        "{ openssl s_client -connect a.test:443 -proxy 127.0.0.1:$PORT -servername a.test -CAfile ca.pem "
        "-alpn h2 </dev/null 2>&1 || true; } | grep -c 'alert no application protocol'",
        "1\n");
    step_fixture_expect(
        f,
        "curl -sS --max-time 20 --http2-prior-knowledge --proxytunnel http://a.test:8080/ 2>/dev/null || "
        "echo refused",
        "refused\n");
    step_fixture_finish(f);
}

/* Hundreds at once, plain and TLS, all of them whole. */
static void test_many(void **state)
{
    enum { SIZE = 300000 };
    step_fixture *f = *state;
    sb_autofree char *body = sb_malloc(SIZE);

    for (size_t i = 0; i < SIZE; i++)
        body[i] = (char)('a' + i % 23);
    step_fixture_lock(f, "GET", "http://a.test/x", 200, sb_slice_of(body, SIZE), "");
    step_fixture_lock(f, "GET", "https://a.test/x", 200, sb_slice_of(body, SIZE), "");
    step_fixture_start(f, STEP_REPLAY);
    step_fixture_expect(
        f,
        "for i in $(seq 150); do printf 'url = \"http://a.test/x\"\\noutput = \"o%d\"\\n"
        "url = \"https://a.test/x\"\\noutput = \"s%d\"\\n' $i $i; done >list\n"
        "curl -sS -Z --no-progress-meter --parallel-immediate --parallel-max 300 --max-time 60 -K list\n"
        "cat o[0-9]* s[0-9]* | wc -c; sha256sum o[0-9]* s[0-9]* | cut -d' ' -f1 | sort -u | wc -l",
        "90000000\n1\n");
    step_fixture_finish(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_get, step_fixture_setup, step_fixture_teardown),
        cmocka_unit_test_setup_teardown(test_misses, step_fixture_setup, step_fixture_teardown),
        cmocka_unit_test_setup_teardown(test_ranges, step_fixture_setup, step_fixture_teardown),
        cmocka_unit_test_setup_teardown(test_turns, step_fixture_setup, step_fixture_teardown),
        cmocka_unit_test_setup_teardown(test_damaged, step_fixture_setup, step_fixture_teardown),
        cmocka_unit_test_setup_teardown(test_protocol, step_fixture_setup, step_fixture_teardown),
        cmocka_unit_test_setup_teardown(test_tls, step_fixture_setup, step_fixture_teardown),
        cmocka_unit_test_setup_teardown(test_transparent, step_fixture_setup, step_fixture_teardown),
        cmocka_unit_test_setup_teardown(test_http2, step_fixture_setup, step_fixture_teardown),
        cmocka_unit_test_setup_teardown(test_many, step_fixture_setup, step_fixture_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
