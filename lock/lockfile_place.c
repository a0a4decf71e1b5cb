// SPDX-License-Identifier: Apache-2.0
#include <lock/lockfile.h>

unsigned sb_lock_conflict_line(sb_slice text)
{
    sb_slice rest = text;

    for (unsigned line = 1; rest.ptr; line++) {
        sb_slice one = sb_slice_cut(&rest, '\n');

        if (sb_slice_starts(one, SB_LIT("<<<<<<< ")) || sb_slice_starts(one, SB_LIT(">>>>>>> ")) ||
            sb_slice_starts(one, SB_LIT("||||||| ")) || sb_slice_eqz(sb_slice_trim(one), "======="))
            return line;
    }
    return 0;
}

/* Index behind the string that begins with the quote at `at`. */
static size_t skip_string(sb_slice text, size_t at)
{
    for (at++; at < text.len && text.ptr[at] != '"'; at++)
        if (text.ptr[at] == '\\')
            at++;
    return at < text.len ? at + 1 : text.len;
}

unsigned sb_lock_entry_line(sb_slice text, const char *section, size_t index)
{
    sb_autofree char *quoted = sb_asprintf("\"%s\"", section);
    sb_slice key = sb_slice_z(quoted);
    bool inside = false, fresh = false;
    unsigned line = 1;
    size_t depth = 0, seen = 0, at = 0;

    while (at < text.len) {
        char c = text.ptr[at];

        if (c == '\n')
            line++;
        if (c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == ':') {
            at++;
            continue;
        }
        if (inside && depth == 2 && fresh && c != ']') {
            if (seen++ == index)
                return line;
            fresh = false;
        }
        if (c == '"') {
            size_t end = skip_string(text, at);

            if (depth == 1 && sb_slice_eq(sb_slice_sub(text, at, end), key))
                inside = fresh = true;
            at = end;
            continue;
        }
        if (c == '{' || c == '[')
            depth++;
        else if ((c == '}' || c == ']') && --depth <= 1 && inside)
            return 1;
        else if (c == ',' && depth == 2)
            fresh = true;
        at++;
    }
    return 1;
}
