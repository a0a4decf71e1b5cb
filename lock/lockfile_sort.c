// SPDX-License-Identifier: Apache-2.0
#include <lock/lockfile.h>

#include <stdlib.h>

static int by_key(const void *a, const void *b)
{
    const sb_df_var *one = a, *other = b;
    int order = sb_slice_cmp(one->key, other->key);

    return order ? order : sb_slice_cmp(one->value, other->value);
}

static int by_text(const void *a, const void *b)
{
    return sb_slice_cmp(*(const sb_slice *)a, *(const sb_slice *)b);
}

static int by_platform(const void *a, const void *b)
{
    return sb_slice_cmp(((const sb_lock_platform *)a)->platform, ((const sb_lock_platform *)b)->platform);
}

int sb_lock_profile_cmp(const sb_lock_profile *a, const sb_lock_profile *b)
{
    int order = sb_slice_cmp(a->target, b->target);

    for (size_t i = 0; !order && i < a->arg_count && i < b->arg_count; i++)
        order = by_key(&a->args[i], &b->args[i]);
    if (!order)
        order = (a->arg_count > b->arg_count) - (a->arg_count < b->arg_count);
    for (size_t i = 0; !order && i < a->platform_count && i < b->platform_count; i++)
        order = sb_slice_cmp(a->platforms[i], b->platforms[i]);
    return order ? order : (a->platform_count > b->platform_count) - (a->platform_count < b->platform_count);
}

int sb_lock_image_cmp(const sb_lock_image *a, const sb_lock_image *b)
{
    int order = sb_slice_cmp(a->ref, b->ref);

    return order ? order : sb_slice_cmp(a->name, b->name);
}

int sb_lock_file_cmp(const sb_lock_file *a, const sb_lock_file *b)
{
    int order = sb_slice_cmp(a->url, b->url);

    return order ? order : sb_slice_cmp(a->expanded, b->expanded);
}

int sb_lock_git_cmp(const sb_lock_git *a, const sb_lock_git *b)
{
    int order = sb_slice_cmp(a->url, b->url);

    return order ? order : sb_slice_cmp(a->expanded, b->expanded);
}

int sb_lock_step_cmp(const sb_lock_step *a, const sb_lock_step *b)
{
    int order = sb_slice_cmp(a->stage, b->stage);

    if (!order)
        order = sb_digest_cmp(&a->text, &b->text);
    if (!order)
        order = (a->nth > b->nth) - (a->nth < b->nth);
    return order ? order : sb_slice_cmp(a->platform, b->platform);
}

int sb_lock_package_cmp(const sb_lock_package *a, const sb_lock_package *b)
{
    int order = sb_slice_cmp(a->purl, b->purl);

    return order ? order : sb_digest_cmp(&a->digest, &b->digest);
}

static int by_profile(const void *a, const void *b)
{
    return sb_lock_profile_cmp(a, b);
}

static int by_image(const void *a, const void *b)
{
    return sb_lock_image_cmp(a, b);
}

static int by_file(const void *a, const void *b)
{
    return sb_lock_file_cmp(a, b);
}

static int by_git(const void *a, const void *b)
{
    return sb_lock_git_cmp(a, b);
}

static int by_step(const void *a, const void *b)
{
    return sb_lock_step_cmp(a, b);
}

static int by_package(const void *a, const void *b)
{
    return sb_lock_package_cmp(a, b);
}

#define SORT(items, count, order)                                                                            \
    do {                                                                                                     \
        if ((count) > 1)                                                                                     \
            qsort((items), (count), sizeof(*(items)), (order));                                              \
    } while (0)

void sb_lock_sort(sb_lock *lock)
{
    for (size_t i = 0; i < lock->profile_count; i++) {
        SORT(lock->profiles[i].args, lock->profiles[i].arg_count, by_key);
        SORT(lock->profiles[i].platforms, lock->profiles[i].platform_count, by_text);
    }
    for (size_t i = 0; i < lock->image_count; i++) {
        sb_lock_image *image = &lock->images[i];

        SORT(image->where, image->where_count, by_text);
        SORT(image->aliases, image->alias_count, by_text);
        SORT(image->platforms, image->platform_count, by_platform);
    }
    for (size_t i = 0; i < lock->package_count; i++)
        SORT(lock->packages[i].steps, lock->packages[i].step_count, by_text);
    SORT(lock->profiles, lock->profile_count, by_profile);
    SORT(lock->images, lock->image_count, by_image);
    SORT(lock->files, lock->file_count, by_file);
    SORT(lock->git, lock->git_count, by_git);
    SORT(lock->packages, lock->package_count, by_package);
    SORT(lock->steps, lock->step_count, by_step);
}
