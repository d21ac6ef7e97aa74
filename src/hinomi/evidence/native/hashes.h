/* Keyed hashes of content: of a class, and of a whole archive. */
#ifndef HINOMI_HASHES_H
#define HINOMI_HASHES_H

#include "core.h"

#define BLOCK_WORDS 128          /* of 8 bytes */
#define SECRET (16 + 8 * BLOCK_WORDS)

struct piece {
    const uint8_t *data;
    size_t size;
};

/* --- SipHash-1-3 (Aumasson, Bernstein): nobody outside can aim at a collision ---------------------------------- */

static inline uint64_t turned(uint64_t value, int bits)
{
    return value << bits | value >> (64 - bits);
}

static inline void sip_round(uint64_t *v)
{
    v[0] += v[1];
    v[2] += v[3];
    v[1] = turned(v[1], 13) ^ v[0];
    v[3] = turned(v[3], 16) ^ v[2];
    v[0] = turned(v[0], 32);
    v[2] += v[1];
    v[0] += v[3];
    v[1] = turned(v[1], 17) ^ v[2];
    v[3] = turned(v[3], 21) ^ v[0];
    v[2] = turned(v[2], 32);
}

static inline void sip_begin(uint64_t *v, const uint64_t *key)
{
    v[0] = key[0] ^ 0x736f6d6570736575u;
    v[1] = key[1] ^ 0x646f72616e646f6du;
    v[2] = key[0] ^ 0x6c7967656e657261u;
    v[3] = key[1] ^ 0x7465646279746573u;
}

static inline void sip_word(uint64_t *v, uint64_t word)
{
    v[3] ^= word;
    sip_round(v);
    v[0] ^= word;
}

static uint64_t sip_end(uint64_t *v)
{
    v[2] ^= 0xff;
    for (int times = 0; times < 3; times++)
        sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

/* --- fingerprints of classes and archives: NH of blocks (Black and others, UMAC), then SipHash of those --------- */

#ifdef __SIZEOF_INT128__
/* NH with a random key: two blocks have the same sum with a probability of 2^-64. */
static void add_block(uint64_t *v, const uint64_t *key, const uint8_t *block)
{
    unsigned __int128 sum = 0;
    for (size_t i = 0; i < BLOCK_WORDS; i += 2) {
        uint64_t left, right;
        memcpy(&left, block + 8 * i, 8);
        memcpy(&right, block + 8 * i + 8, 8);
        sum += (unsigned __int128)(left + key[i]) * (right + key[i + 1]);
    }
    sip_word(v, (uint64_t)sum);
    sip_word(v, (uint64_t)(sum >> 64));
}

static uint64_t fingerprint(const uint64_t *key, struct piece piece, unsigned salt)
{
    uint64_t v[4];
    uint8_t last[8 * BLOCK_WORDS] = {0};
    size_t at = 0;
    sip_begin(v, key);
    for (; at + sizeof last <= piece.size; at += sizeof last)
        add_block(v, key + 2, piece.data + at);
    if (at < piece.size)
        memcpy(last, piece.data + at, piece.size - at);
    add_block(v, key + 2, last);
    sip_word(v, piece.size ^ (uint64_t)salt << 56);
    return sip_end(v);
}
#else
static uint64_t fingerprint(const uint64_t *key, struct piece piece, unsigned salt)
{
    uint64_t v[4], word;
    sip_begin(v, key);
    size_t at = 0;
    for (; at + 8 <= piece.size; at += 8) {
        memcpy(&word, piece.data + at, 8);
        sip_word(v, word);
    }
    word = (uint64_t)salt << 56;
    for (int shift = 0; at < piece.size; at++, shift += 8)
        word |= (uint64_t)piece.data[at] << shift;
    sip_word(v, word);
    sip_word(v, piece.size);
    return sip_end(v);
}
#endif

#endif
