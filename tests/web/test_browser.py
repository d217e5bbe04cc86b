"""End to end, in a real browser: the saved page without a network, the slider, the local server, hostile logs."""

import base64
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import SEED, run
from tests.web.browser import PICTURES, chromium, complaints, picture, show
from tests.web.conftest import NEEDED, Server

DESK, PHONE = (1280, 800), (390, 844)

HOSTILE = (
    "<script>document.title='ran'</script>",
    "</script><script>document.title='ran'</script>",
    "<img src=x onerror=document.title='ran'>",
    "\"><svg onload=document.title='ran'>",
    "' autofocus onfocus=document.title='ran' x='",
    "</textarea><iframe srcdoc='<script>parent.document.title=1</script>'>",
    "javascript:document.title='ran'",
    "{{document.title='ran'}}",
)


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    for module in NEEDED:
        pytest.importorskip(module, reason="the extra 'page' is not installed (make page)")
    with chromium(tmp_path_factory.mktemp("profile")) as running:
        yield running


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page on the seed, as a user saves it."""
    target = tmp_path_factory.mktemp("page") / "report.html"
    ran = run("advise", str(SEED), "--format", "html", "-o", str(target))
    assert (ran.code, ran.out, ran.err) == (0, "", "")
    return target


@pytest.fixture
def page(driver: Any, saved: Path) -> Any:
    """The saved page, opened from disk with the network off."""
    driver.execute_cdp_cmd("Network.enable", {})
    off = {"offline": True, "latency": 0, "downloadThroughput": 0, "uploadThroughput": 0}
    driver.execute_cdp_cmd("Network.emulateNetworkConditions", off)
    complaints(driver)
    show(driver, *DESK)
    driver.get(saved.as_uri())
    yield driver
    on = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
    driver.execute_cdp_cmd("Network.emulateNetworkConditions", on)


def text(driver: Any, selector: str) -> str:
    found: str = driver.execute_script("return document.querySelector(arguments[0]).textContent", selector)
    return " ".join(found.split())


def choose(driver: Any, name: str, words: str) -> None:
    """Choose an option of the slider by how its words begin, as a person would."""
    from selenium.webdriver.support.ui import Select

    select = Select(driver.find_element("css selector", f".slider .{name}"))
    (option,) = (o.text for o in select.options if o.text.startswith(words))
    select.select_by_visible_text(option)


def put(driver: Any, value: int) -> None:
    """Write a value into the field beside the slider."""
    write(driver, str(value))


def write(driver: Any, words: str) -> None:
    from selenium.webdriver.common.keys import Keys

    driver.find_element("css selector", ".slider .exact").send_keys(Keys.CONTROL, "a", Keys.NULL, words)


def marks(driver: Any) -> dict[str, str]:
    return dict(part.split(" ") for part in text(driver, ".slider .marks").split(" · "))


def test_the_saved_page_works_without_a_network(page: Any) -> None:
    assert text(page, "h1") == "OOM kill for myshellscript, order 2"
    assert page.execute_script("return performance.getEntriesByType('resource').length") == 0
    assert complaints(page) == []


@pytest.mark.parametrize(("size", "name"), [(DESK, "desktop"), (PHONE, "phone")])
def test_the_answer_is_on_the_first_screen(page: Any, size: tuple[int, int], name: str) -> None:
    show(page, *size)
    page.refresh()
    bottom = page.execute_script("return document.querySelector('.do .commands').getBoundingClientRect().bottom")
    assert bottom <= size[1]
    assert text(page, ".do .commands") == "echo 2039 > /proc/sys/vm/min_free_kbytes"
    picture(page, f"seed-{name}-first-screen", whole=False)


@pytest.mark.parametrize(
    ("operation", "mark", "last"),
    [
        ("exec", "MIN", 4139),
        ("exec", "HIGH", 2763),
        ("fork+exec", "MIN", 3967),
        ("fork (", "MIN", 4139),
        ("one block of order 2", "HIGH", 2763),
    ],
)
def test_the_verdict_changes_exactly_there(page: Any, operation: str, mark: str, last: int) -> None:
    choose(page, "operation", operation)
    put(page, last)
    assert marks(page)[mark] == "passes"
    put(page, last + 1)
    assert marks(page)[mark] == "fails"
    put(page, last)
    assert marks(page)[mark] == "passes"


def test_the_slider_moves_by_keys(page: Any) -> None:
    from selenium.webdriver.common.keys import Keys

    choose(page, "operation", "fork+exec")
    put(page, 3967)
    handle = page.find_element("css selector", ".slider .range")
    handle.send_keys(Keys.ARROW_RIGHT)
    assert page.find_element("css selector", ".slider .exact").get_attribute("value") == "3968"
    assert (marks(page)["MIN"], text(page, ".slider .class")) == ("fails", "no effect")
    handle.send_keys(Keys.ARROW_LEFT)
    assert (marks(page)["MIN"], text(page, ".slider .class")) == ("passes", "marginal")


def test_everything_follows_the_slider(page: Any) -> None:
    """What the text form says about the kernel's default: 13 more children, 316 pages, kswapd at rest."""
    for button in page.find_elements("css selector", ".slider .jumps button"):
        if button.text.startswith("the kernel's default"):
            button.click()
    assert text(page, ".slider .class") == "certain"
    assert text(page, ".slider .headroom") == "13 more processes that stay alive"
    assert text(page, ".slider .kept") == "316"
    assert text(page, ".slider .spins") == "in no zone"
    assert text(page, ".slider .missing") == "nothing"
    put(page, 4160)
    assert text(page, ".slider .missing") == "at MIN 1 page in DMA (page directory of the fork, order 2)"
    assert text(page, ".slider .kept") == "649"
    assert text(page, ".slider .class") == "as it is"


