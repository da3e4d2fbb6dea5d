"""mqbench report: what the page says is what the results say, and a browser shows it without asking anybody."""

import html.parser
import json
import os
import re

import pytest

from support import bench_results
from support.chromium import Chromium
from support.mqbroker import MqBroker
from support.proc import wait_until
from support.tools import assert_fails, assert_ok, mqbench

NASTY = "<script>document.title='owned'</script>\"'&<img src=x onerror=alert(1)>"
STALL = {"seconds": 20, "stall": (8, 2), "verdict": "broker-bound", "reason": "1 % of the messages left 480 ms late",
         "passed": False, "thresholds": [{"expr": "p99<5ms", "value": 1.8e9, "passed": False}]}
# One that ended, of which all is known; one to the end, of which only the seconds are.
OUTAGES = {"seconds": 20, "outages": [
    {"from_s": 3, "to_s": 6, "over": True, "began_ns": 3_250_000_000, "recovered_ns": 5_750_000_000, "connections": 4,
     "received": 1200, "lost": 300},
    {"from_s": 18, "to_s": 20, "over": False, "connections": 0, "received": 0}],
    "notes": ["the broker was slow"], "refusals": [{"reason": "quota exceeded", "count": 17}]}
PAGES = {"one": [{"thresholds": [{"expr": "p99<5ms", "value": 1.9e6, "passed": True}], "passed": True}],
         "three": [{}, {"seed": 2, "seconds": 40}, {"seed": 3, "middle": 3e6, "verdict": "tool-bound", "reason": "busy"}],
         "short": [{"seconds": 1}],
         "without latencies": [{"measured": False, "watched": False}],
         "stall": [STALL], "outages": [OUTAGES], "two with outages": [OUTAGES, {**OUTAGES, "seed": 2}],
         "long": [{"seconds": 700, "rate": 20}],
         "nasty": [{"name": NASTY, "host": NASTY, "notes": [NASTY], "refusals": [{"reason": NASTY, "count": 1}], "reason": NASTY, "verdict": NASTY,
                    "thresholds": [{"expr": NASTY, "value": 1, "passed": False}]}] * 2}


class Page(html.parser.HTMLParser):
    """Every element with its attributes, and the words in it."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.words = [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))

    def handle_data(self, data):
        self.words.append(data)

    def with_attribute(self, name):
        return [attributes for _, attributes in self.elements if name in attributes]


def looked_up(result, path):
    """The member "latency_ns.lag.p99.9" or "intervals[3].sent"."""
    for key in re.findall(r"\[\d+\]|p99\.99?|[^.\[\]]+", path):
        result = result[int(key[1:-1])] if key.startswith("[") else result[key]
    return result


@pytest.fixture(scope="module")
def made(temporary_directory):
    """{name: (path of the page, its text, its results)}"""
    pages = {}
    for name, kinds in PAGES.items():
        directory = temporary_directory / f"report {name}"
        directory.mkdir()
        results = [bench_results.result(**kind) for kind in kinds]
        files = [directory / f"r{n}.json" for n in range(len(results))]
        for file, result in zip(files, results):
            file.write_text(json.dumps(result))
        path = directory / "report.html"
        assert_ok(mqbench("report", *files, "-o", path))
        assert os.listdir(directory).count("report.html.part") == 0
        pages[name] = (path, path.read_text(encoding="utf-8"), results)
    return pages


@pytest.fixture(params=PAGES)
def page(request, made):
    return made[request.param]


# --- the text of the page -------------------------------------------------------------------------

def test_every_number_is_that_of_the_result(page):
    _, text, results = page
    cells = Page(text).with_attribute("data-path")
    assert len(cells) > 20
    for cell in cells:
        expected = looked_up(results[int(cell["data-result"])], cell["data-path"])
        assert float(cell["data-value"]) == pytest.approx(expected, rel=1e-12), cell


def test_the_seconds_of_a_run_are_all_there(made):
    _, text, (result,) = made["one"]
    paths = {cell["data-path"] for cell in Page(text).with_attribute("data-path")}
    for n in range(len(result["intervals"])):
        for key in ("sent", "received", "latency.p50", "latency.p99", "latency.p99.9", "latency.max", "tool_cpu", "broker_cpu",
                    "broker_rss_bytes", "connections"):
            assert f"intervals[{n}].{key}" in paths


def table(text, figure):
    """[[cell, ...], ...] of a chart's numbers: data-value where there is one."""
    part = text[text.index(f'<figure id="{figure}">'):]
    body = re.search(r"<tbody>(.*?)</tbody>", part[:part.index("</figure>")], re.S)[1]
    return [[re.search(r'data-value="([^"]*)"', cell[0])[1] if "data-value" in cell[0] else cell[1]
             for cell in re.findall(r"<t[dh]([^>]*)>(.*?)</t[dh]>", row)] for row in re.findall(r"<tr>(.*?)</tr>", body)]


