// SPDX-License-Identifier: Apache-2.0
/* The first line is the name of a lock file, the rest its content: whatever it says, entries are whole. */
#include <lock/native.h>

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    SB_AUTO(sb_native) native = sb_native_new(NULL);
    sb_slice text = sb_slice_of((const char *)data, size), name = sb_slice_cut(&text, '\n');

    if (!text.ptr || !sb_native_read(native, name, text))
        return 0;
    sb_native_sort(native);
    for (size_t i = 0; i < native->count; i++) {
        const sb_native_entry *entry = &native->entries[i];
        sb_autofree char *shown = sb_native_hash_text(&entry->hash, false);

        if (!entry->name.len || !entry->version.len || !entry->text.len || !entry->file.len || !*shown)
            abort();
    }
    return 0;
}
