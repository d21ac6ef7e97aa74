/* Members of archives that are no classes, by their beginnings: most are texts and pictures of no interest. */
#ifndef HINOMI_HEADS_H
#define HINOMI_HEADS_H

#include "pools.h"
#include "words.h"

#define HEAD 512                 /* what tells the kind of content */
#define OLDEST 45                /* versions of classes */
#define NEWEST 200
#define USTAR_AT 257
#define CHECKSUM_AT 148          /* of a tar header, in eight octal digits */

struct heads {
    struct pieces endings;       /* of names whose content is wanted whatever it is */
    const uint8_t *firsts;       /* for each byte, whether anything begins with it that is more than it seems */
    struct piece last;           /* the head looked at last */
};

/* Whether content is a class by its beginning, whatever its name. */
static int is_class(struct piece data)
{
    return data.size >= 8 && memcmp(data.data, "\xca\xfe\xba\xbe", 4) == 0 && two_big(data.data + 6) >= OLDEST &&
           two_big(data.data + 6) < NEWEST;
}

static int is_zeros(struct piece data)
{
    for (size_t at = 0; at < data.size; at++)
        if (data.data[at])
            return 0;
    return 1;
}

static int ends_with(struct piece name, const struct pieces *endings)
{
    for (int i = 0; i < endings->number; i++) {
        size_t size = endings->all[i].size;
        if (size <= name.size && memcmp(name.data + name.size - size, endings->all[i].data, size) == 0)
            return 1;
    }
    return 0;
}

/* Whether a head might be a tar's: by its mark, or in the oldest tars by where a number stands. */
static int may_be_tar(struct piece head)
{
    if (head.size >= USTAR_AT + 5 && memcmp(head.data + USTAR_AT, "ustar", 5) == 0)
        return 1;
    for (size_t at = CHECKSUM_AT; head.size == HEAD && at < CHECKSUM_AT + 8; at++)
        if ((head.data[at] < '0' || head.data[at] > '7') && head.data[at] != ' ' && head.data[at] != 0)
            return 0;
    return head.size == HEAD;
}

/* Whether a member is of no interest for sure; all that is less sure is for Python to say. */
static int is_nothing(const struct heads *heads, struct piece name, struct piece head)
{
    return head.size > 0 && !heads->firsts[head.data[0]] && !may_be_tar(head) && !ends_with(name, &heads->endings);
}

#endif
