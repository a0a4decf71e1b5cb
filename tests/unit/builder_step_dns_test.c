// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <builder/step/dns.h>
#include <sbuild/buf.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

enum { TYPE_A = 1, TYPE_AAAA = 28, TYPE_MX = 15, ANSWER = 12 };

static const step_dns_names names = {.outside = {127, 83, 66, 1}, .host = "buildhost"};

static void query(sb_buf *out, const char *name, unsigned type)
{
    static const char header[] = "\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00";
    sb_slice rest = sb_slice_z(name);

    sb_buf_add(out, header, sizeof(header) - 1);
    while (rest.ptr) {
        sb_slice label = sb_slice_cut(&rest, '.');

        sb_buf_addc(out, (char)label.len);
        sb_buf_adds(out, label);
    }
    sb_buf_add(out, "\0\0", 2);
    sb_buf_addc(out, (char)type);
    sb_buf_add(out, "\0\1", 2);
}

/* `address` as text; NULL: none. */
static void answers(const char *name, unsigned type, unsigned code, const char *address)
{
    sb_autobuf text = SB_BUF_INIT(1 << 12);
    unsigned char out[STEP_DNS_ANSWER_SIZE];
    char shown[INET6_ADDRSTRLEN];
    step_dns_question question;
    size_t size, family_size = type == TYPE_A ? 4 : 16;

    query(&text, name, type);
    size = step_dns_answer(&names, sb_buf_slice(&text), out, &question);
    assert_int_equal(out[0], 0x12);
    assert_int_equal(out[1], 0x34);
    assert_int_equal(out[2], 0x81);
    if (out[3] != (0x80 | code))
        fail_msg("%s: code %u", name, out[3] & 15U);
    assert_int_equal(out[7], address ? 1 : 0);
    assert_int_equal(size, text.len + (address ? ANSWER + family_size : 0));
    assert_memory_equal(out + 12, text.data + 12, text.len - 12);
    assert_int_equal(question.has_address, address != NULL);
    if (address) {
        inet_ntop(type == TYPE_A ? AF_INET : AF_INET6, out + size - family_size, shown, sizeof(shown));
        assert_string_equal(shown, address);
    }
}

static void test_names(void **state)
{
    (void)state;
    answers("www.example.org", TYPE_A, 0, "127.83.66.1");
    answers("WWW.Example.ORG", TYPE_A, 0, "127.83.66.1");
    answers("www.example.org", TYPE_AAAA, 0, NULL);
    answers("www.example.org", TYPE_MX, 0, NULL);
    answers("localhost", TYPE_A, 0, "127.0.0.1");
    answers("localhost", TYPE_AAAA, 0, "::1");
    answers("app.localhost", TYPE_A, 0, "127.0.0.1");
    answers("BuildHost", TYPE_A, 0, "127.0.0.1");
    answers("buildhost", TYPE_AAAA, 0, "::1");
    /* What leads nowhere outside either. */
    answers("wpad", TYPE_A, 3, NULL);
    answers("printer.local", TYPE_A, 3, NULL);
    answers("1.0.0.127.in-addr.arpa", 12, 3, NULL);
    answers("host.invalid", TYPE_A, 3, NULL);
}

static void test_longest(void **state)
{
    sb_autobuf name = SB_BUF_INIT(1 << 10);
    sb_autobuf text = SB_BUF_INIT(1 << 12);
    unsigned char out[STEP_DNS_ANSWER_SIZE];
    step_dns_question question;

    (void)state;
    for (int i = 0; i < 126; i++)
        sb_buf_addz(&name, "a.");
    sb_buf_addz(&name, "b");
    answers(name.data, TYPE_A, 0, "127.83.66.1");
    sb_buf_addz(&name, "bb");
    query(&text, name.data, TYPE_A);
    assert_int_equal(step_dns_answer(&names, sb_buf_slice(&text), out, &question), 12);
    assert_int_equal(out[3] & 15, 1);
}

