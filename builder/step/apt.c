// SPDX-License-Identifier: Apache-2.0
/* apt's configuration in a step: APT_CONFIG names the file that it reads first. */
#include <builder/step/run.h>

void step_apt_conf(const step_files *files, const step_config *config, unsigned port, const char *chosen,
                   sb_buf *out)
{
    if (chosen && !strpbrk(chosen, "\"\n"))
        sb_buf_printf(out, "#include \"%s\";\n", chosen);
    sb_buf_printf(out,
                  "Acquire::http::Proxy \"http://127.0.0.1:%u\";\n"
                  "Acquire::https::Proxy \"http://127.0.0.1:%u\";\n"
                  "Acquire::https::CaInfo \"%s\";\n",
                  port, port, files->trust);
    if (config->mode == STEP_REPLAY)
        /* What is missing is missing: apt would wait and ask again three times. */
        sb_buf_addz(out, "Acquire::Retries \"0\";\n");
    if (config->tolerate_expiry)
        /* The lock vouches for the bytes, and they were verified when it was made. A wrong signature is
         * refused as ever; one that was right then stays right. */
        sb_buf_printf(out,
                      "Acquire::Check-Valid-Until \"false\";\n"
                      "Acquire::Check-Date \"false\";\n"
                      "Apt::Key::gpgvcommand \"%s\";\n",
                      files->gpgv);
}