def test_the_heat_map_counts_every_message(made):
    for name in ("one", "stall", "long"):
        _, text, (result,) = made[name]
        assert sum(int(row[1]) for row in table(text, "heat-0")) == result["counts"]["received"]
        for size in ("wide", "narrow"):
            drawing = re.search(rf'<figure id="heat-0">.*?<svg class="{size}".*?</svg>', text, re.S)[0].rsplit("<svg ", 1)[1]
            drawn = [int(count.replace(",", "")) for count in re.findall(r"\n([\d,]+) messages</title>", drawing)]
            assert sum(drawn) == result["counts"]["received"], size


def test_the_spectrum_ends_at_the_greatest_latency(made):
    _, text, (result,) = made["one"]
    rows = table(text, "spectrum")
    latency = result["latency_ns"]["due_to_received"]
    assert rows[0][0] == "0 %" and float(rows[-1][1]) == latency["max"]
    shown = {row[0]: float(row[1]) for row in rows}
    assert (shown["90 %"], shown["99 %"], shown["99.9 %"], shown["99.99 %"]) == tuple(
        latency[key] for key in ("p90", "p99", "p99.9", "p99.99"))


def test_a_long_run_has_points_of_several_seconds_with_all_messages(made):
    _, text, (result,) = made["long"]
    rows = table(text, "rate")
    assert len(rows) == 234 and "Each point is 3 s." in text  # 700 seconds in at most 300 points
    assert float(rows[0][1]) == pytest.approx(sum(each["received"] for each in result["intervals"][:3]) / 3)


def test_outages_have_a_table_and_a_mark_on_each_chart_over_time(made):
    _, text, (result,) = made["outages"]
    paths = {cell["data-path"] for cell in Page(text).with_attribute("data-path")}
    assert {f"outages[0].{key}" for key in ("began_ns", "recovered_ns", "connections", "received", "lost")} <= paths
    assert "outages[1].from_s" in paths and not paths & {"outages[1].to_s", "outages[1].lost"} and "refusals[0].count" in paths
    words = " ".join(Page(text).words)
    for word in ("3.250 s", "5.750 s", "never", "Note: the broker was slow", "quota exceeded"):
        assert word in words
    for figure in ("rate", "percentiles-0", "heat-0", "cpu", "memory", "connections"):
        part = text[text.index(f'<figure id="{figure}">'):].split("</figure>")[0]
        for drawing in re.findall(r'<svg class="(?:wide|narrow)".*?</svg>', part, re.S):
            x_of = {label: float(x) for x, label in re.findall(r'<text x="([\d.]+)"[^>]*"middle">(\d+)<', drawing)}
            first, second = [(float(x), float(width)) for x, width in re.findall(r'class="mark c7" x="([\d.]+)"[^>]* width="([\d.]+)"', drawing)]
            per_second = (x_of["10"] - x_of["0"]) / 10
            assert first == pytest.approx((x_of["0"] + 3.25 * per_second, 2.5 * per_second), abs=0.2), figure
            assert second == pytest.approx((x_of["0"] + 18 * per_second, 2 * per_second), abs=0.2), figure
    titles = re.findall(r"<title>([^<]*)</title>", text[text.index('<figure id="rate">'):].split('<svg class="narrow"')[0])
    marked = [title.splitlines()[0] for title in titles if "outage: from 3.250 s to 5.750 s" in title]
    assert marked == ["3 s", "4 s", "5 s"] and "outage: from 18.000 s on" in titles[-1] and "outage" not in titles[-4]
    assert "class=\"mark" not in made["one"][1] and "Outages" not in made["one"][1]
    assert {"mark c0", "mark c1"} <= {each["class"] for each in Page(made["two with outages"][1]).with_attribute("class")}


def test_verdict_reason_and_thresholds_are_said(made):
    words = " ".join(Page(made["stall"][1]).words)
    for word in ("broker-bound", "a threshold was missed", "480 ms late", "p99<5ms", "missed"):
        assert word in words
    assert "thresholds met" in " ".join(Page(made["one"][1]).words)


def test_each_chart_has_a_title_a_description_and_its_numbers(page):
    text = page[1]
    figures = re.findall(r"<figure.*?</figure>", text, re.S)
    assert figures
    for figure in figures:
        assert figure.count("<svg class=\"wide\"") == figure.count("<svg class=\"narrow\"") == 1
        assert figure.count("<desc") == 2 and "<table>" in figure and "<h3>" in figure
        for labels in re.findall(r'aria-labelledby="([^"]*)"', figure):
            assert all(f'id="{label}"' in figure for label in labels.split())
    identifiers = re.findall(r'\bid="([^"]*)"', text)
    assert len(identifiers) == len(set(identifiers))


def test_nothing_is_loaded_from_anywhere(page):
    for tag, attributes in Page(page[1]).elements:
        assert tag not in ("iframe", "object", "embed", "base", "img", "form"), tag
        for name in ("src", "href", "action", "data", "xlink:href"):
            assert attributes.get(name, "data:,") == "data:,", (tag, attributes)
    assert not re.search(r"url\(|@import|fetch\(|XMLHttpRequest", page[1])


def test_what_a_result_says_is_never_markup(made):
    text = made["nasty"][1]
    assert text.count("<script") == 1 and "<img" not in text and "&lt;script&gt;" in text


