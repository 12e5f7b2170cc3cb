"""What a study's config and its two commands refuse, each in one sentence, and what an arm may change."""

from __future__ import annotations

import json

import pytest
from sample_studies import stored

from edgenes_core.cli import main
from edgenes_core.schema import ConfigError, from_dict, to_dict
from edgenes_core.search import SEARCHERS
from edgenes_core.study import STUDIES, StudyConfig
from edgenes_core.study.store import StudyStore


@pytest.mark.parametrize(
    ("arms", "said"),
    [
        ([], "different names, got none"),
        ([{"name": "a", "searcher": "darts"}] * 2, "different names, got a, a"),
        ([{"name": "a/b", "searcher": "darts"}], "letters, digits"),
        ([{"name": "a", "searcher": "dart"}], "unknown searcher 'dart'"),
        ([{"name": "a", "searcher": "darts", "settings": {"darts.step": 3}}], "Arm a: 'darts.step' is no setting"),
        ([{"name": "a", "searcher": "darts", "settings": {"darts": 3}}], "Arm a: 'darts' belongs to the whole study"),
        ([{"name": "a", "searcher": "darts", "settings": {"seed": 3}}], "'seed' belongs to the whole study"),
        ([{"name": "a", "searcher": "darts", "settings": {"darts.steps": 0}}], "Arm a: steps must lie between"),
        ([{"name": "a", "searcher": "darts", "settings": {"own.limit": 3}}], "darts has no settings of its own"),
        ([{"name": "a", "searcher": "xnas", "settings": {"own.limits": 3}}], "no field 'limits'"),
        ([{"name": "a", "searcher": "darts", "settings": [["darts.steps"]]}], "pairs of a name and a value"),
        ([{"name": "a", "searcher": "darts", "settings": 3}], "pairs of a name and a value"),
        (["darts"], "must be a JSON object"),
        (3, "not iterable"),
    ],
)
def test_what_is_wrong_with_a_study_is_one_sentence(arms, said):
    with pytest.raises(ConfigError) as raised:
        from_dict(StudyConfig, {"arms": arms})
    assert said in str(raised.value)


def test_an_arm_changes_its_settings_alone():
    config = from_dict(
        StudyConfig,
        {
            "seeds": 2,
            "arms": [
                {"name": "plain", "searcher": "xnas"},
                {"name": "other", "searcher": "xnas", "settings": {"darts.steps": 9, "own.limit": 0.5}},
            ],
        },
    )
    plain, other = config.arms
    assert config.config(plain, 1).seed == 1
    assert (config.config(plain, 0).darts.steps, config.config(other, 0).darts.steps) == (config.base.darts.steps, 9)
    assert (plain.own().limit, other.own().limit) == (0.1, 0.5)
    assert from_dict(StudyConfig, json.loads(json.dumps(to_dict(config)))) == config


def test_named_studies_know_their_searchers():
    assert {each.searcher for each in STUDIES["methods"].arms} == set(SEARCHERS) - {"census"}
    assert len(STUDIES["ablations"].arms) > 5


def test_commands_say_what_is_wrong(tmp_path, capsys):
    study = stored(tmp_path, 1)
    for words, said in (
        (["study", "nothing"], "A study is one of methods, ablations, census, fashion, or a JSON file"),
        (["study", "methods", "--arms", "darts,dart"], "no arm 'dart'"),
        (["study", "methods", "--set", "darts.step=3"], "known name"),
        (["study", "methods", "--seeds", "0"], "seeds must lie between"),
        (["study", "methods", "--dataset", "digit"], "digit"),
        (["study", study.id, "--resume", "--seeds", "3"], "keeps its seeds"),
        (["study", "other", "--resume"], "known are"),
        (["compare", study.id, "--reference", "nobody"], "no arm 'nobody'"),
        (["compare", study.id, "--mode", "money"], "pool, seconds, images, all"),
        (["compare", study.id, "--mode", "seconds", "--limit", "-1"], "above 0"),
        (["compare", "../etc"], "known are"),
    ):
        assert main([*words, "--runs", str(tmp_path)]) == 1
        error = capsys.readouterr().err
        assert error.count("\n") == 1
        assert said in error
    assert len(StudyStore(tmp_path).own()) == 1, "nothing was created"
    empty = StudyStore(tmp_path).create("empty", study.config)
    assert main(["compare", empty.id, "--runs", str(tmp_path)]) == 1
    assert f"study {empty.id} --resume" in capsys.readouterr().err
