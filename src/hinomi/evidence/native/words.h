/* Whether data holds any of a few words, in one pass that skips most of it (Wu and Manber 1994, blocks of two bytes). */
#ifndef HINOMI_WORDS_H
#define HINOMI_WORDS_H

#include "hashes.h"

#define MOST_PIECES 32
#define BLOCKS 4096

struct pieces {
    struct piece all[MOST_PIECES];
    int number;
};

struct words {
    struct pieces pieces;
    size_t shortest;             /* at most 255 */
    uint8_t skip[BLOCKS];        /* how far the next place is where a word's beginning may end, after two bytes */
};

static inline unsigned block_of(const uint8_t *last)
{
    return (last[-1] << 4 ^ last[0]) & (BLOCKS - 1);
}

static void prepare_words(struct words *words)
{
    const struct pieces *pieces = &words->pieces;
    size_t shortest = pieces->number ? 255 : 0;
    for (int i = 0; i < pieces->number; i++)
        if (pieces->all[i].size < shortest)
            shortest = pieces->all[i].size;
    words->shortest = shortest;
    memset(words->skip, shortest > 1 ? (int)shortest - 1 : 0, BLOCKS);
    for (int i = 0; i < pieces->number; i++)
        for (size_t at = 1; at < shortest; at++) {
            uint8_t *skip = &words->skip[block_of(pieces->all[i].data + at)];
            size_t left = shortest - 1 - at;
            *skip = left < *skip ? (uint8_t)left : *skip;
        }
}

static int word_begins(const struct pieces *pieces, const uint8_t *at, size_t left)
{
    for (int i = 0; i < pieces->number; i++)
        if (pieces->all[i].size <= left && memcmp(at, pieces->all[i].data, pieces->all[i].size) == 0)
            return 1;
    return 0;
}

static int holds_a_word(const struct words *words, const uint8_t *data, size_t size)
{
    size_t shortest = words->shortest;
    if (shortest < 2)            /* too short for blocks */
        shortest = 1;
    for (size_t end = shortest - 1; end < size;) {
        size_t skip = shortest < 2 ? 0 : words->skip[block_of(data + end)];
        size_t begin = end + 1 - shortest;
        if (skip == 0 && word_begins(&words->pieces, data + begin, size - begin))
            return 1;
        end += skip ? skip : 1;
    }
    return 0;
}

#endif
