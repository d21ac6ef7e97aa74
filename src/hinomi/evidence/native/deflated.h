/* The beginning of deflate data (RFC 1951), for the many small members of which only the first kilobyte is wanted.
 *
 * zlib spends more on getting ready for such data than on unpacking it. Here data is unpacked until there is enough, and whatever is
 * not entirely as it should be is left to zlib: what is given is what zlib gives, or nothing.
 */
#ifndef HINOMI_DEFLATED_H
#define HINOMI_DEFLATED_H

#include "core.h"

#define DEFLATED_SLACK 512       /* bytes that may be made beyond what was asked for */
#define LITERALS 288
#define DISTANCES 32
#define LONGEST 15               /* bits of a code */
#define QUICK 10                 /* bits of a code that is found at once */
#define END_OF_BLOCK 256

/* A code: what each of its shorter words stands for (value << 4 | bits; 0: a longer word, or none), and its canonical form. */
struct code {
    uint16_t quick[1 << QUICK];
    uint16_t count[LONGEST + 1];
    uint16_t values[LITERALS];
};

enum block { HEADER, STORED, CODED, ENDED };

struct input {
    const uint8_t *in, *end;
    uint64_t bits;
    unsigned held;               /* valid bits; those above them are bits of `*in` already */
};

struct deflated {
    struct input input;
    uint8_t *out;
    size_t made;
    enum block block;
    int is_last;
    size_t stored;               /* bytes left of a stored block */
    struct code literals, distances;
};

static void deflated_begin(struct deflated *z, const uint8_t *data, size_t size, uint8_t *out)
{
    z->input = (struct input){data, data + size, 0, 0};
    z->out = out;
    z->made = 0;
    z->block = HEADER;
    z->is_last = 0;
}

/* --- bits ----------------------------------------------------------------------------------------------------- */

/* Hold at least 56 bits, or all that are left. */
static inline void fill(struct input *i)
{
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    if (i->end - i->in >= 8) {
        uint64_t word;
        memcpy(&word, i->in, 8);
        i->bits |= word << i->held;
        i->in += (63 - i->held) >> 3;
        i->held |= 56;
        return;
    }
#endif
    for (; i->held < 56 && i->in < i->end; i->held += 8)
        i->bits |= (uint64_t)*i->in++ << i->held;
}

/* Drop bits; 0 where there are not so many: the data ends early. */
static inline int drop(struct input *i, unsigned number)
{
    if (number > i->held)
        return 0;
    i->bits >>= number;
    i->held -= number;
    return 1;
}

/* Take up to 16 bits of those held; -1 where there are not so many. */
static inline int take(struct input *i, unsigned number)
{
    unsigned value = (unsigned)(i->bits & ((1u << number) - 1));
    return drop(i, number) ? (int)value : -1;
}

/* --- codes ---------------------------------------------------------------------------------------------------- */

enum completeness { COMPLETE, OR_SINGLE }; /* zlib takes a code of one word, or of none, for lengths and distances alone */

/* Count the words of each length and sort the values; 0 for a code that is not complete. */
static int sort_code(struct code *code, const uint8_t *lengths, unsigned number, enum completeness needed)
{
    uint16_t next[LONGEST + 2] = {0};
    int left = 1;
    memset(code->count, 0, sizeof code->count);
    for (unsigned i = 0; i < number; i++)
        code->count[lengths[i]]++;
    unsigned words = number - code->count[0];
    code->count[0] = 0;
    for (unsigned length = 1; length <= LONGEST; length++) {
        left = 2 * left - code->count[length];
        if (left < 0)
            return 0;
        next[length + 1] = (uint16_t)(next[length] + code->count[length]);
    }
    for (unsigned i = 0; i < number; i++)
        if (lengths[i])
            code->values[next[lengths[i]]++] = (uint16_t)i;
    return left == 0 || (needed == OR_SINGLE && (words == 0 || (words == 1 && code->count[1] == 1)));
}

