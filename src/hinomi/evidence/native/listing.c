/* One folder with all that statx(2) says of its entries, in byte order of their names.
 *
 * The same as `RootView._entries` does in Python with listdir and statx, at a tenth of its cost. What the system refuses
 * is handed back by name, for Python to ask again and to say why. Nothing is opened, no link is followed.
 */
#include "core.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define CHUNK 256           /* entries asked for at once without Python's lock */
#define BUFFER (64 << 10)   /* bytes of directory entries a call */
#define FIELDS 17           /* of `Entry` */

struct dirent64 {           /* as getdents64(2) gives it */
    uint64_t inode;
    int64_t offset;
    uint16_t length;
    uint8_t type;
    char name[];
};

struct names {
    char *text;             /* zero-terminated names, one after the other */
    size_t used, room;
    size_t *at;             /* where each begins; pointers into `text` once it no longer grows */
    size_t count, places;
};

struct asked {
    struct statx status;
    char *link;             /* what a symbolic link holds, or NULL */
    size_t link_size;
    int refused;
};

static PyObject *KINDS[16]; /* by the file type bits of the mode */

/* --- names ---------------------------------------------------------------------------------------------------- */

static int grow(void **memory, size_t *room, size_t needed, size_t size)
{
    if (needed <= *room)
        return 0;
    size_t wanted = *room ? *room : 512;
    while (wanted < needed)
        wanted *= 2;
    if (wanted > SIZE_MAX / size / 2)
        return ENOMEM;
    void *larger = realloc(*memory, wanted * size);
    if (!larger)
        return ENOMEM;
    *memory = larger;
    *room = wanted;
    return 0;
}

static int add_name(struct names *names, const char *name, size_t length)
{
    if (grow((void **)&names->text, &names->room, names->used + length + 1, 1) != 0 ||
        grow((void **)&names->at, &names->places, names->count + 1, sizeof *names->at) != 0)
        return ENOMEM;
    memcpy(names->text + names->used, name, length);
    names->text[names->used + length] = '\0';
    names->at[names->count++] = names->used;
    names->used += length + 1;
    return 0;
}

static int add_all(struct names *names, const char *buffer, size_t size)
{
    for (size_t at = 0; at + offsetof(struct dirent64, name) < size;) {
        const struct dirent64 *entry = (const struct dirent64 *)(buffer + at);
        if (entry->length <= offsetof(struct dirent64, name) || entry->length > size - at)
            return EIO;
        size_t length = strnlen(entry->name, entry->length - offsetof(struct dirent64, name));
        at += entry->length;
        if (strcmp(entry->name, ".") == 0 || strcmp(entry->name, "..") == 0)
            continue;
        int trouble = add_name(names, entry->name, length);
        if (trouble != 0)
            return trouble;
    }
    return 0;
}

static int read_names(int fd, struct names *names)
{
    char *buffer = malloc(BUFFER);
    if (!buffer)
        return ENOMEM;
    int trouble = 0;
    lseek(fd, 0, SEEK_SET);
    while (trouble == 0) {
        long number = syscall(SYS_getdents64, fd, buffer, BUFFER);
        if (number < 0 && errno == EINTR)
            continue;
        if (number <= 0) {
            trouble = number < 0 ? errno : 0;
            break;
        }
        trouble = add_all(names, buffer, (size_t)number);
    }
    free(buffer);
    return trouble;
}

static int by_bytes(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

/* Return pointers to the names in byte order, NULL without memory. */
static const char **sorted(const struct names *names)
{
    const char **found = malloc((names->count ? names->count : 1) * sizeof *found);
    if (!found)
        return NULL;
    for (size_t i = 0; i < names->count; i++)
        found[i] = names->text + names->at[i];
    qsort(found, names->count, sizeof *found, by_bytes);
    return found;
}

/* --- what the system says of each ----------------------------------------------------------------------------- */

static void read_link(int fd, const char *name, struct asked *asked)
{
    char target[PATH_MAX];
    ssize_t size = readlinkat(fd, name, target, sizeof target);
    if (size < 0 || !(asked->link = malloc(size ? (size_t)size : 1))) {
        asked->refused = 1;
        return;
    }
    memcpy(asked->link, target, (size_t)size);
    asked->link_size = (size_t)size;
}

static void ask(int fd, const char *name, struct asked *asked)
{
    asked->link = NULL;
    int found = statx(fd, name, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS | STATX_BTIME, &asked->status);
    asked->refused = found != 0 || (asked->status.stx_mask & STATX_BASIC_STATS) != STATX_BASIC_STATS;
    if (!asked->refused && S_ISLNK(asked->status.stx_mode))
        read_link(fd, name, asked);
}

static void forget_links(struct asked *asked, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(asked[i].link);
}

/* --- Python's entries ----------------------------------------------------------------------------------------- */

static PyObject *none(void)
{
    Py_INCREF(Py_None);
    return Py_None;
}

static PyObject *seconds(const struct statx_timestamp *time)
{
    return PyFloat_FromDouble((double)time->tv_sec + 1e-9 * (double)time->tv_nsec); /* as os.stat rounds */
}

static PyObject *nanoseconds(const struct statx_timestamp *time)
{
    return PyLong_FromLongLong(time->tv_sec * 1000000000LL + time->tv_nsec);
}

static PyObject *birth(const struct statx *status)
{
    const struct statx_timestamp *time = &status->stx_btime;
    if (!(status->stx_mask & STATX_BTIME) || (time->tv_sec == 0 && time->tv_nsec == 0))
        return none();
    return PyFloat_FromDouble((double)time->tv_sec + (double)time->tv_nsec / 1e9);
}

static PyObject *path_of(const char *prefix, size_t length, const char *name)
{
    size_t size = strlen(name);
    PyObject *path = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)(length + size));
    if (path) {
        char *text = PyBytes_AsString(path);
        memcpy(text, prefix, length);
        memcpy(text + length, name, size);
    }
    return path;
}

