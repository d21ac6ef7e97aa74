/* Deflate (RFC 1951) out of one piece of memory into another, only as far as somebody needs.
 *
 * zlib would do, but most of its cost for a class of 2 KB is its set-up. Every read and write is checked: damage, data
 * that ends early and data that is larger than the room are results, never accidents.
 */
#ifndef HINOMI_INFLATE_H
#define HINOMI_INFLATE_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define LENGTH_ROOT 10           /* bits looked up at once */
#define DISTANCE_ROOT 8
#define PLAIN_ROOT 7             /* ... of the code that the other two are told in */
#define TABLE_ROOM 2048          /* entries; no complete code of 288 symbols needs more than 1,334 */
#define AT_ONCE 4                /* literals from one look at the input: 4 * LENGTH_ROOT bits of 56 */
#define MOST_BITS 15
#define LONGEST_MATCH 258

enum { INFLATE_DAMAGED = -1, INFLATE_ENDED = 0, INFLATE_MORE = 1 };
enum { BETWEEN, STORED, CODED, ENDED };

/* One place of a decoding table: how many bits the code takes, what follows, and a value. */
struct code {
    uint8_t bits;
    uint8_t kind;                /* extra bits of a length or distance, or one of the below */
    uint16_t value;
};
enum { LITERAL = 0x80, BLOCK_END = 0x81, NO_CODE = 0x82, SUBTABLE = 0x40 /* + its bits */ };

struct bits {
    const uint8_t *next, *end;
    uint64_t hold;
    unsigned count;
};

struct inflater {
    struct bits in;
    uint8_t *out;
    size_t used, room;           /* of `out`; LONGEST_MATCH bytes of it are kept for the last match */
    int state, last;
    uint32_t stored;             /* bytes of a stored block still to come */
    const struct code *lengths, *distances;
    struct code own_lengths[TABLE_ROOM], own_distances[TABLE_ROOM];
};

static const uint16_t LENGTH_BASE[29] = {3,  4,  5,  6,  7,  8,  9,  10, 11,  13,  15,  17,  19,  23, 27,
                                         31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258};
static const uint8_t LENGTH_EXTRA[29] = {0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2,
                                         2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0};
static const uint16_t DISTANCE_BASE[30] = {1,   2,   3,   4,   5,   7,    9,    13,   17,   25,   33,   49,   65,    97,    129,
                                           193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577};
static const uint8_t DISTANCE_EXTRA[30] = {0, 0, 0, 0, 1, 1, 2, 2,  3,  3,  4,  4,  5,  5,  6,
                                           6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13};
static struct code FIXED_LENGTHS[TABLE_ROOM], FIXED_DISTANCES[TABLE_ROOM];

/* --- decoding tables ------------------------------------------------------------------------------------------ */

static struct code length_code(unsigned symbol, unsigned bits)
{
    if (symbol < 256)
        return (struct code){(uint8_t)bits, LITERAL, (uint16_t)symbol};
    if (symbol == 256)
        return (struct code){(uint8_t)bits, BLOCK_END, 0};
    if (symbol - 257 >= 29)
        return (struct code){(uint8_t)bits, NO_CODE, 0};
    return (struct code){(uint8_t)bits, LENGTH_EXTRA[symbol - 257], LENGTH_BASE[symbol - 257]};
}

static struct code distance_code(unsigned symbol, unsigned bits)
{
    if (symbol >= 30)
        return (struct code){(uint8_t)bits, NO_CODE, 0};
    return (struct code){(uint8_t)bits, DISTANCE_EXTRA[symbol], DISTANCE_BASE[symbol]};
}

static struct code plain_code(unsigned symbol, unsigned bits)
{
    return (struct code){(uint8_t)bits, LITERAL, (uint16_t)symbol};
}

typedef struct code (*meaning)(unsigned symbol, unsigned bits);

static unsigned reversed(unsigned code, unsigned bits)
{
    unsigned result = 0;
    while (bits--) {
        result = result << 1 | (code & 1);
        code >>= 1;
    }
    return result;
}

/* Whether these numbers of codes by length make a code, as zlib sees it: complete, or one code of one bit, or none. */
static int is_code(const uint16_t *number, int may_be_single)
{
    int left = 1;
    unsigned longest = 0;
    for (unsigned bits = 1; bits <= MOST_BITS; bits++) {
        left = left * 2 - number[bits];
        if (left < 0)
            return 0;
        if (number[bits])
            longest = bits;
    }
    return left == 0 || (may_be_single && longest <= 1);
}