/* Make a code of the lengths of its words. The table of words of up to n bits is twice the one of n-1, and the words of n. */
static int make_code(struct code *code, const uint8_t *lengths, unsigned number, enum completeness needed)
{
    if (!sort_code(code, lengths, number, needed))
        return 0;
    const uint16_t *value = code->values;
    unsigned word = 0;           /* its bits in the order they come in */
    code->quick[0] = 0;
    for (unsigned length = 1; length <= QUICK; length++) {
        size_t half = (size_t)1 << (length - 1);
        memcpy(code->quick + half, code->quick, half * sizeof *code->quick);
        for (unsigned left = code->count[length]; left; left--) {
            unsigned bit = 1u << (length - 1);
            code->quick[word] = (uint16_t)(*value++ << 4 | length);
            while (word & bit)
                bit >>= 1;
            word = bit ? (word & (bit - 1)) | bit : 0;
        }
    }
    return 1;
}

/* Find the word that `bits` begin with, bit by bit: as in the table; 0 for none. */
static unsigned find_long(const struct code *code, uint64_t bits)
{
    int word = 0, first = 0, index = 0;
    for (unsigned length = 1; length <= LONGEST; length++, bits >>= 1) {
        word = word << 1 | (int)(bits & 1);
        int count = code->count[length];
        first <<= 1;
        if (word - first < count)
            return (unsigned)code->values[index + word - first] << 4 | length;
        index += count;
        first += count;
    }
    return 0;
}

static inline int take_value(struct input *i, const struct code *code)
{
    unsigned found = code->quick[i->bits & ((1u << QUICK) - 1)];
    if (found == 0 && (found = find_long(code, i->bits)) == 0)
        return -1;
    return drop(i, found & 15) ? (int)(found >> 4) : -1;
}

/* --- the beginning of a block --------------------------------------------------------------------------------- */

static int begin_stored(struct deflated *z)
{
    struct input *i = &z->input;
    drop(i, i->held & 7);
    int size = take(i, 16), check = take(i, 16);
    if (size < 0 || check < 0 || (size ^ check) != 0xFFFF)
        return 0;
    i->in -= i->held >> 3;
    i->bits = 0;
    i->held = 0;
    z->stored = (size_t)size;
    z->block = STORED;
    return z->stored <= (size_t)(i->end - i->in);
}

static int begin_fixed(struct deflated *z)
{
    uint8_t lengths[LITERALS];
    for (unsigned i = 0; i < LITERALS; i++)
        lengths[i] = i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8;
    if (!make_code(&z->literals, lengths, LITERALS, COMPLETE))
        return 0;
    memset(lengths, 5, DISTANCES);
    z->block = CODED;
    return make_code(&z->distances, lengths, DISTANCES, COMPLETE);
}

/* Read the lengths of the words of both codes, which are one list; 0 where that makes no sense. */
static int read_lengths(struct input *i, const struct code *code, uint8_t *lengths, unsigned number)
{
    for (unsigned at = 0; at < number;) {
        fill(i);
        int value = take_value(i, code);
        if (value < 0 || (value == 16 && at == 0))
            return 0;
        if (value < 16) {
            lengths[at++] = (uint8_t)value;
            continue;
        }
        int more = take(i, value == 16 ? 2 : value == 17 ? 3 : 7);
        unsigned times = (unsigned)more + (value == 18 ? 11 : 3);
        if (more < 0 || times > number - at)
            return 0;
        memset(lengths + at, value == 16 ? lengths[at - 1] : 0, times);
        at += times;
    }
    return 1;
}

static int begin_dynamic(struct deflated *z)
{
    static const uint8_t ORDER[19] = {16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15};
    uint8_t lengths[LITERALS + DISTANCES] = {0};
    struct input *i = &z->input;
    int literals = take(i, 5), distances = take(i, 5), number = take(i, 4);
    if (literals < 0 || distances < 0 || number < 0 || literals > 29 || distances > 29)
        return 0;
    for (int at = 0; at < number + 4; at++) {
        fill(i);
        int length = take(i, 3);
        if (length < 0)
            return 0;
        lengths[ORDER[at]] = (uint8_t)length;
    }
    literals += 257;
    distances += 1;
    if (!make_code(&z->distances, lengths, 19, COMPLETE) ||
        !read_lengths(i, &z->distances, lengths, (unsigned)(literals + distances)))
        return 0;
    z->block = CODED;
    return lengths[END_OF_BLOCK] && make_code(&z->literals, lengths, (unsigned)literals, OR_SINGLE) &&
           make_code(&z->distances, lengths + literals, (unsigned)distances, OR_SINGLE);
}

