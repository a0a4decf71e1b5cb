// SPDX-License-Identifier: Apache-2.0
/* Recording, with real clients and a server that misbehaves on demand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "step_fixture.h"

#define CURL ". up/env; curl -sS --max-time 30 "
/* Method, status and path of what was recorded, with its turn; bodies that are there. */
#define MANIFEST                                                                                             \
    "python3 -c '\n"                                                                                         \
    "import json, os, re\n"                                                                                  \
    "for line in list(open(\"rec/manifest\"))[1:]:\n"                                                        \
    "    r = json.loads(line)\n"                                                                             \
    "    there = not r.get(\"digest\") or any(os.path.exists(d + \"/objects/\" + r[\"digest\"][7:]) "        \
    "for d in (\"rec\", \"step\"))\n"                                                                        \
    "    print(r[\"method\"], r[\"status\"], re.sub(\"^https?://[^/]*\", \"\", r[\"url\"]), "                \
    "r.get(\"size\", 0), "                                                                                   \
    "r.get(\"turn\", 0), \"\" if there else \"MISSING\")' | sed 's/ $//'"
#define ASKED "wc -l <up/fault.jsonl"

static int setup(void **state)
{
    step_fixture *f;

    if (step_fixture_setup(state) < 0)
        return -1;
    f = *state;
    free(tempdir_shell(f->temp,
                       "mkdir www; seq 30000 >www/big; printf 0123456789 >www/ten; printf other >www/other\n"
                       "\"$2/tests/infra/faults.sh\" start up --root www; . up/env\n"
                       "cp \"$FAULT_CA\" step/upstream-ca.pem"));
    return 0;
}

static int teardown(void **state)
{
    step_fixture *f = *state;

    free(tempdir_shell(f->temp, "\"$2/tests/infra/faults.sh\" stop up"));
    return step_fixture_teardown(state);
}

static char *report(step_fixture *f)
{
    return tempdir_shell(f->temp, "sed -E 's#(https?://)[^/]*#\\1HOST#g; s/:[0-9]+/:N/g' rec/report.jsonl");
}

static void expect_manifest(step_fixture *f, const char *expected)
{
    sb_autofree char *lines = tempdir_shell(f->temp, MANIFEST);

    assert_string_equal(lines, expected);
}

static void expect_report(step_fixture *f, const char *expected)
{
    sb_autofree char *lines = report(f);

    assert_string_equal(lines, expected);
}

/* From here on the recording is the lock, and upstream is gone. */
static void replay(step_fixture *f)
{
    step_server_free(f->server);
    f->server = NULL;
    free(tempdir_shell(f->temp, "cp up/env env; \"$2/tests/infra/faults.sh\" stop up; mv env up/env\n"
                                "cp rec/manifest step/manifest; cp rec/objects/* step/objects/\n"
                                "! ls rec/objects/.new* 2>/dev/null"));
    f->config.mode = STEP_REPLAY;
    step_fixture_restart(f);
}

