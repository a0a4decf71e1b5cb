// SPDX-License-Identifier: Apache-2.0
/*
 * How this user logs in at a host, as the value of an Authorization header: from Docker's and containers'
 * files and helpers, else from ~/.netrc ($NETRC).
 */
#include <sbuild/http.h>

#include <fetch/credentials.h>
#include <fetch/netrc.h>
#include <fetch/url.h>
#include <sbuild/fs.h>

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum { NETRC_MAX = 1 << 20 };

/* --- netrc --- */

/* The next word; words in double quotes may hold blanks, and a backslash takes the next character as it is.
 */
static sb_slice next_word(sb_arena *arena, sb_slice *rest)
{
    sb_slice text = *rest;
    bool quoted = false;
    char *word;
    size_t i = 0, len = 0;

    while (i < text.len && strchr(" \t\r\n", text.ptr[i]) && text.ptr[i])
        i++;
    if (i == text.len) {
        *rest = SB_NIL;
        return SB_NIL;
    }
    word = sb_arena_alloc(arena, text.len - i + 1);
    quoted = text.ptr[i] == '"';
    for (i += quoted; i < text.len; i++) {
        if (quoted ? text.ptr[i] == '"' : strchr(" \t\r\n", text.ptr[i]) && text.ptr[i])
            break;
        if (quoted && text.ptr[i] == '\\' && i + 1 < text.len)
            i++;
        word[len++] = text.ptr[i];
    }
    i += quoted && i < text.len;
    *rest = sb_slice_sub(text, i, text.len);
    return sb_slice_of(word, len);
}

/* A macro ends with an empty line. */
static void skip_macro(sb_slice *rest)
{
    ptrdiff_t end = sb_slice_find(*rest, SB_LIT("\n\n"));

    *rest = end < 0 ? SB_NIL : sb_slice_sub(*rest, (size_t)end + 2, rest->len);
}

bool sb_netrc_find(sb_arena *arena, sb_slice text, sb_slice host, sb_credentials *ret_credentials)
{
    sb_credentials found = {0};
    bool here = false;

    while (text.ptr) {
        sb_slice word = next_word(arena, &text);

        if (sb_slice_eqz(word, "machine") || sb_slice_eqz(word, "default")) {
            if (here)
                break;
            /* What is meant for every host is meant for none here: hosts are opted in one by one. */
            here = sb_slice_eqz(word, "machine") && sb_slice_eq_nocase(next_word(arena, &text), host);
        } else if (sb_slice_eqz(word, "macdef")) {
            skip_macro(&text);
        } else if (sb_slice_eqz(word, "login") || sb_slice_eqz(word, "password") ||
                   sb_slice_eqz(word, "account")) {
            sb_slice value = next_word(arena, &text);

            if (here && sb_slice_eqz(word, "login"))
                found.username = value;
            else if (here && sb_slice_eqz(word, "password"))
                found.password = value;
        }
    }
    if (!here || !found.password.ptr)
        return false;
    *ret_credentials = found;
    return true;
}

static int from_netrc(sb_arena *arena, sb_slice host, sb_credentials *ret_credentials, sb_error **err)
{
    const char *chosen = getenv("NETRC"), *home = getenv("HOME");
    sb_autofree char *path = chosen && *chosen ? sb_strdup(chosen)
                             : home && *home   ? sb_path_join(home, ".netrc")
                                               : NULL;
    sb_autofree char *data = NULL;
    bool missing = false, found;
    size_t len = 0;

    if (!path || access(path, R_OK) < 0)
        return 0;
    if (sb_read_file(AT_FDCWD, path, NETRC_MAX, &data, &len, &missing, err) < 0)
        return missing ? 0 : -1;
    found = sb_netrc_find(arena, sb_slice_of(data, len), sb_host_name(host), ret_credentials);
    explicit_bzero(data, len);
    return found;
}

int sb_http_login(sb_arena *arena, sb_slice host, sb_slice *ret_authorization, sb_error **err)
{
    sb_credentials credentials = {0};
    int found = sb_credentials_find(arena, host, SB_LIT(""), &credentials, err);

    if (found == 0 || (found > 0 && !credentials.username.len && !credentials.registry_token.len))
        found = from_netrc(arena, host, &credentials, err);
    if (found <= 0)
        return found;
    *ret_authorization = credentials.registry_token.len
                             ? sb_arena_printf(arena, "Bearer %" SB_FMT, SB_ARG(credentials.registry_token))
                             : sb_credentials_basic(arena, &credentials);
    return 1;
}
