/* Regular files of open folders, each opened once and read once: SHA-256, one more digest where asked, the beginning,
 * extended attributes and inode flags; a list of files in one call, without Python's lock.
 *
 * The same as `Content` and `LiveReader` do in Python. The digests are OpenSSL's, by the very library that Python's
 * `hashlib` uses, found at run time: no headers of it are needed. A file is opened by its bare name in its folder, never
 * through a link, never blocking; what is not the regular file that was listed is not read.
 */
#include "core.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#define BLOCK (128 << 10)      /* stays in the processor's own cache between reading and hashing */
#define PAGE 4096
#define SMALL (1 << 20)        /* a file listed with up to this size may grow by ... */
#define GROWTH (4 << 20)       /* ... this much while it is read */
#define MAX_XATTRS 64
#define MAX_XATTR (64 << 10)   /* bytes of a value, and of all names: the kernel's own bounds */
#define MAX_DIGEST 64
#define AT_PATH 0              /* fields of `Entry` */
#define AT_INODE 6
#define AT_DEVICE 7

enum outcome { FINE = 0, REPLACED = -1, CHANGES = -2, TOO_LARGE = -3, NOT_REGULAR = -4, STOPPED = -5, GROWS = -6 };

/* What `place` holds: written here, read by whoever watches; `stop` is written there. */
struct place {
    int64_t index;
    double since;              /* seconds of the monotonic clock */
    int64_t stop;
};

struct found {
    int outcome;               /* above, or the number of the system's error */
    uint64_t size;
    unsigned char sha256[32];
    unsigned char other[MAX_DIGEST];
    unsigned other_size;
    char *head;
    size_t head_size;
    char *xattrs;              /* name, zero, length of the value (4 bytes), value; one after the other */
    size_t xattrs_size;
    long flags;                /* -1: unknown */
};

struct wanted {
    const char *name;
    uint64_t device, inode;
    int folder;
    int other;                 /* 0 none, 1 MD5, 2 SHA-1 */
};

struct reader {
    void *sha256, *other;      /* EVP_MD_CTX */
    unsigned char *block;
    uint64_t limit;
    size_t head;               /* bytes of the beginning that are wanted ... */
    uint64_t whole;            /* ... of files up to this size */
    int with_flags;
    volatile struct place *place;
};

/* --- OpenSSL -------------------------------------------------------------------------------------------------- */

static struct {
    void *(*ctx_new)(void);
    void (*ctx_free)(void *);
    int (*init)(void *, const void *, void *);
    int (*update)(void *, const void *, size_t);
    int (*final)(void *, unsigned char *, unsigned *);
    const void *sha256, *others[3];
} EVP;

static void *symbol(void *library, const char *name, int *missing)
{
    void *found = dlsym(library, name);
    if (!found)
        *missing = 1;
    return found;
}

/* Algorithms are fetched once: OpenSSL 3 would look them up for every file. */
static const void *algorithm(void *library, const char *name, const char *getter)
{
    void *(*fetch)(void *, const char *, const char *) = NULL;
    const void *(*get)(void) = NULL;
    *(void **)&fetch = dlsym(library, "EVP_MD_fetch");
    *(void **)&get = dlsym(library, getter);
    const void *found = fetch ? fetch(NULL, name, "-fips") : NULL;
    return found ? found : get ? get() : NULL;
}

static int load_from(void *library)
{
    int missing = 0;
    *(void **)&EVP.ctx_new = symbol(library, "EVP_MD_CTX_new", &missing);
    *(void **)&EVP.ctx_free = symbol(library, "EVP_MD_CTX_free", &missing);
    *(void **)&EVP.init = symbol(library, "EVP_DigestInit_ex", &missing);
    *(void **)&EVP.update = symbol(library, "EVP_DigestUpdate", &missing);
    *(void **)&EVP.final = symbol(library, "EVP_DigestFinal_ex", &missing);
    if (missing)
        return -1;
    EVP.sha256 = algorithm(library, "SHA256", "EVP_sha256");
    EVP.others[1] = algorithm(library, "MD5", "EVP_md5");
    EVP.others[2] = algorithm(library, "SHA1", "EVP_sha1");
    return EVP.sha256 && EVP.others[1] && EVP.others[2] ? 0 : -1;
}

