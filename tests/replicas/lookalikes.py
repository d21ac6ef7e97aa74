"""Honest roots that do what the rules look for, for honest reasons. None of them may rise to `medium`."""

from __future__ import annotations

import hashlib
import json

from hinomi.detect.inert import elf, macho, pe

Tree = dict[str, tuple[bytes, int]]
_PASSWD: Tree = {
    "/etc/passwd": (b"root:x:0:0:root:/root:/bin/bash\nann:x:1000:1000::/home/ann:/bin/bash\n", 0o644),
    "/etc/shadow": (b"root:*:19000:0:99999:7:::\nann:$y$j9T$ab$notahash:19000:0:99999:7:::\n", 0o600),
}


def lookalikes() -> dict[str, Tree]:
    """Return each root by name."""
    return {
        "firewalld from its package": _packaged_firewalld(),
        "one-way watchdogs and health checks": _watchdogs(),
        "image and firmware builders": _builders(),
        "database jobs": _database_jobs(),
        "rotation, accounts and updates": _housekeeping(),
        "Windows start menu": _windows(),
        "macOS agents": _macos(),
        "npm packages": _npm(),
        "cron at reboot": _reboot(),
        "supervisors and agents": _supervisors(),
        "a system built from nothing": _system_builder(),
    }


def _script(text: str) -> tuple[bytes, int]:
    return text.encode(), 0o755


def _dpkg(package: str, files: Tree) -> Tree:
    """Return the files with a package database that owns them unchanged."""
    sums = "".join(f"{hashlib.md5(data).hexdigest()}  {path.lstrip('/')}\n" for path, (data, _) in files.items())
    status = f"Package: {package}\nStatus: install ok installed\nVersion: 1.0-1\nArchitecture: amd64\n\n"
    return files | {
        "/var/lib/dpkg/status": (status.encode(), 0o644),
        f"/var/lib/dpkg/info/{package}.list": ("".join(f"{path}\n" for path in files).encode(), 0o644),
        f"/var/lib/dpkg/info/{package}.md5sums": (sums.encode(), 0o644),
    }


def _packaged_firewalld() -> Tree:
    unit = "[Unit]\nDescription=firewall\n[Service]\nExecStart=/usr/sbin/firewalld --nofork\n[Install]\nWantedBy=multi-user.target\n"
    files: Tree = {
        "/usr/sbin/firewalld": _script(
            "#!/usr/bin/python3\nimport sys\n\nfrom firewall import server\n\nserver.run()\n"
        ),
        "/lib/systemd/system/firewalld.service": (unit.encode(), 0o644),
        "/usr/sbin/iptables": (elf(["iptables"], imports=["socket"]), 0o755),
    }
    return (
        _PASSWD
        | _dpkg("firewalld", files)
        | {f"/usr/sbin/{name}": (elf([name], imports=["puts"]), 0o755) for name in ("tool1", "tool2", "tool3")}
    )


def _watchdogs() -> Tree:
    return _PASSWD | {
        "/etc/rc.local": _script("#!/bin/sh\n/usr/local/sbin/keep-web &\nexit 0\n"),
        "/usr/local/sbin/keep-web": _script(
            "#!/bin/bash\nwhile true; do\n  if ! pgrep -x nginx >/dev/null; then\n    /usr/local/sbin/start-web\n  fi\n  sleep 20\ndone\n"
        ),
        "/usr/local/sbin/start-web": _script("#!/bin/sh\n/usr/sbin/nginx -t && exec /usr/sbin/nginx\n"),
        "/etc/keepalived/check.sh": _script(
            "#!/bin/bash\ntimeout 2 bash -c '</dev/tcp/127.0.0.1/8080' || exit 1\npidof haproxy >/dev/null || systemctl restart haproxy\n"
        ),
        "/usr/local/bin/wait-for-db": _script(
            '#!/bin/bash\nuntil nc -z db.internal 5432; do sleep 1; done\nexec "$@"\n'
        ),
        "/usr/sbin/nginx": (elf(["/etc/nginx/nginx.conf"], imports=["socket", "bind", "fork", "execve"]), 0o755),
    }


