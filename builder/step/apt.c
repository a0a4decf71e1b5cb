// SPDX-License-Identifier: Apache-2.0
/*
 * apt's configuration in a step: APT_CONFIG names the file that it reads first. On replay what was right when
 * the lock was made stays right: the lock vouches for the bytes. Wrong signatures are refused as ever.
 */
#include <builder/step/run.h>

#include <stdio.h>
#include <time.h>
#include <unistd.h>

enum { DATE_LEN = 10, DATE_SIZE = 32 };

bool step_apt_has_sqv(void)
{
    return access("/usr/lib/apt/methods/sqv", F_OK) == 0 && access("/usr/bin/sqv", F_OK) == 0;
}

void step_apt_conf(const step_files *files, const step_config *config, unsigned port, const char *chosen,
                   sb_buf *out)
{
    if (chosen && !strpbrk(chosen, "\"\n"))
        sb_buf_printf(out, "#include \"%s\";\n", chosen);
    sb_buf_printf(out,
                  "Acquire::http::Proxy \"http://127.0.0.1:%u\";\n"
                  "Acquire::https::Proxy \"http://127.0.0.1:%u\";\n"
                  /* What the image says of proxies is read later and would win; what this program answers for
                   * a host goes before it. */
                  "Acquire::http::Proxy-Auto-Detect \"%s\";\n"
                  "Acquire::https::Proxy-Auto-Detect \"%s\";\n"
                  "Acquire::https::CaInfo \"%s\";\n",
                  port, port, files->apt_proxy, files->apt_proxy, files->trust);
    if (config->mode == STEP_REPLAY)
        /* What is missing is missing: apt would wait and ask again three times. */
        sb_buf_addz(out, "Acquire::Retries \"0\";\n");
    if (config->tolerate_expiry)
        sb_buf_addz(out, "Acquire::Check-Valid-Until \"false\";\nAcquire::Check-Date \"false\";\n");
    if (files->gpgv)
        sb_buf_printf(out, "Apt::Key::gpgvcommand \"%s\";\n", files->gpgv);
}

int step_apt_proxy(void)
{
    const char *proxy = step_environment_get(environ, "http_proxy");

    return proxy && puts(proxy) >= 0 && fflush(stdout) == 0 ? 0 : 1;
}

/* "rsa2048 = 2030-02-01": where the date begins, when the line is one of these. */
static ptrdiff_t date_in(sb_slice line)
{
    ptrdiff_t equals = sb_slice_chr(line, '=');
    sb_slice value;

    if (equals < 0 || sb_slice_starts(sb_slice_trim(line), SB_LIT("#")))
        return -1;
    value = sb_slice_trim(sb_slice_sub(line, (size_t)equals + 1, line.len));
    if (value.len < DATE_LEN)
        return -1;
    for (size_t i = 0; i < DATE_LEN; i++)
        if (i == 4 || i == 7 ? value.ptr[i] != '-' : value.ptr[i] < '0' || value.ptr[i] > '9')
            return -1;
    return value.ptr - line.ptr;
}

void step_apt_policy(sb_slice policy, int64_t epoch, sb_buf *out)
{
    char today[DATE_SIZE] = "";
    time_t when = (time_t)epoch;
    sb_slice rest = policy;
    struct tm tm;

    if (gmtime_r(&when, &tm))
        strftime(today, sizeof(today), "%F", &tm);
    while (rest.ptr) {
        sb_slice line = sb_slice_cut(&rest, '\n');
        ptrdiff_t date = date_in(line);

        /* What had a date that was still to come was good; what had passed stays bad. */
        if (date >= 0 && memcmp(line.ptr + date, today, DATE_LEN) > 0)
            sb_buf_printf(out, "%" SB_FMT "\"always\"", SB_ARG(sb_slice_sub(line, 0, (size_t)date)));
        else
            sb_buf_adds(out, line);
        if (rest.ptr)
            sb_buf_addc(out, '\n');
    }
}
