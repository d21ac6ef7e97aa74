"""Names that every Unix knows: tools that are no program of the script's own, and the places that start programs.

Public vocabulary (POSIX, GNU, util-linux, busybox, systemd manual pages), not taken from any report.
"""

from __future__ import annotations

SYSTEM_FOLDERS = frozenset(
    ("/bin", "/sbin", "/usr/bin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin", "/opt/bin", "/usr/xpg4/bin")
)

QUIET = frozenset(
    """
    : [ [[ alias apk apt apt-cache apt-get apt-key ar arch arp asort autoload b2sum basename bc bg bind blkid blockdev
    builtin bunzip2 cal caller cap_mkdb cat chage chattr chcon chfn chown chgrp chsh cksum clear cmp col column comm
    command compgen complete compopt continue coproc cpp csplit cut date db_get db_go db_input db_set db_stop db_version
    db_subst db_purge db_title db_fset db_unregister db_register db_metaget db_reset db_capb dc deb-systemd-helper
    deb-systemd-invoke debconf declare df diff dig dir dircolors dirname dirs disown dmesg dnf dpkg dpkg-deb
    dpkg-divert dpkg-maintscript-helper dpkg-query dpkg-statoverride dpkg-trigger du e2fsck e2label echo egrep
    enable env ethtool expand expr factor fallocate false fdisk fg fgrep file find findmnt fold free fsck fuser
    gawk getconf getent getfacl getopt getopts git glib-compile-schemas grep groups gtk-update-icon-cache hash head
    hexdump
    hexedit host hostid hwclock iconv id ifdown ifquery ifup info infocmp invoke-rc.d ip ip6tables iptables
    iptables-restore iptables-save ipset join jobs jq kbd_mode less let link ln loadkeys local locale locale-gen
    localedef logger login logname logout logrotate look losetup ls lsattr lsblk lscpu lsmod lsof lspci lsusb ldconfig
    ldd mail make man mapfile mawk md5sum mesg mkdir mkfifo mkfs mkfs.ext2 mkfs.ext3 mkfs.ext4 mkfs.vfat mknod mkswap
    mktemp mlocate modinfo more msgfmt mt nft nl nm nmcli nproc nslookup objdump od openvt parted partprobe paste
    patch pathchk pathfind pax pinky ping6 pip pip3 popd pr printenv ps pstree ptx pushd pwck pwconv pwd quota read
    readarray readelf readlink realpath rename renice reset resize2fs restorecon return rev rmdir route rpm rpmquery
    run-parts
    runlevel script sdiff sed select semanage seq set setfacl setfont setterm setleds sestatus sfdisk shopt shasum
    sha1sum sha224sum sha256sum sha384sum sha512sum shift size sleep sort split ss stat strings stty sum suspend
    swapoff swapon sync sysctl tac tail tailf test tic time times top tput tr trap traceroute tree true tset tsort tty
    tune2fs tunefs type typeset ubirsvol udevadm udevsettle ulimit umask unalias uname unexpand uniq unlink unset
    update-alternatives update-ca-certificates update-desktop-database update-fonts-alias update-icon-caches
    update-inetd update-menus update-mime-database update-grub update-initramfs update-rc.d uptime users usleep
    uuidgen vdir vi vim
    view visudo vmstat w wait wall wc what whatis whereis which who whoami xargs xmlcatalog xmllint xset
    xrandr yes yum zcmp zdiff zegrep zfgrep zforce zgrep zless zmore znew zypper gettext eval_gettext
    eval_ngettext ngettext envsubst m4 awk nawk perl python python2 python3 ruby php lua cc gcc g++ ld as strip
    ranlib cmake ninja meson autoconf automake pkg-config install-info ucf ucfr ucfq lsb_release log_daemon_msg
    log_end_msg
    log_progress_msg log_warning_msg log_failure_msg log_success_msg log_action_msg log_action_begin_msg
    log_action_end_msg log_action_cont_msg log_begin_msg init_is_upstart status_of_proc pidofproc echo_success
    echo_failure
    success failure passed warning cp mv rm chmod touch tee dd install rsync truncate shred getty agetty
    ebegin eend einfo ewarn eerror need use before after provide systemd-tmpfiles systemd-sysusers systemctl
    systemd-escape systemd-detect-virt systemd-cat loginctl journalctl hostnamectl timedatectl busctl kpartx dmsetup
    lvs vgs pvs lvm cryptsetup mdadm setpci hdparm smartctl tc bridge brctl vconfig iw iwconfig wpa_cli
    arping ipcalc md5 zipinfo unset_all py3compile py3clean pycompile pyclean rst2man pod2man help2man po2debconf
    sgml-base update-catalog update-xmlcatalog update-gconf-defaults mandb emacs nano ed ex print
    whence emulate setopt unsetopt zmodload compdef zstyle bindkey end contains argparse string
    """.split()
)