static PyObject *kind_of(unsigned mode)
{
    PyObject *kind = KINDS[mode >> 12 & 15];
    Py_INCREF(kind);
    return kind;
}

static PyObject *flags_of(const struct statx *status, unsigned long flags)
{
    return status->stx_attributes_mask & flags ? PyLong_FromUnsignedLong((unsigned long)status->stx_attributes & flags)
                                               : none();
}

/* Return the fields of `Entry` in its order. */
static PyObject *values_of(PyObject *path, const struct asked *asked, unsigned long flags)
{
    const struct statx *s = &asked->status;
    PyObject *fields[FIELDS] = {
        path,
        kind_of(s->stx_mode),
        PyLong_FromUnsignedLongLong(s->stx_size),
        PyLong_FromUnsignedLong(s->stx_mode & 07777),
        PyLong_FromUnsignedLong(s->stx_uid),
        PyLong_FromUnsignedLong(s->stx_gid),
        PyLong_FromUnsignedLongLong(s->stx_ino),
        PyLong_FromUnsignedLongLong(makedev(s->stx_dev_major, s->stx_dev_minor)),
        PyLong_FromUnsignedLong(s->stx_nlink),
        seconds(&s->stx_mtime),
        seconds(&s->stx_ctime),
        birth(s),
        asked->link ? PyBytes_FromStringAndSize(asked->link, (Py_ssize_t)asked->link_size) : none(),
        PyLong_FromUnsignedLongLong(s->stx_blocks),
        nanoseconds(&s->stx_mtime),
        nanoseconds(&s->stx_ctime),
        flags_of(s, flags),
    };
    PyObject *values = PyTuple_New(FIELDS);
    int whole = values != NULL;
    for (int i = 0; i < FIELDS; i++) {
        whole = whole && fields[i] != NULL;
        if (values && fields[i])
            PyTuple_SetItem(values, i, fields[i]);
        else
            Py_XDECREF(fields[i]);
    }
    if (!whole)
        Py_CLEAR(values);
    return values;
}

static PyObject *entry_of(PyTypeObject *type, newfunc make, PyObject *path, const struct asked *asked,
                          unsigned long flags)
{
    PyObject *values = values_of(path, asked, flags);
    PyObject *arguments = values ? PyTuple_New(1) : NULL;
    if (!arguments) {
        Py_XDECREF(values);
        return NULL;
    }
    PyTuple_SetItem(arguments, 0, values);
    PyObject *entry = make(type, arguments, NULL);
    Py_DECREF(arguments);
    return entry;
}

static int append(PyObject *list, PyObject *item)
{
    int trouble = item ? PyList_Append(list, item) : -1;
    Py_XDECREF(item);
    return trouble;
}

struct folder {
    int fd;
    const char *prefix;
    size_t length;
    PyTypeObject *type;
    newfunc make;
    unsigned long flags;
};

static int add_entries(const struct folder *folder, const char **names, size_t count, PyObject *entries,
                       PyObject *refused)
{
    struct asked *asked = malloc(CHUNK * sizeof *asked);
    if (!asked) {
        PyErr_NoMemory();
        return -1;
    }
    int trouble = 0;
    for (size_t start = 0; start < count && trouble == 0; start += CHUNK) {
        size_t number = count - start < CHUNK ? count - start : CHUNK;
        Py_BEGIN_ALLOW_THREADS
        for (size_t i = 0; i < number; i++)
            ask(folder->fd, names[start + i], &asked[i]);
        Py_END_ALLOW_THREADS
        for (size_t i = 0; i < number && trouble == 0; i++) {
            PyObject *path = path_of(folder->prefix, folder->length, names[start + i]);
            if (!path)
                trouble = -1;
            else if (asked[i].refused)
                trouble = append(refused, path);
            else
                trouble = append(entries, entry_of(folder->type, folder->make, path, &asked[i], folder->flags));
        }
        forget_links(asked, number);
    }
    free(asked);
    return trouble;
}

