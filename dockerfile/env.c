// SPDX-License-Identifier: Apache-2.0
#include <dockerfile/env.h>

enum { SLOTS_MIN = 32 };

/* Mixed with the table's own address: nobody can prepare names that all meet in one slot. */
static uint64_t hash_of(const sb_df_env *env, sb_slice key)
{
    const uint64_t multiplier = 0x9e3779b97f4a7c15u;
    uint64_t hash = (uint64_t)(uintptr_t)env->slots ^ key.len;

    for (size_t i = 0; i < key.len; i += sizeof(uint64_t)) {
        size_t left = key.len - i;
        uint64_t part = 0;

        memcpy(&part, key.ptr + i, left < sizeof(part) ? left : sizeof(part));
        hash = (hash ^ part) * multiplier;
        hash ^= hash >> 29;
    }
    return hash;
}

/* The slot that holds the name, or the empty one where it belongs. */
static size_t slot_of(const sb_df_env *env, sb_slice key)
{
    size_t i = (size_t)hash_of(env, key) & (env->slot_count - 1);

    while (env->slots[i] && !sb_slice_eq(env->vars[env->slots[i] - 1].key, key))
        i = (i + 1) & (env->slot_count - 1);
    return i;
}

static void index_all(sb_arena *arena, sb_df_env *env)
{
    size_t count = SLOTS_MIN;

    while (count < env->count * 4)
        count *= 2;
    env->slots = sb_arena_array(arena, uint32_t, count);
    env->slot_count = count;
    for (size_t i = 0; i < env->count; i++)
        env->slots[slot_of(env, env->vars[i].key)] = (uint32_t)i + 1;
}

size_t df_env_find(const sb_df_env *env, sb_slice key)
{
    if (env->slots)
        return (size_t)env->slots[slot_of(env, key)] - 1;
    for (size_t i = env->count; i-- > 0;)
        if (sb_slice_eq(env->vars[i].key, key))
            return i;
    return DF_NO_VAR;
}

size_t df_env_put(sb_arena *arena, sb_df_env *env, sb_slice key, sb_slice value)
{
    size_t slot;

    if (!env->slots || env->count * 2 >= env->slot_count)
        index_all(arena, env);
    slot = slot_of(env, key);
    if (env->slots[slot]) {
        env->vars[env->slots[slot] - 1].value = value;
        return env->slots[slot] - 1;
    }
    if (env->count >= DF_ENV_MAX)
        return DF_NO_VAR;
    *SB_ARENA_PUSH(arena, env->vars, env->count, env->cap) = (sb_df_var){.key = key, .value = value};
    env->slots[slot] = (uint32_t)env->count;
    return env->count - 1;
}

sb_slice sb_df_env_get(const sb_df_env *env, sb_slice key)
{
    size_t i = df_env_find(env, key);

    return i == DF_NO_VAR ? SB_NIL : env->vars[i].value;
}

void sb_df_env_set(sb_arena *arena, sb_df_env *env, sb_slice key, sb_slice value)
{
    (void)df_env_put(arena, env, key, value);
}

bool sb_df_env_has(const sb_df_env *env, size_t count, sb_slice key)
{
    size_t i = df_env_find(env, key);

    return i != DF_NO_VAR && i < count;
}
