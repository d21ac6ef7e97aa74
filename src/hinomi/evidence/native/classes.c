/* The members of one zip directory: classes whose constant pools hold none of the words asked for are settled here.
 *
 * The same as `Walker._zip` does with `ZipReader` in Python, for the members that make up most of what there is. All
 * others, and every member with anything odd about it, are handed back to Python by their place in the directory.
 * Formats: APPNOTE 6.3.10 (zip), JVMS 4 (class files).
 */
#include "core.h"
#include "deflated.h"
#include "hashes.h"
#include "heads.h"
#include "pools.h"
#include "words.h"

#include <zlib.h>

#define CENTRAL 46               /* bytes of a directory record before its name */
#define LOCAL 30
#define UNKNOWN_32 0xFFFFFFFFu
#define ENCRYPTED 1
#define DESCRIPTOR 8
#define LEAST 32                 /* no class and no archive is smaller */
#define MOST_CLASS (1u << 16)    /* bytes of a class, packed or not */
#define MOST_POOL (128u << 10)   /* plain bytes made of one class; a pool that needs more goes to Python */
#define FIRST 640                /* plain bytes of a class that are made first, ... */
#define FURTHER 128              /* ... and at least with each further step */
#define STEP 1024                /* packed bytes that zlib inflates at once of a class */
#define HEAD_STEP 256            /* ... and of anything else */
#define MOST_HEAD 4096           /* plain bytes made to have them */
#define PACKED_HEAD 4096         /* packed bytes that make them */
#define MOST_SIZE (64u << 20)    /* a member said to be larger is looked at in Python */
#define GAP 256                  /* bytes no record accounts for that are worth a search */

struct record {
    struct piece name, packed;
    unsigned flags, method;
    uint32_t packed_size, size;
    int64_t offset;
};

struct survey {
    Py_buffer data, directory, known;
    int64_t begin, size;         /* where `data` begins in the archive, and how large that is */
    int64_t base, covered;
    int64_t beyond;              /* the first member that does not stand in `data`; -1 */
    Py_ssize_t at;               /* in the directory */
    int ordered;
    uint64_t key[SECRET / 8];
    struct words words;          /* one of which a class of interest holds */
    struct heads heads;
    uint64_t unpacked;           /* bytes */
    uint64_t worked;             /* ... and bytes hashed */
    PyObject *gaps, *open;
};

enum verdict { NOTHING, OPEN, HEADED, BEYOND };

/* One member at a time, under Python's lock; the stream is set up once, for its tables cost more than a small class. */
static z_stream inflater;
static struct deflated quick;
static uint8_t plain[MOST_POOL + DEFLATED_SLACK];

/* Return the word in shared memory that stands for content of this hash; other processes read and write it too. */
static uint64_t *place_of(const struct survey *s, uint64_t hash)
{
    return (uint64_t *)s->known.buf + hash % ((uint64_t)s->known.len / 8);
}

/* --- deflate: zlib, as far as somebody needs ------------------------------------------------------------------- */

enum { INFLATE_DAMAGED = -1, INFLATE_ENDED = 0, INFLATE_MORE = 1 };

static void inflate_begin(struct piece packed)
{
    inflateReset(&inflater);
    inflater.next_in = (Bytef *)packed.data;
    inflater.avail_in = 0;
}

/* Go on with at most `step` more packed bytes, until `most` bytes are in `plain`, the end, or damage; data that ends early is
 * damaged. Bounded by what goes in, not by what comes out: zlib is slow where it has little room left. */
static int inflate_more(struct piece packed, size_t step, size_t most)
{
    size_t left = packed.size - (size_t)(inflater.next_in - packed.data);
    inflater.avail_in = (uInt)(left < step ? left : step);
    inflater.next_out = plain + inflater.total_out;
    inflater.avail_out = (uInt)(most - inflater.total_out);
    int result = inflate(&inflater, Z_SYNC_FLUSH);
    if (result == Z_STREAM_END)
        return INFLATE_ENDED;
    return result == Z_OK ? INFLATE_MORE : INFLATE_DAMAGED;
}

/* Guess how many bytes the pool and what follows it need, from the constants seen so far. */
static size_t guess(const struct pool *pool, size_t have)
{
    size_t needed = pool->index ? pool->at * pool->count / pool->index + NAMES : 0;
    return needed < have + FURTHER ? have + FURTHER : needed;
}