static void test_record(void **state)
{
    static const char script[] = CURL
        "\"$FAULT_URL/ten\" \"$FAULT_TLS_URL/ten?X-Amz-Signature=secret$RANDOM\" \"$FAULT_TLS_URL/nothing\"\n"
        "curl -sS -I \"$FAULT_URL/other\" | tr -d '\\r' | grep -i content-length\n"
        "for way in chunked nolength drip=20000; do curl -sS --compressed \"$FAULT_URL/~$way/big\" | md5sum; "
        "done\n"
        "curl -sS --http1.0 \"$FAULT_URL/~chunked/big\" | md5sum\n"
        "curl -sS -d body \"$FAULT_URL/ten\"; curl -sS -H 'Accept: text/x' \"$FAULT_URL/ten\"";
    step_fixture *f = *state;
    sb_autofree char *expected = tempdir_shell(
        f->temp, "sum=$(md5sum <www/big); printf '01234567890123456789not found\\nContent-Length: 5\\n'\n"
                 "for i in 1 2 3 4; do echo \"$sum\"; done; printf 01234567890123456789");

    free(tempdir_shell(f->temp, "mkdir rec/objects; touch rec/manifest rec/objects/.new-0"));
    step_fixture_start(f, STEP_RECORD);
    free(tempdir_shell(f->temp, "test ! -e rec/manifest; test ! -e rec/objects/.new-0"));
    step_fixture_expect(f, script, expected);
    step_fixture_finish(f);
    expect_manifest(
        f, "HEAD 200 /other 5 0\nGET 200 /ten 10 0\nGET 200 /ten 10 0\nPOST 200 /ten 10 0\n"
           "GET 200 /~chunked/big 168894 0\nGET 200 /~drip=20000/big 168894 0\n"
           "GET 200 /~nolength/big 168894 0\nGET 404 /nothing 10 0\nGET 200 /ten?X-Amz-Signature=- 10 0\n");
    free(tempdir_shell(f->temp, "! grep -rq secret rec; ls rec/objects | wc -l | grep -qx 3"));
    expect_report(f, "{\"kind\":\"post\",\"text\":\"POST\",\"url\":\"http://HOST/ten\"}\n");
    replay(f);
    step_fixture_expect(f, script, expected);
    step_fixture_finish(f);
    assert_int_equal(f->fatal + f->other, 0);
}

/* What is locked is answered from the lock; what nobody asks for any more is not in the recording. */
static void test_locked(void **state)
{
    step_fixture *f = *state;
    sb_autofree char *url = tempdir_shell(f->temp, ". up/env; printf %s \"$FAULT_URL\"");
    sb_autofree char *ten = sb_asprintf("%s/ten", url);
    sb_autofree char *other = sb_asprintf("%s/other", url);
    sb_autofree char *gone = sb_asprintf("%s/gone", url);
    sb_autofree char *token = sb_asprintf("%s/token", url);

    free(tempdir_shell(f->temp, "printf '{\"token\":\"real\"}' >www/token"));
    step_fixture_lock(f, "GET", ten, 200, SB_LIT("locked"), "");
    step_fixture_lock(f, "GET", ten, 200, SB_LIT("later"), "")->turn = 1;
    step_fixture_lock(f, "GET", gone, 200, SB_LIT("gone"), "");
    step_fixture_lock(f, "GET", other, 503, SB_LIT("failed"), "");
    step_fixture_lock(f, "GET", token, 200, SB_LIT("{\"token\":\"-\"}"), "");
    step_fixture_start(f, STEP_RECORD);
    step_fixture_expect(f, CURL "\"$FAULT_URL/ten\" \"$FAULT_URL/ten\" \"$FAULT_URL/ten\"; " ASKED,
                        "lockedlaterlater0\n");
    step_fixture_expect(f, CURL "\"$FAULT_URL/other\" \"$FAULT_URL/token\"; " ASKED,
                        "other{\"token\":\"real\"}2\n");
    step_fixture_finish(f);
    expect_manifest(f, "GET 200 /other 5 0\nGET 200 /ten 6 0\nGET 200 /ten 5 1\nGET 200 /token 13 0\n");
    free(tempdir_shell(f->temp, "! grep -rq real rec"));
}