# Fragments of paths whose files are run by themselves, with the word for what that is.
PERSISTENT_PLACES: tuple[tuple[str, str], ...] = (
    ("/etc/rc.local", "rc.local"), ("/rc.local", "rc.local"), ("/etc/inittab", "inittab"), ("/etc/init.d/", "init.d"),
    ("/etc/rc.d/", "rc.d"), ("/etc/rcs.d/", "rc.d"), ("/etc/cron", "cron"), ("/var/spool/cron", "cron"),
    ("/etc/anacrontab", "cron"), ("/etc/systemd/system/", "systemd"), ("/lib/systemd/system/", "systemd"),
    ("/run/systemd/system/", "systemd"), ("/.config/systemd/user/", "systemd"),
    ("/systemd/system-generators/", "systemd"),
    ("/etc/profile", "profile"), ("/etc/bash.bashrc", "shell-rc"), ("/etc/bashrc", "shell-rc"),
    ("/etc/zsh", "shell-rc"),
    ("/.bashrc", "shell-rc"), ("/.bash_profile", "shell-rc"), ("/.bash_login", "shell-rc"), ("/.profile", "shell-rc"),
    ("/.zshrc", "shell-rc"), ("/.zprofile", "shell-rc"), ("/authorized_keys", "authorized_keys"),
    ("/.config/autostart/", "autostart"), ("/etc/xdg/autostart/", "autostart"), ("/etc/udev/rules.d/", "udev"),
    ("/etc/pam.d/", "pam"), ("/etc/modules-load.d/", "modules"), ("/etc/modules", "modules"),
    ("/etc/update-motd.d/", "motd"), ("/etc/apt/apt.conf.d/", "package-hook"),
    ("/etc/network/if-up.d/", "network-hook"),
    ("/etc/networkmanager/dispatcher.d/", "network-hook"), ("/etc/initramfs-tools/", "initramfs"),
    ("/library/launchagents/", "launch-agent"), ("/library/launchdaemons/", "launch-daemon"),
    ("/etc/init/", "upstart"), ("/etc/sv/", "runit"), ("/etc/s6", "s6"), ("/etc/local.d/", "local.d"),
)  # fmt: skip

LOG_NAMES = frozenset(
    {"wtmp", "btmp", "utmp", "utmpx", "lastlog", "messages", "syslog", "secure", "auth.log", "audit.log"}
)
HISTORY_FILES = frozenset(
    {".bash_history", ".zsh_history", ".ash_history", ".sh_history", ".history", ".mysql_history", ".psql_history"}
)
HISTORY_VARIABLES = frozenset({"HISTFILE", "HISTSIZE", "HISTFILESIZE", "HISTCONTROL", "HISTIGNORE", "SAVEHIST"})
TEXT_SUFFIXES = frozenset(
    ".conf .cfg .ini .txt .sh .bash .py .pl .pm .rb .php .js .css .html .htm .xml .json .yml .yaml .toml .md .c .h"
    " .list .service .in .am .ac .po .pot .properties .desktop .cnf .env .log .csv .mk .spec .rules "
    ".timer .socket .dpkg-new .defs .template"
    .split()
)  # fmt: skip


def persistent_place(path: str) -> str | None:
    """Return the word for the place when a file at `path` is run by itself (also inside a mounted tree)."""
    text = ("/" + path.lstrip("/")).lower()
    return next((word for fragment, word in PERSISTENT_PLACES if fragment in text), None)


def is_log(path: str) -> bool:
    """Tell whether a path is a system log."""
    text = "/" + path
    return "/var/log/" in text or path.rsplit("/", 1)[-1] in LOG_NAMES


def is_history(path: str) -> bool:
    """Tell whether a path is a shell's history."""
    return path.rsplit("/", 1)[-1] in HISTORY_FILES


def is_program_path(path: str) -> bool:
    """Tell whether a path looks like a compiled program or library: under bin, sbin, lib, or a shared object."""
    folder, _, name = path.rpartition("/")
    stem, dot, suffix = name.rpartition(".")
    if dot and stem and f".{suffix.lower()}" in TEXT_SUFFIXES:
        return False
    parts = folder.replace("/var/lib", "/var").split("/")
    return ".so" in name or any(p in ("bin", "sbin", "libexec") or p.startswith("lib") for p in parts)
