"""What of a study is not done or damaged, on the Compare page: named, filled by a command, and by a process beside the app."""

from __future__ import annotations

import pytest
import sample_studies
from compare_page import button, no_bundled, opened  # noqa: F401 - `no_bundled` is a fixture
from lab_tabs import flat
from test_pages_explore import runs, words  # noqa: F401 - `runs` is a fixture

from edgenes_core.study import job
from edgenes_core.study.store import StudyStore


def test_missing_repeats_show_the_command_that_fills_them(runs, monkeypatch):  # noqa: F811
    study, started = sample_studies.stored(runs, missing=[("random", 0), ("random", 2), ("darts", 1)]), []
    app = opened()
    assert [e.label for e in app.expander if "missing" in e.label] == ["3 of 15 repeats are missing"]
    assert "**Random**: seed 0, 2" in words(app)
    assert any(code.value == f"python -m edgenes_core study {study.id} --resume --arms random" for code in app.code)
    monkeypatch.setattr(job, "start", lambda given: started.append(given.id))
    app.button(key="compare_fill").click().run()
    assert started == [study.id]
    with job.hold(study):
        app.run()
        assert not app.exception
        assert button(app, "compare_stop")
        assert not button(app, "compare_fill")


def test_start_makes_a_study_and_begins(runs, monkeypatch):  # noqa: F811
    started = []
    monkeypatch.setattr(job, "start", lambda given: started.append(given))
    app = opened()
    app.number_input(key="compare_new_seeds").set_value(2).run()
    app.button(key="compare_start").click().run()
    assert not app.exception
    (study,) = StudyStore(runs).own()
    assert [s.id for s in started] == [study.id]
    assert study.config.seeds == 2


def test_a_process_beside_the_app_says_what_became_of_it(runs, monkeypatch):  # noqa: F811
    study = sample_studies.stored(runs, 1, missing=[("darts", 0)])
    monkeypatch.setattr(job, "COMMAND", ("sh", "-c", 'echo "error: it is late" >&2; exec sleep 600', "study"))
    job.start(study)
    assert job.at_work(study)
    while job.last_words(study)[1] != "it is late":
        assert job.at_work(study)
    job.stop(study)
    while job.at_work(study):
        pass
    job.stop(study)
    assert "it is late" in words(opened())


@pytest.mark.parametrize("file", ["repeats/random-s1/repeat.json", "repeats/random-s1/val.npz"])
def test_a_damaged_repeat_is_named_and_the_others_are_shown(runs, file):  # noqa: F811
    study = sample_studies.stored(runs)
    (study.path / file).write_bytes(b"{")
    app = opened()
    assert [w.value for w in app.warning if "random-s1" in flat(w.value).replace("\\", "")]
    assert app.dataframe[0].value["n"].tolist() == [3, 3, 2, 3, 3]


def test_a_damaged_study_is_named_and_another_is_shown(runs):  # noqa: F811
    first = sample_studies.stored(runs)
    other = StudyStore(runs).create("other", first.config)
    for content in (b"{", b'{"schema": 1, "config": {"arms": []}}'):
        (other.path / "study.json").write_bytes(content)
        app = opened()
        assert any("study.json" in w.value for w in app.warning)
        assert app.dataframe
