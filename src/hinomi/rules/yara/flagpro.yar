// Strings: public analyses (JPCERT/CC's jpcert-yara, BSD-3-Clause; MITRE ATT&CK S0696). Rule text: Hinomi maintainers.
rule flagpro {
  meta:
    title_en = "Flagpro downloader"
    title_ja = "Flagproダウンローダー"
    explanation_en = "{subject} holds several texts that the downloader Flagpro uses for its commands and its progress ({patterns})."
    explanation_ja = "{subject} には、ダウンローダーFlagproが命令や進行の表示に使う文字列が複数あります（{patterns}）。"
    falsepositives_en = "Analysts' notes and detection rules are told apart by their type."
    falsepositives_ja = "分析メモや検知ルールは、ファイル種別で区別しています。"
    severity = "critical"
    confidence = 92
    subject_type = "file"
    status = "stable"
    behaviours = "second-stage-download, command-execution, startup-folder-persistence, dialog-closing"
    attack = "T1105, T1059.003, T1547.001"
    threats = "Flagpro, BlackTech"
    references = "https://attack.mitre.org/software/S0696/, https://github.com/JPCERTCC/jpcert-yara"
    responses = "isolate-host, preserve-evidence, remove-startup-dropper, stop-and-remove-implant, scan-memory, find-the-way-in"
    license = "Apache-2.0"
  strings:
    $exec = "ExecYes" ascii wide nocase
    $flag = "flagpro=" ascii wide nocase
    $temp = "~MYTEMP" ascii wide nocase
    $down = "download...." ascii wide nocase
    $one = "download1 finished!" ascii wide nocase
    $two = "download2 finished!" ascii wide nocase
    $pass = "start get all pass!" ascii wide nocase
    $init = "init Refresh..." ascii wide nocase
    $busy = "busy stop..." ascii wide nocase
    $uri = "index.htmld?flag" ascii wide nocase
  condition:
    uint16(0) == 0x5a4d and filesize < 8MB and 4 of them
}
