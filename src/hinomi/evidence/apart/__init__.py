"""Images examined in processes of their own: a parser of hostile metadata that dies or hangs costs its image only.

One process opens the outermost image and gives up network, writing and starting programs first; each tree is looked at
in a process forked from the one that opened it, and each image found inside is opened in a process forked from there.
Rows and coverage come back as text over one socket; nothing that arrives is run or unpickled.
"""
