/* Whether any of many short byte strings occurs in a piece of content.
 *
 * Bit 5 of every byte is taken as set, so that letters of either case are equal (and a few other bytes too: this is a
 * filter, what it lets through is looked at again). Of the content only every `stride`-th block of four bytes is looked
 * up, in a bitmap that stays in the nearest cache: where a word occurs, one of its first blocks lies at such a place,
 * because all of them are in the bitmap. No look-up waits for the one before, as it does in searches that skip.
 */
#include "core.h"

#include <stdlib.h>

#define BLOCK 4u
#define BITS 18             /* of the bitmap: 32 KiB */
#define HEAD_BITS 14        /* of the chains' table */
#define SHORTEST BLOCK
#define LONGEST 32u
#define MAX_STRIDE 12u      /* longer words would fill the bitmap with more blocks for little */
#define MAX_WORDS (1u << 20)
#define NAME "hinomi.literals"
#define SPARE (1u << 20)    /* comparisons that a small piece may cost in any case */
#define PER_BYTE 4u         /* ... and per byte of a large one: content made to be slow is let through */

struct word {
    uint8_t size;
    uint8_t bytes[LONGEST];
};

struct place {              /* a block in a word */
    uint32_t block;
    uint32_t word;
    uint32_t offset;
    int32_t next;           /* in the same chain; -1 at the end */
};

struct searcher {
    uint32_t stride;
    uint64_t bitmap[(1u << BITS) / 64];
    int32_t first[1u << HEAD_BITS];
    struct word *words;
    struct place *places;
};

static uint32_t block_at(const uint8_t *data)
{
    uint32_t block;
    memcpy(&block, data, sizeof block);
    return block | 0x20202020u;
}

static uint32_t hash_of(uint32_t block)
{
    return block * 2654435761u;
}

static uint64_t in_bitmap(const struct searcher *searcher, uint32_t hash)
{
    uint32_t bit = hash >> (32 - BITS);
    return searcher->bitmap[bit / 64] >> (bit % 64) & 1;
}

static int equal(const struct word *word, const uint8_t *data)
{
    for (uint32_t at = 0; at < word->size; at++)
        if ((data[at] | 0x20) != word->bytes[at])
            return 0;
    return 1;
}

/* Whether a word lies across the block at `at`, or the allowance is used up. */
static int lies_at(const struct searcher *searcher, const uint8_t *data, size_t size, size_t at, uint64_t *allowance)
{
    uint32_t block = block_at(data + at);
    int32_t number = searcher->first[hash_of(block) >> (32 - HEAD_BITS)];
    for (; number >= 0; number = searcher->places[number].next) {
        const struct place *place = &searcher->places[number];
        if (!--*allowance)
            return 1;
        if (place->block != block || place->offset > at)
            continue;
        const struct word *word = &searcher->words[place->word];
        size_t start = at - place->offset;
        if (word->size <= size - start && equal(word, data + start))
            return 1;
    }
    return 0;
}

/* Return 1 where a word occurs, or where saying so costs too much; 0 where none does. */
static int occurs(const struct searcher *searcher, const uint8_t *data, size_t size)
{
    const size_t stride = searcher->stride;
    uint64_t allowance = SPARE + (uint64_t)PER_BYTE * size;
    size_t at = 0;
    for (; size >= 3 * stride + BLOCK && at <= size - 3 * stride - BLOCK; at += 4 * stride) {
        uint64_t hit = in_bitmap(searcher, hash_of(block_at(data + at)));
        hit |= in_bitmap(searcher, hash_of(block_at(data + at + stride))) << 1;
        hit |= in_bitmap(searcher, hash_of(block_at(data + at + 2 * stride))) << 2;
        hit |= in_bitmap(searcher, hash_of(block_at(data + at + 3 * stride))) << 3;
        for (size_t place = at; hit; hit >>= 1, place += stride)
            if (hit & 1 && lies_at(searcher, data, size, place, &allowance))
                return 1;
    }
    for (; size >= BLOCK && at <= size - BLOCK; at += stride)
        if (in_bitmap(searcher, hash_of(block_at(data + at))) && lies_at(searcher, data, size, at, &allowance))
            return 1;
    return 0;
}

static void add(struct searcher *searcher, uint32_t number, int32_t *used)
{
    const struct word *word = &searcher->words[number];
    for (uint32_t offset = 0; offset < searcher->stride; offset++) {
        uint32_t block = block_at(word->bytes + offset), hash = hash_of(block);
        int32_t *first = &searcher->first[hash >> (32 - HEAD_BITS)];
        searcher->bitmap[(hash >> (32 - BITS)) / 64] |= (uint64_t)1 << (hash >> (32 - BITS)) % 64;
        searcher->places[*used] = (struct place){block, number, offset, *first};
        *first = (*used)++;
    }
}

