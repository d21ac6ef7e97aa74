/* The integers of zip archives and class files, and the constant pool that a class file begins with (JVMS 4.4). */
#ifndef HINOMI_POOLS_H
#define HINOMI_POOLS_H

#include "core.h"

#define POOL_AT 10               /* after magic, version and the number of constants */
#define NAMES 6                  /* bytes after the pool: access flags, the class, its parent */

static unsigned two(const uint8_t *at)
{
    return at[0] | (unsigned)at[1] << 8;
}

static uint32_t four(const uint8_t *at)
{
    return two(at) | (uint32_t)two(at + 2) << 16;
}

static unsigned two_big(const uint8_t *at)
{
    return (unsigned)at[0] << 8 | at[1];
}

struct pool {
    size_t at;                   /* where the next constant begins */
    unsigned index, count;
};
enum { POOL_LOST = -2, POOL_BROKEN = -1, POOL_WHOLE = 0, POOL_MORE = 1 };

static unsigned constant_size(uint8_t tag)
{
    static const uint8_t SIZES[21] = {0, 0, 0, 4, 4, 8, 8, 2, 2, 4, 4, 4, 4, 0, 0, 3, 2, 4, 4, 2, 2};
    return tag < sizeof SIZES ? SIZES[tag] : 0;
}

/* Pass over constants as far as `size` bytes go. */
static int read_pool(struct pool *pool, const uint8_t *data, size_t size)
{
    if (size < POOL_AT)
        return POOL_MORE;
    if (pool->at == 0)
        *pool = (struct pool){POOL_AT, 1, two_big(data + 8)};
    while (pool->index < pool->count) {
        if (pool->at + 3 > size)
            return POOL_MORE;
        uint8_t tag = data[pool->at];
        unsigned length = tag == 1 ? 2 + two_big(data + pool->at + 1) : constant_size(tag);
        if (length == 0)
            return POOL_BROKEN;
        pool->at += 1 + length;
        pool->index += tag == 5 || tag == 6 ? 2 : 1;
    }
    return pool->at + NAMES > size ? POOL_MORE : POOL_WHOLE;
}

#endif
