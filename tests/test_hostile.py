"""Laws over all source text: nothing opens a pickle, runs text as code or a shell, or draws markup that is not listed here."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from test_layers import SOURCES

from edgenes_core.run_zip import MOST_UPLOAD

ROOT = Path(__file__).parents[1]
SCRIPTS = sorted(ROOT.glob("pages/**/*.js"))
MODULES = {"pickle", "_pickle", "cPickle", "cloudpickle", "dill", "joblib", "marshal", "shelve", "yaml", "code", "pty"}
NAMES = {"eval", "exec", "compile", "__import__", "breakpoint", "input"}
METHODS = {
    *("system", "popen", "read_pickle", "to_pickle", "mktemp", "extractall", "unpack_archive", "getstatusoutput"),
    *("import_module", "deserialize_bytes", "html", "literal_eval"),
}
MARKUP = re.compile(
    r"unsafe_allow_html|innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\s*\(|new Function|srcdoc"
)
ALLOWED = {
    ("app.py", "import_module"): "a literal list of modules to warm up",
    ("edgenes_core/torchvision_compat.py", "import_module"): "torchvision alone, after its repair",
    ("edgenes_core/search/__init__.py", "import_module"): "a module that the literal SEARCHERS names",
    ("edgenes_core/combining/__init__.py", "import_module"): "a module that the literal COMBINERS names",
    (
        "edgenes_core/cluster_code.py",
        "deserialize_bytes",
    ): "of Dask, whose workers trust their scheduler; never of a file",
    ("pages/frame.py", "html"): "a style sheet of our own words and the theme's colours",
    ("pages/widgets/job_list.py", "html"): "a style sheet of our own words",
    ("pages/widgets/dataset_preview.py", "html"): "class names are escaped; all else are numbers and pixels",
    ("pages/widgets/lab_images.py", "html"): "`picture_html` escapes its words; all else are pixels",
    ("pages/widgets/picture.py", "innerHTML"): "SVG made by edgenes_core.figures, which escape their words",
    ("pages/widgets/vote_grid.py", "innerHTML"): "a table whose every word from a run is escaped (`grid_html`)",
}


def python_faults(tree: ast.AST) -> Iterator[str]:
    """What one file does that is forbidden or must be listed."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]
            yield from (name for name in names if name.split(".")[0] in MODULES)
            if isinstance(node, ast.ImportFrom):
                yield from (alias.name for alias in node.names if alias.name == "deserialize_bytes")
        elif isinstance(node, ast.Call):
            yield from _call_faults(node)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from MARKUP.findall(node.value)


def _call_faults(call: ast.Call) -> Iterator[str]:
    named = call.func.id if isinstance(call.func, ast.Name) else ""
    method = call.func.attr if isinstance(call.func, ast.Attribute) else ""
    given = {keyword.arg: keyword.value for keyword in call.keywords}
    if named in NAMES:
        yield named
    if method in METHODS:
        yield method
    yield from (str(name) for name in given if name == "unsafe_allow_html")
    if "shell" in given and ast.unparse(given["shell"]) != "False":
        yield "shell"
    owner = ast.unparse(call.func.value) if method else ""
    if method == "load" and owner in ("np", "numpy") and _said(given, "allow_pickle") != "False":
        yield "np.load"
    if method in ("read_array", "save", "savez", "savez_compressed") and owner.startswith(("np", "numpy")):
        if "allow_pickle" in given and _said(given, "allow_pickle") != "False":
            yield "allow_pickle"
        elif method == "read_array" and "allow_pickle" not in given:
            yield "read_array"
    if method == "load" and owner == "torch" and _said(given, "weights_only") != "True":
        yield "torch.load"


def _said(given: dict[str | None, ast.expr], name: str) -> str:
    return ast.unparse(given[name]) if name in given else ""


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def found_in(path: Path) -> list[tuple[str, str]]:
    faults = python_faults(ast.parse(path.read_text())) if path.suffix == ".py" else MARKUP.findall(path.read_text())
    return [(name_of(path), fault) for fault in faults]


def test_no_file_does_what_is_not_listed():
    found = {fault for path in (*SOURCES, *SCRIPTS) for fault in found_in(path)}
    assert found <= set(ALLOWED)
    assert set(ALLOWED) <= found, "no longer needed: take it off the list"


@pytest.mark.parametrize(
    "text",
    [
        *(
            "import pickle",
            "from pickle import loads",
            "import cloudpickle as c",
            "import yaml",
            "from joblib import load",
        ),
        *("eval(x)", "exec(x)", "compile(x, '', 'exec')", "__import__('os')", "os.system(x)", "os.popen(x)"),
        *(
            "subprocess.run(x, shell=True)",
            "subprocess.Popen(x, shell=flag)",
            "pd.read_pickle(x)",
            "archive.extractall(x)",
        ),
        *(
            "np.load(x)",
            "np.load(x, allow_pickle=True)",
            "np.lib.format.read_array(f)",
            "np.save(x, y, allow_pickle=True)",
        ),
        *("torch.load(x)", "torch.load(x, weights_only=False)", "st.markdown(x, unsafe_allow_html=True)", "st.html(x)"),
        *("JS = 'root.innerHTML = x'", "from distributed.protocol import deserialize_bytes", "ast.literal_eval(x)"),
    ],
)
def test_the_law_can_fail(text):
    assert list(python_faults(ast.parse(text)))


@pytest.mark.parametrize(
    "text",
    [
        *("network.eval()", "re.compile(x)", "np.load(x, allow_pickle=False)", "torch.load(x, weights_only=True)"),
        *("np.save(x, y)", "subprocess.run([x])", "subprocess.run(x, shell=False)", "'a pickle is refused'"),
    ],
)
def test_the_law_lets_the_rest_pass(text):
    assert not list(python_faults(ast.parse(text)))


def test_the_server_is_closed_by_default():
    config = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text())
    server = config["server"]
    assert server["address"] in ("127.0.0.1", "localhost")
    assert server["maxUploadSize"] == MOST_UPLOAD >> 20
    assert {server.get(name, True) for name in ("enableXsrfProtection", "enableCORS")} == {True}
    assert config["browser"]["gatherUsageStats"] is False
    assert "--server.address" not in (ROOT / "Makefile").read_text()


def test_streamlit_protects_forms_unless_told_otherwise():
    from streamlit import config

    assert config.get_option("server.enableXsrfProtection") is True
    assert config.get_option("server.enableCORS") is True