/* Look in what `hashlib` is linked with, then in the system's libraries. */
static int load(const char *hashlib)
{
    void *library = hashlib ? dlopen(hashlib, RTLD_NOW | RTLD_NOLOAD) : NULL;
    if (library && load_from(library) == 0)
        return 0;
    static const char *const names[] = {"libcrypto.so.3", "libcrypto.so.1.1"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if ((library = dlopen(names[i], RTLD_NOW | RTLD_LOCAL)) && load_from(library) == 0)
            return 0;
    return -1;
}

/* --- one file ------------------------------------------------------------------------------------------------- */

static int open_file(int folder, const char *name)
{
    const int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
    int quiet = geteuid() == 0 ? O_NOATIME : 0;
    for (;;) {
        int fd = openat(folder, name, flags | quiet);
        if (fd >= 0 || (errno != EINTR && !(errno == EPERM && quiet)))
            return fd;
        if (errno == EPERM) /* root of a user namespace, or a file system that refuses */
            quiet = 0;
    }
}

static ssize_t read_block(int fd, void *block, size_t size)
{
    ssize_t number;
    do
        number = read(fd, block, size);
    while (number < 0 && errno == EINTR);
    return number;
}

static int same(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
           a->st_ctim.tv_sec == b->st_ctim.tv_sec && a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

static int keep_head(const struct reader *reader, struct found *found, size_t number)
{
    size_t wanted = number < reader->head - found->head_size ? number : reader->head - found->head_size;
    if (wanted == 0)
        return FINE;
    char *head = realloc(found->head, found->head_size + wanted);
    if (!head)
        return ENOMEM;
    memcpy(head + found->head_size, reader->block, wanted);
    found->head = head;
    found->head_size += wanted;
    return FINE;
}

static int begin_digests(const struct reader *reader, int other)
{
    if (!EVP.init(reader->sha256, EVP.sha256, NULL))
        return EIO;
    return other && !EVP.init(reader->other, EVP.others[other], NULL) ? EIO : FINE;
}

static int add_block(const struct reader *reader, struct found *found, int other, size_t number, int with_head)
{
    if (!EVP.update(reader->sha256, reader->block, number))
        return EIO;
    if (other && !EVP.update(reader->other, reader->block, number))
        return EIO;
    return with_head ? keep_head(reader, found, number) : FINE;
}

static int end_digests(const struct reader *reader, struct found *found, int other)
{
    if (!EVP.final(reader->sha256, found->sha256, NULL))
        return EIO;
    found->other_size = 0;
    return other && !EVP.final(reader->other, found->other, &found->other_size) ? EIO : FINE;
}

/* Read from where the descriptor stands to the end. */
static int read_once(const struct reader *reader, int fd, uint64_t size, int other, struct found *found)
{
    int small = size <= SMALL;
    uint64_t most = small && SMALL + GROWTH < reader->limit ? SMALL + GROWTH : reader->limit;
    int outcome = size > reader->limit ? TOO_LARGE : begin_digests(reader, other);
    found->size = found->head_size = 0;
    while (outcome == FINE) {
        if (reader->place->stop)
            return STOPPED;
        ssize_t number = read_block(fd, reader->block, BLOCK);
        if (number < 0)
            return errno;
        if (number == 0)
            return end_digests(reader, found, other);
        found->size += (uint64_t)number;
        if (found->size > most)
            return small ? GROWS : TOO_LARGE;
        outcome = add_block(reader, found, other, (size_t)number, size <= reader->whole);
    }
    return outcome;
}

/* Read until the file is the same before and after; twice at most. */
static int read_settled(const struct reader *reader, int fd, const struct wanted *wanted, struct found *found)
{
    struct stat before, after;
    if (fstat(fd, &before) != 0)
        return errno;
    if (!S_ISREG(before.st_mode))
        return NOT_REGULAR;
    if (before.st_dev != wanted->device || before.st_ino != wanted->inode)
        return REPLACED;
    for (int attempt = 0; attempt < 2; attempt++) {
        int outcome = read_once(reader, fd, (uint64_t)before.st_size, wanted->other, found);
        if (outcome != FINE)
            return outcome;
        if (fstat(fd, &after) != 0)
            return errno;
        if (same(&before, &after))
            return FINE;
        before = after;
        if (lseek(fd, 0, SEEK_SET) != 0)
            return errno;
    }
    return CHANGES;
}

/* --- extended attributes -------------------------------------------------------------------------------------- */

static int add_xattr(int fd, const char *name, char *value, struct found *found)
{
    ssize_t size = fgetxattr(fd, name, value, MAX_XATTR);
    if (size < 0)
        return -1;
    size_t length = strlen(name) + 1;
    uint32_t bytes = (uint32_t)size;
    char *larger = realloc(found->xattrs, found->xattrs_size + length + sizeof bytes + bytes);
    if (!larger)
        return -1;
    found->xattrs = larger;
    char *at = larger + found->xattrs_size;
    memcpy(at, name, length);
    memcpy(at + length, &bytes, sizeof bytes);
    memcpy(at + length + sizeof bytes, value, bytes);
    found->xattrs_size += length + sizeof bytes + bytes;
    return 0;
}

/* One call where there are none; all or nothing, as `read_xattrs`. */
static void read_xattrs(int fd, struct found *found)
{
    char few[1024];
    ssize_t size = flistxattr(fd, few, sizeof few);
    if (size == 0 || (size < 0 && errno != ERANGE))
        return;
    char *names = malloc(MAX_XATTR + 1), *value = malloc(MAX_XATTR);
    size = names ? flistxattr(fd, names, MAX_XATTR) : -1;
    int whole = value != NULL && size >= 0;
    if (whole)
        names[size] = '\0';
    int number = 0;
    for (ssize_t at = 0; whole && at < size && number < MAX_XATTRS; number++) {
        whole = add_xattr(fd, names + at, value, found) == 0;
        at += (ssize_t)strlen(names + at) + 1;
    }
    if (!whole)
        found->xattrs_size = 0;
    free(names);
    free(value);
}

static long flags_of(int fd)
{
    unsigned long flags = 0; /* the kernel writes an int, the call is declared with a long */
    return ioctl(fd, FS_IOC_GETFLAGS, &flags) == 0 ? (long)(flags & 0xFFFFFFFFUL) : -1;
}

static void read_file(const struct reader *reader, const struct wanted *wanted, struct found *found)
{
    int fd = open_file(wanted->folder, wanted->name);
    if (fd < 0) {
        found->outcome = errno;
        return;
    }
    found->outcome = read_settled(reader, fd, wanted, found);
    if (found->outcome == FINE) {
        read_xattrs(fd, found);
        found->flags = reader->with_flags ? flags_of(fd) : -1;
    }
    close(fd);
}

static void read_files(const struct reader *reader, const struct wanted *wanted, struct found *found, size_t count)
{
    struct timespec now;
    for (size_t i = 0; i < count && !reader->place->stop; i++) {
        clock_gettime(CLOCK_MONOTONIC, &now);
        reader->place->since = (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
        reader->place->index = (int64_t)i;
        read_file(reader, &wanted[i], &found[i]);
    }
    reader->place->index = -1;
}

/* --- Python's side -------------------------------------------------------------------------------------------- */

static int want(PyObject *item, struct wanted *wanted)
{
    PyObject *entry;
    char *path;
    Py_ssize_t length;
    if (!PyArg_ParseTuple(item, "iOi", &wanted->folder, &entry, &wanted->other))
        return -1;
    if (!PyTuple_Check(entry) || PyTuple_Size(entry) <= AT_DEVICE || wanted->other < 0 || wanted->other > 2) {
        PyErr_SetString(PyExc_TypeError, "expected (folder, entry, 0 to 2)");
        return -1;
    }
    if (PyBytes_AsStringAndSize(PyTuple_GetItem(entry, AT_PATH), &path, &length) != 0)
        return -1;
    const char *slash = strrchr(path, '/');
    wanted->name = slash ? slash + 1 : path;
    if (strlen(path) != (size_t)length) {
        PyErr_SetString(PyExc_ValueError, "a name holds a zero");
        return -1;
    }
    wanted->inode = PyLong_AsUnsignedLongLong(PyTuple_GetItem(entry, AT_INODE));
    wanted->device = PyLong_AsUnsignedLongLong(PyTuple_GetItem(entry, AT_DEVICE));
    return PyErr_Occurred() ? -1 : 0;
}

static PyObject *none(void)
{
    Py_INCREF(Py_None);
    return Py_None;
}

static PyObject *xattrs_of(const struct found *found)
{
    if (found->xattrs_size == 0)
        return none();
    PyObject *answer = PyDict_New();
    for (size_t at = 0; answer && at < found->xattrs_size;) {
        const char *name = found->xattrs + at;
        size_t length = strlen(name) + 1;
        uint32_t bytes;
        memcpy(&bytes, name + length, sizeof bytes);
        PyObject *key = PyUnicode_DecodeFSDefault(name);
        PyObject *value = PyBytes_FromStringAndSize(name + length + sizeof bytes, (Py_ssize_t)bytes);
        if (!key || !value || PyDict_SetItem(answer, key, value) != 0)
            Py_CLEAR(answer);
        Py_XDECREF(key);
        Py_XDECREF(value);
        at += length + sizeof bytes + bytes;
    }
    return answer;
}

static PyObject *bytes_of(const void *data, size_t size)
{
    return size ? PyBytes_FromStringAndSize(data, (Py_ssize_t)size) : none();
}

static PyObject *answer_of(const struct found *found)
{
    if (found->outcome != FINE)
        return Py_BuildValue("(iOOOOOO)", found->outcome, Py_None, Py_None, Py_None, Py_None, Py_None, Py_None);
    return Py_BuildValue("(iKNNy#NN)", FINE, (unsigned long long)found->size,
                         bytes_of(found->sha256, sizeof found->sha256), bytes_of(found->other, found->other_size),
                         found->head ? found->head : "", (Py_ssize_t)found->head_size, xattrs_of(found),
                         found->flags < 0 ? none() : PyLong_FromLong(found->flags));
}

static PyObject *answers_of(struct found *found, size_t count)
{
    PyObject *answers = PyList_New((Py_ssize_t)count);
    for (size_t i = 0; i < count; i++) {
        PyObject *answer = answers ? answer_of(&found[i]) : NULL;
        if (answer)
            PyList_SetItem(answers, (Py_ssize_t)i, answer);
        else
            Py_CLEAR(answers);
        free(found[i].head);
        free(found[i].xattrs);
    }
    return answers;
}

/* What the last call used, for the next one: made anew, it costs more than a small file. Taken and given back under Python's lock. */
static struct {
    void *sha256, *other;
    unsigned char *block;
} spare;

/* Aligned to a page: into other places, processors of some makers copy four times as slowly for the kernel. */
static unsigned char *make_block(void)
{
    void *block = NULL;
    return posix_memalign(&block, PAGE, BLOCK) == 0 ? block : NULL;
}

static int make_reader(struct reader *reader)
{
    reader->sha256 = spare.sha256 ? spare.sha256 : EVP.ctx_new();
    reader->other = spare.other ? spare.other : EVP.ctx_new();
    reader->block = spare.block ? spare.block : make_block();
    memset(&spare, 0, sizeof spare);
    return reader->sha256 && reader->other && reader->block ? 0 : -1;
}

static void free_reader(struct reader *reader)
{
    EVP.ctx_free(spare.sha256);
    EVP.ctx_free(spare.other);
    free(spare.block);
    spare.sha256 = reader->sha256;
    spare.other = reader->other;
    spare.block = reader->block;
}

/* `items` is a tuple of our own: what it holds stays while the lock is away. */
static PyObject *read_all(struct reader *reader, PyObject *items)
{
    size_t count = (size_t)PyTuple_Size(items);
    struct wanted *wanted = calloc(count ? count : 1, sizeof *wanted);
    struct found *found = calloc(count ? count : 1, sizeof *found);
    PyObject *answers = NULL;
    int whole = make_reader(reader) == 0 && wanted && found;
    if (!whole)
        PyErr_NoMemory();
    for (size_t i = 0; whole && i < count; i++) {
        found[i].outcome = STOPPED;
        whole = want(PyTuple_GetItem(items, (Py_ssize_t)i), &wanted[i]) == 0;
    }
    if (whole) {
        Py_BEGIN_ALLOW_THREADS
        read_files(reader, wanted, found, count);
        Py_END_ALLOW_THREADS
        answers = answers_of(found, count);
    }
    free_reader(reader);
    free(wanted);
    free(found);
    return answers;
}

static PyObject *py_read_files(PyObject *module, PyObject *arguments)
{
    (void)module;
    PyObject *list, *place;
    Py_buffer view;
    struct reader reader = {0};
    unsigned long long limit, whole;
    Py_ssize_t head;
    if (!PyArg_ParseTuple(arguments, "OOKnKp", &list, &place, &limit, &head, &whole, &reader.with_flags))
        return NULL;
    PyObject *items = PySequence_Tuple(list);
    if (!items)
        return NULL;
    if (PyObject_GetBuffer(place, &view, PyBUF_WRITABLE) != 0) {
        Py_DECREF(items);
        return NULL;
    }
    PyObject *answers = NULL;
    if (head < 0 || view.len < (Py_ssize_t)sizeof(struct place) || (uintptr_t)view.buf % sizeof(double) != 0) {
        PyErr_SetString(PyExc_ValueError, "the place holds three aligned words, the beginning no less than nothing");
    } else {
        reader.limit = limit;
        reader.head = (size_t)head;
        reader.whole = whole;
        reader.place = view.buf;
        answers = read_all(&reader, items);
    }
    PyBuffer_Release(&view);
    Py_DECREF(items);
    return answers;
}

PyDoc_STRVAR(read_files_doc,
             "read_files(items, place, limit, head, whole, with_flags, /)\n--\n\n"
             "Read regular files of open folders; `items` are (folder's descriptor, entry, 0 or 1 for MD5 or 2 for SHA-1).\n"
             "Returns for each (outcome, size, SHA-256, other digest, beginning, extended attributes, inode flags):\n"
             "outcome is 0, an errno, or one of the module's names below 0, and then the rest is None. The beginning\n"
             "has at most `head` bytes, none of files above `whole` bytes. `place` is three words of 8 bytes: which\n"
             "item is read, since when (monotonic seconds), and one that, set by somebody else, stops all.");

static PyMethodDef METHODS[] = {
    {"read_files", py_read_files, METH_VARARGS, read_files_doc},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef MODULE = {
    PyModuleDef_HEAD_INIT, "digests", "Files read and digested by descriptor.", -1, METHODS, NULL, NULL, NULL, NULL,
};

static int find_openssl(void)
{
    PyObject *hashlib = PyImport_ImportModule("_hashlib");
    PyObject *file = hashlib ? PyObject_GetAttrString(hashlib, "__file__") : NULL;
    PyErr_Clear();
    PyObject *path = file ? PyUnicode_EncodeFSDefault(file) : NULL;
    PyErr_Clear();
    int loaded = load(path ? PyBytes_AsString(path) : NULL);
    Py_XDECREF(path);
    Py_XDECREF(file);
    Py_XDECREF(hashlib);
    return loaded;
}

static int add_outcomes(PyObject *module)
{
    return PyModule_AddIntMacro(module, REPLACED) || PyModule_AddIntMacro(module, CHANGES) ||
           PyModule_AddIntMacro(module, TOO_LARGE) || PyModule_AddIntMacro(module, NOT_REGULAR) ||
           PyModule_AddIntMacro(module, STOPPED) || PyModule_AddIntMacro(module, GROWS);
}

PyMODINIT_FUNC PyInit_digests(void)
{
    if (find_openssl() != 0) {
        PyErr_SetString(PyExc_ImportError, "no OpenSSL library to digest with");
        return NULL;
    }
    PyObject *module = PyModule_Create(&MODULE);
    if (module && add_outcomes(module) != 0)
        Py_CLEAR(module);
    return module;
}
