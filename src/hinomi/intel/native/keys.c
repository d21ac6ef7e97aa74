/* Many keys looked for at the words of a text: names whose words stand together, and phrases that begin at a word.
 *
 * The keys are sorted, and each further letter narrows the range of those that are still possible; where the first two
 * letters lead is kept in a table, as most words end there. `vocabulary/keys.py` is the same in Python.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define NAME "hinomi.keys"
#define MAX_WORDS 5         /* as in keys.py */
#define MAX_GAP 3
#define HEAD 7
#define LONG_MARK 0x30fcu   /* the katakana mark for a long vowel, which a name may end in or not */
#define MIDDLE_DOT 0x30fbu
#define LETTERS 36          /* digits and small letters, which the table knows */

struct range {
    uint32_t low, high;     /* of the keys that begin with the letters so far */
    uint32_t depth;         /* how many letters those are */
};

struct keys {
    uint32_t count;
    int singles;            /* whether a key has one letter only */
    uint32_t *ends;         /* where key n ends in `letters`; it begins where the one before ends */
    Py_UCS4 *letters;
    struct range table[LETTERS][LETTERS];
};

struct text {
    Py_UCS4 *letters;
    Py_ssize_t size;
    PyObject *words;        /* a list of (start, end, word) */
    Py_ssize_t count;
};

static const Py_UCS4 *key_at(const struct keys *keys, uint32_t number, uint32_t *size)
{
    uint32_t start = number ? keys->ends[number - 1] : 0;
    *size = keys->ends[number] - start;
    return keys->letters + start;
}

