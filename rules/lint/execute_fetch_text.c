// SPDX-License-Identifier: Apache-2.0
/* Programs in other languages that download: python -c, php -r …; they are not parsed. */
#include <rules/lint/execute.h>

static bool has_any(sb_slice text, const char *const *words_z)
{
    for (; *words_z; words_z++)
        if (sb_slice_find(text, sb_slice_z(*words_z)) >= 0)
            return true;
    return false;
}

/* The quoted literal that begins behind `from`; *from is moved behind it. */
static sb_slice literal(sb_slice text, size_t *from)
{
    for (size_t i = *from; i < text.len; i++) {
        ptrdiff_t end;
        sb_slice rest;

        if (text.ptr[i] != '\'' && text.ptr[i] != '"')
            continue;
        rest = sb_slice_sub(text, i + 1, text.len);
        end = sb_slice_chr(rest, text.ptr[i]);
        if (end < 0)
            break;
        *from = i + 2 + (size_t)end;
        return sb_slice_sub(rest, 0, (size_t)end);
    }
    *from = text.len;
    return SB_NIL;
}

void sb_fetch_read_text(const sb_sh_command *cmd, sb_arena *arena, sb_fetch *ret_fetch)
{
    static const char *const fetchers[] = {
        "urlopen",     "urlretrieve", "requests.get", "httpx.get", "copy(", "readfile(", "file_get_contents(",
        "LWP::Simple", "open-uri",    "HTTP::Tiny",   "fetch(",    NULL};
    static const char *const to_file[] = {"urlretrieve",        "copy(", "getstore", "mirror",
                                          "file_put_contents(", NULL};
    static const char *const executes[] = {"exec(", "eval(", "eval ", NULL};

    (void)arena;
    for (size_t i = 1; i < cmd->count; i++) {
        sb_slice text = cmd->args[i].text, word;
        size_t at = 0;

        if (sb_slice_find(text, SB_LIT("://")) < 0 || !has_any(text, fetchers))
            continue;
        while ((word = literal(text, &at)).ptr && sb_slice_find(word, SB_LIT("://")) < 0)
            ;
        if (!word.ptr)
            continue;
        sb_fetch_add_url(ret_fetch, word);
        ret_fetch->runs = has_any(text, executes);
        if (has_any(text, to_file))
            sb_fetch_add_file(ret_fetch, literal(text, &at));
        else
            ret_fetch->to_output = true;
        return;
    }
}

/* --- PowerShell --- */

static bool has_word(sb_slice text, const char *const *words_z)
{
    for (; *words_z; words_z++) {
        size_t len = strlen(*words_z);

        for (size_t i = 0; i + len <= text.len; i++) {
            sb_slice here = sb_slice_sub(text, i, i + len);
            char before = i ? sb_ascii_lower(text.ptr[i - 1]) : ' ';
            char after = i + len < text.len ? sb_ascii_lower(text.ptr[i + len]) : ' ';

            if (sb_slice_eq_nocase(here, sb_slice_z(*words_z)) && !(before >= 'a' && before <= 'z') &&
                !(after >= 'a' && after <= 'z'))
                return true;
        }
    }
    return false;
}

bool sb_fetch_powershell_runs(sb_slice text)
{
    static const char *const runs[] = {"iex", "Invoke-Expression", "[scriptblock]::Create", NULL};
    static const char *const fetches[] = {"DownloadString",    "iwr",  "irm",  "Invoke-WebRequest",
                                          "Invoke-RestMethod", "curl", "wget", NULL};

    return has_word(text, runs) && has_word(text, fetches);
}