/* Pass over a class's constants, unpacking as much as they need; POOL_LOST where zlib must tell. */
static int read_quickly(struct survey *s, struct piece packed, struct piece *data, struct pool *pool)
{
    int pooled = POOL_MORE;
    *data = (struct piece){plain, 0};
    deflated_begin(&quick, packed.data, packed.size, plain);
    for (size_t wanted = FIRST; pooled == POOL_MORE && quick.block != ENDED; wanted = guess(pool, quick.made)) {
        if (wanted > MOST_POOL || !deflated_go_on(&quick, wanted))
            return POOL_LOST;
        data->size = quick.made;
        pooled = read_pool(pool, data->data, data->size);
    }
    s->unpacked += quick.made;
    return pooled;
}

/* The same by zlib, which also tells what stands before damage. */
static int read_by_zlib(struct survey *s, struct piece packed, struct piece *data, struct pool *pool)
{
    int state = INFLATE_MORE, pooled = POOL_MORE;
    *data = (struct piece){plain, 0};
    for (inflate_begin(packed); pooled == POOL_MORE && state == INFLATE_MORE;) {
        state = inflate_more(packed, STEP, MOST_POOL);
        data->size = inflater.total_out;
        pooled = read_pool(pool, data->data, data->size);
    }
    s->unpacked += inflater.total_out;
    return pooled == POOL_MORE && state == INFLATE_DAMAGED ? POOL_LOST : pooled;
}

/* Pass over a class's constants. What is plain is in `*data`. */
static int read_class(struct survey *s, const struct record *r, struct piece *data, struct pool *pool)
{
    if (r->method == 0) {
        *data = r->packed;
        return read_pool(pool, data->data, data->size);
    }
    int pooled = read_quickly(s, r->packed, data, pool);
    if (pooled != POOL_LOST)
        return pooled;
    *pool = (struct pool){0};
    return read_by_zlib(s, r->packed, data, pool);
}

/* Judge a class by its pool; what follows the pool decides nothing and is hardly unpacked. */
static enum verdict judge_class(struct survey *s, const struct record *r)
{
    struct piece data;
    struct pool pool = {0};
    int pooled = read_class(s, r, &data, &pool);
    if (pooled == POOL_LOST || data.size < 10 || memcmp(data.data, "\xca\xfe\xba\xbe", 4) != 0)
        return OPEN;
    if (pooled == POOL_BROKEN || pool.index < pool.count || pool.at > data.size)
        return NOTHING;          /* cut or damaged inside the class itself: no Java machine takes it */
    return holds_a_word(&s->words, data.data, pool.at) ? OPEN : NOTHING;
}