static void test_failures(void **state)
{
    static const char script[] =
        CURL "-w '%{http_code} ' -o body \"$FAULT_URL/~status=503,times=1/ten\"\n"
             "curl -sS -w '%{http_code} ' -o body \"$FAULT_URL/~status=503,times=1/ten\"\n"
             "curl -sS -w '%{http_code} ' -o body \"$FAULT_URL/~status=401,times=1/ten\"\n"
             "curl -sS -w '%{http_code} ' -o body -u a:secret \"$FAULT_URL/~status=401,times=1/ten\"\n"
             "curl -sS -w '%{http_code} ' -o body \"$FAULT_URL/~status=429/ten\"\n"
             "curl -sS -w '%{http_code} ' -o body http://127.0.0.1:1/x\n"
             "curl -sS -w '%{http_code} ' -o body http://no.such.name.invalid/x\n"
             "curl -sS -w '%{http_code} ' -o body http://169.254.169.254/x\n"
             "for way in truncate=5 reset=60000 length=100 truncate=60000,chunked; do\n"
             "  curl -sS \"$FAULT_URL/~$way/big\" >body 2>errors && echo whole\n"
             "  curl -sS --http1.0 \"$FAULT_URL/~$way/big\" >body 2>errors && echo whole\n"
             "done; true";
    step_fixture *f = *state;

    step_fixture_start(f, STEP_RECORD);
    step_fixture_expect(f, script, "503 200 401 200 429 502 502 403 ");
    step_fixture_finish(f);
    expect_manifest(f,
                    "GET 502 /x 0 0\nGET 200 /~status=401,times=1/ten 10 0\nGET 429 /~status=429/ten 64 0\n"
                    "GET 200 /~status=503,times=1/ten 10 0\nGET 502 /x 0 0\n");
    free(tempdir_shell(f->temp, "! grep -rq secret rec; grep failed rec/report.jsonl | "
                                "grep -o '\"url\":\"[^\"]*\"' | sort -u | wc -l | grep -x 6"));
}

/* A redirect is the client's business; what is secret in it stays out, and it is found again. */
static void test_redirects(void **state)
{
    static const char script[] = CURL
        "-L \"$FAULT_URL/~to=$(python3 -c 'import sys, urllib.parse as u; print(u.quote(sys.argv[1], "
        "safe=\"\"))' "
        "\"$FAULT_TLS_URL/ten?Signature=secret&Expires=1\")/x\"; curl -sS -L \"$FAULT_URL/~redirect=3/ten\"";
    step_fixture *f = *state;

    step_fixture_start(f, STEP_RECORD);
    step_fixture_expect(f, script, "01234567890123456789");
    step_fixture_finish(f);
    free(tempdir_shell(
        f->temp, "grep -q 'location.*Signature=-' rec/manifest; ! grep -rq Signature=secret rec/objects"));
    replay(f);
    step_fixture_expect(f, script, "01234567890123456789");
    step_fixture_finish(f);
    assert_int_equal(f->fatal, 0);
}

/* Several clients at once and parts of a file are one transfer of the whole. */
static void test_together(void **state)
{
    step_fixture *f = *state;
    sb_autofree char *sum = tempdir_shell(f->temp, "md5sum <www/big");
    sb_autofree char *expected = sb_asprintf("%s%s%s%s168894\n1\n", sum, sum, sum, sum);

    step_fixture_start(f, STEP_RECORD);
    step_fixture_expect(
        f,
        CURL "\"$FAULT_URL/~drip=3000/big\" | md5sum >0 &\n" CURL
             "-r 0-20000 \"$FAULT_URL/~drip=3000/big\" >1 & " CURL
             "-r 20001-100000 \"$FAULT_URL/~drip=3000/big\" >2 &\n"
             "sleep 0.1; for i in 3 4 5; do " CURL "\"$FAULT_URL/~drip=3000/big\" | md5sum >$i & done; " CURL
             "-r 100001- \"$FAULT_URL/~drip=3000/big\" >6; wait\n" CURL
             "-r -3 \"$FAULT_URL/~drip=3000/big\" >7; cat 1 2 6 | cmp - www/big; cat 0 3 4 5; "
             "tail -c 3 www/big | cmp - 7; " CURL
             "-I \"$FAULT_URL/~drip=3000/big\" | grep -i length | tr -dc '0-9\\n'; " ASKED,
        expected);
    step_fixture_finish(f);
    expect_manifest(f, "GET 200 /~drip=3000/big 168894 0\n");
}

