"""`python -m hinomi`: the same as the command `hinomi`."""

from __future__ import annotations

from hinomi.cli.main import main

if __name__ == "__main__":
    main()
