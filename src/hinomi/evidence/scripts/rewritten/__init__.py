"""Python, Perl, PHP, Ruby and Lua, read as the shell script that does the same.

What an intruder's script does lies in the commands it runs, the files it touches and the order of its questions: all of
which the shell has words for. So a program of another language is written again in shell, each statement on its own
line number, and the shell's walk (guards, loops, functions, process lists) reads it. What has no like in the shell
becomes an unknown value; nothing is executed.
"""

from hinomi.evidence.scripts.rewritten.base import MAX_STEPS
from hinomi.evidence.scripts.rewritten.program import rewritten, rewritten_tree

__all__ = ["MAX_STEPS", "rewritten", "rewritten_tree"]
