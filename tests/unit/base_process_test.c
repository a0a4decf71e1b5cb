// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sbuild/process.h>
#include <sbuild/progress.h>

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int try_unshare(void *ctx)
{
    (void)ctx;
    return unshare(CLONE_NEWUTS) < 0;
}

static bool unshare_is_allowed(void)
{
    int status = 1;
    pid_t pid;

    assert_int_equal(sb_process_fork(try_unshare, NULL, &pid, NULL), 0);
    assert_int_equal(sb_process_wait(pid, &status, NULL), 0);
    return status == 0;
}

static int run(sb_process_options options, const char *const *argv, int *ret_status, sb_error **err)
{
    options.argv = argv;
    return sb_process_run(&options, ret_status, err);
}

#define ARGV(...) ((const char *const[]){__VA_ARGS__, NULL})

static void test_status_and_output(void **state)
{
    sb_autobuf out = SB_BUF_INIT(1000), errors = SB_BUF_INIT(1000);
    int status;

    (void)state;
    assert_int_equal(run((sb_process_options){.output = &out, .errors = &errors},
                         ARGV("sh", "-c", "echo out; echo err >&2; exit 7"), &status, NULL),
                     0);
    assert_int_equal(status, 7);
    assert_string_equal(out.data, "out\n");
    assert_string_equal(errors.data, "err\n");
    assert_int_equal(run((sb_process_options){.output = &out}, ARGV("sh", "-c", "kill -9 $$"), &status, NULL),
                     0);
    assert_int_equal(status, 137);
}

static void test_no_such_program(void **state)
{
    SB_AUTO(sb_error) error = NULL;
    sb_autofree char *sh = sb_process_find("sh");
    int status;

    (void)state;
    assert_int_equal(run((sb_process_options){.timeout = 1}, ARGV("no-such-program-here"), &status, &error),
                     -1);
    assert_int_equal(error->code, SB_ERR_NOT_FOUND);
    assert_null(sb_process_find("no-such-program-here"));
    assert_null(sb_process_find("/etc/passwd"));
    assert_int_equal(sh[0], '/');
}

/* More than a pipe holds, both ways at once, and a program that does not read it all. */
static void test_much_input(void **state)
{
    enum { SIZE = 3000000 };
    sb_autobuf out = SB_BUF_INIT(SIZE);
    sb_autofree char *data = sb_malloc(SIZE);
    int status;

    (void)state;
    memset(data, 'x', SIZE);
    assert_int_equal(
        run((sb_process_options){.input = {data, SIZE}, .output = &out}, ARGV("cat"), &status, NULL), 0);
    assert_int_equal(out.len, SIZE);
    sb_buf_reset(&out);
    assert_int_equal(run((sb_process_options){.input = {data, SIZE}, .output = &out}, ARGV("head", "-c", "3"),
                         &status, NULL),
                     0);
    assert_string_equal(out.data, "xxx");
    /* Nothing to read without input. */
    sb_buf_reset(&out);
    assert_int_equal(run((sb_process_options){.output = &out}, ARGV("cat"), &status, NULL), 0);
    assert_int_equal(out.len, 0);
}

static void test_descriptors(void **state)
{
    sb_autoclose int in = memfd_create("in", MFD_CLOEXEC), to = memfd_create("out", MFD_CLOEXEC);
    char text[10] = "";
    int status;

    (void)state;
    assert_int_equal(write(in, "hello", 5), 5);
    lseek(in, 0, SEEK_SET);
    assert_int_equal(
        run((sb_process_options){.input_fd = in, .output_fd = to}, ARGV("tr", "a-z", "A-Z"), &status, NULL),
        0);
    assert_int_equal(pread(to, text, 9, 0), 5);
    assert_string_equal(text, "HELLO");
}

static void test_limits(void **state)
{
    sb_autobuf out = SB_BUF_INIT(1000);
    SB_AUTO(sb_error) error = NULL;
    time_t start = time(NULL);
    int status;

    (void)state;
    assert_int_equal(run((sb_process_options){.output = &out}, ARGV("yes"), &status, &error), -1);
    assert_int_equal(error->code, SB_ERR_LIMIT);
    sb_error_free(SB_TAKE(error));
    sb_buf_reset(&out);
    assert_int_equal(
        run((sb_process_options){.output = &out, .timeout = 1}, ARGV("sleep", "60"), &status, &error), -1);
    assert_int_equal(error->code, SB_ERR_NETWORK);
    assert_true(time(NULL) - start < 20);
}