/* Take the names that were chosen; a name with a zero byte in it is an error, as it is no name. */
static int take_names(struct names *names, PyObject *chosen)
{
    Py_ssize_t count = PyList_Size(chosen);
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *name = PyList_GetItem(chosen, i);
        char *text;
        if (!name || PyBytes_AsStringAndSize(name, &text, NULL) != 0)
            return -1;
        if (add_name(names, text, strlen(text)) != 0) {
            PyErr_NoMemory();
            return -1;
        }
    }
    return count < 0 ? -1 : 0;
}

/* Take all names of a folder. */
static int take_all(struct names *names, int fd)
{
    int trouble;
    Py_BEGIN_ALLOW_THREADS
    trouble = read_names(fd, names);
    Py_END_ALLOW_THREADS
    if (trouble == 0)
        return 0;
    errno = trouble;
    if (trouble == ENOMEM)
        PyErr_NoMemory();
    else
        PyErr_SetFromErrno(PyExc_OSError);
    return -1;
}

static PyObject *list_names(const struct folder *folder, const struct names *names)
{
    const char **ordered = sorted(names);
    if (!ordered)
        return PyErr_NoMemory();
    PyObject *entries = PyList_New(0), *refused = PyList_New(0), *answer = NULL;
    if (entries && refused && add_entries(folder, ordered, names->count, entries, refused) == 0)
        answer = PyTuple_Pack(2, entries, refused);
    Py_XDECREF(entries);
    Py_XDECREF(refused);
    free(ordered);
    return answer;
}

static PyObject *list_folder(PyObject *module, PyObject *arguments)
{
    (void)module;
    PyObject *type, *chosen = Py_None;
    Py_ssize_t length;
    struct folder folder;
    if (!PyArg_ParseTuple(arguments, "iy#Ok|O", &folder.fd, &folder.prefix, &length, &type, &folder.flags, &chosen))
        return NULL;
    if (!PyType_Check(type) || !PyType_IsSubtype((PyTypeObject *)type, &PyTuple_Type)) {
        PyErr_SetString(PyExc_TypeError, "entries are tuples");
        return NULL;
    }
    if (chosen != Py_None && !PyList_Check(chosen)) {
        PyErr_SetString(PyExc_TypeError, "names are a list");
        return NULL;
    }
    folder.length = (size_t)length;
    folder.type = (PyTypeObject *)type;
    folder.make = (newfunc)PyType_GetSlot(&PyTuple_Type, Py_tp_new);
    struct names names = {0};
    PyObject *answer = NULL;
    if ((chosen == Py_None ? take_all(&names, folder.fd) : take_names(&names, chosen)) == 0)
        answer = list_names(&folder, &names);
    free(names.text);
    free(names.at);
    return answer;
}

/* --- the module ----------------------------------------------------------------------------------------------- */

static int make_kinds(void)
{
    static const struct {
        unsigned mode;
        const char *name;
    } kinds[] = {
        {S_IFREG, "file"},   {S_IFDIR, "directory"}, {S_IFLNK, "symlink"}, {S_IFIFO, "fifo"},
        {S_IFSOCK, "socket"}, {S_IFBLK, "block-device"},
    };
    for (int i = 0; i < 16; i++)
        if (!KINDS[i] && !(KINDS[i] = PyUnicode_InternFromString("character-device")))
            return -1;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        PyObject *name = PyUnicode_InternFromString(kinds[i].name);
        if (!name)
            return -1;
        Py_DECREF(KINDS[kinds[i].mode >> 12]);
        KINDS[kinds[i].mode >> 12] = name;
    }
    return 0;
}

PyDoc_STRVAR(list_folder_doc,
             "list_folder(fd, prefix, entry_type, flags, names=None, /)\n--\n\n"
             "Return (entries, refused): the entries of an open folder in byte order and the paths of those the system\n"
             "said nothing of; `OSError` where the folder cannot be listed. With `names`, a list, only those are asked\n"
             "for; `ValueError` or `TypeError` where one of them is no name.\n"
             "`flags` are the inode flags that statx(2) is believed about.");

static PyMethodDef METHODS[] = {
    {"list_folder", list_folder, METH_VARARGS, list_folder_doc},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef MODULE = {
    PyModuleDef_HEAD_INIT, "listing", "Folders by getdents64(2) and statx(2).", -1, METHODS, NULL, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit_listing(void)
{
    return make_kinds() == 0 ? PyModule_Create(&MODULE) : NULL;
}
