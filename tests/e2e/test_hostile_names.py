"""A run whose every word is hostile, on every page and tab: nothing of it becomes an element, a script, a dialog or a request."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import page_runs
from browsing import PAGES, place_for, settled, turn_to, visit
from playwright.sync_api import Dialog, Page

from edgenes_core.run_folder import Run

EVIL = "<script>alert(1)</script><img class=evil src=x onerror=alert(1)>"
LINK = "[press](http://203.0.113.7/a) ![seen](http://203.0.113.7/b.png) <a class=evil href='http://203.0.113.7/c'>x</a>"
HOSTILE = f"{EVIL} {LINK} </style></title> $\\write18{{id}}$ %{{x}} |"
FOUND = """() => {
  const found = [], look = (root) => {
    for (const element of root.querySelectorAll('*')) {
      const evil = [...element.attributes].some((a) => /^on/i.test(a.name) || /evil/.test(a.value) && a.name === 'class')
      if (evil || /203[.]0[.]113/.test(element.getAttribute('src') || '')) found.push(element.outerHTML.slice(0, 200))
      if (element.tagName === 'SCRIPT' && /alert/.test(element.textContent)) found.push('a script')
      if (element.shadowRoot) look(element.shadowRoot)
    }
  }
  look(document)
  return found
}"""


def hostile(scratch: Path, folder: Path) -> Run:
    """A whole run with hostile words wherever a file from outside may hold words; beside the others of the server."""
    run = page_runs.whole(scratch)
    run.update(
        dataset={**run.manifest.dataset, "classes": [f"{HOSTILE} {k}" for k in range(5)]},
        message=HOSTILE,
        device=HOSTILE,
        commit=HOSTILE,
        command=HOSTILE,
        state="failed",
    )
    for name, role in (("selected", "selected"), ("single_base", "control"), ("mine", "user")):
        stored = run.ensembles()["selected" if name == "mine" else name]
        run.save_ensemble(name, {**stored, "title": f"{name} {HOSTILE}", "role": role, "rule": HOSTILE})
    place = shutil.move(run.path, place_for("hostile", folder))
    _rename_dataset(Run(place))
    return Run(place)


def _rename_dataset(run: Run) -> None:
    file = run.path / "run.json"
    data = json.loads(file.read_text())
    data["id"], data["config"]["dataset"] = run.path.name, f"/data/{HOSTILE.replace('/', '_')}.npz"
    file.write_text(json.dumps(data))


def test_no_word_of_a_run_becomes_anything_else(page: Page, server: str, runs_folder: Path, tmp_path: Path) -> None:
    run = hostile(tmp_path, runs_folder)
    dialogs: list[str] = []

    def dismiss(dialog: Dialog) -> None:
        dialogs.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", dismiss)
    visit(page, server, run=run.id, basket=".".join(list(run.networks())[:2]))
    for name in PAGES:
        turn_to(page, name)
        tabs = page.get_by_test_id("stMain").get_by_test_id("stTab").all() if name == "ensembles" else []
        for tab in [None, *tabs]:
            if tab is not None:
                tab.click()
            settled(page)
            assert run.id in page.evaluate("location.search"), name
            assert not page.evaluate(FOUND), (name, tab and tab.inner_text())
            assert page.get_by_test_id("stException").count() == 0, name
    assert not dialogs
    shutil.rmtree(run.path)
