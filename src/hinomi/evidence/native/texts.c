/* Where a program's data says something: the places that `evidence/elf/strings.py` looks at, found in one pass each.
 *
 * Every function looks from a position on, gives at most `room` places and where to go on, so that no content makes
 * the answers large. What is found is judged in Python; the expressions there and the tests here mean the same.
 */
#include "core.h"

#define MAX_STRING 300      /* as in strings.py */
#define MAX_ROOM 65536

enum tail { IPV4, HOST, URL };
enum anchor { SLASH, OPTION, FORMAT };
enum sure { ASK, PATH, ROOT };

#define LONGEST_WORD 24     /* no known ending or command is longer */

struct data {
    const uint8_t *bytes;
    Py_ssize_t size;
    PyObject *words;        /* a frozenset of bytes: endings of hosts, or commands */
};

/* Whether the bytes, in lower case where `folded`, are one of the words; -1 with an exception set. */
static int is_known(const struct data *data, const uint8_t *text, Py_ssize_t size, int folded)
{
    char word[LONGEST_WORD];
    if (size < 1 || size > LONGEST_WORD)
        return 0;
    for (Py_ssize_t at = 0; at < size; at++)
        word[at] = (char)(folded && text[at] >= 'A' && text[at] <= 'Z' ? text[at] | 0x20 : text[at]);
    PyObject *key = PyBytes_FromStringAndSize(word, size);
    int known = key ? PySequence_Contains(data->words, key) : -1;
    Py_XDECREF(key);
    return known;
}

static int is_digit(uint8_t byte)
{
    return byte >= '0' && byte <= '9';
}

static int is_letter(uint8_t byte)
{
    return (byte | 0x20) >= 'a' && (byte | 0x20) <= 'z';
}

static int is_one_of(uint8_t byte, const char *more)
{
    return is_digit(byte) || is_letter(byte) || (byte && strchr(more, byte));
}

static Py_ssize_t least(Py_ssize_t one, Py_ssize_t other)
{
    return one < other ? one : other;
}

static Py_ssize_t digits(const struct data *data, Py_ssize_t at, Py_ssize_t most)
{
    Py_ssize_t count = 0;
    while (count < most && at + count < data->size && is_digit(data->bytes[at + count]))
        count++;
    return count;
}

static int at_byte(const struct data *data, Py_ssize_t at, uint8_t byte)
{
    return at < data->size && data->bytes[at] == byte;
}

/* `.1.2.3`: the rest of an address behind its first number; what follows is for Python to judge. */
static int ipv4_tail(const struct data *data, Py_ssize_t at)
{
    for (int part = 0; part < 3; part++) {
        if (!at_byte(data, at, '.'))
            return 0;
        Py_ssize_t count = digits(data, at + 1, 3);
        if (!count)
            return 0;
        at += 1 + count;
    }
    return 1;
}

/* `.com` before a zero or `:443`, where the ending is a known one; -1 with an exception set. */
static int host_tail(const struct data *data, Py_ssize_t at)
{
    Py_ssize_t count = 0;
    while (count < 19 && at + 1 + count < data->size && is_letter(data->bytes[at + 1 + count]))
        count++;
    if (count < 2 || count > 18 || at + 1 + count >= data->size)
        return 0;
    Py_ssize_t behind = at + 1 + count;
    if (data->bytes[behind] == ':') {
        Py_ssize_t port = digits(data, behind + 1, 6);
        if (port < 2 || port > 5 || at_byte(data, behind + 1 + port, '.'))
            return 0;
    } else if (data->bytes[behind])
        return 0;
    return is_known(data, data->bytes + at + 1, count, 1);
}

static int url_tail(const struct data *data, Py_ssize_t at)
{
    return at_byte(data, at + 1, '/') && at_byte(data, at + 2, '/');
}

static int is_tail(const struct data *data, Py_ssize_t at, int kind)
{
    if (kind == URL)
        return url_tail(data, at);
    return kind == IPV4 ? ipv4_tail(data, at) : host_tail(data, at);
}

/* Append and release the item; -1 where that fails. */
static int put(PyObject *list, PyObject *item)
{
    int failed = item ? PyList_Append(list, item) : -1;
    Py_XDECREF(item);
    return failed;
}

static PyObject *answer(PyObject *list, Py_ssize_t next)
{
    return list ? Py_BuildValue("Nn", list, next) : NULL;
}

