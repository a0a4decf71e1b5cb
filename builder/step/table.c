// SPDX-License-Identifier: Apache-2.0
/* What was asked so far, by question. */
#include <builder/step/server.h>

enum { SLOTS_FIRST = 256 };

static void add(sb_hasher *hasher, sb_slice text)
{
    uint64_t len = text.len;

    sb_hasher_add(hasher, &len, sizeof(len));
    sb_hasher_add(hasher, text.ptr, text.len);
}

static sb_digest key_of(const sb_step_request *question)
{
    SB_AUTO(sb_hasher) hasher = sb_hasher_new(SB_HASH_SHA256);
    sb_digest key;

    add(hasher, question->method);
    add(hasher, question->url);
    if (question->has_body)
        sb_hasher_add(hasher, question->body.bytes, sb_hash_size(SB_HASH_SHA256));
    for (size_t i = 0; i < question->wanted_count; i++) {
        add(hasher, question->wanted[i].name);
        add(hasher, question->wanted[i].value);
    }
    sb_hasher_finish(hasher, &key);
    return key;
}

static step_asked **slot_of(const step_table *table, const sb_digest *key)
{
    size_t hash;

    memcpy(&hash, key->bytes, sizeof(hash));
    return &table->slots[hash & (table->slot_count - 1)];
}

static void grow(step_table *table)
{
    step_table larger = {.slot_count = table->slot_count ? table->slot_count * 2 : SLOTS_FIRST};

    larger.slots = sb_new_array(step_asked *, larger.slot_count);
    for (size_t i = 0; i < table->slot_count; i++) {
        for (step_asked *asked = table->slots[i], *next; asked; asked = next) {
            step_asked **slot = slot_of(&larger, &asked->key);

            next = asked->next;
            asked->next = *slot;
            *slot = asked;
        }
    }
    free(table->slots);
    table->slots = larger.slots;
    table->slot_count = larger.slot_count;
}

step_asked *step_table_get(step_table *table, const sb_step_request *question)
{
    sb_digest key = key_of(question);
    step_asked **slot, *asked;

    if (table->count >= table->slot_count)
        grow(table);
    slot = slot_of(table, &key);
    for (asked = *slot; asked; asked = asked->next)
        if (sb_digest_eq(&asked->key, &key))
            return asked;
    if (table->count >= SB_STEP_REQUESTS_MAX)
        return NULL;
    asked = sb_new(step_asked);
    asked->key = key;
    asked->next = *slot;
    *slot = asked;
    table->count++;
    return asked;
}

void step_table_clear(step_table *table)
{
    for (size_t i = 0; i < table->slot_count; i++) {
        for (step_asked *asked = table->slots[i], *next; asked; asked = next) {
            next = asked->next;
            free(asked->answers);
            free(asked);
        }
    }
    free(table->slots);
    *table = (step_table){0};
}