/* Who wants the beginning does not wait for the end; who goes away leaves a whole recording. */
static void test_early(void **state)
{
    step_fixture *f = *state;

    step_fixture_start(f, STEP_RECORD);
    step_fixture_expect(f,
                        CURL
                        "-r 0-4 -o part -w '%{http_code} %{time_total}' \"$FAULT_URL/~drip=2000/big\" | "
                        "awk '{ print $1, $2 < 3 ? \"early\" : \"late\" }'; head -c 5 www/big | cmp - part",
                        "206 early\n");
    step_fixture_expect(f, CURL "\"$FAULT_URL/~drip=2000/big?b\" 2>errors | head -c 4 || true", "1\n2\n");
    step_fixture_finish(f);
    expect_manifest(f, "GET 200 /~drip=2000/big 168894 0\nGET 200 /~drip=2000/big?b 168894 0\n");
}

/* The same question, other answers: all of them, in order. */
static void test_turns(void **state)
{
    static const char script[] = CURL "\"$FAULT_URL/now\"; echo two >www/now; curl -sS \"$FAULT_URL/now\" "
                                      "\"$FAULT_URL/now\"; echo three >www/now; curl -sS \"$FAULT_URL/now\"";
    step_fixture *f = *state;

    free(tempdir_shell(f->temp, "echo one >www/now"));
    step_fixture_start(f, STEP_RECORD);
    step_fixture_expect(f, script, "one\ntwo\ntwo\nthree\n");
    step_fixture_finish(f);
    expect_manifest(f, "GET 200 /now 4 0\nGET 200 /now 4 1\nGET 200 /now 6 2\n");
    replay(f);
    step_fixture_expect(f, CURL "\"$FAULT_URL/now\" \"$FAULT_URL/now\" \"$FAULT_URL/now\" \"$FAULT_URL/now\"",
                        "one\ntwo\nthree\nthree\n");
    step_fixture_finish(f);
}

/* The host's credentials go where they belong, and nowhere else. */
static void test_credentials(void **state)
{
    step_fixture *f = *state;
    sb_autofree char *host = tempdir_shell(f->temp, ". up/env; printf %s \"${FAULT_TLS_URL#https://}\"");
    sb_autofree char *plain = tempdir_shell(f->temp, ". up/env; printf %s \"${FAULT_URL#http://}\"");
    step_credential all[] = {{sb_slice_z(host), SB_LIT("Bearer hidden")},
                             {sb_slice_z(plain), SB_LIT("Bearer hidden")}};

    f->config.credentials = all;
    f->config.credential_count = SB_COUNT(all);
    step_fixture_start(f, STEP_RECORD);
    step_fixture_expect(
        f,
        CURL "-o body -o body \"$FAULT_TLS_URL/ten\" \"$FAULT_URL/ten\"; curl -sS -o body -d x "
             "\"$FAULT_TLS_URL/ten\"; curl -sS -o body -u a:b \"$FAULT_TLS_URL/big\"\n"
             "curl -sS -o body -H 'Accept-Encoding: br' -H 'If-None-Match: \"a\"' -H 'X-A: b' -H "
             "'Connection: X-B' -H 'X-B: c' -H 'Proxy-Authorization: d' \"$FAULT_TLS_URL/other\"\n"
             "python3 -c 'import json\nfor line in open(\"up/fault.jsonl\"):\n"
             "    r = json.loads(line); h = r[\"headers\"]\n"
             "    print(r[\"method\"], h.get(\"authorization\"), [n for n in (\"accept-encoding\", "
             "\"if-none-match\", \"x-a\", \"x-b\", \"proxy-authorization\") if n in h])'",
        "GET Bearer hidden []\nGET None []\nPOST None []\nGET Basic YTpi []\nGET Bearer hidden ['x-a']\n");
    step_fixture_finish(f);
    free(tempdir_shell(f->temp, "! grep -rq -e hidden -e YTpi rec"));
}