static enum verdict look_at_class(struct survey *s, const struct record *r)
{
    uint64_t hash = fingerprint(s->key, r->packed, r->method);
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

static int is_class_by_name(const struct record *r)
{
    return r->name.size >= 6 && memcmp(r->name.data + r->name.size - 6, ".class", 6) == 0;
}

/* Whether a member's local header agrees with its record, as far as it says anything. */
static int agrees(const struct record *r, const uint8_t *header)
{
    if (two(header + 6) & DESCRIPTOR || four(header + 18) == UNKNOWN_32 || four(header + 22) == UNKNOWN_32)
        return 1;
    return two(header + 8) == r->method && four(header + 18) == r->packed_size;
}

/* Find the packed bytes: all of what could be a class, of others at least the beginning. NOTHING: found; OPEN: the local header is
 * missing or says something else, or the data is cut. */
static enum verdict find_packed(const struct survey *s, struct record *r)
{
    if (r->offset < 0 || r->offset > s->size - LOCAL)
        return OPEN;
    int64_t at = r->offset - s->begin;
    if (at < 0 || at > s->data.len - LOCAL)
        return BEYOND;
    const uint8_t *header = (const uint8_t *)s->data.buf + at;
    if (memcmp(header, "PK\3\4", 4) != 0)
        return OPEN;
    at += LOCAL + two(header + 26) + two(header + 28);
    if (!agrees(r, header) || at + s->begin > s->size || r->packed_size > s->size - s->begin - at)
        return OPEN;
    int64_t needed = r->packed_size <= MOST_CLASS ? r->packed_size : PACKED_HEAD;
    if (at > s->data.len - needed)
        return BEYOND;
    int64_t there = s->data.len - at;
    r->packed = (struct piece){(const uint8_t *)s->data.buf + at, (size_t)(there < r->packed_size ? there : r->packed_size)};
    return NOTHING;
}

static int is_small(const struct record *r)
{
    return r->size <= MOST_CLASS && r->packed_size <= MOST_CLASS && r->packed.size == r->packed_size;
}

/* Unpack the head of a member into `plain`; return its size, and in `*ends` whether that is all of it. */
static size_t unpack_head(struct piece packed, int *ends)
{
    deflated_begin(&quick, packed.data, packed.size, plain);
    if (deflated_go_on(&quick, HEAD)) {
        *ends = quick.block == ENDED;
        return quick.made;
    }
    int state = INFLATE_MORE;
    for (inflate_begin(packed); state == INFLATE_MORE && inflater.total_out < HEAD;)
        state = inflate_more(packed, HEAD_STEP, MOST_HEAD);
    *ends = state == INFLATE_ENDED;
    return inflater.total_out;
}

/* Unpack the head of anything but a class; it tells the kind where it is long enough and not all zeros. */
static enum verdict look_at_head(struct survey *s, const struct record *r)
{
    if (r->method == 0 && is_class(r->packed) && is_small(r))
        return look_at_class(s, r);
    if (r->method != 8 || r->size > MOST_SIZE)
        return OPEN;
    int ends = 0;
    struct piece head = {plain, unpack_head(r->packed, &ends)};
    s->unpacked += head.size;
    if (is_class(head) && is_small(r))
        return look_at_class(s, r);
    if (head.size < HEAD && !ends)
        return OPEN;
    head.size = head.size < HEAD ? head.size : HEAD;
    if (head.size == HEAD && is_zeros(head))
        return OPEN;
    s->heads.last = head;
    return is_nothing(&s->heads, r->name, head) ? NOTHING : HEADED;
}

static enum verdict look_at(struct survey *s, struct record *r)
{
    if ((r->packed_size < LEAST && r->size < LEAST) || (r->packed_size == 0 && !(r->flags & DESCRIPTOR)))
        return NOTHING;
    if (r->flags & ENCRYPTED)
        return OPEN;
    enum verdict found = find_packed(s, r);
    if (found != NOTHING)
        return found;
    if (!is_class_by_name(r))
        return look_at_head(s, r);
    if (!is_small(r) || (r->method != 0 && r->method != 8))
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
    const struct piece *head = &s->heads.last;
    PyObject *item = verdict == HEADED ? Py_BuildValue("(ny#)", s->at, head->data, (Py_ssize_t)head->size)
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
        enum verdict verdict = look_at(s, &record);
        if (verdict == BEYOND) {
            s->beyond = record.offset;
            break;
        }
        if (account(s, &record, name_size) < 0 || note_open(s, verdict) < 0)
            return -1;
        s->at += (Py_ssize_t)size;
        listed++;
    }
    return listed;
}

/* --- Python --------------------------------------------------------------------------------------------------- */

static int take_pieces(struct pieces *pieces, PyObject *texts)
{
    Py_ssize_t number = PyTuple_Size(texts);
    if (number > MOST_PIECES) {
        PyErr_SetString(PyExc_ValueError, "too many words");
        return -1;
    }
    for (Py_ssize_t i = 0; i < number; i++) {
        char *text;
        Py_ssize_t size;
        if (PyBytes_AsStringAndSize(PyTuple_GetItem(texts, i), &text, &size) < 0)
            return -1;
        pieces->all[i] = (struct piece){(const uint8_t *)text, (size_t)size};
    }
    pieces->number = (int)number;
    return 0;
}