def _builders() -> Tree:
    return _PASSWD | {
        "/usr/local/sbin/mkinitramfs-mini": _script(
            '#!/bin/sh\nset -e\nDEST=$(mktemp -d)\ncd "$DEST"\nmkdir -p bin etc lib\ncp /bin/busybox bin/\n'
            "cp /etc/modprobe.d/*.conf etc/\nfind . | cpio -o -H newc | gzip -9 > /boot/initrd.img.new\n"
            "mv /boot/initrd.img.new /boot/initrd.img\n"
        ),
        "/usr/local/sbin/rebuild-initrd": _script(
            "#!/bin/bash\nif [ -f /boot/initrd.img ]; then\n  mkdir -p /tmp/i && cd /tmp/i\n  zcat /boot/initrd.img | cpio -idm\n"
            "  cp /lib/firmware/nic.fw lib/firmware/\n  find . | cpio -o -H newc | gzip > /boot/initrd.img\nfi\n"
        ),
        "/srv/build/firmware.sh": _script(
            "#!/bin/bash\nset -eu\nunsquashfs -d rootfs base.squashfs\ncp -a overlay/. rootfs/\n"
            "chroot rootfs useradd -r -u 990 metrics\ninstall -m 755 build/agent rootfs/usr/bin/agent\n"
            "mksquashfs rootfs release.squashfs -noappend\nsha256sum release.squashfs > SHA256SUMS\n"
            "openssl dgst -sha256 -sign key.pem -out SHA256SUMS.sig SHA256SUMS\n"
        ),
        "/srv/build/relocate.sh": _script(
            "#!/bin/sh\npatchelf --set-rpath '$ORIGIN/../lib' out/bin/tool\nstrip out/bin/tool\n"
        ),
        "/srv/build/out/bin/tool": (elf(["tool"], imports=["puts"]), 0o755),
    }


def _database_jobs() -> Tree:
    return _PASSWD | {
        "/etc/cron.daily/backup-db": _script(
            "#!/bin/sh\nsqlite3 /srv/app/app.db '.backup /backup/app.db'\npg_dump portal | gzip > /backup/portal.sql.gz\n"
        ),
        "/usr/local/bin/count-sessions": _script(
            "#!/bin/bash\nwhile true; do\n  sqlite3 /srv/app/app.db 'select count(*) from sessions' >> /var/log/sessions.txt\n  sleep 60\ndone\n"
        ),
        "/usr/local/bin/report": _script(
            "#!/bin/sh\nmysql -e 'select user_name, created_at from users' portal > /srv/report.txt\n"
        ),
        "/srv/app/app.db": (b"SQLite format 3\0" + b"\0" * 100, 0o600),
    }


def _housekeeping() -> Tree:
    return _PASSWD | {
        "/etc/cron.daily/logrotate": _script("#!/bin/sh\n/usr/sbin/logrotate /etc/logrotate.conf\n"),
        "/usr/local/sbin/rotate-app": _script(
            "#!/bin/sh\nmv /var/log/app.log /var/log/app.log.1\ngzip -f /var/log/app.log.1\n: > /var/log/app.log\nkill -HUP $(cat /run/app.pid)\n"
        ),
        "/usr/local/sbin/new-user": _script(
            "#!/bin/sh\nuseradd -m -s /bin/bash -u 1005 tanaka\nadduser --system --group metrics\nusermod -aG docker tanaka\n"
        ),
        "/usr/local/sbin/vendor-update": _script(
            "#!/bin/bash\nset -e\ncurl -fsSo /tmp/agent.tgz https://updates.vendor.example/agent.tgz\n"
            "tar xzf /tmp/agent.tgz -C /opt/vendor\nsystemctl stop vendor-agent\nsystemctl start vendor-agent\nrm -f /tmp/agent.tgz\n"
        ),
        "/usr/local/sbin/update-av": _script(
            "#!/bin/sh\nsystemctl stop clamav-daemon\nfreshclam\nsystemctl start clamav-daemon\n"
        ),
        "/usr/local/sbin/nightly-copy": _script(
            '#!/bin/bash\nwhile true; do\n  if [ "$(date +%H%M)" = "0300" ]; then\n    rsync -a /srv/ 192.0.2.10:/backup/\n  fi\n  sleep 60\ndone\n'
        ),
    }


def _windows() -> Tree:
    startup = "/Users/ann/AppData/Roaming/Microsoft/Windows/Start Menu/Programs/Startup"
    link = bytes.fromhex("4c0000000114020000000000c000000000000046") + b"\0" * 80
    return {
        f"{startup}/Send to OneNote.lnk": (link, 0o644),
        f"{startup}/desktop.ini": (b"[.ShellClassInfo]\r\n", 0o644),
        "/Windows/System32/svchost.exe": (pe(["svchost"]), 0o644),
        "/Windows/System32/DriverStore/FileRepository/igdlh64.inf/igfxCUIService.exe": (pe(["igfx"]), 0o644),
        "/Program Files/Vendor/agent.exe": (pe(["agent"]), 0o644),
        "/Program Files/Vendor/agent.dll": (pe(["agent"], dll=True), 0o644),
        "/ProgramData/Vendor/updater.exe": (pe(["updater"]), 0o644),
        "/ProgramData/Vendor/updater.dll": (pe(["updater"], dll=True), 0o644),
        "/Scripts/report.ps1": (
            b"$s = Get-Service | ConvertTo-Json\r\nInvoke-RestMethod -Uri https://it.example/r -Method Post -Body $s\r\n", 0o644,
        ),
    }  # fmt: skip