/* How many bits index the table behind the root for codes of `bits` bits and longer. */
static unsigned subtable_bits(const uint16_t *number, unsigned bits, unsigned root)
{
    unsigned width = bits - root;
    int left = 1 << width;
    while (width + root < MOST_BITS) {
        left -= number[width + root];
        if (left <= 0)
            break;
        width++;
        left <<= 1;
    }
    return width;
}

static void fill(struct code *table, size_t size, unsigned first, unsigned bits, struct code code)
{
    for (size_t at = first; at < size; at += (size_t)1 << bits)
        table[at] = code;
}

struct building {
    struct code *table;
    uint16_t *number;            /* of codes by length, still to be entered */
    unsigned root;               /* bits */
    size_t used;                 /* places of the table */
    unsigned prefix, width;      /* of the table behind the root being filled */
};

/* Enter one code that is longer than the root; 0 where the table has no room. */
static int enter_long(struct building *b, unsigned mirrored, struct code code)
{
    unsigned prefix = mirrored & ((1u << b->root) - 1);
    if (b->width == 0 || prefix != b->prefix) {
        b->used += b->width ? (size_t)1 << b->width : 0;
        b->width = subtable_bits(b->number, code.bits, b->root);
        b->prefix = prefix;
        if (b->used + ((size_t)1 << b->width) > TABLE_ROOM)
            return 0;
        b->table[prefix] = (struct code){(uint8_t)b->root, (uint8_t)(SUBTABLE + b->width), (uint16_t)b->used};
        fill(b->table + b->used, (size_t)1 << b->width, 0, 0, (struct code){0, NO_CODE, 0});
    }
    unsigned rest = code.bits - b->root;
    if (rest > b->width)
        return 0;
    fill(b->table + b->used, (size_t)1 << b->width, mirrored >> b->root, rest, code);
    return 1;
}

/* Make the table of a canonical code given by its lengths; 0 where they are none. */
static int make_table(struct code *table, unsigned root, const uint8_t *lengths, unsigned symbols, meaning means,
                      int may_be_single)
{
    uint16_t number[MOST_BITS + 1] = {0}, place[MOST_BITS + 2] = {0}, sorted[288];
    for (unsigned symbol = 0; symbol < symbols; symbol++)
        number[lengths[symbol]]++;
    number[0] = 0;
    if (!is_code(number, may_be_single))
        return 0;
    for (unsigned bits = 1; bits <= MOST_BITS; bits++)
        place[bits + 1] = (uint16_t)(place[bits] + number[bits]);
    unsigned total = place[MOST_BITS + 1];
    for (unsigned symbol = 0; symbol < symbols; symbol++)
        if (lengths[symbol])
            sorted[place[lengths[symbol]]++] = (uint16_t)symbol;
    struct building building = {table, number, root, (size_t)1 << root, 0, 0};
    if (total <= 1)              /* only an incomplete code leaves places unfilled */
        fill(table, (size_t)1 << root, 0, 0, (struct code){0, NO_CODE, 0});
    unsigned code = 0, bits = total ? lengths[sorted[0]] : 0;
    for (unsigned index = 0; index < total; index++, code++) {
        unsigned wanted = lengths[sorted[index]];
        code <<= wanted - bits;
        bits = wanted;
        unsigned mirrored = reversed(code, bits);
        if (bits <= root)
            fill(table, (size_t)1 << root, mirrored, bits, means(sorted[index], bits));
        else if (!enter_long(&building, mirrored, means(sorted[index], bits)))
            return 0;
        number[bits]--;
    }
    return 1;
}

static void make_fixed_tables(void)
{
    uint8_t lengths[288];
    for (unsigned symbol = 0; symbol < 288; symbol++)
        lengths[symbol] = symbol < 144 ? 8 : symbol < 256 ? 9 : symbol < 280 ? 7 : 8;
    make_table(FIXED_LENGTHS, LENGTH_ROOT, lengths, 288, length_code, 0);
    memset(lengths, 5, 32);
    make_table(FIXED_DISTANCES, DISTANCE_ROOT, lengths, 32, distance_code, 0);
}

/* --- bits ----------------------------------------------------------------------------------------------------- */

