/* The words of a text and where each stands, where any of several literals begins, and long runs: each in one pass.
 *
 * `vocabulary/words.py`, `literals.py` and `indicators/scan.py` are the same in Python, and say what is a word and what is found.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define NAME "hinomi.literals"
#define LONG_RUN 26         /* as in scan.py */
#define HEADS 256           /* how many beginnings of literals are told apart, by their first letters' low bits */

/* Which run of letters a character can stand in; 0: in none. */
static int script(Py_UCS4 letter)
{
    if (letter < 0x80)
        return (letter >= 'a' && letter <= 'z') || (letter >= '0' && letter <= '9');
    if (letter >= 0xdf && letter <= 0x24f)
        return 1;
    if ((letter >= 0x30a1 && letter <= 0x30fa) || letter == 0x30fc)
        return 2;
    if ((letter >= 0x4e00 && letter <= 0x9fff) || letter == 0x3005)
        return 3;
    return letter >= 0x3041 && letter <= 0x3096 ? 4 : 0;
}

static int put(PyObject *list, PyObject *item)
{
    int failed = item ? PyList_Append(list, item) : -1;
    Py_XDECREF(item);
    return failed;
}

static int put_words(PyObject *list, PyObject *lowered, const Py_UCS4 *letters, Py_ssize_t size)
{
    for (Py_ssize_t start = 0, end; start < size; start = end) {
        int of = script(letters[start]);
        for (end = start + 1; end < size && script(letters[end]) == of;)
            end++;
        if (of && put(list, Py_BuildValue("nnN", start, end, PyUnicode_Substring(lowered, start, end))) < 0)
            return -1;
    }
    return 0;
}

static PyObject *split(PyObject *self, PyObject *lowered)
{
    (void)self;
    if (!PyUnicode_Check(lowered)) {
        PyErr_SetString(PyExc_TypeError, "words are those of a text");
        return NULL;
    }
    Py_UCS4 *letters = PyUnicode_AsUCS4Copy(lowered);
    PyObject *list = letters ? PyList_New(0) : NULL;
    if (list && put_words(list, lowered, letters, PyUnicode_GetLength(lowered)) < 0)
        Py_CLEAR(list);
    PyMem_Free(letters);
    return list;
}

/* Append a number to the list that the word has in the table; -1 with an exception set. */
static int note(PyObject *table, PyObject *word, Py_ssize_t number)
{
    PyObject *list = PyDict_GetItemWithError(table, word);
    if (list)
        return put(list, PyLong_FromSsize_t(number));
    if (PyErr_Occurred() || !(list = PyList_New(0)))
        return -1;
    int failed = put(list, PyLong_FromSsize_t(number)) < 0 || PyDict_SetItem(table, word, list) < 0;
    Py_DECREF(list);
    return failed ? -1 : 0;
}

static PyObject *places(PyObject *self, PyObject *words)
{
    (void)self;
    PyObject *table = PyList_Check(words) ? PyDict_New() : NULL;
    if (!table && !PyErr_Occurred())
        PyErr_SetString(PyExc_TypeError, "words are a list of tuples");
    for (Py_ssize_t number = 0; table && number < PyList_Size(words); number++) {
        PyObject *item = PyList_GetItem(words, number);
        PyObject *word = item && PyTuple_Check(item) ? PyTuple_GetItem(item, 2) : NULL;
        if (!word && !PyErr_Occurred())
            PyErr_SetString(PyExc_TypeError, "words are a list of tuples");
        if (!word || note(table, word, number) < 0)
            Py_CLEAR(table);
    }
    return table;
}

static int is_alnum(Py_UCS4 letter)
{
    Py_UCS4 small = letter | 0x20;
    return letter < 0x80 && ((letter >= '0' && letter <= '9') || (small >= 'a' && small <= 'z'));
}

static int put_runs(PyObject *list, const Py_UCS4 *letters, Py_ssize_t size)
{
    for (Py_ssize_t at = 0; at < size; at++) {
        Py_ssize_t start = at;
        while (at < size && is_alnum(letters[at]))
            at++;
        if (at - start >= LONG_RUN && put(list, Py_BuildValue("nn", start, at)) < 0)
            return -1;
    }
    return 0;
}

static PyObject *long_runs(PyObject *self, PyObject *text)
{
    (void)self;
    if (!PyUnicode_Check(text)) {
        PyErr_SetString(PyExc_TypeError, "runs are those of a text");
        return NULL;
    }
    Py_UCS4 *letters = PyUnicode_AsUCS4Copy(text);
    PyObject *list = letters ? PyList_New(0) : NULL;
    if (list && put_runs(list, letters, PyUnicode_GetLength(text)) < 0)
        Py_CLEAR(list);
    PyMem_Free(letters);
    return list;
}

struct literal {
    Py_UCS4 *letters;
    Py_ssize_t size;
    struct literal *next;   /* of those whose first letter has the same low bits */
};