def _macos() -> Tree:
    plist = (
        '<?xml version="1.0" encoding="UTF-8"?>\n<plist version="1.0"><dict><key>Label</key><string>com.vendor.keystone</string>'
        "<key>ProgramArguments</key><array><string>/Applications/Vendor.app/Contents/MacOS/keystone</string></array></dict></plist>\n"
    )
    own = plist.replace("com.vendor.keystone", "com.apple.smbd").replace(
        "/Applications/Vendor.app/Contents/MacOS/keystone", "/usr/sbin/smbd"
    )
    return {
        "/Library/LaunchAgents/com.vendor.keystone.plist": (plist.encode(), 0o644),
        "/Applications/Vendor.app/Contents/MacOS/keystone": (macho(["keystone"]), 0o755),
        "/System/Library/LaunchDaemons/com.apple.smbd.plist": (own.encode(), 0o644),
        "/usr/sbin/smbd": (macho(["smbd"]), 0o755),
    }


def _npm() -> Tree:
    def manifest(name: str, **scripts: str) -> tuple[bytes, int]:
        return json.dumps({"name": name, "version": "1.0.0", "scripts": scripts}).encode(), 0o644

    base = "/srv/app/node_modules"
    return _PASSWD | {
        f"{base}/native-crypto/package.json": manifest("native-crypto", install="node-gyp rebuild"),
        f"{base}/native-crypto/build/Release/crypto.node": (elf(["crypto"], imports=["puts"]), 0o755),
        f"{base}/bundler/package.json": manifest("bundler", postinstall="node install.js"),
        f"{base}/bundler/install.js": (
            b"const https = require('https');\nconst fs = require('fs');\n"
            b"https.get('https://registry.vendor.example/bundler.tgz', r => r.pipe(fs.createWriteStream('bin/bundler.tgz')));\n", 0o644,
        ),
        f"{base}/hooks/package.json": manifest("hooks", prepare="node bin.js", test="sh test.sh"),
        "/srv/app/package.json": manifest("app", start="node server.js", build="tsc"),
        "/srv/app/types.ts": (b"export type Name = string;\n", 0o644),
    }  # fmt: skip


def _reboot() -> Tree:
    return _PASSWD | {
        "/var/spool/cron/crontabs/ann": (
            b"@reboot /home/ann/bin/mount-nas.sh\n@reboot /home/ann/.local/bin/syncthing\n",
            0o600,
        ),
        "/home/ann/bin/mount-nas.sh": _script("#!/bin/sh\nmount /mnt/nas\n"),
        "/home/ann/.local/bin/syncthing": (elf(["syncthing"], imports=["socket", "connect"]), 0o755),
    }


def _supervisors() -> Tree:
    return _PASSWD | {
        "/etc/rc.local": _script("#!/bin/sh\n/usr/local/sbin/supervise &\nexit 0\n"),
        "/usr/local/sbin/supervise": _script(
            "#!/bin/sh\nwhile true; do\n  pgrep -x agent >/dev/null || /opt/agent/agent --server 10.0.0.5:8080 &\n"
            "  pgrep -x collector >/dev/null || /opt/agent/collector &\n  sleep 20\ndone\n"
        ),
        "/opt/agent/agent": (elf(["agent", "/etc/agent.conf"]) + b"\0" * 1_500_000, 0o755),
        "/opt/agent/collector": (elf(["collector"], imports=["socket", "connect", "send"]), 0o755),
        "/etc/cron.d/agent": (b"*/5 * * * * root pgrep -x supervise >/dev/null || /usr/local/sbin/supervise\n", 0o644),
        "/usr/local/bin/expiry": _script(
            "#!/bin/sh\nwhile true; do\n  mysql -e 'select user_name, password_changed_at from users' app > /var/log/expiry.txt\n  sleep 3600\ndone\n"
        ),
    }


def _system_builder() -> Tree:
    return _PASSWD | {
        "/etc/inittab": (b"::sysinit:/etc/init.d/rcS\nttyS0::respawn:/sbin/getty 115200 ttyS0\n", 0o644),
        "/etc/init.d/rcS": _script("#!/bin/sh\nmount -a\n/sbin/syslogd -R 10.0.0.5:514\n"),
        "/sbin/getty": (elf(["getty"], imports=["open", "execv"]), 0o755),
        "/sbin/syslogd": (elf(["syslogd"], imports=["socket", "connect", "openlog"]), 0o755),
        "/srv/build/make-root.sh": _script(
            "#!/bin/sh\nset -e\nmkdir -p rootfs/etc rootfs/sbin\necho 'root:x:0:0:root:/root:/bin/sh' > rootfs/etc/passwd\n"
            "cp /sbin/getty rootfs/sbin/\ngunzip -c base.cpio.gz | (cd rootfs && cpio -idm)\n"
            "(cd rootfs && find . | cpio -o -H newc | gzip) > image.gz\ntouch -d @1577836800 image.gz\n"
        ),
        "/srv/build/sign.sh": _script(
            "#!/bin/sh\nsha256sum out/* > out/manifest\nopenssl dgst -sha256 -sign key -out out/manifest.sig out/manifest\n"
        ),
    }
