// SPDX-License-Identifier: Apache-2.0
#include <dockerfile/keywords.h>

static const char *const names[SB_DF_UNKNOWN] = {
    [SB_DF_ADD] = "ADD",
    [SB_DF_ARG] = "ARG",
    [SB_DF_CMD] = "CMD",
    [SB_DF_COPY] = "COPY",
    [SB_DF_ENTRYPOINT] = "ENTRYPOINT",
    [SB_DF_ENV] = "ENV",
    [SB_DF_EXPOSE] = "EXPOSE",
    [SB_DF_FROM] = "FROM",
    [SB_DF_HEALTHCHECK] = "HEALTHCHECK",
    [SB_DF_LABEL] = "LABEL",
    [SB_DF_MAINTAINER] = "MAINTAINER",
    [SB_DF_ONBUILD] = "ONBUILD",
    [SB_DF_RUN] = "RUN",
    [SB_DF_SHELL] = "SHELL",
    [SB_DF_STOPSIGNAL] = "STOPSIGNAL",
    [SB_DF_USER] = "USER",
    [SB_DF_VOLUME] = "VOLUME",
    [SB_DF_WORKDIR] = "WORKDIR",
};

sb_df_keyword df_keyword_find(sb_slice name)
{
    for (unsigned i = 0; i < SB_DF_UNKNOWN; i++) {
        if (sb_slice_eq_nocase(name, sb_slice_z(names[i])))
            return (sb_df_keyword)i;
    }
    return SB_DF_UNKNOWN;
}

const char *sb_df_keyword_name(sb_df_keyword keyword)
{
    return keyword < SB_DF_UNKNOWN ? names[keyword] : "an unknown instruction";
}
