"""Files, processes, scripts, services and accounts that the prose names, and how: as a copy, as patched, ..."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from hinomi.intel.extractor import Candidate, ReadingContext
from hinomi.intel.literals import any_within, occurrences
from hinomi.intel.names.accounts import ACCOUNT
from hinomi.intel.names.words import lowered_of, words_of
from hinomi.intel.vocabulary.columns import heads_column
from hinomi.intel.vocabulary.loading import stopwords
from hinomi.intel.vocabulary.names import name_index
from hinomi.intel.vocabulary.namesakes import conditions, namesake
from hinomi.model.claims import ClaimRole, ClaimType

ArtefactType = Literal["filename", "account", "service", "task", "mutex", "pipe"]

_X = r"[A-Za-z0-9_.$~][A-Za-z0-9_.$~+@-]{1,48}"
_JA_CLASSES: tuple[tuple[ArtefactType, str], ...] = (
    ("account", r"ユーザーアカウント|ユーザ(?:ー)?|アカウント|管理者"),
    ("task", r"スケジュールタスク|スケジュールされたタスク|タスク"),
    ("mutex", r"ミューテックス"),
    ("pipe", r"名前付きパイプ|パイプ"),
    ("filename",
        r"(?:実行(?:可能)?)?ファイル|スクリプト|バイナリ|プロセス|デーモン|プログラム|ライブラリ|モジュール|DLL|"
        r"コピー|ドライバ|コンポーネント"),
    ("service", r"サービス"),
)  # fmt: skip
_EN_CLASSES: tuple[tuple[ArtefactType, str], ...] = (
    ("account", r"users?|accounts?|user accounts?|usernames?|administrator"),
    ("task", r"scheduled tasks?|tasks?"),
    ("mutex", r"mutex(?:es)?"),
    ("pipe", r"named pipes?"),
    ("filename",
        r"files?|scripts?|binar(?:y|ies)|executables?|process(?:es)?|daemons?|programs?|librar(?:y|ies)|modules?|"
        r"copy|utility|ELF|DLL|driver|service binary"),
    ("service", r"services?"),
)  # fmt: skip


def _named(classes: tuple[tuple[ArtefactType, str], ...]) -> str:
    return "|".join(f"(?P<{kind}>{source})" for kind, source in classes)


_JA = _named(_JA_CLASSES)
_EN = _named(_EN_CLASSES)
_CALLED_JA = r"と(?:呼ばれる|いう(?:名前の|名の)?|名付けられた|題された|称する)|という名(?:前|称)?の"
_CALLED_EN = (
    r"(?:called|named|known as|titled|labell?ed|with the (?:file ?)?name|under the name|that (?:is|was) named|which "
    r"(?:is|was) named)"
)
_PATTERNS: tuple[tuple[re.Pattern[str], int], ...] = (
    # 「X」という起動スクリプト, 「X」プロセス, 「X」(スクリプト)
    (re.compile(
        rf"[「『\"`](?P<x>{_X})[」』\"`](?:\([^()\n]{{1,30}}\))?(?P<mod>(?:{_CALLED_JA})?[^。、「」『』\n]{{0,24}}?)"
        rf"(?:{_JA})"
    ), 80),
    # コピーである「X」, ファイル「X」
    (re.compile(rf"(?:{_JA})(?P<mod>である|の|名|、|は|が)?[「『\"`](?P<x>{_X})[」』\"`]"), 75),
    # Xという名前のファイル, X というファイル
    (re.compile(
        rf"(?<![A-Za-z0-9_./\\「『\"-])(?P<x>{_X}) ?(?P<mod>(?:{_CALLED_JA})[^。、「」\n]{{0,20}}?)(?:{_JA})"
    ), 65),
    # 「X」を投下
    (re.compile(
        rf"[「『\"`](?P<x>{_X})[」』\"`](?P<mod>を|が)、?[^。、「」\n]{{0,12}}?(?P<filename>投下|ドロップ|作成|設置|"
        r"配置|実行|起動|生成)"
    ), 65),
    # a (Bash) script called X
    (re.compile(
        rf"(?<![A-Za-z-])(?P<mod>(?:[A-Za-z-]{{2,16}} ){{0,3}}?)(?i:{_EN})(?:,| that| which)? ?{_CALLED_EN}:? "
        rf"[\"'`“*]{{0,2}}(?P<x>{_X})"
    ), 75),
    # drops `X`
    (re.compile(
        r"\b(?P<filename>drop(?:s|ped)?|install(?:s|ed)?|writes?|deploy(?:s|ed)?|execut(?:es|ed)|launch(?:es|ed)|"
        r"starts?) "
        rf"(?P<mod>(?:[a-z]{{1,12}} ){{0,3}}?)[\"`“](?P<x>{_X})[\"`”]"
    ), 65),
    # the file "X"; the process `X`
    (re.compile(
        rf"(?<![A-Za-z-])(?P<mod>(?:[A-Za-z-]{{2,16}} ){{0,2}}?)(?i:{_EN})[ ,:(]{{1,2}}[\"`“](?P<x>{_X})[\"`”]"
    ), 75),
    # "X" script; the legitimate `X` binary
    (re.compile(
        r"(?P<pre>(?:\b(?:legitimate|genuine|original|malicious|vendor's|benign|patched|modified|rogue) "
        rf")?)[\"`“](?P<x>{_X})[\"`”](?P<mod> (?:[A-Za-z-]{{2,16}} ){{0,2}}?)(?i:{_EN})\b"
    ), 75),
)  # fmt: skip
_JAPANESE_PATTERNS = 4
_DROPPED = _PATTERNS[_JAPANESE_PATTERNS - 1][0]
"""The first ones of `_PATTERNS` are for Japanese; of the others the first goes by what is called so, all by quotes."""
# the X process, where X cannot be a plain word: looked for backwards from the class word
_EN_CLASS = re.compile(rf"(?<= )(?:{_EN})(?![A-Za-z0-9_-])")
_BESIDE_PRODUCTS = frozenset({"binaries", "utility", "DLL"})
"""Class words before which, without quotes, a product's or a malware's name stands more often than a file's."""
_EN_WORDS = stopwords("artefact-classes")
"""Every English pattern holds one of these words."""
_BARE = re.compile(
    r"(?<![A-Za-z])(?P<pre>(?:the|a|an|its|this|legitimate|genuine|original|malicious|second|main|patched|modified|"
    r"of) )"
    rf"(?P<x>{_X})(?P<mod> (?:[a-z-]{{2,16}} )?)$"
)
_CALLED_WORDS = ("called", "name", "known as", "titled", "label")
"""Every match of `_CALLED_EN` holds one of these."""
_CALLED_NEXT = re.compile(rf",? (?:{_CALLED_EN}|[\"`“])")
_FURTHER = re.compile(
    r"(?:[」』\"`”'*]{0,2})(?:、|,|や|と|および|及び|または| and| or|, and|, or|・){1} "
    rf"?[「『\"`“'*]{{1,2}}(?P<x>{_X})(?=[」』\"`”'*])"
)
_PRECEDING = re.compile(
    rf"[「『\"`“'](?P<x>{_X})[」』\"`”'](?:、|,|や|と|および|及び|または| and| or|, and|, or|・) ?[「『\"`“']$"
)
_PIECE = re.compile(_X)
# Names given without a class word at their side.
_APPOSITION = re.compile(  # another script, geox64, checks ...; a near copy, sysmoned, stands beside it
    rf"\b(?P<word>scripts?|files?|binar(?:y|ies)|executables?|process(?:es)?|daemons?|programs?|cop(?:y|ies)|"
    rf"modules?|twin|duplicate), (?P<list>{_X}(?:(?:, and|,| and| or) {_X}){{0,4}}), "
    r"(?:[a-z]{2,16}s|in turn|then)\b"
)
_NAMED_EITHER = re.compile(  # a script that sources name either a6 or b6
    rf"\b(?P<word>script|file|binary|executable|process|daemon|program)\b[^.,;\n]{{0,30}}"
    rf"\b(?:nam(?:e|ed|es)|call(?:s|ed)?) (?:either )?(?P<list>{_X} (?:or|and) {_X})"
)
_PUT = re.compile(  # 「a」が置かれ; 「a6」(資料によっては「b6」)を呼び出す
    rf"(?P<list>[「『]{_X}[」』](?:\([^()\n「」]{{0,16}}[「『]{_X}[」』]\)|(?:、|や|と|および|または)[「『]{_X}[」』]){{0,6}})"
    r"(?:が|を|も|は)、?[^。「」\n]{0,14}?(?P<word>置か|置き|呼び出|呼ぶ|仕込|動か|動作|常駐|潜|書き込|残し|残さ)"
)
_ROW_OF_NAMES = re.compile(  # a row or line of a list: | file | a, b | scripts |
    rf"(?:^|\|)\s{{0,4}}(?P<word>(?i:files?|file ?names?|scripts?|process(?:es)?|binar(?:y|ies)|accounts?|users?)|"
    rf"ファイル名?|スクリプト名?|プロセス名?|アカウント名?|ユーザー名?)\s{{0,4}}[|:]\s{{0,4}}"
    rf"(?P<list>{_X}(?:\s?[,、/]\s?{_X}){{0,20}})\s{{0,4}}(?:\||$)"
)
_POSED_AS = re.compile(  # masquerades as crond; the honest program's name decides
    rf"\b(?:masquerad|disguis|pos(?=e|i)|impersonat|mimick?|pretend)\w* (?:itself |themselves )?(?:to be |as )?"
    rf"(?:(?:the|a|an|legitimate|genuine|system) ){{0,3}}[\"`“']?(?P<x>{_X})"
)
_ADVERBS = frozenset(
    "again also either finally first however indeed instead later likewise meanwhile moreover next nevertheless now "
    "once perhaps second similarly so still then therefore though thus too twice usually which who compiled "
    "encrypted obfuscated packed signed unsigned once-only".split()
)
_PATH = re.compile(
    r"(?<![A-Za-z0-9_.:/\\-])(?P<x>/(?:[A-Za-z0-9._+-]{1,64}/){1,12}[A-Za-z0-9._+-]{1,64})(?![A-Za-z0-9_])"
)
_SYSTEM_FILES = stopwords("system-files")
_COMMON = stopwords("artefacts")
_GENUINE = re.compile(r"(?i)正規|純正|本物|標準の|legitimate|genuine|vendor|benign|original|built-in|standard")
_PATCHED = re.compile(
    r"(?i)パッチを(?:追加|当て|適用)|改変|改ざん|書き換え|置き換え|トロイの木馬化|\bpatch(?:es|ed|ing)?\b|\bmodif|"
    r"\btamper|\btrojani[sz]|\balter|\breplac"
)
_STARTUP = re.compile(
    r"(?i)起動スクリプト|スタートアップスクリプト|startup script|start-up script|boot script|init script"
)
_COPY_OF = re.compile(
    rf"(?i)[「『\"`](?P<of>{_X})[」』\"`][^。「」]{{0,12}}の(?:コピー|複製)(?:である|"
    rf"の)?[「『\"`](?P<copy>{_X})[」』\"`]"
    rf"|[\"`「]?(?P<copy2>{_X})[\"`」]?(?:,| is| was|, which is) (?:a|an|another|identical|exact)(?: [a-z]+)? "
    rf"(?:copy|duplicate) of (?:the )?(?:(?:file|process|binary|script|program) )?[\"`「]?(?P<of2>{_X})"
    rf"|\b(?:a|second|another) copy of [\"`「]?(?P<of4>it|itself|{_X})[\"`」]?,? (?:which (?:is|was) |is |was "
    rf")?(?:called |named )?[\"`「](?P<copy4>{_X})[\"`」]"
    rf"|[「『\"`](?P<copy3>{_X})[」』\"`](?:は|が)、?[「『\"`](?P<of3>{_X})[」』\"`][^。「」]{{0,12}}の?(?:コピー|複製)"
)
_BAD = re.compile(
    r"(?i)マルウェア|マルウエア|バックドア|悪意|不正|攻撃者|感染|脅威アクター|malware|backdoor|malicious|attacker|"
    r"threat actor|implant|infect|drops?\b|dropped|adversar|compromis|\bactors?\b|rootkit|trojan|rogue"
)
_QUOTED = re.compile(r"[「『\"`“]|という|と呼ばれる|\b(?:called|named|known as|titled|label|file ?name|under the name)")
_COPY_HINTS = ("copy", "copies", "duplicate", "コピー", "複製")
_MAY_NAME = re.compile(
    r"[「『\"`“]|という|と呼ばれる|\b(?:called|named|known as)\b|(?:process|file|script|binary|daemon|service|"
    r"executable|librar|module|user|account|program|cop(?:y|ies)\b)"
)
_ROW = re.compile(r"\W{0,4}(?:File|Script|Process|Binar|Account|User|ファイル|スクリプト|プロセス|アカウント|ユーザー)")
"""How a row or line begins that lists names of a kind."""
_LINES = re.compile(r"[^\n。]{3,1200}")  # as _LONG_LINE
_FIRMWARE = re.compile(r"(?i)ファームウ[ェエ]ア|アップグレード|firmware|upgrade")
_FIRMWARE_WORDS = ("ファームウェア", "ファームウエア", "アップグレード", "firmware", "upgrade")
"""In lower case; every match of `_FIRMWARE` is one of these."""


