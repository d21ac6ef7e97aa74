"""HTML reports: the article is kept, the page around it goes, hostile markup does no harm."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hinomi.intel.formats.html import FORMAT
from hinomi.model.errors import HinomiError

PARAGRAPH = "The backdoor waits for commands of its operator and writes its results to a hidden file on the disk. " * 3
PAGE = f"""<!DOCTYPE html><html><head><meta charset="utf-8"><title>Kaze | Blog of a vendor</title>
<meta property="article:published_time" content="2024-05-06T10:00:00Z"></head>
<body><nav><ul><li><a href="https://vendor.example/products">Products</a></li></ul></nav>
<article><h1>Kaze comes back</h1><p>{PARAGRAPH} It calls <span>kaze</span><wbr>-c2[.]example at night.</p>
<p>{PARAGRAPH} See <a href="https://vendor.example/earlier">our earlier post</a>.</p>
<h2>Indicators of compromise</h2><table><tr><th>File</th><th>Place</th></tr>
<tr><td>kz.bin</td><td>/var/kz/<b>kz.bin</b></td></tr></table>
<pre>first line
  second line</pre>
<h2>Mitigations</h2><ul><li>Update <em>now</em>.</li><li>Rotate passwords.</li></ul></article>
<footer>Imprint and cookies</footer><script>var secretive = "nothing";</script></body></html>"""


def read(text, encoding="utf-8"):
    return FORMAT.extract(text.encode(encoding), "page.html")


def test_the_article_keeps_headings_tables_lists_and_code():
    document = read(PAGE)
    for line in (
        "# Kaze comes back", "## Indicators of compromise", "| File | Place |", "| kz.bin | /var/kz/kz.bin |",
        "first line\n  second line", "## Mitigations", "- Update now.", "- our earlier post: https://vendor.example/earlier",
    ):  # fmt: skip
        assert line in document.text
    assert "kaze-c2[.]example" in document.text
    assert document.title == "Kaze comes back"
    assert document.published == "2024-05-06"


def test_boilerplate_goes():
    text = read(PAGE).text
    assert "Imprint" not in text
    assert "Products" not in text
    assert "secretive" not in text


@pytest.mark.parametrize(
    ("charset", "encoding"), [("shift_jis", "cp932"), ("euc-jp", "euc_jp"), ("iso-2022-jp", "iso2022_jp")]
)
def test_declared_japanese_charsets(charset, encoding):
    page = f'<html><head><meta charset="{charset}"></head><body><p>通信先を①遮断する。</p></body></html>'
    if encoding != "cp932":
        page = page.replace("①", "")
    assert "通信先を" in read(page, encoding).text


def test_a_short_page_is_taken_whole():
    assert read("<html><body><div>C2 is kaze[.]example</div></body></html>").text == "C2 is kaze[.]example"


def test_japanese_lines_join_without_a_blank():
    assert read("<html><body><p>通信先を\n遮断する</p></body></html>").text == "通信先を遮断する"


@pytest.mark.parametrize(
    "data", [b"<!DOCTYPE html><p>x", b"\xef\xbb\xbf<html lang=ja>", b"<?xml version='1.0'?>\n<html>"]
)
def test_html_is_recognised_by_content(data):
    assert FORMAT.sniff(data) >= 60


@pytest.mark.parametrize("data", [b"plain <notes>", b"if a < b: p > c", b"%PDF-1.7"])
def test_other_content_is_not(data):
    assert FORMAT.sniff(data) == 0


def test_entities_are_not_expanded_from_files():
    page = (
        '<?xml version="1.0"?><!DOCTYPE html [<!ENTITY x SYSTEM "file:///etc/hostname">]>'
        "<html><body>a &x; b</body></html>"
    )
    with open("/etc/hostname", encoding="utf-8") as file:
        assert file.read().strip() not in read(page).text


@pytest.mark.parametrize(
    "page", ["<html>" + "<div>" * 50000 + "deep text", "<html>" + "<" * 50000, "<html><body>" + "<b>x" * 20000]
)
def test_hostile_nesting_is_read_or_refused(page):
    try:
        assert read(page).text
    except HinomiError as error:
        assert error.code.startswith("report-")


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [
                "<p>",
                "</p>",
                "<table>",
                "<tr>",
                "<td>",
                "</tr>",
                "<li>",
                "<pre>",
                "a b",
                "あ",
                "<br>",
                "<a href='http://x'>",
                "&#0;",
            ]
        ),
        max_size=40,
    )
)
def test_any_markup_gives_text_or_our_error(pieces):
    try:
        read("<html><body>" + "".join(pieces))
    except HinomiError:
        return


def test_a_sites_banner_is_left_out_and_an_articles_header_is_kept():
    page = (
        b"<html><body><header>Subscribe at banner.top</header><main><article><header><p>By us, 2031</p></header>"
        b"<h1>Egret</h1><p>It talks to 203.0.113[.]9.</p></article></main></body></html>"
    )
    text = FORMAT.extract(page, "p.html").text
    assert "banner" not in text and "By us, 2031" in text and "203.0.113[.]9" in text


def test_an_endless_paragraph_is_read_whole_and_said():
    page = b"<html><body><article><p>" + b"<b>a.example</b> the actor " * 4000 + b"</p></article></body></html>"
    document = FORMAT.extract(page, "a.html")
    assert document.text.count("a.example") == 4000
    assert any("endless" in note for note in document.notes)
