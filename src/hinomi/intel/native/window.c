/* What every family of indicators asks of a window of a report, again and again: where a place stands in the original
 * text, what its line says before and behind it, what is taken already; and the tokens that most families begin with.
 *
 * `indicators/window.py` is the same in Python, and says what each question means.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define LINE 400            /* as in window.py */
#define MAX_TOKEN 300
#define HEX_RUN 8
#define FIRST_LETTER 0xc0u  /* of the letters beyond ASCII that a label may have */
#define LAST_LETTER 0x58fu

typedef struct {
    PyObject_HEAD
    PyObject *text;
    PyObject *lower;
    Py_ssize_t size;
    Py_ssize_t base;
    uint8_t *taken;
    Py_ssize_t *newlines;
    Py_ssize_t lines;
    Py_ssize_t *edits;      /* four rows of `edited`: place, length, first, last */
    Py_ssize_t edited;
    Py_ssize_t *folds;      /* two rows of `folded`: start, shift */
    Py_ssize_t folded;
    Py_ssize_t asked;       /* an offset and where its line starts: several questions are asked of one place */
    Py_ssize_t answer;
} Window;

static PyTypeObject *window_type;
static uint8_t in_label[LAST_LETTER + 1];   /* 1: may stand in a label; 2: and may begin one behind a dot */

static Py_ssize_t most(Py_ssize_t one, Py_ssize_t other)
{
    return one > other ? one : other;
}