static void test_environment(void **state)
{
    static const char *const env[] = {"ADDED=1", "CHANGED=new", NULL}, *const unset[] = {"GONE", NULL};
    sb_autobuf out = SB_BUF_INIT(100000);
    int status;

    (void)state;
    setenv("CHANGED", "old", 1);
    setenv("CHANGED_NOT", "kept", 1);
    setenv("GONE", "x", 1);
    assert_int_equal(run((sb_process_options){.output = &out, .env = env, .unset = unset},
                         ARGV("sh", "-c", "echo $ADDED $CHANGED $CHANGED_NOT ${GONE-gone}"), &status, NULL),
                     0);
    assert_string_equal(out.data, "1 new kept gone\n");
    sb_buf_reset(&out);
    assert_int_equal(
        run((sb_process_options){.output = &out, .env = env, .clear_env = true}, ARGV("env"), &status, NULL),
        0);
    assert_null(strstr(out.data, "CHANGED_NOT"));
    assert_non_null(strstr(out.data, "CHANGED=new\n"));
    assert_non_null(strstr(out.data, "PATH="));
    sb_buf_reset(&out);
    assert_int_equal(run((sb_process_options){.output = &out, .cwd = "/usr"}, ARGV("pwd"), &status, NULL), 0);
    assert_string_equal(out.data, "/usr\n");
}

static void count(void *ctx, int stream, sb_slice piece)
{
    size_t *bytes = ctx;

    bytes[stream] += piece.len;
}

static void test_pieces(void **state)
{
    size_t bytes[3] = {0};
    int status;

    (void)state;
    assert_int_equal(run((sb_process_options){.on_output = count, .ctx = bytes},
                         ARGV("sh", "-c", "head -c 200000 /dev/zero; head -c 100000 /dev/zero >&2"), &status,
                         NULL),
                     0);
    assert_int_equal(bytes[1], 200000);
    assert_int_equal(bytes[2], 100000);
}

/* A child gets the pipes' ends that are its own, and no others. */
static void test_nothing_is_inherited(void **state)
{
    sb_autobuf out = SB_BUF_INIT(4000);
    const char *at;
    int status, pipes = 0;

    (void)state;
    /* No shell: it would have pipes of its own. */
    assert_int_equal(run((sb_process_options){.output = &out, .errors = &out, .input = SB_LIT("x")},
                         ARGV("ls", "-l", "/proc/self/fd"), &status, NULL),
                     0);
    assert_int_equal(status, 0);
    /* Ours have low numbers; who runs the tests may have left others, such as " 251 -> pipe:". */
    for (at = out.data; (at = strstr(at, " -> pipe:")); at++)
        pipes += at[-2] == ' ';
    assert_int_equal(pipes, 3);
}

static void on_alarm(int number)
{
    (void)number;
    sb_interrupted = 1;
}

/* Whether we read the child's output or it has ours. */
static void test_an_interrupt_is_passed_on(void **state)
{
    const char *argv[] = {"/bin/sleep", "20", NULL};
    struct sigaction action = {.sa_handler = on_alarm};

    (void)state;
    sigaction(SIGALRM, &action, NULL);
    for (int i = 0; i < 2; i++) {
        sb_autobuf output = SB_BUF_INIT(100);
        sb_process_options options = {.argv = argv, .output = i ? &output : NULL};
        time_t before = time(NULL);
        int status = 0;

        alarm(1);
        assert_int_equal(sb_process_run(&options, &status, NULL), 0);
        sb_interrupted = 0;
        assert_int_equal(status, 128 + SIGTERM);
        assert_true(time(NULL) - before < 15);
    }
}

/* Only its own machine has another name, and only where that may be. */
static void test_another_host_name(void **state)
{
    sb_autobuf own = SB_BUF_INIT(1000), other = SB_BUF_INIT(1000), after = SB_BUF_INIT(1000);
    bool may = unshare_is_allowed();
    int status;

    (void)state;
    assert_int_equal(run((sb_process_options){.output = &own}, ARGV("uname", "-n"), &status, NULL), 0);
    assert_int_equal(run((sb_process_options){.output = &other, .host_name = "elsewhere"},
                         ARGV("uname", "-n"), &status, NULL),
                     0);
    assert_int_equal(run((sb_process_options){.output = &after}, ARGV("uname", "-n"), &status, NULL), 0);
    assert_string_equal(other.data, may ? "elsewhere\n" : own.data);
    assert_string_equal(after.data, own.data);
}

static int sleep_long(void *ctx)
{
    (void)ctx;
    pause();
    return 0;
}

static void test_waiting_passes_an_interrupt_on(void **state)
{
    struct sigaction action = {.sa_handler = on_alarm};
    pid_t child;
    int status = 0;

    (void)state;
    assert_int_equal(sb_process_fork(sleep_long, NULL, &child, NULL), 0);
    sigaction(SIGALRM, &action, NULL);
    alarm(1);
    assert_int_equal(sb_process_wait(child, &status, NULL), 0);
    sb_interrupted = 0;
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGTERM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_status_and_output),
        cmocka_unit_test(test_no_such_program),
        cmocka_unit_test(test_much_input),
        cmocka_unit_test(test_descriptors),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_environment),
        cmocka_unit_test(test_pieces),
        cmocka_unit_test(test_nothing_is_inherited),
        cmocka_unit_test(test_an_interrupt_is_passed_on),
        cmocka_unit_test(test_another_host_name),
        cmocka_unit_test(test_waiting_passes_an_interrupt_on),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
