// Strings: the public source of TinyShell (github.com/creaktive/tsh). Rule text: Hinomi maintainers.
rule tinyshell {
  meta:
    title_en = "TinyShell backdoor"
    title_ja = "TinyShellバックドア"
    explanation_en = "{subject} is an ELF program with the function names, usage text or environment set-up of TinyShell ({patterns})."
    explanation_ja = "{subject} は、TinyShellの関数名・使い方の表示・環境設定を持つELFプログラムです（{patterns}）。"
    falsepositives_en = "TinyShell itself, where an administrator built it as a tool."
    falsepositives_ja = "管理者が道具として自らビルドしたTinyShell。"
    severity = "high"
    confidence = 85
    subject_type = "file"
    status = "stable"
    behaviours = "backdoor-program, reverse-shell"
    attack = "T1059.004, T1505, T1071"
    threats = "TinyShell, UNC4540"
    references = "https://github.com/creaktive/tsh"
    responses = "isolate-host, preserve-evidence, stop-and-remove-implant, scan-memory, find-the-way-in"
    license = "Apache-2.0"
    memory = true
  strings:
    $f1 = "tshd_get_file" ascii nocase
    $f2 = "tshd_put_file" ascii nocase
    $f3 = "tshd_runshell" ascii nocase
    $f4 = "pel_server_init" ascii nocase
    $f5 = "pel_send_msg" ascii nocase
    $f6 = "pel_recv_msg" ascii nocase
    $u1 = "[ -s secret ] [ -p port ]" ascii nocase
    $u2 = "[ -c [ connect_back_host ] ]" ascii nocase
    $u3 = "[ -d connect_back_delay ]" ascii nocase
    $e1 = "HISTFILE=" ascii nocase fullword
    $e2 = "TERM=" ascii nocase
    $e3 = "/dev/ptmx" ascii nocase
    $e4 = "exec bash --login" ascii nocase
    $e5 = "/bin/sh" ascii nocase
    $o1 = "never say say goodbye" ascii nocase
    $x1 = "BASH_VERSION" ascii
    $x2 = "busybox" ascii nocase
  condition:
    (in_memory and (3 of ($f*) or 2 of ($u*))) or
    uint32(0) == 0x464c457f and filesize < 3MB and not any of ($x*) and
    (3 of ($f*) or 2 of ($u*) or (any of ($f*, $u*, $o*) and 2 of ($e*)) or ($e1 and $e2 and ($e3 or $e4 or $e5)))
}
