"""The house rule: a file imports its own layer or a lower one. A new file is placed by adding it to LAYERS."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LAYERS = {
    0: "__init__ schema config published reported measures records architecture space cell_number lambda_path encodings permalink theory durable storage tex browser catalogue processes memory download_jobs access sign_in",
    1: "splits npz_file image_folder image_sources preview metrics selective temperature diversity pairwise instances selecting ensembles combining statistics weighted bootstrap comparisons side_by_side corruptions severity ood optimism trust embeddings soft_cells plane cloud",
    2: "torchvision_compat device alpha compiled supernet wide network release_network release_tree parameters partial_channels inherited hypernet regularizers augment data downloads order checkpoint train",
    3: "search",
    4: "run_records run_files run_folder damage snippets scored team team_tables tried repeats team_snippets marginal ladder overlaps member_snippets run_images tradeoff farther provenance runs executors launch_options jobs job_queue job_worker job_board run_digest cluster_code cluster_worker cluster cell_distances cell_map planning tasks mapping session stored_supernet one_shot feature_maps looks revealed raw_images shifted shift shift_jobs shift_teams shifted_pool trust_snippets shift_report estimate calibration pipeline progress run_log log_command reply findings doctor_machine doctor_folders doctor before_run inspect_cell run_zip imported release_import samples study exchange team_commands commands cli __main__ doctor_access",
    5: "figures",
    6: "pages app",
}
LAYER_OF = {name: layer for layer, names in LAYERS.items() for name in names.split()}
SOURCES = sorted([*ROOT.glob("edgenes_core/**/*.py"), *ROOT.glob("pages/**/*.py"), *ROOT.glob("app.py")])
ALL = [*SOURCES, *sorted([*ROOT.glob("tests/**/*.py"), *ROOT.glob("benchmarks/**/*.py")])]


def home(path: Path) -> str:
    """The name in LAYERS that places a file: its own, or that of its package."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return parts[1] if parts[0] == "edgenes_core" else parts[0]


def statements(node: ast.AST, top: bool):
    """All nodes; with `top`, only what runs when the file is imported."""
    for child in ast.iter_child_nodes(node):
        typing_only = isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING"
        if not (top and (typing_only or isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda))):
            yield child
            yield from statements(child, top)


def imports(path: Path, top: bool = False) -> set[str]:
    """Dotted names a file imports; `from a import b` counts as both a and a.b, relative imports are resolved."""
    package = list(path.relative_to(ROOT).parent.parts)
    found = set()
    for node in statements(ast.parse(path.read_text()), top):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            found |= {module} | {f"{module}.{alias.name}" for alias in node.names}
    return found


def own(name: str) -> str | None:
    """The name in LAYERS that an import leads to; None for other people's packages and for names inside a module."""
    parts = name.split(".")
    if parts[0] in ("pages", "app"):
        return parts[0]
    if parts[0] != "edgenes_core":
        return None
    module = ROOT / "edgenes_core" / (parts[1] if len(parts) > 1 else "__init__")
    return module.name if module.is_dir() or module.with_suffix(".py").exists() else None


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_own_layer_or_lower(path):
    assert home(path) in LAYER_OF, f"{path.name} has no layer: add it to LAYERS in tests/test_layers.py"
    layer = LAYER_OF[home(path)]
    higher = {name for name in imports(path) if (target := own(name)) and LAYER_OF.get(target, 9) > layer}
    assert not higher, f"layer {layer} must not import {sorted(higher)}"
    if layer in (0, 1, 5, 6):
        heavy = {name.split(".")[0] for name in imports(path, top=True)} & {"torch", "torchvision", "sklearn", "umap"}
        assert not heavy, f"import {sorted(heavy)} inside the function that needs it"
    if layer < 6:
        assert "streamlit" not in {name.split(".")[0] for name in imports(path)}, "only pages/ and app.py draw"


@pytest.mark.parametrize("path", ALL, ids=lambda p: str(p.relative_to(ROOT)))
def test_file_is_short(path):
    lines = len(path.read_text().splitlines())
    assert lines <= 250, f"{lines} lines; split it where a reader would look for the parts"


def test_light_layers_load_nothing_heavy():
    light = [
        f"edgenes_core.{p.stem}" for p in SOURCES if p.parent.name == "edgenes_core" and LAYER_OF.get(home(p), 9) <= 1
    ]
    code = f"import sys, importlib; [importlib.import_module(m) for m in {light}]; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert not {"torch", "sklearn", "umap", "numba", "streamlit", "plotly"} & set(done.stdout.split())


def test_the_rule_can_fail(tmp_path, monkeypatch):
    monkeypatch.setitem(globals(), "ROOT", tmp_path)
    bad = tmp_path / "edgenes_core" / "metrics.py"
    bad.parent.mkdir()
    (bad.parent / "jobs.py").touch()
    bad.write_text("from . import jobs\ndef f():\n    import torch\nif TYPE_CHECKING:\n    import umap\n")
    assert {own(name) for name in imports(bad)} - {None, "__init__"} == {"jobs"}
    assert {"torch", "umap"} <= imports(bad)
    assert not {"torch", "umap"} & imports(bad, top=True)
    with pytest.raises(AssertionError, match="must not import"):
        test_imports_own_layer_or_lower(bad)