def test_the_reserve_ratio_cures_nothing(page: Any) -> None:
    put(page, 4160)
    choose(page, "ratio", "1000000")
    assert set(marks(page).values()) == {"fails"}
    choose(page, "ratio", "1:")
    assert set(marks(page).values()) == {"fails"}
    assert "page" in text(page, ".slider .missing")


@pytest.mark.parametrize("value", ["-1", "1.5", "99999999", "1e3"])
def test_what_is_no_value_is_said_and_changes_nothing(page: Any, value: str) -> None:
    put(page, 3967)
    write(page, value)
    if value == "1e3":
        assert page.find_element("css selector", ".slider .range").get_attribute("value") == "1000"
    else:
        assert "A whole number from 0 to" in text(page, ".slider .note")


def test_a_number_leads_to_its_line(page: Any) -> None:
    link = page.find_element("xpath", "//a[@class='source' and text()='97 ≤ 97']")
    page.execute_script("arguments[0].click()", link)
    shown = page.execute_script("return document.querySelector('li:target').textContent")
    assert "DMA: 2358*4kB 912*8kB 25*16kB" in shown
    assert page.execute_script("return document.querySelector('li:target').getBoundingClientRect().top") < DESK[1]


def test_tables_sort_by_their_headings(page: Any) -> None:
    column = (
        "return [...document.querySelectorAll('table[data-sortable] tbody tr')].map(r => r.cells[1].textContent.trim())"
    )
    before = [int(cell) for cell in page.execute_script(column)]
    button = page.find_elements("css selector", "table[data-sortable] th button")[1]
    page.execute_script("arguments[0].focus()", button)
    from selenium.webdriver.common.keys import Keys

    button.send_keys(Keys.ENTER)
    button.send_keys(Keys.ENTER)
    assert [int(cell) for cell in page.execute_script(column)] == sorted(before)
    assert page.execute_script("return document.querySelector('th[aria-sort]').ariaSort") == "ascending"