/* Nobody vouches for the server; nobody is sent round in a circle. */
static void test_no_trust(void **state)
{
    step_fixture *f = *state;

    free(tempdir_shell(f->temp, "cp ca.pem step/upstream-ca.pem 2>/dev/null || rm step/upstream-ca.pem"));
    step_fixture_start(f, STEP_RECORD);
    step_fixture_expect(
        f,
        CURL "-w '%{http_code}' -o body \"$FAULT_TLS_URL/ten\"; grep -o certificate body | head -n 1; " ASKED,
        "502certificate\n0\n");
    step_fixture_expect(f, "curl -sS -w '%{http_code}' -o body \"http://127.0.0.1:$PORT/x\"", "403");
    assert_int_equal(step_server_listen_transparent(f->server, "127.0.78.1", NULL), 0);
    step_fixture_expect(f, "curl -sS -w '%{http_code}' -o body https://127.0.78.1/x", "403");
    step_fixture_finish(f);
}

/* The certificate of another host is no certificate: the server's is for localhost and its addresses. */
static void test_other_host(void **state)
{
    step_fixture *f = *state;
    sb_slice nameserver = SB_LIT("127.0.0.1");

    f->config.nameservers = &nameserver;
    f->config.nameserver_count = 1;
    step_fixture_start(f, STEP_RECORD);
    step_fixture_expect(
        f,
        CURL "-w '%{http_code}' -o body \"${FAULT_TLS_URL/127.0.0.1/x.localhost}/ten\"; "
             "grep -oi 'hostname mismatch' body; curl -sS \"${FAULT_TLS_URL/127.0.0.1/localhost}/ten\"",
        "502hostname mismatch\n0123456789");
    step_fixture_finish(f);
}

/* The resolvers of the configuration are asked, whatever /etc/resolv.conf says; what they lead to is looked
 * at. */
static void test_nameservers(void **state)
{
    static const char responder[] =
        "cat >dns.py <<'END'\n"
        "import socket, struct\n"
        "s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
        "s.bind(('127.0.77.1', 53))\n"
        "open('dns.up', 'w').close()\n"
        "addresses = {b'here': '127.0.0.1', b'link': '169.254.1.1', b'zero': '0.0.0.0'}\n"
        "while True:\n"
        "    q, who = s.recvfrom(512)\n"
        "    name, end = q[13:13 + q[12]], q.index(b'\\0', 12) + 5\n"
        "    a = addresses.get(name) if q[end - 3] == 1 else None\n"
        "    s.sendto(q[:2] + struct.pack('>HHHHH', 0x8180, 1, 1 if a else 0, 0, 0) + q[12:end] +\n"
        "             (b'\\xc0\\x0c\\0\\x01\\0\\x01\\0\\0\\0\\x3c\\0\\x04' + socket.inet_aton(a) if a else "
        "b''), who)\n"
        "END\n"
        "python3 dns.py >dns.log 2>&1 & echo $! >dns.pid\n"
        "for i in $(seq 100); do test -e dns.up && break; sleep 0.1; done; test -e dns.up";
    step_fixture *f = *state;
    sb_slice servers[] = {SB_LIT("fe80::1%x"), SB_LIT("127.0.77.1")};

    free(tempdir_shell(f->temp, responder));
    f->config.nameservers = servers;
    f->config.nameserver_count = SB_COUNT(servers);
    step_fixture_start(f, STEP_RECORD);
    step_fixture_expect(
        f,
        CURL "\"${FAULT_URL/127.0.0.1/here.test}/ten\"; for name in link zero; do curl -sS -o body -w "
             "' %{http_code}' \"http://$name.test/\"; done; curl -sS -o body -w ' %{http_code}' "
             "http://none.test/; kill $(cat dns.pid)",
        "0123456789 403 403 502");
    step_fixture_finish(f);
}

