// SPDX-License-Identifier: Apache-2.0
/*
 * The loopback server of a step by itself, for benchmarks:
 *
 *   step_tool DIR [REC]    DIR as /.sbuild-step is, records into REC when that is named
 *
 * Writes its port and a newline to standard output and the certificate of its authority to DIR/ca.pem,
 * answers until its standard input ends, then prints how much was not in the lock.
 */
#include <builder/step/step.h>

#include <sbuild/fs.h>

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static int serve(const step_config *config, sb_error **err)
{
    sb_autofree char *pem = sb_asprintf("%s/ca.pem", config->dir);
    SB_AUTO(step_server) server = NULL;
    SB_AUTO(step_ca) ca = NULL;
    unsigned fatal, other;
    char input[256];

    if (step_ca_new(&ca, err) < 0 || sb_write_file(AT_FDCWD, pem, step_ca_pem(ca), 0644, err) < 0 ||
        step_server_new(config, ca, &server, err) < 0 || step_server_run(server, err) < 0)
        return -1;
    printf("%u\n", step_server_port(server));
    fflush(stdout);
    while (read(STDIN_FILENO, input, sizeof(input)) > 0)
        ;
    if (step_server_finish(server, &fatal, &other, err) < 0)
        return -1;
    printf("%u %u\n", fatal, other);
    return 0;
}

int main(int argc, char **argv)
{
    step_config config = {.id = SB_LIT("0123456789ab"), .label = SB_LIT("RUN tool")};
    SB_AUTO(sb_error) err = NULL;

    if (argc < 2) {
        fputs("usage: step_tool DIR [REC]\n", stderr);
        return 2;
    }
    config.dir = argv[1];
    config.rec_dir = argc > 2 ? argv[2] : NULL;
    config.mode = argc > 2 ? STEP_RECORD : STEP_REPLAY;
    if (serve(&config, &err) == 0)
        return 0;
    fprintf(stderr, "step_tool: %s\n", err->message);
    return sb_exit_code(err->code);
}