/* Hold at least 56 bits, or all that are left. */
static inline void refill(struct bits *in)
{
    if (in->end - in->next >= 8) {
        uint64_t word;
        memcpy(&word, in->next, 8);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
        word = __builtin_bswap64(word);
#endif
        in->hold |= word << in->count;
        in->next += (63 - in->count) >> 3;
        in->count |= 56;
        return;
    }
    while (in->count <= 56 && in->next < in->end) {
        in->hold |= (uint64_t)*in->next++ << in->count;
        in->count += 8;
    }
}

static inline int drop(struct bits *in, unsigned number)
{
    if (number > in->count)
        return 0;
    in->hold >>= number;
    in->count -= number;
    return 1;
}

/* Take up to 16 bits; -1 where there are fewer. */
static int take(struct bits *in, unsigned number)
{
    refill(in);
    int value = (int)(in->hold & ((1u << number) - 1));
    return drop(in, number) ? value : -1;
}

static inline struct code look_up(const struct code *table, unsigned root, const struct bits *in)
{
    struct code code = table[in->hold & ((1u << root) - 1)];
    if ((code.kind & 0xC0) == SUBTABLE)
        code = table[code.value + (in->hold >> root & ((1u << (code.kind - SUBTABLE)) - 1))];
    return code;
}

/* --- blocks --------------------------------------------------------------------------------------------------- */

static int begin_stored(struct inflater *z)
{
    struct bits *in = &z->in;
    refill(in);
    drop(in, in->count & 7);
    in->next -= in->count >> 3;  /* whole bytes go back */
    in->hold = in->count = 0;
    if (in->end - in->next < 4)
        return 0;
    unsigned size = in->next[0] | in->next[1] << 8, check = in->next[2] | in->next[3] << 8;
    in->next += 4;
    z->stored = size;
    z->state = STORED;
    return (size ^ check) == 0xFFFF;
}

/* Read the lengths of both codes, themselves in a code; 0 where they are damaged. */
static int read_lengths(struct bits *in, const struct code *table, uint8_t *lengths, unsigned wanted)
{
    unsigned have = 0;
    while (have < wanted) {
        refill(in);
        struct code code = look_up(table, PLAIN_ROOT, in);
        if (code.kind != LITERAL || !drop(in, code.bits))
            return 0;
        if (code.value < 16) {
            lengths[have++] = (uint8_t)code.value;
            continue;
        }
        if (code.value == 16 && have == 0)
            return 0;
        uint8_t repeated = code.value == 16 ? lengths[have - 1] : 0;
        int more = take(in, code.value == 16 ? 2 : code.value == 17 ? 3 : 7);
        unsigned number = (code.value == 18 ? 11u : 3u) + (unsigned)more;
        if (more < 0 || have + number > wanted)
            return 0;
        memset(lengths + have, repeated, number);
        have += number;
    }
    return 1;
}

static int begin_dynamic(struct inflater *z)
{
    static const uint8_t ORDER[19] = {16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15};
    uint8_t lengths[320] = {0};
    int literals = take(&z->in, 5), distances = take(&z->in, 5), number = take(&z->in, 4);
    if (literals < 0 || distances < 0 || number < 0 || literals > 29 || distances > 29)
        return 0;
    for (int index = 0; index < number + 4; index++) {
        int length = take(&z->in, 3);
        if (length < 0)
            return 0;
        lengths[ORDER[index]] = (uint8_t)length;
    }
    if (!make_table(z->own_lengths, PLAIN_ROOT, lengths, 19, plain_code, 0))
        return 0;
    unsigned wide = (unsigned)literals + 257, all = wide + (unsigned)distances + 1;
    if (!read_lengths(&z->in, z->own_lengths, lengths, all) || lengths[256] == 0)
        return 0;
    z->lengths = z->own_lengths;
    z->distances = z->own_distances;
    z->state = CODED;
    return make_table(z->own_lengths, LENGTH_ROOT, lengths, wide, length_code, 1) &&
           make_table(z->own_distances, DISTANCE_ROOT, lengths + wide, all - wide, distance_code, 1);
}

static int begin_block(struct inflater *z)
{
    if (z->last) {
        z->state = ENDED;
        return 1;
    }
    int head = take(&z->in, 3);
    if (head < 0 || head >> 1 == 3)
        return 0;
    z->last = head & 1;
    if (head >> 1 == 0)
        return begin_stored(z);
    if (head >> 1 == 2)
        return begin_dynamic(z);
    z->lengths = FIXED_LENGTHS;
    z->distances = FIXED_DISTANCES;
    z->state = CODED;
    return 1;
}