/* The first key of the range whose next letter is at least `letter`; a key that ends there has none. */
static uint32_t first_from(const struct keys *keys, struct range range, uint64_t letter)
{
    uint32_t low = range.low, high = range.high, size;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        const Py_UCS4 *key = key_at(keys, middle, &size);
        if (size <= range.depth || key[range.depth] < letter)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct range narrowed(const struct keys *keys, struct range range, Py_UCS4 letter)
{
    uint32_t low = first_from(keys, range, letter);
    struct range rest = {low, range.high, range.depth};
    return (struct range){low, first_from(keys, rest, (uint64_t)letter + 1), range.depth + 1};
}

/* The number of the key that ends where the range has come to; -1 for none. Sorted, it is the first. */
static int64_t ended(const struct keys *keys, struct range range)
{
    uint32_t size;
    if (range.low >= range.high)
        return -1;
    key_at(keys, range.low, &size);
    return size == range.depth ? (int64_t)range.low : -1;
}

static int letter_number(Py_UCS4 letter)
{
    if (letter >= 'a' && letter <= 'z')
        return (int)(letter - 'a');
    return letter >= '0' && letter <= '9' ? (int)(letter - '0') + 26 : -1;
}

static struct range whole(const struct keys *keys)
{
    return (struct range){0, keys->count, 0};
}

/* Where the first letters lead: up to two of `start : end`, of which the table spares the search. */
static struct range begun(const struct keys *keys, const struct text *text, Py_ssize_t start, Py_ssize_t end)
{
    if (end - start < 2)
        return whole(keys);
    int first = letter_number(text->letters[start]), second = letter_number(text->letters[start + 1]);
    return first < 0 || second < 0 ? whole(keys) : keys->table[first][second];
}

static void fill_table(struct keys *keys)
{
    for (int first = 0; first < LETTERS; first++)
        for (int second = 0; second < LETTERS; second++) {
            Py_UCS4 one = (Py_UCS4)(first < 26 ? first + 'a' : first - 26 + '0');
            Py_UCS4 two = (Py_UCS4)(second < 26 ? second + 'a' : second - 26 + '0');
            keys->table[first][second] = narrowed(keys, narrowed(keys, whole(keys), one), two);
        }
}

static void release(struct keys *keys)
{
    if (!keys)
        return;
    free(keys->ends);
    free(keys->letters);
    free(keys);
}

static void drop(PyObject *capsule)
{
    release(PyCapsule_GetPointer(capsule, NAME));
}

/* The letters of all keys together; -1 with an exception set. */
static Py_ssize_t size_of(PyObject *list, Py_ssize_t count)
{
    Py_ssize_t sum = 0;
    for (Py_ssize_t number = 0; number < count; number++) {
        Py_ssize_t size = PyUnicode_GetLength(PyList_GetItem(list, number));
        if (size < 0)
            return -1;
        sum += size;
    }
    if (sum < INT32_MAX && count < INT32_MAX)
        return sum;
    PyErr_SetString(PyExc_ValueError, "too many keys");
    return -1;
}

/* Copy the keys; -1 with an exception set where one is no text. */
static int fill(struct keys *keys, PyObject *list)
{
    Py_ssize_t at = 0;
    for (uint32_t number = 0; number < keys->count; number++) {
        PyObject *key = PyList_GetItem(list, number);
        Py_ssize_t size = PyUnicode_GetLength(key);
        if (size > 0 && !PyUnicode_AsUCS4(key, keys->letters + at, size, 0))
            return -1;
        keys->singles |= size == 1;
        keys->ends[number] = (uint32_t)(at += size);
    }
    fill_table(keys);
    return 0;
}

static PyObject *sorted_keys(PyObject *self, PyObject *list)
{
    (void)self;
    if (!PyList_Check(list)) {
        PyErr_SetString(PyExc_TypeError, "keys are a sorted list of texts");
        return NULL;
    }
    Py_ssize_t count = PyList_Size(list), size = size_of(list, count);
    if (size < 0)
        return NULL;
    struct keys *keys = calloc(1, sizeof *keys);
    if (keys) {
        keys->count = (uint32_t)count;
        keys->ends = calloc((size_t)count + 1, sizeof *keys->ends);
        keys->letters = calloc((size_t)size + 1, sizeof *keys->letters);
    }
    PyObject *capsule = NULL;
    if (!keys || !keys->ends || !keys->letters)
        PyErr_NoMemory();
    else if (fill(keys, list) == 0)
        capsule = PyCapsule_New(keys, NAME, drop);
    if (!capsule)
        release(keys);
    return capsule;
}

/* Start and end of a word, kept within the text; -1 with an exception set. */
static int word_at(const struct text *text, Py_ssize_t number, Py_ssize_t *start, Py_ssize_t *end)
{
    PyObject *word = PyList_GetItem(text->words, number);
    if (!word || !PyTuple_Check(word) || PyTuple_Size(word) < 2) {
        PyErr_SetString(PyExc_TypeError, "words are a list of tuples");
        return -1;
    }
    *start = PyLong_AsSsize_t(PyTuple_GetItem(word, 0));
    *end = PyLong_AsSsize_t(PyTuple_GetItem(word, 1));
    if (PyErr_Occurred())
        return -1;
    if (*start >= 0 && *start <= *end && *end <= text->size)
        return 0;
    PyErr_SetString(PyExc_ValueError, "a word lies outside the text");
    return -1;
}

/* A walk over the words of one name. `unmarked` is where it was before the marks for long vowels at the end. */
struct walk {
    struct range range, unmarked;
    int marked;
};

static int alive(struct range range)
{
    return range.low < range.high;
}

static int can_go_on(const struct walk *walk)
{
    return alive(walk->range);
}

static void step(const struct keys *keys, struct walk *walk, Py_UCS4 letter)
{
    if (letter != LONG_MARK)
        walk->marked = 0;
    else if (!walk->marked) {
        walk->marked = 1;
        walk->unmarked = walk->range;
    }
    walk->range = narrowed(keys, walk->range, letter);
}

/* Walk the letters of one word. Where none of the keys goes on, only marks for long vowels may still follow. */
static void walk_word(const struct keys *keys, struct walk *walk, const struct text *text, Py_ssize_t start, Py_ssize_t end)
{
    for (Py_ssize_t at = start; at < end; at++) {
        if (!can_go_on(walk) && !(walk->marked && text->letters[at] == LONG_MARK)) {
            walk->marked = 0;
            return;
        }
        step(keys, walk, text->letters[at]);
    }
}

/* The number of the key that the walk spells, long marks at its end aside; -1 for none. */
static int64_t spelled(const struct keys *keys, const struct walk *walk)
{
    return ended(keys, walk->marked ? walk->unmarked : walk->range);
}

/* Whether what stands between two words may stand inside a name: a blank, or a hyphen, dot or the like. */
static int joins(const struct text *text, Py_ssize_t start, Py_ssize_t end)
{
    const Py_UCS4 *gap = text->letters + start;
    Py_ssize_t size = end - start;
    if (size == 1 && *gap == ' ')
        return 1;
    if (size < 1 || size > MAX_GAP)
        return 0;
    if (*gap == ' ') {
        gap++;
        size--;
    }
    if (*gap != '-' && *gap != '_' && *gap != '.' && *gap != MIDDLE_DOT)
        return 0;
    return size == 1 || (size == 2 && gap[1] == ' ');
}

struct hit {
    Py_ssize_t start, end, taken;
    int64_t key;
};

/* The longest name from word `first` on; -1 with an exception set, 0 for none. */
static int longest(const struct keys *keys, const struct text *text, Py_ssize_t first, struct walk *walk, struct hit *hit)
{
    Py_ssize_t start, end, before = hit->end;
    for (Py_ssize_t number = first; number < first + MAX_WORDS && number < text->count; number++) {
        if (number > first) {
            if (!can_go_on(walk))
                break;
            if (word_at(text, number, &start, &end) < 0)
                return -1;
            if (start < before || !joins(text, before, start))
                break;
            walk_word(keys, walk, text, start, end);
            before = end;
        }
        int64_t key = spelled(keys, walk);
        if (key >= 0) {
            hit->key = key;
            hit->end = before;
            hit->taken = number - first + 1;
        }
    }
    return hit->key >= 0;
}

/* Whether the first letters of the word begin one of the keys. */
static int begins(const struct keys *keys, const struct text *text, Py_ssize_t start, Py_ssize_t end)
{
    struct range range = whole(keys);
    for (Py_ssize_t at = start; at < end && at < start + HEAD && alive(range); at++)
        range = narrowed(keys, range, text->letters[at]);
    return alive(range);
}

static int is_small(PyObject *written, Py_ssize_t place)
{
    Py_UCS4 letter = PyUnicode_ReadChar(written, place);
    return letter >= 'a' && letter <= 'z';
}

/* Look for a name that begins with the word `number`; as `longest`. */
static int name_at(const struct keys *const keys[2], PyObject *written, const struct text *text, Py_ssize_t number, struct hit *hit)
{
    if (word_at(text, number, &hit->start, &hit->end) < 0)
        return -1;
    struct walk walk = {begun(keys[0], text, hit->start, hit->end), whole(keys[0]), 0};
    if (!alive(walk.range))
        return 0;
    walk_word(keys[0], &walk, text, hit->start + walk.range.depth, hit->end);
    if (!can_go_on(&walk) && !walk.marked)
        return 0;
    int exact = ended(keys[0], walk.range) >= 0;
    if (!exact && is_small(written, hit->start) && !begins(keys[1], text, hit->start, hit->end))
        return 0;
    return longest(keys[0], text, number, &walk, hit);
}

static int put(PyObject *list, PyObject *item)
{
    int failed = item ? PyList_Append(list, item) : -1;
    Py_XDECREF(item);
    return failed;
}

static int find_names(const struct keys *const keys[2], PyObject *written, const struct text *text, PyObject *list)
{
    for (Py_ssize_t number = 0; number < text->count; number++) {
        struct hit hit = {0, 0, 1, -1};
        int found = name_at(keys, written, text, number, &hit);
        if (found < 0 || (found && put(list, Py_BuildValue("nnL", hit.start, hit.end, (long long)hit.key)) < 0))
            return -1;
        number += found ? hit.taken - 1 : 0;
    }
    return 0;
}

/* Append every key that stands at the beginning of a word, the shortest first. */
static int find_phrases(const struct keys *keys, const struct text *text, PyObject *list)
{
    Py_ssize_t start, end;
    for (Py_ssize_t number = 0; number < text->count; number++) {
        if (word_at(text, number, &start, &end) < 0)
            return -1;
        struct range range = keys->singles ? whole(keys) : begun(keys, text, start, text->size);
        for (;;) {
            int64_t key = ended(keys, range);
            if (key >= 0 && put(list, Py_BuildValue("nL", number, (long long)key)) < 0)
                return -1;
            if (!alive(range) || start + range.depth >= text->size)
                break;
            range = narrowed(keys, range, text->letters[start + range.depth]);
        }
    }
    return 0;
}

static const struct keys *keys_of(PyObject *capsule)
{
    return PyCapsule_GetPointer(capsule, NAME);
}

static int open_text(struct text *text, PyObject *lowered, PyObject *words)
{
    text->size = PyUnicode_GetLength(lowered);
    text->words = words;
    text->count = PyList_Size(words);
    text->letters = PyUnicode_AsUCS4Copy(lowered);
    return text->letters ? 0 : -1;
}

static PyObject *names(PyObject *self, PyObject *arguments)
{
    (void)self;
    PyObject *all, *small, *written, *lowered, *words;
    struct text text;
    if (!PyArg_ParseTuple(arguments, "OOUUO!", &all, &small, &written, &lowered, &PyList_Type, &words))
        return NULL;
    const struct keys *keys[2] = {keys_of(all), NULL};
    if (!keys[0] || !(keys[1] = keys_of(small)))
        return NULL;
    if (PyUnicode_GetLength(written) != PyUnicode_GetLength(lowered)) {
        PyErr_SetString(PyExc_ValueError, "the text in lower case has another length");
        return NULL;
    }
    if (open_text(&text, lowered, words) < 0)
        return NULL;
    PyObject *list = PyList_New(0);
    if (list && find_names(keys, written, &text, list) < 0)
        Py_CLEAR(list);
    PyMem_Free(text.letters);
    return list;
}

static PyObject *phrases(PyObject *self, PyObject *arguments)
{
    (void)self;
    PyObject *capsule, *lowered, *words;
    struct text text;
    if (!PyArg_ParseTuple(arguments, "OUO!", &capsule, &lowered, &PyList_Type, &words))
        return NULL;
    const struct keys *keys = keys_of(capsule);
    if (!keys || open_text(&text, lowered, words) < 0)
        return NULL;
    PyObject *list = PyList_New(0);
    if (list && find_phrases(keys, &text, list) < 0)
        Py_CLEAR(list);
    PyMem_Free(text.letters);
    return list;
}

PyDoc_STRVAR(sorted_doc, "sorted_keys(keys, /)\n--\n\nReturn what the other two look for: a sorted list of different texts.");
PyDoc_STRVAR(names_doc, "names(keys, small, text, lowered, words, /)\n--\n\n"
                        "Return (start, end, number of the key) of the longest names, from left to right.");
PyDoc_STRVAR(phrases_doc, "phrases(keys, lowered, words, /)\n--\n\n"
                          "Return (number of the word, number of the key) where a key stands at a word's beginning.");

static PyMethodDef METHODS[] = {
    {"sorted_keys", sorted_keys, METH_O, sorted_doc},
    {"names", names, METH_VARARGS, names_doc},
    {"phrases", phrases, METH_VARARGS, phrases_doc},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef MODULE = {
    PyModuleDef_HEAD_INIT, "keys", "Many keys looked for at the words of a text.", -1, METHODS, NULL, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit_keys(void)
{
    return PyModule_Create(&MODULE);
}