@dataclass(frozen=True, slots=True)
class _Named:
    start: int
    end: int
    name: str
    kind: ArtefactType
    words: str
    confidence: int


class ArtefactsExtractor:
    """Yields filename, account, service, task, mutex and pipe candidates that the prose names."""

    name = "artefacts"

    def extract(self, context: ReadingContext) -> Iterable[Candidate]:
        """Yield candidates; what a text about malware names so is malicious unless it is called genuine."""
        text = context.folded.text
        hostile: bool | None = None  # asked of the whole text, once there is anything to ask it for
        words = words_of(context)
        classes = [words.all[number][0] for number in words.numbers(words.places.keys() & _EN_WORDS)]
        lowered = lowered_of(context)
        copied = occurrences(lowered, _COPY_HINTS)
        for line, start, end in _lines(text, classes):
            english = any_within(classes, start, end)
            if not english and (line.isascii() or not (_MAY_NAME.search(line) or _ROW.match(line))):
                continue
            copying = any_within(copied, start, end)
            items = list(_artefacts(line, english, copying))
            copies = _copies(line, items) if copying else {}
            for item in items:
                hostile = _BAD.search(text) is not None if hostile is None else hostile
                yield _candidate(context, start, line, item, copies, hostile)
        if any(word in lowered for word in _FIRMWARE_WORDS):
            for found in _PATH.finditer(text):
                yield from _upgrade_path(context, found)