static void release(struct searcher *searcher)
{
    free(searcher->places);
    free(searcher->words);
    free(searcher);
}

static void drop(PyObject *capsule)
{
    struct searcher *searcher = PyCapsule_GetPointer(capsule, NAME);
    if (searcher)
        release(searcher);
}

/* Copy the words; return the length of the shortest, 0 with an exception set. */
static uint32_t take(struct searcher *searcher, PyObject *words, Py_ssize_t count)
{
    uint32_t shortest = LONGEST;
    for (Py_ssize_t number = 0; number < count; number++) {
        PyObject *item = PyTuple_GetItem(words, number);
        char *bytes;
        Py_ssize_t size;
        if (!item || PyBytes_AsStringAndSize(item, &bytes, &size) < 0)
            return 0;
        if (size < (Py_ssize_t)SHORTEST || size > (Py_ssize_t)LONGEST) {
            PyErr_SetString(PyExc_ValueError, "a word is too short or too long");
            return 0;
        }
        struct word *word = &searcher->words[number];
        word->size = (uint8_t)size;
        for (Py_ssize_t at = 0; at < size; at++)
            word->bytes[at] = (uint8_t)bytes[at] | 0x20;
        if ((uint32_t)size < shortest)
            shortest = (uint32_t)size;
    }
    return shortest;
}

/* Copy the words and enter their blocks; -1 with an exception set. */
static int fill(struct searcher *searcher, PyObject *words, uint32_t count)
{
    searcher->words = calloc(count, sizeof *searcher->words);
    uint32_t shortest = searcher->words ? take(searcher, words, count) : 0;
    if (shortest) {
        uint32_t stride = shortest - BLOCK + 1;
        searcher->stride = stride < MAX_STRIDE ? stride : MAX_STRIDE;
        searcher->places = calloc((size_t)count * searcher->stride, sizeof *searcher->places);
    }
    if (!searcher->places) {
        if (!PyErr_Occurred())
            PyErr_NoMemory();
        return -1;
    }
    memset(searcher->first, 0xff, sizeof searcher->first);
    int32_t used = 0;
    for (uint32_t number = 0; number < count; number++)
        add(searcher, number, &used);
    return 0;
}

static PyObject *prepared(PyObject *self, PyObject *words)
{
    (void)self;
    if (!PyTuple_Check(words)) {
        PyErr_SetString(PyExc_TypeError, "words must be a tuple of bytes");
        return NULL;
    }
    Py_ssize_t count = PyTuple_Size(words);
    if (count < 1 || count > (Py_ssize_t)MAX_WORDS) {
        PyErr_SetString(PyExc_ValueError, "no words, or too many");
        return NULL;
    }
    struct searcher *searcher = calloc(1, sizeof *searcher);
    if (!searcher)
        return PyErr_NoMemory();
    if (fill(searcher, words, (uint32_t)count) < 0) {
        release(searcher);
        return NULL;
    }
    PyObject *capsule = PyCapsule_New(searcher, NAME, drop);
    if (!capsule)
        release(searcher);
    return capsule;
}

static PyObject *any_in(PyObject *self, PyObject *arguments)
{
    (void)self;
    PyObject *capsule;
    Py_buffer data;
    if (!PyArg_ParseTuple(arguments, "Oy*", &capsule, &data))
        return NULL;
    const struct searcher *searcher = PyCapsule_GetPointer(capsule, NAME);
    if (!searcher) {
        PyBuffer_Release(&data);
        return NULL;
    }
    int found;
    Py_BEGIN_ALLOW_THREADS
    found = occurs(searcher, data.buf, (size_t)data.len);
    Py_END_ALLOW_THREADS
    PyBuffer_Release(&data);
    return PyBool_FromLong(found);
}

PyDoc_STRVAR(prepared_doc,
             "prepared(words, /)\n--\n\n"
             "Return a searcher for a tuple of byte strings of 4 to 32 bytes; `ValueError` for others.");
PyDoc_STRVAR(any_in_doc,
             "any_in(searcher, data, /)\n--\n\n"
             "Whether any of the words occurs in the bytes, bit 5 of every byte taken as set; also true where telling\n"
             "would take too long.");

static PyMethodDef METHODS[] = {
    {"prepared", prepared, METH_O, prepared_doc},
    {"any_in", any_in, METH_VARARGS, any_in_doc},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef MODULE = {
    PyModuleDef_HEAD_INIT, "literals", "Many short byte strings searched for at once.", -1, METHODS, NULL, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit_literals(void)
{
    return PyModule_Create(&MODULE);
}
