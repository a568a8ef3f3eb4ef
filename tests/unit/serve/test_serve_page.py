"""The page in a real browser, at the width of a desk and of a phone: typed into, looked at, measured."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest
from tests.browser import Browser

pytestmark = pytest.mark.long

WIDE, PHONE = (1280, 900), (390, 844)
DONE = "document.querySelectorAll('#lists li').length > 0 && !document.querySelector('#lists.busy')"
BOXES = "Array.from(document.querySelectorAll({!r}), (node) => node.getBoundingClientRect().toJSON())"


@pytest.fixture(scope="module")
def address(serving):
    with serving() as (_, address):
        yield address


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with Browser(tmp_path_factory.mktemp("profile")) as browser:
        yield browser


@pytest.fixture
def page(browser, address):
    """``page(size, query)``: the page of a query, opened by its address, when it is done."""

    def opened(size: tuple[int, int], query: str = "", done: str = DONE) -> Browser:
        browser.size(*size)
        browser.call("Page.navigate", url="about:blank")
        browser.mistakes()
        browser.call("Page.navigate", url=f"{address}?{urlencode({'query': query})}" if query else address)
        browser.wait(done)
        return browser

    return opened


READY = "document.getElementById('about')?.textContent.includes('documents')"


def test_a_query_is_typed_and_both_rankings_appear_side_by_side(page):
    browser = page(WIDE, done=READY)
    assert browser.value("document.activeElement.id") == "query"
    browser.call("Input.insertText", text="roter Fuchs")
    browser.press("Enter", "\r")
    browser.wait(DONE)
    assert browser.value("Array.from(document.querySelectorAll('h2'), (head) => head.textContent)") == [
        "Re-ranked",
        "Retrieved",
    ]
    left, right = browser.value(BOXES.format("#lists section"))
    assert left["top"] == right["top"]
    assert left["right"] < right["left"]
    assert browser.value("location.search") == "?query=roter+Fuchs&top=10"
    status = browser.value("document.getElementById('status').textContent")
    assert status.startswith("8 of 8 documents: query encoded in ")
    assert "re-ranked in" in status
    assert browser.mistakes() == []


def test_on_a_phone_the_rankings_stand_below_each_other_and_nothing_is_cut_off(page):
    browser = page(PHONE, "roter Fuchs")
    first, second = browser.value(BOXES.format("#lists section"))
    assert first["bottom"] <= second["top"]
    assert browser.value("document.documentElement.scrollWidth") <= PHONE[0]
    for box in browser.value(BOXES.format("input, button, select, li, mark")):
        assert 0 <= box["left"] < box["right"] <= PHONE[0]
    assert all(box["height"] >= 44 for box in browser.value(BOXES.format("input, button, select")))


def test_linked_words_have_the_colour_of_the_word_in_the_query(page):
    browser = page(WIDE, "red fox")
    marks = "Array.from(document.querySelectorAll('{} mark'), (mark) => [mark.textContent, mark.className])"
    assert browser.value(marks.format("#asked")) == [["red", "w1"], ["fox", "w2"]]
    found = browser.value(marks.format("li"))
    assert sorted(map(tuple, found)) == 2 * [("fox", "w2")] + 2 * [("fox", "w2")] + 2 * [("fuchs", "w2")] + 2 * [
        ("red", "w1")
    ] + 2 * [("rote", "w1")]
    colours = "Array.from(document.querySelectorAll('mark.w{}'), (mark) => getComputedStyle(mark).borderBottomColor)"
    first, second = ({*browser.value(colours.format(number))} for number in (1, 2))
    assert len(first) == len(second) == len(first | second) - 1 == 1


def test_each_text_has_the_direction_of_its_script(page):
    browser = page(WIDE, "fox")
    lines = browser.value(
        "Array.from(document.querySelectorAll('li'), (item) => "
        "[item.querySelector('.docid').textContent, getComputedStyle(item.querySelector('p')).direction])"
    )
    assert {docid: direction for docid, direction in lines if docid != "empty"} == {
        docid: "rtl" if docid == "ar-1" else "ltr" for docid in ("en-1", "en-2", "de-1", "de-2", "ar-1", "zh-1", "html")
    }


def test_markup_of_documents_and_queries_is_shown_and_not_run(page):
    browser = page(WIDE, "<img src=x onerror=document.title='owned'><script>document.title='owned'</script> fox")
    assert browser.value("document.querySelectorAll('main img, main script, main b').length") == 0
    shown = browser.value("Array.from(document.querySelectorAll('li p'), (text) => text.textContent)")
    assert (
        shown.count("<script>document.title = 'owned'</script> a fox <b>bold</b> & <img src=x onerror=alert(1)>") == 2
    )
    assert browser.value("document.title").endswith("switchrank search")
    assert browser.mistakes() == []


def test_it_is_used_without_a_mouse_and_read_aloud(page):
    browser = page(WIDE, "fox")
    browser.value("document.activeElement.blur()")
    browser.press("/", "/")
    reached = []
    for _ in range(3):
        reached.append(browser.value("document.activeElement.id || document.activeElement.localName"))
        browser.press("Tab")
    assert reached == ["query", "top", "button"]
    browser.call("Accessibility.enable")
    nodes = browser.call("Accessibility.getFullAXTree")["nodes"]
    named = [(node["role"]["value"], node.get("name", {}).get("value")) for node in nodes if not node["ignored"]]
    assert {
        ("searchbox", "Query, in any language"),
        ("combobox", "Documents shown in each list"),
        ("button", "Search"),
        ("region", "Re-ranked"),
        ("region", "Retrieved"),
    } <= set(named)
    assert [role for role, _ in named].count("listitem") == 16


def test_going_back_shows_the_query_before(page):
    browser = page(WIDE, "fox")
    browser.value("document.getElementById('query').value = 'wal'; document.querySelector('button').click()")
    browser.wait("document.title.startsWith('wal')")
    browser.value("history.back()")
    browser.wait(f"document.title.startsWith('fox') && {DONE}")
    assert browser.value("document.getElementById('query').value") == "fox"


def test_a_mistake_is_told(page):
    browser = page(WIDE, "x" * 1001, done="!!document.querySelector('#status.error')")
    assert (
        browser.value("document.getElementById('status').textContent") == "query: 1,001 characters: shorten it to 1,000"
    )
    assert browser.value("document.querySelectorAll('#lists li').length") == 0


CONTRAST = """
(() => {
  const channel = (value) => (value /= 255) <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  const light = (colour) => {
    const [red, green, blue] = colour.match(/[\\d.]+/g).map(Number).map(channel);
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const back = getComputedStyle(document.body).backgroundColor;
  const texts = ["li p", ".line", ".rank", ".up, .down", "#status", "h2", "button"];
  return texts.map((name) => {
    const node = document.querySelector(name);
    const style = getComputedStyle(node);
    const both = [light(style.color), light(name === "button" ? style.backgroundColor : back)];
    return (Math.max(...both) + 0.05) / (Math.min(...both) + 0.05);
  });
})()
"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_can_be_read_in_light_and_in_dark(page, scheme):
    browser = page(WIDE, "fox")
    browser.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
    assert min(browser.value(CONTRAST)) >= 4.5
    background = browser.value("getComputedStyle(document.body).backgroundColor")
    assert (background == "rgb(255, 255, 255)") is (scheme == "light")