static int copy_stored(struct inflater *z, size_t target)
{
    size_t size = z->stored, wanted = target - z->used, left = (size_t)(z->in.end - z->in.next);
    size = size < wanted ? size : wanted;
    if (size > left)
        return 0;
    memcpy(z->out + z->used, z->in.next, size);
    z->in.next += size;
    z->used += size;
    z->stored -= (uint32_t)size;
    if (z->stored == 0)
        z->state = BETWEEN;
    return 1;
}

static inline void repeat(uint8_t *to, size_t distance, size_t length)
{
    if (distance >= length) {
        memcpy(to, to - distance, length);
        return;
    }
    for (const uint8_t *from = to - distance; length; length--)
        *to++ = *from++;
}

/* Decode one match whose length code has been taken; 0 where it is damaged. */
static inline size_t copy_match(struct bits *in, const struct code *distances, struct code code, uint8_t *out, size_t used)
{
    size_t length = code.value + (in->hold & ((1u << code.kind) - 1));
    if (!drop(in, code.kind))
        return 0;
    struct code far = look_up(distances, DISTANCE_ROOT, in);
    if (far.kind >= SUBTABLE || !drop(in, far.bits))
        return 0;
    size_t distance = far.value + (in->hold & ((1u << far.kind) - 1));
    if (!drop(in, far.kind) || distance > used)
        return 0;
    repeat(out + used, distance, length);
    return length;
}

/* Take a few literals, which is what most of hard-to-pack data is made of; 0 where something else comes first. */
static inline int take_literals(struct bits *in, const struct code *lengths, uint8_t *out, size_t *used)
{
    refill(in);
    int taken = 0;
    struct code code = lengths[in->hold & ((1u << LENGTH_ROOT) - 1)];
    while (code.kind == LITERAL && taken < AT_ONCE) {
        out[*used + (size_t)taken++] = (uint8_t)code.value;
        in->hold >>= code.bits;
        in->count -= code.bits;
        code = lengths[in->hold & ((1u << LENGTH_ROOT) - 1)];
    }
    *used += (size_t)taken;
    return taken == AT_ONCE;
}

/* Decode to `target` bytes or the end of the block; at most LONGEST_MATCH bytes more are made. */
static int decode(struct inflater *z, size_t target)
{
    struct bits in = z->in;
    const struct code *lengths = z->lengths, *distances = z->distances;
    uint8_t *out = z->out;
    size_t used = z->used;
    int fine = 1;
    while (used < target) {
        if (in.end - in.next >= 8 && take_literals(&in, lengths, out, &used))
            continue;
        refill(&in);             /* 56 bits do for a length, a distance and their extra bits: 48 at most */
        struct code code = look_up(lengths, LENGTH_ROOT, &in);
        if (!drop(&in, code.bits)) {
            fine = 0;
            break;
        }
        if (code.kind == LITERAL) {
            out[used++] = (uint8_t)code.value;
            continue;
        }
        if (code.kind == BLOCK_END) {
            z->state = BETWEEN;
            break;
        }
        size_t length = code.kind == NO_CODE ? 0 : copy_match(&in, distances, code, out, used);
        if (length == 0) {
            fine = 0;
            break;
        }
        used += length;
    }
    z->in = in;
    z->used = used;
    return fine;
}

/* --- for others ----------------------------------------------------------------------------------------------- */

/* Begin with `size` packed bytes; `room` must be more than LONGEST_MATCH. */
static void inflate_begin(struct inflater *z, const uint8_t *packed, size_t size, uint8_t *out, size_t room)
{
    z->in = (struct bits){packed, packed + size, 0, 0};
    z->out = out;
    z->used = 0;
    z->room = room;
    z->state = BETWEEN;
    z->last = 0;
    z->stored = 0;
}

/* Return how many packed bytes have been taken. */
static size_t inflate_taken(const struct inflater *z, const uint8_t *packed)
{
    return (size_t)(z->in.next - packed) - (z->in.count >> 3);
}

/* Go on until `target` plain bytes are there, or the end, or damage. */
static int inflate_to(struct inflater *z, size_t target)
{
    int fine = 1;
    if (target > z->room - LONGEST_MATCH)
        target = z->room - LONGEST_MATCH;
    while (fine && z->state != ENDED && z->used < target) {
        if (z->state == BETWEEN)
            fine = begin_block(z);
        else if (z->state == STORED)
            fine = copy_stored(z, target);
        else
            fine = decode(z, target);
    }
    return !fine ? INFLATE_DAMAGED : z->state == ENDED ? INFLATE_ENDED : INFLATE_MORE;
}

#endif
