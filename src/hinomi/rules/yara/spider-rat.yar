// Strings: public analyses (JPCERT/CC's jpcert-yara, BSD-3-Clause). Rule text: Hinomi maintainers.
rule spider_rat {
  meta:
    title_en = "Spider RAT"
    title_ja = "遠隔操作マルウェアSpider RAT"
    explanation_en = "{subject} holds several messages of Spider RAT's connection code ({patterns})."
    explanation_ja = "{subject} には、Spider RATの通信処理のメッセージが複数あります（{patterns}）。"
    falsepositives_en = "None known."
    falsepositives_ja = "知られていません。"
    severity = "critical"
    confidence = 90
    subject_type = "file"
    status = "stable"
    behaviours = "remote-access-trojan, command-execution"
    attack = "T1219, T1071.001, T1090"
    threats = "Spider RAT, BlackTech"
    references = "https://github.com/JPCERTCC/jpcert-yara"
    responses = "isolate-host, preserve-evidence, stop-and-remove-implant, scan-memory, find-the-way-in"
    license = "Apache-2.0"
  strings:
    $user = "InternetSetOption m_ProxyUserName Error." ascii wide nocase
    $pass = "InternetSetOption m_ProxyPassWord Error." ascii wide nocase
    $http = "pWork->HC->HttpSendMessage failed!" ascii wide nocase
    $recv = "Recv_put error!" ascii wide nocase
    $send = "Send_put error!" ascii wide nocase
    $sent = "Send Success - %d:%d" ascii wide nocase
    $got = "Recv Success - %d:%d" ascii wide nocase
  condition:
    uint16(0) == 0x5a4d and filesize < 16MB and 4 of them
}
