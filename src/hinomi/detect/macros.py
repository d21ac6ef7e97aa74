"""The SQL vocabulary of rules: macros over paths, names and lists. `rules/README.md` documents each one."""

from __future__ import annotations

# Paths of Windows roots keep their forward slashes (`/Windows/System32/...`), as every view gives them.
_PATH = r"""
CREATE MACRO basename(p) AS regexp_extract(p, '[^/\\]*$');
CREATE MACRO dirname(p) AS regexp_replace(p, '[/\\]+[^/\\]*$', '');
CREATE MACRO stem(p) AS regexp_replace(regexp_extract(p, '[^/\\]*$'), '(.)\.[^.]*$', '\1');
CREATE MACRO ext(p) AS lower(regexp_extract(regexp_extract(p, '[^/\\]*$'), '.\.([^.]*)$', 1));
CREATE MACRO under(p, dir) AS (p = rtrim(dir, '/') OR starts_with(p, rtrim(dir, '/') || '/'));
CREATE MACRO is_hidden(p) AS regexp_matches(p, '(^|[/\\])\.[^./\\]');
CREATE MACRO in_system_dir(p) AS (
  regexp_matches(p, '^/(bin|sbin|lib|lib32|lib64|libx32|usr|System)/') AND NOT starts_with(p, '/usr/local/')
  OR regexp_matches(lower(p), '^/?([a-z]:)?[/\\]?windows[/\\]'));
CREATE MACRO in_temp_dir(p) AS (
  regexp_matches(p, '^(/private)?/(tmp|var/tmp|dev/shm|run/shm)/')
  OR regexp_matches(lower(p), '[/\\](temp|tmp)[/\\]') AND NOT starts_with(p, '/usr/'));
CREATE MACRO in_volatile_dir(p) AS (
  regexp_matches(p, '^(/private)?/(tmp|var/tmp|run|var/run|dev)/')
  OR regexp_matches(lower(p), '[/\\](temp|tmp)[/\\]') AND NOT starts_with(p, '/usr/'));
CREATE MACRO in_home(p) AS regexp_matches(p, '^(/[Cc]:)?[/\\](home[/\\][^/\\]+|root|Users[/\\][^/\\]+)[/\\]');
CREATE MACRO outer_path(p) AS split_part(p, ' » ', 1);
CREATE MACRO spoken_path(p, mechanism, line, name) AS  -- of a command that starts by itself, as a script
  p || ' » ' || mechanism || ':' || coalesce(CAST(nullif(line, 0) AS VARCHAR), nullif(name, ''), '1');
"""
_NAME = r"""
CREATE MACRO bare_name(p) AS regexp_replace(lower(regexp_extract(p, '[^/\\]*$')), '\.(sh|bash|py|pl|exe)$', '');
CREATE MACRO same_name(a, b) AS (bare_name(a) = bare_name(b) AND bare_name(a) <> '');
CREATE MACRO near_name(a, b) AS (
  lower(a) <> lower(b) AND least(length(a), length(b)) >= 5
  AND levenshtein(lower(a), lower(b)) <= if(least(length(a), length(b)) < 7, 1, 2));
CREATE MACRO names(txt, p) AS (
  contains(p, '/') AND contains(txt, p)
  OR list_contains(string_split_regex(lower(txt), '[^\w.+-]+'), lower(regexp_extract(p, '[^/\\]*$')))
     AND regexp_extract(p, '[^/\\]*$') <> '');
CREATE MACRO is_word_for(w, p) AS (
  contains(p, '/') AND ends_with(w, p)
  OR regexp_matches(w, '^(\$\{?\w+\}?|.*[)`])/[^/]+$') AND ends_with(p, regexp_extract(w, '/[^/]+$'))
  OR regexp_matches(w, '^(\./)?[^/.\s]') AND ends_with(p, '/' || regexp_replace(w, '^\./', '')));
CREATE MACRO is_interpreter(p) AS regexp_matches(lower(regexp_extract(p, '[^/\\]*$')),
  '^(ba|da|a|k|z|c|tc|mk|fi)?sh$|^busybox$|^(python|perl|ruby|php|lua|node|tclsh|pwsh|powershell|osascript|wscript|cscript|mshta)[0-9.]*(\.exe)?$|^cmd\.exe$');
"""
_LIST = r"""
CREATE MACRO twin_score(a, b) AS (
  CASE WHEN len(a) = 0 OR len(a) <> len(b) THEN 0.0
  ELSE len(list_filter(list_zip(a, b), lambda pair: pair[1] = pair[2])) / len(a) END);
CREATE MACRO is_script(p) AS (p IN (SELECT path FROM scripts));
CREATE MACRO is_elf(p) AS (p IN (SELECT path FROM elf));
"""
_WORDS = r"""
CREATE MACRO what_ja(w) AS CASE w
  WHEN 'added' THEN '追加' WHEN 'changed' THEN '変更'
  WHEN 'removed' THEN '削除' WHEN 'came-and-went' THEN '作成後に削除' ELSE w END;
"""
_NETWORK = r"""
CREATE MACRO is_public_address(a) AS (
  regexp_matches(a, '^\d{1,3}(\.\d{1,3}){3}$')
  AND NOT regexp_matches(a, '^(0|10|127|2[2-5]\d)\.|^169\.254\.|^192\.168\.|^172\.(1[6-9]|2\d|3[01])\.')
  AND NOT regexp_matches(a, '^100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.')
  AND NOT regexp_matches(a, '^192\.0\.[02]\.|^198\.(1[89]|51\.100)\.|^203\.0\.113\.'));
"""

MACROS: str = _PATH + _NAME + _LIST + _WORDS + _NETWORK