def _lines(text: str, classes: Sequence[int]) -> Iterator[tuple[str, int, int]]:
    """Yield (line, start, end) of the lines to look at; of English text those with a class word, at `classes`."""
    if not text.isascii():
        yield from ((found[0], *found.span()) for found in _LINES.finditer(text))
        return
    end = 0
    for place in classes:
        if place < end:
            continue
        start = max(end, text.rfind("\n", end, place) + 1)
        start += (place - start) // _LONG_LINE * _LONG_LINE
        stop = text.find("\n", place, start + _LONG_LINE)
        end = stop if stop >= 0 else min(len(text), start + _LONG_LINE)
        yield text[start:end], start, end


_LONG_LINE = 1200


def _artefacts(line: str, english: bool, copying: bool) -> Iterator[_Named]:
    """Yield what a line names. `english`: it holds a word of `_EN_WORDS`; `copying`: it speaks of a copy."""
    seen: set[tuple[int, str]] = set()
    if english:
        yield from _bare(line)
        yield from _posed(line)
    yield from _accounts(line)
    yield from _spoken(line, english)
    for pattern, confidence in _patterns(line, english):
        for found in pattern.finditer(line):
            kind = _kind(found)
            words = " ".join(found.groupdict().get(k) or "" for k in ("pre", "mod")) + " " + (found[kind] or "")
            name = _trimmed(found["x"])
            if pattern is _DROPPED and _OTHER_KIND.search(line[: found.start()][-12:]):
                continue
            if _can_be(name, confidence, words, kind) and (found.start("x"), kind) not in seen:
                seen.add((found.start("x"), kind))
                yield _Named(found.start("x"), found.start("x") + len(name), name, kind, words, confidence)
                yield from _further(line, found.end("x"), kind, words, confidence)
                yield from _earlier(line, found.start("x"), kind, words, confidence)
    for found in _COPY_OF.finditer(line) if copying else ():
        for group in ("copy", "copy2", "copy3", "copy4"):
            name = _trimmed(found[group] or "")
            if found[group] and _can_be(name, 75, "copy", "filename") and (found.start(group), "filename") not in seen:
                yield _Named(found.start(group), found.start(group) + len(name), name, "filename", "copy", 70)