static int begin_block(struct deflated *z)
{
    fill(&z->input);
    int head = take(&z->input, 3);
    if (head < 0)
        return 0;
    z->is_last = head & 1;
    switch (head >> 1) {
    case 0:
        return begin_stored(z);
    case 1:
        return begin_fixed(z);
    case 2:
        return begin_dynamic(z);
    default:
        return 0;
    }
}

/* --- what is in it -------------------------------------------------------------------------------------------- */

static void end_block(struct deflated *z)
{
    z->block = z->is_last ? ENDED : HEADER;
}

static void copy_stored(struct deflated *z, size_t wanted)
{
    size_t size = z->stored < wanted - z->made ? z->stored : wanted - z->made;
    memcpy(z->out + z->made, z->input.in, size);
    z->input.in += size;
    z->made += size;
    z->stored -= size;
    if (z->stored == 0)
        end_block(z);
}

/* Take what follows a length's value, 38 bits at most, and copy what it points at; return its length, 0 for nonsense. */
static inline size_t copy_match(struct input *i, const struct code *distances, int value, uint8_t *out, size_t made)
{
    static const uint16_t LENGTH[29] = {3,  4,  5,  6,  7,  8,  9,  10, 11,  13,  15,  17,  19,  23, 27,
                                        31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258};
    static const uint8_t MORE[29] = {0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0};
    static const uint16_t DISTANCE[30] = {1,   2,   3,   4,   5,   7,    9,    13,   17,   25,   33,   49,   65,    97,    129,
                                          193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577};
    if (value > 28)
        return 0;
    int more = take(i, MORE[value]), far = take_value(i, distances);
    if (more < 0 || far < 0 || far > 29)
        return 0;
    int further = take(i, far < 4 ? 0 : (unsigned)far / 2 - 1);
    size_t length = LENGTH[value] + (size_t)more, distance = DISTANCE[far] + (size_t)further;
    if (further < 0 || distance > made)
        return 0;
    uint8_t *to = out + made;
    const uint8_t *from = to - distance;
    if (distance >= 8)
        for (size_t at = 0; at < length; at += 8) /* beyond the end there is slack */
            memcpy(to + at, from + at, 8);
    else
        for (size_t at = 0; at < length; at++)
            to[at] = from[at];
    return length;
}

/* Unpack a block as far as is wanted. What changes all the time is held apart from what bytes are written to. */
static int decode(struct deflated *z, size_t wanted)
{
    struct input input = z->input;
    uint8_t *const out = z->out;
    size_t made = z->made;
    int value = 0;
    while (made < wanted && value != END_OF_BLOCK) {
        fill(&input);
        value = take_value(&input, &z->literals);
        for (int times = 0; times < 2 && (unsigned)value < END_OF_BLOCK; times++) { /* 45 bits */
            out[made++] = (uint8_t)value;
            value = take_value(&input, &z->literals);
        }
        if ((unsigned)value < END_OF_BLOCK) {
            out[made++] = (uint8_t)value;
        } else if (value != END_OF_BLOCK) {
            fill(&input);
            size_t length = value < 0 ? 0 : copy_match(&input, &z->distances, value - END_OF_BLOCK - 1, out, made);
            if (length == 0)
                return 0;
            made += length;
        }
    }
    z->input = input;
    z->made = made;
    if (value == END_OF_BLOCK)
        end_block(z);
    return 1;
}

/* Unpack until at least `wanted` bytes are made or all is; `out` has room for DEFLATED_SLACK more. 0 for what zlib must look at. */
static int deflated_go_on(struct deflated *z, size_t wanted)
{
    while (z->made < wanted && z->block != ENDED) {
        int fine = 1;
        if (z->block == HEADER)
            fine = begin_block(z);
        else if (z->block == STORED)
            copy_stored(z, wanted);
        else
            fine = decode(z, wanted);
        if (!fine)
            return 0;
    }
    return 1;
}

#endif
