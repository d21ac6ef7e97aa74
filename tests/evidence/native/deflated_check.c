/* Damages deflate data at random and compares what `deflated.h` makes of it with what zlib does: RUNS SEED. Ends with 1 where they
 * differ, and prints how many beginnings were compared. Meant to be built with sanitizers. */
#include "deflated.h"

#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>

#define MOST 20000

static uint64_t state;

static unsigned chance(unsigned below)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(state >> 33) % below;
}

static size_t some_text(uint8_t *text)
{
    size_t size = chance(4) ? chance(3000) : chance(MOST), alphabet = 1 + chance(256);
    for (size_t i = 0; i < size; i++)
        text[i] = i > 40 && !chance(6) ? text[i - 1 - chance(40)] : (uint8_t)chance((unsigned)alphabet);
    for (size_t times = chance(20), i = 0; size > 600 && i < times; i++)
        memmove(text + chance((unsigned)size - 300), text + chance((unsigned)size - 300), chance(300));
    return size;
}

static size_t pack(const uint8_t *text, size_t size, uint8_t *packed, size_t room)
{
    static const int STRATEGIES[] = {Z_DEFAULT_STRATEGY, Z_FIXED, Z_HUFFMAN_ONLY, Z_RLE, Z_FILTERED};
    z_stream stream = {0};
    deflateInit2(&stream, (int)chance(10), Z_DEFLATED, -15, 1 + (int)chance(9), STRATEGIES[chance(5)]);
    stream.next_out = packed;
    stream.avail_out = (uInt)room;
    for (size_t at = 0; at < size;) {
        size_t part = chance(3) ? size - at : 1 + chance((unsigned)(size - at));
        stream.next_in = (Bytef *)text + at;
        stream.avail_in = (uInt)part;
        deflate(&stream, chance(2) ? Z_FULL_FLUSH : Z_SYNC_FLUSH);
        at += part;
    }
    deflate(&stream, Z_FINISH);
    deflateEnd(&stream);
    return stream.total_out;
}

static size_t damage(uint8_t *packed, size_t size)
{
    for (unsigned times = chance(4); size && times; times--) {
        unsigned near = chance(2) || size < 80 ? (unsigned)size : 80; /* where the codes stand */
        if (chance(8) == 0)
            size = chance((unsigned)size + 1);
        else if (chance(2))
            packed[chance(near) % size] ^= (uint8_t)(1 << chance(8));
        else
            packed[chance(near) % size] = (uint8_t)chance(256);
    }
    return size;
}

static size_t by_zlib(const uint8_t *packed, size_t size, uint8_t *plain, size_t most)
{
    z_stream stream = {0};
    inflateInit2(&stream, -15);
    stream.next_in = (Bytef *)packed;
    stream.avail_in = (uInt)size;
    stream.next_out = plain;
    stream.avail_out = (uInt)most;
    inflate(&stream, Z_SYNC_FLUSH);
    inflateEnd(&stream);
    return stream.total_out;
}

/* Compare one beginning; -1 where they differ, 1 where there was one. */
static int compare(const uint8_t *packed, size_t size)
{
    static struct deflated z;
    static uint8_t plain[MOST + 300];
    size_t wanted = chance(MOST), step = 1 + chance(MOST / 4);
    uint8_t *made = malloc(wanted + DEFLATED_SLACK), *copy = malloc(size ? size : 1);
    memcpy(copy, packed, size); /* so that a sanitizer knows where both end */
    int fine = 1;
    deflated_begin(&z, copy, size, made);
    for (size_t next = step; fine && z.made < wanted && z.block != ENDED; next = z.made + step)
        fine = deflated_go_on(&z, next < wanted ? next : wanted);
    int same = z.made <= sizeof plain && by_zlib(copy, size, plain, z.made) == z.made && memcmp(plain, made, z.made) == 0;
    free(made);
    free(copy);
    return !fine ? 0 : same ? 1 : -1;
}

int main(int count, char **words)
{
    static uint8_t text[MOST], packed[4 * MOST + 1000];
    long runs = count > 1 ? atol(words[1]) : 1000, compared = 0;
    state = count > 2 ? (uint64_t)atol(words[2]) : 1;
    for (long run = 0; run < runs; run++) {
        size_t size = damage(packed, pack(text, some_text(text), packed, sizeof packed));
        int found = compare(packed, size);
        if (found < 0) {
            printf("differs in run %ld\n", run);
            return 1;
        }
        compared += found;
    }
    printf("%ld\n", compared);
    return 0;
}