def _patterns(line: str, english: bool) -> Sequence[tuple[re.Pattern[str], int]]:
    """The patterns that can hold in a line: by its quotes, its language and its class words."""
    if not _QUOTED.search(line):
        return ()
    japanese = () if line.isascii() else _PATTERNS[:_JAPANESE_PATTERNS]
    if not english:
        return japanese
    called, *quoted = _PATTERNS[_JAPANESE_PATTERNS:]
    return (
        *japanese,
        *((called,) if any(word in line for word in _CALLED_WORDS) else ()),
        *(quoted if any(mark in line for mark in '"`“') else ()),
    )


def _bare(line: str) -> Iterator[_Named]:
    for word in _EN_CLASS.finditer(line):
        shift = max(0, word.start() - 90)
        found = None if word[0] in _BESIDE_PRODUCTS else _BARE.search(line[shift : word.start()])
        if not found or _CALLED_NEXT.match(line, word.end()):
            continue
        kind, words = _kind(word), f"{found['pre']}{found['mod'].strip()} {word[0]}"
        name = _trimmed(found["x"])
        if _can_be(name, 60, words, kind):
            start = shift + found.start("x")
            yield _Named(start, start + len(name), name, kind, words, 60)


def _posed(line: str) -> Iterator[_Named]:
    """The honest programs that malware wears the names of."""
    for found in _POSED_AS.finditer(line):
        name = _trimmed(found["x"])
        if namesake(name):
            yield _Named(found.start("x"), found.start("x") + len(name), name, "filename", "masquerades as", 75)