static int is_sane(const struct survey *s, Py_ssize_t key_size, Py_ssize_t firsts)
{
    const int64_t far = (int64_t)1 << 60;
    int has_table = s->known.len >= 8 && (uintptr_t)s->known.buf % 8 == 0;
    int is_near = s->base > -far && s->base < far && s->covered > -far && s->covered < far && s->size < far;
    int fits = s->begin >= 0 && s->begin <= s->size && s->data.len <= s->size - s->begin;
    if (key_size == SECRET && firsts == 256 && has_table && is_near && fits && s->at >= 0)
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
        result = Py_BuildValue("((nLi)nKOOL)", s->at, (long long)s->covered, s->ordered, listed,
                               (unsigned long long)s->unpacked, s->gaps, s->open, (long long)s->beyond);
    Py_XDECREF(s->gaps);
    Py_XDECREF(s->open);
    return result;
}

static PyObject *py_survey(PyObject *module, PyObject *arguments)
{
    (void)module;
    struct survey s = {.beyond = -1};
    long long begin, archive, base, covered;
    const char *key, *firsts;
    Py_ssize_t key_size, firsts_size, most;
    unsigned long long work;
    PyObject *words, *endings, *result = NULL;
    if (!PyArg_ParseTuple(arguments, "y*LLy*L(nLi)nKy#w*O!O!y#", &s.data, &begin, &archive, &s.directory, &base, &s.at, &covered,
                          &s.ordered, &most, &work, &key, &key_size, &s.known, &PyTuple_Type, &words, &PyTuple_Type, &endings,
                          &firsts, &firsts_size))
        return NULL;
    s.begin = begin;
    s.size = archive;
    s.base = base;
    s.covered = covered;
    s.heads.firsts = (const uint8_t *)firsts;
    if (is_sane(&s, key_size, firsts_size) && take_pieces(&s.words.pieces, words) == 0 && take_pieces(&s.heads.endings, endings) == 0) {
        memcpy(s.key, key, SECRET);
        prepare_words(&s.words);
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
        found = fingerprint(key, (struct piece){data.buf, (size_t)data.len}, 0);
    }
    PyBuffer_Release(&data);
    if (size == SECRET)
        return PyLong_FromLongLong((long long)found);
    PyErr_SetString(PyExc_ValueError, "no such secret");
    return NULL;
}

static PyObject *py_beginning(PyObject *module, PyObject *arguments)
{
    (void)module;
    Py_buffer packed;
    Py_ssize_t wanted, step;
    if (!PyArg_ParseTuple(arguments, "y*nn", &packed, &wanted, &step))
        return NULL;
    int fine = wanted >= 0 && wanted <= (Py_ssize_t)MOST_POOL && step > 0;
    deflated_begin(&quick, packed.buf, (size_t)packed.len, plain);
    for (size_t next = 0; fine && quick.made < (size_t)wanted && quick.block != ENDED;) {
        next = quick.made + (size_t)step < (size_t)wanted ? quick.made + (size_t)step : (size_t)wanted;
        fine = deflated_go_on(&quick, next);
    }
    PyBuffer_Release(&packed);
    if (!fine)
        return Py_NewRef(Py_None);
    return PyBytes_FromStringAndSize((const char *)plain, (Py_ssize_t)quick.made);
}

/* Whether a gzip member may begin behind the first byte; its own first byte is looked for, which no other search is as fast as. */
static int holds_member(const uint8_t *data, Py_ssize_t size)
{
    const uint8_t *end = data + size;
    for (const uint8_t *at = data + 1; end - at >= 4 && (at = memchr(at, 0x1f, (size_t)(end - at) - 3)); at++)
        if (at[1] == 0x8b && at[2] == 8 && at[3] < 0x20)
            return 1;
    return 0;
}

static PyObject *py_another_member(PyObject *module, PyObject *object)
{
    (void)module;
    Py_buffer data;
    if (PyObject_GetBuffer(object, &data, PyBUF_SIMPLE) != 0)
        return NULL;
    int found = holds_member(data.buf, data.len);
    PyBuffer_Release(&data);
    return PyBool_FromLong(found);
}

static PyMethodDef METHODS[] = {
    {"survey", py_survey, METH_VARARGS, "Settle the members of a zip directory that are classes of no interest."},
    {"fingerprint", py_fingerprint, METH_VARARGS, "Return a keyed hash of 64 bits."},
    {"beginning", py_beginning, METH_VARARGS, "Return the beginning of deflate data, None for what zlib must look at."},
    {"another_member", py_another_member, METH_O, "Return whether a gzip member may begin behind the first byte."},
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
