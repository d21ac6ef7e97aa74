/* The members of one zip directory: classes whose constant pools hold none of the words asked for are settled here.
 *
 * The same as `Walker._zip` does with `ZipReader` in Python, for the members that make up most of what there is. All
 * others, and every member with anything odd about it, are handed back to Python by their place in the directory.
 * Formats: APPNOTE 6.3.10 (zip), JVMS 4 (class files).
 */
#define PY_SSIZE_T_CLEAN
#define _GNU_SOURCE
#include <Python.h>

#include <stdint.h>
#include <string.h>
#include <zlib.h>

#define CENTRAL 46               /* bytes of a directory record before its name */
#define LOCAL 30
#define UNKNOWN_32 0xFFFFFFFFu
#define ENCRYPTED 1
#define DESCRIPTOR 8
#define LEAST 32                 /* no class and no archive is smaller */
#define MOST_CLASS (1u << 16)    /* bytes of a class, packed or not */
#define MOST_POOL (128u << 10)   /* plain bytes made of one class; a pool that needs more goes to Python */
#define FIRST_PLAIN 512          /* what is inflated of a class at once */
#define MORE_PLAIN 128           /* ... and beyond the constants known of */
#define NAMES 6                  /* bytes after the pool: access flags, the class, its parent */
#define HEAD 512                 /* what tells the kind of anything else */
#define MOST_SIZE (64u << 20)    /* a member said to be larger is looked at in Python */
#define GAP 256                  /* bytes no record accounts for that are worth a search */
#define MOST_WORDS 32
#define BLOCK_WORDS 128          /* of 8 bytes */
#define SECRET (16 + 8 * BLOCK_WORDS)

struct piece {
    const uint8_t *data;
    size_t size;
};

struct record {
    struct piece name, packed;
    unsigned flags, method;
    uint32_t packed_size, size;
    int64_t offset;
};

struct survey {
    Py_buffer data, directory, known;
    int64_t base, covered;
    Py_ssize_t at;               /* in the directory */
    int ordered;
    uint64_t key[2];
    struct piece words[MOST_WORDS];
    int number_of_words;
    uint64_t unpacked;           /* bytes */
    uint64_t worked;             /* ... and bytes hashed */
    PyObject *gaps, *open;
};

enum verdict { NOTHING, OPEN, HEADED, FAILED };

/* One member at a time, under Python's lock; the stream is set up once, for its tables cost more than a small class. */
static z_stream inflater;
static uint8_t plain[MOST_POOL];

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

static uint64_t siphash(const uint64_t *key, struct piece piece, unsigned salt)
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

/* --- fingerprints of whole archives: NH of blocks (Black and others, UMAC), then SipHash of those --------------- */

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

static uint64_t fingerprint(const uint64_t *key, struct piece piece)
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
    sip_word(v, piece.size);
    return sip_end(v);
}
#else
static uint64_t fingerprint(const uint64_t *key, struct piece piece)
{
    return siphash(key, piece, 0);
}
#endif

/* Return the word in shared memory that stands for content of this hash; other processes read and write it too. */
static uint64_t *place_of(const struct survey *s, uint64_t hash)
{
    return (uint64_t *)s->known.buf + hash % ((uint64_t)s->known.len / 8);
}

/* --- constant pools ------------------------------------------------------------------------------------------- */

struct pool {
    size_t at;                   /* where the next constant begins */
    unsigned index, count;
};
enum { POOL_BROKEN = -1, POOL_WHOLE = 0, POOL_MORE = 1 };

static unsigned constant_size(uint8_t tag)
{
    static const uint8_t SIZES[21] = {0, 0, 0, 4, 4, 8, 8, 2, 2, 4, 4, 4, 4, 0, 0, 3, 2, 4, 4, 2, 2};
    return tag < sizeof SIZES ? SIZES[tag] : 0;
}