LAYOUT = """
const wide = document.documentElement.clientWidth, faults = [];
if (document.documentElement.scrollWidth > wide) faults.push('the page scrolls sideways');
for (const one of document.querySelectorAll('h1,h2,h3,p,dd,button,label,summary,figure,.badge')) {
  const box = one.getBoundingClientRect();
  if (box.width && !one.closest('.wide,.lines') && (box.right > wide + 1 || box.left < -1)) {
    faults.push('cut: ' + one.textContent.trim().slice(0, 40));
  }
}
for (const drawing of document.querySelectorAll('.drawing svg')) {
  const outer = drawing.getBoundingClientRect();
  const texts = [...drawing.querySelectorAll('text')].filter(t => t.textContent);
  const boxes = texts.map(t => t.getBoundingClientRect());
  boxes.forEach((box, i) => {
    if (box.right > wide + 1) faults.push('cut label: ' + texts[i].textContent);
    for (let j = i + 1; j < boxes.length; j++) {
      const other = boxes[j];
      const across = Math.min(box.right, other.right) - Math.max(box.left, other.left);
      const down = Math.min(box.bottom, other.bottom) - Math.max(box.top, other.top);
      if (across > 2 && down > 4) faults.push('overlap: ' + texts[i].textContent + ' | ' + texts[j].textContent);
    }
  });
}
const first = [...document.querySelectorAll('main section, main figure')].map(s => s.getBoundingClientRect());
return faults;
"""


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize(("size", "name"), [(DESK, "desktop"), (PHONE, "phone")])
def test_nothing_overlaps_and_nothing_is_cut(page: Any, size: tuple[int, int], name: str, dark: bool) -> None:
    show(page, *size, dark=dark)
    page.refresh()
    picture(page, f"seed-{name}-{'dark' if dark else 'light'}")
    assert page.execute_script(LAYOUT) == []


CONTRAST = """
function light(colour) {
  const [r, g, b] = colour.match(/[\\d.]+/g).map(Number).map(v => v / 255)
    .map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
function behind(node) {
  for (let one = node; one; one = one.parentElement) {
    const colour = getComputedStyle(one).backgroundColor;
    if (!/rgba\\(.*, 0\\)|transparent/.test(colour)) return colour;
  }
  return 'rgb(255, 255, 255)';
}
const poor = new Set();
for (const one of document.querySelectorAll('p,h1,h2,h3,td,th,dd,dt,li,label,button,summary,.badge,a,code,caption')) {
  if (!one.textContent.trim() || !one.getClientRects().length) continue;
  const a = light(getComputedStyle(one).color), b = light(behind(one));
  if ((Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05) < 4.5) poor.add(one.tagName + ': ' + one.textContent.trim().slice(0, 30));
}
return [...poor];
"""


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_text_stands_out_enough_to_be_read(page: Any, dark: bool) -> None:
    """A ratio of 4.5, as the accessibility guidelines ask."""
    show(page, *DESK, dark=dark)
    page.refresh()
    assert page.execute_script(CONTRAST) == []


def test_everything_that_acts_has_a_name_and_every_picture_a_text(page: Any) -> None:
    nameless = page.execute_script("""
      return [...document.querySelectorAll('button,input,select,textarea,[role=img],[role=region]')].filter(one =>
        !(one.getAttribute('aria-label') || one.textContent.trim() || (one.labels && one.labels.length))
      ).map(one => one.outerHTML.slice(0, 80))""")
    assert nameless == []
    pictures = page.execute_script("return document.querySelectorAll('.drawing[role=img]').length")
    assert pictures == page.execute_script("return document.querySelectorAll('svg').length") == 6