def _accounts(line: str) -> Iterator[_Named]:
    """Accounts without quotes, told by their shape."""
    for found in ACCOUNT.finditer(line):
        yield _Named(*found.span("x"), found["x"], "account", "account", 60)


def _spoken(line: str, english: bool) -> Iterator[_Named]:
    """Names that stand as an apposition, in a list behind a class word, or as what is put, called or left."""
    for pattern in _shapes(line, english):
        for found in pattern.finditer(line):
            if _OTHER_KIND.search(line[: found.start()][-12:]):
                continue
            kind: ArtefactType = "account" if _ACCOUNT.search(found["word"]) else "filename"
            for piece in _PIECE.finditer(found["list"]):
                name = _trimmed(piece[0])
                if _is_spoken_name(name, kind):
                    start = found.start("list") + piece.start()
                    yield _Named(start, start + len(name), name, kind, found["word"], 65)


def _shapes(line: str, english: bool) -> Iterator[re.Pattern[str]]:
    """The shapes that can stand in a line, by what each must hold."""
    if english and ", " in line:
        yield _APPOSITION
    if english and (" nam" in line or " call" in line):
        yield _NAMED_EITHER
    if "」" in line or "』" in line:
        yield _PUT
    if "|" in line or ":" in line:
        yield _ROW_OF_NAMES


_OTHER_KIND = re.compile(
    r"(?:アカウント|ユーザー?|サービス|タスク|パイプ|ミューテックス|マルウェア|バックドア|ツール|グループ)(?:名|の|である)?$"
)
_ACCOUNT = re.compile(r"(?i)account|user|アカウント|ユーザー")


def _is_spoken_name(name: str, kind: ArtefactType) -> bool:
    """Whether a word in a name's place can be one: no adverb, no capitalised word of the prose, no plain word."""
    return (
        _can_be(name, 75, "", kind)
        and name not in _ADVERBS
        and not name.endswith("ly")
        and re.fullmatch(r"[A-Z][A-Za-z]*", name) is None
    )


def _further(line: str, end: int, kind: ArtefactType, words: str, confidence: int) -> Iterator[_Named]:
    """Further quoted names of a list: 「a」、「b」および「c」というファイル and `a`, `b` and `c`."""
    for _ in range(20):
        found = _FURTHER.match(line, end)
        if not found:
            return
        name = _trimmed(found["x"])
        if _can_be(name, confidence, words, kind):
            yield _Named(found.start("x"), found.start("x") + len(name), name, kind, words, confidence - 5)
        end = found.end("x")


def _earlier(line: str, start: int, kind: ArtefactType, words: str, confidence: int) -> Iterator[_Named]:
    """Earlier quoted names of a list whose class word stands at its end."""
    for _ in range(20):
        found = _PRECEDING.search(line[max(0, start - 64) : start])
        if not found:
            return
        shift = max(0, start - 64)
        name = _trimmed(found["x"])
        if _can_be(name, confidence, words, kind):
            yield _Named(
                shift + found.start("x"), shift + found.start("x") + len(name), name, kind, words, confidence - 5
            )
        start = shift + found.start("x")


def _kind(found: re.Match[str]) -> ArtefactType:
    return next(kind for kind, _ in _JA_CLASSES if found.groupdict().get(kind))


def _trimmed(name: str) -> str:
    return name.rstrip(".,-'+@")