/* How many of the ascending numbers are below `number` (`behind`: or equal to it). */
static Py_ssize_t count_below(const Py_ssize_t *numbers, Py_ssize_t count, Py_ssize_t number, int behind)
{
    Py_ssize_t low = 0, high = count;
    while (low < high) {
        Py_ssize_t middle = low + (high - low) / 2;
        if (numbers[middle] < number || (behind && numbers[middle] == number))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Copy a sequence of numbers; -1 with an exception set. */
static int copy_numbers(PyObject *sequence, Py_ssize_t *into, Py_ssize_t count)
{
    for (Py_ssize_t at = 0; at < count; at++) {
        PyObject *item = PySequence_GetItem(sequence, at);
        into[at] = item ? PyLong_AsSsize_t(item) : -1;
        Py_XDECREF(item);
        if (into[at] == -1 && PyErr_Occurred())
            return -1;
    }
    return 0;
}

/* Copy a sequence of pairs of numbers into two rows; -1 with an exception set. */
static int copy_pairs(PyObject *sequence, Py_ssize_t *first, Py_ssize_t *second, Py_ssize_t count)
{
    for (Py_ssize_t at = 0; at < count; at++) {
        PyObject *item = PySequence_GetItem(sequence, at);
        int good = item && PyTuple_Check(item) && PyArg_ParseTuple(item, "nn", &first[at], &second[at]);
        Py_XDECREF(item);
        if (!good) {
            if (!PyErr_Occurred())
                PyErr_SetString(PyExc_TypeError, "a span is a pair of numbers");
            return -1;
        }
    }
    return 0;
}

static Py_ssize_t *rows(Py_ssize_t number, Py_ssize_t count)
{
    Py_ssize_t *made = calloc((size_t)most(number * count, 1), sizeof *made);
    if (!made)
        PyErr_NoMemory();
    return made;
}

/* Copy sequences of equal lengths into rows; -1 with an exception set. */
static int take_edits(Window *self, PyObject *places, PyObject *lengths, PyObject *spans)
{
    Py_ssize_t count = self->edited = PySequence_Size(places);
    if (count < 0 || PySequence_Size(lengths) != count || PySequence_Size(spans) != count) {
        if (!PyErr_Occurred())
            PyErr_SetString(PyExc_ValueError, "edits have a place, a length and a span each");
        return -1;
    }
    Py_ssize_t *edits = self->edits = rows(4, count);
    if (!edits || copy_numbers(places, edits, count) < 0 || copy_numbers(lengths, edits + count, count) < 0)
        return -1;
    return copy_pairs(spans, edits + 2 * count, edits + 3 * count, count);
}

static int take_folds(Window *self, PyObject *starts, PyObject *shifts)
{
    Py_ssize_t count = self->folded = PySequence_Size(starts);
    if (count < 0 || PySequence_Size(shifts) != count) {
        if (!PyErr_Occurred())
            PyErr_SetString(PyExc_ValueError, "folded places have a start and a shift each");
        return -1;
    }
    Py_ssize_t *folds = self->folds = rows(2, count);
    return folds && copy_numbers(starts, folds, count) == 0 ? copy_numbers(shifts, folds + count, count) : -1;
}

/* Note where the text's lines end; -1 with an exception set. */
static int find_lines(Window *self)
{
    Py_ssize_t room = 1024, place = -1;
    self->newlines = malloc((size_t)room * sizeof *self->newlines);
    while (self->newlines && (place = PyUnicode_FindChar(self->text, '\n', place + 1, self->size, 1)) >= 0) {
        if (self->lines == room) {
            room *= 2;
            Py_ssize_t *larger = realloc(self->newlines, (size_t)room * sizeof *larger);
            if (!larger)
                break;
            self->newlines = larger;
        }
        self->newlines[self->lines++] = place;
    }
    if (place == -1 && self->newlines)
        return 0;
    if (!PyErr_Occurred())
        PyErr_NoMemory();
    return -1;
}

static int window_init(PyObject *object, PyObject *arguments, PyObject *keywords)
{
    Window *self = (Window *)object;
    PyObject *text, *lower, *places, *lengths, *spans, *starts, *shifts;
    Py_ssize_t base;
    if (keywords || self->text) {
        PyErr_SetString(PyExc_TypeError, "a window is made once, of arguments without names");
        return -1;
    }
    if (!PyArg_ParseTuple(arguments, "UUOOOOOn", &text, &lower, &places, &lengths, &spans, &starts, &shifts, &base))
        return -1;
    self->size = PyUnicode_GetLength(text);
    if (PyUnicode_GetLength(lower) != self->size) {
        PyErr_SetString(PyExc_ValueError, "the text in lower case has another length");
        return -1;
    }
    Py_INCREF(text);
    Py_INCREF(lower);
    self->text = text;
    self->lower = lower;
    self->base = base;
    self->asked = -1;
    self->taken = calloc((size_t)most(self->size, 1), 1);
    if (!self->taken) {
        PyErr_NoMemory();
        return -1;
    }
    if (take_edits(self, places, lengths, spans) < 0 || take_folds(self, starts, shifts) < 0)
        return -1;
    return find_lines(self);
}

static void window_free(PyObject *object)
{
    Window *self = (Window *)object;
    PyTypeObject *type = Py_TYPE(object);
    Py_XDECREF(self->text);
    Py_XDECREF(self->lower);
    free(self->taken);
    free(self->newlines);
    free(self->edits);
    free(self->folds);
    freefunc release = (freefunc)PyType_GetSlot(type, Py_tp_free);
    release(object);
    Py_DECREF(type);
}

/* The one or two numbers of a call; -1 with an exception set. */
static int numbers_of(PyObject *const *arguments, Py_ssize_t given, Py_ssize_t *numbers, Py_ssize_t least, Py_ssize_t room)
{
    if (given < least || given > room) {
        PyErr_SetString(PyExc_TypeError, "another number of arguments is wanted");
        return -1;
    }
    for (Py_ssize_t at = 0; at < given; at++) {
        numbers[at] = PyLong_AsSsize_t(arguments[at]);
        if (numbers[at] == -1 && PyErr_Occurred())
            return -1;
    }
    return 0;
}

/* `[0] : [1]`, kept within the text; -1 with an exception set. */
static int span_of(const Window *self, PyObject *const *arguments, Py_ssize_t given, Py_ssize_t *span)
{
    if (numbers_of(arguments, given, span, 2, 2) < 0)
        return -1;
    span[0] = most(span[0], 0);
    span[1] = span[1] < self->size ? span[1] : self->size;
    return 0;
}

static PyObject *window_take(PyObject *object, PyObject *const *arguments, Py_ssize_t given)
{
    Window *self = (Window *)object;
    Py_ssize_t span[2];
    if (span_of(self, arguments, given, span) < 0)
        return NULL;
    if (span[0] < span[1])
        memset(self->taken + span[0], 1, (size_t)(span[1] - span[0]));
    Py_RETURN_NONE;
}

static PyObject *window_taken(PyObject *object, PyObject *const *arguments, Py_ssize_t given)
{
    Window *self = (Window *)object;
    Py_ssize_t span[2];
    if (span_of(self, arguments, given, span) < 0)
        return NULL;
    int any = span[0] < span[1] && memchr(self->taken + span[0], 1, (size_t)(span[1] - span[0])) != NULL;
    return PyBool_FromLong(any);
}

/* An offset before refanging. Edit n put `length` characters at `place` for the original `first : last`. */
static Py_ssize_t unedited(const Window *self, Py_ssize_t offset, int behind)
{
    const Py_ssize_t *place = self->edits, *length = place + self->edited;
    const Py_ssize_t *first = length + self->edited, *last = first + self->edited;
    Py_ssize_t number = count_below(place, self->edited, offset, !behind) - 1;
    if (number < 0)
        return offset;
    if (offset >= place[number] + length[number])
        return last[number] + offset - place[number] - length[number];
    return behind ? last[number] : first[number];
}

static Py_ssize_t unfolded(const Window *self, Py_ssize_t offset)
{
    Py_ssize_t number = count_below(self->folds, self->folded, offset, 1) - 1;
    return number < 0 ? offset : offset + self->folds[self->folded + number];
}

static PyObject *window_original(PyObject *object, PyObject *const *arguments, Py_ssize_t given)
{
    const Window *self = (const Window *)object;
    Py_ssize_t span[2];
    if (numbers_of(arguments, given, span, 2, 2) < 0)
        return NULL;
    if (self->edited) {
        Py_ssize_t start = unedited(self, span[0], 0);
        span[1] = unedited(self, span[1], 1);
        span[0] = start;
    }
    if (self->folded) {
        span[0] = unfolded(self, span[0]);
        span[1] = unfolded(self, span[1] - 1) + 1;
    }
    return Py_BuildValue("nn", span[0] + self->base, span[1] + self->base);
}

static PyObject *window_defanged(PyObject *object, PyObject *const *arguments, Py_ssize_t given)
{
    const Window *self = (const Window *)object;
    Py_ssize_t span[2];
    if (numbers_of(arguments, given, span, 2, 2) < 0)
        return NULL;
    Py_ssize_t number = count_below(self->edits, self->edited, span[1], 0) - 1;
    return PyBool_FromLong(number >= 0 && self->edits[number] + self->edits[self->edited + number] > span[0]);
}

static Py_ssize_t line_start(Window *self, Py_ssize_t offset)
{
    if (offset != self->asked) {
        Py_ssize_t low = most(0, offset - LINE), number = count_below(self->newlines, self->lines, offset, 0) - 1;
        self->asked = offset;
        self->answer = number >= 0 && self->newlines[number] >= low ? self->newlines[number] + 1 : low;
    }
    return self->answer;
}

static PyObject *window_line_start(PyObject *object, PyObject *offset)
{
    Py_ssize_t number = PyLong_AsSsize_t(offset);
    if (number == -1 && PyErr_Occurred())
        return NULL;
    return PyLong_FromSsize_t(line_start((Window *)object, number));
}

/* A slice of the text in lower case. */
static PyObject *slice(const Window *self, Py_ssize_t start, Py_ssize_t end)
{
    return PyUnicode_Substring(self->lower, most(start, 0), most(end, 0));
}

static PyObject *window_before(PyObject *object, PyObject *const *arguments, Py_ssize_t given)
{
    Window *self = (Window *)object;
    Py_ssize_t asked[2] = {0, 60};
    if (numbers_of(arguments, given, asked, 1, 2) < 0)
        return NULL;
    return slice(self, most(line_start(self, asked[0]), asked[0] - asked[1]), asked[0]);
}

static PyObject *window_after(PyObject *object, PyObject *const *arguments, Py_ssize_t given)
{
    Window *self = (Window *)object;
    Py_ssize_t asked[2] = {0, 60};
    if (numbers_of(arguments, given, asked, 1, 2) < 0)
        return NULL;
    Py_ssize_t number = count_below(self->newlines, self->lines, asked[0], 0), end = asked[0] + asked[1];
    if (number < self->lines && self->newlines[number] < end)
        end = self->newlines[number];
    return slice(self, asked[0], end);
}

static int is_label(Py_UCS4 character)
{
    return character <= LAST_LETTER && in_label[character];
}

/* Append the span `start : end`; -1 with an exception set. */
static int put(PyObject *list, Py_ssize_t start, Py_ssize_t end)
{
    PyObject *span = Py_BuildValue("nn", start, end);
    int failed = span ? PyList_Append(list, span) : -1;
    Py_XDECREF(span);
    return failed;
}

/* Where the labels joined by dots end that begin at `at`. */
static Py_ssize_t labels_end(const Py_UCS4 *text, Py_ssize_t size, Py_ssize_t at)
{
    for (;;) {
        while (at < size && is_label(text[at]))
            at++;
        if (at + 1 >= size || text[at] != '.' || !is_label(text[at + 1]))
            return at;
        at++;
    }
}

static int find_dotted(const Py_UCS4 *text, Py_ssize_t size, PyObject *list)
{
    Py_ssize_t low = 0;
    for (Py_ssize_t at = 1; at + 1 < size; at++) {
        if (text[at] != '.' || at < low || text[at + 1] > LAST_LETTER || in_label[text[at + 1]] != 2)
            continue;
        Py_ssize_t start = at, floor = most(low, at - MAX_TOKEN);
        while (start > floor && is_label(text[start - 1]))
            start--;
        low = labels_end(text, size, at + 1);
        if (start < at && low - start <= MAX_TOKEN && put(list, start, low) < 0)
            return -1;
    }
    return 0;
}

static int is_hex(Py_UCS4 character)
{
    return (character >= '0' && character <= '9') || (character < 0x80 && (character | 0x20) >= 'a' && (character | 0x20) <= 'f');
}

static int find_hex(const Py_UCS4 *text, Py_ssize_t size, PyObject *list)
{
    for (Py_ssize_t at = 0; at < size; at++) {
        Py_ssize_t start = at;
        while (at < size && is_hex(text[at]))
            at++;
        if (at - start >= HEX_RUN && put(list, start, at) < 0)
            return -1;
    }
    return 0;
}

static PyObject *tokens(const Window *self, int (*find)(const Py_UCS4 *, Py_ssize_t, PyObject *))
{
    PyObject *list = PyList_New(0);
    Py_UCS4 *text = list ? PyUnicode_AsUCS4Copy(self->text) : NULL;
    if (!text || find(text, self->size, list) < 0)
        Py_CLEAR(list);
    PyMem_Free(text);
    return list;
}

static PyObject *window_dotted(PyObject *self, PyObject *none)
{
    (void)none;
    return tokens((const Window *)self, find_dotted);
}

static PyObject *window_hex_runs(PyObject *self, PyObject *none)
{
    (void)none;
    return tokens((const Window *)self, find_hex);
}

PyDoc_STRVAR(window_doc, "Window(text, lower, places, lengths, spans, starts, shifts, base, /)\n--\n\n"
                         "As hinomi.intel.indicators.window.Window.");

static PyMethodDef METHODS[] = {
    {"take", (PyCFunction)(void (*)(void))window_take, METH_FASTCALL, NULL},
    {"taken", (PyCFunction)(void (*)(void))window_taken, METH_FASTCALL, NULL},
    {"original", (PyCFunction)(void (*)(void))window_original, METH_FASTCALL, NULL},
    {"defanged", (PyCFunction)(void (*)(void))window_defanged, METH_FASTCALL, NULL},
    {"line_start", window_line_start, METH_O, NULL},
    {"before", (PyCFunction)(void (*)(void))window_before, METH_FASTCALL, NULL},
    {"after", (PyCFunction)(void (*)(void))window_after, METH_FASTCALL, NULL},
    {"dotted", window_dotted, METH_NOARGS, NULL},
    {"hex_runs", window_hex_runs, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot SLOTS[] = {
    {Py_tp_doc, (void *)window_doc},
    {Py_tp_new, (void *)PyType_GenericNew},
    {Py_tp_init, (void *)window_init},
    {Py_tp_dealloc, (void *)window_free},
    {Py_tp_methods, METHODS},
    {0, NULL},
};

static PyType_Spec SPEC = {"hinomi.intel.native.window.Window", sizeof(Window), 0, Py_TPFLAGS_DEFAULT, SLOTS};

static struct PyModuleDef MODULE = {
    PyModuleDef_HEAD_INIT, "window", "A window of a report, as its families of indicators ask it.", -1, NULL, NULL, NULL, NULL, NULL,
};

/* Whether Python takes the character for a letter or a digit; -1 with an exception set. */
static int is_alnum(Py_UCS4 code)
{
    PyObject *one = PyUnicode_FromOrdinal((int)code);
    PyObject *answer = one ? PyObject_CallMethod(one, "isalnum", NULL) : NULL;
    int is = answer ? PyObject_IsTrue(answer) : -1;
    Py_XDECREF(answer);
    Py_XDECREF(one);
    return is;
}

static int fill_labels(void)
{
    for (Py_UCS4 code = 0; code <= LAST_LETTER; code++) {
        int alnum = code == '_' ? 1 : is_alnum(code);
        if (alnum < 0)
            return -1;
        int may = code < 0x80 ? alnum || code == '-' : code >= FIRST_LETTER;
        in_label[code] = (uint8_t)(may ? 1 + alnum : 0);
    }
    return 0;
}

PyMODINIT_FUNC PyInit_window(void)
{
    if (fill_labels() < 0)
        return NULL;
    PyObject *module = PyModule_Create(&MODULE);
    if (!module)
        return NULL;
    window_type = (PyTypeObject *)PyType_FromSpec(&SPEC);
    if (!window_type || PyModule_AddType(module, window_type) < 0)
        Py_CLEAR(module);
    return module;
}