def test_it_prints_on_a4(page: Any) -> None:
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
    printed = page.execute_cdp_cmd("Page.printToPDF", {"preferCSSPageSize": True})
    data = base64.b64decode(printed["data"])
    PICTURES.mkdir(parents=True, exist_ok=True)
    (PICTURES / "seed-print.pdf").write_bytes(data)
    width, height = (float(n) for n in re.findall(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", data)[0])
    assert (round(width), round(height)) == (595, 842)
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    assert page.execute_script("return getComputedStyle(document.querySelector('.slider')).display") == "none"
    assert (
        page.execute_script("return getComputedStyle(document.querySelector('.badge.certain')).color") == "rgb(0, 0, 0)"
    )


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_log_runs_nothing_from_disk(driver: Any, tmp_path: Path, seed_text: str, name: str) -> None:
    log = tmp_path / re.sub("/", "_", f"{name}.log")
    log.write_text(hostile(seed_text, name))
    target = tmp_path / "page.html"
    assert run("advise", str(log), "--format", "html", "-o", str(target)).code == 0
    complaints(driver)
    driver.get(target.as_uri())
    unharmed(driver)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_log_runs_nothing_when_it_is_pasted(driver: Any, server: Server, seed_text: str, name: str) -> None:
    paste(driver, server, hostile(seed_text, name) + hostile(seed_text, name))
    unharmed(driver)
    field = driver.execute_script("return document.querySelector('.take input[name=log]').value")
    assert name in field


def hostile(report: str, name: str) -> str:
    """The seed with a name of somebody's choice in every place that can carry one."""
    tasks = (
        "[ pid ]   uid  tgid total_vm      rss cpu oom_adj name\n"
        f"[  101]     0   101      700      300   0       0 {name}\n"
        f"Task in /{name} killed as a result of limit of /{name}\n"
        f"Out of memory: kill process 101 ({name}) score 77 or a child\n"
        f"Killed process 101 ({name})\n"
    )
    named = report.replace("myshellscript", name).replace("get_pgd_slow", f"get_pgd_slow{name}", 1)
    return f"Linux version 2.6.31 ({name}) #1\n" + named + tasks


def unharmed(driver: Any) -> None:
    """Nothing ran, nothing was even tried, and nothing of the name became an element."""
    assert driver.title not in ("ran", "1")
    assert complaints(driver) == []
    foreign = driver.execute_script("return document.querySelectorAll('img,iframe,object,embed,base,video').length")
    assert foreign == 0
    assert driver.execute_script("return document.scripts.length") <= 3
    assert driver.execute_script("return document.querySelectorAll('h1').length") >= 1


def paste(driver: Any, server: Server, log: str) -> None:
    """Paste a log into the entrance and press the button."""
    driver.get(server.url)
    driver.execute_script("document.querySelector('#log').value = arguments[0]", log)
    driver.find_element("css selector", ".ask .go").click()
    wait(lambda: "page" in driver.current_url and driver.execute_script("return document.readyState") == "complete")


def wait(condition: Any, seconds: float = 30) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "it did not happen"
        time.sleep(0.05)


def test_the_seed_pasted_and_the_slider_asked(driver: Any, server: Server, seed_text: str) -> None:
    show(driver, *DESK)
    driver.get(server.url)
    picture(driver, "serve-entrance", whole=False)
    complaints(driver)
    paste(driver, server, seed_text)
    assert text(driver, ".do .commands") == "echo 2039 > /proc/sys/vm/min_free_kbytes"
    picture(driver, "serve-seed", whole=False)
    for value, expected in ((3967, "passes"), (3968, "fails")):
        put(driver, value)
        wait(lambda: text(driver, ".slider .note") == "Answered by the simulator.")
        assert marks(driver)["MIN"] == expected
    choose(driver, "operation", "one block of order 1")
    choose(driver, "ratio", "1:")
    wait(lambda: text(driver, ".slider .note") == "Answered by the simulator.")
    assert marks(driver)["MIN"] == "passes"
    assert complaints(driver) == []


def test_a_file_is_chosen_and_another_incident_shown(
    driver: Any, server: Server, seed_text: str, tmp_path: Path
) -> None:
    log = tmp_path / "kern.log"
    log.write_text(seed_text + "quiet\n" * 9 + seed_text.replace("myshellscript", "othershell"))
    driver.get(server.url)
    driver.find_element("css selector", "#file").send_keys(str(log))
    driver.find_element("css selector", ".ask .go").click()
    wait(lambda: "page" in driver.current_url and text(driver, "h1").endswith("myshellscript, order 2"))
    choose_incident = "const s = document.querySelector('select[name=incident]'); s.value = '2'; s.form.requestSubmit()"
    driver.execute_script(choose_incident)
    wait(lambda: text(driver, "h1").endswith("othershell, order 2"))
    assert complaints(driver) == []


def test_a_result_is_saved(driver: Any, server: Server, seed_text: str, tmp_path: Path) -> None:
    where = {"behavior": "allow", "downloadPath": str(tmp_path)}
    driver.execute_cdp_cmd("Browser.setDownloadBehavior", where)
    paste(driver, server, seed_text)
    driver.find_element("css selector", ".take button[value=json]").click()
    wait(lambda: (tmp_path / "report.json").exists())
    assert '"oomadvisor/advice/1"' in (tmp_path / "report.json").read_text()