def _can_be(name: str, confidence: int, words: str, kind: ArtefactType) -> bool:
    """Whether a word can be an artefact's name: no plain word, no malware name, no version, no address."""
    if (
        len(name) < 2
        or name.casefold() in _COMMON
        or heads_column(name)
        or re.fullmatch(r"[\d.]+|v\d.*|CVE-.*|UNC\d+|APT\d+|\.[a-z0-9]{1,5}|\d+-?bits?", name, re.IGNORECASE)
    ):
        return False
    if any(not form.ordinary and form.name.kind != "tool" for form in name_index().lookup(name)) and "." not in name:
        return False
    if kind != "account" and re.fullmatch(r"[A-Z][a-z]+", name) and confidence < 75:
        return False
    odd = bool(re.search(r"[0-9_.$]|[a-z][A-Z]", name)) and not re.fullmatch(r"[A-Za-z]+-[a-z]+", name)
    return confidence >= 75 or odd or (confidence == 65 and "と" in words)


def _copies(line: str, items: Sequence[_Named]) -> dict[str, str]:
    """Return original by copy; `it` is the file named last before."""
    result: dict[str, str] = {}
    for found in _COPY_OF.finditer(line):
        copy = found["copy"] or found["copy2"] or found["copy3"] or found["copy4"]
        original = found["of"] or found["of2"] or found["of3"] or found["of4"]
        if original in {"it", "itself"}:
            earlier = [item for item in items if item.kind == "filename" and item.end <= found.start()]
            original = max(earlier, key=lambda item: item.start).name if earlier else ""
        if original:
            result[_trimmed(copy)] = _trimmed(original)
    return result


def _candidate(
    context: ReadingContext, offset: int, line: str, item: _Named, copies: dict[str, str], hostile: bool
) -> Candidate:
    attributes = _how(line, item, copies) | (conditions(item.name) if item.kind == "filename" else {})
    role: ClaimRole = "malicious" if hostile else "mentioned"
    if attributes.get("legitimate") and attributes.get("how") != "patched-legitimate":
        role = "mentioned"
    if item.kind == "account" and _OWN_ACCOUNT.search(line):
        role = "mentioned"
    claim_type: ClaimType = item.kind
    return Candidate(
        type=claim_type, value=item.name, span=context.folded.span(offset + item.start, offset + item.end), role=role,
        confidence=item.confidence if hostile else item.confidence - 20, why=f"the text calls it: {item.words.strip()}",
        attributes=attributes,
    )  # fmt: skip


_OWN_ACCOUNT = re.compile(
    r"(?i)\b(?:rotat|reset|chang)\w* (?:\w+ ){0,3}(?:passwords?|credentials?|secrets?|keys?)\b"
    r"|パスワード(?:を|の)(?:変更|リセット|再設定)|(?:認証情報|資格情報)(?:を|の)(?:変更|リセット|更新)"
)
"""Whose password is changed is the reader's own account."""


def _how(line: str, item: _Named, copies: dict[str, str]) -> dict[str, Any]:
    attributes: dict[str, Any] = {"named_in_prose": True}
    near = line[max(0, item.start - 40) : item.end + 60]
    if item.name in copies:
        attributes |= {"how": "copy-of", "copy_of": copies[item.name]}
    elif _GENUINE.search(item.words):
        patched = _PATCHED.search(line) is not None
        attributes |= {"legitimate": True} | ({"how": "patched-legitimate"} if patched else {})
    elif _STARTUP.search(item.words) or (_STARTUP.search(near) and item.name.casefold() in _SYSTEM_FILES):
        attributes["how"] = "startup-script"
    if item.name.casefold() in _SYSTEM_FILES:
        attributes["legitimate"] = True
    if item.kind == "account" and re.search(r"(?i)ルート|root|管理者|admin", item.words):
        attributes["privileged"] = True
    if item.kind == "filename" and re.search(r"(?i)プロセス|process|デーモン|daemon", item.words):
        attributes["process"] = True
    return attributes


def _upgrade_path(context: ReadingContext, found: re.Match[str]) -> Iterator[Candidate]:
    text = context.folded.text
    around = text[max(0, found.start() - 80) : found.end() + 80]
    if _FIRMWARE.search(around.replace(found[0], "")):
        path = found["x"].rstrip(".")
        span = context.folded.span(found.start(), found.start() + len(path))
        yield Candidate(
            type="filepath", value=path, span=span, confidence=70,
            why="a path in a sentence about firmware upgrades", attributes={"how": "upgrade-path"},
        )  # fmt: skip


EXTRACTOR = ArtefactsExtractor()
