"""Public names that tell host names and command lines from other text. Facts of common knowledge, no indicators."""

from __future__ import annotations

_COMMANDS = """
ash awk base64 bash busybox cat chattr chgrp chmod chown chpasswd chroot cp cpio crontab csh curl cut dash date dd
depmod df dmesg dpkg echo egrep env eval exec expr fgrep find ftpget ftpput grep gunzip gzip halt head hostname id
ifconfig init insmod install ip ip6tables iptables iptables-save kexec kill killall ksh last ldconfig ln logger ls
lsmod md5sum mkdir mkfifo mknod mkswap mktemp modprobe mount mv nc ncat netstat nft nice nohup nslookup openssl passwd
perl pgrep php pidof ping pkill poweroff printf ps python python2 python3 reboot rm rmdir rmmod route rpm rsync ruby
scp screen sed service setenforce setsid sh shred shutdown sleep socat sort sqlite3 ssh su sudo swapoff swapon sync
sysctl systemctl tail tar tee telnet test tftp time timeout tmux touch umount uname unlink unsquashfs unxz unzip
useradd userdel usermod wc wget which who whoami xargs xxd xz zcat zip zsh
"""

# Generic endings in wide use and all country codes (IANA root zone).
_TOP_LEVEL = """
aero app asia biz blog bot cam cat center chat click cloud club com coop company cyou date dev digital download edu
email fun fund global gov group host icu info ink int io jobs kim life link live lol loan love ltd market media men
mil mobi mom monster museum name net network news ninja one onion online org page party pics plus post pro pub pw
quest rest review rocks run sbs science services shop site skin software solutions space store stream studio support
surf systems team tech tel tips today tokyo top trade travel uno vip vision watch website wiki win wang work works
world wtf xyz yokohama zone ac ad ae af ag ai al am ao aq ar as at au aw ax az ba bb bd be bf bg bh bi bj bm bn bo br
bs bt bv bw by bz ca cc cd cf cg ch ci ck cl cm cn co cr cu cv cw cx cy cz de dj dk dm do dz ec ee eg er es et eu fi
fj fk fm fo fr ga gd ge gf gg gh gi gl gm gn gp gq gr gs gt gu gw gy hk hm hn hr ht hu id ie il im in iq ir is it je
jm jo jp ke kg kh ki km kn kp kr kw ky kz la lb lc li lk lr ls lt lu lv ly ma mc md me mg mh mk ml mm mn mo mp mq mr
ms mt mu mv mw mx my mz na nc ne nf ng ni nl no np nr nu nz om pa pe pf pg ph pk pl pm pn pr ps pt pw py qa re ro rs
ru rw sa sb sc sd se sg sh si sj sk sl sm sn so sr ss st su sv sx sy sz tc td tf tg th tj tk tl tm tn to tr tt tv tw
tz ua ug uk us uy uz va vc ve vg vi vn vu wf ws ye yt za zm zw
"""

# Endings of both hosts and files or fields: believed only with a port or three labels.
_FILE_ENDINGS = """
app as bz cat cc cf co date dev do email gz host id in info int is link md me ml mm mo ms name no one pl pm post pro
ps pub py re rs run sc se services sh si so st store support tc test time tm to top tv ws zone page group media
network online plus site software space stream systems team work works world global life live market one watch
"""

# Of those, endings that hardly any other dotted name has: believed without a port.
_SURE_ENDINGS = "com net org info biz xyz icu club shop vip cn ru jp kr tw hk ua uk fr nl eu us pw su onion"

# Commands that are also words of prose.
_ENGLISH = """
cat cut date echo eval exec find halt head host id init install kill last line mount nice printf reboot route sort
split strip su sync tail tee test time timeout top touch watch which who
"""

COMMANDS = frozenset(_COMMANDS.split())
TOP_LEVEL = frozenset(_TOP_LEVEL.encode().split())
ENGLISH = frozenset(_ENGLISH.split())
SURE_ENDINGS = frozenset(_SURE_ENDINGS.encode().split())
FILE_ENDINGS = frozenset(_FILE_ENDINGS.encode().split())