/* A second step's server as the proxy of the machine, with another authority. */
static void test_proxy(void **state)
{
    step_fixture *f = *state;
    sb_autofree char *url = NULL;
    step_config config = f->config;
    step_server *proxy;
    unsigned fatal, other;

    config.mode = STEP_RECORD;
    config.rec_dir = sb_arena_printf(config.arena, "%s/rec2", f->temp->dir).ptr;
    free(tempdir_shell(f->temp, "mkdir rec2"));
    assert_int_equal(step_server_new(&config, f->ca, &proxy, NULL), 0);
    assert_int_equal(step_server_run(proxy, NULL), 0);
    url = sb_asprintf("http://user:p%%40ss@127.0.0.1:%u", step_server_port(proxy));
    f->config.http_proxy = f->config.https_proxy = sb_slice_z(url);
    f->config.no_proxy = SB_LIT("direct.test,.other.test");
    step_fixture_start(f, STEP_RECORD);
    free(tempdir_shell(f->temp, "cp step/upstream-ca.pem real.pem; cat ca.pem >>step/upstream-ca.pem"));
    step_fixture_finish(f);
    step_server_free(f->server);
    f->server = NULL;
    step_fixture_restart(f);
    /* Loopback itself is always direct. */
    step_fixture_expect(f, CURL "\"$FAULT_URL/ten\"", "0123456789");
    step_fixture_expect(
        f,
        CURL
        "-w ' %{http_code}' -o body -o body http://proxied.invalid/x https://proxied.invalid/x; cat body | "
        "grep -c 'no address'",
        " 502 5021\n");
    step_fixture_expect(f, CURL "-w ' %{http_code}' -o body http://direct.test/x", " 502");
    step_fixture_finish(f);
    assert_int_equal(step_server_finish(proxy, &fatal, &other, NULL), 0);
    step_server_free(proxy);
    step_fixture_expect(
        f, "grep -c '\"url\":\"https*://proxied.invalid/x\"' rec2/manifest; ! grep direct rec2/manifest",
        "2\n");
}

static void test_git(void **state)
{
    static const char script[] =
        "export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null GIT_SSL_CAINFO=$PWD/ca.pem\n"
        "rm -rf a b c; . git/saved; git clone -q \"$GIT_HTTPS_URL/tool.git\" a; git clone -q --depth 1 "
        "--branch v1.1.0 "
        "-c advice.detachedHead=false \"$GIT_HTTP_URL/tool.git\" b; git -C a fetch -q; git -c "
        "protocol.version=0 ls-remote "
        "\"$GIT_HTTPS_URL/tool.git\" HEAD | cut -c 1-40; git -C a rev-parse HEAD; cat b/tool.sh";
    step_fixture *f = *state;
    sb_autofree char *first = NULL;

    free(tempdir_shell(f->temp,
                       "mkdir repos; \"$2/tests/infra/git-server.sh\" sample repos; "
                       "\"$2/tests/infra/git-server.sh\" start git repos; cp git/env git/saved; . git/env\n"
                       "cat \"$GIT_CA\" >>step/upstream-ca.pem"));
    step_fixture_start(f, STEP_RECORD);
    first = tempdir_shell(f->temp, script);
    assert_non_null(strstr(first, "echo tool 1.1.0"));
    step_fixture_finish(f);
    expect_report(f, "");
    free(tempdir_shell(f->temp, "\"$2/tests/infra/git-server.sh\" stop git"));
    replay(f);
    step_fixture_expect(f, script, first);
    step_fixture_finish(f);
    assert_int_equal(f->fatal + f->other, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_record, setup, teardown),
        cmocka_unit_test_setup_teardown(test_locked, setup, teardown),
        cmocka_unit_test_setup_teardown(test_failures, setup, teardown),
        cmocka_unit_test_setup_teardown(test_redirects, setup, teardown),
        cmocka_unit_test_setup_teardown(test_together, setup, teardown),
        cmocka_unit_test_setup_teardown(test_early, setup, teardown),
        cmocka_unit_test_setup_teardown(test_turns, setup, teardown),
        cmocka_unit_test_setup_teardown(test_credentials, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_trust, setup, teardown),
        cmocka_unit_test_setup_teardown(test_other_host, setup, teardown),
        cmocka_unit_test_setup_teardown(test_nameservers, setup, teardown),
        cmocka_unit_test_setup_teardown(test_proxy, setup, teardown),
        cmocka_unit_test_setup_teardown(test_git, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