static PyObject *find_tails(const struct data *data, int kind, Py_ssize_t at, Py_ssize_t room)
{
    PyObject *list = PyList_New(0);
    Py_ssize_t found = 0;
    while (list && at < data->size) {
        const uint8_t *mark = memchr(data->bytes + at, kind == URL ? ':' : '.', (size_t)(data->size - at));
        if (!mark)
            break;
        Py_ssize_t here = mark - data->bytes;
        at = here + 1;
        int is = is_tail(data, here, kind);
        if (!is)
            continue;
        if (is < 0 || put(list, PyLong_FromSsize_t(here)) < 0)
            Py_CLEAR(list);
        else if (++found >= room)
            return answer(list, at);
    }
    return answer(list, -1);
}

static int is_anchor(const struct data *data, Py_ssize_t at, int kind)
{
    if (kind == OPTION)
        return at_byte(data, at + 1, '-') && at + 2 < data->size && is_letter(data->bytes[at + 2]);
    if (at + 1 >= data->size)
        return 0;
    uint8_t next = data->bytes[at + 1];
    return kind == SLASH ? is_one_of(next, "_.%") : next == 's' || next == 'd' || next == 'u' || next == 'l';
}

/* Return where the next anchor stands, -1 where there is none. */
static Py_ssize_t next_anchor(const struct data *data, int kind, Py_ssize_t at)
{
    static const char marks[] = {'/', ' ', '%'};
    while (at < data->size) {
        const uint8_t *mark = memchr(data->bytes + at, marks[kind], (size_t)(data->size - at));
        if (!mark)
            return -1;
        at = mark - data->bytes;
        if (is_anchor(data, at, kind))
            return at;
        at++;
    }
    return -1;
}

static int is_path(const uint8_t *text, Py_ssize_t size)
{
    if (size < 3 || size > 252 || text[0] != '/' || !is_one_of(text[1], "_.%+@-"))
        return 0;
    for (Py_ssize_t at = 2; at < size; at++)
        if (!is_one_of(text[at], "_./%+@:~*,=-"))
            return 0;
    return 1;
}

static int is_space(uint8_t byte)
{
    return byte == ' ' || (byte >= 0x09 && byte <= 0x0d);
}

/* Whether the first word is a known command or holds a slash; -1 with an exception set. */
static int begins_as_command(const struct data *data, const uint8_t *text, Py_ssize_t size)
{
    Py_ssize_t start = 0, end;
    while (start < size && is_space(text[start]))
        start++;
    for (end = start; end < size && !is_space(text[end]); end++)
        if (text[end] == '/')
            return 1;
    return is_known(data, text + start, end - start, 0);
}

/* Whether a string may be a command line: words of plain text, the first of them not just any word; -1 as above. */
static int may_be_command(const struct data *data, const uint8_t *text, Py_ssize_t size)
{
    int spaced = 0;
    if (size < 5)
        return 0;
    for (Py_ssize_t at = 0; at < size; at++) {
        uint8_t byte = text[at];
        if (byte >= 0x7f || byte < 0x09 || (byte >= 0x0e && byte < 0x1c))
            return 0;
        if (byte == ' ') {
            if (at && text[at - 1] == ':')
                return 0;
            spaced = 1;
        }
    }
    return spaced ? begins_as_command(data, text, size) : 0;
}

/* `/usr/lib/x` where strings run into each other: return its size, 0 where none begins here. */
static Py_ssize_t known_root(const struct data *data, Py_ssize_t at)
{
    static const char *const roots[] = {
        "bin", "boot", "dev", "etc", "home", "lib", "lib64", "media", "mnt", "opt", "proc",
        "root", "run", "sbin", "srv", "sys", "tmp", "usr", "var",
    };
    const uint8_t *text = data->bytes + at + 1;
    Py_ssize_t left = data->size - at - 1;
    for (size_t number = 0; number < sizeof roots / sizeof *roots; number++) {
        Py_ssize_t size = (Py_ssize_t)strlen(roots[number]);
        if (left <= size || memcmp(text, roots[number], (size_t)size) || text[size] != '/')
            continue;
        Py_ssize_t count = 0;
        while (count < 120 && size + 1 + count < left && is_one_of(text[size + 1 + count], "_.+/-"))
            count++;
        return count >= 2 ? size + 2 + count : 0;
    }
    return 0;
}