static void test_broken(void **state)
{
    sb_autobuf text = SB_BUF_INIT(1 << 12);
    unsigned char out[STEP_DNS_ANSWER_SIZE];
    step_dns_question question;
    size_t len;

    (void)state;
    query(&text, "www.example.org", TYPE_A);
    len = text.len;
    /* Cut off anywhere: silence, or "format error". */
    for (size_t i = 0; i < len; i++) {
        size_t size = step_dns_answer(&names, sb_slice_of(text.data, i), out, &question);

        assert_int_equal(size, i < 12 ? 0 : 12);
        assert_true(i < 12 || (out[3] & 15) == 1);
    }
    text.data[2] = (char)0x81; /* an answer */
    assert_int_equal(step_dns_answer(&names, sb_buf_slice(&text), out, &question), 0);
    text.data[2] = 0x28; /* an update */
    assert_int_equal(step_dns_answer(&names, sb_buf_slice(&text), out, &question), 12);
    assert_int_equal(out[3] & 15, 4);
    text.data[2] = 1;
    text.data[12] = (char)0xc0; /* a pointer to itself */
    assert_int_equal(step_dns_answer(&names, sb_buf_slice(&text), out, &question), 12);
    assert_int_equal(out[3] & 15, 1);
}

/* --- The sockets --- */

static void count(void *ctx)
{
    atomic_fetch_add((atomic_int *)ctx, 1);
}

static unsigned free_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);
    sb_autoclose int fd = socket(AF_INET, SOCK_STREAM, 0);

    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
    return ntohs(address.sin_port);
}

static int connect_to(int type, unsigned port)
{
    const struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, type, 0);

    assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

static void test_sockets(void **state)
{
    unsigned port = free_port();
    SB_AUTO(step_dns) dns = NULL;
    step_dns *second = NULL;
    sb_autobuf outside = SB_BUF_INIT(1 << 12);
    sb_autobuf inside = SB_BUF_INIT(1 << 12);
    sb_autobuf framed = SB_BUF_INIT(1 << 12);
    sb_autoclose int udp = -1;
    sb_autoclose int tcp = -1;
    atomic_int hooked = 0;
    char got[STEP_DNS_ANSWER_SIZE + 2];
    ssize_t len;

    (void)state;
    assert_int_equal(step_dns_new("127.83.66.1", port, count, &hooked, &dns, NULL), 0);
    assert_non_null(dns);
    /* Somebody else has the port: no name server, no error. */
    assert_int_equal(step_dns_new("127.83.66.1", port, count, &hooked, &second, NULL), 0);
    assert_null(second);
    assert_int_equal(step_dns_run(dns, NULL), 0);
    query(&inside, "localhost", TYPE_A);
    query(&outside, "www.example.org", TYPE_A);
    udp = connect_to(SOCK_DGRAM, port);
    assert_int_equal(send(udp, inside.data, inside.len, 0), inside.len);
    assert_true(recv(udp, got, sizeof(got), 0) > 0);
    assert_int_equal(hooked, 0);
    assert_int_equal(send(udp, outside.data, outside.len, 0), outside.len);
    len = recv(udp, got, sizeof(got), 0);
    assert_int_equal(len, outside.len + ANSWER + 4);
    assert_int_equal(hooked, 1);
    /* Two questions in one segment. */
    tcp = connect_to(SOCK_STREAM, port);
    for (int i = 0; i < 2; i++) {
        sb_buf_addc(&framed, 0);
        sb_buf_addc(&framed, (char)outside.len);
        sb_buf_adds(&framed, sb_buf_slice(&outside));
    }
    assert_int_equal(send(tcp, framed.data, framed.len, 0), framed.len);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(recv(tcp, got, (size_t)len + 2, MSG_WAITALL), len + 2);
        assert_int_equal(got[1], len);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_longest),
        cmocka_unit_test(test_broken),
        cmocka_unit_test(test_sockets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
