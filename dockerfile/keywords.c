// SPDX-License-Identifier: Apache-2.0
#include <dockerfile/keywords.h>

static const sb_slice names[SB_DF_UNKNOWN] = {
    [SB_DF_ADD] = {"ADD", 3},
    [SB_DF_ARG] = {"ARG", 3},
    [SB_DF_CMD] = {"CMD", 3},
    [SB_DF_COPY] = {"COPY", 4},
    [SB_DF_ENTRYPOINT] = {"ENTRYPOINT", 10},
    [SB_DF_ENV] = {"ENV", 3},
    [SB_DF_EXPOSE] = {"EXPOSE", 6},
    [SB_DF_FROM] = {"FROM", 4},
    [SB_DF_HEALTHCHECK] = {"HEALTHCHECK", 11},
    [SB_DF_LABEL] = {"LABEL", 5},
    [SB_DF_MAINTAINER] = {"MAINTAINER", 10},
    [SB_DF_ONBUILD] = {"ONBUILD", 7},
    [SB_DF_RUN] = {"RUN", 3},
    [SB_DF_SHELL] = {"SHELL", 5},
    [SB_DF_STOPSIGNAL] = {"STOPSIGNAL", 10},
    [SB_DF_USER] = {"USER", 4},
    [SB_DF_VOLUME] = {"VOLUME", 6},
    [SB_DF_WORKDIR] = {"WORKDIR", 7},
};

sb_df_keyword df_keyword_find(sb_slice name)
{
    for (unsigned i = 0; i < SB_DF_UNKNOWN; i++) {
        if (name.len == names[i].len && sb_slice_eq_nocase(name, names[i]))
            return (sb_df_keyword)i;
    }
    return SB_DF_UNKNOWN;
}

const char *sb_df_keyword_name(sb_df_keyword keyword)
{
    return keyword < SB_DF_UNKNOWN ? names[keyword].ptr : "an unknown instruction";
}
