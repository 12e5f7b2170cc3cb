"""Each declared range is kept, each record survives JSON, and each misfit gets one sentence."""

import dataclasses
import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgenes_core import EdgeNESError
from edgenes_core.config import (
    PRESETS,
    DartsConfig,
    EnsembleConfig,
    HypernetConfig,
    PipelineConfig,
    RegularizerConfig,
    RetrainConfig,
    SpaceConfig,
)
from edgenes_core.records import METRICS, Evaluation, Event, Selection
from edgenes_core.schema import ConfigError, from_dict, to_dict

CONFIGS = [SpaceConfig, DartsConfig, RegularizerConfig, HypernetConfig, RetrainConfig, EnsembleConfig, PipelineConfig]
FIELDS = [(c, f) for c in CONFIGS for f in dataclasses.fields(c) if "range" in f.metadata]
NUMBERS = [(c, f) for c, f in FIELDS if not f.metadata["range"].choices]
CHOICES = [(c, f) for c, f in FIELDS if f.metadata["range"].choices]
ids = lambda fields: [f"{c.__name__}.{f.name}" for c, f in fields]  # noqa: E731


def through_json(record):
    return from_dict(type(record), json.loads(json.dumps(to_dict(record), allow_nan=False)))


@st.composite
def configs(draw):
    """Any valid pipeline configuration, nested records included."""

    def one(cls):
        values = {}
        for f in dataclasses.fields(cls):
            limits = f.metadata.get("range")
            if nested := f.metadata.get("record"):
                values[f.name] = one(nested)
            elif limits and limits.choices:
                values[f.name] = draw(st.sampled_from(limits.choices))
            elif limits and f.type == "int":
                values[f.name] = draw(st.integers(limits.lo, limits.hi))
            elif limits:
                values[f.name] = draw(st.floats(limits.lo, limits.hi))
        if cls is EnsembleConfig:
            values |= {name: max(values[name], values["size"]) for name in ("pool", "controls")}
        if "layers" in values:
            values["layers"] = max(values["layers"], 2)  # so that two kinds of cell fit
        return cls(**values)

    return one(PipelineConfig)


@given(configs())
def test_any_config_survives_json(config):
    assert through_json(config) == config


@pytest.mark.parametrize("name", PRESETS)
def test_presets_survive_json_and_know_their_name(name):
    assert through_json(PRESETS[name]) == PRESETS[name]
    assert PRESETS[name].preset == name


@pytest.mark.parametrize(("cls", "field"), NUMBERS, ids=ids(NUMBERS))
def test_limits_belong_and_beyond_is_refused(cls, field):
    limits = field.metadata["range"]
    assert limits.about
    beyond = [limits.lo - 1, limits.hi + 1, math.nan, math.inf, 10**400, "1", None, True, [1]]
    for value in beyond + ([1.5] if field.type == "int" else []):
        with pytest.raises(ConfigError, match=f"^{field.name} must lie between .* got"):
            cls(**{field.name: value})
    for value in (limits.lo, limits.hi, field.default):
        room = {"pool": 64} if field.name == "size" else {"size": 1} if field.name == "pool" else {}
        assert getattr(cls(**{**room, field.name: value}), field.name) == value


@pytest.mark.parametrize(("cls", "field"), CHOICES, ids=ids(CHOICES))
def test_only_choices_belong(cls, field):
    choices = field.metadata["range"].choices
    assert field.default in choices
    assert all(getattr(cls(**{field.name: choice}), field.name) == choice for choice in choices)
    for value in ("other", 99, None, True, [], *[float(c) for c in choices if isinstance(c, int)]):
        with pytest.raises(ConfigError, match=f"^{field.name} must be one of .* got"):
            cls(**{field.name: value})


def test_an_ensemble_is_no_larger_than_its_pool_and_controls():
    with pytest.raises(ConfigError, match="n = 3 must not exceed the pool N = 2"):
        PipelineConfig(ensemble=EnsembleConfig(pool=2, size=3))
    with pytest.raises(ConfigError, match="controls = 3 must be at least n = 4"):
        PipelineConfig(ensemble=EnsembleConfig(size=4, controls=3))


VAL = Evaluation("val", 360, 0.97, 0.1, 0.05, 0.01, 0.03, 0.99)
RECORDS = [
    VAL,
    Selection("exhaustive", 2, 21, ("a", "b"), VAL),
    Event("darts", 3, 10, 1.5, {"train_loss": 0.5}, ((0.25, 0.75), (1.0, 0.0))),
    Event("retrain", 0, 1),
]


@pytest.mark.parametrize("record", RECORDS, ids=lambda r: type(r).__name__)
def test_records_survive_json(record):
    assert through_json(record) == record
    assert hash(through_json(VAL)) == hash(VAL)


@pytest.mark.parametrize(
    ("cls", "data", "sentence"),
    [
        (PipelineConfig, {"sead": 1}, "PipelineConfig has no field 'sead'; known are dataset, seed"),
        (PipelineConfig, {"darts": {"step": 1}}, "DartsConfig has no field 'step'; known are steps"),
        (PipelineConfig, {"hypernet": {"regularizer": 3}}, "RegularizerConfig must be a JSON object, got int"),
        (PipelineConfig, [], "PipelineConfig must be a JSON object, got list"),
        (PipelineConfig, {"dataset": ""}, "dataset must be"),
        (PipelineConfig, {"dataset": 3}, "dataset must be"),
        (Evaluation, {"split": "val"}, "Evaluation does not fit its schema"),
        (Selection, {"val": None}, "Evaluation must be a JSON object, got NoneType"),
    ],
)
def test_what_does_not_fit_gets_a_sentence(cls, data, sentence):
    with pytest.raises(ConfigError, match=sentence):
        from_dict(cls, data)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)
NAMES = sorted({f.name for cls in CONFIGS for f in dataclasses.fields(cls)})


@given(st.sampled_from(CONFIGS), st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=5), JSON, max_size=4) | JSON)
def test_any_json_makes_a_config_or_is_refused(cls, data):
    try:
        config = from_dict(cls, data)
    except EdgeNESError:
        return
    assert isinstance(config, cls)


def test_metrics_cover_every_number_of_an_evaluation():
    numbers = {f.name for f in dataclasses.fields(Evaluation)} - {"split", "n"}
    assert numbers <= set(METRICS)
    for metric in METRICS.values():
        assert metric.better in ("higher", "lower", "neither")
        assert metric.name
        assert metric.about
        assert metric.digits >= 0