struct literals {
    Py_ssize_t count;
    struct literal *heads[HEADS];
    struct literal all[];
};

static void release(struct literals *made)
{
    for (Py_ssize_t number = 0; made && number < made->count; number++)
        PyMem_Free(made->all[number].letters);
    free(made);
}

static void drop(PyObject *capsule)
{
    release(PyCapsule_GetPointer(capsule, NAME));
}

/* Copy one literal; -1 with an exception set. */
static int fill(struct literals *made, Py_ssize_t number, PyObject *text)
{
    struct literal *literal = &made->all[number];
    literal->size = PyUnicode_Check(text) ? PyUnicode_GetLength(text) : 0;
    if (literal->size < 1) {
        PyErr_SetString(PyExc_TypeError, "a literal is a text that is not empty");
        return -1;
    }
    literal->letters = PyUnicode_AsUCS4Copy(text);
    if (!literal->letters)
        return -1;
    struct literal **head = &made->heads[literal->letters[0] % HEADS];
    literal->next = *head;
    *head = literal;
    return 0;
}

static PyObject *literals(PyObject *self, PyObject *texts)
{
    (void)self;
    if (!PyTuple_Check(texts)) {
        PyErr_SetString(PyExc_TypeError, "literals are a tuple of texts");
        return NULL;
    }
    Py_ssize_t count = PyTuple_Size(texts);
    struct literals *made = calloc(1, sizeof *made + (size_t)count * sizeof *made->all);
    if (!made)
        return PyErr_NoMemory();
    made->count = count;
    PyObject *capsule = NULL;
    Py_ssize_t filled = 0;
    while (filled < count && fill(made, filled, PyTuple_GetItem(texts, filled)) == 0)
        filled++;
    if (filled == count)
        capsule = PyCapsule_New(made, NAME, drop);
    if (!capsule)
        release(made);
    return capsule;
}

static int stands(const struct literal *literal, const Py_UCS4 *letters, Py_ssize_t left)
{
    if (literal->size > left || (literal->size > 1 && literal->letters[1] != letters[1]))
        return 0;
    return memcmp(literal->letters, letters, (size_t)literal->size * sizeof *letters) == 0;
}

/* Append where the literals begin; `free_from`: where each may begin again, as it is not found within itself. */
static int put_places(PyObject *list, const struct literals *made, Py_ssize_t *free_from, const Py_UCS4 *letters, Py_ssize_t size)
{
    for (Py_ssize_t at = 0; at < size; at++) {
        for (const struct literal *one = made->heads[letters[at] % HEADS]; one; one = one->next) {
            Py_ssize_t *from = &free_from[one - made->all];
            if (at < *from || !stands(one, letters + at, size - at))
                continue;
            *from = at + one->size;
            if (put(list, PyLong_FromSsize_t(at)) < 0)
                return -1;
        }
    }
    return 0;
}

static PyObject *occurrences(PyObject *self, PyObject *arguments)
{
    (void)self;
    PyObject *capsule, *text;
    if (!PyArg_ParseTuple(arguments, "OU", &capsule, &text))
        return NULL;
    const struct literals *made = PyCapsule_GetPointer(capsule, NAME);
    if (!made)
        return NULL;
    Py_ssize_t *free_from = PyMem_Calloc((size_t)made->count + 1, sizeof *free_from);
    Py_UCS4 *letters = free_from ? PyUnicode_AsUCS4Copy(text) : NULL;
    PyObject *list = letters ? PyList_New(0) : NULL;
    if (!free_from)
        PyErr_NoMemory();
    if (list && put_places(list, made, free_from, letters, PyUnicode_GetLength(text)) < 0)
        Py_CLEAR(list);
    PyMem_Free(letters);
    PyMem_Free(free_from);
    return list;
}

PyDoc_STRVAR(split_doc, "split(lowered, /)\n--\n\nReturn (start, end, word) of the runs of letters and digits of one script.");
PyDoc_STRVAR(places_doc, "places(words, /)\n--\n\nReturn, by distinct word, the numbers of its places, ascending.");
PyDoc_STRVAR(runs_doc, "long_runs(text, /)\n--\n\nReturn (start, end) of the runs of 26 or more ASCII letters and digits.");
PyDoc_STRVAR(literals_doc, "literals(texts, /)\n--\n\nReturn what `occurrences` looks for.");
PyDoc_STRVAR(occurrences_doc, "occurrences(literals, text, /)\n--\n\nReturn the offsets where any literal begins, ascending.");

static PyMethodDef METHODS[] = {
    {"split", split, METH_O, split_doc},
    {"places", places, METH_O, places_doc},
    {"long_runs", long_runs, METH_O, runs_doc},
    {"literals", literals, METH_O, literals_doc},
    {"occurrences", occurrences, METH_VARARGS, occurrences_doc},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef MODULE = {
    PyModuleDef_HEAD_INIT, "words", "Words and literals of a text.", -1, METHODS, NULL, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit_words(void)
{
    return PyModule_Create(&MODULE);
}