def test_a_real_run_can_be_drawn(certs, scratch):
    with MqBroker(certs) as broker:
        assert_ok(mqbench("run", *broker["tcp"].mq_args(), "-q", 1, "--count", 300, "--json", scratch / "r.json", "--quiet",
                          stdout=open(os.devnull, "wb")))
    assert_ok(mqbench("report", scratch / "r.json", "-o", scratch / "r.html"))
    result, text = json.loads((scratch / "r.json").read_text()), (scratch / "r.html").read_text(encoding="utf-8")
    cells = Page(text).with_attribute("data-path")
    assert {"rates.received_per_second", "latency_ns.ack.p99", "intervals[0].sent"} <= {cell["data-path"] for cell in cells}
    for cell in cells:
        assert float(cell["data-value"]) == pytest.approx(looked_up(result, cell["data-path"]), rel=1e-12), cell


# --- in a browser ---------------------------------------------------------------------------------

CONTRAST = """(() => {
  const channel = v => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  const luminance = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const parts = color => color.match(/[\\d.]+/g).map(Number);
  const behind = element => { for (let e = element; e; e = e.parentElement) {
    const color = parts(getComputedStyle(e).backgroundColor); if (color.length < 4 || color[3] > 0) return color; } };
  let worst = 99;
  for (const element of document.querySelectorAll('h1,h2,h3,p,b,td,th,caption,summary,dt,dd,li,text')) {
    if (!element.textContent.trim() || !element.getClientRects().length) continue;
    const style = getComputedStyle(element), ink = element.tagName === 'text' ? style.fill : style.color;
    const [a, b] = [luminance(parts(ink)), luminance(behind(element))].sort((x, y) => y - x);
    worst = Math.min(worst, (a + 0.05) / (b + 0.05));
  }
  return worst;
})()"""


@pytest.fixture(scope="module")
def browser():
    with Chromium() as running:
        yield running


@pytest.mark.parametrize("scheme", ("light", "dark"))
@pytest.mark.parametrize("width", (1280, 375))
@pytest.mark.parametrize("name", PAGES)
def test_a_browser_shows_it_and_asks_for_nothing(browser, made, name, width, scheme):
    path = made[name][0]
    browser.open(str(path).replace(" ", "%20"), width, scheme=scheme)
    assert browser.complaints() == []
    assert [address.rsplit("/", 1)[1] for address in browser.requests()] == ["report.html"]
    assert browser.value("document.title") != "owned"
    assert browser.value("document.documentElement.scrollWidth") <= width
    shown = browser.value("[...document.querySelectorAll('svg.wide, svg.narrow')].filter(e => e.getClientRects().length)"
                          ".map(e => e.getAttribute('class'))")
    assert set(shown) == {"wide" if width > 520 else "narrow"}
    dark = browser.value("getComputedStyle(document.body).backgroundColor") == "rgb(16, 20, 27)"
    assert dark == (scheme == "dark")
    assert browser.value(CONTRAST) >= 4.5  # WCAG 2.2, 1.4.3


def test_values_are_shown_under_the_pointer(browser, made):
    browser.open(str(made["one"][0]).replace(" ", "%20"))
    where = browser.value("(() => { const e = document.querySelectorAll('#rate svg.wide .hit')[5]; e.scrollIntoView();"
                          "const b = e.getBoundingClientRect(); return [b.x + b.width / 2, b.y + b.height / 2]; })()")
    received = made["one"][2][0]["intervals"][5]["received"]
    tip = "document.getElementById('tip').hidden ? null : document.getElementById('tip').textContent"

    def is_shown():  # again and again: the scrolling before it, which ends in its own time, takes it away
        browser.move_mouse(*where)
        return browser.value(tip) == f"5 s\nreceived: {received:,}/s\nsent: 1,000/s"
    wait_until(is_shown, 30, "the value under the pointer")


def test_it_can_be_printed(browser, made):
    browser.open(str(made["one"][0]).replace(" ", "%20"), scheme="dark")
    assert browser.print_pdf().startswith(b"%PDF-")


# --- what is wrong --------------------------------------------------------------------------------

def test_mistakes_are_one_line(scratch):
    good = scratch / "good.json"
    good.write_text(json.dumps(bench_results.result(seconds=1)))
    for args, words in (((good,), "needs -o FILE"), (("-o", scratch / "x.html"), "needs each RESULT"),
                        (([good] * 9 + ["-o", scratch / "x.html"]), "9 results are more than 8"),
                        ((good, "--rate", "5", "-o", "-"), "--rate")):
        result = mqbench("report", *args)
        assert (result.code, result.out, len(result.err_lines)) == (2, b"", 1) and words in result.err_text, result
    assert_fails(mqbench("report", scratch / "none.json", "-o", scratch / "x.html"), 14, "none.json: No such file")
    assert_fails(mqbench("report", good, "-o", scratch / "no" / "x.html"), 14, "No such file")
    assert not (scratch / "x.html").exists()


def test_standard_input_and_output(scratch):
    result = mqbench("report", "-", "-o", "-", stdin=json.dumps(bench_results.result(seconds=1)).encode())
    assert assert_ok(result).out.startswith(b"<!DOCTYPE html>")
