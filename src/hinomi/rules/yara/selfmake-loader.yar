// Strings: public analyses (JPCERT/CC's jpcert-yara, BSD-3-Clause). Rule text: Hinomi maintainers.
rule selfmake_loader {
  meta:
    title_en = "SelfMake Loader"
    title_ja = "SelfMake Loader（メモリー上で実行するローダー）"
    explanation_en = "{subject} holds the class name and messages of SelfMake Loader, which decodes a file beside it and runs it in memory ({patterns})."
    explanation_ja = "{subject} には、隣のファイルを復号してメモリー上で実行するSelfMake Loaderのクラス名やメッセージがあります（{patterns}）。"
    falsepositives_en = "None known."
    falsepositives_ja = "知られていません。"
    severity = "critical"
    confidence = 90
    subject_type = "file"
    status = "stable"
    behaviours = "in-memory-loader, second-stage-download"
    attack = "T1140, T1620, T1027.013"
    threats = "SelfMake Loader, BlackTech"
    references = "https://github.com/JPCERTCC/jpcert-yara"
    responses = "isolate-host, preserve-evidence, stop-and-remove-implant, scan-memory, find-the-way-in"
    license = "Apache-2.0"
  strings:
    $class = /selfmake[0-9]{1,2}[A-Z]?App/ ascii wide nocase
    $fix = "fixmeconfig" ascii wide nocase
    $path = "[+] config path:%s" ascii wide nocase
    $rtti = ".?AVCselfmake" ascii nocase
  condition:
    uint16(0) == 0x5a4d and filesize < 16MB and 2 of them
}