/* Where to go on behind an anchor whose string does not end in reach. */
static Py_ssize_t beyond(const struct data *data, int kind, Py_ssize_t here)
{
    Py_ssize_t from = here + MAX_STRING;
    if (kind == SLASH)
        return here + 1;
    if (from >= data->size)
        return data->size;
    const uint8_t *end = memchr(data->bytes + from, 0, (size_t)(data->size - from));
    return end ? end - data->bytes - MAX_STRING + 1 : data->size;
}

/* Take the string around an anchor; return where to go on, -1 with an exception set. */
static Py_ssize_t take(const struct data *data, int kind, Py_ssize_t here, PyObject *list)
{
    Py_ssize_t floor = here > MAX_STRING ? here - MAX_STRING : 0, start = here;
    while (start > floor && data->bytes[start - 1])
        start--;
    int unbounded = here > MAX_STRING && start == floor;
    const uint8_t *zero = memchr(data->bytes + here, 0, (size_t)least(MAX_STRING, data->size - here));
    Py_ssize_t end = zero ? zero - data->bytes : -1;
    if (end < 0 || unbounded) {
        Py_ssize_t size = kind == SLASH ? known_root(data, here) : 0;
        if (!size)
            return end >= 0 ? here + 1 : beyond(data, kind, here);
        return put(list, Py_BuildValue("nni", here, here + size, ROOT)) < 0 ? -1 : here + size;
    }
    const uint8_t *text = data->bytes + start;
    int sure = is_path(text, end - start) ? PATH : ASK;
    int wanted = sure == PATH ? 1 : may_be_command(data, text, end - start);
    if (wanted < 0 || (wanted && put(list, Py_BuildValue("nni", start, end, sure)) < 0))
        return -1;
    return end;
}

static PyObject *find_strings(const struct data *data, int kind, Py_ssize_t at, Py_ssize_t room)
{
    PyObject *list = PyList_New(0);
    while (list && (at = next_anchor(data, kind, at)) >= 0) {
        at = take(data, kind, at, list);
        if (at < 0)
            Py_CLEAR(list);
        else if (PyList_Size(list) >= room)
            return answer(list, at);
    }
    return answer(list, -1);
}

typedef PyObject *finder(const struct data *, int, Py_ssize_t, Py_ssize_t);

static PyObject *called(PyObject *arguments, finder *find)
{
    Py_buffer buffer;
    int kind;
    Py_ssize_t at, room;
    PyObject *words, *result = NULL;
    if (!PyArg_ParseTuple(arguments, "y*innO", &buffer, &kind, &at, &room, &words))
        return NULL;
    if (!PyAnySet_Check(words))
        PyErr_SetString(PyExc_TypeError, "words must be a set of bytes");
    else if (kind < 0 || kind > 2 || at < 0 || room < 1 || room > MAX_ROOM)
        PyErr_SetString(PyExc_ValueError, "no such kind, place or room");
    else {
        struct data data = {buffer.buf, buffer.len, words};
        result = find(&data, kind, at, room);
    }
    PyBuffer_Release(&buffer);
    return result;
}

static PyObject *tails(PyObject *self, PyObject *arguments)
{
    (void)self;
    return called(arguments, find_tails);
}

static PyObject *strings(PyObject *self, PyObject *arguments)
{
    (void)self;
    return called(arguments, find_strings);
}

PyDoc_STRVAR(tails_doc,
             "tails(data, kind, at, room, words, /)\n--\n\n"
             "Return (places, next): where the rest of an address (kind 0), of a host name (1) or of a URL (2) may\n"
             "begin, at most `room` of them from `at` on; `next` is where to go on, -1 at the end. `words` are the\n"
             "endings of host names, in lower case.");
PyDoc_STRVAR(strings_doc,
             "strings(data, kind, at, room, words, /)\n--\n\n"
             "Return (found, next): (start, end, sure) of zero-terminated strings around a slash (kind 0), an option (1)\n"
             "or a format (2). `sure` is 0 for what may be a command line, 1 for a path, 2 for a path without an end.\n"
             "`words` are what a command line without a slash in its first word begins with.");

static PyMethodDef METHODS[] = {
    {"tails", tails, METH_VARARGS, tails_doc},
    {"strings", strings, METH_VARARGS, strings_doc},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef MODULE = {
    PyModuleDef_HEAD_INIT, "texts", "Strings in a program's data.", -1, METHODS, NULL, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit_texts(void)
{
    return PyModule_Create(&MODULE);
}
