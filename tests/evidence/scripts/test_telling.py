"""Which programs are read whole: none that acts may be left out for how it is written."""

from __future__ import annotations

import pytest

from hinomi.evidence.scripts import analyse
from hinomi.evidence.scripts.detect import Language
from hinomi.evidence.scripts.syntax import parse
from hinomi.evidence.scripts.telling import acts, acts_in_code

TELLING: list[tuple[Language, str]] = [
    ("python", "import os\nos.system('x')\n"),
    ("python", "from shutil import copy as c\nc('/a', '/usr/bin/b')\n"),
    ("python", "__import__('o' + 's').popen('id')\n"),
    ("python", "f = open('/etc/passwd', 'a')\nf.write('x:x:0:0::/:/bin/sh')\n"),
    ("perl", "open(my $f, '-|', 'id');\n"),
    ("perl", 'open(F, "id |");\n'),
    ("perl", "my $x = `id`;\n"),
    ("perl", "eval $code;\n"),
    ("perl", "use File::Copy;\ncopy('/a', '/b');\n"),
    ("php", "<?php SYSTEM ('id');\n"),
    ("php", "<?php $f($_POST['a']);\n"),
    ("php", "<?php $f = 'sys' . 'tem'; $q = $_REQUEST['x']; $f($q);\n"),
    ("php", "<?php echo `id`;\n"),
    ("php", "<?php include $_GET['p'];\n"),
    ("php", "<?php require_once '/tmp/a';\n"),
    ("php", "<?php $db->query('select user, pass from t where session_hash <> 1');\n"),
    ("ruby", "puts `id`\n"),
    ("ruby", "system 'id'\n"),
    ("ruby", "%x(id)\n"),
    ("lua", "os.execute('id')\n"),
    ("lua", "local f = load(s)\n"),
]
QUIET: list[tuple[Language, str]] = [
    ("python", "import math\nassert math.pi > 3\n# copyright: all rights, see os.system\n"),
    ("perl", "package A;\n# system and exec are not used\nrequire Exporter;\neval { f() };\n1;\n__END__\n"),
    (
        "php",
        "<?php\n/* `$this` may copy or exec the copyleft of example.com */\n$this->execute('x');\nrequire 'a.php';\n",
    ),
    ("ruby", "require 'set'\n# `system` is only named\nputs 1\n"),
    ("lua", "-- os.execute is only named\nlocal http = require 'http'\nreturn http\n"),
]


@pytest.mark.parametrize(("language", "text"), TELLING)
def test_a_program_that_acts_is_read(language: Language, text: str) -> None:
    data = text.encode()
    assert acts(language, data)
    assert acts_in_code(language, data, parse(language, data))


@pytest.mark.parametrize(("language", "text"), QUIET)
def test_what_only_its_comments_name_is_quiet(language: Language, text: str) -> None:
    assert analyse("/opt/a", text.encode(), language=language).quiet


@pytest.mark.parametrize(
    "text",
    [
        '<?php $a = "/*"; system("/opt/agentd"); $b = "*/";\n',
        "<?php $u = 'http://x'; system('/opt/agentd');\n",
        "<?php echo 2\n. `/opt/agentd`;\n",
        "<?php # a\n?>\n<?php system('/opt/agentd') // b ?>\n",
    ],
)
def test_what_looks_like_a_comment_hides_nothing(text: str) -> None:
    found = analyse("/opt/a.php", text.encode(), language="php")
    assert not found.quiet
    assert "/opt/agentd" in {action.object for action in found.actions}
