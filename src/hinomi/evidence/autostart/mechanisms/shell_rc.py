"""What shells and sessions run at log-in or start: system-wide files and those of every home."""

from __future__ import annotations

from collections.abc import Iterator

from hinomi.evidence.autostart.rows import preload_rows, script_rows
from hinomi.evidence.autostart.site import Site
from hinomi.model.tables.host import Persistence

_SYSTEM_PROFILE = (
    b"/etc/profile", b"/etc/csh.login", b"/etc/zprofile", b"/etc/zlogin", b"/etc/zsh/zprofile", b"/etc/zsh/zlogin",
    b"/etc/ssh/sshrc", b"/etc/X11/Xsession", b"/etc/login.sh", b"/etc/ksh.kshrc",
)  # fmt: skip
_SYSTEM_RC = (
    b"/etc/bash.bashrc", b"/etc/bashrc", b"/etc/bash.bash_logout", b"/etc/zshenv", b"/etc/zshrc", b"/etc/zsh/zshenv",
    b"/etc/zsh/zshrc", b"/etc/zsh/zlogout", b"/etc/csh.cshrc", b"/etc/csh.logout", b"/etc/fish/config.fish",
    b"/etc/mkshrc",
)  # fmt: skip
_PROFILE_FOLDERS = (b"/etc/profile.d", b"/usr/local/etc/profile.d", b"/etc/X11/Xsession.d", b"/etc/X11/xinit/xinitrc.d")
_RC_FOLDERS = (b"/etc/bashrc.d", b"/etc/bash.bashrc.d", b"/etc/zshrc.d", b"/etc/fish/conf.d")
_HOME_PROFILE = (
    b".profile", b".bash_profile", b".bash_login", b".zprofile", b".zlogin", b".login", b".xsession", b".xinitrc",
    b".xprofile", b".xsessionrc", b".ssh/rc", b".config/plasma-workspace/env/env.sh",
)  # fmt: skip
_HOME_RC = (
    b".bashrc", b".bash_aliases", b".bash_logout", b".zshenv", b".zshrc", b".zlogout", b".kshrc", b".mkshrc",
    b".cshrc", b".tcshrc", b".logout", b".config/fish/config.fish", b".shrc", b".ashrc",
)  # fmt: skip
_HOME_RC_FOLDERS = (b".bashrc.d", b".config/fish/conf.d", b".zshrc.d", b".profile.d")


def find(site: Site) -> Iterator[Persistence]:
    """Yield a row per program these files start and per library they preload."""
    for path in (*_SYSTEM_PROFILE, *site.files(*_PROFILE_FOLDERS)):
        yield from _rows(site, "profile", path, None, None)
    for path in (*_SYSTEM_RC, *site.files(*_RC_FOLDERS)):
        yield from _rows(site, "shell-rc", path, None, None)
    for home, path in site.user_files(*_HOME_PROFILE):
        yield from _rows(site, "profile", path, home.user, home.path)
    for home, path in site.user_files(*_HOME_RC):
        yield from _rows(site, "shell-rc", path, home.user, home.path)
    for home in site.homes:
        for path in site.files(*(home.path + b"/" + folder for folder in _HOME_RC_FOLDERS)):
            yield from _rows(site, "shell-rc", path, home.user, home.path)


def _rows(site: Site, mechanism: str, path: bytes, user: str | None, home: bytes | None) -> Iterator[Persistence]:
    functions = path.startswith(b"/etc/X11/")
    yield from script_rows(
        site, mechanism, path, home=home, functions=functions, user=user, trigger="login", enabled=True
    )
    for number, line in site.lines(path):
        yield from preload_rows(site, path, number, line, user=user)