/* Pass over constants as far as `size` bytes go. */
static int read_pool(struct pool *pool, const uint8_t *data, size_t size)
{
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

static int holds_a_word(const struct survey *s, const uint8_t *data, size_t size)
{
    for (int i = 0; i < s->number_of_words; i++)
        if (memmem(data, size, s->words[i].data, s->words[i].size))
            return 1;
    return 0;
}

/* --- deflate: zlib, as far as somebody needs ------------------------------------------------------------------- */

enum { INFLATE_DAMAGED = -1, INFLATE_ENDED = 0, INFLATE_MORE = 1 };

static void inflate_begin(struct piece packed)
{
    inflateReset(&inflater);
    inflater.next_in = (Bytef *)packed.data;
    inflater.avail_in = (uInt)packed.size;   /* of 32 bits in every zip that is read here */
}

/* Go on until `target` bytes are in `plain`, or the end, or damage; data that ends early is damaged. */
static int inflate_to(size_t target)
{
    target = target < sizeof plain ? target : sizeof plain;
    if (target <= inflater.total_out)
        return INFLATE_MORE;
    inflater.next_out = plain + inflater.total_out;
    inflater.avail_out = (uInt)(target - inflater.total_out);
    int result = inflate(&inflater, Z_SYNC_FLUSH);
    if (result == Z_STREAM_END)
        return INFLATE_ENDED;
    return result == Z_OK && inflater.avail_out == 0 ? INFLATE_MORE : INFLATE_DAMAGED;
}

/* Make more of a class plain; the plain bytes are in `*data`. Stored members are plain from the start. */
static int more_of(struct survey *s, const struct record *r, struct piece *data, size_t wanted)
{
    if (r->method == 0)
        return INFLATE_ENDED;
    int state = inflate_to(wanted);
    s->unpacked += inflater.total_out - data->size;
    data->size = inflater.total_out;
    return state;
}

/* Judge a class by its pool; what follows the pool decides nothing and is not even unpacked. */
static enum verdict judge_class(struct survey *s, const struct record *r)
{
    struct piece data = r->packed;
    if (r->method == 8) {
        inflate_begin(r->packed);
        data = (struct piece){plain, 0};
    }
    int state = more_of(s, r, &data, FIRST_PLAIN);
    if (state == INFLATE_DAMAGED || data.size < 10 || memcmp(data.data, "\xca\xfe\xba\xbe", 4) != 0)
        return OPEN;
    struct pool pool = {10, 1, two_big(data.data + 8)};
    int pooled;
    while ((pooled = read_pool(&pool, data.data, data.size)) == POOL_MORE && state == INFLATE_MORE) {
        size_t before = data.size;
        state = more_of(s, r, &data, (pool.at > data.size ? pool.at : data.size) + MORE_PLAIN);
        if (state == INFLATE_DAMAGED || (state == INFLATE_MORE && data.size == before))
            return OPEN;
    }
    if (pooled == POOL_BROKEN || pool.index < pool.count || pool.at > data.size)
        return NOTHING;          /* cut or damaged inside the class itself: no Java machine takes it */
    return holds_a_word(s, data.data, pool.at) ? OPEN : NOTHING;
}

static enum verdict look_at_class(struct survey *s, const struct record *r)
{
    uint64_t hash = siphash(s->key, r->packed, r->method);
    s->worked += r->packed.size;
    uint64_t *place = place_of(s, hash);
    if (hash != 0 && __atomic_load_n(place, __ATOMIC_RELAXED) == hash)
        return NOTHING;
    enum verdict verdict = judge_class(s, r);
    if (verdict == NOTHING)
        __atomic_store_n(place, hash, __ATOMIC_RELAXED);
    return verdict;
}

/* --- members -------------------------------------------------------------------------------------------------- */

/* Find the packed bytes; 0 where the local header is missing, says something else, or the data is cut. */
static int find_packed(const struct survey *s, struct record *r)
{
    const uint8_t *data = s->data.buf;
    int64_t size = s->data.len;
    if (r->offset < 0 || r->offset > size - LOCAL)
        return 0;
    const uint8_t *header = data + r->offset;
    if (memcmp(header, "PK\3\4", 4) != 0)
        return 0;
    int agrees = two(header + 8) == r->method && four(header + 18) == r->packed_size;
    int says_less = two(header + 6) & DESCRIPTOR || four(header + 18) == UNKNOWN_32 || four(header + 22) == UNKNOWN_32;
    int64_t start = r->offset + LOCAL + two(header + 26) + two(header + 28);
    if ((!agrees && !says_less) || start > size || r->packed_size > size - start)
        return 0;
    r->packed = (struct piece){data + start, r->packed_size};
    return 1;
}

static int is_class_by_name(const struct record *r)
{
    return r->name.size >= 6 && memcmp(r->name.data + r->name.size - 6, ".class", 6) == 0;
}

/* Inflate the head of anything but a class; it tells the kind where it is long enough and not all zeros. */
static enum verdict look_at_head(struct survey *s, const struct record *r)
{
    if (r->method != 8 || r->size > MOST_SIZE)
        return OPEN;
    inflate_begin(r->packed);
    int state = inflate_to(HEAD);
    s->unpacked += inflater.total_out;
    if (state == INFLATE_ENDED && inflater.total_out < HEAD)
        return HEADED;
    if (state == INFLATE_DAMAGED)
        return OPEN;
    for (size_t at = 0; at < HEAD; at++)
        if (plain[at])
            return HEADED;
    return OPEN;
}

static enum verdict look_at(struct survey *s, struct record *r)
{
    if ((r->packed_size < LEAST && r->size < LEAST) || (r->packed_size == 0 && !(r->flags & DESCRIPTOR)))
        return NOTHING;
    if (r->flags & ENCRYPTED || !find_packed(s, r))
        return OPEN;
    if (!is_class_by_name(r))
        return look_at_head(s, r);
    if (r->size > MOST_CLASS || r->packed_size > MOST_CLASS || (r->method != 0 && r->method != 8))
        return OPEN;
    return look_at_class(s, r);
}

/* --- the directory -------------------------------------------------------------------------------------------- */

/* Read the record at `s->at`; return its length, 0 where Python must look: no record, or sizes of 64 bits. */
static size_t read_record(const struct survey *s, struct record *r)
{
    const uint8_t *at = (const uint8_t *)s->directory.buf + s->at;
    size_t left = (size_t)(s->directory.len - s->at);
    if (left < CENTRAL || memcmp(at, "PK\1\2", 4) != 0)
        return 0;
    unsigned name = two(at + 28);
    uint32_t offset = four(at + 42);
    *r = (struct record){.flags = two(at + 8), .method = two(at + 10), .packed_size = four(at + 20), .size = four(at + 24)};
    if (r->packed_size == UNKNOWN_32 || r->size == UNKNOWN_32 || offset == UNKNOWN_32)
        return 0;
    r->name = (struct piece){at + CENTRAL, name < left - CENTRAL ? name : left - CENTRAL};
    r->offset = (int64_t)offset + s->base;
    return CENTRAL + (size_t)name + two(at + 30) + two(at + 32);
}

static int append(PyObject *list, PyObject *item)
{
    int result = item ? PyList_Append(list, item) : -1;
    Py_XDECREF(item);
    return result;
}

/* Note what no record accounts for. */
static int account(struct survey *s, const struct record *r, unsigned name_size)
{
    int64_t gap = r->offset - s->covered;
    if (gap < 0 || gap > GAP) {
        if (append(s->gaps, Py_BuildValue("(LL)", (long long)s->covered, (long long)r->offset)) < 0)
            return -1;
        s->ordered = s->ordered && gap >= 0;
    }
    s->covered = r->offset + LOCAL + name_size + (int64_t)r->packed_size;
    return 0;
}

static int note_open(struct survey *s, enum verdict verdict)
{
    if (verdict == NOTHING)
        return 0;
    PyObject *item = verdict == HEADED ? Py_BuildValue("(ny#)", s->at, plain, (Py_ssize_t)inflater.total_out)
                                       : Py_BuildValue("(nO)", s->at, Py_None);
    return append(s->open, item);
}

/* Return how many members were listed, -1 with an exception set. */
static Py_ssize_t run(struct survey *s, Py_ssize_t most, uint64_t work)
{
    Py_ssize_t listed = 0;
    while (listed < most && s->at <= s->directory.len - CENTRAL && s->worked + s->unpacked < work) {
        struct record record;
        size_t size = read_record(s, &record);
        if (size == 0)
            break;
        unsigned name_size = two((const uint8_t *)s->directory.buf + s->at + 28);
        if (account(s, &record, name_size) < 0 || note_open(s, look_at(s, &record)) < 0)
            return -1;
        s->at += (Py_ssize_t)size;
        listed++;
    }
    return listed;
}

/* --- Python --------------------------------------------------------------------------------------------------- */

static int take_words(struct survey *s, PyObject *words)
{
    Py_ssize_t number = PyTuple_Size(words);
    if (number > MOST_WORDS) {
        PyErr_SetString(PyExc_ValueError, "too many words");
        return -1;
    }
    for (Py_ssize_t i = 0; i < number; i++) {
        char *word;
        Py_ssize_t size;
        if (PyBytes_AsStringAndSize(PyTuple_GetItem(words, i), &word, &size) < 0)
            return -1;
        s->words[i] = (struct piece){(const uint8_t *)word, (size_t)size};
    }
    s->number_of_words = (int)number;
    return 0;
}

static int is_sane(const struct survey *s, Py_ssize_t key_size)
{
    const int64_t far = (int64_t)1 << 60;
    if (key_size == SECRET && s->known.len >= 8 && (uintptr_t)s->known.buf % 8 == 0 && s->at >= 0 && s->base > -far && s->base < far && s->covered > -far && s->covered < far)
        return 1;
    PyErr_SetString(PyExc_ValueError, "no such place in this directory");
    return 0;
}

static PyObject *answer(struct survey *s, Py_ssize_t most, unsigned long long work)
{
    s->gaps = PyList_New(0);
    s->open = PyList_New(0);
    Py_ssize_t listed = s->gaps && s->open ? run(s, most, work) : -1;
    PyObject *result = NULL;
    if (listed >= 0)
        result = Py_BuildValue("((nLi)nKOO)", s->at, (long long)s->covered, s->ordered, listed,
                               (unsigned long long)s->unpacked, s->gaps, s->open);
    Py_XDECREF(s->gaps);
    Py_XDECREF(s->open);
    return result;
}

static PyObject *py_survey(PyObject *module, PyObject *arguments)
{
    (void)module;
    struct survey s = {0};
    long long base, covered;
    const char *key;
    Py_ssize_t key_size, most;
    unsigned long long work;
    PyObject *words, *result = NULL;
    if (!PyArg_ParseTuple(arguments, "y*y*L(nLi)nKy#w*O!", &s.data, &s.directory, &base, &s.at, &covered, &s.ordered, &most,
                          &work, &key, &key_size, &s.known, &PyTuple_Type, &words))
        return NULL;
    s.base = base;
    s.covered = covered;
    if (is_sane(&s, key_size) && take_words(&s, words) == 0) {
        memcpy(s.key, key, 16);
        result = answer(&s, most, work);
    }
    PyBuffer_Release(&s.data);
    PyBuffer_Release(&s.directory);
    PyBuffer_Release(&s.known);
    return result;
}

static PyObject *py_fingerprint(PyObject *module, PyObject *arguments)
{
    (void)module;
    Py_buffer data;
    const char *secret;
    Py_ssize_t size;
    if (!PyArg_ParseTuple(arguments, "y*y#", &data, &secret, &size))
        return NULL;
    uint64_t key[SECRET / 8], found = 0;
    if (size == SECRET) {
        memcpy(key, secret, SECRET);
        found = fingerprint(key, (struct piece){data.buf, (size_t)data.len});
    }
    PyBuffer_Release(&data);
    if (size == SECRET)
        return PyLong_FromLongLong((long long)found);
    PyErr_SetString(PyExc_ValueError, "no such secret");
    return NULL;
}

static PyMethodDef METHODS[] = {
    {"survey", py_survey, METH_VARARGS, "Settle the members of a zip directory that are classes of no interest."},
    {"fingerprint", py_fingerprint, METH_VARARGS, "Return a keyed hash of 64 bits."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef MODULE = {PyModuleDef_HEAD_INIT, "classes", NULL, -1, METHODS, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit_classes(void)
{
    if (inflateInit2(&inflater, -MAX_WBITS) != Z_OK) {
        PyErr_SetString(PyExc_ImportError, "zlib is another than the one compiled for");
        return NULL;
    }
    return PyModule_Create(&MODULE);
}
